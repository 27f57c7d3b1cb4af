"""Columns into the matrix that a model reads: numbers as they are, categories by their place in a list that the train part gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from model_registry.data import PATIENT, Table

RARE = 50
Matrix = NDArray[np.float32]
Categories = Mapping[str, Sequence[str]]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Prepared:
    """Train rows as arrays, their outcomes by column, what encodes them, and the folds by patient."""

    X: Matrix
    outcomes: Mapping[str, NDArray[Any]]
    folds: tuple[Fold, ...]
    features: tuple[str, ...]
    categories: dict[str, list[str]]


def prepare(table: Table, outcomes: Sequence[str], *, folds: int, seed: int) -> Prepared:
    """Encode the train part once for all trials.

    Parameters
    ----------
    table : Table
        An experiment's rows.
    outcomes : sequence of str
        Columns of the outcome; every fold gets a like share of the first.
    folds : int
        How many; all rows of a patient stand in one.
    seed : int
        Seed of the folds.

    Returns
    -------
    Prepared
        Arrays and folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rows = table.part("train")
    categories = fit_categories(rows, table.features)
    X = to_matrix(rows, table.features, categories)
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return Prepared(X, {name: rows[name].to_numpy() for name in outcomes},
                    tuple(splitter.split(X, rows[outcomes[0]].to_numpy(), rows[PATIENT].to_numpy())), table.features, categories)


def fit_categories(frame: pl.DataFrame, features: Sequence[str], *, rare: int = RARE) -> dict[str, list[str]]:
    """List the categories that train rows hold often enough to learn from.

    Parameters
    ----------
    frame : polars.DataFrame
        Train rows.
    features : sequence of str
        Columns; those of text are categories.
    rare : int, default 50
        A category in fewer rows counts as not known.

    Returns
    -------
    dict
        Column to its sorted categories.
    """
    def _frequent(column: str) -> list[str]:
        counts = frame[column].drop_nulls().value_counts()
        return sorted(counts.filter(pl.col("count") >= rare)[column].to_list())

    return {name: _frequent(name) for name in features if frame.schema[name] == pl.String}


def to_matrix(frame: pl.DataFrame, features: Sequence[str], categories: Categories) -> Matrix:
    """Encode rows.

    Parameters
    ----------
    frame : polars.DataFrame
        n rows with the columns ``features``.
    features : sequence of str
        p columns, in the order of the matrix.
    categories : mapping
        Result of `fit_categories`.

    Returns
    -------
    ndarray of shape (n, p), float32
        NaN is not known.
    """
    codes = [pl.col(name).replace_strict(list(values), list(range(len(values))), default=None, return_dtype=pl.Float32).alias(name)
             for name, values in categories.items()]
    coded = frame.with_columns(codes).select(pl.col(name).cast(pl.Float32).fill_null(float("nan")) for name in features)
    return coded.to_numpy(order="c").astype(np.float32, copy=False)


def to_frame(rows: Sequence[Mapping[str, Any]], features: Sequence[str], categories: Categories) -> pl.DataFrame:
    """Make a table of rows that came as JSON.

    Parameters
    ----------
    rows : sequence of mapping
        Feature to value; what is absent is not known.
    features : sequence of str
        All columns.
    categories : mapping
        Names the columns of text.

    Returns
    -------
    polars.DataFrame
        One row each.
    """
    schema = {name: pl.String if name in categories else pl.Float64 for name in features}
    return pl.DataFrame([{name: row.get(name) for name in features} for row in rows], schema=schema)
