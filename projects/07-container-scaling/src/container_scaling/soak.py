"""Overload that lasts: twice what the service can do, and what becomes of answers, refusals and memory."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from container_scaling.load import LoadResult, Plan, drive, users_for
from container_scaling.servers import serve_replicas, share_cores

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from container_scaling.config import LoadSettings, SoakSettings
    from container_scaling.servers import Running

EVERY_S = 0.5
SETTLED = 0.2
"""Share of a soak after which memory is expected to have settled."""


@dataclass(frozen=True)
class Soak:
    """What was seen: the answers, and the memory of the service over time."""

    result: LoadResult
    when_s: NDArray[np.float64]
    memory_mb: NDArray[np.float64]

    @property
    def growth(self) -> float:
        """Compare memory at the end with memory once settled.

        Returns
        -------
        float
            Ratio of the medians of a tenth of the samples each; 1 is no growth.
        """
        start, tenth = int(len(self.memory_mb) * SETTLED), max(1, len(self.memory_mb) // 10)
        return float(np.median(self.memory_mb[-tenth:]) / np.median(self.memory_mb[start:start + tenth]))


def overload(requests: Path, rate: float, settings: LoadSettings, soak: SoakSettings, *, seed: int) -> Soak:
    """Send more than one replica can answer, without waiting for answers.

    Parameters
    ----------
    requests : Path
        Recorded bodies.
    rate : float
        Requests a second.
    settings : LoadSettings
        The bound of the queue.
    soak : SoakSettings
        How long.
    seed : int
        Of the order of requests.

    Returns
    -------
    Soak
        Answers and memory.
    """
    cores = share_cores(1)
    with serve_replicas(1, queue_limit=settings.queue_limit, cores=cores.serving) as running:
        plan = Plan(running.addresses, str(requests), soak.seconds, users=users_for(rate), headers=running.headers, rate=rate,
                    warm_up_s=min(settings.warm_up_s, soak.seconds / 4), seed=seed)
        return watch(running, plan, cores.driving)


def watch(running: Running, plan: Plan, cores: tuple[int, ...]) -> Soak:
    """Drive a service and sample its memory meanwhile.

    Parameters
    ----------
    running : Running
        The service.
    plan : Plan
        What is sent.
    cores : tuple of int
        Cores of the load.

    Returns
    -------
    Soak
        Answers and memory.
    """
    samples: list[tuple[float, float]] = []
    ended, start = threading.Event(), time.perf_counter()

    def _sample() -> None:
        while not ended.wait(EVERY_S):
            samples.append((time.perf_counter() - start, running.memory_mb()))

    sampler = threading.Thread(target=_sample, daemon=True)
    sampler.start()
    try:
        result = drive(plan, cores=cores)
    finally:
        ended.set()
        sampler.join()
    found = np.array(samples).reshape(-1, 2)
    return Soak(result, found[:, 0], found[:, 1])
