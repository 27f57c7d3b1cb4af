"""Photographs graded at the command line: one line each, or JSON."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path
from carefolio.datasets.idrid import GRADES
from carefolio.exceptions import UnsuitablePictureError
from retinopathy.artefacts import find_grader
from retinopathy.overlay import overlay
from retinopathy.predictor import Graded, RetinaPredictor

SHOWN = ("gradable", "reasons", "grade", "grades", "probabilities", "referable", "referred", "dme", "quality", "notes")
"""What JSON holds of an answer."""


def grade_files(files: Sequence[Path], out: Path | None, *, echo: Callable[[str], None], as_json: bool, overlays: Path | None) -> bool:
    """Grade files one after the other; one that is no picture is said, and the others go on.

    Parameters
    ----------
    files : sequence of Path
        Photographs.
    out : Path, optional
        Folder of a run.
    echo : callable
        Prints a line.
    as_json : bool
        Whether the lines are JSON.
    overlays : Path, optional
        Folder for a coloured PNG of each graded photograph.

    Returns
    -------
    bool
        False if a file could not be read as a picture.
    """
    predictor, all_read = RetinaPredictor.open(find_grader(out)), True
    for file in files:
        try:
            graded = predictor.grade(file.read_bytes())
        except UnsuitablePictureError as error:
            all_read = False
            echo(json.dumps({"file": str(file), "error": str(error)}) if as_json else f"{file}: {error}")
            continue
        echo(json.dumps({"file": str(file)} | shown(graded)) if as_json else f"{file}: {in_words(graded)}")
        if overlays and graded.square is not None and graded.relevance is not None:
            with atomic_path(overlays / f"{file.stem}.png") as temporary:
                temporary.write_bytes(overlay(graded.square, graded.relevance))
    return all_read


def shown(graded: Graded) -> dict[str, Any]:
    """Give an answer without its pictures.

    Parameters
    ----------
    graded : Graded
        As the predictor gives it.

    Returns
    -------
    dict
        For JSON.
    """
    return {name: value for name, value in asdict(graded).items() if name in SHOWN}


def in_words(graded: Graded) -> str:
    """Say an answer in one line.

    Parameters
    ----------
    graded : Graded
        As the predictor gives it.

    Returns
    -------
    str
        Grade, probability of a referable one, and why a person should look.
    """
    if graded.grade is None or graded.referable is None:
        return f"not graded: {'; '.join(graded.reasons)}"
    referral = "refer" if graded.referred else "no referral"
    doubt = f"; a person should look: {'; '.join(graded.reasons)}" if graded.reasons else ""
    return f"grade {graded.grade} ({GRADES[graded.grade]}), {referral} (probability of grade 2 and more {graded.referable:.0%}){doubt}"
