"""What this chapter's command needs beside the standard verbs."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from outcomes_analysis.config import OutcomesSettings


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[OutcomesSettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from outcomes_analysis.config import FOLDER, PROJECT, OutcomesSettings

    settings = load_config(OutcomesSettings, "outcomes_analysis", file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)
