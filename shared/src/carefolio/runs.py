"""The folder of a run and how it becomes a chapter's committed reports: what every chapter's pipeline has in common."""

import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path, read_json, remove_leftovers, write_json
from carefolio.command import step
from carefolio.config import project_home
from carefolio.evidence import UNPUBLISHED_ORIGINS, Evidence, Metric
from carefolio.exceptions import ConfigError
from carefolio.locks import hold_file
from carefolio.measured import read_measured


def run_folder(folder: str, project: str, out: Path | None, *, quick: bool) -> Path:
    """Give the folder in which a run keeps its files.

    Parameters
    ----------
    folder : str
        The project's folder, such as ``"02-readmission-pipeline"``.
    project : str
        Its name below ``outputs``.
    out : Path, optional
        The folder that was asked for.
    quick : bool
        Quick runs stand apart from full ones.

    Returns
    -------
    Path
        ``out``, or ``outputs/<project>/full`` or ``quick`` at the top of the repository.
    """
    return out or project_home(folder).parents[1] / "outputs" / project / ("quick" if quick else "full")


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Keep other processes off the folder of a run, so that files of two runs never mix, and clear away what a killed one left.

    Parameters
    ----------
    folder : Path
        Folder of a run; it is made if need be.

    Yields
    ------
    None
        Nobody else works in the folder in the block.

    Raises
    ------
    BusyError
        If another process does; the message says which.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with hold_file(folder / ".lock"):
        remove_leftovers(folder)
        yield


@contextmanager
def timed_step(title: str, out: Path) -> Iterator[Any]:
    """Say what is being done, as `carefolio.command.step` does, and keep the seconds in ``<out>/durations.json``.

    Parameters
    ----------
    title : str
        What is being done, in a few words.
    out : Path
        Folder of the run.

    Yields
    ------
    None
        The work goes into the block.
    """
    path = out / "durations.json"
    durations: dict[str, float] = read_json(path) if path.is_file() else {}
    with step(title, durations):
        yield
    write_json(path, {name.replace(" ", "_"): seconds for name, seconds in durations.items()})


def read_packaged_toml(package: str, name: str) -> dict[str, Any]:
    """Read a TOML file that comes inside a package.

    Parameters
    ----------
    package : str
        Import name.
    name : str
        File name, such as ``"card.toml"``.

    Returns
    -------
    dict
        The parsed table.
    """
    return tomllib.loads(files(package).joinpath(name).read_text(encoding="utf-8"))


def measured_metrics(folder: str) -> dict[str, Metric]:
    """Read what the benchmarks of a project measured.

    Parameters
    ----------
    folder : str
        The project's folder.

    Returns
    -------
    dict of str to Metric
        By evidence id; empty outside of the repository.
    """
    try:
        return read_measured(project_home(folder) / "reports" / "measured")
    except ConfigError:
        return {}


def may_be_published(evidence: Evidence) -> bool:
    """Say whether every data set of a run is the published one.

    Parameters
    ----------
    evidence : Evidence
        Record of the run.

    Returns
    -------
    bool
        False if one was made up or read from some other file.
    """
    return all(record.origin not in UNPUBLISHED_ORIGINS for record in evidence.data)


def publish(out: Path, home: Path) -> None:
    """Copy reports and artefacts of a run into the project's folder, the evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run.
    home : Path
        The project's folder.
    """
    for name in ("artefacts", "reports"):
        remove_leftovers(home / name)
    produced = [path for name in ("artefacts", "reports") for path in sorted((out / name).rglob("*")) if path.is_file()]
    for path in sorted(produced, key=lambda path: path.name == "evidence.json"):
        with atomic_path(home / path.relative_to(out)) as temporary:
            shutil.copyfile(path, temporary)
