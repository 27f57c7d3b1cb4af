"""Turn the results into what is committed: evidence, what the dashboard draws, figures and model card."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.artefacts import read_json, write_json, write_text
from carefolio.evidence import Evidence, FigureRecord, Metric, SplitRecord, environment, git_commit, utc_now, write_evidence
from carefolio.model_card import render_card
from carefolio.parts import data_records, read_record, read_results
from carefolio.runs import read_packaged_toml
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
    evidence = Evidence(
        schema=1, project=PROJECT, commit=git_commit(), command=command, created=utc_now(), seed=settings.seed,
        config=settings.model_dump(mode="json"), split=_split(out, record["parts"]), environment=environment(PACKAGES),
        data=data_records(out), durations_s=read_json(out / "durations.json"), metrics=metrics,
        figures=[FigureRecord(file=f"figures/{file}", alt=alt) for file, alt in figures.items()], artefacts=artefact_records(out))
    if record["parts"] == list(PARTS):
        card, references = (read_packaged_toml(PROJECT, name) for name in ("card.toml", "references.toml"))
        write_text(reports / "model_card.md", render_card(card, evidence, references))
    write_evidence(reports / "evidence.json", evidence)
    return evidence


def _split(out: Path, tasks: list[str]) -> SplitRecord:
    """Join the splits of the tasks: one hash over theirs, and rows by task and part."""
    splits = {task: load_split(out / "features" / f"{task}.split.json") for task in tasks}
    joined = hashlib.sha256("".join(f"{task} {split.sha256()}\n" for task, split in splits.items()).encode()).hexdigest()
    parts = {f"{task}_{part}": len(rows) for task, split in splits.items() for part, rows in split.parts.items()}
    return SplitRecord(unit="text, and group of near-duplicates in MTSamples", sha256=joined, parts=parts)
