"""Small readers of FHIR elements: references, codes, times. They take what a resource holds, and None where it holds something else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True)
class Code:
    """One coding: the address of the code system, the code, and its words."""

    system: str
    code: str
    display: str


def table(value: Any) -> dict[str, Any]:
    """Give a value if it is an object.

    Parameters
    ----------
    value : Any
        Part of a resource.

    Returns
    -------
    dict
        The value, or an empty one.
    """
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[dict[str, Any]]:
    """Give the objects of a list.

    Parameters
    ----------
    value : Any
        Part of a resource.

    Returns
    -------
    list of dict
        Those that are objects; empty where the value is no list.
    """
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def codes(concept: Any) -> list[Code]:
    """Read a CodeableConcept.

    Parameters
    ----------
    concept : Any
        Part of a resource.

    Returns
    -------
    list of Code
        Its codings that have a system and a code; the words of the concept stand in for those of a coding that has none.
    """
    text = table(concept).get("text")
    found = []
    for coding in items(table(concept).get("coding")):
        system, code, display = (coding.get(name) for name in ("system", "code", "display"))
        if isinstance(system, str) and isinstance(code, str):
            found.append(Code(system, code, str(display or text or "")))
    return found


def label(concept: Any) -> str:
    """Give the words of a CodeableConcept.

    Parameters
    ----------
    concept : Any
        Part of a resource.

    Returns
    -------
    str
        Its text, or that of its first coding; empty where there is none.
    """
    text = table(concept).get("text")
    shown = [coding.get("display") for coding in items(table(concept).get("coding"))]
    return str(next((words for words in (text, *shown) if isinstance(words, str) and words), ""))


def reference_id(reference: Any) -> str | None:
    """Give the id that a reference names.

    Parameters
    ----------
    reference : Any
        A Reference: relative, absolute, versioned, or ``urn:uuid:``.

    Returns
    -------
    str or None
        The logical id; None where the reference holds none, or a contained one.
    """
    text = table(reference).get("reference")
    if not isinstance(text, str) or not text or text.startswith("#"):
        return None
    plain = text.removeprefix("urn:uuid:").split("/_history/")[0]
    return plain.rpartition("/")[2] or None


def moment(value: Any) -> datetime | None:
    """Read a date, a dateTime or an instant; what is left open is taken as the earliest.

    Parameters
    ----------
    value : Any
        For example ``"2026"``, ``"2026-03-01"`` or ``"2026-03-01T10:00:00+01:00"``.

    Returns
    -------
    datetime or None
        With a time zone (UTC where none is given); None where the value is none of these.
    """
    if not isinstance(value, str):
        return None
    try:
        if "T" in value:
            read = datetime.fromisoformat(value)
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
        matched = _DATE.fullmatch(value)
        return datetime(int(matched[1]), int(matched[2] or 1), int(matched[3] or 1), tzinfo=UTC) if matched else None
    except (ValueError, OverflowError):
        return None


def period(resource: dict[str, Any]) -> tuple[datetime | None, datetime | None]:
    """Read the period of an encounter.

    Parameters
    ----------
    resource : dict
        An Encounter.

    Returns
    -------
    tuple of (datetime or None, datetime or None)
        Start and end; None where it is not known or not over.
    """
    span = table(resource.get("period"))
    return moment(span.get("start")), moment(span.get("end"))


def when(resource: dict[str, Any]) -> datetime | None:
    """Say when an observation, procedure, condition, report or order was.

    Parameters
    ----------
    resource : dict
        Such a resource.

    Returns
    -------
    datetime or None
        Its first known time.
    """
    names = ("effectiveDateTime", "effectiveInstant", "performedDateTime", "onsetDateTime", "occurrenceDateTime", "authoredOn", "date",
             "issued", "recordedDate")
    spans = (table(resource.get(name)).get("start") for name in ("effectivePeriod", "performedPeriod", "onsetPeriod"))
    found = (moment(value) for value in (*(resource.get(name) for name in names), *spans))
    return next((time for time in found if time), None)


def status_codes(concept: Any) -> set[str]:
    """Give the bare codes of a status that is a CodeableConcept.

    Parameters
    ----------
    concept : Any
        For example a Condition's ``verificationStatus``.

    Returns
    -------
    set of str
        Its codes.
    """
    return {code.code for code in codes(concept)}
