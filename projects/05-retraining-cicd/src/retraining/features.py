"""From raw batches to rows that teach and rows that judge.

Chapter 02's own command computes the features, as a process, over everything taken in so far: a stay sees the stays before it, of this and
of earlier batches, never one that comes after. The outcome of a batch is split off at once and opened one batch later. A patient teaches or
judges for life, by a hash of the id: no model has ever been taught by a patient who judges one, whenever that patient comes back.
"""

import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from carefolio.artefacts import atomic_path, sha256_file
from carefolio.command import run_verb
from carefolio.exceptions import DataIntegrityError, LeakageError
from retraining.data import ENCOUNTER, PATIENT
from retraining.store import Store

TARGET = "returned_within_30_days"
GROUPS = ("race", "sex", "age_group")
JUDGES, BATCH = "judges", "batch"
NOT_FEATURES = (ENCOUNTER, PATIENT, *GROUPS, "patient_part", "all_encounters", "one_encounter", "later_encounters", TARGET, JUDGES, BATCH)
NUMBER = np.float64(2.0**64)


def judges(patients: Sequence[int] | pl.Series, *, share: float, seed: int) -> pl.Series:
    """Say which patients judge; the answer for a patient never changes.

    Parameters
    ----------
    patients : sequence of int, n of them
        Ids.
    share : float
        Of patients who judge.
    seed : int
        Goes into the hash.

    Returns
    -------
    polars.Series of n booleans
        True for those who judge, False for those who teach.
    """
    ids = pl.Series("patient", patients)
    distinct = ids.unique().to_list()
    places = {one: int.from_bytes(hashlib.sha256(f"{seed}:{one}".encode()).digest()[:8], "big") / NUMBER for one in distinct}
    return ids.replace_strict(places, return_dtype=pl.Float64) < share


def run_readmission(raw: Path, folder: Path, *, seed: int) -> pl.DataFrame:
    """Let chapter 02's command compute the table of all encounters of a file.

    Parameters
    ----------
    raw : Path
        CSV in the publisher's form.
    folder : Path
        For its files.
    seed : int
        Handed on.

    Returns
    -------
    polars.DataFrame
        Encounters that can be followed by a return, by patient and encounter.

    Raises
    ------
    DataUnavailableError
        If the command fails; its last words are in the message.
    """
    run_verb("readmission", "data", "--file", str(raw), "--out", str(folder), "--seed", str(seed))
    return pl.read_parquet(folder / "data" / "table.parquet").filter(pl.col("all_encounters").is_not_null())


def compute_features(store: Store, new: Sequence[int], history: Sequence[int], *, share: float, seed: int) -> dict[str, Any]:
    """Compute the rows of new batches, and keep features and outcomes apart.

    Parameters
    ----------
    store : Store
        Folder of the run.
    new : sequence of int
        Numbers of the batches, in order.
    history : sequence of int
        Batches taken in before them, in order.
    share : float
        Of patients who judge.
    seed : int
        Seed.

    Returns
    -------
    dict
        By batch: ``rows``, ``judging``, and SHA-256 of both files.
    """
    with tempfile.TemporaryDirectory() as name:
        raw = Path(name) / "encounters.csv"
        texts = {batch: pl.read_csv(store.received(batch), infer_schema=False) for batch in (*history, *new)}
        pl.concat(texts.values()).write_csv(raw)
        table = run_readmission(raw, Path(name), seed=seed)
    return {str(batch): _keep(store, batch, table, texts[batch], share=share, seed=seed) for batch in new}


def _keep(store: Store, batch: int, table: pl.DataFrame, own: pl.DataFrame, *, share: float, seed: int) -> dict[str, Any]:
    rows = table.join(own.select(pl.col(ENCOUNTER).cast(pl.Int64)), on=ENCOUNTER, how="semi").sort(ENCOUNTER)
    rows = rows.with_columns(judges(rows[PATIENT], share=share, seed=seed).alias(JUDGES), pl.lit(batch, pl.Int32).alias(BATCH))
    features = rows.drop(TARGET, "patient_part", "all_encounters", "one_encounter", "later_encounters")
    for path, part in ((store.features(batch), features), (store.outcomes(batch), rows.select(ENCOUNTER, TARGET))):
        with atomic_path(path) as temporary:
            part.write_parquet(temporary)
    return {"rows": rows.height, "judging": int(rows[JUDGES].sum()), "features_sha256": sha256_file(store.features(batch)),
            "outcomes_sha256": sha256_file(store.outcomes(batch))}


def feature_names(frame: pl.DataFrame) -> tuple[str, ...]:
    """Name the columns that a model may read.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows of a batch.

    Returns
    -------
    tuple of str
        In the order of the table.
    """
    return tuple(name for name in frame.columns if name not in NOT_FEATURES)


def read_features(store: Store, batches: Sequence[int]) -> pl.DataFrame:
    """Read the features of batches.

    Parameters
    ----------
    store : Store
        Folder of the run.
    batches : sequence of int
        At least one.

    Returns
    -------
    polars.DataFrame
        In the order of the encounters.

    Raises
    ------
    DataIntegrityError
        If a file is missing.
    """
    return pl.concat(_read(store.features(batch)) for batch in batches)


def read_labelled(store: Store, batches: Sequence[int], *, now: int) -> pl.DataFrame:
    """Read features with outcomes; an outcome is known one batch later.

    Parameters
    ----------
    store : Store
        Folder of the run.
    batches : sequence of int
        At least one.
    now : int
        The newest batch that has arrived.

    Returns
    -------
    polars.DataFrame
        With the column `TARGET`.

    Raises
    ------
    LeakageError
        If the outcome of a batch is not known yet.
    """
    early = [batch for batch in batches if batch >= now]
    if early:
        raise LeakageError(f"the outcomes of batch {early[0]} are known when batch {early[0] + 1} arrives; the newest is batch {now}. "
                           "Teach and judge on earlier batches.")
    outcomes = pl.concat(_read(store.outcomes(batch)) for batch in batches)
    return read_features(store, batches).join(outcomes, on=ENCOUNTER, how="left", validate="1:1", maintain_order="left")


def teaching_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep rows of patients who teach.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows.

    Returns
    -------
    polars.DataFrame
        Those that models learn from.
    """
    return frame.filter(~pl.col(JUDGES))


def judging_rows(frame: pl.DataFrame) -> pl.DataFrame:
    """Keep rows of patients who judge.

    Parameters
    ----------
    frame : polars.DataFrame
        Rows.

    Returns
    -------
    polars.DataFrame
        Those that models are judged on.
    """
    return frame.filter(pl.col(JUDGES))


def check_apart(teaching: pl.DataFrame, judging: pl.DataFrame) -> None:
    """Refuse a patient who would teach and judge.

    Parameters
    ----------
    teaching, judging : polars.DataFrame
        Rows with `PATIENT`.

    Raises
    ------
    LeakageError
        Saying how many there are.
    """
    both = set(teaching[PATIENT].unique().to_list()) & set(judging[PATIENT].unique().to_list())
    if both:
        raise LeakageError(f"{len(both)} patients both teach and judge, expected none; a patient does one of the two for life. Choose rows "
                           "with teaching_rows and judging_rows.")


def _read(path: Path) -> pl.DataFrame:
    if not path.is_file():
        raise DataIntegrityError(f"{path} is missing although the journal says that it was written; restore it, or replay the run.")
    return pl.read_parquet(path)
