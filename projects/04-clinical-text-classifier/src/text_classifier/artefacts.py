"""Where the models to serve are: one folder a task, each with what `text_classifier.export` writes."""

import os
from pathlib import Path

from carefolio.config import project_home
from carefolio.exceptions import ArtefactError
from text_classifier.config import FOLDER, PARTS, PROJECT

MODEL_FILE = "model.onnx"
EMBEDDINGS_FILE = "embeddings.bin"
TOKENIZER_FILE = "tokenizer.json"
RECORD_FILE = "model.json"
WEIGHT_FILES = (MODEL_FILE, EMBEDDINGS_FILE, TOKENIZER_FILE)
"""What the record holds the hashes of."""


def find_artefacts() -> Path:
    """Find the folder of the models to serve.

    Returns
    -------
    Path
        ``$CAREFOLIO_ARTEFACTS`` (a run's folder, or the ``artefacts`` in it), else ``artefacts`` of the last full run if it holds a
        model, else the committed ``artefacts``.
    """
    if chosen := os.environ.get("CAREFOLIO_ARTEFACTS"):
        inside = Path(chosen) / "artefacts"
        return inside if inside.is_dir() else Path(chosen)
    home = project_home(FOLDER)
    last = home.parents[1] / "outputs" / PROJECT / "full" / "artefacts"
    return last if task_folders(last) else home / "artefacts"


def task_folders(artefacts: Path) -> dict[str, Path]:
    """List the tasks that have a model.

    Parameters
    ----------
    artefacts : Path
        Folder with one folder a task.

    Returns
    -------
    dict of str to Path
        In the order of `text_classifier.config.PARTS`; empty if there is none.
    """
    return {task: artefacts / task for task in PARTS if (artefacts / task / RECORD_FILE).is_file()}


def served_folders(artefacts: Path) -> dict[str, Path]:
    """List the tasks that have a model, and insist on one.

    Parameters
    ----------
    artefacts : Path
        Folder with one folder a task.

    Returns
    -------
    dict of str to Path
        At least one.

    Raises
    ------
    ArtefactError
        If there is none.
    """
    found = task_folders(artefacts)
    if not found:
        raise ArtefactError(f"{artefacts} is missing a model: expected {RECORD_FILE} in one of {', '.join(PARTS)}. Make one with "
                            "`textclass run --quick`, restore the committed artefacts, or set CAREFOLIO_ARTEFACTS.")
    return found


def served_folder(artefacts: Path, task: str) -> Path:
    """Find the model of a task.

    Parameters
    ----------
    artefacts : Path
        Folder with one folder a task.
    task : str
        Name of the task.

    Returns
    -------
    Path
        Its folder.

    Raises
    ------
    ArtefactError
        If the task has no model there.
    """
    found = served_folders(artefacts)
    if task not in found:
        raise ArtefactError(f"{artefacts} holds no model of {task}, expected one; got {', '.join(found)}. Run `textclass run --quick`, or "
                            "ask for another --task.")
    return found[task]
