"""The four stages, each from files to files, so that every one can be run again alone."""

from pathlib import Path

import click

from carefolio.artefacts import write_json
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from retraining.config import RetrainingSettings
from retraining.names import FAULT_TITLES, FOLDER


def data_stage(settings: RetrainingSettings, out: Path) -> None:
    """Cut the published file into batches, as they would be delivered.

    Parameters
    ----------
    settings : RetrainingSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from retraining.data import deliver
    from retraining.store import Store

    with timed_step("data", out):
        deliver(settings.data, Store(out), seed=settings.seed)


def train_stage(settings: RetrainingSettings, out: Path) -> None:
    """Replay every batch through its cycle, plant the faults, and serve the batches under the other policies.

    Parameters
    ----------
    settings : RetrainingSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from carefolio.progress import progress_bar
    from retraining.data import delivered_record
    from retraining.policies import serve_batches
    from retraining.protocol import load_protocol
    from retraining.replay import plant_fault, replay, replay_store
    from retraining.store import Store

    delivered_record(Store(out))
    protocol = load_protocol()
    with timed_step("replay", out):
        state = replay(settings, out, protocol, say=_say)
    with timed_step("planted faults", out):
        for fault in FAULT_TITLES:
            plant_fault(fault, settings, out, protocol, say=_say)
    with timed_step("policies", out), progress_bar("policies") as progress:
        serve_batches(state, settings, replay_store(out), out / "policies", progress=progress)


def evaluate_stage(settings: RetrainingSettings, out: Path) -> None:
    """Compare retraining with not retraining.

    Parameters
    ----------
    settings : RetrainingSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from retraining import evaluate
    from retraining.policies import read_predictions
    from retraining.protocol import load_protocol

    with timed_step("evaluate", out):
        predictions, counts = read_predictions(out / "policies")
        metrics = evaluate.policies(predictions, counts, settings, load_protocol().modification_protocol)
        metrics |= evaluate.cycles(out, settings)
        write_json(out / "evaluate" / "metrics.json", {name: value.model_dump() for name, value in metrics.items()})


def report_stage(settings: RetrainingSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run on real data.

    Parameters
    ----------
    settings : RetrainingSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from retraining import report

    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository)


def _say(words: str) -> None:
    click.echo(f"  {words}", err=True)
