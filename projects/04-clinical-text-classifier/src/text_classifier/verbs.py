"""What this chapter's command knows beyond the standard verbs: `classify` and `tune`."""

from pathlib import Path
from typing import IO, TYPE_CHECKING

import click

from carefolio.command import common_options

if TYPE_CHECKING:
    from text_classifier.config import TextClassifierSettings

TASKS = ["headers", "decisions", "specialties"]


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[TextClassifierSettings, Path]":
    """Read the settings and find the folder of a run."""
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from text_classifier.config import FOLDER, PROJECT, TextClassifierSettings

    settings = load_config(TextClassifierSettings, PROJECT, file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option("--task", type=click.Choice(TASKS), default="headers", show_default=True, help="What is asked of the text.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API gives it.")
def classify(file: IO[bytes], task: str, as_json: bool) -> None:
    """Classify the text in FILE, or - for standard input, with the exported model; shows the words that mattered."""
    from text_classifier.artefacts import find_artefacts, served_folder
    from text_classifier.console import read_text, write_answer
    from text_classifier.predictor import Predictor

    text = read_text(file.read())
    predictor = Predictor.open(served_folder(find_artefacts(), task))
    click.echo(write_answer(predictor, text, as_json=as_json))


@click.command()
@common_options
@click.option("--task", type=click.Choice(TASKS), default="headers", show_default=True, help="What to learn.")
@click.option("--base-model", required=True, help="minilm, smollm2, a folder, or a name on the hub such as EleutherAI/gpt-j-6b.")
@click.option("--method", type=click.Choice(["lora", "full"]), default="lora", show_default=True, help="Adapters, or all weights.")
@click.option("--epochs", type=click.IntRange(1), help="Times that each text is seen; default that of smollm2_lora.")
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), help="Default that of smollm2_lora.")
@click.option("--batch", type=click.IntRange(1), help="Texts at once; the rest of a step is accumulated.")
def tune(config: Path | None, quick: bool, seed: int | None, out: Path | None, task: str, base_model: str, method: str,
         epochs: int | None, learning_rate: float | None, batch: int | None) -> None:
    """Tune any open model on one task; needs `data`. Goes on where it was stopped."""
    from carefolio.runs import hold_folder
    from text_classifier.tuning import tune_one

    settings, folder = open_run(config, quick, seed, out)
    changes = {"base": base_model, "method": method} | {name: value for name, value in (
        ("epochs", epochs), ("learning_rate", learning_rate), ("batch", batch)) if value is not None}
    with hold_folder(folder):
        click.echo(tune_one(settings, folder, task, changes))
