"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import write_json
from carefolio.evidence import Evidence, Metric, SplitRecord
from carefolio.parts import data_records, read_record, read_results
from carefolio.reporting import write_reports
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
    return write_reports(out, settings, project=PROJECT, packages=PACKAGES, command=command, metrics=metrics, figures=figures,
                         data=data_records(out), split=_split(out), artefacts=artefact_records(out),
                         card=len(read_record(out)["parts"]) == len(PARTS))


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
