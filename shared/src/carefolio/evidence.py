"""The record of one run: what it read, on what machine, how long it took and what it measured, as ``reports/evidence.json``."""

import json
import math
import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from carefolio.artefacts import write_json
from carefolio.datasets.provenance import Origin
from carefolio.exceptions import EvidenceError

METRIC_ID = re.compile(r"[a-z0-9_]+(?:\.[a-z0-9_]+){3}")
UNPUBLISHED_ORIGINS = ("synthetic", "file")
"""Origins whose results are not published: made up, or read from a file that is not the published one."""
MADE_BY_PROGRAM = ("synthea_fhir_r4",)
"""Published data sets in which nobody is real: what is measured on them may be published, but never called real."""
CREATED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, populate_by_name=True)


class Metric(_Record):
    """A measured value with its interval, the size of what it was measured on and its direction.

    ``low``, ``high`` and ``level`` (as a share, 0.95) stand together or not at all; ``n`` is the number of rows, images or
    requests behind the value; ``higher_is_better`` is None for a value without a better side, such as a prevalence.
    """

    value: float
    low: float | None = None
    high: float | None = None
    level: float | None = Field(default=None, gt=0, lt=1)
    n: int = Field(ge=0)
    higher_is_better: bool | None

    @model_validator(mode="after")
    def _interval_is_whole(self) -> "Metric":
        bounds = [self.low, self.high, self.level]
        if any(bound is None for bound in bounds) and any(bound is not None for bound in bounds):
            raise ValueError("low, high and level go together; give all three or none")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low must not exceed high; got {self.low} and {self.high}")
        return self


class DataRecord(_Record):
    """A data set as it was read: name, origin, SHA-256 and number of rows."""

    name: str
    origin: Origin
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    rows: int = Field(ge=0)


class SplitRecord(_Record):
    """The split that was used: its unit, the SHA-256 of its file, and the number of rows in each part."""

    unit: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    parts: dict[str, int]


class Environment(_Record):
    """Python and package versions, and the machine in words without its name."""

    python: str
    packages: dict[str, str]
    machine: str


class FigureRecord(_Record):
    """A figure below the reports folder, and what it shows in words."""

    file: str
    alt: str = Field(min_length=1)


class ArtefactRecord(_Record):
    """A model file below the project's folder, and its SHA-256."""

    file: str
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class Evidence(_Record):
    """Everything that one run may claim; documents take their numbers from here and from nowhere else."""

    schema_version: Literal[1] = Field(default=1, alias="schema")
    project: str = Field(pattern="^[a-z][a-z0-9_]*$")
    commit: str
    command: str
    created: str
    seed: int
    config: dict[str, Any]
    data: list[DataRecord]
    split: SplitRecord | None = None
    environment: Environment
    durations_s: dict[str, float]
    metrics: dict[str, Metric]
    figures: list[FigureRecord]
    artefacts: list[ArtefactRecord]

    @field_validator("created")
    @classmethod
    def _created_is_utc(cls, value: str) -> str:
        if not CREATED.fullmatch(value):
            raise ValueError("expected UTC such as 2026-01-31T12:00:00Z; use carefolio.evidence.utc_now()")
        return value

    @field_validator("config")
    @classmethod
    def _config_is_json(cls, value: dict[str, Any]) -> dict[str, Any]:
        json.dumps(value, allow_nan=False)
        return value

    @field_validator("metrics")
    @classmethod
    def _metric_ids_are_well_formed(cls, value: dict[str, Metric]) -> dict[str, Metric]:
        for name in value:
            if not METRIC_ID.fullmatch(name):
                raise ValueError(f"metric id {name!r} is not <cohort>.<part>.<model>.<metric> in lower case, digits and underscores")
        return value


def utc_now() -> str:
    """Give the time in the form that the record takes.

    Returns
    -------
    str
        UTC to the second, for example ``2026-01-31T12:00:00Z``.
    """
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def environment(packages: list[str]) -> Environment:
    """Describe the interpreter, the packages that shape a result, and the machine.

    Parameters
    ----------
    packages : list of str
        Names of distributions, for example ``["lightgbm", "scikit-learn"]``.

    Returns
    -------
    Environment
        Versions and, for example, ``"Linux x86_64, 2 cores, 24 GB"``; no host name.

    Raises
    ------
    EvidenceError
        If a package is not installed.
    """
    versions = {}
    for name in sorted(packages):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            raise EvidenceError(f"package {name!r} is not installed, so its version cannot be recorded; "
                                "install it or take it off the list.") from None
    return Environment(python=platform.python_version(), packages=versions, machine=_machine())


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    words = f"{platform.system()} {platform.machine()}, {cores} core{'s' * (cores != 1)}"
    if "SC_PHYS_PAGES" not in getattr(os, "sysconf_names", {}):
        return words
    return f"{words}, {os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 1e9:.0f} GB"


def git_commit(folder: Path | None = None) -> str:
    """Name the commit that is being run.

    Parameters
    ----------
    folder : Path, optional
        A folder of the repository; the working directory by default.

    Returns
    -------
    str
        Short hash, with ``-dirty`` if anything but committed reports and artefacts differs from it; ``"unknown"``
        outside version control.
    """
    folder = folder or Path.cwd()
    top = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "rev-parse", "--short", "HEAD")
    if not top or not commit:
        return "unknown"
    results = [f":(exclude,glob)projects/*/{name}/**" for name in ("reports", "artefacts")]
    changed = _git(Path(top), "status", "--porcelain", "--", ".", *results)
    return f"{commit}-dirty" if changed else commit


def _git(folder: Path, *arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def metric(value: Any, *, n: int | None = None, higher_is_better: bool | None) -> Metric:
    """Make a metric of a number or of an estimate with its interval.

    Parameters
    ----------
    value : float or object
        A finite number, or an object with the attributes ``value``, ``low``, ``high``, ``level`` and, unless ``n`` is given, ``n``.
    n : int, optional
        Number of rows, images or requests behind the value.
    higher_is_better : bool or None
        Direction; None for a value without a better side.

    Returns
    -------
    Metric
        A frozen record.

    Raises
    ------
    EvidenceError
        If a value is not finite, ``n`` is unknown, or the interval is incomplete.
    """
    estimate = value if hasattr(value, "value") else None
    size = n if n is not None else getattr(estimate, "n", None)
    point = float(value if estimate is None else estimate.value)
    if size is None:
        raise EvidenceError(f"metric with value {point} has no n; pass n=, the number of rows behind it.")
    if not math.isfinite(point):
        raise EvidenceError(f"metric value must be finite; got {point} on n = {size}. Leave the metric out or mend what computes it.")
    bounds = {name: None if (bound := getattr(estimate, name, None)) is None else float(bound) for name in ("low", "high", "level")}
    try:
        return Metric(value=point, n=int(size), higher_is_better=higher_is_better, **bounds)
    except ValidationError as error:
        raise EvidenceError(f"metric with value {point}: {_first(error)}.") from None


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    shown = repr(first["input"])
    return f"`{where}`: {first['msg']}" + (f"; got {shown}" if len(shown) < 80 else "")


def write_evidence(path: Path, evidence: Evidence) -> Path:
    """Write the record whole or not at all.

    Parameters
    ----------
    path : Path
        Destination, usually ``reports/evidence.json``.
    evidence : Evidence
        The record.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    EvidenceError
        If the data is synthetic and the destination is a committed folder of a project.
    """
    refuse_synthetic(evidence, path)
    return write_json(path, evidence.model_dump(mode="json", by_alias=True))


def read_evidence(path: Path) -> Evidence:
    """Read a record and check it.

    Parameters
    ----------
    path : Path
        An ``evidence.json``.

    Returns
    -------
    Evidence
        The record.

    Raises
    ------
    EvidenceError
        If the file is missing, not JSON, or not such a record; one line that names the file and the field.
    """
    try:
        return Evidence.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise EvidenceError(f"{path} is missing; the project's `run` writes it.") from None
    except ValidationError as error:
        raise EvidenceError(f"{path} is not a run record: {_first(error)}. Write it again with the project's `run`.") from None


def is_synthetic(evidence: Evidence) -> bool:
    """Tell whether any of the data was made up.

    Parameters
    ----------
    evidence : Evidence
        The record.

    Returns
    -------
    bool
        True if one of the data sets has the origin ``synthetic``.
    """
    return any(record.origin == "synthetic" for record in evidence.data)


def refuse_synthetic(evidence: Evidence, destination: Path) -> None:
    """Keep results on made-up data out of what is committed.

    Parameters
    ----------
    evidence : Evidence
        The record of the run.
    destination : Path
        File or folder about to be written.

    Raises
    ------
    EvidenceError
        If the data is synthetic and the destination lies in a project's ``reports`` or ``artefacts``.
    """
    parts = destination.resolve().parts
    committed = any(parts[i] == "projects" and parts[i + 2] in ("reports", "artefacts") for i in range(len(parts) - 2))
    if committed and is_synthetic(evidence):
        names = ", ".join(record.name for record in evidence.data if record.origin == "synthetic")
        raise EvidenceError(f"{destination} holds committed results, but {names} is a synthetic twin; "
                            "pass --out for another folder, or make the real data available (see `carefolio data list`).")
