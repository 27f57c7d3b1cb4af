"""A large input for bulk scoring, made by drawing patients with replacement.

The rows are real rows (or rows of the synthetic twin) repeated under new ids, so the input has the right types, codes and
numbers of stays a patient. It serves to measure speed and memory; it holds no more information than the file it is drawn from.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.exceptions import ConfigError
from readmission.features import ENCOUNTER, PATIENT


def write_resampled(encounters: pl.DataFrame, folder: Path, *, rows: int, partitions: int, seed: int) -> int:
    """Write Parquet files with resampled patients, one file after the other, in memory that does not grow with ``rows``.

    Parameters
    ----------
    encounters : polars.DataFrame
        Validated encounters, each patient with all stays.
    folder : Path
        New folder; it appears whole or not at all. Files are named ``part-00000.parquet`` and so on.
    rows : int
        Encounters in all; the last patient is written whole, so a few more than ``rows`` are possible.
    partitions : int
        Number of files, nearly equal in size; all stays of a patient lie in one file.
    seed : int
        Seed; the same seed gives the same files.

    Returns
    -------
    int
        Encounters that were written.

    Raises
    ------
    ConfigError
        If the folder holds something already.
    ValueError
        If there are no encounters, or ``partitions`` is not between 1 and ``rows``.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ConfigError(f"{folder} is not an empty folder; remove it or name another with --out.")
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    written = 0
    try:
        for i, part in enumerate(resample(encounters, rows=rows, partitions=partitions, seed=seed)):
            part.write_parquet(partial / f"part-{i:05d}.parquet")
            written += part.height
        partial.replace(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return written


def resample(encounters: pl.DataFrame, *, rows: int, partitions: int, seed: int) -> Iterator[pl.DataFrame]:
    """Draw patients with replacement, with all their stays, under new ids.

    Parameters
    ----------
    encounters : polars.DataFrame
        Validated encounters, each patient with all stays.
    rows : int
        Encounters in all parts together, at least.
    partitions : int
        Number of parts.
    seed : int
        Seed.

    Yields
    ------
    polars.DataFrame
        One part, its rows shuffled; new ids are unique over all parts and keep the order of a patient's stays.

    Raises
    ------
    ValueError
        If there are no encounters, or ``partitions`` is not between 1 and ``rows``.
    """
    if encounters.is_empty():
        raise ValueError("encounters must hold at least one row; got none. Load a data set first.")
    if not 1 <= partitions <= rows:
        raise ValueError(f"partitions must lie between 1 and rows; got {partitions} partitions and {rows} rows.")
    ordered = encounters.sort(PATIENT, ENCOUNTER)
    first, stays = _first_row_and_stays(ordered)
    patients = written = 0
    for part in range(partitions):
        rng = np.random.default_rng([seed, part])
        wanted = max(1, rows * (part + 1) // partitions - written)
        drawn = _draw(stays, wanted, rng)
        yield _with_new_ids(ordered, first[drawn], stays[drawn], patients, written, rng)
        patients += len(drawn)
        written += int(stays[drawn].sum())


def _first_row_and_stays(ordered: pl.DataFrame) -> tuple[NDArray[Any], NDArray[Any]]:
    _, first, stays = np.unique(ordered[PATIENT].to_numpy(), return_index=True, return_counts=True)
    return first, stays


def _draw(stays: NDArray[Any], wanted: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw as many patients as it takes to reach ``wanted`` rows; ``wanted`` draws are always enough."""
    drawn = rng.integers(0, len(stays), wanted)
    return drawn[:np.searchsorted(np.cumsum(stays[drawn]), wanted) + 1]


def _with_new_ids(ordered: pl.DataFrame, first: NDArray[Any], stays: NDArray[Any], patients: int, written: int,
                  rng: np.random.Generator) -> pl.DataFrame:
    n = int(stays.sum())
    position = np.arange(n)
    source = position + np.repeat(first - (np.cumsum(stays) - stays), stays)
    shuffled = rng.permutation(n)
    new_patient = np.repeat(patients + 1 + np.arange(len(stays)), stays)
    return ordered[source[shuffled]].with_columns(
        pl.Series(ENCOUNTER, written + 1 + position[shuffled], dtype=pl.Int64),
        pl.Series(PATIENT, new_patient[shuffled], dtype=pl.Int64))
