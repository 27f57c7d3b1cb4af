"""The readmission model: LightGBM with logistic recalibration on out-of-fold margins. No pickle is written or read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.encoding import to_matrix
from model_registry.config import RegistrySettings
from model_registry.features import Prepared

TARGET = "returned_within_30_days"
OUTCOMES = (TARGET,)
PACKAGES = ("lightgbm", "numpy", "pandas")
"""What the model needs to be loaded."""
START = {"learning_rate": 0.1, "num_leaves": 31, "min_child_samples": 20, "feature_fraction": 1.0, "bagging_fraction": 1.0,
         "lambda_l2": 1e-3, "cat_smooth": 10.0}
"""What LightGBM comes with (its ridge of zero as near as a logarithm goes): the first trial of a search, which the others have to beat."""
Floats = NDArray[np.float64]


def suggest(trial: Any) -> dict[str, Any]:
    """Draw one set of LightGBM's parameters.

    Parameters
    ----------
    trial : optuna.Trial
        The trial.

    Returns
    -------
    dict
        Parameters by name.
    """
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 8, 64, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 20, 300, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 1e-3, 50, log=True),
        "cat_smooth": trial.suggest_float("cat_smooth", 1, 100, log=True),
    }


def fixed_parameters(*, seed: int, threads: int) -> dict[str, Any]:
    """Give the parameters that are not searched.

    Parameters
    ----------
    seed : int
        Seed of bagging and feature sampling.
    threads : int
        Threads of one fit; a result to the digit needs the same number.

    Returns
    -------
    dict
        Deterministic training.
    """
    return {"objective": "binary", "metric": "auc", "verbose": -1, "num_threads": threads, "deterministic": True, "force_row_wise": True,
            "bagging_freq": 1, "seed": seed, "feature_pre_filter": False}


def judge(prepared: Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Cross-validate one set of parameters.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    settings : RegistrySettings
        Search and seed.
    parameters : mapping
        LightGBM's parameters.

    Returns
    -------
    dict
        ``values`` (AUROC) and ``rounds``, one a fold.
    """
    values, rounds, _ = cross_validate(prepared, settings, parameters)
    return {"values": values, "rounds": rounds}


def cross_validate(prepared: Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> tuple[list[float], list[int], Floats]:
    """Fit one model a fold with early stopping and judge the rows left out.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    settings : RegistrySettings
        Rounds, patience, threads and seed.
    parameters : mapping
        LightGBM's parameters.

    Returns
    -------
    values : list of float
        AUROC of each fold.
    rounds : list of int
        Best round of each fold.
    margin : ndarray of shape (n,)
        Out-of-fold raw scores.
    """
    from sklearn.metrics import roc_auc_score

    y, search = prepared.outcomes[TARGET], settings.search
    values, rounds, margin = [], [], np.zeros(len(y))
    for train, valid in prepared.folds:
        fitted = lgb.train(fixed_parameters(seed=settings.seed, threads=search.threads) | dict(parameters), _dataset(prepared, train),
                           num_boost_round=search.max_rounds, valid_sets=[_dataset(prepared, valid)],
                           callbacks=[lgb.early_stopping(search.early_stopping_rounds, verbose=False)])
        margin[valid] = fitted.predict(prepared.X[valid], raw_score=True)
        values.append(float(roc_auc_score(y[valid], margin[valid])))
        rounds.append(int(fitted.best_iteration))
    return values, rounds, margin


def _dataset(prepared: Prepared, rows: NDArray[np.int64]) -> lgb.Dataset:
    return lgb.Dataset(prepared.X[rows], prepared.outcomes[TARGET][rows], feature_name=list(prepared.features),
                       categorical_feature=list(prepared.categories), params={"feature_pre_filter": False, "verbose": -1})


@dataclass(frozen=True)
class ReadmissionModel:
    """Booster, recalibration and encoding; what stands beside the booster is small enough for the model's metadata."""

    booster: lgb.Booster
    intercept: float
    slope: float
    features: tuple[str, ...]
    categories: dict[str, list[str]]

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Predict the risk of return within 30 days.

        Parameters
        ----------
        frame : polars.DataFrame
            n rows.

        Returns
        -------
        ndarray of shape (n,)
            Probabilities.
        """
        matrix = to_matrix(frame, self.features, self.categories)
        margin = np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=1))
        return np.asarray(1.0 / (1.0 + np.exp(-(self.intercept + self.slope * margin))))

    def metadata(self) -> dict[str, Any]:
        """Give what a loader needs beside the booster.

        Returns
        -------
        dict
            Ready for JSON.
        """
        return {"intercept": self.intercept, "slope": self.slope, "features": list(self.features), "categories": self.categories}


def fit(prepared: Prepared, settings: RegistrySettings, parameters: Mapping[str, Any]) -> tuple[ReadmissionModel, dict[str, Any]]:
    """Fit on all train rows for the median of the folds' best rounds, and recalibrate on out-of-fold margins.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    settings : RegistrySettings
        Rounds, patience, threads and seed.
    parameters : mapping
        The parameters that won.

    Returns
    -------
    model : ReadmissionModel
        The fitted model.
    extra : dict
        ``rounds`` of it.
    """
    from sklearn.linear_model import LogisticRegression

    _, found, margin = cross_validate(prepared, settings, parameters)
    rounds, y = int(np.median(found)), prepared.outcomes[TARGET]
    booster = lgb.train(fixed_parameters(seed=settings.seed, threads=settings.search.threads) | dict(parameters),
                        _dataset(prepared, np.arange(len(y))), num_boost_round=rounds)
    line = LogisticRegression(C=np.inf, tol=1e-8).fit(margin.reshape(-1, 1), y)
    return (ReadmissionModel(booster, float(line.intercept_[0]), float(line.coef_[0, 0]), prepared.features, prepared.categories),
            {"rounds": rounds})
