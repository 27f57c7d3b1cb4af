"""A place with servers and a queue, as SimPy runs it: nurses, a camera, graders, an eye doctor."""

from collections.abc import Generator
from heapq import heappop, heappush
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.floating[Any]]


def serve(arrivals: ArrayLike, minutes: ArrayLike, *, servers: int, until: float, priority: ArrayLike | None = None,
          deadlines: ArrayLike | None = None) -> Floats:
    """Let servers work through what arrives.

    Parameters
    ----------
    arrivals : array-like of shape (n,)
        Times of arrival, not decreasing.
    minutes : array-like of shape (n,)
        Time that each takes a server.
    servers : int
        How many work at once.
    until : float
        End of the simulated time.
    priority : array-like of shape (n,), optional
        The lowest is taken first, whoever has waited longest among equals; by default the order of arrival. Work in hand is not broken off.
    deadlines : array-like of shape (n,), optional
        Times after which a server does not begin any more; what waits longer is dropped without taking time.

    Returns
    -------
    ndarray of shape (n,)
        When each was begun; NaN for what was dropped or still waits at the end.

    Raises
    ------
    ValueError
        If arrivals go back in time, or there is no server.
    """
    import simpy

    times, work = np.asarray(arrivals, dtype=float), np.asarray(minutes, dtype=float)
    if servers < 1 or np.any(np.diff(times) < 0):
        raise ValueError(f"arrivals must not go back in time and servers must be at least 1; got {servers} servers")
    ranks = np.zeros(len(times)) if priority is None else np.asarray(priority, dtype=float)
    latest = np.full(len(times), np.inf) if deadlines is None else np.asarray(deadlines, dtype=float)
    begun = np.full(len(times), np.nan)
    environment, queue = simpy.Environment(), _Queue(times.tolist(), ranks.tolist())
    for _ in range(servers):
        environment.process(_work(environment, queue, work.tolist(), latest.tolist(), begun))
    environment.run(until=until)
    return begun


class _Queue:
    """Who has arrived and waits, lowest rank first; those still to come are let in when a server looks."""

    def __init__(self, times: list[float], ranks: list[float]) -> None:
        self.times, self.ranks = times, ranks
        self.waiting: list[tuple[float, int]] = []
        self.arrived = 0

    def next_at(self, now: float) -> int | None:
        """Take out the one to be served next."""
        while self.arrived < len(self.times) and self.times[self.arrived] <= now:
            heappush(self.waiting, (self.ranks[self.arrived], self.arrived))
            self.arrived += 1
        return heappop(self.waiting)[1] if self.waiting else None


def _work(environment: Any, queue: _Queue, minutes: list[float], latest: list[float], begun: Floats) -> Generator[Any, Any, None]:
    while True:
        number = queue.next_at(environment.now)
        if number is not None and environment.now <= latest[number]:
            begun[number] = environment.now
            yield environment.timeout(minutes[number])
        elif number is None and queue.arrived < len(queue.times):
            yield environment.timeout(queue.times[queue.arrived] - environment.now)
        elif number is None:
            return
