"""Members that need no trees: persistence, pooled ridge regression, and what followed in like situations.

Each takes a panel and its features and gives quantiles on the panel's scale, shape (n_locations, 4 weeks ahead, 23 levels). The last
known week is one week before horizon 0. Errors are taken as a scale times a shape: the scale follows size, level and recent volatility,
the shape is the pooled distribution of the errors over their scale.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from carefolio.datasets.flusight import QUANTILE_LEVELS
from outcomes_analysis.forecast.features import calendar, changes_ahead, in_season
from outcomes_analysis.forecast.names import HORIZONS
from outcomes_analysis.forecast.panel import Floats, Panel
from outcomes_analysis.forecast.settings import ForecastSettings

LEVELS = np.array(QUANTILE_LEVELS)
REGRESSORS = ("change_1", "change_2", "change_3", "change_4", "slope_5", "slope_8", "nation_change_1", "nation_change_2", "nation_slope_4",
              "region_change_1", "region_slope_4", "region", "mean_change", "rising", "below_peak", "nation_below_peak", "level", "nation",
              "turn")
LIKENESS = {"slope_3": 1.0, "change_1": 1.0, "change_2": 1.0, "slope_8": 0.5, "nation_change_1": 1.0, "nation_slope_4": 1.0, "level": 1.0,
            "below_peak": 0.7}
"""Feature to its weight in the distance between two situations, each in units of its standard deviation."""
_FOLDS, _BLOCK = 6, 4
_OFF_SEASON_WEIGHT = 0.3
_SCALE_PENALTY = 0.05

Predict = Callable[[Floats], Floats]


def ridge_regression(X: Floats, y: Floats, weight: Floats, penalty: float) -> Predict:
    """Fit a weighted ridge regression on standardised columns.

    Parameters
    ----------
    X : ndarray of shape (n, p)
        Features.
    y, weight : ndarray of shape (n,)
        Target and row weight.
    penalty : float
        Relative to the sum of the weights; the intercept has none.

    Returns
    -------
    callable
        Takes features of shape (m, p), gives predictions of shape (m,).
    """
    total = weight.sum()
    mean = weight @ X / total
    spread = np.sqrt(weight @ (X - mean) ** 2 / total) + 1e-9
    A = np.column_stack([np.ones(len(X)), (X - mean) / spread])
    shrink = np.diag(np.append(0.0, np.full(X.shape[1], penalty * total)))
    coefficients = np.linalg.solve((A * weight[:, None]).T @ A + shrink, (A * weight[:, None]).T @ y)
    return lambda Q: np.asarray(np.column_stack([np.ones(len(Q)), (Q - mean) / spread]) @ coefficients)


def error_scale(panel: Panel, features: dict[str, Floats], errors: Floats, weight: Floats) -> Floats:
    """Estimate the size of an error in every week and place from errors that are known.

    Parameters
    ----------
    panel : Panel
        What is known.
    features : dict of str to ndarray of shape (n_weeks, n_locations)
        Result of `build_features`.
    errors, weight : ndarray of shape (n_weeks, n_locations)
        Errors, NaN where unknown, and row weights.

    Returns
    -------
    ndarray of shape (n_weeks, n_locations)
        Positive; held within what the known rows span; NaN where a feature is.
    """
    X = np.stack([np.log(features["count_noise"] + 1e-3), np.log(features["volatility"] + 0.01), panel.level,
                  features["log_population"]], -1)
    complete = np.isfinite(X).all(axis=-1)
    rows = complete & np.isfinite(errors)
    predict = ridge_regression(X[rows], np.log(np.abs(errors[rows]) + 0.02), weight[rows], _SCALE_PENALTY)
    low, high = np.quantile(predict(X[rows]), [0.01, 0.99])
    scale = np.full(errors.shape, np.nan)
    scale[complete] = np.exp(np.clip(predict(X[complete]), low, high))
    return scale


def persistence(panel: Panel, features: dict[str, Floats], settings: ForecastSettings) -> Floats:
    """Expect no change, with the spread of past changes, rises and falls alike.

    Parameters
    ----------
    panel : Panel
        What is known.
    features : dict of str to ndarray of shape (n_weeks, n_locations)
        Result of `build_features`.
    settings : ForecastSettings
        Not used; every member takes the same arguments.

    Returns
    -------
    ndarray of shape (n_locations, 4, 23)
        Quantiles on the panel's scale.
    """
    quantiles = np.empty((len(panel.locations), len(HORIZONS), LEVELS.size))
    for step in range(len(HORIZONS)):
        change = changes_ahead(panel, step + 1)
        scale = error_scale(panel, features, change, np.ones(change.shape))
        shape = (change / scale)[np.isfinite(change / scale)]
        quantiles[:, step] = panel.level[-1][:, None] + scale[-1][:, None] * np.quantile(np.append(shape, -shape), LEVELS)
    return quantiles


def ridge(panel: Panel, features: dict[str, Floats], settings: ForecastSettings) -> Floats:
    """Regress the change on the recent course here, in the region and in the nation, pooled over places, for each week ahead.

    Errors come from folds of whole blocks of weeks, with the weeks around a block left out, since all places share a week's shock.

    Parameters
    ----------
    panel : Panel
        What is known.
    features : dict of str to ndarray of shape (n_weeks, n_locations)
        Result of `build_features`.
    settings : ForecastSettings
        ``ridge_weeks``.

    Returns
    -------
    ndarray of shape (n_locations, 4, 23)
        Quantiles on the panel's scale.
    """
    n_weeks, n_locations = panel.level.shape
    penalty, quantiles = settings.ridge_weeks / n_weeks, np.empty((n_locations, len(HORIZONS), LEVELS.size))
    for step in range(len(HORIZONS)):
        ahead, change = step + 1, changes_ahead(panel, step + 1)
        season = calendar(panel.weeks, ahead)
        columns = [features[name] for name in REGRESSORS]
        X = np.stack(columns + [np.repeat(season[name][:, None], n_locations, 1) for name in ("season_sine", "season_cosine")], -1)
        rows = np.isfinite(change) & np.isfinite(X).all(axis=-1)
        season_weeks = in_season(panel.weeks)
        weight = np.where(season_weeks, 1.0, _OFF_SEASON_WEIGHT)[:, None] * np.ones(n_locations)
        errors = _held_out_errors(X, change, weight, rows, penalty, gap=ahead)
        low, high = np.quantile(change[rows], [0.002, 0.998])
        expected = np.clip(ridge_regression(X[rows], change[rows], weight[rows], penalty)(X[-1]), low, high)
        scale = error_scale(panel, features, errors, weight)
        shape = (errors / scale)[season_weeks]
        shape = shape[np.isfinite(shape)]
        quantiles[:, step] = (panel.level[-1] + expected)[:, None] + scale[-1][:, None] * np.quantile(shape, LEVELS)
    return quantiles


def _held_out_errors(X: Floats, y: Floats, weight: Floats, rows: NDArray[np.bool_], penalty: float, *, gap: int) -> Floats:
    fold = np.arange(len(X)) // _BLOCK % _FOLDS
    errors = np.full(y.shape, np.nan)
    for number in range(_FOLDS):
        near = np.convolve(fold == number, np.ones(2 * gap + 1), "same") > 0
        train, test = rows & ~near[:, None], rows & (fold == number)[:, None]
        if test.any():
            errors[test] = y[test] - ridge_regression(X[train], y[train], weight[train], penalty)(X[test])
    return errors


def analogue(panel: Panel, features: dict[str, Floats], settings: ForecastSettings) -> Floats:
    """Take the changes that followed the most similar past situations of any place, nearer ones weighing more.

    Parameters
    ----------
    panel : Panel
        What is known.
    features : dict of str to ndarray of shape (n_weeks, n_locations)
        Result of `build_features`.
    settings : ForecastSettings
        ``neighbours`` and ``analogue_season_weight``, the weight of one week's distance within the season.

    Returns
    -------
    ndarray of shape (n_locations, 4, 23)
        Quantiles on the panel's scale.
    """
    weights = np.array(list(LIKENESS.values()))
    X = np.stack([features[name] for name in LIKENESS], -1)
    complete = np.isfinite(X).all(axis=-1)
    season = calendar(panel.weeks, 0)["season_week"] * settings.analogue_season_weight
    X = np.concatenate([X / (X[complete].std(axis=0) + 1e-9) * weights, np.repeat(season[:, None, None], len(panel.locations), 1)], -1)
    scale = (features["count_noise"] + 0.03) ** 0.7
    quantiles = np.empty((len(panel.locations), len(HORIZONS), LEVELS.size))
    for step in range(len(HORIZONS)):
        change = changes_ahead(panel, step + 1)
        rows = np.isfinite(change) & complete
        followed, past = (change / scale)[rows], X[rows]
        for place, here in enumerate(X[-1]):
            shape = _nearest(((past - here) ** 2).sum(axis=1), followed, settings.neighbours)
            quantiles[place, step] = panel.level[-1, place] + scale[-1, place] * shape
    return quantiles


def _nearest(distance: Floats, values: Floats, neighbours: int) -> Floats:
    count = min(neighbours, len(values))
    near = np.argpartition(distance, count - 1)[:count]
    near = near[np.argsort(values[near], kind="stable")]
    weight = np.maximum(1 - distance[near] / (distance[near].max() + 1e-12), 0) + 0.01
    return np.interp(LEVELS, (np.cumsum(weight) - weight / 2) / weight.sum(), values[near])
