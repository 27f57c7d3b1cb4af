"""What has to be made before anything can be measured: the index of the passages, and every system's notes. No model is trained."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from carefolio.config import project_home
from carefolio.exceptions import ArtefactError
from carefolio.parts import read_record, read_table, write_table
from carefolio.progress import progress_bar
from notes_summarizer.config import FOLDER, PROJECT, NotesSettings

if TYPE_CHECKING:
    from notes_summarizer.leaflet.index import LeafletIndex

Progress = Callable[[str], AbstractContextManager[Any]]
SYSTEMS = ("extractive", "local")
"""Providers that run without a network; each is judged alone."""


def make_parts(settings: NotesSettings, out: Path, *, progress: Progress) -> None:
    """Make what each part of a run needs; a run that was stopped goes on where it was.

    Parameters
    ----------
    settings : NotesSettings
        Settings.
    out : Path
        Folder of the run.
    progress : callable
        Gives a context manager for a titled step.
    """
    for part in read_record(out)["parts"]:
        MAKERS[part](settings, out, progress)


def index_folder(out: Path) -> Path:
    """Give the folder of the leaflets' index.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Path
        ``<out>/train/index``.
    """
    return out / "train" / "index"


def open_index(out: Path | None = None) -> "LeafletIndex | None":
    """Open the index of the leaflets' passages.

    Parameters
    ----------
    out : Path, optional
        Folder of the run; default ``$CAREFOLIO_ARTEFACTS``, else the last full run, else the last quick one.

    Returns
    -------
    LeafletIndex or None
        Ready to be searched; None if there is none.
    """
    from notes_summarizer.leaflet.index import LeafletIndex

    outputs, chosen = project_home(FOLDER).parents[1] / "outputs" / PROJECT, os.environ.get("CAREFOLIO_ARTEFACTS")
    runs = [out] if out else [Path(chosen)] if chosen else [outputs / "full", outputs / "quick"]
    found = next((folder for folder in map(index_folder, runs) if folder.is_dir()), None)
    return LeafletIndex.open(found) if found else None


def read_candidates(out: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Read the cases and what every system wrote for them.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    cases, candidates : polars.DataFrame
        As `notes_summarizer.evaluation` makes them.

    Raises
    ------
    ArtefactError
        If the step has not been run.
    """
    paths = [out / "train" / f"{name}.parquet" for name in ("cases", "candidates")]
    for path in paths:
        if not path.is_file():
            raise ArtefactError(f"{path} is missing; run `notes train` first.")
    cases, candidates = (pl.read_parquet(path) for path in paths)
    return cases, candidates


def _write_summaries(settings: NotesSettings, out: Path, progress: Progress) -> None:
    from notes_summarizer.evaluation.cases import build_cases
    from notes_summarizer.evaluation.generate import generate
    from notes_summarizer.providers.open import open_providers

    cases = build_cases(read_table(out, "mts_dialog"), read_table(out, "aci_bench"), settings.evaluation)
    bounded = settings.providers.model_copy(update={"max_output_tokens": settings.evaluation.max_output_tokens})
    with ExitStack() as stack:
        systems = {name: stack.enter_context(open_providers(bounded, names=[name], environment={})) for name in systems_here()}
        candidates = generate(cases, systems, settings.summary, folder=out / "train" / "notes", progress=progress,
                              depends_on=bounded.model_dump_json())
    write_table(out / "train" / "cases.parquet", cases)
    write_table(out / "train" / "candidates.parquet", candidates)


def systems_here() -> list[str]:
    """List the systems that this machine can run, and say what is left out.

    Returns
    -------
    list of str
        ``extractive``, and ``local`` where its model is installed.
    """
    from notes_summarizer.providers.local import find_model

    try:
        find_model({})
    except ArtefactError as error:
        click.echo(f"local is left out: {error}", err=True)
        return [name for name in SYSTEMS if name != "local"]
    return list(SYSTEMS)


def _index_leaflets(settings: NotesSettings, out: Path, progress: Progress) -> None:
    from notes_summarizer.leaflet.index import build_index

    with progress("index of passages"), progress_bar("passages") as advance:
        build_index(read_table(out, "medquad"), settings.leaflet, index_folder(out), progress=advance)


MAKERS: dict[str, Callable[[NotesSettings, Path, Progress], None]] = {"summaries": _write_summaries, "leaflets": _index_leaflets}
