"""The search over LightGBM's parameters: grouped cross-validation on the training patients, never on the test part."""

import time
from typing import Any

import lightgbm as lgb
import numpy as np
import optuna
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold

from readmission.config import TuningSettings
from readmission.model import Floats, dataset, fixed_parameters

Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


def patient_folds(y: NDArray[Any], patients: NDArray[Any], *, folds: int, seed: int) -> list[Fold]:
    """Cut the training rows into folds with every patient in one of them.

    Parameters
    ----------
    y, patients : ndarray of shape (n,)
        Target and patient of each row.
    folds : int
        How many.
    seed : int
        Seed of the shuffle.

    Returns
    -------
    list of (train, valid)
        Row positions.
    """
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return list(splitter.split(np.zeros(len(y)), y, patients))


def suggest(trial: optuna.Trial) -> dict[str, Any]:
    """Draw one set of parameters.

    Parameters
    ----------
    trial : optuna.Trial
        The trial.

    Returns
    -------
    dict
        LightGBM's parameters.
    """
    return {
        "learning_rate": trial.suggest_float("learning_rate", 0.02, 0.06, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 12, 96, log=True),
        "min_child_samples": trial.suggest_int("min_child_samples", 20, 300, log=True),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 0.8),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.5, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 50, log=True),
        "cat_smooth": trial.suggest_float("cat_smooth", 1, 100, log=True),
        "cat_l2": trial.suggest_float("cat_l2", 0.5, 50, log=True),
        "max_cat_threshold": trial.suggest_int("max_cat_threshold", 4, 48),
    }


def cross_validate(X: NDArray[np.float32], y: NDArray[Any], folds: list[Fold], parameters: dict[str, Any],
                   settings: TuningSettings, *, seed: int) -> tuple[Floats, list[int]]:
    """Fit one model a fold with early stopping and predict the rows left out.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Features.
    y : ndarray of shape (n,)
        0 or 1.
    folds : list of (train, valid)
        Result of `patient_folds`.
    parameters : dict
        LightGBM's parameters.
    settings : TuningSettings
        Rounds and patience.
    seed : int
        Seed.

    Returns
    -------
    margin : ndarray of shape (n,)
        Out-of-fold raw scores.
    rounds : list of int
        Best round of each fold.
    """
    margin, rounds = np.zeros(len(y)), []
    for train, valid in folds:
        fitted = lgb.train(
            fixed_parameters(seed) | parameters | {"metric": "auc"}, dataset(X[train], y[train]), num_boost_round=settings.max_rounds,
            valid_sets=[dataset(X[valid], y[valid])], callbacks=[lgb.early_stopping(settings.early_stopping_rounds, verbose=False)])
        margin[valid] = fitted.predict(X[valid], raw_score=True)
        rounds.append(fitted.best_iteration)
    return margin, rounds


def search(X: NDArray[np.float32], y: NDArray[Any], folds: list[Fold], settings: TuningSettings, *, seed: int) -> dict[str, Any]:
    """Search parameters by the mean of out-of-fold AUROC within folds.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Features of the training patients.
    y : ndarray of shape (n,)
        0 or 1.
    folds : list of (train, valid)
        Result of `patient_folds`.
    settings : TuningSettings
        Trials and time limit.
    seed : int
        Seed of the sampler.

    Returns
    -------
    dict
        ``parameters``, ``rounds`` (median best round), ``margin`` (out of fold), ``trials`` (value and parameters of each).
    """
    from rich.console import Console
    from rich.progress import track
    from sklearn.metrics import roc_auc_score

    best: dict[str, Any] = {"value": -np.inf}

    def _objective(trial: optuna.Trial) -> float:
        parameters = suggest(trial)
        margin, rounds = cross_validate(X, y, folds, parameters, settings, seed=seed)
        value = float(np.mean([roc_auc_score(y[valid], margin[valid]) for _, valid in folds]))
        if value > best["value"]:
            best.update(value=value, parameters=parameters, margin=margin, rounds=int(np.median(rounds)))
            console.print(f"  trial {trial.number + 1}: out-of-fold AUROC {value:.4f}, {best['rounds']} rounds", highlight=False)
        return value

    console = Console(stderr=True)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed, multivariate=True))
    start = time.monotonic()
    for _ in track(range(settings.trials), description="tuning", transient=True, console=console):
        study.optimize(_objective, n_trials=1)
        if time.monotonic() - start > settings.timeout_s:
            break
    return best | {"trials": [{"auroc": trial.value, **trial.params} for trial in study.trials]}
