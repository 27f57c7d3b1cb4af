"""Faults planted into real data and real files, to see them caught; every run that holds one says so."""

from pathlib import Path

import polars as pl

from carefolio.artefacts import atomic_path
from carefolio.boosted import TREES_FILE
from carefolio.exceptions import ConfigError
from retraining.features import TARGET
from retraining.names import FAULT_TITLES

BATCH_FAULTS = ("unit_change", "lab_code_missing")
FORCES_RETRAINING = ("training_unit", "gates_open", "damaged_model")
DAYS_A_WEEK, MONTHS_A_YEAR = 7, 12


def check_fault(name: str) -> str:
    """Refuse a fault that there is not.

    Parameters
    ----------
    name : str
        Name of a fault, or empty for none.

    Returns
    -------
    str
        The same.

    Raises
    ------
    ConfigError
        If it is unknown.
    """
    if name and name not in FAULT_TITLES:
        raise ConfigError(f"{name!r} is no fault that can be planted; known: {', '.join(FAULT_TITLES)}.")
    return name


def plant_into_batch(name: str, source: Path, destination: Path) -> None:
    """Write a delivery with a fault of the system that sent it; all else stays as it was.

    Parameters
    ----------
    name : str
        One of `BATCH_FAULTS`; any other copies the file.
    source : Path
        The delivery, in the publisher's form.
    destination : Path
        The faulty one.
    """
    text = pl.read_csv(source, infer_schema=False)
    if name == "unit_change":
        weeks = (pl.col("time_in_hospital").cast(pl.Int64) + DAYS_A_WEEK - 1) // DAYS_A_WEEK
        text = text.with_columns(weeks.cast(pl.String).alias("time_in_hospital"))
    if name == "lab_code_missing":
        text = text.with_columns(pl.lit("None").alias("A1Cresult"))
    with atomic_path(destination) as temporary:
        text.write_csv(temporary)


def teaching(name: str, rows: pl.DataFrame) -> pl.DataFrame:
    """Let the training job read a column in another unit than the service does, or join outcomes to the wrong encounters.

    Parameters
    ----------
    name : str
        A fault, or empty.
    rows : polars.DataFrame
        Rows that teach.

    Returns
    -------
    polars.DataFrame
        With the fault, if it is one of training.
    """
    if name == "gates_open":
        return rows.with_columns(pl.col(TARGET).shift(1, fill_value=0))
    if name != "training_unit":
        return rows
    stays = [pl.col(column) // MONTHS_A_YEAR for column in ("inpatient_stays_1y", "last_inpatient_stays_1y")]
    return rows.with_columns(*stays, (pl.col("visits_1y") - pl.col("inpatient_stays_1y") + stays[0]).alias("visits_1y"))


def deployed(name: str, folder: Path) -> None:
    """Cut the deployed copy of a model short, as a broken transfer would.

    Parameters
    ----------
    name : str
        A fault, or empty.
    folder : Path
        Folder of the deployed copy.
    """
    if name == "damaged_model":
        content = (folder / TREES_FILE).read_bytes()
        (folder / TREES_FILE).write_bytes(content[: len(content) // 2])
