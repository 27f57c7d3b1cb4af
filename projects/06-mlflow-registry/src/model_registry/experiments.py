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
from model_registry.names import EXPERIMENTS
from model_registry.tracking.models import Model
from model_registry.tuning import Judge


@dataclass(frozen=True)
class Experiment:
    """What a search needs of an experiment; ``packages`` are those that its model needs to be loaded."""

    name: str
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
    if name == "readmission":
        rows = model.prepare(table, settings.search, seed=settings.seed)
        return Experiment(name, model.suggest, functools.partial(judge_readmission, rows, settings),
                          functools.partial(fit_readmission, rows, settings), ("lightgbm", "numpy", "pandas"))
    if name == "survival":
        periods = survival.prepare(table, settings.search, settings.survival.times_days, seed=settings.seed)
        return Experiment(name, survival.suggest, functools.partial(judge_survival, periods), functools.partial(fit_survival, periods),
                          ("numpy", "onnx", "onnxruntime"))
    raise ConfigError(f"there is no experiment {name!r}; choose from {', '.join(EXPERIMENTS)}.")


def judge_readmission(rows: model.Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Cross-validate one set of parameters of the readmission model.

    Parameters
    ----------
    rows : Prepared
        Train rows.
    settings : RegistrySettings
        Search and seed.
    parameters : mapping
        LightGBM's parameters.

    Returns
    -------
    dict
        ``values`` and ``rounds``, one a fold.
    """
    values, rounds, _ = model.cross_validate(rows, parameters, settings.search, seed=settings.seed)
    return {"values": values, "rounds": rounds}


def fit_readmission(rows: model.Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> tuple[Model, dict[str, Any]]:
    """Fit the readmission model.

    Parameters
    ----------
    rows : Prepared
        Train rows.
    settings : RegistrySettings
        Search and seed.
    parameters : mapping
        The parameters that won.

    Returns
    -------
    model : ReadmissionModel
        The model.
    extra : dict
        ``rounds``.
    """
    fitted, rounds = model.fit(rows, parameters, settings.search, seed=settings.seed)
    return fitted, {"rounds": rounds}


def judge_survival(rows: survival.Prepared, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Cross-validate one set of parameters of the survival model.

    Parameters
    ----------
    rows : Prepared
        Train rows.
    parameters : mapping
        Result of `survival.suggest`.

    Returns
    -------
    dict
        ``values``, one a fold.
    """
    return {"values": survival.cross_validate(rows, parameters)}


def fit_survival(rows: survival.Prepared, parameters: Mapping[str, Any]) -> tuple[Model, dict[str, Any]]:
    """Fit the survival model.

    Parameters
    ----------
    rows : Prepared
        Train rows.
    parameters : mapping
        The parameters that won.

    Returns
    -------
    model : SurvivalModel
        The model.
    extra : dict
        Empty.
    """
    return survival.fit(rows, parameters), {}


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
