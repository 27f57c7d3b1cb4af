"""The four stages, each from files to files, so that every one can be run again alone."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from carefolio.parts import load_stage, read_record
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from outcomes_analysis.config import FOLDER, PARTS, OutcomesSettings


def data_stage(settings: OutcomesSettings, out: Path, *, parts: Sequence[str] = ()) -> None:
    """Load and check the data sets; say which parts had to be left out.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    parts : sequence of str, optional
        Names of parts; default all.
    """
    from outcomes_analysis import data

    load_stage(partial(data.load_part, seed=settings.seed), parts or list(PARTS), out)


def train_stage(settings: OutcomesSettings, out: Path) -> None:
    """Fit the survival models in nested cross-validation, and make every forecast as of its week.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from outcomes_analysis import train

    train.train_parts(settings, out, progress=lambda title: timed_step(title, out))


def evaluate_stage(settings: OutcomesSettings, out: Path) -> None:
    """Measure and describe each part.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from outcomes_analysis import evaluate

    evaluate.evaluate_parts(settings, out, progress=lambda title: timed_step(title, out))


def report_stage(settings: OutcomesSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run of all parts on real data.

    Parameters
    ----------
    settings : OutcomesSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from outcomes_analysis import report

    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository,
               whole=read_record(out)["parts"] == list(PARTS))
