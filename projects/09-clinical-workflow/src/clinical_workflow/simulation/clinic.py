"""One year of a screening clinic for diabetic retinopathy: photographs, graders, and an eye doctor, with a model and without."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clinical_workflow.simulation.hours import to_calendar, to_working
from clinical_workflow.simulation.inputs import stream
from clinical_workflow.simulation.operating import DAYS_PER_YEAR
from clinical_workflow.simulation.station import serve

WARM_UP_DAYS, YEAR_DAYS, COOL_DOWN_DAYS = 91, 364, 91
"""The year that counts, in whole weeks, and the weeks before and after it, in which the clinic is as busy but nobody is counted."""
HORIZON_DAYS = WARM_UP_DAYS + YEAR_DAYS + COOL_DOWN_DAYS
CAMERA_MINUTES_PER_DAY = 480.0
FIRST_VISIT, LAST_VISIT = 9 / 24, 16 / 24
GAMMA_SHAPE = 4.0
"""Shape of the spread of service times, for a coefficient of variation of one half."""
ARMS = ("graders", "model_alone", "model_then_grader")
"""A person grades every photograph; the model's word is the referral; the model's suspicions go to a person, who decides."""
Values = Mapping[str, float]
Floats = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class People:
    """Who is due for a photograph in a simulated year, one photograph each, the same in every arm.

    Attributes
    ----------
    days : ndarray of shape (n,)
        Time of the appointment, increasing.
    counted : ndarray of shape (n,)
        Whether it lies in the year that counts.
    attends, referable, imageable, model, grader : ndarray of shape (n,)
        Uniform numbers: whether the person comes, has referable retinopathy, has a photograph that can be graded, is found by the model, is
        found by a grader. The last two are independent given the disease.
    work : ndarray of shape (3, n)
        Times of photograph, grading and examination as multiples of their means.
    """

    days: Floats
    counted: Flags
    attends: Floats
    referable: Floats
    imageable: Floats
    model: Floats
    grader: Floats
    work: Floats


@dataclass(frozen=True)
class ClinicYear:
    """What happened to each person.

    ``photographed`` and ``graded`` are calendar days, NaN where it did not happen; ``referred`` says who was sent to the eye doctor, and
    ``seen`` is the day on which that doctor began, NaN for those who still wait when the simulated time ends.
    """

    referable: Flags
    photographed: Floats
    graded: Floats
    referred: Flags
    seen: Floats


def draw_people(values: Values, *, seed: int, replication: int) -> People:
    """Draw a year of appointments: Poisson by weekday, none at weekends.

    Parameters
    ----------
    values : mapping of str to float
        One value an input.
    seed : int
        Seed of the run.
    replication : int
        Number of the simulated year.

    Returns
    -------
    People
        In order of time.
    """
    rate = values["due_per_year"] / DAYS_PER_YEAR * 7 / 5
    counts = stream(seed, replication, "due a day").poisson(np.where(np.arange(HORIZON_DAYS) % 7 < 5, rate, 0.0))
    n = int(counts.sum())
    names = ("visit", "attends", "referable", "imageable", "model", "grader")
    uniform = {name: stream(seed, replication, f"clinic {name}").random(n) for name in names}
    days = np.sort(np.repeat(np.arange(HORIZON_DAYS), counts) + FIRST_VISIT + (LAST_VISIT - FIRST_VISIT) * uniform.pop("visit"))
    work = np.stack([stream(seed, replication, f"clinic {name}").gamma(GAMMA_SHAPE, 1 / GAMMA_SHAPE, n)
                     for name in ("photograph", "grading", "examination")])
    return People(days=days, counted=(days >= WARM_UP_DAYS) & (days < WARM_UP_DAYS + YEAR_DAYS), work=work, **uniform)


def run_clinic(arm: str, values: Values, people: People) -> ClinicYear:
    """Run one year.

    Parameters
    ----------
    arm : str
        One of `ARMS`.
    values : mapping of str to float
        Inputs of this year.
    people : People
        The year's people.

    Returns
    -------
    ClinicYear
        What happened to each.
    """
    came, ill = people.attends < values["attendance"], people.referable < values["referable_prevalence"]
    clear = people.imageable < values["imageable"]
    by_model, by_grader = (found(number, ill, values[f"{who}_sensitivity"], values[f"{who}_specificity"])
                           for who, number in (("model", people.model), ("grader", people.grader)))
    photographed = station(people.days, came, people.work[0] * values["photograph_minutes"], int(values["cameras"]), CAMERA_MINUTES_PER_DAY)
    taken = ~np.isnan(photographed)
    to_grader = taken & {"graders": taken, "model_alone": ~taken, "model_then_grader": clear & by_model}[arm]
    graded = station(photographed, to_grader, people.work[1] * values["grading_minutes"], int(values["graders"]),
                     values["grading_minutes_per_day"])
    decided = np.where(to_grader, graded, photographed)
    suspected = {"graders": by_grader, "model_alone": by_model, "model_then_grader": by_model & by_grader}[arm]
    referred = ~np.isnan(decided) & (~clear | suspected)
    seen = station(decided, referred, people.work[2] * values["doctor_minutes"], int(values["eye_doctors"]),
                   values["doctor_minutes_per_day"])
    return ClinicYear(referable=ill & came, photographed=photographed, graded=graded, referred=referred, seen=seen)


def found(number: Floats, ill: Flags, sensitivity: float, specificity: float) -> Flags:
    """Say in whom a test finds disease.

    Parameters
    ----------
    number : ndarray of shape (n,)
        Uniform numbers of the test.
    ill : ndarray of shape (n,)
        Who has the disease.
    sensitivity, specificity : float
        Of the test.

    Returns
    -------
    ndarray of shape (n,)
        True with probability ``sensitivity`` among the ill and ``1 - specificity`` among the others.
    """
    return number < np.where(ill, sensitivity, 1 - specificity)


def station(days: Floats, who: Flags, minutes: Floats, servers: int, minutes_per_day: float) -> Floats:
    """Send some people through a station with office hours, in the order in which they arrive.

    Parameters
    ----------
    days : ndarray of shape (n,)
        Arrival of each, calendar days.
    who : ndarray of shape (n,)
        Who goes there.
    minutes : ndarray of shape (n,)
        Time that each takes.
    servers : int
        People or cameras that work at once.
    minutes_per_day : float
        Working time of each on a weekday.

    Returns
    -------
    ndarray of shape (n,)
        Calendar day on which each was begun; NaN for who did not go or still waits.
    """
    going = np.flatnonzero(who)
    going = going[np.argsort(days[going], kind="stable")]
    begun = np.full(len(days), np.nan)
    started = serve(to_working(days[going], minutes_per_day), minutes[going], servers=servers,
                    until=float(to_working(HORIZON_DAYS, minutes_per_day)))
    begun[going] = to_calendar(started, minutes_per_day)
    return begun


def measure_clinic(year: ClinicYear, people: People, values: Values) -> dict[str, float]:
    """Count what the year cost and brought.

    Parameters
    ----------
    year : ClinicYear
        What happened.
    people : People
        To whom.
    values : mapping of str to float
        Inputs.

    Returns
    -------
    dict of str to float
        Rates per 100 or 1000 photographs of the year that counts, days and minutes. Who still waits counts with the wait so far.
    """
    taken = people.counted & ~np.isnan(year.photographed)
    n, sent = int(taken.sum()), taken & year.referred
    waits = np.where(np.isnan(year.seen), HORIZON_DAYS, year.seen) - year.photographed
    ill, sent_ill = taken & year.referable, sent & year.referable
    demand = values["doctor_minutes"] * float(people.work[2][sent].sum())
    available = values["eye_doctors"] * values["doctor_minutes_per_day"] * 5 * YEAR_DAYS / 7
    grading = values["grading_minutes"] * float(people.work[1][taken & ~np.isnan(year.graded)].sum())
    return {
        "photographs_per_year": n * DAYS_PER_YEAR / YEAR_DAYS, "alerts_per_100_encounters": 100 * int(sent.sum()) / n,
        "missed_referable_per_1000": 1000 * int((ill & ~year.referred).sum()) / n,
        "missed_referable_percent": 100 * int((ill & ~year.referred).sum()) / max(int(ill.sum()), 1),
        "needless_referrals_per_1000": 1000 * int((sent & ~year.referable).sum()) / n,
        "wait_days": _mean(waits[sent]), "referable_wait_days": _mean(waits[sent_ill]),
        "wait_p90_days": float(np.quantile(waits[sent], 0.9)) if sent.any() else 0.0,
        "still_waiting_per_1000": 1000 * int((sent & np.isnan(year.seen)).sum()) / n,
        "eye_doctor_load_percent": 100 * demand / available,
        "grader_minutes_per_100": 100 * grading / n,
    }


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0
