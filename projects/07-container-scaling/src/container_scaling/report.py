"""Turn the results into what is committed: evidence, what the dashboard draws, figures and the card of the calculator."""

from collections.abc import Mapping
from pathlib import Path

from carefolio.artefacts import read_json, write_json
from carefolio.evidence import DataRecord, Evidence, Metric
from carefolio.reporting import write_reports
from container_scaling.config import PROJECT, ScalingSettings
from container_scaling.data import RECORD_FILE
from container_scaling.figures import draw_all

PACKAGES = ["fastapi", "lightgbm", "locust", "numpy", "starlette", "uvicorn", "uvloop"]


def build_report(out: Path, settings: ScalingSettings, *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : ScalingSettings
        Goes into the evidence.
    command : str
        The command that was given.
    measured : mapping of str to Metric
        Metrics that are measured apart (containers), by evidence id.

    Returns
    -------
    Evidence
        The record that was written to ``<out>/reports/evidence.json``.
    """
    reports, recorded = out / "reports", read_json(out / "data" / RECORD_FILE)
    curves = read_json(out / "evaluate" / "curves.json")
    metrics = {name: Metric(**value) for name, value in read_json(out / "evaluate" / "metrics.json").items()}
    metrics["readmission.recorded.requests.count"] = Metric(value=recorded["requests"], n=recorded["requests"], higher_is_better=None)
    figures = draw_all(curves, reports / "figures")
    packages = PACKAGES + (["mlflow"] if settings.load.peer_rounds else [])
    write_json(reports / "curves.json", curves)
    return write_reports(
        out, settings, project=PROJECT, packages=packages, command=command, metrics=metrics | dict(measured), figures=figures,
        data=[DataRecord(**{name: recorded["provenance"][name] for name in ("name", "origin", "sha256", "rows")})],
        card=bool(settings.load.peer_rounds))  # the card quotes what only a full run measures
