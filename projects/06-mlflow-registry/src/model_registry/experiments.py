"""The two experiments behind one interface: prepare, judge one set of parameters, fit the winner."""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from carefolio.exceptions import ConfigError
from model_registry import model, survival
from model_registry.config import RegistrySettings
from model_registry.data import Table
from model_registry.features import prepare
from model_registry.names import EXPERIMENTS
from model_registry.tracking.models import Model
from model_registry.tuning import Judge

MODULES: dict[str, Any] = dict(zip(EXPERIMENTS, (model, survival), strict=True))
"""Each has ``OUTCOMES``, ``PACKAGES``, ``START``, ``suggest``, ``judge`` and ``fit``."""


@dataclass(frozen=True)
class Experiment:
    """What a search needs of an experiment; ``packages`` are those that its model needs to be loaded."""

    name: str
    start: Mapping[str, Any]
    suggest: Callable[[Any], dict[str, Any]]
    judge: Judge
    fit: Callable[[Mapping[str, Any]], tuple[Model, dict[str, Any]]]
    packages: tuple[str, ...]


def open_experiment(name: str, table: Table, settings: RegistrySettings) -> Experiment:
    """Prepare an experiment.

    Parameters
    ----------
    name : str
        One of `EXPERIMENTS`.
    table : Table
        Its rows.
    settings : RegistrySettings
        Search and seed.

    Returns
    -------
    Experiment
        Ready to be searched.

    Raises
    ------
    ConfigError
        If there is no such experiment.
    """
    if name not in MODULES:
        raise ConfigError(f"there is no experiment {name!r}; choose from {', '.join(EXPERIMENTS)}.")
    module = MODULES[name]
    rows = prepare(table, module.OUTCOMES, folds=settings.search.folds, seed=settings.seed)
    judge, fit = (functools.partial(with_one_thread, function, rows, settings) for function in (module.judge, module.fit))
    return Experiment(name, module.START, module.suggest, judge, fit, module.PACKAGES)


def with_one_thread(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function while linear algebra has one thread: sums in another order are other digits.

    Parameters
    ----------
    function : callable
        What is called; LightGBM has its own number of threads.
    *arguments : Any
        What it takes.

    Returns
    -------
    Any
        What it gives.
    """
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1, user_api="blas"):
        return function(*arguments)


def typical_patient(rows: pl.DataFrame, features: tuple[str, ...]) -> pl.DataFrame:
    """Make up a row of medians and most frequent categories: an example that is nobody's.

    Parameters
    ----------
    rows : polars.DataFrame
        Train rows.
    features : tuple of str
        Columns.

    Returns
    -------
    polars.DataFrame
        One row.
    """
    middle = {name: rows[name].drop_nulls().mode().sort()[0] if rows.schema[name] == pl.String else rows[name].cast(pl.Float64).median()
              for name in features}
    return pl.DataFrame([middle], schema={name: pl.String if rows.schema[name] == pl.String else pl.Float64 for name in features})
