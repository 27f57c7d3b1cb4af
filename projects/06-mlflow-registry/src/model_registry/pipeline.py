"""The four stages, each from files to files and into the journals of its runs, so that every one can be run again alone."""

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from carefolio.artefacts import seal, write_json
from carefolio.config import project_home
from carefolio.evidence import Metric
from carefolio.runs import may_be_published, measured_metrics, publish, timed_step
from model_registry.config import RegistrySettings
from model_registry.names import CARDS, CHAMPION, EXPERIMENTS, FOLDER, URI_VARIABLE

NOWHERE = "none"
"""Given as an address, it leaves a run in its journals."""


def tracking_address(settings: RegistrySettings, out: Path, given: str | None = None) -> str | None:
    """Work out where runs are recorded.

    Parameters
    ----------
    settings : RegistrySettings
        May name an address.
    out : Path
        Folder of the run; holds the database where nothing else is named.
    given : str, optional
        Wins over settings and `URI_VARIABLE`; ``"none"`` for nowhere.

    Returns
    -------
    str or None
        Address of a server or of a database.
    """
    from model_registry.tracking.server import sqlite_uri

    chosen = given or settings.tracking.uri or os.environ.get(URI_VARIABLE) or ""
    return None if chosen == NOWHERE else chosen or sqlite_uri(out)


def data_stage(settings: RegistrySettings, out: Path, *, experiments: Sequence[str] = EXPERIMENTS) -> None:
    """Make the tables.

    Parameters
    ----------
    settings : RegistrySettings
        Settings.
    out : Path
        Folder of the run.
    experiments : sequence of str, optional
        Whose; both by default.
    """
    from model_registry import data

    with timed_step("data", out):
        data.prepare(settings, out / "data", experiments)


def train_stage(settings: RegistrySettings, out: Path, *, experiments: Sequence[str] = EXPERIMENTS, engine: str = "local",
                workers: int | None = None, tracking_uri: str | None = None) -> None:
    """Search both experiments; a search that an earlier call left unfinished is marked as failed.

    Parameters
    ----------
    settings : RegistrySettings
        Settings.
    out : Path
        Folder of the run.
    experiments : sequence of str, optional
        Which; both by default.
    engine : {"local", "dask"}
        Who runs the trials.
    workers : int, optional
        Worker processes of Dask.
    tracking_uri : str, optional
        As `tracking_address` takes it.
    """
    from model_registry import train, tuning
    from model_registry.tracking.journal import end_unfinished

    address = tracking_address(settings, out, tracking_uri)
    end_unfinished(out / train.JOURNAL)
    for name in EXPERIMENTS:
        (out / "train" / f"{name}.json").unlink(missing_ok=True)
    with tuning.engine(engine, workers=workers) as run:
        for name in experiments:
            with timed_step(f"search {name}", out):
                train.train(name, settings, out, run=run, tracking_uri=address, say=click.echo)


def evaluate_stage(settings: RegistrySettings, out: Path, *, tracking_uri: str | None = None) -> None:
    """Judge the models of the search on the held-out patients.

    Parameters
    ----------
    settings : RegistrySettings
        Settings.
    out : Path
        Folder of the run.
    tracking_uri : str, optional
        As `tracking_address` takes it.
    """
    from model_registry import data, evaluate, train
    from model_registry.report import searched
    from model_registry.tracking import journal
    from model_registry.tracking.delivery import deliver
    from model_registry.tracking.models import WEIGHTS, load_model

    metrics: dict[str, Metric] = {}
    with timed_step("evaluate", out):
        for name in searched(out):
            result = train.load_result(out, name)
            loaded = load_model(out / "models" / name, sha256=result["model_sha256"])
            found = evaluate.evaluate(name, loaded.model, data.load(out / "data", name).part("test"), settings.evaluation,
                                      seed=settings.seed)
            journal.log_metrics(out / train.JOURNAL / result["journal"], [(key, value.value, 0) for key, value in found.items()])
            metrics |= found
            write_json(out / "result" / f"{name}.json", {
                "metrics": {key: value.value for key, value in found.items()}, "trials": result["trials"], "best": result["best"],
                "model_sha256": result["model_sha256"], "data": dict(data.load(out / "data", name).record)})
            keep_artefact(out, name, WEIGHTS[loaded.flavour], loaded.model.metadata())
    write_json(out / "evaluate" / "metrics.json", {key: value.model_dump() for key, value in metrics.items()})
    address = tracking_address(settings, out, tracking_uri)
    if address is not None:
        deliver(out / train.JOURNAL, address)


def keep_artefact(out: Path, name: str, weights: str, metadata: Mapping[str, Any]) -> None:
    """Put a model's weights, and what encodes its rows, among the artefacts, each sealed with its hash.

    Parameters
    ----------
    out : Path
        Folder of the run.
    name : str
        The experiment.
    weights : str
        File of the weights.
    metadata : mapping
        What a loader needs beside them.
    """
    kept = out / "artefacts" / name
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(out / "models" / name / weights, kept / weights)
    write_json(kept / "encoding.json", dict(metadata))
    for file in (weights, "encoding.json"):
        seal(kept / file)


def report_stage(settings: RegistrySettings, out: Path, *, command: str, to_repository: bool, tracking_uri: str | None = None) -> None:
    """Write evidence, figures and card, hand them to the runs, end these, and publish if this was a full run on real data.

    Parameters
    ----------
    settings : RegistrySettings
        Settings.
    out : Path
        Folder of the run.
    command : str
        The command that was given.
    to_repository : bool
        Whether this run may replace the committed reports.
    tracking_uri : str, optional
        As `tracking_address` takes it.
    """
    from model_registry import report, train
    from model_registry.tracking import journal
    from model_registry.tracking.delivery import deliver_or_fail, run_id_of
    from model_registry.tracking.server import DATABASE_FILE

    with timed_step("report", out):
        measured = measured_metrics(FOLDER) if to_repository else {}  # they speak of the full run on published data
        evidence = report.build_report(out, settings, command=command, measured=measured)
    for name in report.searched(out):
        run = out / train.JOURNAL / train.load_result(out, name)["journal"]
        others = set(CARDS.values()) - {CARDS[name]}
        for path in sorted((out / "reports").rglob("*")):
            if path.is_file() and path.name not in others:
                journal.log_file(run, path, folder="reports/figures" if path.parent.name == "figures" else "reports")
        journal.log_file(run, out / "result" / f"{name}.json", folder="record")
        journal.end_run(run)
    address = tracking_address(settings, out, tracking_uri)
    if address is not None:
        deliver_or_fail(out / train.JOURNAL, address)
        for name in report.searched(out):
            run_id = str(run_id_of(out / train.JOURNAL / train.load_result(out, name)["journal"]))  # delivered, so there is one
            click.echo(name_first_champion(name, run_id, address) if address.startswith(f"sqlite:///{out.absolute() / DATABASE_FILE}")
                       else f"{name}: run {run_id}; `registry register {name} {run_id}` makes it a version")
    if to_repository and report.searched(out) == list(EXPERIMENTS) and may_be_published(evidence):
        publish(out, project_home(FOLDER))


def name_first_champion(name: str, run_id: str, address: str) -> str:
    """Register a run's model in the database of the run's own folder, and call it champion where there is none to be compared with.

    Parameters
    ----------
    name : str
        The experiment.
    run_id : str
        The run.
    address : str
        Of the database.

    Returns
    -------
    str
        What the user is told.
    """
    from model_registry.tracking import aliases

    made = aliases.register(address, name, run_id)
    if any(CHAMPION in version.aliases for version in aliases.list_versions(address, name)):
        return f"{name}: run {run_id} is version {made.version}; `registry compare {name}` holds it against the champion"
    aliases.promote(address, name, made.version)
    return f"{name}: run {run_id} is version {made.version}, the first champion; `registry serve --no-auth --name {name}` answers with it"
