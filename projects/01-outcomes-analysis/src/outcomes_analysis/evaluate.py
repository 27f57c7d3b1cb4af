"""Measure each part that the run holds, and keep what the report, the dashboard and the pages read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from carefolio.evidence import Metric
from carefolio.parts import read_record, write_results
from outcomes_analysis import data, train

if TYPE_CHECKING:
    from outcomes_analysis.config import OutcomesSettings

Progress = Callable[[str], AbstractContextManager[Any]]
Results = tuple[dict[str, Metric], dict[str, Any], dict[str, pl.DataFrame]]
"""Metrics by id, what figures and dashboard draw, and tables that stay out of the repository."""


def evaluate_parts(settings: "OutcomesSettings", out: Path, *, progress: Progress) -> None:
    """Evaluate every part of a run and write ``evaluate/<part>.json`` and ``tables/*.parquet``.

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
        with progress(f"evaluate {part}"):
            metrics, curves, tables = EVALUATIONS[part](settings, out)
        write_results(out, part, metrics, curves, tables)


def _survival(settings: "OutcomesSettings", out: Path) -> Results:
    from outcomes_analysis.survival.evaluate import evaluate

    tables, record = train.load_trained(out, "survival")
    metrics, curves = evaluate(tables["predictions"], tables["cohort"], settings.survival, record=record, seed=settings.seed)
    return with_primary(metrics, curves["search"]["primary"]), curves | {"split": record["split"]}, {}


def with_primary(metrics: dict[str, Metric], primary: str) -> dict[str, Metric]:
    """Give the metrics of the model that the inner scores chose under the name ``primary`` too, for documents that outlive the choice.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id, ``<cohort>.<part>.<model>.<metric>``; a difference names its model first, ``<model>_minus_<peer>``.
    primary : str
        The model chosen.

    Returns
    -------
    dict of str to Metric
        All of them, and the chosen model's once more.
    """
    renamed = {}
    for name, value in metrics.items():
        cohort, part, model, measure = name.split(".")
        if model == primary or model.startswith(f"{primary}_minus_"):
            renamed[f"{cohort}.{part}.primary{model.removeprefix(primary)}.{measure}"] = value
    return metrics | renamed


def _waves(settings: "OutcomesSettings", out: Path) -> Results:
    from outcomes_analysis.waves.evaluate import evaluate

    covid, population = data.load(out, "waves")
    return evaluate(covid, population, settings.waves, seed=settings.seed)


def _forecast(settings: "OutcomesSettings", out: Path) -> Results:
    from outcomes_analysis.forecast.evaluate import evaluate

    admissions, baseline, ensemble = data.load(out, "forecast")
    made, _ = train.load_trained(out, "forecast")
    return evaluate(admissions, made["forecasts"], made["weights"], baseline, ensemble, settings.forecast, seed=settings.seed)


EVALUATIONS: dict[str, Callable[["OutcomesSettings", Path], Results]] = {
    "survival": _survival, "waves": _waves, "forecast": _forecast,
}
