"""What the simulation assumes, as a table of values, ranges and sources, and how values are drawn for one simulated year."""

import math
import tomllib
import zlib
from collections.abc import Mapping
from importlib.resources import files
from statistics import NormalDist
from typing import Literal, Self

import numpy as np
from pydantic import Field, ValidationError, model_validator

from carefolio.config import Settings
from carefolio.exceptions import ConfigError

Scale = Literal["linear", "log", "logit"]
HALF_WIDTH = NormalDist().inv_cdf(0.975)
"""Standard deviations from the middle of a 95 % interval to its end."""


class Input(Settings):
    """One number that goes into the simulation, with what is known of it.

    ``measured`` inputs come from another chapter's evidence, ``published`` ones from literature; both have a 95 % interval, and each
    simulated year draws its own value. ``assumption`` and ``choice`` stay at ``value``.
    """

    value: float
    low: float
    high: float
    kind: Literal["measured", "published", "assumption", "choice"]
    scale: Scale = "linear"
    whole: bool = False
    unit: str = Field(min_length=1)
    label: str = Field(min_length=1)
    source: str = Field(min_length=1)

    @model_validator(mode="after")
    def _is_ordered_and_on_its_scale(self) -> Self:
        if not self.low <= self.value <= self.high:
            raise ValueError(f"value must lie between low and high; got {self.value} and {self.low} to {self.high}")
        to_scale(self.low, self.scale)
        to_scale(self.high, self.scale)
        if self.whole and not all(number.is_integer() for number in (self.value, self.low, self.high)):
            raise ValueError(f"expected whole numbers; got {self.value} and {self.low} to {self.high}")
        return self

    @property
    def drawn(self) -> bool:
        """Whether each simulated year draws a value of its own.

        Returns
        -------
        bool
            True for measured and published inputs.
        """
        return self.kind in ("measured", "published")


def to_scale(value: float, scale: Scale) -> float:
    """Put a value on the scale on which its uncertainty is taken as normal.

    Parameters
    ----------
    value : float
        Positive for ``log``, in (0, 1) for ``logit``.
    scale : {"linear", "log", "logit"}
        Scale.

    Returns
    -------
    float
        The transformed value.

    Raises
    ------
    ValueError
        If the scale has no such value.
    """
    if scale == "linear":
        return value
    if value <= 0 or (scale == "logit" and value >= 1):
        raise ValueError(f"{value} has no {scale}")
    return math.log(value) if scale == "log" else math.log(value / (1 - value))


def from_scale(value: float, scale: Scale) -> float:
    """Undo `to_scale`.

    Parameters
    ----------
    value : float
        On the scale.
    scale : {"linear", "log", "logit"}
        Scale.

    Returns
    -------
    float
        The value as it is used.
    """
    if scale == "linear":
        return value
    return math.exp(value) if scale == "log" else 1 / (1 + math.exp(-value))


def stream(seed: int, replication: int, name: str) -> np.random.Generator:
    """Open the random numbers of one quantity in one simulated year.

    The same name gives the same numbers in every arm and scenario, so that differences between arms are paired.

    Parameters
    ----------
    seed : int
        Seed of the run, at least 0.
    replication : int
        Number of the simulated year, from 0.
    name : str
        What is drawn.

    Returns
    -------
    numpy.random.Generator
        Independent of all other names and years.
    """
    return np.random.default_rng([seed, replication, zlib.crc32(name.encode())])


def draw(inputs: Mapping[str, Input], *, seed: int, replication: int, fixed: Mapping[str, float] | None = None) -> dict[str, float]:
    """Draw the values of one simulated year.

    Parameters
    ----------
    inputs : mapping of str to Input
        By name.
    seed : int
        Seed of the run.
    replication : int
        Number of the simulated year, from 0.
    fixed : mapping of str to float, optional
        Inputs that a scenario holds at a value.

    Returns
    -------
    dict of str to float
        One value an input.
    """
    held = fixed or {}
    return {name: held[name] if name in held else _value(name, one, seed, replication) for name, one in inputs.items()}


def _value(name: str, one: Input, seed: int, replication: int) -> float:
    if not one.drawn:
        return one.value
    middle, low, high = (to_scale(number, one.scale) for number in (one.value, one.low, one.high))
    z = float(stream(seed, replication, name).standard_normal())
    side = middle - low if z < 0 else high - middle
    return from_scale(middle + z * side / HALF_WIDTH, one.scale)


def read_inputs() -> dict[str, Input]:
    """Read the inputs of the simulation that no chapter measures.

    Returns
    -------
    dict of str to Input
        By name, in the order of the file.

    Raises
    ------
    ConfigError
        If the file is not well formed.
    """
    table = tomllib.loads(files("clinical_workflow.simulation").joinpath("inputs.toml").read_text(encoding="utf-8"))
    return {name: parse_input(name, entry) for name, entry in table.items()}


def parse_input(name: str, entry: object) -> Input:
    """Check one entry.

    Parameters
    ----------
    name : str
        Its name, for the message.
    entry : object
        A table as TOML gives it.

    Returns
    -------
    Input
        A frozen record.

    Raises
    ------
    ConfigError
        Naming the input, the field and what was given.
    """
    try:
        return Input.model_validate(entry)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join([name, *(str(part) for part in first["loc"])])
        raise ConfigError(f"simulation/inputs.toml: `{where}`: {first['msg']}. Give value, low, high, kind, unit, label, "
                          "source.") from None


def replace(inputs: Mapping[str, Input], values: Mapping[str, float]) -> dict[str, Input]:
    """Set inputs to values of a user.

    Parameters
    ----------
    inputs : mapping of str to Input
        By name.
    values : mapping of str to float
        What is set.

    Returns
    -------
    dict of str to Input
        A new mapping; what was set is a choice of the user.

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    unknown = sorted(set(values) - set(inputs))
    if unknown:
        raise ConfigError(f"[simulation.inputs] has no input {unknown[0]!r}; the names are {', '.join(inputs)}.")
    return {**inputs, **{name: _chosen(name, inputs[name], value) for name, value in values.items()}}


def _chosen(name: str, one: Input, value: float) -> Input:
    return parse_input(name, one.model_dump() | {"value": value, "low": min(one.low, value), "high": max(one.high, value),
                                                 "kind": "choice", "source": "Set in the configuration"})
