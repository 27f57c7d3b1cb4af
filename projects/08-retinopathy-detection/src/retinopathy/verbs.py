"""What this chapter's command knows beyond the standard verbs: `grade`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from retinopathy.config import RetinopathySettings


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[RetinopathySettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from retinopathy.config import FOLDER, PROJECT, RetinopathySettings

    settings = load_config(RetinopathySettings, PROJECT, file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run whose grader is asked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a photograph, one a line.")
@click.option("--overlay", type=click.Path(file_okay=False, path_type=Path), help="Folder for a PNG of each, coloured by what speaks for "
                                                                               "a referral.")
def grade(files: tuple[Path, ...], out: Path | None, as_json: bool, overlay: Path | None) -> None:
    """Grade the photographs in FILES (JPEG, PNG, TIFF or DICOM); what cannot be graded, or not surely, is said."""
    from retinopathy.console import grade_files

    if not grade_files(files, out, echo=click.echo, as_json=as_json, overlays=overlay):
        raise SystemExit(14)
