"""The routes of the authorization server, and the launch of an app from the open chart."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, HTTPException, Request
from oauthlib.oauth2.rfc6749.errors import FatalClientError, OAuth2Error
from starlette.responses import RedirectResponse, Response

from clinical_workflow.hospital.forms import read_form
from clinical_workflow.hospital.ward import USER, Ward
from clinical_workflow.smart.assertions import public_keys
from clinical_workflow.smart.authorization import AuthorizationServer
from clinical_workflow.smart.tokens import Launch

LAUNCH_S = 300
LARGEST_FORM = 32 * 1024
NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


def oauth_routes(server: AuthorizationServer) -> APIRouter:
    """Build the routes below ``/auth`` and ``/launch``.

    Parameters
    ----------
    server : AuthorizationServer
        Does the protocol.

    Returns
    -------
    APIRouter
        Keys, authorization, tokens and launch.
    """
    router = APIRouter(tags=["SMART"])

    @router.get("/auth/jwks.json")
    async def _keys(request: Request) -> dict[str, Any]:
        return public_keys(request.app.state.ward.key)

    @router.get("/auth/authorize")
    async def _authorize_app(request: Request) -> Response:
        return _authorize(request, server)

    @router.post("/auth/token")
    async def _token(request: Request) -> Response:
        content = await request.body()
        if len(content) > LARGEST_FORM:
            raise HTTPException(413, "The form is too large.")
        headers, body, status = server.create_token_response(str(request.url), "POST", content.decode("utf-8", "replace"),
                                                             dict(request.headers))
        return Response(body, status, {**headers, **NO_STORE}, media_type="application/json")

    @router.post("/launch/{client}/{patient}")
    async def _launch_app(request: Request, client: str, patient: str) -> Response:
        await read_form(request)  # another site must not choose whose chart an app opens
        ward: Ward = request.app.state.ward
        if client not in ward.clients or not ward.clients[client].launch_url:
            raise HTTPException(404, "There is no such app.")
        await ward.read("Patient", patient)
        stays = await ward.search(f"Encounter?patient={patient}&status=in-progress")
        context = Launch(patient, USER, str(stays[0]["id"]) if stays else None, time.time() + LAUNCH_S)
        asked = urlencode({"iss": f"{ward.settings.base_url}/fhir", "launch": ward.shelf.put("launch", context)})
        await ward.note("E", f"launched {client}", [f"Patient/{patient}"])
        return RedirectResponse(f"{ward.clients[client].launch_url}?{asked}", 303)

    return router


def _authorize(request: Request, server: AuthorizationServer) -> Response:
    """Check what an app asks for, and send the browser back with a code; the user is at work in this session and has opened the app."""
    ward: Ward = request.app.state.ward
    query = request.query_params
    if not request.session.get("user"):
        raise HTTPException(401, "Nobody is at work in this browser; open the hospital first.")
    if query.get("aud", "").rstrip("/") != f"{ward.settings.base_url}/fhir":
        raise HTTPException(400, "aud must be the address of this hospital's FHIR server.")
    if query.get("code_challenge_method") != "S256":
        raise HTTPException(400, "code_challenge_method must be S256.")
    launch: Launch | None = ward.shelf.get("launch", query.get("launch", ""), remove=True)
    if launch is None:
        raise HTTPException(400, "The launch is not known or has run out; open the app from the chart again.")
    try:
        scopes, credentials = server.validate_authorization_request(str(request.url), "GET", None, dict(request.headers))
        headers, _, status = server.create_authorization_response(str(request.url), "GET", None, dict(request.headers), scopes=scopes,
                                                                  credentials={**credentials, "launch_context": launch})
    except FatalClientError as error:
        raise HTTPException(400, f"The app may not ask this: {error.error}.") from None
    except OAuth2Error as error:
        return RedirectResponse(error.in_uri(error.redirect_uri or ward.settings.app_url), 302)
    return RedirectResponse(headers["Location"], status, NO_STORE)
