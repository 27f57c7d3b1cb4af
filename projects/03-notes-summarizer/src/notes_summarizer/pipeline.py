"""The four stages, each from files to files, so that every one can be run again alone."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from carefolio.parts import load_stage, read_record
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from notes_summarizer.config import FOLDER, PARTS, NotesSettings


def data_stage(settings: NotesSettings, out: Path, *, parts: Sequence[str] = ()) -> None:
    """Load and check the data sets; say which parts had to be left out.

    Parameters
    ----------
    settings : NotesSettings
        Settings.
    out : Path
        Folder of the run.
    parts : sequence of str, optional
        Names of parts; default all.
    """
    from notes_summarizer import data

    load_stage(partial(data.load_part, seed=settings.seed), parts or list(PARTS), out)


def train_stage(settings: NotesSettings, out: Path) -> None:
    """Index the passages, and let every system that runs here write its notes.

    Parameters
    ----------
    settings : NotesSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from notes_summarizer import train

    train.make_parts(settings, out, progress=lambda title: timed_step(title, out))


def evaluate_stage(settings: NotesSettings, out: Path) -> None:
    """Measure summaries, retrieval and leaflets.

    Parameters
    ----------
    settings : NotesSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from notes_summarizer import evaluate

    evaluate.evaluate_parts(settings, out, progress=lambda title: timed_step(title, out))


def report_stage(settings: NotesSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run of both parts and all systems on real data.

    Parameters
    ----------
    settings : NotesSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from notes_summarizer import report, train

    whole = read_record(out)["parts"] == list(PARTS) and train.systems_here() == list(train.SYSTEMS)
    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository, whole=whole)
