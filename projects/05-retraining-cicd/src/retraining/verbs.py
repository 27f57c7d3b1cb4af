"""What this chapter's command knows beyond the standard verbs: the cycle, its steps, decisions of people, the protocol, planted faults."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from carefolio.command import common_options
from retraining.names import APPROVER_VARIABLE, FAULT_TITLES, ROLE_VARIABLE

if TYPE_CHECKING:
    from retraining.config import RetrainingSettings
    from retraining.state import Context

PROTOCOL = click.option("--protocol", "protocol_file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
                        help="YAML in place of the protocol that comes with the chapter.")


def person(function: Callable[..., None]) -> Callable[..., None]:
    """Add ``--approver`` and ``--role``."""
    options = [click.option("--approver", envvar=APPROVER_VARIABLE, default="", help=f"Name of the person; ${APPROVER_VARIABLE}."),
               click.option("--role", envvar=ROLE_VARIABLE, default="", help=f"Role of the person in the protocol; ${ROLE_VARIABLE}.")]
    return reduce(lambda wrapped, option: option(wrapped), reversed(options), function)


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[RetrainingSettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from retraining.config import RetrainingSettings
    from retraining.names import FOLDER, PROJECT

    settings = load_config(RetrainingSettings, PROJECT, file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@contextmanager
def open_context(config: Path | None, quick: bool, seed: int | None, out: Path | None, protocol_file: Path | None, approver: str,
                 role: str) -> "Iterator[Context]":
    """Put together what a cycle works with; data are delivered first if nothing was."""
    from retraining.cycle import service_on_demand
    from retraining.data import RECORD, deliver
    from retraining.protocol import load_protocol
    from retraining.state import Context
    from retraining.store import Store

    settings, folder = open_run(config, quick, seed, out)
    store = Store(folder)
    protocol = load_protocol(protocol_file)
    if not (store.incoming / RECORD).is_file():
        deliver(settings.data, store, seed=settings.seed)
    with service_on_demand(store, settings.serving) as service:
        yield Context(store, settings, protocol, service, approver=(approver, role) if approver or role else None,
                      say=lambda words: click.echo(words, err=True))


def tell(outcome: dict[str, Any], summary: Path | None = None, outcome_file: Path | None = None, page: Path | None = None) -> None:
    """Print what came of a cycle, and write it where a job wants it."""
    from carefolio.artefacts import write_json

    click.echo(f"batch {outcome['batch']}: {outcome['outcome'].replace('_', ' ')}. {outcome['reason']}")
    if summary is not None:
        text = page.read_text(encoding="utf-8") if page and page.is_file() else f"## Batch {outcome['batch']}: {outcome['outcome']}\n"
        with summary.open("a", encoding="utf-8") as file:
            file.write(text)
    if outcome_file is not None:
        write_json(outcome_file, outcome)


@click.command()
@common_options
@PROTOCOL
@person
@click.option("--batch", "delivery", type=click.Path(dir_okay=False, path_type=Path), help="File of the delivery; the next one by default.")
@click.option("--summary", type=click.Path(dir_okay=False, path_type=Path), help="Append the page here, such as $GITHUB_STEP_SUMMARY.")
@click.option("--outcome", "outcome_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the outcome as JSON here.")
def cycle(delivery: Path | None, summary: Path | None, outcome_file: Path | None, **run: Any) -> None:
    """Take the next batch through every step; the one command that a scheduler calls.

    Leaves with 0 for every honest outcome (promoted, rejected, unchanged, rolled back), with another code for an error. A cycle that was
    stopped at any point goes on where it was.
    """
    from dataclasses import replace

    from retraining.cycle import run_cycle

    with open_context(**run) as context:
        outcome = run_cycle(replace(context, delivery=str(delivery) if delivery else ""))
        tell(outcome, summary, outcome_file, context.store.cycle(outcome["batch"]) / "summary.md")


@click.command()
@common_options
@PROTOCOL
@person
def step(**run: Any) -> None:
    """Do the next step of the cycle, and no more."""
    from retraining.cycle import run_cycle

    with open_context(**run) as context:
        tell(run_cycle(context, most_steps=1))


@click.command()
@common_options
def status(**run: Any) -> None:
    """Say what is deployed, what each batch came to, and what waits for whom."""
    from retraining.cycle import next_step, open_journal
    from retraining.replay import replay_store
    from retraining.state import fold
    from retraining.store import Store

    _, folder = open_run(**run)
    store = Store(folder)
    state = fold(open_journal(store if store.journal.is_file() else replay_store(folder)))
    for closed in state.closed:
        click.echo(f"batch {closed['batch']}: {closed['outcome'].replace('_', ' ')}. {closed['reason']}")
    if state.batch is not None:
        asks = next_step(state) == "approve" and not state.done["ask"]["automatic"]
        waits = "; a person has to approve: `retraining approve`" if asks else ""
        click.echo(f"batch {state.batch}: open, next step {next_step(state)}{waits}")
    champion = state.champion
    click.echo(f"deployed: release {state.releases}, model {champion.sha256[:16]}, taught by batches "
               f"{', '.join(map(str, champion.taught))}" if champion else "nothing is deployed")


@click.command()
@common_options
@PROTOCOL
@person
@click.option("--decline", is_flag=True, help="Decline instead.")
@click.option("--why", default="", help="The reason, for the journal.")
def approve(decline: bool, why: str, **run: Any) -> None:
    """Approve the challenger that waits, as --approver with --role; it is deployed at once."""
    from retraining.cycle import decide_by_person

    with open_context(**run) as context:
        tell(decide_by_person(context, approved=not decline, why=why or "no reason given"))


@click.command()
@common_options
@PROTOCOL
@person
@click.option("--why", required=True, help="The reason, for the journal.")
def rollback(why: str, **run: Any) -> None:
    """Bring the champion of before back, as --approver with --role."""
    from retraining.cycle import roll_back_by_person

    with open_context(**run) as context:
        tell(roll_back_by_person(context, why=why))


@click.command()
@click.option("--check", is_flag=True, help="Only say whether it holds.")
@PROTOCOL
def protocol(check: bool, protocol_file: Path | None) -> None:
    """Print the protocol, or check one."""
    from importlib.resources import files

    from retraining.names import PROJECT
    from retraining.protocol import FILE, load_protocol

    found = load_protocol(protocol_file)
    if not check:
        click.echo((protocol_file or files(PROJECT).joinpath(FILE)).read_text(encoding="utf-8"))
        return
    click.echo(f"{found.name} {found.version} holds: {len(found.modification_protocol.gates)} gates, "
               f"{len(found.impact_assessment)} risks, sha256 {found.sha256()[:16]}")


@click.command()
@click.argument("fault", type=click.Choice(list(FAULT_TITLES)))
@common_options
@PROTOCOL
def plant(fault: str, protocol_file: Path | None, **run: Any) -> None:
    """Plant FAULT into a copy of a run and see what catches it."""
    from retraining.protocol import load_protocol
    from retraining.replay import plant_fault

    settings, folder = open_run(**run)
    for outcome in plant_fault(fault, settings, folder, load_protocol(protocol_file), say=lambda words: click.echo(words, err=True)):
        tell(outcome)

