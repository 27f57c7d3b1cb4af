"""The four stages, each from files to files, so that every one can be run again alone."""

from datetime import UTC, datetime
from pathlib import Path

from carefolio.artefacts import atomic_path, read_json, write_json
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from clinical_workflow.config import FOLDER, WorkflowSettings

NO_TRAINING = "nothing is trained here: the models are those of the other chapters"


def data_stage(settings: WorkflowSettings, out: Path) -> None:
    """Get the published charts; where no source has them, made-up ones, and say so.

    Parameters
    ----------
    settings : WorkflowSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from clinical_workflow.data import NAME, load_bundles

    with timed_step("data", out):
        bundles = load_bundles(limit=settings.data.bundles, allow_made_up=True, made_up=settings.data.made_up_patients, seed=settings.seed,
                               now=datetime.now(UTC))
        folder = out / "data" / "bundles"
        for old in folder.glob("*.json"):
            old.unlink()
        for name, content in bundles.content.items():
            with atomic_path(folder / name) as path:
                path.write_bytes(content)
        write_json(out / "data" / "data.json", {"name": NAME, "origin": bundles.origin, "sha256": bundles.sha256,
                                                "rows": len(bundles.content)})


def train_stage(settings: WorkflowSettings, out: Path) -> None:
    """Train nothing, and say so.

    Parameters
    ----------
    settings : WorkflowSettings
        Settings.
    out : Path
        Folder of the run.
    """
    with timed_step(NO_TRAINING, out):
        pass


def evaluate_stage(settings: WorkflowSettings, out: Path) -> None:
    """Read every chart, count what could be mapped, and run the simulation.

    Parameters
    ----------
    settings : WorkflowSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from clinical_workflow import evaluate
    from clinical_workflow.simulation.results import metrics_of, simulate

    with timed_step("charts", out):
        metrics, coverage = evaluate.evaluate_charts(out / "data" / "bundles", seed=settings.seed)
    with timed_step("simulation", out):
        done = simulate(settings.simulation, seed=settings.seed, risk_threshold=settings.cds.risk_threshold)
    metrics |= metrics_of(done)
    write_json(out / "evaluate" / "metrics.json", {name: value.model_dump(mode="json") for name, value in metrics.items()})
    write_json(out / "evaluate" / "coverage.json", coverage)
    write_json(out / "evaluate" / "simulation.json", done.curves)


def report_stage(settings: WorkflowSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run on the published charts.

    Parameters
    ----------
    settings : WorkflowSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from clinical_workflow import report

    whole = read_json(out / "data" / "data.json")["rows"] >= report.WHOLE
    report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository, whole=whole)
