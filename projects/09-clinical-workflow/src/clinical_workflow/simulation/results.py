"""All that is simulated, its metrics with intervals, and what figures and dashboard draw of it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.evidence import Metric
from carefolio.progress import progress_bar
from clinical_workflow.simulation import clinic, sensitivity, ward
from clinical_workflow.simulation.experiment import World, Years, build_world, simulate_arms, simulate_groups
from clinical_workflow.simulation.settings import SimulationSettings

Floats = NDArray[np.floating[Any]]
BETTER: dict[str, bool | None] = {
    "discharges_per_day": None, "alerts_per_100_encounters": None, "accepted_alerts_percent": None, "follow_ups_per_100_encounters": None,
    "missed_follow_ups_per_100_encounters": False, "capacity_used_percent": None, "nurse_minutes_per_day": False,
    "readmissions_reached_percent": True, "readmissions_among_followed_percent": True, "readmissions_avoided_per_1000": True,
    "readmissions_avoided_per_year": True, "net_nurse_minutes_per_day": True, "photographs_per_year": None,
    "missed_referable_per_1000": False, "missed_referable_percent": False, "needless_referrals_per_1000": False, "wait_days": False,
    "referable_wait_days": False, "wait_p90_days": False, "still_waiting_per_1000": False, "eye_doctor_load_percent": None,
    "grader_minutes_per_100": False,
}
"""Measure to whether a higher value is better."""
PAIRS = {
    "ward": (("lightgbm_alert", "first_come"), ("lightgbm_list", "first_come"), ("lightgbm_alert", "lace_alert"),
             ("lightgbm_list", "lightgbm_alert")),
    "clinic": (("model_alone", "graders"), ("model_then_grader", "graders")),
}
"""Arms whose difference is measured year by year."""
Judged = dict[str, tuple[Floats, bool | None]]
"""Evidence id to one value a year, and whether a higher one is better."""


@dataclass(frozen=True)
class Simulation:
    """What was simulated.

    Attributes
    ----------
    ward, clinic : mapping
        Arm to measure to one value a simulated year.
    groups : mapping
        Attribute to group to the share of coming readmissions that was followed up, in %, one value a year.
    turning : mapping
        As `sensitivity.turning_points` gives them.
    curves : dict
        Ready for JSON: ``level``, ``replications``, ``risk_threshold``, ``inputs``, ``ward``, ``clinic``, ``groups``, ``fatigue``,
        ``one_way``, ``two_way`` and ``by_threshold``.
    level : float
        Of the intervals.
    """

    ward: Years
    clinic: Years
    groups: Mapping[str, Mapping[str, Floats]]
    turning: Mapping[str, Floats]
    curves: dict[str, Any]
    level: float


def simulate(settings: SimulationSettings, *, seed: int, risk_threshold: float) -> Simulation:
    """Simulate ward and clinic with and without the models, and everything that their results hang on.

    Parameters
    ----------
    settings : SimulationSettings
        Years, points of the analyses, and inputs that a user replaces.
    seed : int
        The same seed gives the same result to the last digit.
    risk_threshold : float
        Readmission risk from which on the service makes a card; sets how many discharges raise an alert.

    Returns
    -------
    Simulation
        Results, none of them measured on a patient.

    Raises
    ------
    EvidenceError
        If an operating point is missing from the evidence of the chapter that measures it.
    ConfigError
        If an input is unknown or has an impossible value.
    """
    world = build_world(settings, seed=seed, risk_threshold=risk_threshold)
    with progress_bar("simulated years") as tell:
        done, total = [0], count_years(settings, world)

        def _advance() -> None:
            done[0] += 1
            tell(done[0], total)

        wards, clinics = simulate_arms(world, settings.replications, advance=_advance)
        groups = simulate_groups(world, settings.replications, advance=_advance)
        few, shares = settings.scenario_replications, settings.flagged_shares
        tiring, tireless = sensitivity.fatigue(world, shares, settings.replications, _advance)
        scenarios = {
            "one_way": [sensitivity.one_way(world, question, few, _advance) for question in sensitivity.ONE_WAY],
            "two_way": [sensitivity.two_way(world, question, settings.grid_steps, few, _advance) for question in sensitivity.TWO_WAY],
            "by_threshold": sensitivity.by_threshold(world, settings.false_positive_rates, few, _advance)}
    curves = {"level": settings.level, "replications": settings.replications, "risk_threshold": risk_threshold,
              "inputs": {name: one.model_dump() for name, one in world.inputs.items()},
              "ward": summaries(wards, settings.level), "clinic": summaries(clinics, settings.level),
              "groups": _group_rows(groups, settings.level), "fatigue": _fatigue_curve(shares, tiring, tireless, world, settings.level),
              **scenarios}
    return Simulation(wards, clinics, groups, sensitivity.turning_points(shares, tiring), curves, settings.level)


def count_years(settings: SimulationSettings, world: World) -> int:
    """Count the years that `simulate` runs; two points of the ROC curve that fall together make it a little fewer.

    Parameters
    ----------
    settings : SimulationSettings
        How often.
    world : World
        Its groups count.

    Returns
    -------
    int
        Simulated years.
    """
    arms = len(ward.ARMS) + len(clinic.ARMS) + len({group.attribute for group in world.points.groups})
    scenarios = (sum(1 + 2 * len(question.inputs) for question in sensitivity.ONE_WAY) + len(sensitivity.TWO_WAY) * settings.grid_steps**2
                 + 2 * len(settings.false_positive_rates))
    return settings.replications * (arms + 2 * len(settings.flagged_shares)) + settings.scenario_replications * scenarios


def interval(values: Floats, level: float) -> dict[str, float]:
    """Summarise the values of simulated years.

    Parameters
    ----------
    values : ndarray of shape (n_years,)
        One a year.
    level : float
        Share of years between low and high.

    Returns
    -------
    dict of str to float
        ``value``, the mean, and ``low`` and ``high``, percentiles that are moved out to the mean where it lies beyond them.
    """
    middle = float(np.mean(values))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return {"value": middle, "low": min(float(low), middle), "high": max(float(high), middle)}


def summaries(years: Years, level: float) -> dict[str, dict[str, dict[str, float]]]:
    """Summarise every measure of every arm.

    Parameters
    ----------
    years : mapping
        Arm to measure to one value a year.
    level : float
        Of the intervals.

    Returns
    -------
    dict
        Arm to measure to `interval`.
    """
    return {arm: {name: interval(values, level) for name, values in measures.items()} for arm, measures in years.items()}


def metrics_of(simulation: Simulation) -> dict[str, Metric]:
    """Give the metrics of a simulation; the part of every id is ``simulated``.

    Parameters
    ----------
    simulation : Simulation
        Result of `simulate`.

    Returns
    -------
    dict of str to Metric
        ``ward.simulated.<arm>.<measure>``, ``clinic.simulated.<arm>.<measure>``, ``<arm>_minus_<arm>`` for paired differences,
        ``ward.simulated.<attribute>_<group>.readmissions_reached_percent``, and ``ward.simulated.fatigue.<turning point>``. ``n`` is the
        number of simulated years.
    """
    found = _arm_values("ward", simulation.ward) | _arm_values("clinic", simulation.clinic) | _group_values(simulation.groups)
    found |= {f"ward.simulated.fatigue.{name}": (values, None) for name, values in simulation.turning.items()}
    level = simulation.level
    return {name: Metric(**interval(values, level), level=level, n=len(values), higher_is_better=better)
            for name, (values, better) in found.items()}


def _arm_values(part: str, years: Years) -> Judged:
    arms = {arm: dict(measures) for arm, measures in years.items()}
    arms |= {f"{one}_minus_{other}": {measure: values - years[other][measure] for measure, values in years[one].items()}
             for one, other in PAIRS[part]}
    return {f"{part}.simulated.{arm}.{measure}": (values, BETTER[measure])
            for arm, measures in arms.items() for measure, values in measures.items()}


def _group_values(groups: Mapping[str, Mapping[str, Floats]]) -> Judged:
    found: Judged = {f"ward.simulated.{_slug(f'{attribute} {group}')}.readmissions_reached_percent": (values, True)
                     for attribute, members in groups.items() for group, values in members.items()}
    for attribute, members in groups.items():
        ordered = sorted(members.values(), key=lambda values: float(values.mean()))
        if len(ordered) > 1:
            found[f"ward.simulated.{attribute}.readmissions_reached_gap_percent"] = (ordered[-1] - ordered[0], False)
    return found


def _slug(words: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


def _group_rows(groups: Mapping[str, Mapping[str, Floats]], level: float) -> list[dict[str, Any]]:
    return [{"attribute": attribute, "group": group, **interval(values, level)}
            for attribute, members in groups.items() for group, values in members.items()]


def _fatigue_curve(shares: tuple[float, ...], tiring: Mapping[str, Floats], tireless: Mapping[str, Floats], world: World,
                   level: float) -> dict[str, Any]:
    per_shift = (tiring["alerts_per_100_encounters"] * tiring["discharges_per_day"]).mean(axis=1) / 100 / world.inputs["alert_nurses"].value

    def _rows(measures: Mapping[str, Floats], name: str) -> dict[str, list[float]]:
        rows = [interval(values, level) for values in measures[name]]
        return {end: [row[end] for row in rows] for end in ("value", "low", "high")}

    return {"flagged_share": list(shares), "alerts_per_shift": per_shift.tolist(),
            "accepted_percent": _rows(tiring, "accepted_alerts_percent"),
            "capacity_used_percent": _rows(tiring, "capacity_used_percent"), "avoided": _rows(tiring, "readmissions_avoided_per_1000"),
            "avoided_without_fatigue": _rows(tireless, "readmissions_avoided_per_1000"),
            "net_nurse_minutes_per_day": _rows(tiring, "net_nurse_minutes_per_day")}
