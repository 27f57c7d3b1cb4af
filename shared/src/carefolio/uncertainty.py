"""Bootstrap intervals with the patient as resampling unit.

A replicate draws as many groups as there are, with replacement. All rows of a group come along as often as it was drawn, as whole
row weights, so no row is copied. Replicate ``r`` of ``random_state`` ``s`` is the same draw in every function here, whatever the
number of replicates, the metric or the number of processors: results of two models are paired, and the compiled path agrees with
the plain one.

A replicate without one of the classes is an error, never redrawn: redrawing would leave out the very samples that show how little
the data say. Use more groups or a coarser question instead.

Reference: Field CA, Welsh AH. Bootstrapping clustered data. J R Stat Soc B 2007;69:369-390.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.exceptions import TooFewEventsError
from carefolio.metrics._validation import FloatArray, as_weight, check_binary, check_fraction, group_codes
from carefolio.metrics.discrimination import average_precision, roc_auc

_CHUNK = 16


@dataclass(frozen=True)
class Interval:
    """A point estimate and its percentile interval.

    Attributes
    ----------
    value : float
        The metric of all rows as they are.
    low, high : float
        Percentiles of the bootstrap replicates.
    level : float
        Share of replicates between them.
    n : int
        Rows.
    n_groups : int
        Resampling units, such as patients.
    """

    value: float
    low: float
    high: float
    level: float
    n: int
    n_groups: int


def draw_groups(n_groups: int, *, replicate: int, random_state: int) -> npt.NDArray[np.int32]:
    """Draw groups with replacement for one replicate.

    Parameters
    ----------
    n_groups : int
        Number of groups, also the number of draws.
    replicate : int
        Number of the replicate, from 0.
    random_state : int
        Seed, at least 0.

    Returns
    -------
    ndarray of int32, shape (n_groups,)
        Indices of the groups drawn.
    """
    generator = np.random.default_rng([random_state, replicate])
    return generator.integers(0, n_groups, size=n_groups, dtype=np.int32)


def bootstrap_values(
    function_of_weights: Callable[[FloatArray], npt.ArrayLike], *, groups: npt.ArrayLike, n_replicates: int = 2000,
    level: float = 0.95, random_state: int = 0,
) -> list[Interval]:
    """Bootstrap several numbers at once, such as a net-benefit curve or the gaps between subgroups.

    Parameters
    ----------
    function_of_weights : callable
        Takes row weights, shape (n,), and gives a 1-D array of numbers, always of the same length.
    groups : array-like, shape (n,)
        Resampling unit of each row, such as the patient.
    n_replicates : int, default 2000
        Number of replicates.
    level : float, default 0.95
        Confidence level, in (0, 1).
    random_state : int, default 0
        Seed.

    Returns
    -------
    list of Interval
        One for each number.

    Raises
    ------
    ValueError
        If the groups or settings are malformed, or the function fails or gives NaN in a replicate.
    """
    codes, labels = group_codes(groups)
    _check_settings(len(labels), n_replicates, random_state)
    check_fraction(level, name="level")
    values = np.asarray(function_of_weights(np.ones(codes.size)), dtype=np.float64)
    if values.ndim != 1:
        raise ValueError(f"function_of_weights must give a 1-D array; got shape {values.shape}. Wrap a single number in a list.")
    replicates = np.empty((n_replicates, values.size))
    for replicate in range(n_replicates):
        counts = np.bincount(draw_groups(len(labels), replicate=replicate, random_state=random_state), minlength=len(labels))
        replicates[replicate] = _evaluate(function_of_weights, counts[codes].astype(np.float64), replicate)
    return [_interval(value, replicates[:, column], level, codes.size, len(labels)) for column, value in enumerate(values)]


def bootstrap_interval(
    metric: Callable[..., float], y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, groups: npt.ArrayLike,
    n_replicates: int = 2000, level: float = 0.95, random_state: int = 0, sample_weight: npt.ArrayLike | None = None,
    **metric_arguments: Any,
) -> Interval:
    """Bootstrap one metric.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_prob, *, sample_weight, **metric_arguments) -> float``.
    y_true : array-like, shape (n,)
        Outcome.
    y_prob : array-like, shape (n,)
        Prediction.
    groups : array-like, shape (n,)
        Resampling unit of each row, such as the patient.
    n_replicates : int, default 2000
        Number of replicates.
    level : float, default 0.95
        Confidence level, in (0, 1).
    random_state : int, default 0
        Seed.
    sample_weight : array-like, shape (n,), optional
        Row weights that the replicates multiply.
    **metric_arguments : Any
        Passed on to ``metric``.

    Returns
    -------
    Interval
        Point estimate and percentile interval.

    Raises
    ------
    ValueError
        If an array or setting is malformed, or the metric fails or is NaN in a replicate.
    """
    y, score = np.asarray(y_true), np.asarray(y_prob)
    codes, _ = group_codes(groups, y.size)
    base = as_weight(sample_weight, y.size)

    def _of_weights(weights: FloatArray) -> list[float]:
        return [metric(y, score, sample_weight=weights * base, **metric_arguments)]

    return bootstrap_values(_of_weights, groups=codes, n_replicates=n_replicates, level=level, random_state=random_state)[0]


def bootstrap_difference(
    metric: Callable[..., float], y_true: npt.ArrayLike, y_prob_a: npt.ArrayLike, y_prob_b: npt.ArrayLike, *,
    groups: npt.ArrayLike, n_replicates: int = 2000, level: float = 0.95, random_state: int = 0,
    sample_weight: npt.ArrayLike | None = None, **metric_arguments: Any,
) -> Interval:
    """Bootstrap the metric of model a less that of model b, both on the same replicates.

    Parameters
    ----------
    metric : callable
        ``metric(y_true, y_prob, *, sample_weight, **metric_arguments) -> float``.
    y_true : array-like, shape (n,)
        Outcome.
    y_prob_a, y_prob_b : array-like, shape (n,)
        Predictions of the two models for the same rows.
    groups : array-like, shape (n,)
        Resampling unit of each row, such as the patient.
    n_replicates : int, default 2000
        Number of replicates.
    level : float, default 0.95
        Confidence level, in (0, 1).
    random_state : int, default 0
        Seed.
    sample_weight : array-like, shape (n,), optional
        Row weights that the replicates multiply.
    **metric_arguments : Any
        Passed on to ``metric``.

    Returns
    -------
    Interval
        Difference and its percentile interval; one without 0 tells the models apart.

    Raises
    ------
    ValueError
        If an array or setting is malformed, or the metric fails or is NaN in a replicate.
    """
    b = np.asarray(y_prob_b)

    def _difference(y: npt.ArrayLike, a: npt.ArrayLike, *, sample_weight: npt.ArrayLike, **arguments: Any) -> float:
        return metric(y, a, sample_weight=sample_weight, **arguments) - metric(y, b, sample_weight=sample_weight, **arguments)

    return bootstrap_interval(_difference, y_true, y_prob_a, groups=groups, n_replicates=n_replicates, level=level,
                              random_state=random_state, sample_weight=sample_weight, **metric_arguments)


def rank_replicates(
    y_true: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], *, groups: npt.ArrayLike, n_replicates: int = 2000,
    random_state: int = 0,
) -> dict[str, FloatArray]:
    """Compute AUROC and average precision of every replicate, compiled and on all processors.

    Each model is sorted once; a replicate is one pass over the sorted rows. No more than one replicate a thread is held in memory.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    scores : mapping of str to array-like, shape (n,)
        Any finite score by model, higher for higher risk.
    groups : array-like, shape (n,)
        Resampling unit of each row, such as the patient.
    n_replicates : int, default 2000
        Number of replicates.
    random_state : int, default 0
        Seed.

    Returns
    -------
    dict of str to ndarray, shape (n_replicates, 2)
        By model: AUROC in the first column, average precision in the second.

    Raises
    ------
    ValueError
        If an array or setting is malformed.
    TooFewEventsError
        If a replicate lacks a class.
    """
    codes, labels = group_codes(groups, np.asarray(y_true).size)
    _check_settings(len(labels), n_replicates, random_state)
    ranked = [_sort_rows(y_true, score, codes) for score in scores.values()]
    chunks = [range(start, min(start + _CHUNK, n_replicates)) for start in range(0, n_replicates, _CHUNK)]
    evaluate = partial(_rank_chunk, ranked=ranked, n_groups=len(labels), random_state=random_state)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        values = np.concatenate(list(pool.map(evaluate, chunks)))
    if np.isnan(values).any():
        replicate = int(np.flatnonzero(np.isnan(values).any(axis=(1, 2)))[0])
        raise TooFewEventsError(f"bootstrap replicate {replicate}: y_true must hold both classes; got only one. "
                                "Too few groups or events to resample; use more of them.")
    return {name: values[:, model] for model, name in enumerate(scores)}


def bootstrap_rank_metrics(
    y_true: npt.ArrayLike, scores: Mapping[str, npt.ArrayLike], *, groups: npt.ArrayLike, n_replicates: int = 2000,
    level: float = 0.95, random_state: int = 0, differences: Sequence[tuple[str, str]] = (),
) -> dict[str, dict[str, Interval]]:
    """Bootstrap AUROC and average precision of several models, and paired differences between them, the fast way.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    scores : mapping of str to array-like, shape (n,)
        Any finite score by model, higher for higher risk.
    groups : array-like, shape (n,)
        Resampling unit of each row, such as the patient.
    n_replicates : int, default 2000
        Number of replicates.
    level : float, default 0.95
        Confidence level, in (0, 1).
    random_state : int, default 0
        Seed.
    differences : sequence of (str, str), optional
        Pairs of models ``(a, b)`` for which a less b is wanted too.

    Returns
    -------
    dict of str to dict of str to Interval
        By model ``{"roc_auc": ..., "average_precision": ...}``; a difference stands under ``"a - b"``.

    Raises
    ------
    ValueError
        If an array or setting is malformed, a pair names an unknown model, or a replicate lacks a class.
    """
    check_fraction(level, name="level")
    _check_pairs(scores, differences)
    values = {name: np.array([roc_auc(y_true, score), average_precision(y_true, score)]) for name, score in scores.items()}
    replicates = rank_replicates(y_true, scores, groups=groups, n_replicates=n_replicates, random_state=random_state)
    for a, b in differences:
        values[f"{a} - {b}"], replicates[f"{a} - {b}"] = values[a] - values[b], replicates[a] - replicates[b]
    codes, labels = group_codes(groups)
    return {name: {metric: _interval(values[name][column], replicates[name][:, column], level, codes.size, len(labels))
                   for column, metric in enumerate(("roc_auc", "average_precision"))} for name in values}


def _check_settings(n_groups: int, n_replicates: int, random_state: int) -> None:
    if n_groups < 2:
        raise ValueError(f"groups must hold at least 2 groups to resample; got {n_groups}. Pass the patient of each row.")
    if n_replicates < 1:
        raise ValueError(f"n_replicates must be at least 1; got {n_replicates}. 2000 is customary for a 95 % interval.")
    if random_state < 0:
        raise ValueError(f"random_state must be at least 0; got {random_state}. Pass a fixed whole number.")


def _check_pairs(scores: Mapping[str, npt.ArrayLike], differences: Sequence[tuple[str, str]]) -> None:
    for pair in differences:
        unknown = [name for name in pair if name not in scores]
        if unknown:
            raise ValueError(f"differences must name models in scores, {sorted(scores)}; got {unknown[0]!r}. Correct the name.")
        if f"{pair[0]} - {pair[1]}" in scores:
            raise ValueError(f"scores must not name a model '{pair[0]} - {pair[1]}', the name of a difference asked for. Rename it.")


def _evaluate(function_of_weights: Callable[[FloatArray], npt.ArrayLike], weights: FloatArray, replicate: int) -> FloatArray:
    try:
        values = np.asarray(function_of_weights(weights), dtype=np.float64)
    except ValueError as error:
        raise TooFewEventsError(f"bootstrap replicate {replicate}: {error} Too few groups or events to resample; use more of them."
                                ) from error
    if np.isnan(values).any():
        entry = int(np.flatnonzero(np.isnan(values))[0])
        raise ValueError(f"bootstrap replicate {replicate}: entry {entry} must be a number; got NaN. "
                         "Leave out numbers that are undefined in some samples.")
    return values


def _interval(value: float, replicates: FloatArray, level: float, n: int, n_groups: int) -> Interval:
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(value), float(low), float(high), level, n, n_groups)


def _sort_rows(
    y_true: npt.ArrayLike, scores: npt.ArrayLike, codes: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Group and kind of each row, highest score first, as `_rank_kernels.rank_metrics` takes them."""
    y, score, _ = check_binary(y_true, scores, name="y_score")
    order = np.argsort(score)[::-1]
    ordered = score[order]
    last = np.append(ordered[1:] != ordered[:-1], True)
    return codes[order], (y[order] + 2 * last).astype(np.uint8)


def _rank_chunk(
    replicates: range, *, ranked: Sequence[tuple[npt.NDArray[np.int32], npt.NDArray[np.uint8]]], n_groups: int, random_state: int
) -> FloatArray:
    from carefolio import _rank_kernels

    values = np.empty((len(replicates), len(ranked), 2))
    for row, replicate in enumerate(replicates):
        counts = _rank_kernels.count_draws(draw_groups(n_groups, replicate=replicate, random_state=random_state))
        for model, (codes, kinds) in enumerate(ranked):
            values[row, model] = _rank_kernels.rank_metrics(counts, codes, kinds)
    return values
