"""The FHIR server as others see it: every request needs a token, and the token's scopes and patient decide."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from clinical_workflow.cds.outcome import operation_outcome
from clinical_workflow.fhir.elements import items, reference_id, table
from clinical_workflow.hospital.store import FHIR_JSON, ID, PATIENT_PARAMETERS, patient_of
from clinical_workflow.hospital.ward import Ward
from clinical_workflow.smart.authorization import smart_configuration
from clinical_workflow.smart.scopes import Grant, allows
from clinical_workflow.smart.tokens import Token

LARGEST_BODY = 4 * 1024 * 1024
_WITHOUT_PATIENT = ("Practitioner", "Organization")


def fhir_routes() -> APIRouter:
    """Build the routes below ``/fhir``.

    Returns
    -------
    APIRouter
        Read, search, create and update, and the documents that need no token.
    """
    router = APIRouter(prefix="/fhir", tags=["FHIR"])

    @router.get("/.well-known/smart-configuration")
    async def _configuration(request: Request) -> dict[str, Any]:
        return smart_configuration(request.app.state.ward.settings.base_url)

    @router.get("/metadata")
    async def _metadata(request: Request) -> Response:
        ward: Ward = request.app.state.ward
        return _fhir(200, {"resourceType": "CapabilityStatement", "status": "active", "date": "2026-01-01", "kind": "instance",
                           "fhirVersion": "4.0.1", "format": ["json"], "software": {"name": ward.store.name},
                           "implementation": {"description": "Mock hospital; for research and education",
                                              "url": f"{ward.settings.base_url}/fhir"}})

    @router.api_route("/{kind}", methods=["GET", "POST"])
    async def _of_type(request: Request, kind: str) -> Response:
        return await _answer(request, kind, None)

    @router.api_route("/{kind}/{identifier}", methods=["GET", "PUT"])
    async def _of_one(request: Request, kind: str, identifier: str) -> Response:
        return await _answer(request, kind, identifier)

    return router


def _fhir(status: int, content: Any, **headers: str) -> Response:
    return JSONResponse(content, status, headers=headers, media_type=FHIR_JSON)


def _refuse(status: int, text: str, **headers: str) -> Response:
    return _fhir(status, operation_outcome(status, [text]), **headers)


async def _answer(request: Request, kind: str, identifier: str | None) -> Response:
    ward: Ward = request.app.state.ward
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    token: Token | None = ward.shelf.get("token", secret.strip()) if scheme.lower() == "bearer" else None
    if token is None:
        return _refuse(401, "A token is needed that this hospital has issued and that has not expired.", **{"WWW-Authenticate": "Bearer"})
    action = {("GET", False): "search", ("GET", True): "read", ("POST", False): "create"}.get((request.method, identifier is not None),
                                                                                              "update")
    grant = allows(token.scopes, kind, action)
    if grant is None or (identifier is not None and not ID.fullmatch(identifier)):
        return _refuse(403, f"The token does not carry a scope to {action} {kind if kind.isalpha() else 'this'}.")
    if action in ("read", "search"):
        status, content = await _read(ward, kind, identifier, request.url.query, _patient(grant, token))
    else:
        status, content = await _write(ward, kind, identifier, request, _patient(grant, token))
    await ward.note({"create": "C", "update": "U"}.get(action, "R"), f"{action} {kind} by {token.client}", [], person=token.user,
                    failed=status >= 400)
    return _fhir(status, content)


def _patient(grant: Grant, token: Token) -> str | None:
    """Give the patient to whom a token is bound; an unknown one where it should be bound and is not."""
    return (token.patient or "nobody") if grant.context == "patient" else None


async def _read(ward: Ward, kind: str, identifier: str | None, query: str, bound: str | None) -> tuple[int, dict[str, Any]]:
    if identifier is not None:
        status, found = await ward.store.ask("GET", f"{kind}/{identifier}")
        return (403, operation_outcome(403, ["The token is for another patient."])) if status == 200 and not _is_of(found, bound) else (
            status, found)
    asked = parse_qs(query)
    if bound and kind not in _WITHOUT_PATIENT:
        name = "_id" if kind == "Patient" else "patient"
        named = [reference_id({"reference": value}) for one in ("_id" if kind == "Patient" else "", *PATIENT_PARAMETERS)
                 for value in asked.get(one, [])]
        if any(value != bound for value in named):
            return 403, operation_outcome(403, ["The token is for another patient."])
        asked = {one: values for one, values in asked.items() if one not in (*PATIENT_PARAMETERS, name)} | {name: [bound]}
    status, found = await ward.store.ask("GET", f"{kind}?{urlencode(asked, doseq=True)}")
    if status == 200 and bound:
        found = {**found, "entry": [entry for entry in items(found.get("entry")) if _is_of(table(entry.get("resource")), bound)]}
    return status, found


def _is_of(resource: dict[str, Any], bound: str | None) -> bool:
    return bound is None or resource.get("resourceType") in _WITHOUT_PATIENT or patient_of(resource) == bound


async def _write(ward: Ward, kind: str, identifier: str | None, request: Request, bound: str | None) -> tuple[int, dict[str, Any]]:
    content = await request.body()
    if len(content) > LARGEST_BODY:
        return 413, operation_outcome(413, ["The resource is too large."])
    try:
        body = await request.json()
    except ValueError:
        return 400, operation_outcome(400, ["The body is not JSON."])
    if not isinstance(body, dict) or body.get("resourceType") != kind or (identifier and body.get("id") != identifier):
        return 400, operation_outcome(400, ["Type or id of the resource is not that of the address."])
    if not _is_of(body, bound):
        return 403, operation_outcome(403, ["The token is for another patient."])
    return await ward.store.ask("PUT" if identifier else "POST", f"{kind}/{identifier}" if identifier else kind, body)
