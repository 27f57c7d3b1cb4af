"""Which tuned encoder of a task is served: exported after training, and held against torch on the test part."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.artefacts import read_json
from carefolio.evidence import ArtefactRecord, Metric
from text_classifier.artefacts import RECORD_FILE, WEIGHT_FILES, task_folders
from text_classifier.config import ExportSettings, TextClassifierSettings
from text_classifier.features import TEST, VALID, read_examples
from text_classifier.judging import accuracy_of, judge
from text_classifier.predictions import Predicted, read_predictions
from text_classifier.train import DONE, training_folder

if TYPE_CHECKING:
    import polars as pl

ARTEFACTS = "artefacts"
"""Folder of the exports below that of a run."""


def export_best(settings: TextClassifierSettings, out: Path, task: str) -> Path | None:
    """Export the encoder of a task that validation prefers: the system by the mean of its seeds, then its best seed.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run, trained.
    task : str
        Name of the task.

    Returns
    -------
    Path or None
        ``<out>/artefacts/<task>``; None if no encoder was tuned on the task. An export of the same training is not made again.

    Raises
    ------
    ArtefactError
        If the model cannot be opened, or its export answers differently.
    """
    from text_classifier.export import export_onnx
    from text_classifier.model import load_model

    examples = read_examples(out, task)
    chosen = choose(settings, out, task, examples)
    if chosen is None:
        return None
    system, seed = chosen
    trained, folder = training_folder(out, task, system, seed), out / ARTEFACTS / task
    training = read_json(trained / DONE)["fingerprint"]
    if (folder / RECORD_FILE).is_file() and read_json(folder / RECORD_FILE).get("training") == training:
        return folder
    opened, _ = load_model(trained / "model")
    texts = examples.filter(part=VALID)["text"].to_list()[:settings.export.sample_texts]
    record = describe(settings, examples, read_predictions(trained)) | {"training": training}
    return export_onnx(opened.model, opened.tokenizer, folder, record=record, sample_texts=texts,
                       least_agreement=settings.export.least_agreement)


def choose(settings: TextClassifierSettings, out: Path, task: str, examples: pl.DataFrame) -> tuple[str, int] | None:
    """Choose an encoder on validation.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run, trained.
    task : str
        Name of the task.
    examples : polars.DataFrame
        Table of the task.

    Returns
    -------
    tuple of (str, int) or None
        System and seed; None if no encoder was tuned on the task.
    """
    found: dict[str, dict[int, float]] = {}
    for name, system in settings.systems.items():
        for seed in system.seeds.get(task, ()):
            predicted = read_predictions(training_folder(out, task, name, seed))
            if predicted.record["base"]["kind"] == "encoder":
                found.setdefault(name, {})[seed] = accuracy_of(examples, predicted)
    if not found:
        return None
    best = max(found, key=lambda name: float(np.mean(list(found[name].values()))))
    return best, max(found[best], key=lambda seed: found[best][seed])


def describe(settings: TextClassifierSettings, examples: pl.DataFrame, predicted: Predicted) -> dict[str, Any]:
    """Say what the service has to know of a model.

    Parameters
    ----------
    settings : TextClassifierSettings
        The precision that an answer by itself must have.
    examples : polars.DataFrame
        Table of the task.
    predicted : Predicted
        Of the seed that is exported.

    Returns
    -------
    dict
        As `text_classifier.export.export_onnx` takes it.
    """
    threshold = judge(examples, [predicted], settings.evaluation).thresholds[0]
    known = {name: predicted.record[name] for name in ("task", "system", "seed", "base", "temperature", "max_tokens")}
    return known | {"labels": list(predicted.labels), "valid_accuracy": accuracy_of(examples, predicted),
                    "threshold_95": threshold if np.isfinite(threshold) else None}


def measure_served(settings: ExportSettings, out: Path, task: str, *, seed: int) -> dict[str, Metric]:
    """Hold the export of a task against the torch model that it was made of, on test texts.

    Parameters
    ----------
    settings : ExportSettings
        Numbers of texts, rounds and threads.
    out : Path
        Folder of the run.
    task : str
        Name of the task.
    seed : int
        Of the draw of texts, and of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``<task>.test.<system>_int8.<name>``, and the same as ``<task>.test.served.<name>``; empty if the task has no export.
    """
    folder = task_folders(out / ARTEFACTS).get(task)
    if folder is None:
        return {}
    from text_classifier.measure_export import measure_export
    from text_classifier.model import load_model
    from text_classifier.predictor import Predictor

    predictor = Predictor.open(folder, threads=settings.threads)
    system = predictor.record["system"]
    opened, _ = load_model(training_folder(out, task, system, predictor.record["seed"]) / "model")
    model = opened.model.merge_and_unload() if hasattr(opened.model, "merge_and_unload") else opened.model
    texts = read_examples(out, task).filter(part=TEST)
    if settings.test_texts:
        texts = texts.sample(min(settings.test_texts, texts.height), seed=seed)
    found = measure_export(model.eval(), opened.tokenizer, predictor, texts["text"].to_list(), texts["label"].to_list(),
                           repeats=settings.repeats, threads=settings.threads, timed_texts=settings.timed_texts, seed=seed)
    sizes = {"size_mb": sum(path.stat().st_size for path in folder.iterdir()) / 1e6}
    metrics = found | {name: Metric(value=round(value, 2), n=1, higher_is_better=False) for name, value in sizes.items()}
    return {f"{task}.test.{shown}.{name}": value for shown in (f"{system}_int8", "served") for name, value in metrics.items()}


def artefact_records(out: Path) -> list[ArtefactRecord]:
    """List the exports of a run.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    list of ArtefactRecord
        Each file with its SHA-256; it was checked when the export was opened.
    """
    from carefolio.artefacts import verify_seal

    return [ArtefactRecord(file=f"{ARTEFACTS}/{task}/{name}", sha256=verify_seal(folder / name))
            for task, folder in task_folders(out / ARTEFACTS).items() for name in (*WEIGHT_FILES, RECORD_FILE)]
