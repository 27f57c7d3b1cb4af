"""What this chapter's command knows beyond the standard verbs: server, search, versions and aliases, reproduction."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carefolio.command import common_options
from model_registry.names import CHALLENGER, CHAMPION, EXPERIMENTS

if TYPE_CHECKING:
    from model_registry.config import RegistrySettings

OUT = click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run whose database is meant.")
URI = click.option("--tracking-uri", help="Address of the server or database; default $MLFLOW_TRACKING_URI, else the server of "
                                          "`registry up` if it answers, else the database of the last run.")
NAME = click.argument("name", type=click.Choice(EXPERIMENTS))


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None,
             over: "dict[str, Any] | None" = None) -> "tuple[RegistrySettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from model_registry.config import RegistrySettings
    from model_registry.names import FOLDER, PROJECT

    settings = load_config(RegistrySettings, PROJECT, file=config, quick=quick, seed=seed, over=over)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=5000, show_default=True, help="Port on the loopback address.")
@click.option("--workers", type=click.IntRange(min=1), default=2, show_default=True, help="Processes that answer.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the database; a run's shows the run.")
def up(port: int, workers: int, out: Path | None) -> None:
    """Start an MLflow tracking server on this machine; ends with Ctrl-C.

    SQLite and a folder by default. $MLFLOW_BACKEND_STORE_URI names another database (postgresql://…), $MLFLOW_ARTIFACTS_DESTINATION
    another place for artefacts (s3://…, wasbs://…).
    """
    import signal

    from model_registry.places import server_folder
    from model_registry.tracking.server import run_tracking_server, wait_for_signal

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a polite end while it starts takes the server along too

    folder = out or server_folder()
    click.echo("starting; this takes about half a minute", err=True)
    with run_tracking_server(folder, port=port, workers=workers) as address:
        click.echo(f"MLflow answers at {address}\nin another terminal:\n  export MLFLOW_TRACKING_URI={address}\n  registry search --quick")
        wait_for_signal(address)
    click.echo("stopped")


@click.command()
@click.argument("experiments", nargs=-1, type=click.Choice(EXPERIMENTS))
@common_options
@click.option("--trials", type=click.IntRange(min=1), help="Trials of each experiment; 1 is the model that a library comes with.")
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="One process, or one a core.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes of dask; one a core by default.")
@click.option("--tracking-uri", help="Where to record; `none` for nowhere. Default: settings, $MLFLOW_TRACKING_URI, a database in the "
                                     "run's folder.")
def search(experiments: tuple[str, ...], config: Path | None, quick: bool, seed: int | None, out: Path | None,
           trials: int | None, engine: str, workers: int | None, tracking_uri: str | None) -> None:
    """Search EXPERIMENTS (default both) and record everything: nested runs, data, model, evidence.

    A server that goes down meanwhile loses nothing: entries wait beside the run and are delivered when it answers again.
    """
    from carefolio.runs import hold_folder
    from model_registry import pipeline

    settings, folder = open_run(config, quick, seed, out, over={"search": {"trials": trials}} if trials else None)
    with hold_folder(folder):
        pipeline.data_stage(settings, folder, experiments=experiments or EXPERIMENTS)
        pipeline.train_stage(settings, folder, experiments=experiments or EXPERIMENTS, engine=engine, workers=workers,
                             tracking_uri=tracking_uri)
        pipeline.evaluate_stage(settings, folder, tracking_uri=tracking_uri)
        pipeline.report_stage(settings, folder, command="registry search", to_repository=False, tracking_uri=tracking_uri)


@click.command()
@OUT
@URI
def deliver(out: Path | None, tracking_uri: str | None) -> None:
    """Hand the server what it could not take when it was down."""
    from model_registry.places import address_for, last_run
    from model_registry.tracking.delivery import deliver_or_fail
    from model_registry.train import JOURNAL

    folder = out or last_run()
    done = deliver_or_fail(folder / JOURNAL, address_for(tracking_uri, folder))
    click.echo(f"{done.delivered} entries delivered, none waits")


@click.command()
@NAME
@click.argument("run_id")
@OUT
@URI
def register(name: str, run_id: str, out: Path | None, tracking_uri: str | None) -> None:
    """Make the model of RUN_ID a version of NAME and call it challenger."""
    from model_registry.places import address_for
    from model_registry.tables import describe
    from model_registry.tracking import aliases

    click.echo(describe(aliases.register(address_for(tracking_uri, out), name, run_id)))


@click.command()
@NAME
@click.option("--version", help="Number or alias of the version; default the challenger.")
@click.option("--force", is_flag=True, help="Also where it does worse than the champion, or cannot be compared with it.")
@OUT
@URI
def promote(name: str, version: str | None, force: bool, out: Path | None, tracking_uri: str | None) -> None:
    """Make the challenger (or --version) of NAME champion; what serves it changes by itself."""
    from model_registry.places import address_for
    from model_registry.tables import describe
    from model_registry.tracking import aliases

    click.echo(describe(aliases.promote(address_for(tracking_uri, out), name, version, force=force)))


@click.command()
@NAME
@OUT
@URI
def rollback(name: str, out: Path | None, tracking_uri: str | None) -> None:
    """Make the champion of before champion of NAME again."""
    from model_registry.places import address_for
    from model_registry.tables import describe
    from model_registry.tracking import aliases

    click.echo(describe(aliases.rollback(address_for(tracking_uri, out), name)))


@click.command()
@click.argument("name", required=False, type=click.Choice(EXPERIMENTS))
@OUT
@URI
def show(name: str | None, out: Path | None, tracking_uri: str | None) -> None:
    """List searches and versions, with aliases."""
    from model_registry.places import address_for
    from model_registry.tables import show_registry

    show_registry(address_for(tracking_uri, out), [name] if name else list(EXPERIMENTS))


@click.command()
@NAME
@click.argument("first", default=CHAMPION)
@click.argument("second", default=CHALLENGER)
@OUT
@URI
def diff(name: str, first: str, second: str, out: Path | None, tracking_uri: str | None) -> None:
    """Say in what two versions of NAME differ: settings, data, environment, metrics.

    FIRST and SECOND are numbers or aliases; champion and challenger by default.
    """
    from model_registry.places import address_for
    from model_registry.tables import show_difference

    show_difference(address_for(tracking_uri, out), name, first, second)


@click.command()
@NAME
@click.argument("first", default=CHALLENGER)
@click.argument("second", default=CHAMPION)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run that holds the patients; default the last.")
@URI
def compare(name: str, first: str, second: str, out: Path | None, tracking_uri: str | None) -> None:
    """Say by how much FIRST does better than SECOND on the same held-out patients, with the interval.

    FIRST and SECOND are numbers or aliases; challenger and champion by default. Both must have been made with the same split.
    """
    from carefolio.config import load_config
    from model_registry.config import RegistrySettings
    from model_registry.names import PROJECT
    from model_registry.paired import compare_versions
    from model_registry.places import address_for, last_run
    from model_registry.tables import describe_lead

    lead = compare_versions(address_for(tracking_uri, out), name, first, second, out or last_run(), load_config(RegistrySettings, PROJECT))
    click.echo(f"{name}, {first} less {second}: {describe_lead(lead)}")


@click.command()
@click.argument("run_id")
@OUT
@URI
@click.option("--environment", type=click.Choice(["auto", "present", "build"]), default="auto", show_default=True,
              help="Whose packages run: those here; those of the record, installed for it; auto builds where versions differ.")
@click.option("--run-recorded-source", is_flag=True, help="Run the source that was kept with a run of what was not committed. It is code "
                                                         "from the artefact store: only where you trust who can write to it.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Folder in which the run is made again; a temporary one by "
                                                                              "default.")
def reproduce(run_id: str, out: Path | None, tracking_uri: str | None, environment: Any, run_recorded_source: bool,
              keep: Path | None) -> None:
    """Make RUN_ID again from its commit, data, split, environment and settings, and compare to 1e-9.

    Leaves with 0 if every metric is the same, with 16 if not, and says what differs.
    """
    from model_registry.places import address_for
    from model_registry.reproduce import reproduce_run
    from model_registry.tables import show_reproduction

    found = reproduce_run(address_for(tracking_uri, out), run_id, environment=environment, run_recorded_source=run_recorded_source,
                          folder=keep, say=click.echo)
    show_reproduction(found)
    if not found.identical:
        raise SystemExit(16)
