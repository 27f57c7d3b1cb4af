"""The readmission model: LightGBM with logistic recalibration on out-of-fold margins. No pickle is written or read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from model_registry.config import SearchSettings
from model_registry.data import PATIENT, Table
from model_registry.features import Matrix, fit_categories, to_matrix

TARGET = "returned_within_30_days"
Floats = NDArray[np.float64]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Prepared:
    """Train rows as arrays, what encodes them, and the folds by patient."""

    X: Matrix
    y: NDArray[np.int8]
    folds: tuple[Fold, ...]
    features: tuple[str, ...]
    categories: dict[str, list[str]]


def prepare(table: Table, settings: SearchSettings, *, seed: int) -> Prepared:
    """Encode the train part once for all trials.

    Parameters
    ----------
    table : Table
        The readmission table.
    settings : SearchSettings
        Number of folds.
    seed : int
        Seed of the folds.

    Returns
    -------
    Prepared
        Arrays and folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rows = table.part("train")
    categories = fit_categories(rows, table.features)
    y = rows[TARGET].to_numpy()
    splitter = StratifiedGroupKFold(n_splits=settings.folds, shuffle=True, random_state=seed)
    folds = tuple(splitter.split(np.zeros(len(y)), y, rows[PATIENT].to_numpy()))
    return Prepared(to_matrix(rows, table.features, categories), y, folds, table.features, categories)


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
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 0.8),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 50, log=True),
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


def cross_validate(prepared: Prepared, parameters: Mapping[str, Any], settings: SearchSettings, *,
                   seed: int) -> tuple[list[float], list[int], Floats]:
    """Fit one model a fold with early stopping and judge the rows left out.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    parameters : mapping
        LightGBM's parameters.
    settings : SearchSettings
        Rounds, patience and threads.
    seed : int
        Seed.

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

    values, rounds, margin = [], [], np.zeros(len(prepared.y))
    for train, valid in prepared.folds:
        fitted = lgb.train(fixed_parameters(seed=seed, threads=settings.threads) | dict(parameters), _dataset(prepared, train),
                           num_boost_round=settings.max_rounds, valid_sets=[_dataset(prepared, valid)],
                           callbacks=[lgb.early_stopping(settings.early_stopping_rounds, verbose=False)])
        margin[valid] = fitted.predict(prepared.X[valid], raw_score=True)
        values.append(float(roc_auc_score(prepared.y[valid], margin[valid])))
        rounds.append(int(fitted.best_iteration))
    return values, rounds, margin


def _dataset(prepared: Prepared, rows: NDArray[np.int64]) -> lgb.Dataset:
    return lgb.Dataset(prepared.X[rows], prepared.y[rows], feature_name=list(prepared.features),
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


def fit(prepared: Prepared, parameters: Mapping[str, Any], settings: SearchSettings, *, seed: int) -> tuple[ReadmissionModel, int]:
    """Fit on all train rows for the median of the folds' best rounds, and recalibrate on out-of-fold margins.

    Parameters
    ----------
    prepared : Prepared
        Train rows.
    parameters : mapping
        The parameters that won.
    settings : SearchSettings
        Rounds, patience and threads.
    seed : int
        Seed.

    Returns
    -------
    model : ReadmissionModel
        The fitted model.
    rounds : int
        Rounds of it.
    """
    from sklearn.linear_model import LogisticRegression

    _, found, margin = cross_validate(prepared, parameters, settings, seed=seed)
    rounds = int(np.median(found))
    booster = lgb.train(fixed_parameters(seed=seed, threads=settings.threads) | dict(parameters),
                        _dataset(prepared, np.arange(len(prepared.y))), num_boost_round=rounds)
    line = LogisticRegression(C=np.inf, tol=1e-8).fit(margin.reshape(-1, 1), prepared.y)
    return ReadmissionModel(booster, float(line.intercept_[0]), float(line.coef_[0, 0]), prepared.features, prepared.categories), rounds
