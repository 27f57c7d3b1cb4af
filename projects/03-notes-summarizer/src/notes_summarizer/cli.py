"""The ``notes`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group, common_options
from notes_summarizer.verbs import PROVIDER_OPTION, deidentify, leaflet, open_run, summarize

PART_OPTION = click.option("--part", "parts", multiple=True, type=click.Choice(["summaries", "leaflets"]),
                           help="Only this part; may be given again. Default: both.")


@click.group(cls=Group)
@click.version_option(package_name="carefolio-notes-summarizer")
def main() -> None:
    """Checked summaries of clinical notes, and leaflets for patients, behind a firewall for identifiers.

    \b
    notes summarize note.txt                     without a language model, offline
    notes summarize note.txt --provider local    with a small one on this machine
    notes leaflet "What is asthma?"              plain words, with sources; needs an index
    notes deidentify note.txt                    the text without its identifiers
    notes run --quick                            measure everything in about a minute
    notes serve --no-auth                        the API, on this machine only
    notes dashboard                              try it, and browse the results

    For research and education. Not a medical device; not for decisions about patients.
    """


for verb in (summarize, leaflet, deidentify):
    main.add_command(verb)


@main.command()
@common_options
@PART_OPTION
def data(config: Path | None, quick: bool, seed: int | None, out: Path | None, parts: tuple[str, ...]) -> None:
    """Load and check the data sets."""
    from notes_summarizer.pipeline import data_stage

    data_stage(*open_run(config, quick, seed, out), parts=parts)


@main.command()
@common_options
def train(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Index the passages and write every system's notes; needs `data`. No model is trained."""
    from notes_summarizer.pipeline import train_stage

    train_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def evaluate(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Measure summaries, retrieval and leaflets; needs `train`."""
    from notes_summarizer.pipeline import evaluate_stage

    evaluate_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def report(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Write evidence, figures and model card; needs `evaluate`."""
    from notes_summarizer.pipeline import report_stage

    settings, folder = open_run(config, quick, seed, out)
    report_stage(settings, folder, command="notes report", to_repository=not quick and out is None)


@main.command()
@common_options
@PART_OPTION
def run(config: Path | None, quick: bool, seed: int | None, out: Path | None, parts: tuple[str, ...]) -> None:
    """All four stages in order."""
    from carefolio.parts import refuse_missing_parts
    from notes_summarizer.pipeline import data_stage, evaluate_stage, report_stage, train_stage

    settings, folder = open_run(config, quick, seed, out)
    data_stage(settings, folder, parts=parts)
    train_stage(settings, folder)
    evaluate_stage(settings, folder)
    command = f"notes run{' --quick' if quick else ''}"
    report_stage(settings, folder, command=command, to_repository=not quick and out is None)
    click.echo(f"evidence, figures and model card: {folder / 'reports'}")
    refuse_missing_parts(folder)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=click.IntRange(1, 65535), default=8003, show_default=True, help="Port to bind.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the run whose index is searched.")
@click.option("--no-auth", is_flag=True, help="Ask for no key; on this machine only.")
@PROVIDER_OPTION
def serve(host: str, port: int, out: Path | None, no_auth: bool, providers: tuple[str, ...]) -> None:
    """Serve summaries, leaflets and de-identification as an API; makes a key if none is configured."""
    import os

    from carefolio.command import serve_app
    from carefolio.serving.start import curl_line, server_environment
    from notes_summarizer.schemas import EXAMPLES

    variables, key = server_environment(os.environ, host=host, no_auth=no_auth)
    os.environ.update(variables | ({"CAREFOLIO_ARTEFACTS": str(out.resolve())} if out else {})
                      | ({"NOTES_PROVIDERS": ",".join(providers)} if providers else {}))
    click.echo(f"try it from another terminal:\n{curl_line(host, port, key, path='/summarize', body=EXAMPLES['/summarize']['note'])}")
    serve_app("notes_summarizer.api:create_app", host=host, port=port)


@main.command()
@click.option("--port", type=int, default=8503, show_default=True, help="Port on the loopback address.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run to show; default the committed.")
def dashboard(port: int, out: Path | None) -> None:
    """Try a note or a question, and browse the results; the local model runs only when it is chosen."""
    from carefolio.command import run_dashboard

    run_dashboard("notes_summarizer", port=port, arguments=[str(out.resolve())] if out else [])
