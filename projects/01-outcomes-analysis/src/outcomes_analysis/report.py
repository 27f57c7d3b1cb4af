"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from carefolio.artefacts import write_json
from carefolio.evidence import Evidence, Metric, SplitRecord
from carefolio.parts import data_records, read_record, read_results
from carefolio.reporting import write_reports
from outcomes_analysis.config import PROJECT
from outcomes_analysis.forecast import figures as forecast_figures
from outcomes_analysis.survival import figures as survival_figures
from outcomes_analysis.waves import figures as waves_figures

if TYPE_CHECKING:
    from outcomes_analysis.config import OutcomesSettings

PACKAGES = ["lifelines", "lightgbm", "numpy", "polars", "scikit-learn", "scikit-survival", "scipy", "tableone"]


def build_report(out: Path, settings: "OutcomesSettings", *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : OutcomesSettings
        Goes into the evidence.
    command : str
        The command that was given.
    measured : mapping of str to Metric
        Metrics that are measured apart, by evidence id.

    Returns
    -------
    Evidence
        The record that was written to ``<out>/reports/evidence.json``.
    """
    record, reports = read_record(out), out / "reports"
    metrics, split = dict(measured), None
    figures: dict[str, str] = {}
    for part in record["parts"]:
        found, curves = read_results(out, part)
        metrics |= found
        split = curves.get("split", split)
        figures |= _draw(part, found, curves, out)
        write_json(reports / f"{part}.json", curves)
    return write_reports(out, settings, project=PROJECT, packages=PACKAGES, command=command, metrics=metrics, figures=figures,
                         data=data_records(out), split=SplitRecord(**split) if split else None, card="survival" in record["parts"])


def _draw(part: str, metrics: dict[str, Metric], curves: dict[str, Any], out: Path) -> dict[str, str]:
    folder = out / "reports" / "figures"
    match part:
        case "survival":
            return survival_figures.draw(metrics, curves, folder)
        case "waves":
            return waves_figures.draw(metrics, curves, folder)
        case _:
            tables = {name: pl.read_parquet(out / "tables" / f"{name}.parquet") for name in ("truth", "forecasts")}
            return forecast_figures.draw(metrics, curves, tables, folder)
