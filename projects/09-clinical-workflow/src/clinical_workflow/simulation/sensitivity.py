"""What the results hang on: one input at a time, two at a time, the number of alerts, and the threshold of the retinopathy model.

Every scenario runs the same simulated years as the base, so that what differs is the scenario and not luck.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from clinical_workflow.simulation import ward
from clinical_workflow.simulation.experiment import Fixed, World, clinic_year, collect, ward_year

Part = Literal["ward", "clinic"]
Floats = NDArray[np.floating[Any]]
Advance = Callable[[], None]
ARM_OF = {arm.name: arm for arm in ward.ARMS}
ALERTS = ARM_OF["lightgbm_alert"]


@dataclass(frozen=True)
class Question:
    """A result, and the inputs that may move it."""

    part: Part
    arm: str
    measure: str
    title: str
    inputs: tuple[str, ...]


ONE_WAY = (
    Question("ward", "lightgbm_alert", "readmissions_avoided_per_1000", "Readmissions avoided per 1,000 discharges, alerts of the model",
             ("relative_risk", "first_acceptance", "acceptance_drop", "flagged_share", "lightgbm_sensitivity", "readmission_risk",
              "alert_nurses", "follow_up_minutes", "follow_up_nurses", "follow_up_days", "ward_share")),
    Question("clinic", "model_alone", "eye_doctor_load_percent", "Load of the eye doctor, % of capacity, if the model refers",
             ("model_specificity", "model_sensitivity", "referable_prevalence", "imageable", "attendance", "due_per_year",
              "doctor_minutes", "doctor_minutes_per_day")),
    Question("clinic", "model_then_grader", "missed_referable_per_1000", "Missed referable eyes per 1,000 photographs, model then grader",
             ("model_sensitivity", "grader_sensitivity", "referable_prevalence", "imageable", "model_specificity")),
)
TWO_WAY = (
    Question("ward", "lightgbm_alert", "readmissions_avoided_per_1000", "Readmissions avoided per 1,000 discharges, alerts",
             ("first_acceptance", "acceptance_drop")),
    Question("ward", "lightgbm_list", "net_nurse_minutes_per_day", "Nurse minutes saved a day, list",
             ("relative_risk", "follow_up_minutes")),
    Question("clinic", "model_alone", "wait_days", "Days until the eye doctor, model alone",
             ("model_specificity", "doctor_minutes_per_day")),
)


def answer(world: World, question: Question, fixed: Fixed, replications: int, advance: Advance) -> float:
    """Run a scenario and give the mean of a result over its years.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    question : Question
        Names arm and measure.
    fixed : mapping of str to float
        Inputs that the scenario holds at a value.
    replications : int
        Years.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    float
        Mean of the measure.
    """
    found = []
    for number in range(replications):
        year = (ward_year(world, ARM_OF[question.arm], number, fixed) if question.part == "ward"
                else clinic_year(world, question.arm, number, fixed))
        found.append(year[question.measure])
        advance()
    return float(np.mean(found))


def one_way(world: World, question: Question, replications: int, advance: Advance) -> dict[str, Any]:
    """Move one input at a time to the ends of its range.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    question : Question
        The result and the inputs.
    replications : int
        Years of each scenario.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    dict
        ``title``, ``base`` and ``bars``: label, range of the input, and the result at its ends, widest first.
    """
    bars: list[dict[str, Any]] = []
    for name in question.inputs:
        one = world.inputs[name]
        at_low, at_high = (answer(world, question, {name: end}, replications, advance) for end in (one.low, one.high))
        bars.append({"input": name, "label": one.label, "low": one.low, "high": one.high, "kind": one.kind, "unit": one.unit,
                     "at_low": at_low, "at_high": at_high})
    bars.sort(key=lambda bar: -abs(bar["at_high"] - bar["at_low"]))
    return {"title": question.title, "arm": question.arm, "measure": question.measure,
            "base": answer(world, question, {}, replications, advance), "bars": bars}


def two_way(world: World, question: Question, steps: int, replications: int, advance: Advance) -> dict[str, Any]:
    """Move two inputs together over a grid.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    question : Question
        The result and two inputs.
    steps : int
        Values of each.
    replications : int
        Years of each scenario.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    dict
        ``title``, ``x`` and ``y`` (label and values), and ``grid``: one row a value of ``y``.
    """
    x, y = (world.inputs[name] for name in question.inputs)
    across, up = np.linspace(x.low, x.high, steps).tolist(), np.linspace(y.low, y.high, steps).tolist()
    grid = [[answer(world, question, dict(zip(question.inputs, (one, two), strict=True)), replications, advance) for one in across]
            for two in up]
    return {"title": question.title, "arm": question.arm, "measure": question.measure, "x": {"label": x.label, "values": across},
            "y": {"label": y.label, "values": up}, "grid": grid}


def fatigue(world: World, shares: tuple[float, ...], replications: int, advance: Advance) -> tuple[dict[str, Floats], dict[str, Floats]]:
    """Raise more and more alerts, with nurses who tire of them and with nurses who do not.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    shares : tuple of float
        Shares of discharges that raise an alert.
    replications : int
        Years of each share.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    tiring, tireless : dict of str to ndarray of shape (n_shares, n_years)
        By measure of the ward.
    """
    def _over(fixed: Fixed) -> dict[str, Floats]:
        rows = []
        for share in shares:
            years = []
            for number in range(replications):
                years.append(ward_year(world, ALERTS, number, {**fixed, "flagged_share": share}))
                advance()
            rows.append(collect(years))
        return {name: np.stack([row[name] for row in rows]) for name in rows[0]}

    return _over({}), _over({"acceptance_drop": 0.0})


def turning_points(shares: tuple[float, ...], tiring: Mapping[str, Floats]) -> dict[str, Floats]:
    """Find where more alerts stop paying, in every simulated year.

    Parameters
    ----------
    shares : tuple of float
        Shares of discharges that raise an alert, increasing.
    tiring : mapping of str to ndarray of shape (n_shares, n_years)
        First result of `fatigue`.

    Returns
    -------
    dict of str to ndarray of shape (n_years,)
        ``most_avoided_share``: the share that avoids most readmissions; ``best_net_share``: that saves most nursing time;
        ``stops_paying_share``: the largest that costs no more nursing time than it saves, 0 if none does.
    """
    avoided, net, across = tiring["readmissions_avoided_per_1000"], tiring["net_nurse_minutes_per_day"], np.array(shares)
    return {"most_avoided_share": across[avoided.argmax(axis=0)], "best_net_share": across[net.argmax(axis=0)],
            "stops_paying_share": np.where(net >= 0, across[:, None], 0.0).max(axis=0)}


def by_threshold(world: World, rates: tuple[float, ...], replications: int, advance: Advance) -> list[dict[str, Any]]:
    """Run the clinic at points of the retinopathy model's ROC curve.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    rates : tuple of float
        False positive rates; the measured point at or below each is taken.
    replications : int
        Years of each point.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    list of dict
        Threshold, sensitivity, specificity, and by arm the means of what is missed, of load and of wait.
    """
    false, true, thresholds = (np.array(values) for values in world.points.roc)
    order = np.lexsort((true, false))
    places = [int(order[np.searchsorted(false[order], rate, side="right") - 1]) for rate in rates]
    points = []
    for place in dict.fromkeys(places):
        fixed = {"model_sensitivity": float(true[place]), "model_specificity": 1 - float(false[place])}
        points.append({"threshold": float(thresholds[place]), **fixed,
                       **{arm: _clinic_means(world, arm, fixed, replications, advance) for arm in ("model_alone", "model_then_grader")}})
    return points


def _clinic_means(world: World, arm: str, fixed: Fixed, replications: int, advance: Advance) -> dict[str, float]:
    years = []
    for number in range(replications):
        years.append(clinic_year(world, arm, number, fixed))
        advance()
    names = ("missed_referable_per_1000", "eye_doctor_load_percent", "wait_days")
    return {name: float(values.mean()) for name, values in collect(years).items() if name in names}
