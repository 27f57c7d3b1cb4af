"""Four survival models behind one call: fit on a matrix, get a function that predicts survival at fixed times.

``cox`` (splines, ridge penalty) and ``gradient_boosting`` (scikit-survival, Cox loss) take hazards to be proportional;
``random_forest`` (scikit-survival) and ``discrete_time`` (LightGBM on the hazard of each interval) do not. For the forest and the
discrete model an event counts at the end of its interval, and a patient censored inside an interval leaves at its start.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from outcomes_analysis.survival.preprocess import Floats

MODELS = ("cox", "random_forest", "gradient_boosting", "discrete_time")
Predict = Callable[[Floats], Floats]
KNOTS = 4


def fit_cox(X: Floats, event: Floats, time: Floats, *, n_numbers: int, penalty: float, times: Floats) -> Predict:
    """Fit Cox's model with cubic splines for the numbers and a ridge penalty.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Matrix of `preprocess.transform`.
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.
    n_numbers : int
        Leading columns that are numbers.
    penalty : float
        Ridge penalty on standardised columns.
    times : ndarray, shape (k,)
        Days at which survival is predicted.

    Returns
    -------
    callable
        Matrix to survival probabilities, shape (n, k).
    """
    from sklearn.preprocessing import SplineTransformer, StandardScaler
    from sksurv.linear_model import CoxPHSurvivalAnalysis

    shares = np.linspace(0, 1, KNOTS)
    curved = [j for j in range(n_numbers) if np.unique(np.quantile(X[:, j], shares)).size == KNOTS]
    splines = SplineTransformer(n_knots=KNOTS, knots="quantile", extrapolation="linear", include_bias=False).fit(X[:, curved])

    def _expand(rows: Floats) -> Floats:
        return np.hstack([splines.transform(rows[:, curved]), np.delete(rows, curved, axis=1)])

    scaler = StandardScaler().fit(_expand(X))
    model = CoxPHSurvivalAnalysis(alpha=penalty).fit(scaler.transform(_expand(X)), outcome(event, time))
    return lambda rows: _at(model.predict_survival_function(scaler.transform(_expand(rows)), return_array=True), model.unique_times_, times)


def fit_forest(X: Floats, event: Floats, time: Floats, *, trees: int, leaf_size: int, times: Floats, seed: int) -> Predict:
    """Fit a random survival forest on times coarsened to the intervals.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Features.
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.
    trees, leaf_size : int
        Number of trees and least number of patients in a leaf.
    times : ndarray, shape (k,)
        Ends of the intervals, and the days at which survival is predicted.
    seed : int
        Seed.

    Returns
    -------
    callable
        Matrix to survival probabilities, shape (n, k).
    """
    from sksurv.ensemble import RandomSurvivalForest

    coarse_event, coarse_time = coarsen(event, time, times)
    forest = RandomSurvivalForest(n_estimators=trees, min_samples_leaf=leaf_size, max_features=0.2, n_jobs=1, random_state=seed)
    forest.fit(X.astype(np.float32), outcome(coarse_event, coarse_time))
    return lambda rows: _at(forest.predict_survival_function(rows.astype(np.float32), return_array=True), forest.unique_times_, times)


def fit_boosting(X: Floats, event: Floats, time: Floats, *, trees: int, learning_rate: float, times: Floats, seed: int) -> Any:
    """Fit gradient-boosted trees on Cox's partial likelihood, follow-up cut at the last time.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Features.
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.
    trees : int
        Number of trees.
    learning_rate : float
        Shrinkage.
    times : ndarray, shape (k,)
        The last ends the follow-up.
    seed : int
        Seed.

    Returns
    -------
    sksurv.ensemble.GradientBoostingSurvivalAnalysis
        The fitted model; see `boosting_survival`.
    """
    from sksurv.ensemble import GradientBoostingSurvivalAnalysis

    model = GradientBoostingSurvivalAnalysis(n_estimators=trees, learning_rate=learning_rate, max_depth=4, max_features=0.2,
                                             min_samples_leaf=20, random_state=seed)
    return model.fit(X.astype(np.float32), outcome(event * (time <= times[-1]), np.minimum(time, times[-1])))


def boosting_survival(model: Any, times: Floats) -> Predict:
    """Give the prediction function of a boosted model.

    Parameters
    ----------
    model : sksurv.ensemble.GradientBoostingSurvivalAnalysis
        Fitted.
    times : ndarray, shape (k,)
        Days at which survival is predicted.

    Returns
    -------
    callable
        Matrix to survival probabilities, shape (n, k).
    """
    return lambda rows: _at(model.predict_survival_function(rows.astype(np.float32), return_array=True), model.unique_times_, times)


def fit_discrete(X: Floats, event: Floats, time: Floats, *, rounds: int, leaves: int, learning_rate: float, times: Floats, seed: int,
                 valid: tuple[Floats, Floats, Floats] | None = None, patience: int = 50) -> tuple[Predict, int]:
    """Boost the probability of dying in each interval among those alive at its start.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Features.
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.
    rounds, leaves : int
        Number of trees at most, and leaves of each.
    learning_rate : float
        Shrinkage.
    times : ndarray, shape (k,)
        Ends of the intervals, and the days at which survival is predicted.
    seed : int
        Seed.
    valid : tuple of ndarray, optional
        Features, event and time of rows on which training stops early.
    patience : int
        Rounds without gain after which it stops.

    Returns
    -------
    predict : callable
        Matrix to survival probabilities, shape (n, k).
    rounds : int
        Number of trees used.
    """
    import lightgbm as lgb

    parameters = {"objective": "binary", "learning_rate": learning_rate, "num_leaves": leaves, "min_child_samples": 100,
                  "feature_fraction": 0.3, "bagging_fraction": 0.7, "bagging_freq": 1, "lambda_l2": 5.0, "num_threads": 1,
                  "deterministic": True, "force_row_wise": True, "verbose": -1, "seed": seed}
    rows, died = person_periods(X, event, time, times)
    stop: dict[str, Any] = {}
    if valid is not None:
        stop = {"valid_sets": [lgb.Dataset(*person_periods(*valid, times))], "callbacks": [lgb.early_stopping(patience, verbose=False)]}
    booster = lgb.train(parameters, lgb.Dataset(rows, died), num_boost_round=rounds, **stop)
    used = booster.best_iteration or rounds

    def _predict(matrix: Floats) -> Floats:
        every = np.column_stack([np.repeat(matrix, times.size, axis=0), np.tile(np.arange(times.size), len(matrix))])
        hazard = np.asarray(booster.predict(every.astype(np.float32), num_iteration=used)).reshape(len(matrix), times.size)
        return np.cumprod(1 - hazard, axis=1)

    return _predict, int(used)


def person_periods(X: Floats, event: Floats, time: Floats, times: Floats) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int8]]:
    """Repeat each patient once for every interval begun under observation and not left inside it by censoring.

    Parameters
    ----------
    X : ndarray, shape (n, p)
        Features.
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.
    times : ndarray, shape (k,)
        Ends of the intervals.

    Returns
    -------
    rows : ndarray of float32, shape (m, p + 1)
        Features and, last, the number of the interval.
    died : ndarray of int8, shape (m,)
        Whether the patient died in it.
    """
    interval = np.searchsorted(times, time)
    known = np.where((event == 1) & (interval < times.size), interval + 1, np.minimum(interval, times.size))
    patient = np.repeat(np.arange(len(X)), known)
    period = np.arange(known.sum()) - np.repeat(np.cumsum(known) - known, known)
    died = (event[patient] == 1) & (period == interval[patient])
    return np.column_stack([X[patient], period]).astype(np.float32), died.astype(np.int8)


def coarsen(event: Floats, time: Floats, times: Floats) -> tuple[Floats, Floats]:
    """Move events to the end of their interval and censoring to its start.

    Parameters
    ----------
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.
    times : ndarray, shape (k,)
        Ends of the intervals; what happens after the last counts as censored there.

    Returns
    -------
    event, time : ndarray, shape (n,)
        With at most k + 1 distinct times.
    """
    interval = np.searchsorted(times, time)
    inside = (event == 1) & (interval < times.size)
    start = np.concatenate([[times[0] / 2], times])[np.minimum(interval, times.size)]
    return inside.astype(np.float64), np.where(inside, times[np.minimum(interval, times.size - 1)], start)


def outcome(event: Floats, time: Floats) -> Any:
    """Pack the outcome as scikit-survival takes it.

    Parameters
    ----------
    event, time : ndarray, shape (n,)
        1 died or 0 censored, and days.

    Returns
    -------
    structured ndarray, shape (n,)
        Fields ``event`` and ``time``.
    """
    from sksurv.util import Surv

    return Surv.from_arrays(event.astype(bool), time)


def _at(survival: Floats, known: Floats, times: Floats) -> Floats:
    padded = np.hstack([np.ones((len(survival), 1)), survival])
    return np.clip(padded[:, np.searchsorted(known, times, side="right")], 0.0, 1.0)
