"""Tune any open model on one task: what `textclass tune` does, for a model of the hub on a GPU or a small one here."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carefolio.exceptions import ArtefactError
from carefolio.runs import timed_step
from text_classifier.config import FOLDER, SystemSettings, TextClassifierSettings
from text_classifier.features import TEST, build_examples, write_examples
from text_classifier.judging import accuracy_of
from text_classifier.predictions import write_predictions
from text_classifier.train import tune

TEMPLATE = "smollm2_lora"
"""System whose rate, epochs and batches are taken where none are given."""


def tune_one(settings: TextClassifierSettings, out: Path, task: str, changes: Mapping[str, Any]) -> str:
    """Tune a model that no system of the settings names, and keep it beside the others.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run, with its data.
    task : str
        Name of the task.
    changes : mapping
        Settings of the system that differ from `TEMPLATE`: ``base`` and ``method``, and ``epochs``, ``learning_rate`` and ``batch``.

    Returns
    -------
    str
        A sentence with accuracy on validation and test, and where the model lies.

    Raises
    ------
    ArtefactError
        If the run has no data, the base cannot be opened, or a checkpoint does not fit.
    """
    if not (out / "data" / "data.json").is_file():
        raise ArtefactError(f"{out} holds no data yet; run `textclass data` first, with the same --out and --quick.")
    system = settings.systems[TEMPLATE].model_copy(update=dict(changes) | {"seeds": {task: (settings.seed,)}})
    name = name_of(system)
    named = settings.model_copy(update={"systems": {**settings.systems, name: system}})
    examples = build_examples(task, out, settings.features, seed=settings.seed)
    write_examples(out, task, examples)
    folder = out / "tuned" / task / name / f"seed{settings.seed}"
    with timed_step(f"{task} {name}", out):
        predicted = tune(named, examples, task, name, settings.seed, folder, title=name)
        write_predictions(folder, predicted)
    return (f"{name} on {task}: accuracy {accuracy_of(examples, predicted):.3f} on validation, "
            f"{accuracy_of(examples, predicted, TEST):.3f} on test; "
            f"{predicted.record['trained_parameters']:,} of {predicted.record['parameters']:,} parameters trained in "
            f"{predicted.record['seconds']:.0f} s. Model: {folder / 'model'} ({FOLDER} shows it in no report).")


def name_of(system: SystemSettings) -> str:
    """Name a system by its base and method.

    Parameters
    ----------
    system : SystemSettings
        Settings.

    Returns
    -------
    str
        Such as ``EleutherAI_gpt-j-6b_lora``.
    """
    return f"{Path(system.base).name if Path(system.base).is_dir() else system.base.replace('/', '_')}_{system.method}"
