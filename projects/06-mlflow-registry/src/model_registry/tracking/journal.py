"""A run is first written to a file here, and from there delivered to the server: what the server does not take now, it takes later.

``<folder>/<key>/entries.jsonl`` has one entry a line, in the order in which things happened; ``files`` beside it holds what shall be
uploaded. Times are fixed when an entry is written, so an entry that is delivered twice is the same entry. Each line is forced to disk.
"""

import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

from carefolio.artefacts import read_json, write_json
from carefolio.exceptions import ArtefactError

ENTRIES_FILE, STATE_FILE, FILES_FOLDER = "entries.jsonl", "state.json", "files"


def begin_run(folder: Path, *, experiment: str, name: str, tags: Mapping[str, str], parent: str | None = None,
              started_ms: int | None = None) -> Path:
    """Open the journal of a new run.

    Parameters
    ----------
    folder : Path
        Holds the journals of a search.
    experiment : str
        Name of the experiment.
    name : str
        Name of the run.
    tags : mapping of str to str
        Tags of the run.
    parent : str, optional
        Key of the run that this one is nested in; its journal is in the same folder.
    started_ms : int, optional
        When the run began; now by default.

    Returns
    -------
    Path
        Folder of the journal; its name is the run's key.
    """
    place = sum(1 for path in folder.glob("*") if path.is_dir()) if folder.is_dir() else 0
    journal = folder / f"{place:05d}-{uuid.uuid4().hex}"
    journal.mkdir(parents=True)
    append(journal, {"do": "create", "experiment": experiment, "name": name, "tags": dict(tags), "parent": parent,
                     "time_ms": started_ms or now_ms()})
    return journal


def log_parameters(journal: Path, values: Mapping[str, Any]) -> None:
    """Note parameters.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    values : mapping
        By name; stored as text.
    """
    append(journal, {"do": "parameters", "values": {name: str(value) for name, value in values.items()}})


def log_metrics(journal: Path, values: Sequence[tuple[str, float, int]], *, at_ms: int | None = None) -> None:
    """Note metrics.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    values : sequence of (name, value, step)
        Finite values.
    at_ms : int, optional
        When they were measured; now by default.
    """
    stamp = at_ms or now_ms()
    append(journal, {"do": "metrics", "values": [[name, float(value), step, stamp] for name, value, step in values]})


def log_tags(journal: Path, values: Mapping[str, str]) -> None:
    """Note tags.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    values : mapping of str to str
        By name.
    """
    append(journal, {"do": "tags", "values": dict(values)})


def log_input(journal: Path, dataset: Mapping[str, str], *, context: str) -> None:
    """Note a data set that the run reads.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    dataset : mapping
        ``name``, ``sha256``, ``source`` and ``profile``.
    context : str
        What it is used for, such as ``"train"``.
    """
    append(journal, {"do": "input", "dataset": dict(dataset), "context": context})


def log_file(journal: Path, path: Path, *, folder: str = "") -> None:
    """Keep a copy of a file, to be uploaded.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    path : Path
        The file; it may change afterwards.
    folder : str, optional
        Folder among the run's artefacts.

    Raises
    ------
    ArtefactError
        If it is missing.
    """
    append(journal, {"do": "file", "file": _keep(journal, path), "folder": folder})


def log_model(journal: Path, path: Path, *, name: str, tags: Mapping[str, str]) -> None:
    """Keep a copy of a saved model, to be uploaded.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    path : Path
        Folder in MLflow's form.
    name : str
        Name of the model.
    tags : mapping of str to str
        Tags of the model, among them ``sha256``.

    Raises
    ------
    ArtefactError
        If it is missing.
    """
    append(journal, {"do": "model", "folder": _keep(journal, path), "name": name, "tags": dict(tags)})


def end_run(journal: Path, *, status: str = "FINISHED", ended_ms: int | None = None) -> None:
    """Note the end.

    Parameters
    ----------
    journal : Path
        Result of `begin_run`.
    status : str, default "FINISHED"
        ``FINISHED`` or ``FAILED``.
    ended_ms : int, optional
        When; now by default, but not before its begin: a clock may have been set back meanwhile.
    """
    begun = int(read_entries(journal)[0]["time_ms"])
    append(journal, {"do": "end", "status": status, "time_ms": ended_ms or max(begun, now_ms())})


def append(journal: Path, entry: Mapping[str, Any]) -> None:
    """Write one entry and force it to disk.

    Parameters
    ----------
    journal : Path
        Folder of the journal.
    entry : mapping
        Ready for JSON; NaN is refused.
    """
    line = json.dumps(entry, ensure_ascii=False, allow_nan=False, separators=(",", ":")) + "\n"
    with (journal / ENTRIES_FILE).open("ab+") as file:
        _drop_cut_line(file)
        file.write(line.encode("utf-8"))
        file.flush()
        os.fsync(file.fileno())


def _drop_cut_line(file: BinaryIO) -> None:
    """Take out a last line that a full disk or a crash cut off; the next one would be glued to it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 1))
    if file.read(1) not in (b"", b"\n"):
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)


def read_entries(journal: Path) -> list[dict[str, Any]]:
    """Read the entries; a last line that was cut off by a crash is not one.

    Parameters
    ----------
    journal : Path
        Folder of the journal.

    Returns
    -------
    list of dict
        In the order in which they were written.

    Raises
    ------
    ArtefactError
        If a line in the middle is damaged.
    """
    entries = []
    for number, line in enumerate((journal / ENTRIES_FILE).read_bytes().split(b"\n")[:-1], start=1):
        try:
            entries.append(json.loads(line))
        except ValueError as error:
            raise ArtefactError(f"{journal / ENTRIES_FILE}:{number} is not JSON ({error}); nothing after it can be delivered. "
                                "Mend or remove the line, then run `registry deliver`.") from None
    return entries


def read_state(journal: Path) -> dict[str, Any]:
    """Read how far the journal was delivered.

    Parameters
    ----------
    journal : Path
        Folder of the journal.

    Returns
    -------
    dict
        ``run_id`` (None before there is one), ``delivered`` (number of entries), ``tried`` (whether a run may have been made already) and
        ``model_id``.
    """
    path = journal / STATE_FILE
    return read_json(path) if path.is_file() else {"run_id": None, "delivered": 0, "tried": False, "model_id": None}


def write_state(journal: Path, state: Mapping[str, Any]) -> None:
    """Keep how far the journal was delivered.

    Parameters
    ----------
    journal : Path
        Folder of the journal.
    state : mapping
        As `read_state` gives it.
    """
    write_json(journal / STATE_FILE, dict(state))


def list_journals(folder: Path) -> list[Path]:
    """List the journals of a search, a parent before its children.

    Parameters
    ----------
    folder : Path
        Holds them.

    Returns
    -------
    list of Path
        In the order in which they were opened.
    """
    return sorted(path.parent for path in folder.glob(f"*/{ENTRIES_FILE}"))


def waiting(folder: Path) -> int:
    """Count the entries that no server has taken yet.

    Parameters
    ----------
    folder : Path
        Holds the journals of a search.

    Returns
    -------
    int
        Entries.
    """
    return sum(len(read_entries(journal)) - read_state(journal)["delivered"] for journal in list_journals(folder))


def now_ms() -> int:
    """Give the time.

    Returns
    -------
    int
        Milliseconds since 1970.
    """
    return int(time.time() * 1000)


def _keep(journal: Path, path: Path) -> str:
    if not path.exists():
        raise ArtefactError(f"{path} is missing, expected something to upload; run the step that writes it first.")
    kept = journal / FILES_FOLDER / uuid.uuid4().hex[:12] / path.name
    kept.parent.mkdir(parents=True)
    if path.is_dir():
        shutil.copytree(path, kept)
    else:
        shutil.copyfile(path, kept)
    return kept.relative_to(journal).as_posix()


def end_unfinished(folder: Path) -> int:
    """End the runs that were begun and never ended, as after a crash, as failed.

    Parameters
    ----------
    folder : Path
        Holds the journals of a search.

    Returns
    -------
    int
        How many there were.
    """
    open_runs = [journal for journal in list_journals(folder) if not any(entry["do"] == "end" for entry in read_entries(journal))]
    for journal in open_runs:
        end_run(journal, status="FAILED")
    return len(open_runs)
