"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import read_json, write_json, write_text
from carefolio.evidence import Evidence, FigureRecord, Metric, SplitRecord, environment, git_commit, utc_now, write_evidence
from carefolio.model_card import render_card
from carefolio.parts import data_records, read_record, read_results
from carefolio.runs import read_packaged_toml
from retinopathy.config import PARTS, PROJECT
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
        config=settings.model_dump(mode="json"), split=_split(out), environment=environment(PACKAGES), data=data_records(out),
        durations_s=read_json(out / "durations.json"), metrics=metrics,
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()], artefacts=artefact_records(out))
    if len(read_record(out)["parts"]) == len(PARTS):
        card, references = (read_packaged_toml(PROJECT, name) for name in ("card.toml", "references.toml"))
        write_text(reports / "model_card.md", render_card(card, evidence, references))
    write_evidence(reports / "evidence.json", evidence)
    return evidence


def _split(out: Path) -> "SplitRecord | None":
    """Count the photographs of each part and each fold, with one hash over all; None where there are none."""
    import polars as pl

    path = out / "features" / "photographs.parquet"
    if not path.is_file():
        return None
    table = pl.read_parquet(path)
    told = "".join(f"{row['part']} {row['name']} {row['fold']}\n" for row in table.iter_rows(named=True))
    parts = {str(part): count for part, count in table.group_by("part").len().sort("part").iter_rows()}
    folds = {f"fold_{fold}": count for fold, count in table.filter(pl.col("fold") >= 0).group_by("fold").len().sort("fold").iter_rows()}
    return SplitRecord(unit="photograph; folds of blocks of neighbouring files", sha256=hashlib.sha256(told.encode()).hexdigest(),
                       parts=parts | folds)
