"""The ``textclass`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group, common_options
from text_classifier.verbs import TASKS, classify, open_run, tune

TASK_OPTION = click.option("--task", "tasks", multiple=True, type=click.Choice(TASKS),
                           help="Only this task; may be given again. Default: all.")


@click.group(cls=Group)
@click.version_option(package_name="carefolio-text-classifier")
def main() -> None:
    """Open language models, tuned on clinical text and held against baselines that cost nothing.

    \b
    textclass classify conversation.txt            which section of the note it belongs to
    textclass run --quick                          all of it, small, in about a minute
    textclass run                                  the committed results; hours on a laptop, goes on where it was stopped
    textclass tune --base-model EleutherAI/gpt-j-6b --task headers    any open model, on a GPU
    textclass serve --no-auth                      the API, on this machine only
    textclass dashboard                            try a text, and compare the models

    For research and education. Not a medical device; not for decisions about patients.
    """


for verb in (classify, tune):
    main.add_command(verb)


@main.command()
@common_options
@TASK_OPTION
def data(config: Path | None, quick: bool, seed: int | None, out: Path | None, tasks: tuple[str, ...]) -> None:
    """Load and check the data sets."""
    from text_classifier.pipeline import data_stage

    data_stage(*open_run(config, quick, seed, out), parts=tasks)


@main.command()
@common_options
def train(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Fit the baselines and tune every system; needs `data`. Goes on where it was stopped."""
    from text_classifier.pipeline import train_stage

    train_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def evaluate(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Judge every system on the test parts; needs `train`."""
    from text_classifier.pipeline import evaluate_stage

    evaluate_stage(*open_run(config, quick, seed, out))


@main.command()
@common_options
def report(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Write evidence, figures and model card; needs `evaluate`."""
    from text_classifier.pipeline import report_stage

    settings, folder = open_run(config, quick, seed, out)
    report_stage(settings, folder, command="textclass report", to_repository=not quick and out is None)


@main.command()
@common_options
@TASK_OPTION
def run(config: Path | None, quick: bool, seed: int | None, out: Path | None, tasks: tuple[str, ...]) -> None:
    """All four stages in order."""
    from carefolio.parts import refuse_missing_parts
    from text_classifier.pipeline import data_stage, evaluate_stage, report_stage, train_stage

    settings, folder = open_run(config, quick, seed, out)
    data_stage(settings, folder, parts=tasks)
    train_stage(settings, folder)
    evaluate_stage(settings, folder)
    command = f"textclass run{' --quick' if quick else ''}"
    report_stage(settings, folder, command=command, to_repository=not quick and out is None)
    click.echo(f"evidence, figures and model card: {folder / 'reports'}")
    refuse_missing_parts(folder)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to bind.")
@click.option("--port", type=click.IntRange(1, 65535), default=8004, show_default=True, help="Port to bind.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of exported models; default the committed.")
@click.option("--no-auth", is_flag=True, help="Ask for no key; on this machine only.")
def serve(host: str, port: int, out: Path | None, no_auth: bool) -> None:
    """Serve the exported model as an API; makes a key if none is configured."""
    import os

    from carefolio.command import serve_app
    from carefolio.serving.start import curl_line, server_environment
    from text_classifier.schemas import EXAMPLES

    variables, key = server_environment(os.environ, host=host, no_auth=no_auth)
    os.environ.update(variables | ({"CAREFOLIO_ARTEFACTS": str(out.resolve())} if out else {}))
    click.echo(f"try it from another terminal:\n{curl_line(host, port, key, path='/classify', body=EXAMPLES['/classify'])}")
    serve_app("text_classifier.api:create_app", host=host, port=port)


@main.command()
@click.option("--port", type=int, default=8504, show_default=True, help="Port on the loopback address.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of a run to show; default the committed.")
def dashboard(port: int, out: Path | None) -> None:
    """Try a text and compare the models; trains nothing."""
    from carefolio.command import run_dashboard

    run_dashboard("text_classifier", port=port, arguments=[str(out.resolve())] if out else [])
