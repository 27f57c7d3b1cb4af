"""Rows with categories into the matrix that trees read: numbers as they are, categories by their place in a list that training gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

RARE = 50
LARGEST = 1e9
"""No number of a request may be larger in size."""
Categories = Mapping[str, Sequence[str]]


def fit_categories(frame: pl.DataFrame, features: Sequence[str], *, rare: int = RARE) -> dict[str, list[str]]:
    """List the categories that training rows hold often enough to learn from.

    Parameters
    ----------
    frame : polars.DataFrame
        Training rows.
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


def to_matrix(frame: pl.DataFrame, features: Sequence[str], categories: Categories) -> NDArray[np.float32]:
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


def row_problem(rows: Sequence[Mapping[str, Any]], features: Sequence[str], categories: Categories, *, reader: str, route: str) -> str:
    """Say what is wrong with rows for a model.

    Parameters
    ----------
    rows : sequence of mapping
        As the request has them.
    features : sequence of str
        All columns that the model reads.
    categories : mapping
        Names the columns of text.
    reader : str
        What reads them, such as ``"release"``.
    route : str
        Of the service, where columns and values are listed, such as ``"GET /release"``.

    Returns
    -------
    str
        The first problem without any value of a patient; empty if there is none.
    """
    known = set(features)
    for number, row in enumerate(rows):
        unknown = sorted(set(row) - known)
        if unknown:
            return f"row {number} has {len(unknown)} columns that this {reader} does not read; {route} lists those that it reads."
        for name, value in row.items():
            if value is None:
                continue
            if name in categories and not isinstance(value, str):
                return f"row {number}, column {name}: expected text, got a number; {route} lists its values."
            if name not in categories and (isinstance(value, str) or abs(value) > LARGEST):
                return f"row {number}, column {name}: expected a number of at most {LARGEST:g} in size."
    return ""
