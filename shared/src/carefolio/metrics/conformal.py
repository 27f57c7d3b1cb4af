"""Sets of grades that hold the right one with a probability that is promised beforehand (split conformal prediction).

A set holds every grade that is probable enough, and what lies between two such grades, so that it never has a gap: "1 or 2" says something
to a clinician, "0 or 3" does not. The score of a grade is how improbable it, or the less improbable end of a gap that it fills, is. A
threshold on scores from rows that trained nothing gives sets with the promised coverage on rows of the same kind, whatever the model; on
rows of another kind, such as another camera's, nothing is promised.

References
----------
Vovk V, Gammerman A, Shafer G. Algorithmic learning in a random world. Springer 2005, chapter 2.
Sadinle M, Lei J, Wasserman L. Least ambiguous set-valued classifiers with bounded error levels. J Am Stat Assoc 2019;114:223-234.
Lu C, Angelopoulos AN, Pomerantz S. Improving trustworthiness of AI disease severity rating in medical imaging with ordinal conformal
prediction sets. MICCAI 2022. doi:10.1007/978-3-031-16452-1_52
"""

import math

import numpy as np
import numpy.typing as npt

from carefolio.metrics._labels import as_matrix, check_simplex
from carefolio.metrics._validation import FloatArray, as_vector, as_weight, check_fraction

Sets = npt.NDArray[np.bool_]


def grade_scores(y_prob: npt.ArrayLike) -> FloatArray:
    """Give each grade the threshold at which it joins the set.

    Parameters
    ----------
    y_prob : array-like, shape (n, k)
        Probability of each grade in their order, rows summing to 1.

    Returns
    -------
    ndarray of float64, shape (n, k)
        One minus the probability of the grade, or of the less probable of the two likeliest grades on either side if that is more; in
        [0, 1], the lowest of a row is that of the most probable grade.

    Raises
    ------
    ValueError
        If the array is malformed or a row does not sum to 1.
    """
    matrix = as_matrix(y_prob, name="y_prob")
    check_simplex(matrix)
    from_below = np.maximum.accumulate(matrix, axis=1)
    from_above = np.maximum.accumulate(matrix[:, ::-1], axis=1)[:, ::-1]
    return np.asarray(1 - np.minimum(from_below, from_above))


def conformal_threshold(true_scores: npt.ArrayLike, *, coverage: float) -> float:
    """Find the threshold below which the score of the right grade will lie with at least this probability.

    Parameters
    ----------
    true_scores : array-like, shape (n,)
        Score of the right grade of each calibration row, from rows that trained nothing and test nothing.
    coverage : float
        Probability that is promised, in (0, 1).

    Returns
    -------
    float
        The ``ceil((n + 1) * coverage)``-th lowest score; infinite where there are too few rows for the promise, so that sets hold all.

    Raises
    ------
    ValueError
        If the scores are malformed or the coverage lies outside (0, 1).
    """
    scores = np.sort(as_vector(true_scores, name="true_scores"))
    place = math.ceil((scores.size + 1) * check_fraction(coverage, name="coverage") - 1e-9)
    return float(scores[place - 1]) if place <= scores.size else math.inf


def grade_sets(y_prob: npt.ArrayLike, *, threshold: float) -> Sets:
    """Give the set of each row: all grades whose score does not exceed the threshold, the most probable one in any case.

    Parameters
    ----------
    y_prob : array-like, shape (n, k)
        Probability of each grade in their order, rows summing to 1.
    threshold : float
        As `conformal_threshold` gives it.

    Returns
    -------
    ndarray of bool, shape (n, k)
        Without gaps; a set of one grade is an answer, a larger one asks for a person.

    Raises
    ------
    ValueError
        If the array is malformed, a row does not sum to 1, or the threshold is no number.
    """
    if math.isnan(threshold):
        raise ValueError("threshold must be a number; got NaN. Take it from conformal_threshold.")
    scores = grade_scores(y_prob)
    sets = scores <= threshold + 1e-12
    sets[np.arange(len(scores)), np.asarray(y_prob).argmax(axis=1)] = True
    return sets


def set_coverage(sets: npt.ArrayLike, y_true: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Share of rows whose set holds the right grade.

    Parameters
    ----------
    sets : array-like of bool, shape (n, k)
        As `grade_sets` gives them.
    y_true : array-like of int, shape (n,)
        Right grades, 0 to k - 1.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1]; should lie near the promise. Much above it, sets are larger than they need be.

    Raises
    ------
    ValueError
        If an array is malformed or a grade lies outside.
    """
    held, grades = _read_sets(sets), np.asarray(y_true)
    if grades.shape != held.shape[:1] or not np.issubdtype(grades.dtype, np.integer):
        raise ValueError(f"y_true must hold {len(held)} whole numbers; got {grades.dtype} of shape {grades.shape}.")
    if grades.min() < 0 or grades.max() >= held.shape[1]:
        raise ValueError(f"y_true must lie in 0 to {held.shape[1] - 1}; got {grades.min()} to {grades.max()}.")
    return float(np.average(held[np.arange(len(held)), grades], weights=as_weight(sample_weight, len(held))))


def mean_set_size(sets: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean number of grades in a set.

    Parameters
    ----------
    sets : array-like of bool, shape (n, k)
        As `grade_sets` gives them.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [1, k], lower is better at the same coverage.

    Raises
    ------
    ValueError
        If an array is malformed.
    """
    held = _read_sets(sets)
    return float(np.average(held.sum(axis=1), weights=as_weight(sample_weight, len(held))))


def _read_sets(sets: npt.ArrayLike) -> Sets:
    held = np.asarray(sets)
    if held.ndim != 2 or held.dtype != np.bool_ or held.size == 0:
        raise ValueError(f"sets must be a table of true and false; got {held.dtype} of shape {held.shape}. Take them from grade_sets.")
    return held
