"""Kaplan-Meier curves, their intervals and what is read off them; public names stand in ``carefolio.metrics.survival``."""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, as_vector, as_weight, check_fraction


@dataclass(frozen=True)
class SurvivalCurve:
    """A Kaplan-Meier curve, one entry for each distinct time, in ascending order; before the first it is 1.

    Attributes
    ----------
    time : ndarray, shape (k,)
        In the unit of the data.
    survival, low, high : ndarray, shape (k,)
        Probability of being free of the event beyond ``time``, and its interval; where nobody is left the interval is NaN.
    at_risk : ndarray, shape (k,)
        Weight under observation just before ``time``.
    events : ndarray, shape (k,)
        Weight with the event at ``time``.
    """

    time: FloatArray
    survival: FloatArray
    low: FloatArray
    high: FloatArray
    at_risk: FloatArray
    events: FloatArray


def check_survival(
    event: npt.ArrayLike, time: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Check event indicators, times and weights.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 or True where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of the event or of censoring, not negative.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    tuple of ndarray of float64, shape (n,)
        Event, time and weight of all rows.

    Raises
    ------
    ValueError
        If a value, a length or a weight is wrong.
    """
    seen, times = as_vector(event, name="event"), as_vector(time, name="time")
    if times.size != seen.size:
        raise ValueError(f"time must have as many rows as event, {seen.size}; got {times.size}. Select both with the same rows.")
    wrong = (seen != 0) & (seen != 1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"event must hold 0 and 1 only; got {seen[row]:g} at row {row}. Encode an observed event as 1, censoring as 0.")
    if times.min() < 0:
        row = int(np.argmin(times))
        raise ValueError(f"time must not be negative; got {times[row]:g} at row {row}. Count time from study entry.")
    return seen, times, as_weight(sample_weight, seen.size)


def kaplan_meier(
    event: npt.ArrayLike, time: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None, level: float = 0.95
) -> SurvivalCurve:
    """Estimate survival over time, with Greenwood's variance and the log-log interval.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights, counted as that many rows.
    level : float, default 0.95
        Confidence level of each point, in (0, 1).

    Returns
    -------
    SurvivalCurve
        The curve; higher is longer survival.

    Raises
    ------
    ValueError
        If an array or the level is malformed.

    References
    ----------
    Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481. Kalbfleisch JD, Prentice RL. The Statistical Analysis of Failure Time
    Data, 2nd ed., 2002, section 1.4.
    """
    check_fraction(level, name="level")
    times, at_risk, events, _ = _risk_table(*check_survival(event, time, sample_weight))
    survival: FloatArray = np.cumprod(1 - events / at_risk, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(events / (at_risk * (at_risk - events)))
        half = NormalDist().inv_cdf((1 + level) / 2) * np.sqrt(greenwood) / np.abs(np.log(survival))
        low, high = (np.where(survival == 1, 1.0, survival ** np.exp(sign * half)) for sign in (1, -1))
    low[survival == 0] = high[survival == 0] = np.nan
    return SurvivalCurve(times, survival, low, high, at_risk, events)


def censoring_survival(event: npt.ArrayLike, time: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> SurvivalCurve:
    """Estimate the probability of not yet being censored; where times tie, events come before censoring.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    SurvivalCurve
        ``events`` counts censored rows; no interval is computed, ``low`` and ``high`` are NaN.

    Raises
    ------
    ValueError
        If an array is malformed.
    """
    times, at_risk, events, censored = _risk_table(*check_survival(event, time, sample_weight))
    exposed = at_risk - events
    factor = 1 - np.divide(censored, exposed, out=np.zeros(times.size), where=censored > 0)
    unknown = np.full(times.size, np.nan)
    return SurvivalCurve(times, np.cumprod(factor, dtype=np.float64), unknown, unknown, exposed, censored)


def survival_at(curve: SurvivalCurve, times: npt.ArrayLike) -> FloatArray:
    """Read a curve at given times; it is a step function that has fallen at the time of an event itself.

    Parameters
    ----------
    curve : SurvivalCurve
        The curve.
    times : array-like, shape (m,)
        When; past the last time the last value holds.

    Returns
    -------
    ndarray, shape (m,)
        Survival probability.

    Raises
    ------
    ValueError
        If the times are malformed.
    """
    steps = np.searchsorted(curve.time, as_vector(times, name="times"), side="right")
    return np.append(1.0, curve.survival)[steps]


def survival_quantile(curve: SurvivalCurve, probability: float = 0.5) -> tuple[float, float, float]:
    """Give the time at which survival has fallen to a probability, with the interval that the curve's limits give.

    Parameters
    ----------
    curve : SurvivalCurve
        A curve of `kaplan_meier`.
    probability : float, default 0.5
        0.5 asks for the median survival.

    Returns
    -------
    tuple of float
        Time, lower and upper limit; infinity where the curve or its limit stays above the probability.

    Raises
    ------
    ValueError
        If the probability does not lie in (0, 1).

    References
    ----------
    Brookmeyer R, Crowley J. Biometrics 1982;38:29-41.
    """
    check_fraction(probability, name="probability")

    def _first(values: FloatArray) -> float:
        reached = np.flatnonzero(values <= probability)
        return float(curve.time[reached[0]]) if reached.size else float("inf")

    return _first(curve.survival), _first(curve.low), _first(curve.high)


def restricted_mean_survival(
    event: npt.ArrayLike, time: npt.ArrayLike, *, horizon: float, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Average time lived up to a horizon: the area under the Kaplan-Meier curve.

    Parameters
    ----------
    event : array-like, shape (n,)
        1 where the event was seen, 0 where the row was censored.
    time : array-like, shape (n,)
        Time of either.
    horizon : float
        End of the window, above 0 and not past the last time.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In the unit of ``time``, at most ``horizon``; higher is better where the event is death.

    Raises
    ------
    ValueError
        If an array is malformed or the horizon lies outside the follow-up.

    References
    ----------
    Royston P, Parmar MKB. BMC Med Res Methodol 2013;13:152.
    """
    curve = kaplan_meier(event, time, sample_weight=sample_weight)
    if not 0 < horizon <= curve.time[-1]:
        raise ValueError(f"horizon must lie in (0, {curve.time[-1]:g}], the follow-up; got {horizon}. Choose an earlier horizon.")
    inside = curve.time < horizon
    edges = np.concatenate([[0.0], curve.time[inside], [horizon]])
    return float(np.sum(np.diff(edges) * np.append(1.0, curve.survival[inside])))


def _risk_table(event: FloatArray, time: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    kept = weight > 0
    times, place = np.unique(time[kept], return_inverse=True)
    events = np.bincount(place, weights=(weight * event)[kept], minlength=times.size)
    total = np.bincount(place, weights=weight[kept], minlength=times.size)
    at_risk: FloatArray = np.cumsum(total[::-1], dtype=np.float64)[::-1]
    return times, at_risk, events.astype(np.float64), (total - events).astype(np.float64)
