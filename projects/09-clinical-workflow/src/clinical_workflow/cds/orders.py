"""On order-select: metformin against the kidneys' function, a rule of the drug's label with units read by UCUM; no model is asked.

Source: US Food and Drug Administration, Drug Safety Communication of 8 April 2016: metformin is contraindicated below an eGFR of 30
mL/min/1.73 m2, and starting it is not recommended between 30 and 45.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from clinical_workflow.cds.answer import Found, Question, Service, create, make_card
from clinical_workflow.fhir.chart import Chart, contained_resources
from clinical_workflow.fhir.elements import when
from clinical_workflow.fhir.terms import LOINC, Reading, diabetes_drug, reading
from clinical_workflow.fhir.written import instant, validated

PREFETCH = {"patient": "Patient/{{context.patientId}}",
            "laboratory": "Observation?patient={{context.patientId}}&category=laboratory&_count=200"}
NEVER_BELOW, NOT_STARTED_BELOW = 30.0, 45.0
LABEL = "Metformin and kidney function"


async def answer(question: Question) -> Found:
    """Look at the order that was selected and at the last eGFR.

    Parameters
    ----------
    question : Question
        The call.

    Returns
    -------
    Found
        A critical card below 30, a warning below 45, an order of the test where none is a year old or less; else none.
    """
    if not any(_is_metformin(order) for order in selected_orders(question)):
        return Found(note="no metformin")
    last = last_egfr(question.chart, now=question.now)
    if last is None:
        return Found((("egfr-missing", _missing(question)),), "no eGFR")
    at, found = last
    if found.value >= NOT_STARTED_BELOW:
        return Found(note="eGFR high enough")
    never = found.value < NEVER_BELOW
    rule = "contraindicated below 30" if never else "not to be started below 45"
    card = make_card(
        summary=f"Metformin: eGFR {found.value:.0f} on {at:%d %b %Y}, {rule}",
        detail=f"The last eGFR is {found.value:.0f} mL/min/1.73 m². By the drug's label metformin is contraindicated below 30, and "
               "starting it is not recommended between 30 and 45. A rule looked at the chart; no model was asked.",
        indicator="critical" if never else "warning", label=LABEL, topic="metformin-egfr")
    return Found((("metformin-egfr", card),), "eGFR low")


def selected_orders(question: Question) -> list[dict[str, Any]]:
    """Give the orders that the user has just selected.

    Parameters
    ----------
    question : Question
        The call.

    Returns
    -------
    list of dict
        Those of the draft orders that the context names.
    """
    context = question.request.context
    chosen = {name.rpartition("/")[2] for name in context.selections}
    return [order for order in contained_resources(context.draft_orders) if order.get("id") in chosen]


def _is_metformin(order: dict[str, Any]) -> bool:
    drug = diabetes_drug(order.get("medicationCodeableConcept")) if order.get("resourceType") == "MedicationRequest" else None
    return drug is not None and "metformin" in drug.column


def last_egfr(chart: Chart, *, now: datetime) -> tuple[datetime, Reading] | None:
    """Find the last eGFR of the year.

    Parameters
    ----------
    chart : Chart
        The patient's chart.
    now : datetime
        Today.

    Returns
    -------
    tuple of (datetime, Reading) or None
        When, and the value in mL/min/1.73 m2.
    """
    found = [(at, value) for one in chart.of("Observation") if one.get("status") in ("final", "amended", "corrected")
             and (at := when(one)) and now - timedelta(days=365) <= at <= now and (value := reading(one, "egfr"))]
    return max(found, key=lambda pair: pair[0]) if found else None


def _missing(question: Question) -> Any:
    patient, now = question.request.context.patient_id, question.now
    order = validated({
        "resourceType": "ServiceRequest", "status": "draft", "intent": "proposal", "authoredOn": instant(now),
        "code": {"coding": [{"system": LOINC, "code": "62238-1",
                             "display": "GFR/1.73 sq M predicted by creatinine-based formula (CKD-EPI)"}],
                 "text": "Creatinine with eGFR"}, "subject": {"reference": f"Patient/{patient}"}})
    return make_card(summary="Metformin: no eGFR within a year on record; order one?", indicator="info", label=LABEL, topic="egfr-missing",
                     detail="The drug's label asks for the kidneys' function before it is started and at least once a year.",
                     suggestion=("Order creatinine with eGFR", [create("Order", order)]))


SERVICE = Service(id="metformin-kidney", hook="order-select", title="Metformin and kidney function", prefetch=PREFETCH, answer=answer,
                  description="Looks at the last eGFR when metformin is ordered, by the drug's label. Research and education; not a "
                              "medical device.")
