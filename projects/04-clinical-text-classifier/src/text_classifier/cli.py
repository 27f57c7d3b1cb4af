"""The ``textclass`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
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
@serve_options(port=8004)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of exported models; default the committed.")
def serve(host: str, port: int, out: Path | None, no_auth: bool) -> None:
    """Serve the exported model as an API; makes a key if none is configured."""
    from carefolio.serving.start import curl_line, start_server
    from text_classifier.schemas import EXAMPLES

    start_server("text_classifier.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables={"CAREFOLIO_ARTEFACTS": str(out.resolve())} if out else {},
                 hint=lambda key: curl_line(host, port, key, path="/classify", body=EXAMPLES["/classify"]))


STAGES = stage_verbs("text_classifier", "textclass", open_run, parts=TASKS, part="task",
                     about={"train": "Fit the baselines and tune every system; needs `data`. Goes on where it was stopped.",
                            "evaluate": "Judge every system on the test parts; needs `train`."})
DASHBOARD = dashboard_verb("text_classifier", port=8504, about="Try a text and compare the models; trains nothing.")
for verb in (classify, tune, *STAGES, serve, DASHBOARD):
    main.add_command(verb)
