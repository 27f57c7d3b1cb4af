"""The ``outcomes`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group, common_options
from outcomes_analysis.verbs import PART_OPTION, open_run


@click.group(cls=Group)
@click.version_option(package_name="carefolio-outcomes-analysis")
def main() -> None:
    """Outcomes of the seriously ill, waves of COVID-19, and the next weeks of influenza.

    \b
    outcomes run --quick                   all three parts in about a minute
    outcomes run                           on all data; rewrites the committed reports
    outcomes run --quick --part survival   one part alone
    outcomes dashboard                     browse the results
    outcomes report --country Germany      one page about a country, as one HTML file
    outcomes report --state Ohio --group "Lung Cancer"

    For research and education. Not a medical device; not for decisions about patients.
    """


@main.command()
@common_options
@PART_OPTION
def data(config: Path | None, quick: bool, seed: int | None, out: Path | None, parts: tuple[str, ...]) -> None:
    """Load and check the data sets."""
    from outcomes_analysis.pipeline import data_stage

    data_stage(*open_run(config, quick, seed, out), parts=parts)


@main.command()
@common_options
def train(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Fit the survival models and make the forecasts; needs `data`."""
    from outcomes_analysis.pipeline import train_stage

    train_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def evaluate(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Measure and describe; needs `train`."""
    from outcomes_analysis.pipeline import evaluate_stage

    evaluate_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
@click.option("--country", help="Write one page about a country instead, such as Germany; needs `data`.")
@click.option("--state", help="The same for a state of the United States, such as Ohio; needs `evaluate`.")
@click.option("--group", help='The same for a disease group, such as "Lung Cancer"; needs `data`.')
def report(config: Path | None, quick: bool, seed: int | None, out: Path | None, country: str | None, state: str | None,
           group: str | None) -> None:
    """Write evidence, figures and model card, or one page to hand on."""
    settings, folder = open_run(config, quick, seed, out)
    if any(name is not None for name in (country, state, group)):
        from outcomes_analysis.brief import write_brief

        click.echo(f"written: {write_brief(settings, folder, country=country, state=state, group=group)}")
    else:
        from outcomes_analysis.pipeline import report_stage

        report_stage(settings, folder, command="outcomes report", to_repository=not quick and out is None)


@main.command()
@common_options
@PART_OPTION
def run(config: Path | None, quick: bool, seed: int | None, out: Path | None, parts: tuple[str, ...]) -> None:
    """All four stages in order."""
    from carefolio.parts import refuse_missing_parts
    from outcomes_analysis.pipeline import data_stage, evaluate_stage, report_stage, train_stage

    settings, folder = open_run(config, quick, seed, out)
    data_stage(settings, folder, parts=parts)
    train_stage(settings, folder)
    evaluate_stage(settings, folder)
    command = f"outcomes run{' --quick' if quick else ''}"
    report_stage(settings, folder, command=command, to_repository=not quick and out is None)
    click.echo(f"evidence, figures and model card: {folder / 'reports'}")
    refuse_missing_parts(folder)


@main.command()
@click.option("--port", type=int, default=8501, show_default=True, help="Port on the loopback address.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run to show; default the committed.")
def dashboard(port: int, out: Path | None) -> None:
    """Open the results in the browser; nothing is trained."""
    from carefolio.command import run_dashboard

    run_dashboard("outcomes_analysis", port=port, arguments=[str(out.resolve())] if out else [])
