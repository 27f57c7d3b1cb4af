"""From the published file to one table: cohorts, target and split, and how many rows each exclusion drops.

Three cohorts stand side by side. ``all_encounters`` (primary): every stay from which a patient can come back, split by
patient. ``one_encounter``: a patient's first stay alone, hospice kept, as published work does it. ``later_encounters``: the
primary rows, split at an ``encounter_id``, a proxy for time.
"""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from carefolio.artefacts import atomic_path, read_json, write_json
from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.exceptions import SchemaError
from carefolio.splits import (
    DROPPED,
    Split,
    check_no_group_overlap,
    check_no_target_in_features,
    make_split,
    patient_split,
    temporal_split,
)
from readmission.config import DataSettings
from readmission.features import ENCOUNTER, FEATURES, PATIENT, build_features

DIED = (11, 19, 20, 21)
HOSPICE = (13, 14)
COHORTS = ("all_encounters", "one_encounter", "later_encounters")
PART = "patient_part"
TARGET = "returned_within_30_days"
GROUPS = ("race", "sex", "age_group")


@dataclass(frozen=True)
class FlowStep:
    """One line of the cohort flow."""

    label: str
    encounters: int
    patients: int


def prepare(settings: DataSettings, *, seed: int, path: Path | None = None) -> tuple[pl.DataFrame, Split, dict[str, Any]]:
    """Load, check, derive features, apply exclusions and split.

    Parameters
    ----------
    settings : DataSettings
        Fractions and row limits.
    seed : int
        Seed of the patient split and of the synthetic twin.
    path : Path, optional
        A file to read instead of resolving one.

    Returns
    -------
    table : polars.DataFrame
        One row an encounter: identifiers, features, `TARGET`, `GROUPS`, `PART` (the patient's part), and for each cohort a
        column of the same name that holds ``train``, ``test`` or null (not in this cohort).
    split : Split
        Encounters of the primary cohort's parts.
    record : dict
        ``provenance``, ``flow`` and ``split``, as they go into the evidence.
    """
    loaded = load_diabetes130(path, allow_synthetic=path is None, n_synthetic_patients=settings.synthetic_patients, random_state=seed)
    encounters = limit_patients(loaded.frame, settings.max_patients, seed=seed)
    table = add_cohorts(encounters, settings, seed=seed)
    check_parts(table)
    check_no_target_in_features(table.select(FEATURES), table[TARGET].to_numpy())
    rows = table.filter(pl.col("all_encounters").is_not_null())
    split = make_split(rows[ENCOUNTER].to_numpy(), rows["all_encounters"].to_numpy(), unit="patient")
    sizes = {name: len(ids) for name, ids in split.parts.items()}
    record = {"provenance": asdict(loaded.provenance), "flow": [asdict(step) for step in cohort_flow(encounters)],
              "split": {"unit": split.unit, "sha256": split.sha256(), "parts": sizes}}
    return table, split, record


def limit_patients(encounters: pl.DataFrame, max_patients: int, *, seed: int) -> pl.DataFrame:
    """Keep a random sample of patients with all their stays.

    Parameters
    ----------
    encounters : polars.DataFrame
        Validated encounters.
    max_patients : int
        How many; 0 keeps all.
    seed : int
        Seed of the sample.

    Returns
    -------
    polars.DataFrame
        All stays of the sampled patients.
    """
    patients = encounters[PATIENT].unique().sort()
    if not 0 < max_patients < len(patients):
        return encounters
    return encounters.filter(pl.col(PATIENT).is_in(patients.sample(max_patients, seed=seed).implode()))


def cohort_flow(encounters: pl.DataFrame) -> list[FlowStep]:
    """Count what each exclusion leaves.

    Parameters
    ----------
    encounters : polars.DataFrame
        Validated encounters.

    Returns
    -------
    list of FlowStep
        In the order in which exclusions are applied; the last line is the primary cohort.
    """
    alive = encounters.filter(~pl.col("discharge_disposition_id").is_in(DIED))
    home = alive.filter(~pl.col("discharge_disposition_id").is_in(HOSPICE))
    steps = [("All encounters in the file", encounters), ("Left the hospital alive", alive), ("Not discharged to hospice", home)]
    return [FlowStep(label, frame.height, frame[PATIENT].n_unique()) for label, frame in steps]


def add_cohorts(encounters: pl.DataFrame, settings: DataSettings, *, seed: int) -> pl.DataFrame:
    """Derive features, target, audit groups and the parts of each cohort.

    Parameters
    ----------
    encounters : polars.DataFrame
        Validated encounters.
    settings : DataSettings
        Fractions.
    seed : int
        Seed of the patient split.

    Returns
    -------
    polars.DataFrame
        The table described in `prepare`, without patients who died in hospital.
    """
    details = encounters.with_row_index("position").select(
        ENCOUNTER, "position", "discharge_disposition_id",
        (pl.col("readmitted") == "<30").cast(pl.Int8).alias(TARGET),
        pl.col("race").cast(pl.String).fill_null("Not recorded"),
        pl.col("gender").cast(pl.String).alias("sex"),
        age_group().alias("age_group"),
    )
    table = build_features(encounters).join(details, on=ENCOUNTER, how="left", maintain_order="left", validate="1:1")
    table = table.filter(~pl.col("discharge_disposition_id").is_in(DIED))
    home = ~table["discharge_disposition_id"].is_in(HOSPICE)
    first = table.select(pl.col("position") == pl.col("position").min().over(PATIENT)).to_series()
    fractions = {"train": 1 - settings.test_fraction, "test": settings.test_fraction}
    part = pl.Series(patient_split(table[PATIENT].to_numpy(), fractions=fractions, random_state=seed))
    parts = {"all_encounters": _where(home, part), "one_encounter": _where(first, part),
             "later_encounters": later_parts(table, home, test_fraction=settings.later_test_fraction)}
    columns = [series.alias(name) for name, series in parts.items()]
    return table.with_columns(part.alias(PART), *columns).drop("position", "discharge_disposition_id")


def _where(keep: pl.Series, part: pl.Series) -> pl.Series:
    return pl.select(pl.when(keep).then(part)).to_series()


def later_parts(table: pl.DataFrame, eligible: pl.Series, *, test_fraction: float) -> pl.Series:
    """Split eligible rows at an ``encounter_id``.

    Parameters
    ----------
    table : polars.DataFrame
        Rows with identifiers.
    eligible : polars.Series
        Boolean; which rows take part.
    test_fraction : float
        Share of eligible rows that come last.

    Returns
    -------
    polars.Series
        ``train``, ``test`` or null.
    """
    rows = np.flatnonzero(eligible.to_numpy())
    labels, _ = temporal_split(table[ENCOUNTER].to_numpy()[rows], table[PATIENT].to_numpy()[rows], test_fraction=test_fraction)
    part: list[str | None] = [None] * table.height
    for row, label in zip(rows, labels, strict=True):
        part[row] = None if label == DROPPED else str(label)
    return pl.Series(part, dtype=pl.String)


def age_group() -> pl.Expr:
    """Group the published decades of age.

    Returns
    -------
    polars.Expr
        ``under 50``, ``50 to 69``, ``70 to 79`` or ``80 and over``.
    """
    decade = pl.col("age").cast(pl.String).str.extract(r"\[(\d+)", 1).cast(pl.Int32)
    return (pl.when(decade < 50).then(pl.lit("under 50")).when(decade < 70).then(pl.lit("50 to 69"))
            .when(decade < 80).then(pl.lit("70 to 79")).otherwise(pl.lit("80 and over")))


def check_parts(table: pl.DataFrame) -> None:
    """Refuse a table in which a patient stands in two parts of a cohort.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `add_cohorts`.

    Raises
    ------
    LeakageError
        From `carefolio.splits.check_no_group_overlap`.
    """
    for cohort in COHORTS:
        rows = table.filter(pl.col(cohort).is_not_null())
        check_no_group_overlap(rows[PATIENT].to_numpy(), rows[cohort].to_numpy())


def save(table: pl.DataFrame, split: Split, record: dict[str, Any], out: Path) -> None:
    """Write the table, the split and the record; the record goes last and vouches for the others.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `prepare`.
    split : Split
        Result of `prepare`.
    record : dict
        Result of `prepare`.
    out : Path
        Folder of the run.
    """
    (out / "data" / "data.json").unlink(missing_ok=True)
    split.save(out / "data" / "split.json")
    with atomic_path(out / "data" / "table.parquet") as path:
        table.write_parquet(path)
    write_json(out / "data" / "data.json", record)


def load(out: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read what `save` wrote, and check again that no patient stands in two parts.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    table : polars.DataFrame
        The table of `prepare`.
    record : dict
        Its record.

    Raises
    ------
    SchemaError
        If the table cannot be read.
    LeakageError
        If a patient stands in two parts.
    """
    record = read_json(out / "data" / "data.json")
    path = out / "data" / "table.parquet"
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.ComputeError) as error:
        raise SchemaError(f"{path} cannot be read ({error}); run `readmission data` again.") from None
    check_parts(table)
    return table, record
