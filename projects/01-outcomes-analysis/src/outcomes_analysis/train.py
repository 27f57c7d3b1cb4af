"""Make the predictions that are judged: out-of-fold survival predictions, and forecasts as of each week."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from carefolio.artefacts import read_json, write_json
from carefolio.parts import read_record, write_table
from outcomes_analysis import data

if TYPE_CHECKING:
    from outcomes_analysis.config import OutcomesSettings

Progress = Callable[[str], AbstractContextManager[Any]]
Trained = tuple[dict[str, pl.DataFrame], dict[str, Any]]
"""Tables by name, and a record of what was done."""


def train_parts(settings: "OutcomesSettings", out: Path, *, progress: Progress) -> None:
    """Predict in every part of a run that predicts; the waves are described, not predicted.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    progress : callable
        Gives a context manager for a titled step.
    """
    for part in read_record(out)["parts"]:
        if part in TRAININGS:
            _save(out / "train" / part, *TRAININGS[part](settings, out, progress))


def _save(folder: Path, tables: dict[str, pl.DataFrame], record: dict[str, Any]) -> None:
    """Write the tables, and last the record, which vouches for them."""
    (folder / "train.json").unlink(missing_ok=True)
    for name, table in tables.items():
        write_table(folder / f"{name}.parquet", table)
    write_json(folder / "train.json", record | {"tables": list(tables)})


def load_trained(out: Path, part: str) -> Trained:
    """Read what `train_parts` wrote of a part.

    Parameters
    ----------
    out : Path
        Folder of the run.
    part : {"survival", "forecast"}
        Name of the part.

    Returns
    -------
    tables : dict of str to polars.DataFrame
        By name.
    record : dict
        What was done.

    Raises
    ------
    ArtefactError
        If the training step has not been run.
    """
    folder = out / "train" / part
    record = read_json(folder / "train.json")
    return {name: pl.read_parquet(folder / f"{name}.parquet") for name in record["tables"]}, record


def _survival(settings: "OutcomesSettings", out: Path, progress: Progress) -> Trained:
    from outcomes_analysis.survival import cohort
    from outcomes_analysis.survival.train import train

    [patients] = data.load(out, "survival")
    with progress("survival cohort"):
        table, split, record = cohort.prepare(patients, settings.survival, seed=settings.seed)
    predictions = train(table, settings.survival, seed=settings.seed, progress=progress)
    split.save(out / "train" / "survival" / "split.json")
    return {"cohort": table, "predictions": predictions}, record


def _forecast(settings: "OutcomesSettings", out: Path, progress: Progress) -> Trained:
    from outcomes_analysis.forecast.train import reference_dates, train

    admissions, baseline, _ = data.load(out, "forecast")
    forecasts, weights = train(admissions, settings.forecast, reference_dates=reference_dates(baseline, settings.forecast),
                               seed=settings.seed, progress=progress, baseline=baseline, cache=out / "train" / "forecast-members")
    return {"forecasts": forecasts, "weights": weights}, {}


TRAININGS: dict[str, Callable[["OutcomesSettings", Path, Progress], Trained]] = {"survival": _survival, "forecast": _forecast}
