"""How members become one forecast: their quantiles are averaged, with weights and a spread learned from scores already known.

Each level's quantile is the weighted mean of the members' quantiles (Vincent's averaging). Weights minimise the pinball loss of the
average over past reference dates whose target week has ended, later ones counting more; a factor on the spread around the median then
does the same. Both are drawn towards fixed prior values, as if those had been seen for ``prior_weeks`` weeks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from outcomes_analysis.forecast.members import LEVELS
from outcomes_analysis.forecast.names import HORIZONS, MEMBERS
from outcomes_analysis.forecast.panel import WEEK, Floats, Panel
from outcomes_analysis.forecast.settings import ForecastSettings

SPREADS = np.round(np.arange(0.7, 1.601, 0.05), 2)
_MEDIAN = LEVELS.size // 2
_ITERATIONS = 60


@dataclass(frozen=True)
class MemberForecast:
    """What the members said at one reference date.

    Attributes
    ----------
    reference_date : date
        A Saturday.
    locations : list of str
        Places.
    quantiles : ndarray of shape (n_members, n_locations, 4, 23)
        On the panel's scale.
    """

    reference_date: date
    locations: list[str]
    quantiles: Floats


@dataclass(frozen=True)
class Combination:
    """Weights of the members, adding up to 1, and the factor on the spread."""

    weights: Floats
    spread: float


def known_scores(past: Sequence[MemberForecast], panel: Panel, settings: ForecastSettings) -> tuple[Floats, Floats, Floats, float]:
    """Gather the members' past quantiles whose outcome is known by now.

    Parameters
    ----------
    past : sequence of MemberForecast
        Earlier reference dates, oldest first.
    panel : Panel
        What is known now; it decides which outcomes exist.
    settings : ForecastSettings
        ``history_dates`` and ``half_life_weeks``.

    Returns
    -------
    quantiles : ndarray of shape (n_members, n, 23)
        Of each member.
    outcome : ndarray of shape (n,)
        On the panel's scale.
    weight : ndarray of shape (n,)
        Halves every ``half_life_weeks`` dates, and grows with the level as the loss in admissions does.
    dates : float
        Sum of the dates' discounts: how many weeks of evidence there are.
    """
    quantiles, outcomes, weights, dates = [], [], [], 0.0
    for back, made in enumerate(reversed(past[-settings.history_dates:])):
        discount, scored = 0.5 ** (back / settings.half_life_weeks), False
        for horizon in HORIZONS:
            outcome = panel.outcome(made.reference_date + horizon * WEEK, made.locations)
            rows = np.isfinite(outcome)
            if rows.any():
                scored = True
                quantiles.append(made.quantiles[:, rows, horizon])
                outcomes.append(outcome[rows])
                weights.append(discount * np.maximum(outcome[rows], 0.3) ** 3)
        dates += discount * scored
    if not outcomes:
        return np.empty((len(MEMBERS), 0, LEVELS.size)), np.empty(0), np.empty(0), 0.0
    return np.concatenate(quantiles, axis=1), np.concatenate(outcomes), np.concatenate(weights), dates


def learn(past: Sequence[MemberForecast], panel: Panel, settings: ForecastSettings) -> Combination:
    """Learn weights and spread from the scores that are known.

    Parameters
    ----------
    past : sequence of MemberForecast
        Earlier reference dates, oldest first.
    panel : Panel
        What is known now.
    settings : ForecastSettings
        Prior, discount and floor.

    Returns
    -------
    Combination
        The prior itself while nothing is known.
    """
    prior = np.array([settings.prior_weights[name] for name in MEMBERS])
    quantiles, outcome, weight, dates = known_scores(past, panel, settings)
    if not dates:
        return Combination(prior, 1.0)
    trust = dates / (settings.prior_weeks + dates)
    floored = settings.weight_floor / len(MEMBERS) + (1 - settings.weight_floor) * best_weights(quantiles, outcome, weight)
    weights = (1 - trust) * prior + trust * floored
    return Combination(weights, (1 - trust) + trust * best_spread(np.tensordot(weights, quantiles, 1), outcome, weight))


def best_weights(quantiles: Floats, outcome: Floats, weight: Floats) -> Floats:
    """Minimise the pinball loss of the averaged quantiles over the simplex by exponentiated gradient; the problem is convex.

    Parameters
    ----------
    quantiles : ndarray of shape (n_members, n, 23)
        Of each member.
    outcome, weight : ndarray of shape (n,)
        What happened, and row weights.

    Returns
    -------
    ndarray of shape (n_members,)
        At least 0, adding up to 1.
    """
    weights = np.full(len(quantiles), 1 / len(quantiles))
    for iteration in range(_ITERATIONS):
        above = outcome[:, None] > np.tensordot(weights, quantiles, 1)
        slope = (np.where(above, -LEVELS, 1 - LEVELS)) * weight[:, None]
        gradient = np.tensordot(quantiles, slope, ([1, 2], [0, 1]))
        gradient -= gradient.mean()
        weights = weights * np.exp(-0.5 / np.sqrt(1 + iteration) * gradient / (np.abs(gradient).max() + 1e-12))
        weights /= weights.sum()
    return np.asarray(weights)


def best_spread(quantiles: Floats, outcome: Floats, weight: Floats) -> float:
    """Choose the factor on the distance from the median with the least pinball loss.

    Parameters
    ----------
    quantiles : ndarray of shape (n, 23)
        Averaged quantiles.
    outcome, weight : ndarray of shape (n,)
        What happened, and row weights.

    Returns
    -------
    float
        One of `SPREADS`.
    """
    losses = []
    for factor in SPREADS:
        error = outcome[:, None] - widen(quantiles, factor)
        losses.append(weight @ np.maximum(LEVELS * error, (LEVELS - 1) * error).mean(axis=1))
    return float(SPREADS[int(np.argmin(losses))])


def widen(quantiles: Floats, factor: float) -> Floats:
    """Stretch quantiles around their median.

    Parameters
    ----------
    quantiles : ndarray of shape (..., 23)
        Quantiles.
    factor : float
        Above 1 widens.

    Returns
    -------
    ndarray of shape (..., 23)
        The median stays.
    """
    median = quantiles[..., _MEDIAN:_MEDIAN + 1]
    return np.asarray(median + factor * (quantiles - median))


def combine(quantiles: Floats, combination: Combination) -> Floats:
    """Average the members' quantiles and apply the spread.

    Parameters
    ----------
    quantiles : ndarray of shape (n_members, n_locations, 4, 23)
        Of each member.
    combination : Combination
        Weights and spread.

    Returns
    -------
    ndarray of shape (n_locations, 4, 23)
        On the panel's scale.
    """
    return widen(np.tensordot(combination.weights, quantiles, 1), combination.spread)
