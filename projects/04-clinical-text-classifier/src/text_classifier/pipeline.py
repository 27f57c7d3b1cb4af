"""The four stages, each from files to files, so that every one can be run again alone."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from carefolio.parts import load_stage, read_record
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from text_classifier.config import FOLDER, PARTS, TextClassifierSettings


def data_stage(settings: TextClassifierSettings, out: Path, *, parts: Sequence[str] = ()) -> None:
    """Load and check the data sets; say which tasks had to be left out.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    parts : sequence of str, optional
        Names of tasks; default all.
    """
    from text_classifier import data

    load_stage(partial(data.load_part, seed=settings.seed), parts or list(PARTS), out)


def train_stage(settings: TextClassifierSettings, out: Path) -> None:
    """Fit the baselines, tune the systems, probe and export them; what is there already is not made again.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from text_classifier import exporting, forgetting, train

    def _step(title: str) -> AbstractContextManager[None]:
        return timed_step(title, out)

    train.train_all(settings, out, step=_step)
    forgetting.probe_all(settings, out, step=_step)
    for task in (task for task in read_record(out)["parts"] if task in settings.export.tasks):
        with _step(f"export {task}"):
            exporting.export_best(settings, out, task)


def evaluate_stage(settings: TextClassifierSettings, out: Path) -> None:
    """Judge every system on the test parts.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from text_classifier import evaluate

    evaluate.evaluate_all(settings, out, step=lambda title: timed_step(title, out))


def report_stage(settings: TextClassifierSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run of all tasks on real data.

    Parameters
    ----------
    settings : TextClassifierSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from text_classifier import report

    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository,
               whole=read_record(out)["parts"] == list(PARTS))
