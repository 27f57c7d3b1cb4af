"""Many simulated years: every arm on the same patients with the same luck, and what comes of it with intervals."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clinical_workflow.simulation import clinic, ward
from clinical_workflow.simulation.inputs import Input, draw, read_inputs, replace
from clinical_workflow.simulation.operating import DAYS_PER_YEAR, OperatingPoints, read_operating_points
from clinical_workflow.simulation.settings import SimulationSettings

Years = Mapping[str, Mapping[str, NDArray[np.floating[Any]]]]
"""Arm to measure to one value a simulated year."""
Fixed = Mapping[str, float]


@dataclass(frozen=True)
class World:
    """What all simulated years share: inputs by name, operating points of the models, and the seed."""

    inputs: Mapping[str, Input]
    points: OperatingPoints
    seed: int

    @property
    def discharges_per_day(self) -> float:
        """Count the discharges a day in the data of the readmission chapter.

        Returns
        -------
        float
            Before ``ward_share``.
        """
        return self.points.discharges / (self.inputs["data_years"].value * DAYS_PER_YEAR)

    def values(self, replication: int, fixed: Fixed | None = None) -> dict[str, float]:
        """Draw the inputs of one simulated year.

        Parameters
        ----------
        replication : int
            Number of the year, from 0.
        fixed : mapping of str to float, optional
            Inputs that a scenario holds at a value.

        Returns
        -------
        dict of str to float
            One value an input, and ``measured_share``, the share flagged at which sensitivity was measured.
        """
        return draw(self.inputs, seed=self.seed, replication=replication, fixed=fixed) | {
            "measured_share": self.points.measured_share}


def build_world(settings: SimulationSettings, *, seed: int, risk_threshold: float) -> World:
    """Read inputs and operating points.

    Parameters
    ----------
    settings : SimulationSettings
        May replace inputs.
    seed : int
        Seed of the run, at least 0.
    risk_threshold : float
        Readmission risk from which on the service makes a card.

    Returns
    -------
    World
        Ready to be simulated.
    """
    points = read_operating_points(risk_threshold)
    return World(replace({**read_inputs(), **points.inputs}, settings.inputs), points, seed)


def ward_year(world: World, arm: ward.Arm, replication: int, fixed: Fixed | None = None) -> dict[str, float]:
    """Simulate one year of the ward.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    arm : ward.Arm
        Who is followed up.
    replication : int
        Number of the year, from 0.
    fixed : mapping of str to float, optional
        Inputs that a scenario holds at a value.

    Returns
    -------
    dict of str to float
        As `ward.measure_ward` counts them.
    """
    values = world.values(replication, fixed)
    patients = ward.draw_discharges(values, world.discharges_per_day, seed=world.seed, replication=replication)
    return ward.measure_ward(ward.run_ward(arm, world.points.curves, values, patients), patients, values)


def clinic_year(world: World, arm: str, replication: int, fixed: Fixed | None = None) -> dict[str, float]:
    """Simulate one year of the clinic.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    arm : str
        One of `clinic.ARMS`.
    replication : int
        Number of the year, from 0.
    fixed : mapping of str to float, optional
        Inputs that a scenario holds at a value.

    Returns
    -------
    dict of str to float
        As `clinic.measure_clinic` counts them.
    """
    values = world.values(replication, fixed)
    people = clinic.draw_people(values, seed=world.seed, replication=replication)
    return clinic.measure_clinic(clinic.run_clinic(arm, values, people), people, values)


def collect(years: Iterable[Mapping[str, float]]) -> dict[str, NDArray[np.floating[Any]]]:
    """Turn the measures of years into one array a measure.

    Parameters
    ----------
    years : iterable of mapping
        One mapping of measure to value a year, all with the same measures.

    Returns
    -------
    dict of str to ndarray of shape (n_years,)
        By measure.
    """
    rows = list(years)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def simulate_arms(world: World, replications: int, *, advance: Callable[[], None]) -> tuple[Years, Years]:
    """Simulate every arm of ward and clinic over the same years.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    replications : int
        Years.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    ward, clinic : mapping
        Arm to measure to one value a year.
    """
    def _told(year: dict[str, float]) -> dict[str, float]:
        advance()
        return year

    numbers = range(replications)
    return ({arm.name: collect(_told(ward_year(world, arm, number)) for number in numbers) for arm in ward.ARMS},
            {arm: collect(_told(clinic_year(world, arm, number)) for number in numbers) for arm in clinic.ARMS})


def simulate_groups(world: World, replications: int, *, advance: Callable[[], None]) -> dict[str, dict[str, NDArray[np.floating[Any]]]]:
    """Simulate the ward with patients of subgroups, each with its own rate of readmission and sensitivity of the model.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    replications : int
        Years.
    advance : callable
        Called after each simulated year.

    Returns
    -------
    dict of str to dict
        Attribute to group to the share of coming readmissions that was followed up, in %, one value a year. Groups too small for the
        readmission chapter to measure are simulated with the overall sensitivity and not reported.
    """
    attributes = list(dict.fromkeys(group.attribute for group in world.points.groups))
    found: dict[str, dict[str, NDArray[np.floating[Any]]]] = {}
    for attribute in attributes:
        years = []
        for number in range(replications):
            years.append(group_year(world, attribute, number))
            advance()
        found[attribute] = collect(years)
    return found


def group_year(world: World, attribute: str, replication: int) -> dict[str, float]:
    """Simulate one year of the ward with alerts of the model, patients by subgroup.

    Parameters
    ----------
    world : World
        Inputs and operating points.
    attribute : str
        Such as ``"sex"``.
    replication : int
        Number of the year, from 0.

    Returns
    -------
    dict of str to float
        Group to the share of its coming readmissions that was followed up, in %.
    """
    groups = [group for group in world.points.groups if group.attribute == attribute]
    values = world.values(replication)
    own = draw({group.name: group.sensitivity for group in groups if group.sensitivity}, seed=world.seed, replication=replication)
    overall = values["lightgbm_sensitivity"]
    patients = ward.draw_discharges(values, world.discharges_per_day, seed=world.seed, replication=replication)
    rows = np.array([group.rows for group in groups], dtype=float)
    member = np.minimum(np.searchsorted(np.cumsum(rows / rows.sum()), patients.group, side="right"), len(groups) - 1)
    risks = np.array([group.events / max(group.rows, 1) for group in groups])
    sensitivity = np.array([own.get(group.name, overall) for group in groups])[member]
    year = ward.run_ward(ward.ARMS[2], world.points.curves, values, patients, returns=patients.returns < risks[member],
                         sensitivity=sensitivity)
    back, reached = [year.returns & patients.counted & (member == index) for index in range(len(groups))], ~np.isnan(year.begun)
    return {group.name: 100 * int((reached & mine).sum()) / max(int(mine.sum()), 1)
            for group, mine in zip(groups, back, strict=True) if group.name in own}
