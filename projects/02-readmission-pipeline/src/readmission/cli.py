"""The ``readmission`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group, common_options
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


@main.command()
@common_options
@click.option("--file", type=click.Path(path_type=Path), help="A diabetic_data.csv to read instead of resolving one.")
def data(config: Path | None, quick: bool, seed: int | None, out: Path | None, file: Path | None) -> None:
    """Load, check and split the data."""
    from readmission.pipeline import data_stage

    settings, folder = open_run(config, quick, seed, out)
    data_stage(settings, folder, path=file)


@main.command()
@common_options
def train(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Tune, fit and calibrate; needs `data`."""
    from readmission.pipeline import train_stage

    train_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def evaluate(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Measure on the held-out patients; needs `train`."""
    from readmission.pipeline import evaluate_stage

    evaluate_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def report(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Write evidence, figures and model card; needs `evaluate`."""
    from readmission.pipeline import report_stage

    settings, folder = open_run(config, quick, seed, out)
    report_stage(settings, folder, command="readmission report", to_repository=not quick and out is None)


@main.command()
@common_options
def run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """All four stages in order."""
    from readmission.pipeline import data_stage, evaluate_stage, report_stage, train_stage

    settings, folder = open_run(config, quick, seed, out)
    data_stage(settings, folder)
    train_stage(settings, folder)
    evaluate_stage(settings, folder)
    command = f"readmission run{' --quick' if quick else ''}"
    report_stage(settings, folder, command=command, to_repository=not quick and out is None)
    click.echo(f"evidence, figures and model card: {folder / 'reports'}")


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True, help="Port to bind.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run to serve; default the committed model.")
@click.option("--no-auth", is_flag=True, help="Ask for no key; on this machine only.")
def serve(host: str, port: int, out: Path | None, no_auth: bool) -> None:
    """Serve the model as an API; makes a key if none is configured."""
    import os

    from carefolio.command import serve_app
    from carefolio.serving.start import curl_line, server_environment
    from readmission.schemas import FIRST_STAY

    variables, key = server_environment(os.environ, host=host, no_auth=no_auth)
    os.environ.update(variables | ({"CAREFOLIO_ARTEFACTS": str(out.resolve() / "artefacts")} if out else {}))
    click.echo(f"try it from another terminal:\n{curl_line(host, port, key, path='/predict', body=FIRST_STAY)}")
    serve_app("readmission.api:create_app", host=host, port=port)


@main.command()
@click.option("--port", type=int, default=8502, show_default=True, help="Port on the loopback address.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run to show; default the committed.")
def dashboard(port: int, out: Path | None) -> None:
    """Open the results in the browser; nothing is trained."""
    from carefolio.command import run_dashboard

    run_dashboard("readmission", port=port, arguments=[str(out.resolve())] if out else [])


for verb in (resample, score, deploy):
    main.add_command(verb)
