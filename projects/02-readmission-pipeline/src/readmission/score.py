"""Bulk scoring: a folder of Parquet files in, a folder of the same files with ``encounter_id, risk`` out, in flat memory.

A part is one file, and all stays of a patient lie in one part. One pure function scores a part; the engines differ only in
who calls it: ``local`` one part after the other in this process, with every core at work inside it; ``dask`` several parts at
a time, one worker process a core, on the loopback address. A score file carries the hashes of its input and of the model, so
that a run that was stopped goes on where it was.
"""

import functools
import hashlib
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.artefacts import atomic_path, sha256_file, verify_seal
from carefolio.datasets.diabetes130 import column_types, raw_schema
from carefolio.datasets.schema import apply_types, check_columns, validate
from carefolio.exceptions import ArtefactError, ConfigError, DataUnavailableError, SchemaError
from readmission.engines import check_engine, peak_memory_mb, run, with_progress_bar
from readmission.features import ENCOUNTER, PATIENT, build_features
from readmission.model import MANIFEST_FILE, MODEL_FILE, ReadmissionModel, load_model


class Job(NamedTuple):
    """One part: what to read, where to write, and with which model."""

    part: Path
    destination: Path
    artefacts: Path
    model_sha256: str


@dataclass(frozen=True)
class ScoreSummary:
    """What a run of `score_folder` did; rows, seconds and memory are those of this run, not of the parts it skipped."""

    parts: int
    skipped: int
    rows: int
    seconds: float
    peak_memory_mb: float


def score_folder(source: Path, destination: Path, *, artefacts: Path, engine: str = "local", workers: int | None = None,
                 overwrite: bool = False) -> ScoreSummary:
    """Score every part of a folder.

    Parameters
    ----------
    source : Path
        Folder of ``*.parquet`` files with the published columns; all stays of a patient lie in one file.
    destination : Path
        Folder of the scores, one file a part under the part's name; finished parts are skipped.
    artefacts : Path
        Folder of the model.
    engine : {"local", "dask"}, default "local"
        Who calls `score_part`.
    workers : int, optional
        Worker processes of ``dask``; one a core by default.
    overwrite : bool, default False
        Score finished parts again, and replace scores of another input or model.

    Returns
    -------
    ScoreSummary
        Parts, rows, wall time, and the peak resident memory of this process and its children.

    Raises
    ------
    DataUnavailableError
        If the folder holds no Parquet file.
    SchemaError
        If a part is not Parquet, lacks a column, holds a value out of range, or shares a patient with another part.
    ArtefactError
        If the model is missing or altered, or the destination holds scores of another input or model.
    ConfigError
        If the engine is unknown or its packages are not installed.
    """
    check_engine(engine)
    start = time.perf_counter()
    with peak_memory_mb() as peak:
        parts = find_parts(source)
        check_destination(destination, source, parts)
        model_sha256 = hash_model(artefacts)
        check_patients(parts)
        jobs = [Job(part, destination / part.name, artefacts, model_sha256) for part in parts]
        todo = [job for job in jobs if overwrite or not is_finished(job)]
        try:
            rows = sum(with_progress_bar(run(score_part, todo, engine=engine, workers=workers), len(todo)))
        finally:
            _remove_unfinished(todo)
    return ScoreSummary(len(jobs), len(jobs) - len(todo), rows, time.perf_counter() - start, peak[0])


def score_part(job: Job) -> int:
    """Read, check and score one part, and write its scores whole or not at all.

    Parameters
    ----------
    job : Job
        The part.

    Returns
    -------
    int
        Number of encounters.

    Raises
    ------
    SchemaError
        If the part does not fit the schema.
    """
    scores = score_encounters(read_part(job.part), _model(job.artefacts, job.model_sha256))
    with atomic_path(job.destination) as path:
        scores.write_parquet(path, metadata=_stamp(job))
    return scores.height


def score_encounters(encounters: pl.DataFrame, model: ReadmissionModel) -> pl.DataFrame:
    """Score validated encounters.

    Parameters
    ----------
    encounters : polars.DataFrame
        Each patient with all stays.
    model : ReadmissionModel
        The model.

    Returns
    -------
    polars.DataFrame
        ``encounter_id`` and ``risk`` of return within 30 days, sorted by patient and encounter.
    """
    if encounters.is_empty():
        return pl.DataFrame(schema={ENCOUNTER: pl.Int64, "risk": pl.Float64})
    features = build_features(encounters)
    return features.select(ENCOUNTER, pl.Series("risk", model.predict(features)))


def read_part(part: Path) -> pl.DataFrame:
    """Read and check one part.

    Parameters
    ----------
    part : Path
        Parquet with the published columns; labels may be text or categories.

    Returns
    -------
    polars.DataFrame
        Validated encounters.

    Raises
    ------
    SchemaError
        Naming file, column, count, first bad value and row.
    """
    with _readable(part):
        frame = pl.read_parquet(part)
    return validate(apply_types(frame, column_types(), dataset=str(part)), raw_schema(), dataset=str(part))


def find_parts(source: Path) -> list[Path]:
    """List the parts of a folder and check the columns of each, from the files' footers alone.

    Parameters
    ----------
    source : Path
        Folder of Parquet files; names that begin with a dot or an underscore are passed over.

    Returns
    -------
    list of Path
        In the order of their names.

    Raises
    ------
    DataUnavailableError
        If there is none.
    SchemaError
        If one is not Parquet or lacks a column.
    """
    parts = sorted(path for path in source.glob("*.parquet") if path.name[0] not in "._")
    if not parts:
        raise DataUnavailableError(f"{source} holds no *.parquet file; name a folder of encounters or make one (`readmission resample`).")
    for part in parts:
        with _readable(part):
            columns = list(pl.read_parquet_schema(part))
        check_columns(columns, list(column_types()), dataset=str(part))
    return parts


def check_patients(parts: list[Path]) -> None:
    """Refuse parts that share a patient: the history of earlier stays would be cut in two.

    Parameters
    ----------
    parts : list of Path
        Parquet files. Patient ids alone are held, 16 bytes a patient.

    Raises
    ------
    SchemaError
        Naming the first such patient and two of its files.
    """
    ids = [_patients(part) for part in parts]
    together = np.concatenate(ids)
    together.sort()
    twice = together[1:][together[1:] == together[:-1]]
    if twice.size:
        first = [part.name for part, found in zip(parts, ids, strict=True) if twice[0] in found]
        raise SchemaError(f"{parts[0].parent}: patient {twice[0]} stands in {first[0]} and {first[1]}, one of {np.unique(twice).size} such "
                          "patients; all stays of a patient must lie in one file. Partition by patient_nbr.")


def _patients(part: Path) -> NDArray[np.int64]:
    with _readable(part):
        ids = pl.read_parquet(part, columns=[PATIENT])
    return apply_types(ids, {PATIENT: pl.Int64}, dataset=str(part))[PATIENT].drop_nulls().unique().to_numpy()


@contextmanager
def _readable(part: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"{part} cannot be read as Parquet ({reason}); write it again or take it out of the folder.") from None


def check_destination(destination: Path, source: Path, parts: list[Path]) -> None:
    """Refuse a folder whose files would be mixed up with the scores.

    Parameters
    ----------
    destination : Path
        Folder of the scores; need not exist.
    source : Path
        Folder of the parts.
    parts : list of Path
        The parts.

    Raises
    ------
    ConfigError
        If it is the folder of the parts, is a file, or holds a Parquet file that belongs to no part.
    """
    if destination.resolve() == source.resolve() or destination.is_file():
        raise ConfigError(f"{destination} cannot take the scores, it is a file or the input itself; name another folder with --output.")
    names = {part.name for part in parts}
    for path in destination.glob("[!.]*.parquet"):
        if path.name not in names:
            raise ConfigError(f"{path} belongs to no part of {source}; remove it or name another folder with --output.")


def _remove_unfinished(jobs: list[Job]) -> None:
    """Remove the temporary files of parts that a killed process was writing."""
    for job in jobs:
        for path in job.destination.parent.glob(f".{job.destination.stem}-*.parquet"):
            path.unlink(missing_ok=True)


def hash_model(artefacts: Path) -> str:
    """Hash a sealed model.

    Parameters
    ----------
    artefacts : Path
        Its folder.

    Returns
    -------
    str
        SHA-256 over those of its files.

    Raises
    ------
    ArtefactError
        If a file is missing or altered.
    """
    return hashlib.sha256("".join(verify_seal(artefacts / name) for name in (MODEL_FILE, MANIFEST_FILE)).encode()).hexdigest()


def is_finished(job: Job) -> bool:
    """Say whether a part has its scores already.

    Parameters
    ----------
    job : Job
        The part.

    Returns
    -------
    bool
        True if the score file is there and was made from these bytes with this model.

    Raises
    ------
    ArtefactError
        If it was made from others, or cannot be read.
    """
    if not job.destination.is_file():
        return False
    with _readable(job.destination):
        found = pl.read_parquet_metadata(job.destination)
    if not _stamp(job).items() <= found.items():
        raise ArtefactError(f"{job.destination} holds scores of another input or model; pass --overwrite to replace them, "
                            "or name another folder with --output.")
    return True


def _stamp(job: Job) -> dict[str, str]:
    return {"input_sha256": sha256_file(job.part), "model_sha256": job.model_sha256}


@functools.cache
def _model(artefacts: Path, sha256: str) -> ReadmissionModel:
    """Load a model once a process; the hash is part of the key so that a retrained one is read anew."""
    return load_model(artefacts)
