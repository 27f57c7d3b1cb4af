"""The ``readmission`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group, common_options
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from readmission.verbs import deploy, open_run, resample, score


@click.group(cls=Group)
@click.version_option(package_name="carefolio-readmission")
def main() -> None:
    """Thirty-day readmission after a hospital stay with diabetes.

    \b
    readmission run --quick      the whole pipeline in about a minute
    readmission run              on all 101,766 encounters; rewrites the committed reports
    readmission serve            the committed model as an API, no data needed
    readmission dashboard        the committed results, and a what-if for one patient

    For research and education. Not a medical device; not for decisions about patients.
    """


@click.command()
@common_options
@click.option("--file", type=click.Path(path_type=Path), help="A diabetic_data.csv to read instead of resolving one.")
def data(config: Path | None, quick: bool, seed: int | None, out: Path | None, file: Path | None) -> None:
    """Load, check and split the data."""
    from carefolio.runs import hold_folder
    from readmission.pipeline import data_stage

    settings, folder = open_run(config, quick, seed, out)
    with hold_folder(folder):
        data_stage(settings, folder, path=file)


@click.command()
@serve_options(port=8000)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run to serve; default the committed model.")
def serve(host: str, port: int, out: Path | None, no_auth: bool) -> None:
    """Serve the model as an API; makes a key if none is configured."""
    from carefolio.serving.start import curl_line, start_server
    from readmission.schemas import FIRST_STAY

    start_server("readmission.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables={"CAREFOLIO_ARTEFACTS": str(out.resolve() / "artefacts")} if out else {},
                 hint=lambda key: curl_line(host, port, key, path="/predict", body=FIRST_STAY))


_, *STAGES = stage_verbs("readmission", "readmission", open_run, about={"train": "Tune, fit and calibrate; needs `data`.",
                                                                         "evaluate": "Measure on the held-out patients; needs `train`."})
DASHBOARD = dashboard_verb("readmission", port=8502, about="Open the results in the browser; nothing is trained.")
for verb in (data, *STAGES, serve, DASHBOARD, resample, score, deploy):
    main.add_command(verb)
