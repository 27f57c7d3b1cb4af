"""Resources that are written back into the chart, each checked by its R4B model before it leaves.

All of them say that software made them, and which: a reader must be able to tell a model's word from a person's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from carefolio.command import DISCLAIMER
from carefolio.exceptions import SchemaError
from clinical_workflow.fhir.chart import fault_of, model_of
from clinical_workflow.fhir.terms import SNOMED, code_list

SYSTEM = "https://carefolio.example/fhir"
"""Address of what this project names itself; it is a name, not a place."""
SOFTWARE = "carefolio clinical workflow (software; research and education, not a medical device)"
SERVICE_CATEGORY = "http://terminology.hl7.org/CodeSystem/service-category"
AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
AUDIT = "http://terminology.hl7.org/CodeSystem/audit-event-type"
FOLLOW_UP = {"coding": [{"system": SNOMED, "code": "390906007", "display": "Follow-up encounter (procedure)"}],
             "text": "Follow-up visit after discharge"}


def validated(resource: dict[str, Any]) -> dict[str, Any]:
    """Check a resource of our own making.

    Parameters
    ----------
    resource : dict
        As JSON.

    Returns
    -------
    dict
        The same resource.

    Raises
    ------
    SchemaError
        If it is not valid R4: nothing invalid is written into a chart.
    """
    model = model_of(str(resource.get("resourceType")))
    fault = fault_of(resource)
    if model is None or fault:
        raise SchemaError(f"a {resource.get('resourceType')} to be written is not valid FHIR R4: {fault and fault[1]}; mend its maker.")
    model.model_validate(resource)
    return resource


def instant(at: datetime) -> str:
    """Write a time.

    Parameters
    ----------
    at : datetime
        With a time zone.

    Returns
    -------
    str
        UTC to the second.
    """
    return at.astimezone(UTC).isoformat(timespec="seconds")


def risk_assessment(*, patient_id: str, encounter_id: str, risk: float, reasons: Sequence[str], model: str, at: datetime) -> dict[str, Any]:
    """State a readmission risk.

    Parameters
    ----------
    patient_id, encounter_id : str
        Whom and which stay it is about.
    risk : float
        Probability of being in hospital again within 30 days, 0 to 1.
    reasons : sequence of str
        What raises it most, in words.
    model : str
        Name, version and hash of the model.
    at : datetime
        When it was computed.

    Returns
    -------
    dict
        A RiskAssessment; it is preliminary, for no person has looked at it.
    """
    return validated({
        "resourceType": "RiskAssessment", "status": "preliminary", "subject": {"reference": f"Patient/{patient_id}"},
        "encounter": {"reference": f"Encounter/{encounter_id}"}, "occurrenceDateTime": instant(at), "method": {"text": model[:400]},
        "code": {"text": "Readmission within 30 days of discharge"},
        "prediction": [{"outcome": {"coding": [{"system": SNOMED, "code": "417005", "display": "Hospital re-admission (procedure)"}],
                                    "text": "In hospital again within 30 days"},
                        "probabilityDecimal": round(risk, 4), "whenPeriod": {"start": instant(at), "end": instant(at + timedelta(days=30))},
                        "rationale": "; ".join(reasons) or "none stated"}],
        "note": [{"text": DISCLAIMER}]})


def follow_up_order(*, patient_id: str, encounter_id: str, at: datetime, days: int) -> dict[str, Any]:
    """Propose a follow-up visit.

    Parameters
    ----------
    patient_id, encounter_id : str
        Whom and which stay it is about.
    at : datetime
        When it is proposed.
    days : int
        Within how many days the visit should be.

    Returns
    -------
    dict
        A ServiceRequest with the intent ``proposal``.
    """
    return validated({
        "resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "code": FOLLOW_UP, "priority": "asap",
        "subject": {"reference": f"Patient/{patient_id}"}, "encounter": {"reference": f"Encounter/{encounter_id}"},
        "authoredOn": instant(at),
        "occurrencePeriod": {"start": instant(at), "end": instant(at + timedelta(days=days))}, "note": [{"text": DISCLAIMER}]})


def follow_up_appointment(*, patient_id: str, at: datetime, days: int) -> dict[str, Any]:
    """Propose a time for the follow-up visit.

    Parameters
    ----------
    patient_id : str
        Whom it is for.
    at : datetime
        When it is proposed.
    days : int
        Within how many days the visit should be.

    Returns
    -------
    dict
        A proposed Appointment without a fixed time.
    """
    return validated({
        "resourceType": "Appointment", "status": "proposed", "description": f"Follow-up within {days} days of discharge",
        "serviceType": [FOLLOW_UP], "requestedPeriod": [{"start": instant(at), "end": instant(at + timedelta(days=days))}],
        "participant": [{"actor": {"reference": f"Patient/{patient_id}"}, "status": "needs-action"}]})


def task(*, patient_id: str, encounter_id: str | None, text: str, at: datetime, due: date) -> dict[str, Any]:
    """Ask the care team for something.

    Parameters
    ----------
    patient_id : str
        Whom it is about.
    encounter_id : str, optional
        Which stay it is about.
    text : str
        What is to be done.
    at : datetime
        When it is asked.
    due : date
        By when.

    Returns
    -------
    dict
        A requested Task.
    """
    about = {"encounter": {"reference": f"Encounter/{encounter_id}"}} if encounter_id else {}
    return validated({
        "resourceType": "Task", "status": "requested", "intent": "proposal", "priority": "asap", "description": text,
        "for": {"reference": f"Patient/{patient_id}"}, "authoredOn": instant(at), "restriction": {"period": {"end": due.isoformat()}},
        "requester": {"display": SOFTWARE}, **about})


def retina_order(*, patient_id: str, at: datetime) -> dict[str, Any]:
    """Propose a photograph of the retina.

    Parameters
    ----------
    patient_id : str
        Whom it is for.
    at : datetime
        When it is proposed.

    Returns
    -------
    dict
        A ServiceRequest with the intent ``proposal``.
    """
    lists = code_list("retina")
    return validated({
        "resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "authoredOn": instant(at),
        "code": {"coding": [{"system": SNOMED, "code": lists["order_code"], "display": lists["order_display"]}],
                 "text": "Photograph of the retina"},
        "subject": {"reference": f"Patient/{patient_id}"}, "note": [{"text": DISCLAIMER}]})


def provenance(*, targets: Sequence[str], at: datetime, software: str, person: str | None = None) -> dict[str, Any]:
    """Say who and what made resources.

    Parameters
    ----------
    targets : sequence of str
        References to them.
    at : datetime
        When.
    software : str
        Name, version and hash of what assembled them.
    person : str, optional
        Reference to who accepted them.

    Returns
    -------
    dict
        A Provenance.
    """
    agents: list[dict[str, Any]] = [{"type": {"coding": [{"system": AGENT, "code": "assembler"}]}, "who": {"display": software[:400]}}]
    if person:
        agents.append({"type": {"coding": [{"system": AGENT, "code": "author"}]}, "who": {"reference": person}})
    return validated({"resourceType": "Provenance", "target": [{"reference": target} for target in targets], "recorded": instant(at),
                      "agent": agents})


def audit_event(*, action: str, what: str, person: str | None, entities: Sequence[str], at: datetime, failed: bool = False) -> dict[str,
                                                                                                                                    Any]:
    """Record who did what to which resources.

    Parameters
    ----------
    action : {"C", "R", "U", "D", "E"}
        Create, read, update, delete or execute.
    what : str
        In words, without a value of the chart.
    person : str, optional
        Reference to who did it; None for software on its own.
    entities : sequence of str
        References to the resources.
    at : datetime
        When.
    failed : bool, default False
        Whether it failed.

    Returns
    -------
    dict
        An AuditEvent.
    """
    who = {"reference": person} if person else {"display": SOFTWARE}
    return validated({
        "resourceType": "AuditEvent", "type": {"system": AUDIT, "code": "rest", "display": "RESTful Operation"}, "action": action,
        "recorded": instant(at), "outcome": "8" if failed else "0", "outcomeDesc": what,
        "agent": [{"who": who, "requestor": True}], "source": {"observer": {"display": SOFTWARE}},
        **({"entity": [{"what": {"reference": entity}} for entity in entities]} if entities else {})})


def communication(*, patient_id: str, text: str, at: datetime, about: Sequence[str] = (),
                  recipient: str = "Care coordination") -> dict[str, Any]:
    """Tell a team something.

    Parameters
    ----------
    patient_id : str
        Whom it is about.
    text : str
        The message.
    at : datetime
        When it is sent.
    about : sequence of str, optional
        References to what it is about.
    recipient : str, default "Care coordination"
        Who is told.

    Returns
    -------
    dict
        A completed Communication.
    """
    return validated({
        "resourceType": "Communication", "status": "completed", "subject": {"reference": f"Patient/{patient_id}"}, "sent": instant(at),
        "recipient": [{"display": recipient}], "payload": [{"contentString": text}],
        **({"about": [{"reference": one} for one in about]} if about else {})})


def retina_report(report: dict[str, Any], *, patient_id: str) -> dict[str, Any]:
    """Put a patient to the DiagnosticReport that the retinopathy API gave.

    Parameters
    ----------
    report : dict
        As the API gives it, without a subject.
    patient_id : str
        Whose photograph it was.

    Returns
    -------
    dict
        The report; its contained observation has the subject too. The overlay stays out: it is large, and the API gives it again.
    """
    subject = {"reference": f"Patient/{patient_id}"}
    inside = [{**one, "subject": subject} for one in report.get("contained", [])]
    kept = {name: value for name, value in report.items() if name != "presentedForm"}
    return validated(kept | {"subject": subject} | ({"contained": inside} if inside else {}))


