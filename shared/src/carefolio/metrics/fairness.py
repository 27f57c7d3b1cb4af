"""Metrics by subgroup and the gaps between subgroups."""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import as_outcome, as_weight, check_binary, check_fraction, group_codes


@dataclass(frozen=True)
class Gap:
    """Distance between the subgroups with the highest and the lowest value.

    Attributes
    ----------
    gap : float
        Highest less lowest value, at least 0.
    lowest, highest : hashable
        Labels of these subgroups.
    too_small : tuple of hashable
        Subgroups that could not be measured and are not part of the gap.
    """

    gap: float
    lowest: Hashable
    highest: Hashable
    too_small: tuple[Hashable, ...]


def group_metric(
    metric: Callable[..., float], y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, groups: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None, minimum_positives: int = 20, **metric_arguments: Any,
) -> dict[Hashable, float | None]:
    """Compute a metric in every subgroup.

    Which subgroups are too small follows from rows, not from weights, so it is the same in every bootstrap replicate.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_prob, *, sample_weight, **metric_arguments) -> float``.
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1, or the score that ``metric`` takes.
    groups : array-like, shape (n,)
        Subgroup label of each row, none missing.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.
    minimum_positives : int, default 20
        Fewest rows with ``y_true == 1`` for which a value is given.
    **metric_arguments : Any
        Passed on to ``metric``.

    Returns
    -------
    dict of label to float or None
        Every subgroup, labels sorted; None where it has too few positives or only one class.

    Raises
    ------
    ValueError
        If an array is malformed, or a subgroup that is large enough in rows has weight in one class only.
    """
    y, score = as_outcome(y_true), np.asarray(y_prob)
    weight = as_weight(sample_weight, y.size)
    check_binary(y, score, weight, name="y_score")
    codes, labels = group_codes(groups, y.size)
    values: dict[Hashable, float | None] = {}
    for code, label in enumerate(labels):
        rows = np.flatnonzero(codes == code)
        positives = int(y[rows].sum())
        too_small = positives < max(minimum_positives, 1) or positives == rows.size
        values[label] = None if too_small else _value(metric, y[rows], score[rows], weight[rows], label, metric_arguments)
    return values


def largest_gap(values: Mapping[Hashable, float | None]) -> Gap:
    """Find the subgroups that differ most.

    Parameters
    ----------
    values : mapping of label to float or None
        As from `group_metric`; None marks a subgroup that is too small.

    Returns
    -------
    Gap
        The gap, the two subgroups, and those left out.

    Raises
    ------
    ValueError
        If fewer than two subgroups have a value.
    """
    known = {label: value for label, value in values.items() if value is not None}
    too_small = tuple(label for label, value in values.items() if value is None)
    if len(known) < 2:
        raise ValueError(f"a gap needs at least two subgroups with a value; got {len(known)}, too small: {list(too_small)}. "
                         "Merge subgroups or lower minimum_positives.")
    lowest, highest = min(known, key=known.__getitem__), max(known, key=known.__getitem__)
    return Gap(known[highest] - known[lowest], lowest, highest, too_small)


def demographic_parity_difference(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, groups: npt.ArrayLike, risk_threshold: float,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Largest difference between subgroups in the share of rows whose probability is at least the threshold.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1; checked, but the result does not depend on it.
    y_prob : array-like, shape (n,)
        Probability of 1.
    groups : array-like, shape (n,)
        Subgroup label of each row.
    risk_threshold : float
        In (0, 1).
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1]; 0 is parity.

    Raises
    ------
    ValueError
        If an array is malformed or a subgroup has no weight.

    References
    ----------
    Agarwal A et al. ICML 2018, PMLR 80:60-69.
    """
    _, prob, weight = _arrays(y_true, y_prob, sample_weight)
    return _rate_difference(prob, weight, groups, risk_threshold, what="weight")


def equal_opportunity_difference(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, groups: npt.ArrayLike, risk_threshold: float,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Largest difference between subgroups in sensitivity at the threshold.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1.
    groups : array-like, shape (n,)
        Subgroup label of each row.
    risk_threshold : float
        In (0, 1).
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1]; 0 is equal opportunity.

    Raises
    ------
    ValueError
        If an array is malformed or a subgroup has no event of positive weight.

    References
    ----------
    Hardt M, Price E, Srebro N. NeurIPS 2016;29:3315-3323.
    """
    y, prob, weight = _arrays(y_true, y_prob, sample_weight)
    return _rate_difference(prob, weight * y, groups, risk_threshold, what="event of positive weight")


def _arrays(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, sample_weight: npt.ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    check_binary(y_true, y_prob, sample_weight)
    y = as_outcome(y_true)
    return y, np.asarray(y_prob, dtype=np.float64), as_weight(sample_weight, y.size)


def _rate_difference(prob: np.ndarray, weight: np.ndarray, groups: npt.ArrayLike, risk_threshold: float, *, what: str) -> float:
    flagged = prob >= check_fraction(risk_threshold, name="risk_threshold")
    codes, labels = group_codes(groups, prob.size)
    total = np.bincount(codes, weights=weight, minlength=len(labels))
    if total.min() == 0:
        raise ValueError(f"every group must have some {what}; got none in group {labels[int(np.argmin(total))]!r}. "
                         "Merge it with another group or leave it out.")
    rate = np.bincount(codes, weights=weight * flagged, minlength=len(labels)) / total
    return float(rate.max() - rate.min())


def _value(
    metric: Callable[..., float], y: np.ndarray, score: np.ndarray, weight: np.ndarray, label: Hashable, arguments: dict[str, Any]
) -> float:
    try:
        return float(metric(y, score, sample_weight=weight, **arguments))
    except ValueError as error:
        raise ValueError(f"group {label!r}: {error}") from error
