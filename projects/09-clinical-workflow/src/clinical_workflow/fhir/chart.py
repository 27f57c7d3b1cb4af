"""A patient's chart out of a bundle or a list of resources: checked by the R4B models, with every flaw named, none hidden and none fatal.

What a model must not read is left out here, once and for all: resources that were entered in error, refuted conditions, resources that
are not valid R4, and those of another patient.
"""

from __future__ import annotations

import functools
import hashlib
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ValidationError

from carefolio.exceptions import SchemaError
from clinical_workflow.fhir.elements import items, reference_id, status_codes, table

READ_TYPES = ("Patient", "Encounter", "Condition", "MedicationRequest", "Observation", "Procedure", "DiagnosticReport", "DocumentReference",
              "ServiceRequest", "Task", "Appointment", "RiskAssessment", "Media")
"""Types that something here reads; others are counted and passed over."""
MOST_ENTRIES = 50_000
MOST_BYTES = 256 * 1024 * 1024
REMEMBERED = 20_000
Kind = Literal["invalid", "other-version", "entered-in-error", "refuted", "other-patient", "duplicate", "no-resource", "unknown-type",
               "dangling-reference"]


class UnreadableBundleError(SchemaError):
    """What came is not a bundle of FHIR resources, or a larger one than is read."""


@dataclass(frozen=True)
class Flaw:
    """Something about one resource that kept it, or a part of it, from being read: where, of which kind, and why. It holds no value."""

    where: str
    kind: Kind
    why: str


@dataclass(frozen=True)
class Chart:
    """Resources that may be read, by type in the order of the source, and the flaws of the others."""

    resources: dict[str, tuple[dict[str, Any], ...]]
    flaws: tuple[Flaw, ...] = ()

    def of(self, kind: str) -> tuple[dict[str, Any], ...]:
        """Give the resources of a type.

        Parameters
        ----------
        kind : str
            For example ``"Condition"``.

        Returns
        -------
        tuple of dict
            Empty where there are none.
        """
        return self.resources.get(kind, ())

    def patient(self) -> dict[str, Any] | None:
        """Give the patient.

        Returns
        -------
        dict or None
            None where there is not exactly one.
        """
        found = self.of("Patient")
        return found[0] if len(found) == 1 else None

    def find(self, kind: str, identifier: str) -> dict[str, Any] | None:
        """Find a resource.

        Parameters
        ----------
        kind : str
            Its type.
        identifier : str
            Its logical id.

        Returns
        -------
        dict or None
            None where there is none.
        """
        return next((resource for resource in self.of(kind) if resource.get("id") == identifier), None)

    def flaw_counts(self) -> dict[str, int]:
        """Count the flaws by kind.

        Returns
        -------
        dict of str to int
            Sorted by kind.
        """
        return dict(sorted(Counter(flaw.kind for flaw in self.flaws).items()))


def read_bundle(content: bytes) -> Chart:
    """Read a bundle of one patient.

    Parameters
    ----------
    content : bytes
        JSON.

    Returns
    -------
    Chart
        Every resource that may be read.

    Raises
    ------
    UnreadableBundleError
        If it is no JSON, no Bundle, too large, or holds no resource.
    """
    if len(content) > MOST_BYTES:
        raise UnreadableBundleError(f"a bundle of {len(content):,} bytes is larger than the {MOST_BYTES:,} that are read; split it.")
    try:
        bundle = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise UnreadableBundleError(f"the bundle is not JSON (line {error.lineno}, column {error.colno}); send FHIR R4 as JSON.") from None
    return read_entries(bundle)


def read_entries(bundle: Any) -> Chart:
    """Read a bundle that is parsed already.

    Parameters
    ----------
    bundle : Any
        What came as JSON.

    Returns
    -------
    Chart
        Every resource that may be read.

    Raises
    ------
    UnreadableBundleError
        If it is no Bundle, too large, or holds no resource.
    """
    entries = table(bundle).get("entry", [])
    if table(bundle).get("resourceType") != "Bundle" or not isinstance(entries, list):
        raise UnreadableBundleError("expected a resource of type Bundle with a list of entries; send FHIR R4 as JSON.")
    if len(entries) > MOST_ENTRIES:
        raise UnreadableBundleError(f"the bundle has {len(entries):,} entries, more than the {MOST_ENTRIES:,} that are read; "
                                    "send one patient a bundle.")
    chart = read_resources([_located(entry) for entry in entries])
    if not chart.resources:
        raise UnreadableBundleError(f"none of the bundle's {len(entries)} entries is a resource of FHIR R4 that can be read.")
    return chart


def _located(entry: Any) -> dict[str, Any] | None:
    """Give an entry's resource; one without an id takes that of its ``fullUrl``."""
    resource = table(entry).get("resource")
    if not isinstance(resource, dict):
        return None
    address = table(entry).get("fullUrl")
    if "id" not in resource and isinstance(address, str):
        return {**resource, "id": address.removeprefix("urn:uuid:").rpartition("/")[2]}
    return resource


def read_resources(found: Iterable[Any], *, patient_id: str | None = None) -> Chart:
    """Sort resources into a chart.

    Parameters
    ----------
    found : iterable
        Resources as JSON; None for an entry without one.
    patient_id : str, optional
        Leave out what belongs to another patient; default is the one Patient among them.

    Returns
    -------
    Chart
        Those that may be read; the flaws name the others by type and position.
    """
    resources: dict[str, list[dict[str, Any]]] = {}
    flaws: list[Flaw] = []
    seen: set[tuple[str, str]] = set()
    counted: Counter[str] = Counter()
    for resource in found:
        kind = str(table(resource).get("resourceType", ""))
        where = f"{kind or 'entry'}[{counted[kind]}]"
        counted[kind] += 1
        flaw = _flaw(resource, kind, seen)
        if flaw is None:
            resources.setdefault(kind, []).append(resource)
        else:
            flaws.append(Flaw(where, *flaw))
    chart = {kind: tuple(group) for kind, group in resources.items()}
    return _of_one_patient(chart, flaws, patient_id)


def _flaw(resource: Any, kind: str, seen: set[tuple[str, str]]) -> tuple[Kind, str] | None:
    if not isinstance(resource, dict):
        return "no-resource", "the entry holds no resource; it may have been deleted"
    key = (kind, str(resource.get("id", "")))
    if key[1] and key in seen:
        return "duplicate", "the same type and id came before"
    seen.add(key)
    fault = fault_of(resource)
    if fault is not None:
        return fault
    if "entered-in-error" in {resource.get("status"), *status_codes(resource.get("verificationStatus"))}:
        return "entered-in-error", "it was entered in error"
    if kind == "Condition" and "refuted" in status_codes(resource.get("verificationStatus")):
        return "refuted", "the condition was ruled out"
    return None


def fault_of(resource: dict[str, Any]) -> tuple[Kind, str] | None:
    """Check a resource by the R4B model of its type.

    Parameters
    ----------
    resource : dict
        A resource as JSON.

    Returns
    -------
    tuple of (str, str) or None
        Kind of flaw and why, without a value of the resource; None for a valid one.
    """
    kind = resource.get("resourceType")
    model = model_of(kind) if isinstance(kind, str) else None
    if model is None:
        return "unknown-type", "R4 has no such type of resource"
    if kind not in READ_TYPES:
        return None
    if other := other_version(resource):
        return "other-version", f"it looks like {other}; send FHIR R4"
    return _validated(resource, model)


_KNOWN: OrderedDict[bytes, tuple[Kind, str] | None] = OrderedDict()
"""What checks of the same bytes gave: a chart comes with every hook, and most of it is as it was before."""


def _validated(resource: dict[str, Any], model: type[BaseModel]) -> tuple[Kind, str] | None:
    try:
        digest = hashlib.blake2b(orjson.dumps(resource), digest_size=16).digest()
    except (TypeError, orjson.JSONEncodeError):
        return "invalid", "it holds what is no JSON"
    if digest in _KNOWN:
        return _KNOWN[digest]
    try:
        model.model_validate(resource)
        fault: tuple[Kind, str] | None = None
    except (ValidationError, ValueError, TypeError, RecursionError) as error:
        fault = "invalid", _where_wrong(error)
    _KNOWN[digest] = fault
    if len(_KNOWN) > REMEMBERED:
        _KNOWN.popitem(last=False)
    return fault


def _where_wrong(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return "it does not fit the model of its type"
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    return f"`{'.'.join(str(part)[:40] for part in first['loc'])[:120] or 'resource'}` does not fit ({first['type']})"


@functools.cache
def model_of(kind: str) -> type[BaseModel] | None:
    """Find the R4B model of a type.

    Parameters
    ----------
    kind : str
        For example ``"Condition"``.

    Returns
    -------
    type or None
        A pydantic model; None where R4B has no such type.
    """
    from fhir.resources.R4B import get_fhir_model_class

    try:
        return get_fhir_model_class(kind)
    except (KeyError, ValueError, LookupError, TypeError):
        return None


def other_version(resource: dict[str, Any]) -> str | None:
    """Tell R5 and STU3 by elements that R4 does not have.

    Parameters
    ----------
    resource : dict
        A resource as JSON.

    Returns
    -------
    str or None
        ``"FHIR R5"`` or ``"FHIR STU3"``; None where nothing speaks for them.
    """
    kind = resource.get("resourceType")
    later = {"Encounter": ("actualPeriod", "plannedStartDate", "admission"), "MedicationRequest": ("medication", "effectiveDosePeriod"),
             "Procedure": ("occurrenceDateTime", "occurrencePeriod"), "Appointment": ("patientInstruction", "cancellationDate")}
    earlier = {"Observation": ("related", "context"), "Condition": ("context", "assertedDate"), "MedicationRequest": ("context",),
               "Patient": ("animal",), "Procedure": ("notDone", "context")}
    if any(name in resource for name in later.get(str(kind), ())) or (kind == "Encounter" and isinstance(resource.get("class"), list)):
        return "FHIR R5"
    if any(name in resource for name in earlier.get(str(kind), ())) or (kind == "Condition" and isinstance(resource.get("clinicalStatus"),
                                                                                                           str)):
        return "FHIR STU3"
    return None


def _of_one_patient(chart: dict[str, tuple[dict[str, Any], ...]], flaws: list[Flaw], patient_id: str | None) -> Chart:
    """Leave out what belongs to others, and name references that lead nowhere."""
    patients = chart.get("Patient", ())
    wanted = patient_id or (str(patients[0].get("id", "")) if len(patients) == 1 else None)
    if wanted:
        for kind, group in chart.items():
            kept, others = _divide(group, kind, wanted)
            chart[kind] = kept
            flaws += [Flaw(f"{kind}[{position}]", "other-patient", "its subject is another patient") for position in others]
    known = {str(resource.get("id", "")) for group in chart.values() for resource in group}
    named = Counter(kind for kind, group in chart.items() if kind in READ_TYPES for resource in group for text in _encounters(resource)
                    if text not in known)
    flaws += [Flaw(kind, "dangling-reference", f"{count} name an encounter that is not here") for kind, count in named.items()]
    return Chart({kind: group for kind, group in chart.items() if group}, tuple(flaws))


def _divide(group: Sequence[dict[str, Any]], kind: str, wanted: str) -> tuple[tuple[dict[str, Any], ...], list[int]]:
    belongs = [_belongs(resource, kind, wanted) for resource in group]
    kept = tuple(resource for resource, own in zip(group, belongs, strict=True) if own)
    return kept, [position for position, own in enumerate(belongs) if not own]


def _belongs(resource: dict[str, Any], kind: str, wanted: str) -> bool:
    if kind == "Patient":
        return resource.get("id") == wanted
    if kind == "Appointment":
        return True
    subject = reference_id(resource.get("subject") or resource.get("patient") or resource.get("for"))
    return subject is None or subject == wanted


def _encounters(resource: dict[str, Any]) -> list[str]:
    found = reference_id(resource.get("encounter"))
    return [found] if found else []


def contained_resources(bundle: Any) -> list[dict[str, Any]]:
    """Give the resources of a search result or of draft orders.

    Parameters
    ----------
    bundle : Any
        A Bundle, a single resource, or None.

    Returns
    -------
    list of dict
        Empty where there is none.
    """
    if table(bundle).get("resourceType") == "Bundle":
        return [found for entry in items(bundle.get("entry")) if (found := _located(entry)) is not None]
    return [bundle] if isinstance(bundle, dict) and "resourceType" in bundle else []
