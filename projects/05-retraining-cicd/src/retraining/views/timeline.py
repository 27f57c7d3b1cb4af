"""What the sections read: the timeline of a run, and how its parts are put in words."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from carefolio.exceptions import ArtefactError
from carefolio.shown_run import ShownRun
from retraining.names import COMMAND, FAULT_TITLES

SIGNS = {"promoted": "✓ promoted", "rejected": "✗ rejected", "unchanged": "= unchanged", "rolled_back": "↩ rolled back"}
Cycle = Mapping[str, Any]


def read_timeline(run: ShownRun) -> dict[str, Any]:
    """Read the timeline.

    Parameters
    ----------
    run : ShownRun
        The run.

    Returns
    -------
    dict
        ``replay`` (list of cycles) and ``planted`` (by fault).

    Raises
    ------
    ArtefactError
        If it is missing or damaged.
    """
    try:
        found: dict[str, Any] = json.loads(run.file("timeline.json"))
    except ValueError as error:
        raise ArtefactError(f"reports/timeline.json is not JSON ({error}); write it again with `{COMMAND} report`.") from None
    return found


def label(cycle: Cycle) -> str:
    """Name a cycle.

    Parameters
    ----------
    cycle : mapping
        An entry of the timeline.

    Returns
    -------
    str
        Batch, outcome, and the fault where one was planted.
    """
    fault = f", planted fault: {FAULT_TITLES[cycle['planted']].lower()}" if cycle["planted"] else ""
    return f"Batch {cycle['batch']}: {cycle['outcome'].replace('_', ' ')}{fault}"


def sentence(text: str) -> str:
    """Make a sentence of a reason.

    Parameters
    ----------
    text : str
        As the journal has it.

    Returns
    -------
    str
        With a capital and a full stop.
    """
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith(('.', '?')) else '.'}"


def decided(cycles: Sequence[Cycle]) -> list[Cycle]:
    """Keep the cycles in which gates were passed or failed.

    Parameters
    ----------
    cycles : sequence of mapping
        Entries of the timeline.

    Returns
    -------
    list of mapping
        In order.
    """
    return [cycle for cycle in cycles if cycle["gates"]]
