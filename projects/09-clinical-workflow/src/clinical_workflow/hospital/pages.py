"""The record in the browser: patients, chart, discharge with its cards, orders, inbox, audit. Server-rendered, no script."""

from __future__ import annotations

import functools
import secrets
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

import jinja2
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from carefolio.command import DISCLAIMER
from clinical_workflow.fhir.terms import RXNORM
from clinical_workflow.fhir.written import instant
from clinical_workflow.hospital import actions
from clinical_workflow.hospital.cds_client import ask_services
from clinical_workflow.hospital.forms import read_form
from clinical_workflow.hospital.views import card_view, encounter_lines, lines, name_of, patient_line
from clinical_workflow.hospital.ward import USER_NAME, ShownCard, Ward

SAFE = {"Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' http://127.0.0.1:*; "
                                   "frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin", "Cache-Control": "no-store"}


@functools.cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.PackageLoader("clinical_workflow.hospital"), autoescape=True, undefined=jinja2.StrictUndefined)


def _page(request: Request, name: str, status: int = 200, **values: Any) -> Response:
    token = request.session.setdefault("token", secrets.token_urlsafe(16))
    request.session["user"] = USER_NAME
    text = _templates().get_template(name).render(token=token, user=USER_NAME, disclaimer=DISCLAIMER, here=request.url.path, **values)
    return HTMLResponse(text, status, SAFE)


def problem_page(request: Request, status: int, detail: str) -> Response:
    """Show an error as a page.

    Parameters
    ----------
    request : Request
        The request.
    status : int
        HTTP status.
    detail : str
        What is wrong.

    Returns
    -------
    Response
        A page.
    """
    return _page(request, "problem.html", status, title="That did not work", detail=detail)


def _ward(request: Request) -> Ward:
    ward: Ward = request.app.state.ward
    return ward


def page_routes() -> APIRouter:
    """Build the pages.

    Returns
    -------
    APIRouter
        Pages to read, and the forms that they send.
    """
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
    router.add_api_route("/", _patients, methods=["GET"])
    router.add_api_route("/style.css", _style, methods=["GET"])
    router.add_api_route("/health", _health, methods=["GET"])
    router.add_api_route("/patients/{patient}", _chart, methods=["GET"])
    router.add_api_route("/patients/{patient}/admit", _admit, methods=["POST"])
    router.add_api_route("/patients/{patient}/order", _order, methods=["POST"])
    router.add_api_route("/patients/{patient}/discharge", _discharge, methods=["GET"])
    router.add_api_route("/patients/{patient}/discharge", _end_stay, methods=["POST"])
    router.add_api_route("/cards/{card}/accept", _accept, methods=["POST"])
    router.add_api_route("/cards/{card}/override", _override, methods=["POST"])
    router.add_api_route("/inbox", _inbox, methods=["GET"])
    router.add_api_route("/inbox/{task}/done", _done, methods=["POST"])
    router.add_api_route("/audit", _audit, methods=["GET"])
    return router


async def _health(request: Request) -> Response:
    """Say that the hospital is open."""
    return HTMLResponse(f"open, {request.app.state.loaded} resources, {_ward(request).store.name}")


async def _style(request: Request) -> Response:
    """Give the style sheet."""
    text = files("clinical_workflow.hospital").joinpath("templates/style.css").read_text(encoding="utf-8")
    return Response(text, media_type="text/css", headers={"Cache-Control": "max-age=3600"})


async def _patients(request: Request) -> Response:
    """Show the patients, those in the house first."""
    ward, now = _ward(request), datetime.now(UTC)
    stays = await ward.search("Encounter?status=in-progress")
    found = [patient_line(one, stays, now=now) for one in await ward.search("Patient?_count=1000")]
    found.sort(key=lambda one: (not one.in_house, one.kind != "made up", one.name))
    return _page(request, "patients.html", title="Patients", patients=found, store=ward.store.name)


async def _chart(request: Request, patient: str) -> Response:
    """Open a chart: the hook patient-view."""
    ward = _ward(request)
    person = await ward.read("Patient", patient)
    cards, silent = await ask_services(ward, "patient-view", {"patientId": patient})
    await ward.note("R", "opened the chart", [f"Patient/{patient}"])
    return await _chart_page(request, ward, person, cards, silent)


async def _chart_page(request: Request, ward: Ward, person: dict[str, Any], cards: list[ShownCard], silent: list[str],
                 draft: dict[str, Any] | None = None) -> Response:
    patient = str(person["id"])
    stays = await ward.search(f"Encounter?patient={patient}&status=in-progress")
    kinds = ("Condition", "MedicationRequest", "Observation", "Procedure", "Encounter", "RiskAssessment", "ServiceRequest", "Appointment")
    found = {kind: await ward.search(f"{kind}?patient={patient}") for kind in kinds}
    return _page(request, "chart.html", title=name_of(person), person=patient_line(person, stays, now=datetime.now(UTC)),
                 cards=[card_view(one) for one in cards], silent=silent, problems=lines(found["Condition"]), draft=draft,
                 orders=lines(found["MedicationRequest"], name="medicationCodeableConcept"), results=lines(found["Observation"]),
                 stays=encounter_lines(found["Encounter"]), apps=[one for one in ward.clients.values() if one.launch_url],
                 written=lines(found["RiskAssessment"]) + lines(found["ServiceRequest"]) + lines(found["Appointment"]))


async def _admit(request: Request, patient: str) -> Response:
    """Admit a patient."""
    await read_form(request)
    await actions.admit(_ward(request), patient)
    return RedirectResponse(f"/patients/{patient}", 303)


async def _order(request: Request, patient: str) -> Response:
    """Select an order of metformin, the hook order-select; sign it where the form says so."""
    form, ward = await read_form(request), _ward(request)
    person = await ward.read("Patient", patient)
    draft = {"resourceType": "MedicationRequest", "id": "draft-1", "status": "draft", "intent": "order",
             "authoredOn": instant(datetime.now(UTC)),
             "subject": {"reference": f"Patient/{patient}"}, "medicationCodeableConcept": {
                 "coding": [{"system": RXNORM, "code": "861007", "display": "metformin hydrochloride 500 MG Oral Tablet"}],
                 "text": "metformin hydrochloride 500 MG Oral Tablet"}}
    if form.get("sign") == "yes":
        await actions.sign_order(ward, draft)
        return RedirectResponse(f"/patients/{patient}", 303)
    context = {"patientId": patient, "selections": ["MedicationRequest/draft-1"],
               "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}}
    cards, silent = await ask_services(ward, "order-select", context)
    return await _chart_page(request, ward, person, cards, silent, draft)


async def _discharge(request: Request, patient: str) -> Response:
    """Begin a discharge: the hook encounter-discharge."""
    ward = _ward(request)
    person, stay = await ward.read("Patient", patient), await actions.present_stay(ward, patient)
    cards, silent = await ask_services(ward, "encounter-discharge", {"patientId": patient, "encounterId": stay["id"]})
    return _page(request, "discharge.html", title=f"Discharge of {name_of(person)}", silent=silent, cards=[card_view(one) for one in cards],
                 person=patient_line(person, [stay], now=datetime.now(UTC)), stay=encounter_lines([stay])[0])


async def _end_stay(request: Request, patient: str) -> Response:
    """End the stay."""
    await read_form(request)
    await actions.end_stay(_ward(request), patient)
    return RedirectResponse(f"/patients/{patient}", 303)


async def _accept(request: Request, card: str) -> Response:
    """Do what a card proposes."""
    form, ward = await read_form(request), _ward(request)
    shown = actions.find_card(ward, card)
    made = await actions.accept_card(ward, shown, form.get("suggestion", ""))
    return _page(request, "done.html", title="Done", shown=card_view(shown), made=made, back=f"/patients/{shown.patient}",
                 outcome="accepted",
                 leaving=bool(shown.encounter))


async def _override(request: Request, card: str) -> Response:
    """Put a card aside, with a reason."""
    form, ward = await read_form(request), _ward(request)
    shown = actions.find_card(ward, card)
    made = await actions.override_card(ward, shown, form.get("reason", ""), form.get("comment", "")[:500])
    return _page(request, "done.html", title="Put aside", shown=card_view(shown), made=made, back=f"/patients/{shown.patient}",
                 outcome="overridden", leaving=bool(shown.encounter))


async def _inbox(request: Request) -> Response:
    """Show the open tasks."""
    ward = _ward(request)
    names = {str(one["id"]): name_of(one) for one in await ward.search("Patient?_count=1000")}
    tasks = [one for one in await ward.search("Task?status=requested") if one.get("for")]
    shown = [{"id": one["id"], "text": one.get("description", ""), "patient": one["for"]["reference"].rpartition("/")[2],
              "name": names.get(one["for"]["reference"].rpartition("/")[2], ""), "due": one.get("restriction", {}).get("period",
                                                                                                                       {}).get("end", "")}
             for one in tasks]
    return _page(request, "inbox.html", title="Inbox", tasks=shown)


async def _done(request: Request, task: str) -> Response:
    """Finish a task."""
    await read_form(request)
    await actions.finish_task(_ward(request), task)
    return RedirectResponse("/inbox", 303)


async def _audit(request: Request) -> Response:
    """Show the last audit events."""
    events = await _ward(request).search("AuditEvent?_count=1000")
    events.sort(key=lambda one: one["recorded"], reverse=True)
    shown = [{"at": one["recorded"][:19].replace("T", " "), "what": one.get("outcomeDesc", ""), "action": one.get("action", ""),
              "who": one["agent"][0]["who"].get("reference") or one["agent"][0]["who"].get("display", ""),
              "about": ", ".join(entity["what"]["reference"] for entity in one.get("entity", [])), "failed": one.get("outcome") != "0"}
             for one in events[:80]]
    return _page(request, "audit.html", title="Audit", events=shown)
