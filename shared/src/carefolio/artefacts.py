"""Files written whole or not at all, and models whose bytes are checked before they are used."""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from carefolio.exceptions import ArtefactError
from carefolio.locks import try_lock
from carefolio.machine import WRITING

UNFINISHED = ".part-"
"""Begins the name of a file or folder that is being written."""


def sha256_file(path: Path) -> str:
    """Hash a file.

    Parameters
    ----------
    path : Path
        An existing file.

    Returns
    -------
    str
        Lower-case hexadecimal SHA-256.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and move it into place only when the block ends well.

    Parameters
    ----------
    path : Path
        Where the finished file shall stand; missing folders are made.

    Yields
    ------
    Path
        Write here. An exception, Ctrl-C included, removes it and leaves ``path`` as it was; what a killed process leaves is cleared
        away by `remove_leftovers`.
    """
    with _naming(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f"{UNFINISHED}{path.stem}-", suffix=path.suffix, dir=path.parent)
        temporary = Path(name)
        try:
            try_lock(handle)  # tells `remove_leftovers` that it is being written
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(handle)


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Note on an error which file was being written."""
    try:
        yield
    except Exception as error:
        error.add_note(f"{WRITING}{path}")
        raise


def remove_leftovers(folder: Path) -> None:
    """Remove what a process that was killed left half-written; a file that another process is writing stays.

    Parameters
    ----------
    folder : Path
        Searched with the folders below.
    """
    for path in sorted(folder.rglob(f"{UNFINISHED}*")):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
            continue
        with suppress(FileNotFoundError), path.open("rb") as file:
            if try_lock(file.fileno()):
                path.unlink()


def write_text(path: Path, text: str) -> Path:
    """Write text whole or not at all.

    Parameters
    ----------
    path : Path
        Destination.
    text : str
        Content, stored as UTF-8.

    Returns
    -------
    Path
        The destination.
    """
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def write_json(path: Path, value: Any) -> Path:
    """Write JSON whole or not at all, keys in the given order, NaN refused.

    Parameters
    ----------
    path : Path
        Destination.
    value : Any
        Anything that ``json`` can write.

    Returns
    -------
    Path
        The destination.
    """
    return write_text(path, json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON, with an error that names the file.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    Any
        The parsed value.

    Raises
    ------
    ArtefactError
        If the file is missing or not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ArtefactError(f"{path} is missing; run the step that writes it first.") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ArtefactError(f"{path} is not valid JSON ({error}); delete it and run the step that writes it again.") from None


def seal(path: Path) -> Path:
    """Write ``<path>.sha256`` beside a finished artefact, in the form that ``sha256sum --check`` reads.

    Parameters
    ----------
    path : Path
        The artefact.

    Returns
    -------
    Path
        The checksum file.
    """
    return write_text(path.with_name(path.name + ".sha256"), f"{sha256_file(path)}  {path.name}\n")


def verify_seal(path: Path) -> str:
    """Check an artefact against its checksum file before anything reads it.

    Parameters
    ----------
    path : Path
        The artefact; ``<path>.sha256`` must stand beside it.

    Returns
    -------
    str
        The SHA-256 that was found and expected.

    Raises
    ------
    ArtefactError
        If either file is missing or the hash differs.
    """
    checksum = path.with_name(path.name + ".sha256")
    for needed in (path, checksum):
        if not needed.is_file():
            raise ArtefactError(f"{needed} is missing; restore it from version control or run `train` again.")
    expected = checksum.read_text(encoding="utf-8").split(maxsplit=1)[0]
    got = sha256_file(path)
    if got != expected:
        raise ArtefactError(f"{path} has SHA-256 {got}, expected {expected}; it was changed or cut short. Restore it or train again.")
    return got
