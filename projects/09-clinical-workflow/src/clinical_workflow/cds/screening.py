"""On patient-view: the gap in retinopathy screening, and a grade that asks for an eye doctor. A rule on the chart; no model is asked."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from clinical_workflow.cds.answer import Found, Question, Service, create, make_card
from clinical_workflow.features import has_diabetes
from clinical_workflow.fhir.chart import Chart
from clinical_workflow.fhir.elements import codes, items, when
from clinical_workflow.fhir.terms import saw_retina
from clinical_workflow.fhir.written import retina_order, task

PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}&_count=200",
    "medications": "MedicationRequest?patient={{context.patientId}}&_count=200",
    "procedures": "Procedure?patient={{context.patientId}}&_count=200",
    "reports": "DiagnosticReport?patient={{context.patientId}}&_count=200",
    "orders": "ServiceRequest?patient={{context.patientId}}&_count=200"}
REFERABLE = ("LA18645-4", "LA18646-2", "LA18648-8")
"""LOINC answers for moderate, severe and proliferative retinopathy."""
LABEL = "Retinopathy screening"
DAYS_A_MONTH = 30.44


async def answer(question: Question) -> Found:
    """Look for the last examination of the retina.

    Parameters
    ----------
    question : Question
        The call.

    Returns
    -------
    Found
        A card where diabetes is on record and the last examination is too long ago or none, or where the last photograph was graded
        moderate or worse and nobody has signed the report.
    """
    chart, settings, now = question.chart, question.settings, question.now
    if not has_diabetes(chart) or is_dead(chart.patient() or {}):
        return Found(note="no diabetes, or dead")
    last = last_examination(chart)
    if last and (when(last) or now) > now - timedelta(days=settings.retina_months * DAYS_A_MONTH):
        return _unsigned(question, last) if is_referable(last) and last.get("status") == "preliminary" else Found(note="up to date")
    if any(saw_retina(order) and order.get("status") in ("draft", "active") for order in chart.of("ServiceRequest")):
        return Found(note="ordered already")
    since = f"The last one on record was on {when(last):%d %b %Y}." if last and when(last) else "None is on record."
    patient = question.request.context.patient_id
    card = make_card(
        summary=f"Diabetes without a photograph of the retina in {settings.retina_months} months: order one?",
        detail=f"{since} Guidelines advise one a year for most people with diabetes. A rule looked at the chart; no model was asked.",
        indicator="info", label=LABEL, topic="retina-gap",
        suggestion=("Order a photograph of the retina", [create("Order", retina_order(patient_id=patient, at=now))]))
    return Found((("retina-gap", card),), "gap")


def _unsigned(question: Question, report: dict[str, Any]) -> Found:
    patient, now = question.request.context.patient_id, question.now
    ask = task(patient_id=patient, encounter_id=None, at=now, due=(now + timedelta(days=7)).date(),
               text="Look at the photograph of the retina and sign or correct its preliminary grade")
    card = make_card(summary="A photograph of the retina was graded moderate or worse by software; nobody has signed it yet",
                     detail=f"{str(report.get('conclusion', ''))[:600]}\n\nThe grade is preliminary until a person has looked.",
                     indicator="warning", label=LABEL, topic="retina-grade",
                     suggestion=("Ask an eye doctor to look", [create("Task for the eye clinic", ask)]))
    return Found((("retina-grade", card),), "graded, unsigned")


def is_dead(patient: dict[str, Any]) -> bool:
    """Say whether a patient has died.

    Parameters
    ----------
    patient : dict
        A Patient.

    Returns
    -------
    bool
        By ``deceasedBoolean`` or ``deceasedDateTime``.
    """
    return patient.get("deceasedBoolean") is True or bool(patient.get("deceasedDateTime"))


def last_examination(chart: Chart) -> dict[str, Any] | None:
    """Find the last examination of the retina.

    Parameters
    ----------
    chart : Chart
        The patient's chart.

    Returns
    -------
    dict or None
        A completed Procedure, an Observation, or a DiagnosticReport.
    """
    done = [one for one in chart.of("Procedure") if one.get("status") == "completed"]
    said = [one for kind in ("DiagnosticReport", "Observation") for one in chart.of(kind)
            if one.get("status") in ("final", "preliminary", "amended", "corrected")]
    dated = [(at, one) for one in (*done, *said) if saw_retina(one) and (at := when(one))]
    return max(dated, key=lambda pair: pair[0])[1] if dated else None


def is_referable(report: dict[str, Any]) -> bool:
    """Say whether a report holds a grade of moderate or worse.

    Parameters
    ----------
    report : dict
        A DiagnosticReport with its observation in it.

    Returns
    -------
    bool
        By LOINC's answer codes.
    """
    return any(code.code in REFERABLE for one in items(report.get("contained")) for code in codes(one.get("valueCodeableConcept")))


def due(chart: Chart, *, now: datetime, months: int) -> bool:
    """Say whether a patient's retina should be photographed.

    Parameters
    ----------
    chart : Chart
        The patient's chart.
    now : datetime
        Today.
    months : int
        Longest time between photographs.

    Returns
    -------
    bool
        True for a living patient with diabetes whose last examination is longer ago, or none.
    """
    last = last_examination(chart)
    at = when(last) if last else None
    recent = at is not None and at > now - timedelta(days=months * DAYS_A_MONTH)
    return has_diabetes(chart) and not is_dead(chart.patient() or {}) and not recent


SERVICE = Service(id="retinopathy-screening", hook="patient-view", title="Retinopathy screening gap", prefetch=PREFETCH, answer=answer,
                  description="Says when a patient with diabetes has had no photograph of the retina for a year, and when a graded "
                              "photograph waits for a person. Research and education; not a medical device.")
