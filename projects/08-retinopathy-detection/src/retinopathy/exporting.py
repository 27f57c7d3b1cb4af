"""Export the grader of a run, with what was chosen out of fold, so that it grades photographs at once."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from carefolio.artefacts import sha256_file
from carefolio.evidence import ArtefactRecord
from carefolio.parts import read_record, read_table
from carefolio.pictures import Pixels
from retinopathy.choosing import GRADER, Chosen, choose, read_answers
from retinopathy.config import RetinopathySettings
from retinopathy.features import TRAIN, squares
from retinopathy.predictor import MODEL_FILES, RECORD_FILE

ARTEFACTS = "artefacts"
SAMPLES = 24
"""Train photographs on which the export is held against torch, and the ranges of int8 are measured."""


def export_run(settings: RetinopathySettings, out: Path) -> Path:
    """Export the grader of a run.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, trained.

    Returns
    -------
    Path
        Folder of the files.
    """
    from retinopathy.export import export_grader
    from retinopathy.train import read_grader

    chosen = choose(read_answers(out, GRADER)["out_of_fold"], settings.evaluation)
    record = describe(settings, out, chosen)
    return export_grader(read_grader(settings, out), out / ARTEFACTS, record=record, samples=_samples(settings, out))


def describe(settings: RetinopathySettings, out: Path, chosen: Chosen) -> dict[str, Any]:
    """Say what the service must know of the grader.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    chosen : Chosen
        Temperature and thresholds that were chosen out of fold.

    Returns
    -------
    dict
        Preparation, bounds of quality, thresholds, promise, and where the grader comes from.
    """
    provenance = read_record(out)["provenance"]["idrid"]
    return {"side": settings.preparation.side, "strength": settings.preparation.strength,
            "quality": {name: list(bounds) for name, bounds in settings.quality.items()}, **asdict(chosen),
            "coverage": settings.evaluation.coverage, "stages": list(settings.features.stages), "epochs": settings.tuning.epochs,
            "seed": settings.seed, "data": {name: provenance[name] for name in ("name", "origin", "sha256", "rows")}}


def _samples(settings: RetinopathySettings, out: Path) -> list[Pixels]:
    table = read_table(out, "idrid").filter(part=TRAIN)
    table = table.gather_every(max(1, table.height // SAMPLES)).head(SAMPLES)  # from all of it: neighbours resemble each other
    return [squares((content, (settings.seed,)), settings.preparation)[0] for content in table["image"]]


def artefact_records(out: Path) -> list[ArtefactRecord]:
    """List the exported files with their hashes.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    list of ArtefactRecord
        Empty where nothing was exported.
    """
    names = [name for name in (*MODEL_FILES.values(), RECORD_FILE) if (out / ARTEFACTS / name).is_file()]
    return [ArtefactRecord(file=f"{ARTEFACTS}/{name}", sha256=sha256_file(out / ARTEFACTS / name)) for name in names]
