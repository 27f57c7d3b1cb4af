"""What the governance files may hold; every record is frozen and an unknown key is an error.

Severity, probability and kinds of control follow the terms of ISO 14971 (risk management of medical devices).
"""

from typing import Annotated, Literal, Self, get_args

from pydantic import Field, model_validator

from carefolio.config import Settings

Severity = Literal["negligible", "minor", "serious", "critical", "catastrophic"]
Probability = Literal["improbable", "remote", "occasional", "probable", "frequent"]
Level = Literal["low", "medium", "high"]
Words = Annotated[str, Field(min_length=2)]
NodeId = Annotated[str, Field(pattern=r"^[\w./-]+\.py::test_\w+$")]
"""A test as pytest names it from the root of the repository, without parameters: all its cases must pass."""
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
MEDIUM_FROM, HIGH_FROM = 5, 10
"""Product of the two ranks, each 1 to 5, from which on a risk is medium or high."""


def risk_level(severity: Severity, probability: Probability) -> Level:
    """Say how large a risk is.

    Parameters
    ----------
    severity : str
        How bad the harm is.
    probability : str
        How often it comes about.

    Returns
    -------
    {"low", "medium", "high"}
        By the product of the two ranks; a catastrophic harm is never low.
    """
    score = (get_args(Severity).index(severity) + 1) * (get_args(Probability).index(probability) + 1)
    return "high" if score >= HIGH_FROM else "medium" if score >= MEDIUM_FROM else "low"


class Control(Settings):
    """What keeps a hazard from doing harm, and the tests that prove it."""

    what: Words
    kind: Literal["design", "protection", "information"]
    tests: tuple[NodeId, ...] = Field(min_length=1)


class Hazard(Settings):
    """A way in which the software could harm a patient, before and after its controls."""

    id: str = Field(pattern=r"^H\d\d$")
    title: Words
    cause: Words
    harm: Words
    severity: Severity
    probability: Probability
    residual_probability: Probability
    owner: Identifier
    controls: tuple[Control, ...] = Field(min_length=1)

    @property
    def level(self) -> Level:
        """Give the risk without controls.

        Returns
        -------
        Level
            Low, medium or high.
        """
        return risk_level(self.severity, self.probability)

    @property
    def residual_level(self) -> Level:
        """Give the risk with controls.

        Returns
        -------
        Level
            Low or medium.
        """
        return risk_level(self.severity, self.residual_probability)

    @model_validator(mode="after")
    def _controls_lower_the_risk(self) -> Self:
        ranks = get_args(Probability)
        if ranks.index(self.residual_probability) > ranks.index(self.probability):
            raise ValueError(f"controls must not make harm likelier; got {self.probability}, then {self.residual_probability}")
        if self.residual_level == "high":
            raise ValueError(f"a {self.severity} harm that stays {self.residual_probability} is a high risk; add a control")
        if all(control.kind == "information" for control in self.controls):
            raise ValueError("information alone controls nothing; add a control by design or protection")
        return self


class IntendedUse(Settings):
    """What one function is for, and what it is not for."""

    id: Identifier
    function: Words
    purpose: Words
    users: Words
    patients: Words
    inputs: Words
    output: Words
    decides: Words
    not_for: tuple[Words, ...] = Field(min_length=1)
    limits: tuple[Words, ...] = Field(min_length=1)


class HumanFactor(Settings):
    """A way in which people and software may work badly together, and what the design does about it."""

    id: str = Field(pattern=r"^F\d\d$")
    user: Identifier
    task: Words
    problem: Words
    design: Words
    tests: tuple[NodeId, ...] = ()
    to_be_studied: Words
    """What only a study with people could show; nothing of it has been done here."""


class Measure(Settings):
    """What is watched after deployment, and who acts on it; ``setting`` names the place of the limit in the settings."""

    id: str = Field(pattern=r"^M\d\d$")
    measure: Words
    source: Words
    bound: Literal["at most", "at least"]
    limit: float
    unit: Words
    setting: str = Field(default="", pattern=r"^$|^[a-z_]+(\.[a-z0-9_]+)+$")
    frequency: Words
    acts: Identifier
    action: Words


class Role(Settings):
    """Somebody who takes part."""

    id: Identifier
    name: Words
    does: Words


class Activity(Settings):
    """Who is responsible, accountable, consulted and informed; one is accountable, by the type of the field."""

    activity: Words
    responsible: tuple[Identifier, ...] = Field(min_length=1)
    accountable: Identifier
    consulted: tuple[Identifier, ...] = ()
    informed: tuple[Identifier, ...] = ()

    @model_validator(mode="after")
    def _nobody_is_both_consulted_and_informed(self) -> Self:
        twice = set(self.consulted) & set(self.informed)
        if twice:
            raise ValueError(f"{sorted(twice)[0]} is both consulted and informed; keep the stronger one")
        return self


class Governance(Settings):
    """All files together."""

    hazards: tuple[Hazard, ...] = Field(min_length=1)
    uses: tuple[IntendedUse, ...] = Field(min_length=1)
    human_factors: tuple[HumanFactor, ...] = Field(min_length=1)
    measures: tuple[Measure, ...] = Field(min_length=1)
    roles: tuple[Role, ...] = Field(min_length=1)
    activities: tuple[Activity, ...] = Field(min_length=1)

    @property
    def tests(self) -> dict[str, tuple[str, ...]]:
        """List the tests that the files name.

        Returns
        -------
        dict of str to tuple of str
            Id of the hazard or human factor to its tests.
        """
        named = {hazard.id: tuple(test for control in hazard.controls for test in control.tests) for hazard in self.hazards}
        return named | {factor.id: factor.tests for factor in self.human_factors if factor.tests}
