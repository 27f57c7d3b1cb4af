"""The four stages, each from files to files, so that every one can be run again alone."""

from pathlib import Path

from carefolio.reporting import report_run
from carefolio.runs import timed_step
from container_scaling.config import FOLDER, ScalingSettings


def data_stage(settings: ScalingSettings, out: Path) -> None:
    """Record the requests that load tests send, and see the service take every one.

    Parameters
    ----------
    settings : ScalingSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from container_scaling import data
    from container_scaling.recorded import check_requests, read_document
    from container_scaling.servers import serve_replicas

    with timed_step("data", out), serve_replicas(1) as running:
        requests = data.record_requests(read_document(running), settings.payloads, out, seed=settings.seed)
        check_requests(running, requests)


def train_stage(settings: ScalingSettings, out: Path) -> None:
    """Measure service times, to which the queueing model is fitted.

    Parameters
    ----------
    settings : ScalingSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from container_scaling import calibrate
    from container_scaling.data import REQUESTS_FILE

    with timed_step("train", out):
        calibrate.save(calibrate.calibrate(out / "data" / REQUESTS_FILE, settings.load, seed=settings.seed), out)


def evaluate_stage(settings: ScalingSettings, out: Path) -> None:
    """Load the service and compare what comes back with the model.

    Parameters
    ----------
    settings : ScalingSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from container_scaling import evaluate

    evaluate.evaluate(settings, out, step=lambda title: timed_step(title, out))


def report_stage(settings: ScalingSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run with requests from the published file.

    Parameters
    ----------
    settings : ScalingSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from container_scaling import report

    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository)
