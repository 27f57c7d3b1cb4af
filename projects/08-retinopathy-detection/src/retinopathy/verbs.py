"""What this chapter's command needs beside the standard verbs."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from retinopathy.config import RetinopathySettings


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[RetinopathySettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from retinopathy.config import FOLDER, PROJECT, RetinopathySettings

    settings = load_config(RetinopathySettings, PROJECT, file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)
