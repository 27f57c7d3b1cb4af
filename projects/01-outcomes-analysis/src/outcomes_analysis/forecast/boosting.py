"""The member with trees: LightGBM on quantiles of the coming change, pooled over places and horizons."""

from typing import Any

import numpy as np
from scipy.special import ndtri

from outcomes_analysis.forecast.features import calendar, changes_ahead
from outcomes_analysis.forecast.members import LEVELS
from outcomes_analysis.forecast.names import HORIZONS
from outcomes_analysis.forecast.panel import Floats, Panel
from outcomes_analysis.forecast.settings import BoostingSettings, ForecastSettings

FEATURES = ("level", "change_1", "change_2", "change_3", "change_4", "slope_3", "slope_5", "slope_8", "turn", "turn_slow", "nation",
            "nation_change_1", "nation_change_2", "nation_slope_4", "nation_turn", "region", "region_change_1", "region_change_2",
            "region_slope_4", "rising", "mean_change", "below_peak", "weeks_since_peak", "nation_below_peak", "volatility",
            "log_population")
CALENDAR = ("season_week", "from_christmas")


def boosting(panel: Panel, features: dict[str, Floats], settings: ForecastSettings, *, seed: int) -> Floats:
    """Fit quantiles of the change over its expected noise; rows of a week are bagged together, since they share its shock.

    Parameters
    ----------
    panel : Panel
        What is known.
    features : dict of str to ndarray of shape (n_weeks, n_locations)
        Result of `build_features`.
    settings : ForecastSettings
        ``boosting``.
    seed : int
        Seed of the bagging.

    Returns
    -------
    ndarray of shape (n_locations, 4, 23)
        Quantiles on the panel's scale.
    """
    import lightgbm as lgb

    X, y, weeks, ahead = _rows(panel, features)
    options, n_locations = settings.boosting, len(panel.locations)
    data = lgb.Dataset(X, y, group=np.unique(weeks, return_counts=True)[1], params={"verbose": -1, "max_bin": 127}, free_raw_data=False)
    fitted = [lgb.train(_parameters(options, level, seed), data, options.rounds).predict(ahead) for level in options.levels]
    change = np.sort(np.column_stack(fitted), axis=1).reshape(len(HORIZONS), n_locations, len(options.levels)).transpose(1, 0, 2)
    steps = np.sqrt(np.arange(len(HORIZONS)) + 1)
    return panel.level[-1][:, None, None] + spread_levels(change, options.levels) * _noise(features)[-1][:, None, None] * steps[:, None]


def _noise(features: dict[str, Floats]) -> Floats:
    return features["count_noise"] + 0.05


def _rows(panel: Panel, features: dict[str, Floats]) -> tuple[Floats, Floats, Floats, Floats]:
    n_weeks, n_locations = panel.level.shape
    base = np.stack([features[name] for name in FEATURES], -1)
    week = np.repeat(np.arange(n_weeks)[:, None], n_locations, 1)
    parts: list[tuple[Floats, Floats, Any]] = []
    last = []
    for step in HORIZONS:
        season = calendar(panel.weeks, step + 1)
        known = np.stack([np.repeat(season[name][:, None], n_locations, 1) for name in CALENDAR] + [np.full(week.shape, step + 1.0)], -1)
        X, y = np.concatenate([base, known], -1), changes_ahead(panel, step + 1) / _noise(features) / np.sqrt(step + 1)
        rows = np.isfinite(y) & np.isfinite(X).all(axis=-1)
        parts.append((X[rows], y[rows], week[rows]))
        last.append(X[-1])
    X, y, weeks = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    order = np.argsort(weeks, kind="stable")
    return X[order], y[order], weeks[order], np.concatenate(last)


def _parameters(options: BoostingSettings, level: float, seed: int) -> dict[str, Any]:
    return {"objective": "quantile", "alpha": level, "learning_rate": options.learning_rate, "num_leaves": options.num_leaves,
            "min_data_in_leaf": options.min_data_in_leaf, "feature_fraction": options.feature_fraction, "bagging_freq": 1,
            "bagging_fraction": options.bagging_fraction, "bagging_by_query": True, "lambda_l2": options.lambda_l2, "max_bin": 127,
            "seed": seed, "deterministic": True, "force_row_wise": True, "num_threads": 1, "verbose": -1}


def spread_levels(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """Interpolate and extrapolate fitted quantiles to the 23 levels, straight lines in the normal quantile of the level.

    Parameters
    ----------
    quantiles : ndarray of shape (n_locations, 4, n_fitted)
        Rising along the last axis.
    levels : tuple of float
        The fitted levels.

    Returns
    -------
    ndarray of shape (n_locations, 4, 23)
        Exact at the fitted levels.
    """
    known, wanted = ndtri(np.array(levels)), ndtri(LEVELS)
    left = np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, known.size - 2)
    share = (wanted - known[left]) / (known[left + 1] - known[left])
    return np.asarray(quantiles[..., left] * (1 - share) + quantiles[..., left + 1] * share)
