"""What a clinician does in the record, and what is written for it: resources, where they come from, and who did it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from fastapi import HTTPException

from clinical_workflow.fhir.written import communication, instant, provenance
from clinical_workflow.hospital.cds_client import give_feedback
from clinical_workflow.hospital.store import patient_of
from clinical_workflow.hospital.ward import USER, ShownCard, Ward
from clinical_workflow.made_up import CLASSES

HOME = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/discharge-disposition", "code": "home", "display": "Home"}]}


async def present_stay(ward: Ward, patient: str) -> dict[str, Any]:
    """Find the stay that is going on.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    patient : str
        Id of the patient.

    Returns
    -------
    dict
        The Encounter.

    Raises
    ------
    HTTPException
        409 where the patient is not in the house.
    """
    found = await ward.search(f"Encounter?patient={patient}&status=in-progress")
    if not found:
        raise HTTPException(409, "This patient is not in the hospital; admit the patient first.")
    return found[0]


async def admit(ward: Ward, patient: str) -> str:
    """Begin a stay.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    patient : str
        Id of the patient.

    Returns
    -------
    str
        Reference to the Encounter.

    Raises
    ------
    HTTPException
        404 where there is no such patient, 409 where the patient is in the house or has died.
    """
    person = await ward.read("Patient", patient)
    if person.get("deceasedDateTime") or person.get("deceasedBoolean"):
        raise HTTPException(409, "This patient has died.")
    if await ward.search(f"Encounter?patient={patient}&status=in-progress"):
        raise HTTPException(409, "This patient is in the hospital already.")
    stay = await ward.write({
        "resourceType": "Encounter", "status": "in-progress", "class": {"system": CLASSES, "code": "IMP", "display": "inpatient encounter"},
        "subject": {"reference": f"Patient/{patient}"}, "period": {"start": instant(datetime.now(UTC))},
        "priority": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActPriority", "code": "EM"}]},
        "hospitalization": {"admitSource": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/admit-source", "code": "emd"}]},
                            "dischargeDisposition": HOME}})
    await ward.note("C", "admitted", [f"Patient/{patient}", stay])
    return stay


async def end_stay(ward: Ward, patient: str) -> None:
    """End the stay that is going on.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    patient : str
        Id of the patient.
    """
    stay = await present_stay(ward, patient)
    ended = {**stay, "status": "finished", "period": {**stay["period"], "end": instant(datetime.now(UTC))}}
    ended["hospitalization"] = {**stay.get("hospitalization", {}), "dischargeDisposition": HOME}
    await ward.note("U", "discharged", [f"Patient/{patient}", await ward.write(ended)])


async def sign_order(ward: Ward, draft: Mapping[str, Any]) -> None:
    """Sign a draft order.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    draft : mapping
        A MedicationRequest.
    """
    signed = {name: value for name, value in draft.items() if name != "id"} | {"status": "active", "requester": {"reference": USER}}
    await ward.note("C", "signed an order", [draft["subject"]["reference"], await ward.write(signed)])


def find_card(ward: Ward, card: str) -> ShownCard:
    """Find a card that is on a page.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    card : str
        Its uuid.

    Returns
    -------
    ShownCard
        The card.

    Raises
    ------
    HTTPException
        404 where it is none, or was answered already.
    """
    shown = ward.cards.get(card)
    if shown is None:
        raise HTTPException(404, "This card is not open any more; open the chart again.")
    return shown


async def accept_card(ward: Ward, shown: ShownCard, suggestion: str) -> list[str]:
    """Do what a card proposes: write its resources, say where they come from, tell the team, and tell the service.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    shown : ShownCard
        The card.
    suggestion : str
        uuid of the suggestion.

    Returns
    -------
    list of str
        What was written and done, in words.

    Raises
    ------
    HTTPException
        422 for an action that this hospital does not do by itself, or one on another patient.
    """
    chosen = next((one for one in shown.card.get("suggestions", []) if one["uuid"] == suggestion), None)
    if chosen is None:
        raise HTTPException(422, "The card holds no such suggestion.")
    actions = chosen.get("actions", [])
    if any(one.get("type") != "create" or patient_of(one["resource"]) != shown.patient for one in actions):
        raise HTTPException(422, "The suggestion asks for more than new resources for this patient; nothing was done.")
    now = datetime.now(UTC)
    written = [await ward.write(one["resource"]) for one in actions]
    label = str(shown.card["source"]["label"])
    written.append(await ward.write(provenance(targets=list(written), at=now, software=f"{label}, service {shown.service}", person=USER)))
    written.append(await ward.write(communication(patient_id=shown.patient, text=f"{chosen['label']} (accepted at the bedside)", at=now,
                                                  about=written[:-1])))
    del ward.cards[str(shown.card["uuid"])]
    told = await give_feedback(ward, shown, "accepted", suggestions=[suggestion])
    await ward.note("E", f"accepted a card of {shown.service}", [f"Patient/{shown.patient}", *written])
    return [f"{reference.partition('/')[0]} written" for reference in written] + [_told(told), "Audit line written"]


async def override_card(ward: Ward, shown: ShownCard, reason: str, comment: str) -> list[str]:
    """Put a card aside.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    shown : ShownCard
        The card.
    reason : str
        Code of one of the card's reasons.
    comment : str
        What the user wrote; may be empty.

    Returns
    -------
    list of str
        What was done, in words.

    Raises
    ------
    HTTPException
        422 where the reason is none of the card's.
    """
    chosen = next((one for one in shown.card.get("overrideReasons", []) if one["code"] == reason), None)
    if chosen is None:
        raise HTTPException(422, "Choose one of the reasons.")
    del ward.cards[str(shown.card["uuid"])]
    told = await give_feedback(ward, shown, "overridden", suggestions=[], reason=chosen, comment=comment)
    await ward.note("E", f"put aside a card of {shown.service}: {chosen['display']}", [f"Patient/{shown.patient}"])
    return [f"Reason: {chosen['display']}", _told(told), "Audit line written"]


def _told(told: bool) -> str:
    return "Feedback stored by the service" if told else "The service could not be told; the record holds what was done"


async def finish_task(ward: Ward, task: str) -> None:
    """Finish a task.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    task : str
        Its id.
    """
    found = await ward.read("Task", task)
    await ward.note("U", "finished a task", [await ward.write({**found, "status": "completed"}), found["for"]["reference"]])
