"""What this chapter's command knows beyond the standard verbs: `resample`, `score` and `deploy`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from carefolio.command import common_options

if TYPE_CHECKING:
    from readmission.config import ReadmissionSettings


def open_run(config: Path | None, quick: bool, seed: int | None, out: Path | None) -> "tuple[ReadmissionSettings, Path]":
    """Read the settings and find the folder of a run.

    Parameters
    ----------
    config : Path, optional
        TOML laid over the defaults.
    quick : bool
        The quick form.
    seed : int, optional
        Replaces the configured seed.
    out : Path, optional
        Replaces the usual folder.

    Returns
    -------
    settings : ReadmissionSettings
        Frozen settings.
    folder : Path
        Where the run keeps its files.
    """
    from carefolio.config import load_config
    from carefolio.runs import run_folder
    from readmission.config import FOLDER, PROJECT, ReadmissionSettings

    settings = load_config(ReadmissionSettings, "readmission", file=config, quick=quick, seed=seed)
    return settings, run_folder(FOLDER, PROJECT, out, quick=quick)


@click.command()
@common_options
@click.option("--rows", type=click.IntRange(min=1), help="Encounters in all; the default stands in config.toml.")
@click.option("--partitions", type=click.IntRange(min=1), help="Number of files; the default stands in config.toml.")
def resample(config: Path | None, quick: bool, seed: int | None, out: Path | None, rows: int | None, partitions: int | None) -> None:
    """Make a large input for `score` by drawing patients with replacement."""
    from carefolio.command import step
    from carefolio.datasets.diabetes130 import load_diabetes130
    from readmission.resample import write_resampled

    settings, folder = open_run(config, quick, seed, out)
    folder = out or folder / "encounters"
    rows = rows or settings.score.rows
    loaded = load_diabetes130(allow_synthetic=True, n_synthetic_patients=settings.data.synthetic_patients, random_state=settings.seed)
    with step(f"resample {rows:,} encounters"):
        written = write_resampled(loaded.frame, folder, rows=rows, partitions=min(partitions or settings.score.partitions, rows),
                                  seed=settings.seed)
    click.echo(f"{written:,} encounters: {folder}")


@click.command()
@click.option("--engine", type=click.Choice(["local", "dask"]), default="local", show_default=True, help="One process, or one a core.")
@click.option("--input", "source", required=True, type=click.Path(path_type=Path), help="Folder of Parquet files, a patient in one file.")
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder of the scores; finished parts are skipped.")
@click.option("--artefacts", type=click.Path(path_type=Path), help="Folder of the model; the committed one by default.")
@click.option("--workers", type=click.IntRange(min=1), help="Worker processes of dask; one a core by default.")
@click.option("--overwrite", is_flag=True, help="Score finished parts again.")
def score(engine: str, source: Path, output: Path, artefacts: Path | None, workers: int | None, overwrite: bool) -> None:
    """Score a folder of encounters; goes on where a stopped run was."""
    from carefolio.config import project_home
    from readmission.config import FOLDER
    from readmission.score import score_folder

    done = score_folder(source, output, artefacts=artefacts or project_home(FOLDER) / "artefacts", engine=engine, workers=workers,
                        overwrite=overwrite)
    click.echo(f"{done.rows:,} encounters in {done.seconds:.1f} s ({done.rows / done.seconds:,.0f} a second), peak memory "
               f"{done.peak_memory_mb:,.0f} MB; {done.skipped} of {done.parts} parts were finished before: {output}")


@click.command()
@click.option("--target", type=click.Choice(["local", "sagemaker", "azureml"]), default="local", show_default=True, help="Where to.")
@click.option("--apply/--dry-run", "apply", default=False, show_default=True, help="Do it, or only say what would be done.")
@click.option("--keep", is_flag=True, help="With local: go on serving until Ctrl-C.")
@click.option("--teardown", is_flag=True, help="With sagemaker: remove the endpoint instead.")
@click.option("--config", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="TOML laid over deploy/deploy.toml.")
@click.option("--artefacts", type=click.Path(path_type=Path), help="Folder of the model; the committed one by default.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the plan, the bundle and rendered files.")
def deploy(target: str, apply: bool, keep: bool, teardown: bool, config: Path | None, artefacts: Path | None, out: Path | None) -> None:
    """Plan a deployment and, with --apply, carry it out."""
    from carefolio.config import project_home
    from carefolio.deploy.steps import render_plan
    from readmission.config import FOLDER, PROJECT
    from readmission.deploy.bundle import model_sha256
    from readmission.deploy.plan import apply_plan, build_plan, read_metrics, write_plan
    from readmission.deploy.settings import load_settings

    settings = load_settings(config)
    artefacts = artefacts or project_home(FOLDER) / "artefacts"
    plan = build_plan(target, settings, model_sha256(artefacts), metrics=read_metrics(artefacts), keep=keep, teardown=teardown)
    click.echo(render_plan(plan))
    folder = out or project_home(FOLDER).parents[1] / "outputs" / PROJECT / "deploy" / target
    if apply:
        apply_plan(plan, settings, artefacts=artefacts, folder=folder, say=click.echo)
    elif out:
        click.echo(f"written: {', '.join(str(file) for file in write_plan(plan, settings, out))}")
    else:
        click.echo("Nothing was done. Add --apply to do it, --out to keep the plan and the files it names.")
