"""Turn the results into what is committed: evidence, what the dashboard draws, figures and the card of the calculator."""

from collections.abc import Mapping
from pathlib import Path

from carefolio.artefacts import read_json, write_json, write_text
from carefolio.evidence import DataRecord, Evidence, FigureRecord, Metric, environment, git_commit, utc_now, write_evidence
from carefolio.model_card import render_card
from carefolio.runs import read_packaged_toml
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
    evidence = Evidence(
        schema=1, project=PROJECT, commit=git_commit(), command=command, created=utc_now(), seed=settings.seed,
        config=settings.model_dump(mode="json"), environment=environment(packages),
        data=[DataRecord(**{name: recorded["provenance"][name] for name in ("name", "origin", "sha256", "rows")})],
        durations_s=read_json(out / "durations.json"), metrics=metrics | dict(measured),
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()], artefacts=[])
    write_json(reports / "curves.json", curves)
    if settings.load.peer_rounds:  # the card quotes what only a full run measures
        card, references = (read_packaged_toml(PROJECT, name) for name in ("card.toml", "references.toml"))
        write_text(reports / "model_card.md", render_card(card, evidence, references))
    write_evidence(reports / "evidence.json", evidence)
    return evidence
