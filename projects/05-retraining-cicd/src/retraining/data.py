"""The published file cut into batches in the order of ``encounter_id``, and what a delivered batch has to be.

The file has no dates; the order of its encounters stands in for time. A batch is delivered as a CSV in the publisher's form, as an
upstream system would drop it into a folder.
"""

from collections.abc import Mapping
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl

from carefolio.artefacts import atomic_path, read_json, sha256_file, write_json
from carefolio.datasets.diabetes130 import load_diabetes130, read_diabetes130
from carefolio.exceptions import DataUnavailableError, SchemaError
from retraining.config import DataSettings
from retraining.store import Store

ENCOUNTER, PATIENT = "encounter_id", "patient_nbr"
RECORD = "delivery.json"
TESTS = ("A1Cresult", "max_glu_serum")


def deliver(settings: DataSettings, store: Store, *, seed: int, path: Path | None = None) -> None:
    """Cut the published file into batches and put them into the folder of deliveries.

    Parameters
    ----------
    settings : DataSettings
        Number of batches, and of patients.
    store : Store
        Folder of the run.
    seed : int
        Seed of the choice of patients and of the synthetic twin.
    path : Path, optional
        A file to read instead of resolving one.

    Raises
    ------
    DataUnavailableError
        If the same folder was filled from other data before.
    """
    loaded = load_diabetes130(path, allow_synthetic=path is None, n_synthetic_patients=settings.synthetic_patients, random_state=seed)
    frame = choose_patients(loaded.frame, settings.max_patients, seed=seed).sort(ENCOUNTER)
    record: dict[str, Any] = {"provenance": asdict(loaded.provenance), "rows": frame.height, "batches": settings.batches}
    before = read_json(store.incoming / RECORD) if (store.incoming / RECORD).is_file() else None
    for batch, rows in enumerate(cut(frame, settings.batches), start=1):
        write_published(rows, store.delivered(batch))
    record["sha256"] = {str(batch): sha256_file(store.delivered(batch)) for batch in range(1, settings.batches + 1)}
    if before is not None and before != record and store.journal.is_file():
        raise DataUnavailableError(f"{store.folder} was begun with other data or another number of batches; give another folder with "
                                   "--out, or delete this one.")
    write_json(store.incoming / RECORD, record)


def choose_patients(frame: pl.DataFrame, most: int, *, seed: int) -> pl.DataFrame:
    """Keep a random sample of patients with all their stays.

    Parameters
    ----------
    frame : polars.DataFrame
        Encounters.
    most : int
        How many patients; 0 keeps all.
    seed : int
        Seed of the sample.

    Returns
    -------
    polars.DataFrame
        All stays of the sampled patients.
    """
    patients = frame[PATIENT].unique().sort()
    if not 0 < most < len(patients):
        return frame
    return frame.filter(pl.col(PATIENT).is_in(patients.sample(most, seed=seed).implode()))


def cut(frame: pl.DataFrame, batches: int) -> list[pl.DataFrame]:
    """Cut rows into batches of nearly equal size.

    Parameters
    ----------
    frame : polars.DataFrame
        Encounters in order.
    batches : int
        How many.

    Returns
    -------
    list of polars.DataFrame
        In order; every row in one of them.
    """
    bounds = [frame.height * i // batches for i in range(batches + 1)]
    return [frame.slice(low, high - low) for low, high in pairwise(bounds)]


def write_published(rows: pl.DataFrame, path: Path) -> None:
    """Write encounters in the publisher's form.

    Parameters
    ----------
    rows : polars.DataFrame
        Typed as `carefolio.datasets.diabetes130` types them.
    path : Path
        Destination; whole or not at all.
    """
    text = rows.select(pl.all().cast(pl.String)).with_columns(pl.col(TESTS).replace("not_measured", "None"))
    with atomic_path(path) as temporary:
        text.write_csv(temporary, null_value="?")


def read_batch(path: Path, *, batch: int, last_encounter: int, known: Mapping[str, int]) -> pl.DataFrame:
    """Read a delivered batch and refuse what cannot be the next one.

    Parameters
    ----------
    path : Path
        CSV in the publisher's form.
    batch : int
        Number that it shall get; names it in errors.
    last_encounter : int
        Largest ``encounter_id`` taken in so far; 0 if none.
    known : mapping of str to int
        SHA-256 of files taken in, and their batch.

    Returns
    -------
    polars.DataFrame
        Typed encounters.

    Raises
    ------
    DataUnavailableError
        If there is no such file.
    SchemaError
        If it is broken, empty, delivered twice or out of order, or a column, code, range or id is wrong.
    """
    if not path.is_file():
        raise DataUnavailableError(f"batch {batch} is not there: {path} is no file. Wait for the delivery, or run `retraining data`.")
    sha256 = sha256_file(path)
    if sha256 in known:
        raise SchemaError(f"batch {batch}: {path} was taken in as batch {known[sha256]} already; the same delivery does not count twice. "
                          "Deliver the next one.")
    frame = read_diabetes130(path)
    if frame.is_empty():
        raise SchemaError(f"batch {batch}: {path} has a header and no encounter; deliver it again.")
    first = int(frame.select(pl.col(ENCOUNTER).min()).item())
    if first <= last_encounter:
        raise SchemaError(f"batch {batch}: {path} begins with encounter {first}, expected one after {last_encounter}, the last that was "
                          "taken in; the delivery is out of order or repeats encounters. Deliver the batches in order.")
    return frame


def delivered_record(store: Store) -> dict[str, Any]:
    """Read where the deliveries come from.

    Parameters
    ----------
    store : Store
        Folder of the run.

    Returns
    -------
    dict
        ``provenance``, ``rows``, ``batches`` and ``sha256`` by batch.

    Raises
    ------
    DataUnavailableError
        If nothing was delivered yet.
    """
    if not (store.incoming / RECORD).is_file():
        raise DataUnavailableError(f"nothing was delivered to {store.incoming}; run `retraining data` first.")
    record: dict[str, Any] = read_json(store.incoming / RECORD)
    return record
