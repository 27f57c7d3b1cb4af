"""Measure each part that the run holds, and keep what the report and the dashboard read."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from carefolio.evidence import Metric
from carefolio.parts import read_record, read_table, write_results
from carefolio.progress import progress_bar
from notes_summarizer.train import index_folder, read_candidates

if TYPE_CHECKING:
    from notes_summarizer.config import NotesSettings

Progress = Callable[[str], AbstractContextManager[Any]]
Results = tuple[dict[str, Metric], dict[str, Any], dict[str, pl.DataFrame]]
"""Metrics by id, what figures and dashboard draw, and tables that stay out of the repository."""


def evaluate_parts(settings: "NotesSettings", out: Path, *, progress: Progress) -> None:
    """Evaluate every part of a run and write ``evaluate/<part>.json`` and ``tables/*.parquet``.

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
        metrics, curves, tables = EVALUATIONS[part](settings, out, progress)
        write_results(out, part, metrics, curves, tables)


def _summaries(settings: "NotesSettings", out: Path, progress: Progress) -> Results:
    from notes_summarizer.evaluation.evaluate import evaluate

    return evaluate(*read_candidates(out), settings.evaluation, seed=settings.seed, progress=progress)


def _leaflets(settings: "NotesSettings", out: Path, progress: Progress) -> Results:
    from notes_summarizer.leaflet.evaluate import evaluate
    from notes_summarizer.leaflet.index import LeafletIndex

    with progress("evaluate leaflets"), progress_bar("questions") as advance:
        metrics, curves = evaluate(LeafletIndex.open(index_folder(out)), read_table(out, "medquad"), settings.leaflet, seed=settings.seed,
                                   progress=advance)
    return metrics, curves, {}


EVALUATIONS: dict[str, Callable[["NotesSettings", Path, Progress], Results]] = {"summaries": _summaries, "leaflets": _leaflets}
