"""The ``readmission`` command. Heavy imports stand inside the verbs, so that ``--help`` answers at once."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from carefolio.command import Group, common_options

if TYPE_CHECKING:
    from readmission.config import ReadmissionSettings


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


def _open(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[ReadmissionSettings, Path]":
    from carefolio.config import load_config
    from readmission.config import ReadmissionSettings
    from readmission.pipeline import run_folder

    return load_config(ReadmissionSettings, "readmission", file=config, quick=quick, seed=seed), run_folder(out, quick=quick)


@main.command()
@common_options
@click.option("--file", type=click.Path(path_type=Path), help="A diabetic_data.csv to read instead of resolving one.")
def data(config: Path | None, quick: bool, seed: int | None, out: Path | None, file: Path | None) -> None:
    """Load, check and split the data."""
    from readmission.pipeline import data_stage

    settings, folder = _open(config, quick, seed, out)
    data_stage(settings, folder, path=file)


@main.command()
@common_options
def train(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Tune, fit and calibrate; needs `data`."""
    from readmission.pipeline import train_stage

    train_stage(*_open(config, quick, seed, out))


@main.command()
@common_options
def evaluate(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Measure on the held-out patients; needs `train`."""
    from readmission.pipeline import evaluate_stage

    evaluate_stage(*_open(config, quick, seed, out))


@main.command()
@common_options
def report(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """Write evidence, figures and model card; needs `evaluate`."""
    from readmission.pipeline import report_stage

    settings, folder = _open(config, quick, seed, out)
    report_stage(settings, folder, command="readmission report", to_repository=not quick and out is None)


@main.command()
@common_options
def run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> None:
    """All four stages in order."""
    from readmission.pipeline import data_stage, evaluate_stage, report_stage, train_stage

    settings, folder = _open(config, quick, seed, out)
    data_stage(settings, folder)
    train_stage(settings, folder)
    evaluate_stage(settings, folder)
    command = f"readmission run{' --quick' if quick else ''}"
    report_stage(settings, folder, command=command, to_repository=not quick and out is None)
    click.echo(f"evidence, figures and model card: {folder / 'reports'}")
