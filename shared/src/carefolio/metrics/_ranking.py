"""Cumulative counts down a ranking, one entry for each distinct score, so that ties are never split."""

from dataclasses import dataclass

import numpy as np

from carefolio.metrics._validation import FloatArray


@dataclass(frozen=True)
class Ranking:
    """Weight at or above each distinct score.

    Attributes
    ----------
    threshold : ndarray, shape (k,)
        Distinct scores, highest first.
    true_positives, false_positives : ndarray, shape (k,)
        Weight of events and of non-events with a score of at least ``threshold``.
    """

    threshold: FloatArray
    true_positives: FloatArray
    false_positives: FloatArray


def rank(y: FloatArray, score: FloatArray, weight: FloatArray) -> Ranking:
    """Sort once and accumulate.

    Parameters
    ----------
    y, score, weight : ndarray, shape (n,)
        Checked outcome, scores and weights.

    Returns
    -------
    Ranking
        Cumulative weights, highest score first.
    """
    order = np.argsort(score)[::-1]
    ordered = score[order]
    last = np.append(np.flatnonzero(ordered[1:] != ordered[:-1]), ordered.size - 1)
    positive = (weight * y)[order]
    negative = (weight * (1 - y))[order]
    return Ranking(ordered[last], np.cumsum(positive)[last], np.cumsum(negative)[last])


def thin(progress: FloatArray, n_points: int) -> np.ndarray:
    """Choose at most ``n_points`` indices, evenly spread along a growing quantity.

    Parameters
    ----------
    progress : ndarray, shape (k,)
        Non-decreasing.
    n_points : int
        At least 2.

    Returns
    -------
    ndarray of int
        Sorted distinct indices; the first is 0, the last the first at which ``progress`` reaches its end.

    Raises
    ------
    ValueError
        If ``n_points`` is below 2.
    """
    if n_points < 2:
        raise ValueError(f"n_points must be at least 2; got {n_points}. 200 is enough for a figure.")
    wanted = np.linspace(progress[0], progress[-1], n_points)
    return np.unique(np.minimum(np.searchsorted(progress, wanted), progress.size - 1))
