"""The ``textclass`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, stage_verbs
from text_classifier.verbs import TASKS, classify, open_run, tune


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


@click.command()
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


STAGES = stage_verbs("text_classifier", "textclass", open_run, parts=TASKS, part="task",
                     about={"train": "Fit the baselines and tune every system; needs `data`. Goes on where it was stopped.",
                            "evaluate": "Judge every system on the test parts; needs `train`."})
DASHBOARD = dashboard_verb("text_classifier", port=8504, about="Try a text and compare the models; trains nothing.")
for verb in (classify, tune, *STAGES, serve, DASHBOARD):
    main.add_command(verb)
