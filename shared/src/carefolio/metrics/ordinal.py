"""Scores for grades that stand in an order, such as 0 to 4.

Weights are frequency weights throughout: a row of weight 2 counts as two equal rows, a row of weight 0 as none.
"""

import math

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, as_weight

Grades = npt.NDArray[np.int64]


def quadratic_weighted_kappa(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, n_grades: int, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Agreement beyond chance, where an error of two grades costs four times as much as one of one grade.

    ``1 - sum(w * observed) / sum(w * expected)`` with ``w = (i - j) ** 2``, and what is expected from the two margins.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        Grades, whole numbers from 0 to ``n_grades - 1``.
    n_grades : int
        Number of grades, at least 2.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        At most 1, higher is better; 0 is what chance gives, and below it is worse. NaN where either holds one grade only and both are
        equal, since then nothing can be expected.

    Raises
    ------
    ValueError
        If a grade lies outside, or an array is malformed.

    References
    ----------
    Cohen J. Weighted kappa. Psychological Bulletin 1968;70:213-220. doi:10.1037/h0026256
    """
    true, predicted, weight = _read(y_true, y_pred, n_grades, sample_weight)
    counts = np.bincount(true * n_grades + predicted, weights=weight, minlength=n_grades**2).reshape(n_grades, n_grades)
    grades = np.arange(n_grades)
    cost = (grades[:, None] - grades[None, :]) ** 2
    expected = float((cost * np.outer(counts.sum(axis=1), counts.sum(axis=0))).sum() / counts.sum())
    return 1 - float((cost * counts).sum()) / expected if expected > 0 else math.nan


def mean_absolute_error(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, *, n_grades: int, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Mean distance between grades.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        Grades, whole numbers from 0 to ``n_grades - 1``.
    n_grades : int
        Number of grades, at least 2.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In grades, from 0 to ``n_grades - 1``; lower is better.

    Raises
    ------
    ValueError
        If a grade lies outside, or an array is malformed.
    """
    true, predicted, weight = _read(y_true, y_pred, n_grades, sample_weight)
    return float(np.average(np.abs(true - predicted), weights=weight))


def _read(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, n_grades: int,
          sample_weight: npt.ArrayLike | None) -> tuple[Grades, Grades, FloatArray]:
    if n_grades < 2:
        raise ValueError(f"n_grades must be at least 2; got {n_grades}.")
    true, predicted = (_grades(values, name, n_grades) for values, name in ((y_true, "y_true"), (y_pred, "y_pred")))
    if true.size != predicted.size:
        raise ValueError(f"y_true and y_pred must have the same length; got {true.size} and {predicted.size}.")
    return true, predicted, as_weight(sample_weight, true.size)


def _grades(values: npt.ArrayLike, name: str, n_grades: int) -> Grades:
    found = np.asarray(values)
    if found.ndim != 1 or found.size == 0 or not np.issubdtype(found.dtype, np.integer):
        raise ValueError(f"{name} must be a vector of whole numbers, at least one; got {found.dtype} of shape {found.shape}.")
    if found.min() < 0 or found.max() >= n_grades:
        row = int(np.flatnonzero((found < 0) | (found >= n_grades))[0])
        raise ValueError(f"{name} must lie in 0 to {n_grades - 1}; got {found[row]} at row {row}.")
    return found.astype(np.int64)
