"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.artefacts import write_json
from carefolio.evidence import Evidence, Metric, SplitRecord
from carefolio.parts import data_records, read_record, read_results
from carefolio.reporting import write_reports
from carefolio.splits import load_split
from text_classifier.config import PARTS, PROJECT
from text_classifier.exporting import artefact_records
from text_classifier.figures import draw_task, draw_tasks

if TYPE_CHECKING:
    from text_classifier.config import TextClassifierSettings

PACKAGES = ["gguf", "numpy", "onnx", "onnxruntime", "peft", "polars", "safetensors", "scikit-learn", "tokenizers", "torch", "transformers"]


def build_report(out: Path, settings: "TextClassifierSettings", *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : TextClassifierSettings
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
    metrics: dict[str, Metric] = dict(measured)
    curves: dict[str, dict[str, Any]] = {}
    figures: dict[str, str] = {}
    for task in record["parts"]:
        found, curves[task] = read_results(out, task)
        metrics |= found
        figures |= draw_task(task, curves[task], reports / "figures")
        write_json(reports / f"{task}.json", curves[task])
    figures |= draw_tasks(metrics, curves, reports / "figures")
    return write_reports(out, settings, project=PROJECT, packages=PACKAGES, command=command, metrics=metrics, figures=figures,
                         data=data_records(out), split=_split(out, record["parts"]), artefacts=artefact_records(out),
                         card=record["parts"] == list(PARTS))


def _split(out: Path, tasks: list[str]) -> SplitRecord:
    """Join the splits of the tasks: one hash over theirs, and rows by task and part."""
    splits = {task: load_split(out / "features" / f"{task}.split.json") for task in tasks}
    joined = hashlib.sha256("".join(f"{task} {split.sha256()}\n" for task, split in splits.items()).encode()).hexdigest()
    parts = {f"{task}_{part}": len(rows) for task, split in splits.items() for part, rows in split.parts.items()}
    return SplitRecord(unit="text, and group of near-duplicates in MTSamples", sha256=joined, parts=parts)
