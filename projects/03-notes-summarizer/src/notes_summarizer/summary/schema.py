"""What a model has to return, and what the summary of a note is: statements with their sources, marks, warnings and conflicts.

Numbers of sentences begin at 1. Offsets of sources are into the original note, those of marks into the statement's text.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MOST_SOURCES = 4
"""Sentences that a statement may name; a small model would name them all."""
LISTS = ("problems", "medications", "allergies", "results", "plan", "follow_up")
"""The six lists of a summary, in order."""

FlagKind = Literal["number", "term", "negation", "laterality", "dose", "placeholder"]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DraftItem(_Strict):
    """One statement as a model gives it.

    Attributes
    ----------
    text : str
        The statement.
    sources : list of int
        Numbers of the sentences that it claims to rest on.
    """

    text: str
    sources: list[int]


class DraftMedication(DraftItem):
    """One medication as a model gives it.

    Attributes
    ----------
    name, dose : str
        The drug, and its dose with route and times; empty where none is given.
    """

    name: str
    dose: str


class Draft(_Strict):
    """What a model returns for a note or a part of one, still with surrogates.

    Attributes
    ----------
    problems, allergies, results, plan, follow_up : list of DraftItem
        Five of the lists.
    medications : list of DraftMedication
        The sixth.
    """

    problems: list[DraftItem] = Field(default_factory=list)
    medications: list[DraftMedication] = Field(default_factory=list)
    allergies: list[DraftItem] = Field(default_factory=list)
    results: list[DraftItem] = Field(default_factory=list)
    plan: list[DraftItem] = Field(default_factory=list)
    follow_up: list[DraftItem] = Field(default_factory=list)


class Source(_Strict):
    """A sentence of the note.

    Attributes
    ----------
    number : int
        Its number, from 1.
    start, end : int
        Characters of the original note.
    text : str
        What stands there.
    """

    number: int
    start: int
    end: int
    text: str


class Flag(_Strict):
    """A mark at a part of a statement that a person should look at.

    Attributes
    ----------
    kind : str
        ``number``, ``term``, ``negation`` and ``laterality`` as in ``carefolio.metrics.faithfulness``; ``dose`` where the sources do
        not hold the dose for this drug; ``placeholder`` where a surrogate is unknown or not in the sources.
    start, end : int
        Characters of the statement's text.
    text : str
        What stands there.
    """

    kind: FlagKind
    start: int
    end: int
    text: str


class Statement(_Strict):
    """A statement of the summary.

    Attributes
    ----------
    text : str
        As the model wrote it, with the originals put back.
    sources : list of Source
        Sentences that support it; empty where none does.
    supported : bool
        Whether they hold enough of it.
    findings : list of Flag
        Marks, in the order of the text.
    """

    text: str
    sources: list[Source]
    supported: bool
    findings: list[Flag]


class Medication(Statement):
    """A statement about a drug.

    Attributes
    ----------
    name, dose : str
        The drug, and its dose with route and times; empty where none is given.
    """

    name: str
    dose: str


class Conflict(_Strict):
    """Two sentences of a note that cannot both be followed.

    Attributes
    ----------
    kind : str
        ``start_stop``, ``two_doses`` or ``allergy``.
    text : str
        What contradicts what.
    sources : list of Source
        The sentences.
    """

    kind: Literal["start_stop", "two_doses", "allergy"]
    text: str
    sources: list[Source]


class Summary(_Strict):
    """The summary of a note.

    Attributes
    ----------
    problems, allergies, results, plan, follow_up : list of Statement
        Five of the lists.
    medications : list of Medication
        The sixth.
    conflicts : list of Conflict
        Orders of the note that contradict each other.
    warnings : list of str
        What the reader has to know about this summary; no text of the note.
    """

    problems: list[Statement]
    medications: list[Medication]
    allergies: list[Statement]
    results: list[Statement]
    plan: list[Statement]
    follow_up: list[Statement]
    conflicts: list[Conflict]
    warnings: list[str]


def draft_schema(*, maximum_items: int, item_characters: int) -> Mapping[str, Any]:
    """Write the JSON schema of a draft, for providers that can be held to one.

    Parameters
    ----------
    maximum_items : int
        Most items a list.
    item_characters : int
        Longest statement.

    Returns
    -------
    mapping
        Every field is required and every list, text and number is bounded, so that a small model comes to an end.
    """
    numbers = {"type": "array", "items": {"type": "integer", "minimum": 1}, "maxItems": MOST_SOURCES}
    fields: dict[str, Any] = {"text": {"type": "string", "minLength": 1, "maxLength": item_characters}, "sources": numbers}
    drug = {"name": {"type": "string", "maxLength": 80}, "dose": {"type": "string", "maxLength": 80}}
    lists = {name: {"type": "array", "maxItems": maximum_items, "items": _object({**fields, **drug} if name == "medications" else fields)}
             for name in LISTS}
    return _object(lists)


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "required": list(properties), "additionalProperties": False}
