"""The four stages, each from files to files, so that every one can be run again alone."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from carefolio.parts import load_stage, read_record
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from retinopathy.config import FOLDER, PARTS, RetinopathySettings


def data_stage(settings: RetinopathySettings, out: Path, *, parts: Sequence[str] = ()) -> None:
    """Load and check the data sets; say which parts had to be left out.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    parts : sequence of str, optional
        Names of parts; default all.
    """
    from retinopathy import data

    load_stage(partial(data.load_part, seed=settings.seed), parts or list(PARTS), out)


def train_stage(settings: RetinopathySettings, out: Path) -> None:
    """See every photograph, fit the heads, and export the grader.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    """
    from retinopathy import exporting, train

    train.train_parts(settings, out, step=lambda title: timed_step(title, out))
    if "idrid" in read_record(out)["parts"]:
        with timed_step("export", out):
            exporting.export_run(settings, out)


def evaluate_stage(settings: RetinopathySettings, out: Path) -> None:
    """Judge the grader and the benchmark on their test parts.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    """
    from retinopathy import evaluate

    evaluate.evaluate_parts(settings, out, step=lambda title: timed_step(title, out))


def report_stage(settings: RetinopathySettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence and figures, and publish them if this was a full run of both parts on real data.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from retinopathy import report

    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository,
               whole=read_record(out)["parts"] == list(PARTS))
