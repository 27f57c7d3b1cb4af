"""What was done, in the order in which it was done: one JSON object a line, each chained to the one before by its hash.

The state of the chapter is what the journal says and nothing else. A line is added by writing the file anew beside the old one, forcing it
to disk and moving it into place: after a kill or a power cut the file holds either all lines of before or one more, never half of one. A
line that is torn or altered was so by something else and is refused with its place.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.artefacts import atomic_path
from carefolio.evidence import utc_now
from carefolio.exceptions import DataIntegrityError

FIRST = "0" * 64


@dataclass(frozen=True)
class Entry:
    """A step that was done: the batch whose cycle it belongs to (0 for the first model), its name, and what came of it."""

    batch: int
    step: str
    result: Mapping[str, Any]
    time: str
    hash: str


def read_journal(path: Path) -> list[Entry]:
    """Read a journal and check its chain.

    Parameters
    ----------
    path : Path
        JSON lines; one that is not there is empty.

    Returns
    -------
    list of Entry
        In order.

    Raises
    ------
    DataIntegrityError
        Naming the first line that is torn, altered, moved or missing.
    """
    if not path.is_file():
        return []
    entries, previous = [], FIRST
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), start=1):
        entries.append(_check_line(line, previous, f"{path}, line {number}"))
        previous = entries[-1].hash
    return entries


def append(path: Path, entries: Sequence[Entry], *, batch: int, step: str, result: Mapping[str, Any]) -> list[Entry]:
    """Add a step.

    Parameters
    ----------
    path : Path
        The journal.
    entries : sequence of Entry
        What it holds, from `read_journal`; the caller holds the lock.
    batch : int
        The batch whose cycle it is.
    step : str
        Name of the step.
    result : mapping
        What came of it, ready for JSON; NaN is refused.

    Returns
    -------
    list of Entry
        With the new one.
    """
    body = {"batch": batch, "step": step, "result": dict(result), "time": utc_now(), "previous": entries[-1].hash if entries else FIRST}
    line = _encode(body | {"hash": _hash(body)})
    before = path.read_bytes() if path.is_file() else b""
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        file.write(before + line)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)
    return [*entries, Entry(batch, step, json.loads(line)["result"], str(body["time"]), _hash(body))]


def copy_prefix(source: Path, destination: Path, count: int) -> None:
    """Begin another journal with the first lines of one.

    Parameters
    ----------
    source : Path
        The journal.
    destination : Path
        The new one.
    count : int
        How many lines.
    """
    lines = source.read_bytes().splitlines(keepends=True)[:count]
    with atomic_path(destination) as temporary:
        temporary.write_bytes(b"".join(lines))


def sync_folder(folder: Path) -> None:
    """Force to disk that a file was moved into a folder.

    Parameters
    ----------
    folder : Path
        The folder.
    """
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_line(line: bytes, previous: str, where: str) -> Entry:
    try:
        if not line.endswith(b"\n"):
            raise ValueError("no end of line")
        body = json.loads(line)
        claimed = body.pop("hash")
        entry = Entry(int(body["batch"]), str(body["step"]), dict(body["result"]), str(body["time"]), str(claimed))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DataIntegrityError(f"{where}: not a whole entry, so the file was cut or edited here; nothing was done. Restore the journal "
                                 "from a copy.") from None
    if body.get("previous") != previous:
        raise DataIntegrityError(f"{where}: does not follow the line before it, so a line was removed, added or moved; nothing was done. "
                                 "Restore the journal from a copy.")
    if claimed != _hash(body):
        raise DataIntegrityError(f"{where}: the hash does not hold, so the line was changed; nothing was done. Restore the journal from "
                                 "a copy.")
    return entry


def _encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode("utf-8") + b"\n"


def _hash(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_encode(body)).hexdigest()
