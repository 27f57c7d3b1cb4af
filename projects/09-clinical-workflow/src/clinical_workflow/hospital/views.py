"""What the record's pages show of resources, as plain values: the templates only lay it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from markdown_it import MarkdownIt

from clinical_workflow.features import encounter_kind
from clinical_workflow.fhir.elements import codes, items, label, moment, period, reference_id, table, when
from clinical_workflow.hospital.ward import ShownCard

_MARKDOWN = MarkdownIt("commonmark", {"html": False})
MADE_UP = "made-up"
CLASS_WORDS = {"inpatient": "Hospital stay", "emergency": "Emergency visit", "outpatient": "Outpatient visit"}


@dataclass(frozen=True)
class PatientLine:
    """A patient in the list."""

    id: str
    name: str
    gender: str
    age: str
    kind: str
    in_house: bool
    since: str


@dataclass(frozen=True)
class Line:
    """A line of a table of the chart."""

    text: str
    detail: str
    date: str


def name_of(patient: Mapping[str, Any]) -> str:
    """Give a patient's name.

    Parameters
    ----------
    patient : mapping
        A Patient.

    Returns
    -------
    str
        Family name first; digits that Synthea puts behind names are left out.
    """
    first = next(iter(items(patient.get("name"))), {})
    given = " ".join(str(one) for one in first.get("given", []) if one)
    text = f"{first.get('family', '')}, {given}" if first.get("family") else str(first.get("text") or given or "No name")
    return "".join(letter for letter in text if not letter.isdigit()).strip(", ")


def patient_line(patient: Mapping[str, Any], stays: Sequence[Mapping[str, Any]], *, now: datetime) -> PatientLine:
    """Describe a patient for the list.

    Parameters
    ----------
    patient : mapping
        A Patient.
    stays : sequence of mapping
        Encounters that are going on.
    now : datetime
        The present.

    Returns
    -------
    PatientLine
        With age in years, or that the patient died.
    """
    birth, died = moment(patient.get("birthDate")), moment(patient.get("deceasedDateTime"))
    end = died or now
    years = "" if birth is None else str(end.year - birth.year - ((end.month, end.day) < (birth.month, birth.day)))
    tags = {code.get("code") for code in items(table(patient.get("meta")).get("tag"))}
    own = [stay for stay in stays if reference_id(stay.get("subject")) == patient.get("id")]
    start = period(dict(own[0]))[0] if own else None
    return PatientLine(str(patient["id"]), name_of(patient), str(patient.get("gender", "unknown")), f"{years} (died)" if died else years,
                       "made up" if MADE_UP in tags else "Synthea", bool(own), _day(start))


def _day(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%d %b %Y") if at else ""


def lines(resources: Sequence[dict[str, Any]], *, name: str = "code", most: int = 12) -> list[Line]:
    """Describe resources for a table, the latest first.

    Parameters
    ----------
    resources : sequence of dict
        Conditions, orders, procedures and the like.
    name : str, default "code"
        Element that holds what they are.
    most : int, default 12
        How many are shown.

    Returns
    -------
    list of Line
        Words, value or status, and day.
    """
    dated = sorted(resources, key=lambda one: when(one) or datetime.min.replace(tzinfo=UTC), reverse=True)
    return [Line(label(one.get(name)) or str(one.get("description", "")), _value(one), _day(when(one))) for one in dated[:most]]


def _value(resource: dict[str, Any]) -> str:
    quantity = table(resource.get("valueQuantity"))
    if "value" in quantity:
        return f"{quantity['value']:.4g} {quantity.get('unit', '')}".strip()
    if resource.get("resourceType") == "RiskAssessment":
        found = next(iter(items(resource.get("prediction"))), {})
        return f"{found.get('probabilityDecimal', 0):.0%} ({resource.get('status')})"
    stated = codes(resource.get("clinicalStatus"))
    return stated[0].code if stated else str(resource.get("status", ""))


def encounter_lines(encounters: Sequence[dict[str, Any]], *, most: int = 12) -> list[Line]:
    """Describe encounters for a table, the latest first.

    Parameters
    ----------
    encounters : sequence of dict
        Encounters.
    most : int, default 12
        How many are shown.

    Returns
    -------
    list of Line
        Kind, status and days.
    """
    dated = sorted(encounters, key=lambda one: period(one)[0] or datetime.min.replace(tzinfo=UTC), reverse=True)
    found = []
    for one in dated[:most]:
        start, end = period(one)
        span = _day(start) + (f" to {_day(end)}" if end and _day(end) != _day(start) else "")
        found.append(Line(CLASS_WORDS.get(encounter_kind(one) or "", "Contact"), str(one.get("status", "")), span))
    return found


def card_view(shown: ShownCard) -> dict[str, Any]:
    """Describe a card for a page.

    Parameters
    ----------
    shown : ShownCard
        The card.

    Returns
    -------
    dict
        The card, its detail as HTML without any HTML that came with it, and its service.
    """
    return {**shown.card, "html": _MARKDOWN.render(str(shown.card.get("detail", ""))), "service": shown.service}
