"""The search: trials are drawn in batches and run by one process or by several, with the same code and the same result.

A batch has a fixed size and its results are told to the sampler in the order of the trials, so that what is drawn next does not depend
on how many workers there are or which of them is faster.
"""

import functools
import importlib
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from carefolio.exceptions import ConfigError

ENGINES = ("local", "dask")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "POLARS_MAX_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
Judge = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Takes parameters; gives ``values`` (one a fold) and whatever else is worth keeping."""
Map = Callable[[Judge, list[dict[str, Any]]], list[Mapping[str, Any]]]


@dataclass(frozen=True)
class Trial:
    """One finished trial: its number, parameters, values of the folds, other results, and when it began and ended (ms)."""

    number: int
    parameters: dict[str, Any]
    values: tuple[float, ...]
    extra: dict[str, Any]
    started_ms: int
    ended_ms: int

    @property
    def value(self) -> float:
        """Average over the folds.

        Returns
        -------
        float
            Higher is better.
        """
        return sum(self.values) / len(self.values)


def search(suggest: Callable[[Any], dict[str, Any]], judge: Judge, *, start: Mapping[str, Any], trials: int, batch: int, seed: int,
           run: Map) -> Iterator[Trial]:
    """Draw parameters, have them judged, and learn from it; higher is better.

    Parameters
    ----------
    suggest : callable
        Takes an optuna trial and gives parameters.
    judge : callable
        Takes parameters; must be importable where other processes call it.
    start : mapping
        Parameters of the first trial.
    trials, batch : int
        How many in all, and how many are drawn together.
    seed : int
        Seed of the sampler.
    run : callable
        Calls ``judge`` once a set of parameters; from `engine`.

    Yields
    ------
    Trial
        In the order of their numbers, a batch at a time.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, n_startup_trials=max(4, batch)))
    study.enqueue_trial(dict(start))
    done = 0
    while done < trials:
        drawn = [study.ask() for _ in range(min(batch, trials - done))]
        parameters = [suggest(trial) for trial in drawn]
        results = run(judge, parameters)
        for trial, chosen, result in zip(drawn, parameters, results, strict=True):
            extra = {name: value for name, value in result.items() if name not in ("values", "started_ms", "ended_ms")}
            finished = Trial(trial.number, chosen, tuple(result["values"]), extra, result["started_ms"], result["ended_ms"])
            study.tell(trial, finished.value)
            yield finished
        done += len(drawn)


@contextmanager
def engine(name: str, *, workers: int | None = None) -> Iterator[Map]:
    """Open what calls the judge.

    Parameters
    ----------
    name : {"local", "dask"}
        This process, or worker processes of a Dask cluster on the loopback address.
    workers : int, optional
        Worker processes; one a core by default.

    Yields
    ------
    callable
        Takes the judge and a list of parameters; gives the results in the same order.

    Raises
    ------
    ConfigError
        If the engine is unknown or its packages are missing.
    """
    if name not in ENGINES:
        raise ConfigError(f"engine must be one of {', '.join(ENGINES)}; got {name!r}.")
    if name == "local":
        yield lambda judge, parameters: [_timed(judge, chosen) for chosen in parameters]
        return
    with _cluster(workers) as client:
        yield functools.partial(_map_on_cluster, client)


def _map_on_cluster(client: Any, judge: Judge, parameters: list[dict[str, Any]]) -> list[Mapping[str, Any]]:
    """Send the judge, which holds the rows, to the workers once; parameters go with each call."""
    there = client.scatter(judge, broadcast=True)
    found: list[Mapping[str, Any]] = client.gather([client.submit(_timed, there, chosen, pure=False) for chosen in parameters])
    return found


def _timed(judge: Judge, parameters: Mapping[str, Any]) -> Mapping[str, Any]:
    started, begun = int(time.time() * 1000), time.perf_counter()
    result = judge(parameters)
    return {**result, "started_ms": started, "ended_ms": started + int((time.perf_counter() - begun) * 1000)}


@contextmanager
def _cluster(workers: int | None) -> Iterator[Any]:
    try:
        distributed = importlib.import_module("distributed")
    except ModuleNotFoundError:
        raise ConfigError("--engine dask needs the package 'distributed'; run `pip install 'carefolio-model-registry[scale]'`.") from None
    no_dashboard = {"dashboard": False, "dashboard_address": "127.0.0.1:0"}
    with (tempfile.TemporaryDirectory(prefix="registry-dask-") as scratch,
          distributed.LocalCluster(n_workers=workers or os.cpu_count() or 1, threads_per_worker=1, processes=True, host="127.0.0.1",
                                   env=ONE_THREAD, dashboard_address=None, scheduler_kwargs=no_dashboard, local_directory=scratch,
                                   silence_logs=logging.ERROR) as cluster,
          distributed.Client(cluster) as client):
        yield client
