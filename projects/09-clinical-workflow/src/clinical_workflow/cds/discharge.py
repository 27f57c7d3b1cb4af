"""On encounter-discharge: the risk of coming back, why, and a follow-up that can be booked with one click."""

from __future__ import annotations

from datetime import timedelta

from fastapi import HTTPException

from clinical_workflow.cds.answer import Found, Question, Service, create, make_card
from clinical_workflow.cds.schemas import Action, Card, Link
from clinical_workflow.features import StayFeatures, build_stay
from clinical_workflow.fhir.written import follow_up_appointment, follow_up_order, risk_assessment, task
from clinical_workflow.models.apis import Risk

PREFETCH = {
    "patient": "Patient/{{context.patientId}}",
    "encounters": "Encounter?patient={{context.patientId}}&_count=200",
    "conditions": "Condition?patient={{context.patientId}}&_count=200",
    "medications": "MedicationRequest?patient={{context.patientId}}&_count=200",
    "laboratory": "Observation?patient={{context.patientId}}&category=laboratory&_count=200",
    "procedures": "Procedure?patient={{context.patientId}}&_count=200"}
COLUMNS = {"gender": "sex", "age": "age", "admission_type_id": "kind of admission", "admission_source_id": "where the patient came from",
           "discharge_disposition_id": "where the patient goes", "medical_specialty": "specialty", "time_in_hospital": "length of the stay",
           "diag_1": "main diagnosis"}
"""Columns that may have to be assumed, in words."""


async def answer(question: Question) -> Found:
    """Ask the readmission model about the stay that ends, if it was made for such a stay.

    Parameters
    ----------
    question : Question
        The call.

    Returns
    -------
    Found
        A card from the configured risk on; below it, and for whom the model was not made, none.

    Raises
    ------
    HTTPException
        412 where the encounter cannot be had.
    """
    context, settings = question.request.context, question.settings
    encounter = question.chart.find("Encounter", context.encounter_id or "")
    if encounter is None:
        raise HTTPException(412, "The encounter of the context is not among what was sent, nor could it be read.")
    stay = build_stay(question.chart, encounter, now=question.now)
    if not stay.applies:
        return Found(note=f"not asked: {stay.reasons_not[0]}", assumed=len(stay.assumed))
    risk = await question.models.readmission(stay.request, reasons_from=settings.risk_threshold, reasons_shown=settings.reasons_shown)
    cards = (("readmission", _card(question, stay, risk)),) if risk.risk >= settings.risk_threshold else ()
    return Found(cards, "asked", risk.risk, len(stay.assumed), risk.model)


def _card(question: Question, stay: StayFeatures, risk: Risk) -> Card:
    settings = question.settings
    return make_card(
        summary=f"Readmission risk {risk.risk:.0%} within 30 days: follow-up within {settings.follow_up_days} days?",
        detail=_detail(stay, risk, settings.risk_threshold), indicator="warning", label="Readmission risk at discharge",
        topic="readmission",
        suggestion=(f"Book follow-up: call in {settings.call_days} days, visit within {settings.follow_up_days}", _actions(question, risk)),
        links=[Link(label="Risk, alerts and monitor", url=settings.app_launch_url, type="smart")])


def _detail(stay: StayFeatures, risk: Risk, threshold: float) -> str:
    reasons = "\n".join(f"- {reason}" for reason in risk.reasons) or "- the model gives none"
    assumed = ", ".join(COLUMNS.get(name, name) for name in stay.assumed)
    missing = f"\n\nNot in the chart, so taken as not recorded: {assumed}." if assumed else ""
    return (f"**{risk.risk:.1%}** of being in hospital again within 30 days; cards are made from {threshold:.0%}.\n\n"
            f"What raises it most:\n{reasons}{missing}\n\nThe reasons say what the model used, not what causes a return. "
            f"Learnt on US hospital stays of 1999 to 2008.\n\nModel: {risk.model}")


def _actions(question: Question, risk: Risk) -> list[Action]:
    context, settings, now = question.request.context, question.settings, question.now
    patient, encounter = context.patient_id, context.encounter_id or ""
    call = now + timedelta(days=settings.call_days)
    text = f"Call the patient within {settings.call_days} days of discharge: symptoms, medication, appointment"
    return [
        create("Readmission risk, preliminary", risk_assessment(patient_id=patient, encounter_id=encounter, risk=risk.risk,
                                                                reasons=risk.reasons, model=risk.model, at=now)),
        create("Order of a follow-up visit", follow_up_order(patient_id=patient, encounter_id=encounter, at=now,
                                                             days=settings.follow_up_days)),
        create("Proposed appointment", follow_up_appointment(patient_id=patient, at=now, days=settings.follow_up_days)),
        create("Task for the care team", task(patient_id=patient, encounter_id=encounter, text=text, at=now, due=call.date()))]


SERVICE = Service(
    id="readmission-risk", hook="encounter-discharge", title="Readmission risk at discharge", prefetch=PREFETCH, answer=answer,
    description="Risk of being in hospital again within 30 days, with its reasons and a follow-up to book. For adults with diabetes who go "
                "home after a hospital stay. Research and education; not a medical device.")
