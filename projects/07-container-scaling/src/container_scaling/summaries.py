"""From the requests of one load to numbers with intervals: seconds are drawn, because requests of one second share its disturbances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from carefolio.evidence import Metric, metric

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from container_scaling.load import LoadResult

LEVEL = 0.95


def per_second(result: LoadResult) -> NDArray[np.float64]:
    """Count the accepted requests of each whole second, by when they were answered.

    Parameters
    ----------
    result : LoadResult
        Of one load.

    Returns
    -------
    ndarray, shape (seconds,)
        Answers in each; at least one.
    """
    ends = (result.sent_s + result.seconds)[result.status == 200]
    whole = max(1, int(result.span_s))
    counts = np.bincount(np.clip(ends, 0, None).astype(int), minlength=whole)[:whole].astype(float)
    return counts if result.span_s >= 1 else counts / result.span_s


def throughput(results: Sequence[LoadResult], *, replicates: int, seed: int) -> Metric:
    """Give answered requests a second, over one load or several.

    Parameters
    ----------
    results : sequence of LoadResult
        Loads of one kind.
    replicates : int
        Draws.
    seed : int
        Of the draws.

    Returns
    -------
    Metric
        Mean over seconds, with an interval.
    """
    counts = np.concatenate([per_second(result) for result in results])
    means = _draw(counts, replicates, seed).mean(axis=1)
    return _metric(float(counts.mean()), means, n=sum(result.requests for result in results), higher_is_better=True)


def throughput_ratio(ours: Sequence[LoadResult], theirs: Sequence[LoadResult], *, replicates: int, seed: int) -> Metric:
    """Give how many times as many requests one service answers as another.

    Parameters
    ----------
    ours, theirs : sequence of LoadResult
        Loads of the same kind, taken in turns.
    replicates : int
        Draws.
    seed : int
        Of the draws.

    Returns
    -------
    Metric
        Above 1 if ours answers more.
    """
    first, second = (np.concatenate([per_second(result) for result in results]) for results in (ours, theirs))
    ratios = _draw(first, replicates, seed).mean(axis=1) / _draw(second, replicates, seed + 1).mean(axis=1)
    return _metric(float(first.mean() / second.mean()), ratios, n=sum(result.requests for result in (*ours, *theirs)),
    higher_is_better=True)


def latency_ms(result: LoadResult, quantile: float, *, replicates: int, seed: int) -> Metric:
    """Give the time within which a share of accepted requests was answered.

    Parameters
    ----------
    result : LoadResult
        Of one load.
    quantile : float
        The share.
    replicates : int
        Draws.
    seed : int
        Of the draws.

    Returns
    -------
    Metric
        Milliseconds, with an interval.
    """
    accepted = result.status == 200
    seconds, when = result.seconds[accepted] * 1000, result.sent_s[accepted].astype(int)
    blocks = [seconds[when == second] for second in np.unique(when)]
    chance = np.random.default_rng(seed)
    values = np.array([np.quantile(np.concatenate([blocks[i] for i in chance.integers(0, len(blocks), len(blocks))]), quantile)
                       for _ in range(replicates)])
    return _metric(float(np.quantile(seconds, quantile)), values, n=len(seconds), higher_is_better=False)


def _draw(values: NDArray[np.float64], replicates: int, seed: int) -> NDArray[np.float64]:
    chance = np.random.default_rng(seed)
    return values[chance.integers(0, len(values), size=(replicates, len(values)))]


def _metric(value: float, values: NDArray[np.float64], *, n: int, higher_is_better: bool | None) -> Metric:
    low, high = np.quantile(values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    whole = metric(value, n=n, higher_is_better=higher_is_better)
    return Metric(value=whole.value, low=float(min(low, value)), high=float(max(high, value)), level=LEVEL, n=n,
                  higher_is_better=higher_is_better)
