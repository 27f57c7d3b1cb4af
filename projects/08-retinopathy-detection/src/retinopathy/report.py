"""Turn the results into what is committed: evidence, what the dashboard draws, and figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import read_json, write_json
from carefolio.evidence import Evidence, FigureRecord, Metric, environment, git_commit, utc_now, write_evidence
from carefolio.parts import data_records, read_record, read_results
from retinopathy.config import PROJECT
from retinopathy.exporting import artefact_records
from retinopathy.figures import draw_grader

if TYPE_CHECKING:
    from retinopathy.config import RetinopathySettings

PACKAGES = ["numpy", "onnx", "onnxruntime", "pillow", "polars", "pydicom", "scikit-learn", "scipy", "torch"]


def build_report(out: Path, settings: "RetinopathySettings", *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : RetinopathySettings
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
    reports, metrics, figures = out / "reports", dict(measured), dict[str, str]()
    for part in read_record(out)["parts"]:
        found, curves = read_results(out, part)
        metrics |= found
        if part == "idrid":
            figures |= draw_grader(curves, reports / "figures")
            write_json(reports / f"{part}.json", curves)
    evidence = Evidence(
        schema=1, project=PROJECT, commit=git_commit(), command=command, created=utc_now(), seed=settings.seed,
        config=settings.model_dump(mode="json"), split=None, environment=environment(PACKAGES), data=data_records(out),
        durations_s=read_json(out / "durations.json"), metrics=metrics,
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()], artefacts=artefact_records(out))
    write_evidence(reports / "evidence.json", evidence)
    return evidence
