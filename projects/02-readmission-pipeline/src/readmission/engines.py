"""Who calls a function over many jobs, one process or several, and how much memory that takes.

``local`` is a loop; ``dask`` is a ``distributed.LocalCluster`` on the loopback address. On a cluster of machines the client
takes the address of that cluster's scheduler instead, and the function that is mapped stays the same.
"""

import contextlib
import functools
import importlib
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psutil

from carefolio.exceptions import CarefolioError, ConfigError

ENGINES = ("local", "dask")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1"}
"""LightGBM and polars take one thread in each worker, so that cores are not asked for twice."""
NO_DASHBOARD = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
"""The scheduler opens a port for its health page in any case; a free one on loopback rather than 8787."""


def check_engine(engine: str) -> None:
    """Refuse an engine that is unknown or whose packages are not installed.

    Parameters
    ----------
    engine : str
        One of `ENGINES`.

    Raises
    ------
    ConfigError
        If it cannot be used.
    """
    if engine not in ENGINES:
        raise ConfigError(f"engine must be one of {', '.join(ENGINES)}; got {engine!r}.")
    if engine == "dask":
        _distributed()


def run(function: Callable[[Any], int], jobs: Sequence[Any], *, engine: str, workers: int | None = None) -> Iterator[int]:
    """Call a function once a job.

    Parameters
    ----------
    function : callable
        Takes a job; must be importable where an engine has other processes.
    jobs : sequence
        One argument a call.
    engine : {"local", "dask"}
        Who calls.
    workers : int, optional
        Worker processes of ``dask``; one a core by default.

    Yields
    ------
    int
        A result, in the order in which jobs finish.
    """
    if engine == "local" or not jobs:
        yield from map(function, jobs)
    else:
        yield from _run_dask(function, jobs, min(workers or os.cpu_count() or 1, len(jobs)))


def _run_dask(function: Callable[[Any], int], jobs: Sequence[Any], workers: int) -> Iterator[int]:
    distributed = _distributed()
    with (tempfile.TemporaryDirectory(prefix="readmission-dask-") as scratch,
          distributed.LocalCluster(n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", env=ONE_THREAD,
                                   dashboard_address=None, scheduler_kwargs=NO_DASHBOARD, local_directory=scratch,
                                   silence_logs=logging.ERROR) as cluster,
          distributed.Client(cluster) as client):
        futures = client.map(functools.partial(_outcome, function), jobs, pure=False)
        for _, outcome in distributed.as_completed(futures, with_results=True):
            if isinstance(outcome, CarefolioError):
                raise outcome
            yield outcome


def _outcome(function: Callable[[Any], int], job: Any) -> int | CarefolioError:
    """Hand an expected error over as a value, to be raised by the calling process: what caused it may not survive the way."""
    try:
        return function(job)
    except CarefolioError as error:
        return type(error)(str(error))


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ModuleNotFoundError:
        raise ConfigError("scoring with dask needs the package 'distributed'; "
                          "run `pip install 'carefolio-readmission[scale]'`.") from None


def with_progress_bar(results: Iterator[int], total: int) -> Iterator[int]:
    """Show on a terminal how many parts are done.

    Parameters
    ----------
    results : iterator of int
        Result of `run`.
    total : int
        Number of jobs.

    Yields
    ------
    int
        The same results.
    """
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    yield from track(results, total=total, description="score", console=console, disable=not console.is_terminal)


@contextmanager
def peak_memory_mb(interval_s: float = 0.1) -> Iterator[list[float]]:
    """Sample the resident memory of this process and its children.

    Parameters
    ----------
    interval_s : float, default 0.1
        Seconds between samples.

    Yields
    ------
    list of float
        One element, the largest sum so far in MB (10^6 bytes); pages that processes share count once in each.
    """
    peak, stop = [0.0], threading.Event()
    thread = threading.Thread(target=_sample_memory, args=(peak, stop, interval_s), daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        stop.set()
        thread.join()


def _sample_memory(peak: list[float], stop: threading.Event, interval_s: float) -> None:
    while True:
        peak[0] = max(peak[0], _resident_mb())
        if stop.wait(interval_s):
            return


def _resident_mb() -> float:
    this = psutil.Process()
    total = this.memory_info().rss
    for child in this.children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            total += child.memory_info().rss
    return total / 1e6
