"""What a run keeps to be made again: commit, source where it was not committed, versions of all packages, settings, hashes of data."""

import io
import re
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path
from carefolio.chapters import repository_root
from carefolio.exceptions import ConfigError

DISTRIBUTION = "carefolio-model-registry"
HOUSE = "carefolio"
SOURCES = ("shared/src", "projects/02-readmission-pipeline/src", "projects/06-mlflow-registry/src")
"""What is run: the library, the chapter that makes the table, and this one."""
SOURCE_FILE = "source.tar.gz"
UNKNOWN = "unknown"


@dataclass(frozen=True)
class Source:
    """The commit that runs, and whether files differ from it."""

    commit: str
    altered: bool


def read_source(root: Path | None = None) -> Source:
    """Name the commit that runs.

    Parameters
    ----------
    root : Path, optional
        The repository; found from the working directory by default.

    Returns
    -------
    Source
        Full hash, ``"unknown"`` outside of version control.
    """
    root = root or repository_root()
    commit = _git(root, "rev-parse", "HEAD")
    return Source(commit or UNKNOWN, not commit or bool(_git(root, "status", "--porcelain", "--untracked-files=all", "--", *SOURCES)))


def keep_source(destination: Path, root: Path | None = None) -> Path:
    """Pack the source that runs, for a run of what is not committed.

    Parameters
    ----------
    destination : Path
        The archive.
    root : Path, optional
        The repository.

    Returns
    -------
    Path
        The archive; the same files give the same bytes within it.
    """
    root = root or repository_root()
    files = sorted(path for folder in SOURCES for path in (root / folder).rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    with atomic_path(destination) as temporary, tarfile.open(temporary, "w:gz") as archive:
        for path in files:
            content = path.read_bytes()
            entry = tarfile.TarInfo(path.relative_to(root).as_posix())
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return destination


def check_out(commit: str, folder: Path, root: Path | None = None) -> None:
    """Lay out the source of a commit, without touching the working tree.

    Parameters
    ----------
    commit : str
        Full hash.
    folder : Path
        Destination; made if there is none.
    root : Path, optional
        The repository.

    Raises
    ------
    ConfigError
        If the repository does not have the commit.
    """
    root = root or repository_root()
    done = subprocess.run(["git", "-C", str(root), "archive", commit, *SOURCES], capture_output=True, check=False)
    if done.returncode:
        raise ConfigError(f"commit {commit[:12]} cannot be laid out from {root}: {done.stderr.decode(errors='replace').strip()[-200:]}. "
                          "Fetch it (`git fetch`), or run from a repository that has it.")
    unpack(io.BytesIO(done.stdout), folder)


def unpack(content: Any, folder: Path) -> None:
    """Unpack an archive of source; links, devices and places outside of the folder are refused.

    Parameters
    ----------
    content : file object
        The archive.
    folder : Path
        Destination.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=content) as archive:
        archive.extractall(folder, filter="data")


def source_path(folder: Path) -> str:
    """Give ``PYTHONPATH`` for a laid out source.

    Parameters
    ----------
    folder : Path
        Holds the folders of `SOURCES`.

    Returns
    -------
    str
        Goes before everything that is installed.
    """
    return ":".join(str(folder.absolute() / name) for name in SOURCES)


def pinned_packages(distribution: str = DISTRIBUTION) -> dict[str, str]:
    """List the installed versions of all that a distribution needs, directly or not.

    Parameters
    ----------
    distribution : str
        Name of the distribution.

    Returns
    -------
    dict of str to str
        Version by canonical name, sorted; packages of the house are the commit's and are left out.
    """
    found: dict[str, str] = {}
    waiting = [(distribution, frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        installed = _installed(name)
        if installed is not None:
            found[name] = installed.version
            waiting += [wanted for text in installed.requires or () if (wanted := _wanted(text, extras))]
    return {name: found[name] for name in sorted(found) if name.partition("-")[0] != HOUSE}


def _installed(name: str) -> metadata.Distribution | None:
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None  # an extra or another platform's; what is not here did not run


def _wanted(requirement: str, extras: frozenset[str]) -> tuple[str, frozenset[str]] | None:
    from packaging.requirements import Requirement

    parsed = Requirement(requirement)
    needed = parsed.marker is None or any(parsed.marker.evaluate({"extra": extra}) for extra in (*extras, ""))
    return (re.sub(r"[-_.]+", "-", parsed.name).lower(), frozenset(parsed.extras)) if needed else None


def requirement_lines(packages: Mapping[str, str], names: Sequence[str] = ()) -> list[str]:
    """Write pins.

    Parameters
    ----------
    packages : mapping of str to str
        Version by name.
    names : sequence of str, optional
        Only these.

    Returns
    -------
    list of str
        Such as ``"lightgbm==4.6.0"``.
    """
    return [f"{name}=={version}" for name, version in packages.items() if not names or name in names]


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
