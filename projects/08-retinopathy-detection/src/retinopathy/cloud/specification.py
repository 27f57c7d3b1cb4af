"""A specification for a cloud: the plan, and the files that the cloud's own command takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from carefolio.deploy.steps import Plan, Step
from retinopathy.config import PARTS

MODULE = "retinopathy.cloud.container"
PROGRAM = ("python", "-m", MODULE)
"""ENTRYPOINT of the image."""
DATASETS = tuple(name for names in PARTS.values() for name in names)
PHOTO_FILE, REQUEST_FILE = "photo.jpg", "request.json"


@dataclass(frozen=True)
class Specification:
    """What to ask a cloud for.

    Attributes
    ----------
    plan : Plan
        Its actions are command lines, to be given in the folder of the files.
    documents : mapping
        File name to content, in the order in which they are used.
    request : mapping or None
        Body of a first question, where the cloud wants JSON.
    """

    plan: Plan
    documents: Mapping[str, Mapping[str, Any]]
    request: Mapping[str, Any] | None = field(default=None)


def missing_of(needed: Mapping[str, Any]) -> tuple[str, ...]:
    """Name what is needed and not there.

    Parameters
    ----------
    needed : mapping
        Name of a setting or variable to its value.

    Returns
    -------
    tuple of str
        Names without a value.
    """
    return tuple(name for name, value in needed.items() if not value)


def or_name(value: str | None, name: str) -> str:
    """Give a value, or the name of the setting in its place.

    Parameters
    ----------
    value : str or None
        What was configured.
    name : str
        Setting or variable.

    Returns
    -------
    str
        Never empty.
    """
    return value or f"({name})"


def upload_steps(commands: Mapping[str, str], needs: str) -> list[Step]:
    """Plan the upload of the data sets.

    Parameters
    ----------
    commands : mapping of str to str
        Data set to command line.
    needs : str
        What it costs and needs.

    Returns
    -------
    list of Step
        One a data set.
    """
    return [Step(f"data: {name}", command, {}, needs) for name, command in commands.items()]


def sample_photo() -> bytes:
    """Draw a retina of grade 3, which is made up.

    Returns
    -------
    bytes
        A JPEG.
    """
    import numpy as np

    return encode_jpeg(draw_fundus(np.random.default_rng(3), grade=3, side=512))


def list_commands(steps: Iterable[Step], *, title: str) -> str:
    """List the command lines of a plan for a person to give.

    Parameters
    ----------
    steps : iterable of Step
        In order.
    title : str
        What they are for.

    Returns
    -------
    str
        One command a step, each below what it does and costs.
    """
    lines = [f"# {title}", "# One after the other, in this folder; each once the one before has finished. They cost money.",
             "# Nothing here was tried on a paid account. For research and education; not a medical device."]
    for step in steps:
        lines += ["", f"# {step.name}" + (f": {step.needs}" if step.needs else ""), step.action]
    return "\n".join(lines) + "\n"
