"""The mock hospital as one app: record pages, FHIR server with tokens, authorization server. It is a demonstration for one machine."""

from __future__ import annotations

import os
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
from fastapi import FastAPI, HTTPException, Request
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import JSONResponse, Response

from carefolio.command import DISCLAIMER
from carefolio.exceptions import ConfigError
from carefolio.serving.headers import SecurityHeadersMiddleware
from carefolio.serving.limits import BodyLimitMiddleware
from carefolio.serving.settings import is_loopback
from clinical_workflow.api import read_settings
from clinical_workflow.cds.outcome import operation_outcome
from clinical_workflow.config import WorkflowSettings
from clinical_workflow.data import load_bundles, parsed
from clinical_workflow.hospital.charts import load_charts
from clinical_workflow.hospital.gate import fhir_routes
from clinical_workflow.hospital.oauth import oauth_routes
from clinical_workflow.hospital.pages import page_routes
from clinical_workflow.hospital.store import FhirStore, MemoryStore, NodeStore
from clinical_workflow.hospital.ward import USER, USER_NAME, Ward, register
from clinical_workflow.made_up import make_patients
from clinical_workflow.smart.assertions import new_key
from clinical_workflow.smart.authorization import build_server
from clinical_workflow.smart.tokens import TokenShelf

SERVER_VARIABLE = "CLINICAL_WORKFLOW_FHIR_SERVER"
BACKEND_VARIABLE = "CLINICAL_WORKFLOW_BACKEND_KEYS"
"""Variables that name a FHIR server to keep the charts in, and a file with the screening service's public keys."""
BODY_LIMIT_BYTES = 4 * 1024 * 1024
CLINICIAN = {"resourceType": "Practitioner", "id": USER.partition("/")[2], "active": True,
             "name": [{"text": USER_NAME, "family": "Muster", "given": ["Eva"], "prefix": ["Dr."]}]}


def create_app() -> FastAPI:
    """Build the hospital.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `clinical_workflow.api.read_settings`, `SERVER_VARIABLE` and `BACKEND_VARIABLE`).

    Raises
    ------
    ConfigError
        If it would stand at an address that others can reach: it has one user, and no password.
    """
    settings = read_settings()
    host = urlsplit(settings.hospital.base_url).hostname or ""
    if not is_loopback(host):
        raise ConfigError(f"hospital.base_url is {settings.hospital.base_url!r}; the mock hospital stands on loopback only.")
    os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"  # plain HTTP, on loopback only
    shelf = TokenShelf()
    clients = register(settings.hospital, [settings.hospital.app_url], _backend_keys())
    server = build_server(clients, shelf, token_url=f"{settings.hospital.base_url}/auth/token", code_s=settings.hospital.code_s,
                          lifetime_s=settings.hospital.access_token_s)

    @asynccontextmanager
    async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(trust_env=False) as outside:
            app.state.ward = Ward(settings.hospital, _store(outside), shelf, clients, new_key("hospital-1"), outside)
            app.state.loaded = await _open(app.state.ward, settings)
            yield

    app = FastAPI(title="Mock hospital", description=DISCLAIMER, docs_url=None, redoc_url=None, lifespan=_lifespan)
    for router in (fhir_routes(), oauth_routes(server), page_routes()):
        app.include_router(router)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_middleware(BodyLimitMiddleware, limit_bytes=BODY_LIMIT_BYTES, timeout_s=30.0)
    app.add_middleware(SessionMiddleware, secret_key=secrets.token_urlsafe(32), same_site="lax", max_age=12 * 3600, session_cookie="ward")
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[host, "localhost", "127.0.0.1"], www_redirect=False)
    app.add_middleware(SecurityHeadersMiddleware)
    return app


def _store(client: httpx.AsyncClient) -> FhirStore:
    address = os.environ.get(SERVER_VARIABLE)
    return NodeStore(address, client) if address else MemoryStore()


def _backend_keys() -> Mapping[str, Any] | None:
    from pathlib import Path

    named = os.environ.get(BACKEND_VARIABLE)
    if not named:
        return None
    try:
        keys: Mapping[str, Any] = orjson.loads(Path(named).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"{BACKEND_VARIABLE}: {named} is not a key set ({type(error).__name__}); give a JSON Web Key Set.") from None
    return keys


async def _open(ward: Ward, settings: WorkflowSettings) -> int:
    """Fill the store: the clinician, made-up inpatients with diabetes, and the published charts where they are at hand."""
    now = datetime.now(UTC)
    await ward.write(CLINICIAN)
    loaded = await load_charts(ward.store, make_patients(settings.data.made_up_patients, seed=settings.seed, now=now))
    published = load_bundles(limit=settings.data.bundles, allow_made_up=True, made_up=0, now=now)
    return loaded + await load_charts(ward.store, parsed(published))


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if request.url.path.startswith(("/fhir", "/auth")):
        return JSONResponse(operation_outcome(error.status_code, [str(error.detail)]), error.status_code, headers=error.headers)
    from clinical_workflow.hospital.pages import problem_page

    return problem_page(request, error.status_code, str(error.detail))
