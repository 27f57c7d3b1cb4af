"""The four stages, each from files to files, so that every one can be run again alone."""

from pathlib import Path

from carefolio.artefacts import read_json
from carefolio.reporting import report_run
from carefolio.runs import timed_step
from readmission.config import FOLDER, ReadmissionSettings


def data_stage(settings: ReadmissionSettings, out: Path, *, path: Path | None = None) -> None:
    """Load, check, derive and split.

    Parameters
    ----------
    settings : ReadmissionSettings
        Settings.
    out : Path
        Folder of the run.
    path : Path, optional
        A file to read instead of resolving one.
    """
    from readmission import data

    with timed_step("data", out):
        data.save(*data.prepare(settings.data, seed=settings.seed, path=path), out)


def train_stage(settings: ReadmissionSettings, out: Path) -> None:
    """Tune, fit, calibrate and predict the held-out patients.

    Parameters
    ----------
    settings : ReadmissionSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from readmission import data, train

    table, record = data.load(out)
    training = {"data": record["provenance"], "split_sha256": record["split"]["sha256"], "seed": settings.seed}
    model, predictions, search = train.train(table, settings, training=training, progress=lambda title: timed_step(title, out))
    train.save(model, predictions, search, out)


def evaluate_stage(settings: ReadmissionSettings, out: Path) -> None:
    """Measure everything on the held-out patients.

    Parameters
    ----------
    settings : ReadmissionSettings
        Settings.
    out : Path
        Folder of the run.
    """
    from readmission import data, evaluate, explain, leak, model, train

    table, _ = data.load(out)
    predictions, search = train.load_predictions(out)
    with timed_step("evaluate", out):
        metrics, curves = evaluate.evaluate(predictions, settings.evaluation, seed=settings.seed)
    with timed_step("explain", out):
        test = table.filter(table["all_encounters"] == "test")
        sample = test.sample(min(test.height, settings.evaluation.shap_rows), seed=settings.seed)
        curves["importance"] = explain.importance(model.load_model(out / "artefacts"), sample)
    with timed_step("leak on", out):
        metrics |= leak.inflated_scores(table, settings, parameters=search["parameters"], rounds=search["rounds"])
    evaluate.save(metrics, curves, out)


def report_stage(settings: ReadmissionSettings, out: Path, *, command: str, to_repository: bool) -> None:
    """Write evidence, figures and card, and publish them if this was a full run on real data.

    Parameters
    ----------
    settings : ReadmissionSettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    """
    from readmission import report

    if report_run(report.build_report, settings, out, folder=FOLDER, command=command, to_repository=to_repository):
        track(settings, out)


def track(settings: ReadmissionSettings, out: Path) -> None:
    """Log the run to MLflow, where an address is configured.

    Parameters
    ----------
    settings : ReadmissionSettings
        ``tracking.uri`` and ``tracking.experiment``.
    out : Path
        Folder of the run.
    """
    if not settings.tracking.uri:
        return
    from carefolio.evidence import read_evidence
    from carefolio.tracking import log_run

    reports = out / "reports"
    evidence = read_evidence(reports / "evidence.json")
    log_run(tracking_uri=settings.tracking.uri, experiment=settings.tracking.experiment, run_name=evidence.created,
            parameters=read_json(out / "train" / "train.json")["parameters"],
            metrics={name: metric.value for name, metric in evidence.metrics.items()},
            artefacts=[reports / "evidence.json", reports / "model_card.md"], tags={"commit": evidence.commit})
