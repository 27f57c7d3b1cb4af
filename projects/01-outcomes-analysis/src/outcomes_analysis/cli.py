"""The ``outcomes`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group, common_options
from carefolio.stages import dashboard_verb, stage_verbs
from outcomes_analysis.verbs import open_run


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


@click.command()
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


DATA, TRAIN, EVALUATE, _, RUN = stage_verbs("outcomes_analysis", "outcomes", open_run, parts=("survival", "waves", "forecast"),
                                            about={"train": "Fit the survival models and make the forecasts; needs `data`.",
                                                   "evaluate": "Measure and describe; needs `train`."})
DASHBOARD = dashboard_verb("outcomes_analysis", port=8501, about="Open the results in the browser; nothing is trained.")
for verb in (DATA, TRAIN, EVALUATE, report, RUN, DASHBOARD):
    main.add_command(verb)
