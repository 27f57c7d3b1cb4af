"""The inner search: each candidate is fitted on part of the training patients and judged, by AUROC at the horizon, on the rest."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from outcomes_analysis.survival import models
from outcomes_analysis.survival.cohort import EVENT, FEATURES, PATIENT, PEERS, PUBLISHED, TARGET, TIME
from outcomes_analysis.survival.preprocess import Floats, fit_preprocessing, transform
from outcomes_analysis.survival.settings import SurvivalSettings

VARIANTS = {"discrete_time_as_published": "discrete_time", "discrete_time_with_support": "discrete_time"}
"""The same model on other columns: physiology as the published table has it, and the SUPPORT estimates as further features."""


@dataclass(frozen=True)
class Part:
    """Rows ready for a model: features, outcome, and how many of the columns are numbers."""

    X: Floats
    event: Floats
    time: Floats
    dead: NDArray[np.int8]
    n_numbers: int


@dataclass(frozen=True)
class Task:
    """One model in one outer fold."""

    model: str
    fold: str
    train: pl.DataFrame
    test: pl.DataFrame
    settings: SurvivalSettings
    seed: int


@dataclass(frozen=True)
class Fitted:
    """What came of a task: survival of the test patients, and the inner search that led to it."""

    model: str
    fold: str
    patients: NDArray[Any]
    survival: Floats
    parameters: dict[str, Any]
    inner_patients: NDArray[Any]
    inner_risk: Floats


def columns_of(model: str, table: pl.DataFrame) -> tuple[pl.DataFrame, tuple[str, ...]]:
    """Give a model's table and features.

    Parameters
    ----------
    model : str
        One of `models.MODELS` or `VARIANTS`.
    table : polars.DataFrame
        The cohort.

    Returns
    -------
    table : polars.DataFrame
        With the physiology that this model sees under the plain names.
    features : tuple of str
        Columns it sees.
    """
    if model.endswith("_as_published"):
        published = [name for name in FEATURES if name + PUBLISHED in table.columns]
        return table.with_columns(pl.col(name + PUBLISHED).alias(name) for name in published), FEATURES
    return table, (*FEATURES, *PEERS) if model.endswith("_with_support") else FEATURES


def inner_parts(train: pl.DataFrame, *, fraction: float, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Set part of the training patients aside, at random within outcome.

    Parameters
    ----------
    train : polars.DataFrame
        Training rows of an outer fold.
    fraction : float
        Share set aside.
    seed : int
        Seed.

    Returns
    -------
    learn, valid : polars.DataFrame
        Inner training and validation rows.
    """
    from sklearn.model_selection import train_test_split

    learn, valid = train_test_split(np.arange(train.height), test_size=fraction, random_state=seed, stratify=train[TARGET].to_numpy())
    return train[np.sort(learn)], train[np.sort(valid)]


def prepare_parts(learn: pl.DataFrame, other: pl.DataFrame, features: tuple[str, ...]) -> tuple[Part, Part]:
    """Preprocess two sets of rows with what the first one teaches.

    Parameters
    ----------
    learn, other : polars.DataFrame
        Rows to learn from, and rows to predict.
    features : tuple of str
        Columns to use.

    Returns
    -------
    learn, other : Part
        Matrices and outcomes.
    """
    fitted = fit_preprocessing(learn, features)

    def _part(rows: pl.DataFrame) -> Part:
        X, n_numbers = transform(rows, fitted)
        event, time = (rows[name].to_numpy().astype(np.float64) for name in (EVENT, TIME))
        return Part(X, event, time, rows[TARGET].to_numpy(), n_numbers)

    return _part(learn), _part(other)


def run_task(task: Task) -> Fitted:
    """Search inside the training patients, refit on all of them, predict the test patients.

    Parameters
    ----------
    task : Task
        Model, fold and rows.

    Returns
    -------
    Fitted
        Predictions and what was chosen.
    """
    kind = VARIANTS.get(task.model, task.model)
    train, features = columns_of(task.model, task.train)
    test, _ = columns_of(task.model, task.test)
    learn_rows, valid_rows = inner_parts(train, fraction=task.settings.inner_fraction, seed=task.seed)
    learn, valid = prepare_parts(learn_rows, valid_rows, features)
    parameters, inner_risk = SEARCHES[kind](learn, valid, task.settings, task.seed)
    everybody, held_out = prepare_parts(train, test, features)
    survival = fit(kind, everybody, parameters, task.settings, seed=task.seed)(held_out.X)
    return Fitted(task.model, task.fold, test[PATIENT].to_numpy(), survival, parameters, valid_rows[PATIENT].to_numpy(), inner_risk)


def fit(kind: str, part: Part, parameters: dict[str, Any], settings: SurvivalSettings, *, seed: int) -> models.Predict:
    """Fit one model with given parameters.

    Parameters
    ----------
    kind : str
        One of `models.MODELS`.
    part : Part
        Training rows.
    parameters : dict
        What the search chose.
    settings : SurvivalSettings
        Times and sizes.
    seed : int
        Seed.

    Returns
    -------
    callable
        Matrix to survival probabilities at the settings' times.
    """
    times = _times(settings)
    data = (part.X, part.event, part.time)
    if kind == "cox":
        return models.fit_cox(*data, n_numbers=part.n_numbers, times=times, **parameters)
    if kind == "random_forest":
        return models.fit_forest(*data, trees=settings.forest_trees, times=times, seed=seed, **parameters)
    if kind == "gradient_boosting":
        rate = settings.boosting_learning_rate
        return models.boosting_survival(models.fit_boosting(*data, learning_rate=rate, times=times, seed=seed, **parameters), times)
    return models.fit_discrete(*data, learning_rate=settings.discrete_learning_rate, times=times, seed=seed, **parameters)[0]


def _times(settings: SurvivalSettings) -> Floats:
    return np.asarray(settings.times_days, dtype=np.float64)


def _risk(survival: Floats, settings: SurvivalSettings) -> Floats:
    return 1 - survival[:, settings.times_days.index(settings.horizon_days)]


def _best(learn: Part, valid: Part, settings: SurvivalSettings, seed: int, kind: str, grid: list[dict[str, Any]]) -> Any:
    from sklearn.metrics import roc_auc_score

    risks = [_risk(fit(kind, learn, parameters, settings, seed=seed)(valid.X), settings) for parameters in grid]
    best = int(np.argmax([roc_auc_score(valid.dead, risk) for risk in risks]))
    return grid[best], risks[best]


def _search_cox(learn: Part, valid: Part, settings: SurvivalSettings, seed: int) -> Any:
    return _best(learn, valid, settings, seed, "cox", [{"penalty": value} for value in settings.cox_penalties])


def _search_forest(learn: Part, valid: Part, settings: SurvivalSettings, seed: int) -> Any:
    return _best(learn, valid, settings, seed, "random_forest", [{"leaf_size": size} for size in settings.forest_leaf_sizes])


def _search_boosting(learn: Part, valid: Part, settings: SurvivalSettings, seed: int) -> Any:
    from sklearn.metrics import roc_auc_score

    model = models.fit_boosting(learn.X, learn.event, learn.time, trees=settings.boosting_trees, times=_times(settings), seed=seed,
                                learning_rate=settings.boosting_learning_rate)
    stages = list(model.staged_predict(valid.X.astype(np.float32)))
    best = int(np.argmax([roc_auc_score(valid.dead, score) for score in stages]))
    return {"trees": best + 1}, 1 / (1 + np.exp(-stages[best]))  # only its order counts


def _search_discrete(learn: Part, valid: Part, settings: SurvivalSettings, seed: int) -> Any:
    from sklearn.metrics import roc_auc_score

    found, held_out = [], (valid.X, valid.event, valid.time)
    for leaves in settings.discrete_leaves:
        predict, rounds = models.fit_discrete(
            learn.X, learn.event, learn.time, rounds=settings.discrete_rounds, leaves=leaves, times=_times(settings), seed=seed,
            learning_rate=settings.discrete_learning_rate, valid=held_out, patience=settings.early_stopping_rounds)
        risk = _risk(predict(valid.X), settings)
        found.append((roc_auc_score(valid.dead, risk), {"rounds": rounds, "leaves": leaves}, risk))
    _, parameters, risk = max(found, key=lambda entry: entry[0])
    return parameters, risk


SEARCHES = {"cox": _search_cox, "random_forest": _search_forest, "gradient_boosting": _search_boosting, "discrete_time": _search_discrete}
