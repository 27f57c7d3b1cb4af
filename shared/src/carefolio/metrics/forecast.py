"""Scores of forecasts given as quantiles: pinball loss, interval score, weighted interval score with its parts, coverage.

A forecast is a row of quantiles at fixed levels. The weighted interval score (WIS) follows Bracher J, Ray EL, Gneiting T, Reich NG.
Evaluating epidemic forecasts in an interval format. PLoS Comput Biol 2021;17(2):e1008618: for a median and K central intervals, the
median has weight 1/2, the interval that leaves out a share alpha has weight alpha / 2, and the sum is divided by K + 1/2. With these
weights the WIS is exactly twice the mean pinball loss over the 2 K + 1 levels, and tends to the CRPS as levels are added. All scores
are in the unit of the outcome; lower is better.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from carefolio.metrics._quantiles import check_quantiles, find_level
from carefolio.metrics._validation import FloatArray, as_vector, as_weight, check_fraction

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class WisParts:
    """The weighted interval score of each forecast, and the three parts that add up to it.

    Attributes
    ----------
    wis : ndarray of float64, shape (n_forecasts,)
        The score.
    dispersion : ndarray of float64, shape (n_forecasts,)
        What the width of the intervals costs.
    underprediction, overprediction : ndarray of float64, shape (n_forecasts,)
        What outcomes above or below the intervals and the median cost.
    """

    wis: FloatArray
    dispersion: FloatArray
    underprediction: FloatArray
    overprediction: FloatArray


def quantile_loss(
    y_true: npt.ArrayLike, quantiles: npt.ArrayLike, *, quantile_levels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> FloatArray:
    """Mean pinball loss at each level, ``(y - q) * level`` above the quantile and ``(q - y) * (1 - level)`` below it.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles, not falling along a row.
    quantile_levels : array-like, shape (n_levels,)
        In (0, 1), rising.
    sample_weight : array-like, shape (n_forecasts,), optional
        Non-negative row weights.

    Returns
    -------
    ndarray of float64, shape (n_levels,)
        In the unit of the outcome; lower is better.

    Raises
    ------
    ValueError
        If an array is malformed or the quantiles of a row cross.
    """
    y, q, levels = check_quantiles(y_true, quantiles, quantile_levels)
    weight = as_weight(sample_weight, y.size)
    return np.asarray(weight @ _pinball(y, q, levels) / weight.sum())


def interval_score(
    y_true: npt.ArrayLike, lower: npt.ArrayLike, upper: npt.ArrayLike, *, level: float, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Mean interval score of one central interval: its width, plus ``2 / (1 - level)`` times the distance of outcomes outside.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    lower, upper : array-like, shape (n_forecasts,)
        Bounds of the interval.
    level : float
        Share that the interval should hold, in (0, 1), such as 0.95.
    sample_weight : array-like, shape (n_forecasts,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In the unit of the outcome; lower is better.

    Raises
    ------
    ValueError
        If an array is malformed or a lower bound exceeds its upper bound.

    References
    ----------
    Gneiting T, Raftery AE. Strictly proper scoring rules, prediction, and estimation. J Am Stat Assoc 2007;102:359-378.
    """
    alpha = 1 - check_fraction(level, name="level")
    bounds = np.column_stack([as_vector(lower, name="lower"), as_vector(upper, name="upper")])
    y, q, _ = check_quantiles(y_true, bounds, [alpha / 2, 1 - alpha / 2])
    outside = np.maximum(q[:, 0] - y, 0) + np.maximum(y - q[:, 1], 0)
    return float(np.average(q[:, 1] - q[:, 0] + 2 / alpha * outside, weights=as_weight(sample_weight, y.size)))


def wis_of_each(y_true: npt.ArrayLike, quantiles: npt.ArrayLike, *, quantile_levels: npt.ArrayLike) -> FloatArray:
    """Weighted interval score of each forecast.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles, not falling along a row.
    quantile_levels : array-like, shape (n_levels,)
        In (0, 1), rising, symmetric around 0.5 and with it.

    Returns
    -------
    ndarray of float64, shape (n_forecasts,)
        In the unit of the outcome; lower is better.

    Raises
    ------
    ValueError
        If an array is malformed, the levels are not symmetric, or the quantiles of a row cross.
    """
    from carefolio.metrics._wis_kernel import score_rows

    y, q, levels = check_quantiles(y_true, quantiles, quantile_levels, symmetric=True, scan=False)
    wis: FloatArray = score_rows(y, q, levels)
    if np.isnan(wis).any():
        check_quantiles(y, q, levels, symmetric=True)
    return wis


def weighted_interval_score(
    y_true: npt.ArrayLike, quantiles: npt.ArrayLike, *, quantile_levels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Mean weighted interval score.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles, not falling along a row.
    quantile_levels : array-like, shape (n_levels,)
        In (0, 1), rising, symmetric around 0.5 and with it.
    sample_weight : array-like, shape (n_forecasts,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In the unit of the outcome; lower is better.

    Raises
    ------
    ValueError
        If an array is malformed, the levels are not symmetric, or the quantiles of a row cross.
    """
    wis = wis_of_each(y_true, quantiles, quantile_levels=quantile_levels)
    return float(np.average(wis, weights=as_weight(sample_weight, wis.size)))


def wis_parts(y_true: npt.ArrayLike, quantiles: npt.ArrayLike, *, quantile_levels: npt.ArrayLike) -> WisParts:
    """Split the weighted interval score of each forecast into dispersion, underprediction and overprediction.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles, not falling along a row.
    quantile_levels : array-like, shape (n_levels,)
        In (0, 1), rising, symmetric around 0.5 and with it.

    Returns
    -------
    WisParts
        The score and its parts, an array each.

    Raises
    ------
    ValueError
        If an array is malformed, the levels are not symmetric, or the quantiles of a row cross.
    """
    y, q, levels = check_quantiles(y_true, quantiles, quantile_levels, symmetric=True)
    k = levels.size // 2
    lower, upper, median = q[:, :k], q[:, :k:-1], q[:, k]
    dispersion = (upper - lower) @ levels[:k]
    under = np.maximum(y[:, None] - upper, 0).sum(axis=1) + np.maximum(y - median, 0) / 2
    over = np.maximum(lower - y[:, None], 0).sum(axis=1) + np.maximum(median - y, 0) / 2
    parts = [part / (k + 0.5) for part in (dispersion, under, over)]
    return WisParts(parts[0] + parts[1] + parts[2], *parts)


def interval_coverage(
    y_true: npt.ArrayLike, quantiles: npt.ArrayLike, *, quantile_levels: npt.ArrayLike, level: float,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Share of outcomes inside the central interval of a level, its bounds included.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles, not falling along a row.
    quantile_levels : array-like, shape (n_levels,)
        In (0, 1), rising; both bounds of the interval must be among them.
    level : float
        Share that the interval should hold, in (0, 1), such as 0.95.
    sample_weight : array-like, shape (n_forecasts,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1]; best near ``level``.

    Raises
    ------
    ValueError
        If an array is malformed or a bound of the interval is not among the levels.
    """
    y, q, levels = check_quantiles(y_true, quantiles, quantile_levels)
    tail = (1 - check_fraction(level, name="level")) / 2
    lower, upper = (q[:, find_level(levels, bound)] for bound in (tail, 1 - tail))
    return float(np.average((y >= lower) & (y <= upper), weights=as_weight(sample_weight, y.size)))


def level_coverage(
    y_true: npt.ArrayLike, quantiles: npt.ArrayLike, *, quantile_levels: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> FloatArray:
    """Share of outcomes at or below the quantile of each level: the calibration of the whole distribution.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles, not falling along a row.
    quantile_levels : array-like, shape (n_levels,)
        In (0, 1), rising.
    sample_weight : array-like, shape (n_forecasts,), optional
        Non-negative row weights.

    Returns
    -------
    ndarray of float64, shape (n_levels,)
        In [0, 1]; best near the levels themselves. Counts with many ties at 0 lie above them.

    Raises
    ------
    ValueError
        If an array is malformed or the quantiles of a row cross.
    """
    y, q, _ = check_quantiles(y_true, quantiles, quantile_levels)
    weight = as_weight(sample_weight, y.size)
    return np.asarray(weight @ (y[:, None] <= q) / weight.sum())


def relative_wis(wis: npt.ArrayLike, wis_reference: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Ratio of two mean scores over the same forecasts.

    Parameters
    ----------
    wis, wis_reference : array-like, shape (n_forecasts,)
        Score of each forecast and of the reference's forecast of the same target.
    sample_weight : array-like, shape (n_forecasts,), optional
        Non-negative row weights.

    Returns
    -------
    float
        Below 1 is better than the reference.

    Raises
    ------
    ValueError
        If an array is malformed or the reference's mean is 0.
    """
    scores, reference = as_vector(wis, name="wis"), as_vector(wis_reference, name="wis_reference")
    if scores.size != reference.size:
        raise ValueError(f"wis and wis_reference must have equal length; got {scores.size} and {reference.size}. Join by target first.")
    weight = as_weight(sample_weight, scores.size)
    if not weight @ reference > 0:
        raise ValueError(f"wis_reference must have a positive mean; got {weight @ reference / weight.sum():g}. No ratio to it exists.")
    return float(weight @ scores / (weight @ reference))


def pairwise_relative_wis(wis: Mapping[str, npt.ArrayLike], *, baseline: str) -> dict[str, float]:
    """Relative skill of several models that did not all forecast the same targets (Cramer et al. 2022).

    Each pair is compared on the targets that both have; a model's score is the geometric mean of its ratios to all models, itself
    included, divided by that of the baseline.

    Parameters
    ----------
    wis : mapping of str to array-like, shape (n_targets,)
        Score of each target by model; NaN where a model has no forecast.
    baseline : str
        The model whose relative score is 1.

    Returns
    -------
    dict of str to float
        Below 1 is better than the baseline.

    Raises
    ------
    ValueError
        If lengths differ, the baseline is unknown, or a pair has no target in common.

    References
    ----------
    Cramer EY, Ray EL, Lopez VK, et al. Proc Natl Acad Sci USA 2022;119(15):e2113561119.
    """
    scores = {name: np.asarray(values, dtype=np.float64) for name, values in wis.items()}
    if baseline not in scores:
        raise ValueError(f"baseline must be one of {sorted(scores)}; got {baseline!r}. Correct the name.")
    if len({values.shape for values in scores.values()}) > 1:
        raise ValueError(f"wis must hold arrays of one length; got {[values.shape for values in scores.values()]}. Use NaN for none.")
    skill = {name: float(np.mean([_log_ratio(scores, name, other) for other in scores])) for name in scores}
    return {name: float(np.exp(value - skill[baseline])) for name, value in skill.items()}


def to_matrix(frame: "pl.DataFrame", *, by: Sequence[str], level: str = "quantile_level", value: str = "value") -> tuple[
        "pl.DataFrame", FloatArray, FloatArray]:
    """Turn one row a quantile into one row a forecast.

    Parameters
    ----------
    frame : polars.DataFrame
        Long form.
    by : sequence of str
        Columns that name a forecast.
    level, value : str
        Columns of quantile level and quantile.

    Returns
    -------
    keys : polars.DataFrame
        The columns ``by``, one row a forecast, sorted.
    quantiles : ndarray of float64, shape (n_forecasts, n_levels)
        Quantiles along the rows.
    quantile_levels : ndarray of float64, shape (n_levels,)
        Rising.

    Raises
    ------
    ValueError
        If a forecast lacks a level, has one twice, or holds a null.
    """
    ordered = frame.sort(*by, level)
    levels = ordered[level].unique().sort().to_numpy().astype(np.float64)
    counts = ordered.group_by(by, maintain_order=True).len()
    wrong = counts.filter(counts["len"] != levels.size)
    repeated = ordered.height and levels.size and not np.array_equal(ordered[level].to_numpy(), np.tile(levels, counts.height))
    if not wrong.is_empty() or repeated:
        row = (wrong if not wrong.is_empty() else counts).row(0, named=True)
        raise ValueError(f"every forecast must have each of {levels.size} levels once; got {row}. Drop incomplete or repeated ones.")
    if ordered[value].null_count():
        raise ValueError(f"column {value!r} must hold no null; got {ordered[value].null_count()}. Drop those forecasts first.")
    return counts.drop("len"), ordered[value].to_numpy().astype(np.float64).reshape(counts.height, levels.size), levels


def _log_ratio(scores: Mapping[str, FloatArray], name: str, other: str) -> float:
    both = np.isfinite(scores[name]) & np.isfinite(scores[other])
    if not both.any():
        raise ValueError(f"{name!r} and {other!r} must share a target; got none. Leave one of them out.")
    return float(np.log(relative_wis(scores[name][both], scores[other][both])))


def _pinball(y: FloatArray, q: FloatArray, levels: FloatArray) -> FloatArray:
    error = y[:, None] - q
    return np.asarray(np.maximum(levels * error, (levels - 1) * error))
