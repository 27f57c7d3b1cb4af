"""One year of a ward: discharges, alerts, and a team that follows patients up, with a model and without."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clinical_workflow.simulation.hours import to_calendar, to_working
from clinical_workflow.simulation.inputs import stream
from clinical_workflow.simulation.operating import DAYS_PER_YEAR, GROUPS_MEASURED_AT, Curve, moved
from clinical_workflow.simulation.station import serve

WARM_UP_DAYS, YEAR_DAYS, COOL_DOWN_DAYS = 28, 364, 28
"""The year that counts, in whole weeks, and the weeks before and after it, in which the ward is as busy but nobody is counted."""
HORIZON_DAYS = WARM_UP_DAYS + YEAR_DAYS + COOL_DOWN_DAYS
FIRST_DISCHARGE, LAST_DISCHARGE = 9 / 24, 19 / 24
GAMMA_SHAPE = 4.0
"""Shape of the spread of service times, for a coefficient of variation of one half."""
Values = Mapping[str, float]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Arm:
    """A way to decide who is followed up.

    ``order`` works through everybody in the order of discharge; ``alert`` shows a card for the highest risks, and what a nurse accepts is
    followed up; ``list`` shows no card, and the team works through everybody from the highest risk down.
    """

    name: str
    way: Literal["order", "alert", "list"]
    model: str = ""


ARMS = (Arm("first_come", "order"), Arm("lace_alert", "alert", "lace"), Arm("lightgbm_alert", "alert", "lightgbm"),
        Arm("lightgbm_list", "list", "lightgbm"))


@dataclass(frozen=True)
class Discharges:
    """Who leaves the ward in a simulated year, the same in every arm.

    Attributes
    ----------
    days : ndarray of shape (n,)
        Time of discharge, increasing.
    counted : ndarray of shape (n,)
        Whether it lies in the year that counts.
    returns, score, answer, effect : ndarray of shape (n,)
        Uniform numbers: whether the patient comes back, how high the score stands among those with the same outcome, whether a nurse
        accepts the alert, whether a follow-up helps.
    work : ndarray of shape (n,)
        Time of a follow-up as a multiple of its mean.
    group : ndarray of shape (n,)
        Uniform numbers that put a patient into a subgroup.
    """

    days: Floats
    counted: Flags
    returns: Floats
    score: Floats
    answer: Floats
    effect: Floats
    work: Floats
    group: Floats


@dataclass(frozen=True)
class WardYear:
    """What happened to each discharge: coming back without follow-up, alert, acceptance, start of follow-up, readmission avoided.

    ``begun`` is NaN where nobody followed up; ``listed`` says who was to be followed up at all.
    """

    returns: Flags
    alerted: Flags
    listed: Flags
    begun: Floats
    avoided: Flags


def draw_discharges(values: Values, per_day: float, *, seed: int, replication: int) -> Discharges:
    """Draw a year of discharges: Poisson by day, fewer at weekends.

    Parameters
    ----------
    values : mapping of str to float
        One value an input.
    per_day : float
        Discharges a day in the mean of a week.
    seed : int
        Seed of the run.
    replication : int
        Number of the simulated year.

    Returns
    -------
    Discharges
        In order of time.
    """
    weekday = 7 * per_day * values["ward_share"] / (5 + 2 * values["weekend_factor"])
    rates = np.where(np.arange(HORIZON_DAYS) % 7 < 5, weekday, weekday * values["weekend_factor"])
    counts = stream(seed, replication, "discharges a day").poisson(rates)
    days = np.repeat(np.arange(HORIZON_DAYS), counts)
    n = len(days)
    uniform = {name: stream(seed, replication, name).random(n) for name in ("hour", "returns", "score", "answer", "effect", "group")}
    times = np.sort(days + FIRST_DISCHARGE + (LAST_DISCHARGE - FIRST_DISCHARGE) * uniform.pop("hour"))
    return Discharges(days=times, counted=(times >= WARM_UP_DAYS) & (times < WARM_UP_DAYS + YEAR_DAYS),
                      work=stream(seed, replication, "follow-up").gamma(GAMMA_SHAPE, 1 / GAMMA_SHAPE, n), **uniform)


def rank(arm: Arm, curves: Mapping[str, Curve], values: Values, patients: Discharges, returns: Flags,
         sensitivity: Floats | None = None) -> Floats:
    """Give each patient the smallest share of discharges that has to be flagged to flag this one; low is high risk.

    Parameters
    ----------
    arm : Arm
        Names the model.
    curves : mapping of str to Curve
        By model.
    values : mapping of str to float
        Sensitivity and risk of this year; the curve runs through that sensitivity.
    patients : Discharges
        The year's patients.
    returns : ndarray of shape (n,)
        Who comes back.
    sensitivity : ndarray of shape (n,), optional
        A sensitivity of each patient's own, as that of a subgroup.

    Returns
    -------
    ndarray of shape (n,)
        In [0, 1].
    """
    curve, risk = curves[arm.model], values["readmission_risk"]
    found, false = moved(curve, values["measured_share"], values[f"{arm.model}_sensitivity"], risk)
    ranks = np.where(returns, np.interp(patients.score, found, curve.flagged), np.interp(patients.score, false, curve.flagged))
    for own in [] if sensitivity is None else np.unique(sensitivity):
        members = returns & (sensitivity == own)
        ranks[members] = np.interp(patients.score[members], moved(curve, GROUPS_MEASURED_AT, float(own), risk)[0], curve.flagged)
    return ranks


def accept(patients: Discharges, alerted: Flags, values: Values) -> Flags:
    """Let nurses answer alerts; the more of them in a shift, the fewer are accepted.

    The alerts of a day are shared among the nurses in turn. Alert ``k`` of a nurse's shift, counted from 0, is accepted with probability
    ``first_acceptance * (1 - acceptance_drop) ** k``.

    Parameters
    ----------
    patients : Discharges
        The year's patients.
    alerted : ndarray of shape (n,)
        Whose alert was shown.
    values : mapping of str to float
        Inputs.

    Returns
    -------
    ndarray of shape (n,)
        Whose alert was accepted.
    """
    shown = np.flatnonzero(alerted)
    day = np.floor(patients.days[shown])
    earlier = np.arange(len(shown)) - np.searchsorted(day, day)
    before = earlier // int(values["alert_nurses"])
    accepted = np.zeros(len(alerted), dtype=bool)
    accepted[shown] = patients.answer[shown] < values["first_acceptance"] * (1 - values["acceptance_drop"]) ** before
    return accepted


def run_ward(arm: Arm, curves: Mapping[str, Curve], values: Values, patients: Discharges, *, returns: Flags | None = None,
             sensitivity: Floats | None = None) -> WardYear:
    """Run one year.

    Parameters
    ----------
    arm : Arm
        Who is followed up.
    curves : mapping of str to Curve
        By model.
    values : mapping of str to float
        Inputs of this year.
    patients : Discharges
        The year's patients.
    returns : ndarray of shape (n,), optional
        Who comes back without follow-up; by default those whose number is below the risk.
    sensitivity : ndarray of shape (n,), optional
        As `rank` takes it.

    Returns
    -------
    WardYear
        What happened to each.
    """
    back = patients.returns < values["readmission_risk"] if returns is None else returns
    ranks = None if arm.way == "order" else rank(arm, curves, values, patients, back, sensitivity)
    alerted = np.zeros(len(back), dtype=bool) if arm.way != "alert" or ranks is None else ranks <= values["flagged_share"]
    listed = accept(patients, alerted, values) if arm.way == "alert" else np.ones(len(back), dtype=bool)
    begun = follow_up(patients, listed, values, priority=ranks if arm.way == "list" else None)
    helped = patients.effect < 1 - values["relative_risk"]
    return WardYear(returns=back, alerted=alerted, listed=listed, begun=begun, avoided=back & helped & ~np.isnan(begun))


def follow_up(patients: Discharges, listed: Flags, values: Values, *, priority: Floats | None) -> Floats:
    """Let the team work through its list.

    Parameters
    ----------
    patients : Discharges
        The year's patients.
    listed : ndarray of shape (n,)
        Who is on the list.
    values : mapping of str to float
        Inputs.
    priority : ndarray of shape (n,) or None
        Who is taken first: the lowest; None for the order of discharge.

    Returns
    -------
    ndarray of shape (n,)
        Calendar day on which the follow-up began; NaN where none did within the days allowed.
    """
    minutes, who = values["follow_up_minutes_per_day"], np.flatnonzero(listed)
    begun = np.full(len(listed), np.nan)
    days = patients.days[who]
    started = serve(to_working(days, minutes), values["follow_up_minutes"] * patients.work[who], servers=int(values["follow_up_nurses"]),
                    until=float(to_working(HORIZON_DAYS, minutes)), priority=None if priority is None else priority[who],
                    deadlines=to_working(days + values["follow_up_days"], minutes))
    begun[who] = to_calendar(started, minutes)
    return begun


def measure_ward(year: WardYear, patients: Discharges, values: Values) -> dict[str, float]:
    """Count what the year cost and brought.

    Parameters
    ----------
    year : WardYear
        What happened.
    patients : Discharges
        To whom.
    values : mapping of str to float
        Inputs.

    Returns
    -------
    dict of str to float
        Rates per 100 or 1000 discharges of the year that counts, and minutes a day.
    """
    counted, reached = patients.counted, ~np.isnan(year.begun)
    n = int(counted.sum())
    alerts, listed, followed = (int((flags & counted).sum()) for flags in (year.alerted, year.listed, reached))
    avoided, back, met = (int((flags & counted).sum()) for flags in (year.avoided, year.returns, year.returns & reached))
    work = values["follow_up_minutes"] * float(patients.work[counted & reached].sum())
    minutes = work + values["alert_minutes"] * alerts
    available = values["follow_up_nurses"] * values["follow_up_minutes_per_day"] * 5 * YEAR_DAYS / 7
    return {
        "discharges_per_day": n / YEAR_DAYS, "alerts_per_100_encounters": 100 * alerts / n,
        "accepted_alerts_percent": 100 * listed / alerts if alerts else 0.0,
        "follow_ups_per_100_encounters": 100 * followed / n, "missed_follow_ups_per_100_encounters": 100 * (listed - followed) / n,
        "capacity_used_percent": 100 * work / available, "nurse_minutes_per_day": minutes / YEAR_DAYS,
        "readmissions_reached_percent": 100 * met / max(back, 1),
        "readmissions_among_followed_percent": 100 * met / max(followed, 1),
        "readmissions_avoided_per_1000": 1000 * avoided / n, "readmissions_avoided_per_year": avoided * DAYS_PER_YEAR / YEAR_DAYS,
        "net_nurse_minutes_per_day": (values["readmission_minutes"] * avoided - minutes) / YEAR_DAYS,
    }
