"""What this chapter's command knows beyond the standard verbs: the hospital, the story, the switch, the monitor, governance."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from clinical_workflow.config import WorkflowSettings

CONFIG = click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over the defaults.")


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[WorkflowSettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from clinical_workflow.config import FOLDER, PROJECT, WorkflowSettings

    settings = load_config(WorkflowSettings, PROJECT, file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@click.option("--port", type=click.IntRange(1, 65535), default=8010, show_default=True, help="Port on the loopback address.")
@click.option("--server", type=click.Choice(["auto", "node", "stand-in"]), default="auto", show_default=True,
              help="Who keeps the charts: Medplum's FHIR server on Node, or a small one of this chapter.")
@CONFIG
def hospital(port: int, server: str, config: Path | None) -> None:
    """Open the mock hospital in the browser; charts end with it."""
    from contextlib import ExitStack

    from clinical_workflow.start import open_charts, serve_hospital

    with ExitStack() as stack:
        serve_hospital(port, config, open_charts(server, stack, say=click.echo))


@click.command()
@click.argument("mode", type=click.Choice(["off", "shadow", "show"]))
@click.option("--service", default="all", show_default=True, help="One service, or all.")
@click.option("--why", default="by hand", show_default=True, help="Goes into the ledger.")
@CONFIG
def switch(mode: str, service: str, why: str, config: Path | None) -> None:
    """Turn decision support off, to shadow, or to show; holds from the next call on.

    To show is possible only where the shadow log passes the gate.
    """
    from clinical_workflow.start import turn_switch

    for name, stands in turn_switch(mode, service, why, config).items():
        click.echo(f"{name:24s} {stands}")


@click.command()
@CONFIG
def monitor(config: Path | None) -> None:
    """Say how the services do, and what the gate says."""
    from clinical_workflow.start import monitor_lines

    for line in monitor_lines(config):
        click.echo(line)


@click.command()
@click.option("--server", type=click.Choice(["auto", "node", "stand-in"]), default="auto", show_default=True, help="Who keeps the charts.")
@click.option("--champion/--committed", default=True, show_default=True,
              help="Take the model from MLflow by its alias, or chapter 02's own.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for everything written; a fresh one by default.")
@click.option("--keep", is_flag=True, help="Leave everything open for a look in the browser, until Ctrl-C.")
def story(server: str, champion: bool, out: Path | None, keep: bool) -> None:
    """The closed loop once, with real processes: model, chart, card, answer, monitor; every exchange is printed."""
    from clinical_workflow.story import tell

    tell(server=server, champion=champion, out=out, keep=keep, say=click.echo)


@click.command()
@click.option("--check", is_flag=True, help="Run the tests that the hazards name; takes minutes.")
@CONFIG
def governance(check: bool, config: Path | None) -> None:
    """Print hazards, intended use, people, monitoring and roles; with --check prove the controls.

    Leaves with 15 where a control's test does not exist, fails or is skipped.
    """
    from clinical_workflow.governance.reading import read_governance
    from clinical_workflow.governance.rendering import governance_markdown
    from clinical_workflow.start import governance_problems

    if not check:
        click.echo(governance_markdown(read_governance()))
        return
    problems = governance_problems(config)
    for problem in problems:
        click.echo(problem)
    click.echo(f"{len(problems)} problems")
    if problems:
        raise SystemExit(15)
