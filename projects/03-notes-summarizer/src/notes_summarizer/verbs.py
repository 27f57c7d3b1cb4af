"""What this chapter's command knows beyond the standard verbs: `summarize`, `leaflet` and `deidentify`."""

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

if TYPE_CHECKING:
    from notes_summarizer.config import NotesSettings

PROVIDERS = ["extractive", "local", "openai", "azure-openai"]
PROVIDER_OPTION = click.option("--provider", "providers", multiple=True, type=click.Choice(PROVIDERS),
                               help="Who writes; give it again for a fallback. Default: NOTES_PROVIDERS, else extractive, which uses no "
                                    "language model.")


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[NotesSettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from notes_summarizer.config import FOLDER, PROJECT, NotesSettings

    settings = load_config(NotesSettings, "notes_summarizer", file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@click.argument("file", type=click.File("rb"))
@PROVIDER_OPTION
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API gives it.")
def summarize(file: IO[bytes], providers: tuple[str, ...], as_json: bool) -> None:
    """Summarise a note in FILE, or - for standard input; every statement with its sources and marks."""
    from notes_summarizer.console import write_summary
    from notes_summarizer.providers.open import open_providers
    from notes_summarizer.schemas import describe_summary
    from notes_summarizer.summary.summarize import summarize as summarize_note

    settings = _settings()
    with open_providers(settings.providers, names=providers or None) as opened:
        result = summarize_note(file.read(), opened, settings.summary)
    click.echo(describe_summary(result).model_dump_json(indent=2) if as_json else write_summary(result))


@click.command()
@click.argument("question")
@PROVIDER_OPTION
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder of the run whose index is searched.")
def leaflet(question: str, providers: tuple[str, ...], out: Path | None) -> None:
    """Answer QUESTION with a leaflet in plain words that cites its passages; needs `train`."""
    from carefolio.exceptions import ArtefactError
    from notes_summarizer.console import write_leaflet as write_text
    from notes_summarizer.leaflet.write import write_leaflet
    from notes_summarizer.providers.open import open_providers
    from notes_summarizer.train import open_index

    settings, index = _settings(), open_index(out)
    if index is None:
        raise ArtefactError("there is no index of passages yet; run `notes run --quick` or `notes train` first.")
    with open_providers(settings.providers, names=providers or None) as opened:
        click.echo(write_text(write_leaflet(question, index, settings.leaflet, providers=opened if providers else None)))


@click.command()
@click.argument("file", type=click.File("rb"))
def deidentify(file: IO[bytes]) -> None:
    """Print the text of FILE, or - for standard input, without its identifiers."""
    from carefolio.privacy.firewall import firewall
    from notes_summarizer.summary.check_text import check_text

    click.echo(firewall(check_text(file.read(), _settings().summary)).text)


def _settings() -> "NotesSettings":
    from carefolio.config import load_config
    from notes_summarizer.config import PROJECT, NotesSettings

    return load_config(NotesSettings, PROJECT)
