"""The ``notes`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path

import click

from carefolio.command import Group
from carefolio.stages import dashboard_verb, serve_options, stage_verbs
from notes_summarizer.verbs import PROVIDER_OPTION, deidentify, leaflet, open_run, summarize


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


@click.command()
@serve_options(port=8003)
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the run whose index is searched.")
@PROVIDER_OPTION
def serve(host: str, port: int, out: Path | None, no_auth: bool, providers: tuple[str, ...]) -> None:
    """Serve summaries, leaflets and de-identification as an API; makes a key if none is configured."""
    from carefolio.serving.start import curl_line, start_server
    from notes_summarizer.schemas import EXAMPLES

    variables = {"CAREFOLIO_ARTEFACTS": str(out.resolve())} if out else {}
    start_server("notes_summarizer.api:create_app", host=host, port=port, no_auth=no_auth,
                 variables=variables | ({"NOTES_PROVIDERS": ",".join(providers)} if providers else {}),
                 hint=lambda key: curl_line(host, port, key, path="/summarize", body=EXAMPLES["/summarize"]["note"]))


STAGES = stage_verbs("notes_summarizer", "notes", open_run, parts=("summaries", "leaflets"),
                     about={"train": "Index the passages and write every system's notes; needs `data`. No model is trained.",
                            "evaluate": "Measure summaries, retrieval and leaflets; needs `train`."})
DASHBOARD = dashboard_verb("notes_summarizer", port=8503,
                           about="Try a note or a question, and browse the results; the local model runs only when it is chosen.")
for verb in (summarize, leaflet, deidentify, *STAGES, serve, DASHBOARD):
    main.add_command(verb)
