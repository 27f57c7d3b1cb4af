"""Make a run again from what it kept, and compare: identical to 1e-9, or what exactly differs.

The commit is laid out in a folder of its own, and a new process runs it there: chapter 02's command makes the table again, the split is
drawn again, the search is run again with the recorded settings, and nothing is sent to any server.
"""

import json
import math
import os
import platform
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from carefolio.artefacts import read_json, sha256_file, write_text
from carefolio.command import step
from carefolio.exceptions import CarefolioError
from model_registry.provenance import SOURCE_FILE, check_out, pinned_packages, requirement_lines, source_path, unpack
from model_registry.tracking.errors import RegistryError
from model_registry.tracking.runs import read_record, read_run

TOLERANCE = 1e-9
TIMEOUT_S = 6 * 3600
RUN = "from model_registry.cli import main; main()"
Environment = Literal["auto", "present", "build"]
Say = Callable[[str], None]


@dataclass(frozen=True)
class Reproduction:
    """What came of it: whether all metrics agree, what differs, what is worth knowing, and how many metrics were compared."""

    identical: bool
    differences: tuple[str, ...]
    notes: tuple[str, ...]
    compared: int
    largest: float


def reproduce_run(tracking_uri: str, run_id: str, *, environment: Environment = "auto", run_recorded_source: bool = False,
                  folder: Path | None = None, say: Say = lambda _: None) -> Reproduction:
    """Make a search, or the search that a trial belongs to, again.

    Parameters
    ----------
    tracking_uri : str
        Where the run is recorded.
    run_id : str
        A search or one of its trials.
    environment : {"auto", "present", "build"}
        Packages that run: those here, or those of the record in an environment of their own; ``auto`` builds it where versions differ.
    run_recorded_source : bool, default False
        Run the source kept with the run, if it was not committed.
    folder : Path, optional
        Keeps the source, the data and the results; a temporary one by default.
    say : callable, optional
        Told what is being done.

    Returns
    -------
    Reproduction
        The comparison.

    Raises
    ------
    RegistryError
        If the run cannot be made again: not a search, unfinished, or of a source that was not committed.
    CarefolioError
        If the new run fails.
    """
    run = read_run(tracking_uri, run_id)
    parent = run if run.parent is None else read_run(tracking_uri, run.parent)
    if parent.status != "FINISHED":
        raise RegistryError(f"run {parent.run_id} is {parent.status}; only a finished run can be made again.")
    with ExitStack() as stack:
        place = folder or Path(stack.enter_context(TemporaryDirectory(prefix="registry-again-")))
        record, kept = read_record(tracking_uri, parent.run_id, place / "record")
        lay_out_source(record, kept, place / "source", run_recorded_source=run_recorded_source)
        present = compare_environment(record)
        python, built = choose_python(record, present, environment, place / "environment", say=say)
        run_again(record, place, python=python)
        name = record["experiment"]
        before, after = read_json(kept / f"{name}.json"), read_json(place / "out" / "result" / f"{name}.json")
    trial = None if run.parent is None else int(run.tags["carefolio.trial"])
    return judge(before, after, trial=trial, environment=() if built else present)


def lay_out_source(record: Mapping[str, Any], kept: Path, folder: Path, *, run_recorded_source: bool) -> None:
    """Lay out the source of a run: its commit, or what was kept with it.

    Parameters
    ----------
    record : mapping
        The run's record.
    kept : Path
        Files kept beside the record.
    folder : Path
        Destination.
    run_recorded_source : bool
        Whether kept source may be run.

    Raises
    ------
    RegistryError
        If the source was not committed and may not be taken from the run.
    """
    if not record["altered"]:
        check_out(record["commit"], folder)
    elif not run_recorded_source:
        raise RegistryError(f"the run was made of files that differ from commit {record['commit'][:12]}. Their source was kept with it "
                            f"(SHA-256 {sha256_file(kept / SOURCE_FILE)}); --run-recorded-source runs it, if you trust who can write "
                            "there.")
    else:
        with (kept / SOURCE_FILE).open("rb") as file:
            unpack(file, folder)


def compare_environment(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Say in what the environment here differs from the recorded one.

    Parameters
    ----------
    record : mapping
        The run's record.

    Returns
    -------
    tuple of str
        Packages of other versions, missing packages, another Python; empty where nothing differs.
    """
    here, there = pinned_packages(), record["packages"]
    found = [f"package {name} is {here.get(name, 'not installed')} here, {version} then" for name, version in there.items()
             if here.get(name) != version]
    if record["python"] != platform.python_version():
        found.append(f"Python is {platform.python_version()} here, {record['python']} then")
    return tuple(found)


def choose_python(record: Mapping[str, Any], present: tuple[str, ...], environment: Environment, folder: Path, *,
                  say: Say) -> tuple[str, bool]:
    """Give the interpreter that makes the run again.

    Parameters
    ----------
    record : mapping
        The run's record.
    present : tuple of str
        Result of `compare_environment`.
    environment : {"auto", "present", "build"}
        As `reproduce_run` takes it.
    folder : Path
        Receives an environment that is built.
    say : callable
        Told what is being done.

    Returns
    -------
    python : str
        The interpreter.
    built : bool
        Whether it was made for this.

    Raises
    ------
    RegistryError
        If the environment cannot be built.
    """
    if environment == "present" or (environment == "auto" and not present):
        return sys.executable, False
    say(f"an environment of {len(record['packages'])} recorded packages is built")
    venv.create(folder, clear=True, with_pip=shutil.which("uv") is None)
    python = str(folder / "bin" / "python")
    pins = write_text(folder / "requirements.txt", "\n".join(requirement_lines(record["packages"])) + "\n")
    done = subprocess.run(install_command(python, pins), env=os.environ | uv_links(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RegistryError(f"the recorded environment cannot be installed: {done.stderr.strip()[-300:]}. Make the packages available, or "
                            "pass --environment present to run with those here; differences are named.")
    return python, True


def install_command(python: str, pins: Path) -> list[str]:
    """Name the command that installs pins, and nothing that they need besides: they are complete.

    Parameters
    ----------
    python : str
        Interpreter of the environment.
    pins : Path
        File of requirements.

    Returns
    -------
    list of str
        Uv's where it is on the PATH, else pip's.
    """
    if shutil.which("uv"):
        return ["uv", "pip", "install", "--quiet", "--python", python, "--no-deps", "--requirement", str(pins)]
    return [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--requirement", str(pins)]


def uv_links() -> dict[str, str]:
    """Hand uv the place of local wheels that pip is told of, since it does not read pip's settings.

    Returns
    -------
    dict of str to str
        Empty where none is set.
    """
    links = os.environ.get("PIP_FIND_LINKS", "")
    return {"UV_FIND_LINKS": links} if links else {}


def run_again(record: Mapping[str, Any], place: Path, *, python: str) -> None:
    """Run the search in a process of its own.

    Parameters
    ----------
    record : mapping
        The run's record.
    place : Path
        Holds ``source``; receives ``out``.
    python : str
        The interpreter.

    Raises
    ------
    CarefolioError
        If it fails; its last words are in the message.
    """
    config = write_text(place / "settings.toml", to_toml(record["settings"]))
    command = [python, "-c", RUN, "search", record["experiment"], "--config", str(config.absolute()),
               "--out", str((place / "out").absolute()), "--tracking-uri", "none"]
    variables = os.environ | {"PYTHONPATH": source_path(place / "source"), "CAREFOLIO_HOME": str((place / "source").absolute())}
    try:
        with step("the run is made again"):
            done = subprocess.run(command, env=variables, cwd=place, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        raise CarefolioError(f"the run did not end within {TIMEOUT_S} s; it cannot be compared.") from None
    if done.returncode:
        raise CarefolioError(f"the run cannot be made again: it ended with status {done.returncode}: {done.stderr.strip()[-400:]}.")


def judge(before: Mapping[str, Any], after: Mapping[str, Any], *, trial: int | None = None,
          environment: tuple[str, ...] = ()) -> Reproduction:
    """Compare a result with the one that was recorded.

    Parameters
    ----------
    before, after : mapping
        ``metrics``, ``trials``, ``data`` and ``model_sha256`` of the recorded run and of the new one.
    trial : int, optional
        Compare this trial alone.
    environment : tuple of str, optional
        Differences of the environment that ran; a cause to name, not a failure by themselves.

    Returns
    -------
    Reproduction
        Identical only if data, split, parameters and every metric agree.
    """
    differences = [*_data_differences(before["data"], after["data"]), *_trial_differences(before, after, trial)]
    old, new = _numbers(before, trial), _numbers(after, trial)
    gaps = {name: math.inf if name not in old or name not in new else abs(old[name] - new[name]) for name in sorted(set(old) | set(new))}
    differences += [f"metric {name}: {_shown(new.get(name))} now, {_shown(old.get(name))} then" for name, gap in gaps.items()
                    if gap > TOLERANCE]
    same_bytes = before["model_sha256"] == after["model_sha256"]
    notes = [] if trial is not None else [f"the model's weights are {'the same bytes' if same_bytes else 'other bytes'}"]
    notes += [f"environment: {text}" for text in environment]
    return Reproduction(not differences, tuple(differences), tuple(notes), len(gaps), max(gaps.values(), default=0.0))


def _data_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    pairs = {"data set": ("provenance", "sha256"), "rows of the data set": ("provenance", "rows"), "split": ("split", "sha256")}
    found = [f"{title}: {after[outer][inner]} now, {before[outer][inner]} then" for title, (outer, inner) in pairs.items()
             if before[outer][inner] != after[outer][inner]]
    if before["table_sha256"] != after["table_sha256"]:
        found.append(f"table: {after['table_sha256']} now, {before['table_sha256']} then")
    return found


def _trial_differences(before: Mapping[str, Any], after: Mapping[str, Any], trial: int | None) -> list[str]:
    old, new = ({item["number"]: item["parameters"] for item in side["trials"] if trial in (None, item["number"])}
                for side in (before, after))
    found = [f"trial {number + 1}, parameter {name}: {new[number].get(name)} now, {old[number][name]} then"
             for number in sorted(set(old) & set(new)) for name in old[number] if old[number][name] != new[number].get(name)]
    return found + ([] if set(old) == set(new) else [f"number of trials: {len(new)} now, {len(old)} then"])


def _numbers(result: Mapping[str, Any], trial: int | None) -> dict[str, float]:
    chosen = [item for item in result["trials"] if trial in (None, item["number"])]
    folds = {f"trial {item['number'] + 1}, fold {fold + 1}": value for item in chosen for fold, value in enumerate(item["values"])}
    return folds if trial is not None else folds | result["metrics"]


def _shown(value: float | None) -> str:
    return "absent" if value is None else repr(value)


def to_toml(settings: Mapping[str, Any]) -> str:
    """Write settings of one level of tables as TOML.

    Parameters
    ----------
    settings : mapping
        Plain values and tables of plain values or lists.

    Returns
    -------
    str
        TOML, plain values first.
    """
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items() if not isinstance(value, Mapping)]
    for name, table in settings.items():
        if isinstance(table, Mapping):
            lines += [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"
