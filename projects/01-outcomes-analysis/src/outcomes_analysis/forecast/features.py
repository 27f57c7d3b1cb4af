"""What a forecast is made from: level, changes, slopes, the nation's and the region's course, the time of the season.

Every feature of a week looks at that week and earlier ones only.
"""

from datetime import date

import numpy as np
from numpy.typing import NDArray

from outcomes_analysis.forecast.panel import NATIONAL, WEEK, Floats, Panel

LAGS = 4
_YEAR_WEEKS = 52.18


def lagged(values: Floats, weeks: int) -> Floats:
    """Shift series to later weeks.

    Parameters
    ----------
    values : ndarray of shape (n_weeks, n_locations)
        Series along the first axis.
    weeks : int
        How far, at least 0.

    Returns
    -------
    ndarray of shape (n_weeks, n_locations)
        NaN in the first rows.
    """
    shifted = np.full_like(values, np.nan)
    shifted[weeks:] = values[:len(values) - weeks]
    return shifted


def slope(values: Floats, weeks: int) -> Floats:
    """Fit a straight line through the last weeks by least squares.

    Parameters
    ----------
    values : ndarray of shape (n_weeks, n_locations)
        Series along the first axis.
    weeks : int
        Length of the window.

    Returns
    -------
    ndarray of shape (n_weeks, n_locations)
        Change a week; NaN where the window is not full.
    """
    centred = np.arange(weeks) - (weeks - 1) / 2
    parts = [weight * lagged(values, weeks - 1 - place) for place, weight in enumerate(centred / (centred @ centred))]
    return np.asarray(sum(parts[1:], parts[0]))


def build_features(panel: Panel) -> dict[str, Floats]:
    """Compute every feature for every week and place.

    Parameters
    ----------
    panel : Panel
        What is known.

    Returns
    -------
    dict of str to ndarray of shape (n_weeks, n_locations)
        By name.
    """
    level = panel.level
    change = level - lagged(level, 1)
    features = {"level": level, **{f"change_{back + 1}": lagged(change, back) for back in range(LAGS)},
                **{f"slope_{weeks}": slope(level, weeks) for weeks in (3, 5, 8)}, "turn": change - lagged(change, 1)}
    features["turn_slow"] = slope(features["slope_3"], 3)
    features["volatility"] = np.mean([np.abs(lagged(change, back)) for back in range(6)], axis=0)
    features["log_population"] = np.broadcast_to(np.log(panel.population), level.shape)
    features["count_noise"] = count_noise(panel)
    return features | _surroundings(panel, change) | _season_so_far(panel)


def _surroundings(panel: Panel, change: Floats) -> dict[str, Floats]:
    level, spread = panel.level, np.ones(len(panel.locations))
    state = np.array([name != NATIONAL for name in panel.locations])
    national = np.average(level, axis=1, weights=panel.population)[:, None] if state.all() else level[:, ~state]
    nation = national * spread
    region = np.empty_like(level)
    for number in np.unique(panel.regions):
        region[:, panel.regions == number] = level[:, panel.regions == number].mean(axis=1, keepdims=True)
    states = change[:, state] if state.any() else change
    nation_change = nation - lagged(nation, 1)
    return {
        "nation": nation, "nation_change_1": nation_change, "nation_change_2": lagged(nation_change, 1), "nation_slope_4": slope(nation, 4),
        "nation_turn": nation_change - lagged(nation_change, 1), "region": region - level, "region_change_1": region - lagged(region, 1),
        "region_change_2": lagged(region - lagged(region, 1), 1), "region_slope_4": slope(region, 4),
        "rising": (states > 0).mean(axis=1, keepdims=True) * spread, "mean_change": states.mean(axis=1, keepdims=True) * spread,
    }


def _season_so_far(panel: Panel) -> dict[str, Floats]:
    season = weeks_since_august(panel.weeks)
    highest, since = panel.level[0].copy(), np.zeros(len(panel.locations))
    below, age = np.empty_like(panel.level), np.empty_like(panel.level)
    for week, level in enumerate(panel.level):
        if week and season[week] < season[week - 1]:
            highest, since = level.copy(), np.zeros_like(since)
        else:
            peak = ~(level < highest)
            highest, since = np.where(peak, level, highest), np.where(peak, 0, since + 1)
        below[week], age[week] = highest - level, np.minimum(since, 12)
    nation = [i for i, name in enumerate(panel.locations) if name == NATIONAL]
    national = below[:, nation] if nation else below.mean(axis=1, keepdims=True)
    return {"below_peak": below, "weeks_since_peak": age, "nation_below_peak": national * np.ones(below.shape[1])}


def count_noise(panel: Panel) -> Floats:
    """Estimate the standard deviation that a Poisson count alone would give on the transformed scale.

    Parameters
    ----------
    panel : Panel
        What is known.

    Returns
    -------
    ndarray of shape (n_weeks, n_locations)
        By the delta method, with half a count added.
    """
    one = 1e5 / panel.population
    rate = np.maximum(panel.level**4 - panel.rate_offset + 0.5 * one, 0.02)
    return np.asarray(0.25 * np.sqrt(one * rate) / np.maximum(panel.level, 0.3) ** 3)


def weeks_since_august(weeks: list[date]) -> Floats:
    """Count weeks since the last first of August.

    Parameters
    ----------
    weeks : list of date
        Days.

    Returns
    -------
    ndarray of shape (n_weeks,)
        From 0 to about 52.
    """
    starts = [date(day.year if day.month >= 8 else day.year - 1, 8, 1) for day in weeks]
    return np.array([(day - start).days / 7 for day, start in zip(weeks, starts, strict=True)])


def calendar(weeks: list[date], ahead: int) -> dict[str, Floats]:
    """Describe the time of the season of the week that is forecast; it is known in advance.

    Parameters
    ----------
    weeks : list of date
        Weeks from which one looks ahead.
    ahead : int
        How many weeks.

    Returns
    -------
    dict of str to ndarray of shape (n_weeks,)
        Weeks since August, its sine and cosine, weeks from Christmas between -8 and 8.
    """
    targets = [week + ahead * WEEK for week in weeks]
    since = weeks_since_august(targets)
    christmas = [date(day.year if day.month > 6 else day.year - 1, 12, 25) for day in targets]
    from_christmas = np.array([(day - feast).days / 7 for day, feast in zip(targets, christmas, strict=True)])
    angle = 2 * np.pi * since / _YEAR_WEEKS
    return {"season_week": since, "season_sine": np.sin(angle), "season_cosine": np.cos(angle),
            "from_christmas": np.clip(from_christmas, -8, 8)}


def changes_ahead(panel: Panel, ahead: int) -> Floats:
    """Compute what followed: the change from each week to a later one.

    Parameters
    ----------
    panel : Panel
        What is known.
    ahead : int
        Weeks between the two.

    Returns
    -------
    ndarray of shape (n_weeks, n_locations)
        NaN where the later week is not known yet or one of the two was not reported.
    """
    change, later = np.full_like(panel.level, np.nan), slice(ahead, None)
    earlier = slice(0, len(panel.weeks) - ahead)
    both = panel.observed[later] & panel.observed[earlier]
    change[earlier] = np.where(both, panel.level[later] - panel.level[earlier], np.nan)
    return change


def in_season(weeks: list[date]) -> NDArray[np.bool_]:
    """Tell the weeks from October to May in which forecasts are asked for.

    Parameters
    ----------
    weeks : list of date
        Saturdays.

    Returns
    -------
    ndarray of bool, shape (n_weeks,)
        Weeks 8 to 44 since August.
    """
    since = weeks_since_august(weeks)
    return (since > 7) & (since < 45)
