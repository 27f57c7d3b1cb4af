"""How much faster one way is than another: both are asked in turns, so that a disturbance of the machine meets both."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.evidence import Metric, metric

LEVEL = 0.95
REPLICATES = 2000


def take_turns(systems: Sequence[Callable[[Any], Any]], requests: Sequence[Sequence[Any]], repeats: int) -> NDArray[np.float64]:
    """Time every system on every request; the order turns with each round.

    Parameters
    ----------
    systems : sequence of callable
        Each takes a request.
    requests : sequence of sequence
        Each one item or more, such as texts or photographs.
    repeats : int
        Rounds.

    Returns
    -------
    ndarray, shape (systems, requests, repeats)
        Milliseconds an item.
    """
    for system in systems:
        system(requests[0])
    times = np.empty((len(systems), len(requests), repeats))
    for repeat in range(repeats):
        for number, request in enumerate(requests):
            for place in np.roll(np.arange(len(systems)), repeat).tolist():
                start = time.perf_counter()
                systems[place](request)
                times[place, number, repeat] = (time.perf_counter() - start) * 1000 / len(request)
    return times


def speed_up(slow: NDArray[np.float64], fast: NDArray[np.float64], *, seed: int) -> Metric:
    """Give the median ratio of two times, with an interval by drawing requests, and then rounds of each.

    Parameters
    ----------
    slow, fast : ndarray, shape (requests, repeats)
        As `take_turns` gives them.
    seed : int
        Of the draws.

    Returns
    -------
    Metric
        Above 1 if the second is faster.
    """
    ratios, chance = slow / fast, np.random.default_rng(seed)
    requests, repeats = ratios.shape
    rows = chance.integers(0, requests, size=(REPLICATES, requests, 1))
    columns = chance.integers(0, repeats, size=(REPLICATES, requests, repeats))
    replicates = np.median(ratios[rows, columns].reshape(REPLICATES, -1), axis=1)
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Metric(value=float(np.median(ratios)), low=float(low), high=float(high), level=LEVEL, n=ratios.size, higher_is_better=True)


def median_time(times: NDArray[np.float64]) -> Metric:
    """Give the median of times.

    Parameters
    ----------
    times : ndarray
        In milliseconds.

    Returns
    -------
    Metric
        Lower is better.
    """
    return metric(round(float(np.median(times)), 3), n=times.size, higher_is_better=False)


@contextmanager
def torch_threads(threads: int) -> Iterator[None]:
    """Let torch use so many threads for a while.

    Parameters
    ----------
    threads : int
        At least 1.

    Yields
    ------
    None
        Afterwards it uses as many as before.
    """
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
