"""The decision support service: CDS Hooks 2.0 for clients with a signed token, and the switch for who has the key of this service.

Hooks are answered on the event loop: what takes time is waiting for the chart and for the models. Whatever a service finds is kept in the
ledger; a client sees it only where the switch says ``show``.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from carefolio.command import DISCLAIMER
from carefolio.config import load_config, project_home
from carefolio.exceptions import SchemaError
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from carefolio.serving.errors import problem_response
from carefolio.serving.headers import SecurityHeadersMiddleware
from clinical_workflow.cds.answer import Found, Question, Service
from clinical_workflow.cds.clients import KeyShelf, allowed_servers, check_client
from clinical_workflow.cds.ledger import Call, KeptCard, KeptFeedback, Ledger
from clinical_workflow.cds.monitor import gate, monitor
from clinical_workflow.cds.outcome import OutcomeMiddleware
from clinical_workflow.cds.prefetch import Reader, read_chart
from clinical_workflow.cds.schemas import Feedback, HookRequest, HookResponse
from clinical_workflow.cds.services import SERVICES, discovery, one_interruption
from clinical_workflow.cds.switch import ALL, Mode, mode_of, read_modes, set_mode
from clinical_workflow.config import CONFIG_VARIABLE, FOLDER, PROJECT, STATE_VARIABLE, ClientSettings, WorkflowSettings
from clinical_workflow.models.apis import Models, ModelUnavailableError

DISTRIBUTION = "carefolio-clinical-workflow"
BODY_LIMIT_BYTES = 8 * 1024 * 1024
REQUESTS_PER_MINUTE = 60_000
DESCRIPTION = "Decision support by CDS Hooks 2.0: readmission risk, retinopathy screening, note summary, metformin. " + DISCLAIMER
CDS_PATH = "/cds-services"


@dataclass(frozen=True)
class Desk:
    """What the routes work with while the app serves."""

    settings: WorkflowSettings
    state: Path
    ledger: Ledger
    shelf: KeyShelf
    models: Models
    outside: httpx.AsyncClient
    ask_token: bool


class SwitchRequest(BaseModel):
    """How a service, or all of them, shall stand."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    service: str = ALL
    mode: Mode
    why: str = Field(min_length=3, max_length=200)


def state_folder() -> Path:
    """Find the folder of ledger and switch.

    Returns
    -------
    Path
        ``$CLINICAL_WORKFLOW_STATE``, or ``outputs/clinical_workflow/service`` of the repository.
    """
    chosen = os.environ.get(STATE_VARIABLE)
    return Path(chosen) if chosen else project_home(FOLDER).parents[1] / "outputs" / PROJECT / "service"


def read_settings() -> WorkflowSettings:
    """Read the settings of a server.

    Returns
    -------
    WorkflowSettings
        The file of ``$CLINICAL_WORKFLOW_CONFIG`` over the defaults.
    """
    chosen = os.environ.get(CONFIG_VARIABLE)
    return load_config(WorkflowSettings, PROJECT, file=Path(chosen) if chosen else None)


def create_app() -> FastAPI:
    """Build the service.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `carefolio.serving.settings`, `state_folder` and `read_settings`). With authentication off,
        which only loopback allows, hooks need no token.

    Raises
    ------
    ConfigError
        If the settings do not fit.
    """
    serving = ServingSettings.from_environment({"CAREFOLIO_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES),
                                                "CAREFOLIO_REQUESTS_PER_MINUTE": str(REQUESTS_PER_MINUTE), **os.environ})
    settings = read_settings()
    card = project_home(FOLDER) / "reports" / "model_card.md"
    paths = [CDS_PATH, *(f"{CDS_PATH}/{name}{end}" for name in SERVICES for end in ("", "/feedback"))]
    app = create_guarded_app(title="Decision support", version=version(DISTRIBUTION), description=DESCRIPTION, ready=lambda: None,
                             routers=[_hooks(), _administration()], settings=serving, model_card=card if card.is_file() else None,
                             open_paths=paths, resources=partial(_open_desk, settings=settings, ask_token=serving.auth == "on"))
    app.add_exception_handler(SchemaError, _on_schema_error)
    app.add_exception_handler(ModelUnavailableError, _on_unavailable)
    app.add_middleware(OutcomeMiddleware, prefixes=[CDS_PATH])
    app.add_middleware(CORSMiddleware, allow_origins=list(settings.cds.allowed_origins), allow_methods=["GET", "POST"],
                       allow_headers=["Authorization", "Content-Type"], expose_headers=["X-Request-ID"], max_age=600)
    app.add_middleware(SecurityHeadersMiddleware)  # a preflight is answered before the guarded app sees it
    return app


@asynccontextmanager
async def _open_desk(app: FastAPI, *, settings: WorkflowSettings, ask_token: bool) -> AsyncIterator[None]:
    folder = state_folder()
    ledger = Ledger(folder)
    limits = httpx.Limits(max_connections=100, max_keepalive_connections=50)
    async with httpx.AsyncClient(trust_env=False, limits=limits) as models, httpx.AsyncClient(trust_env=False, limits=limits) as outside:
        app.state.desk = Desk(settings, folder, ledger, KeyShelf(settings.cds.keys_kept_s, outside), Models(settings.models, models),
                              outside, ask_token)
        yield
    ledger.close()


async def _on_unavailable(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, 503, "A model's service did not answer; no card was made. Try again later.",
                            headers={"Retry-After": "5"})


async def _on_schema_error(request: Request, error: Exception) -> Response:
    return problem_response(request.scope, 422, "What was sent cannot be read as FHIR R4.")


def _find(service: str) -> Service:
    if service not in SERVICES:
        raise HTTPException(404, f"There is no such service; GET {CDS_PATH} lists them.")
    return SERVICES[service]


async def _admit(request: Request) -> ClientSettings | None:
    """Let a client in by its token, before anything of the body is judged; None where none is asked for."""
    desk: Desk = request.app.state.desk
    if not desk.ask_token:
        return None
    audience = desk.settings.cds.base_url.rstrip("/") + request.url.path
    return await check_client(request.headers.get("authorization"), audience=audience, settings=desk.settings.cds, shelf=desk.shelf,
                              take_once=desk.ledger.take_once)


Admitted = Annotated[ClientSettings | None, Depends(_admit)]


def _hooks() -> APIRouter:
    router = APIRouter(tags=["CDS Hooks"])
    faults: dict[int | str, dict[str, Any]] = {401: {"description": "Token not accepted"}, 404: {"description": "No such service"},
                                               412: {"description": "Chart incomplete"}, 503: {"description": "A model does not answer"}}

    @router.get(CDS_PATH, summary="Which services there are")
    async def get_services() -> dict[str, Any]:
        return discovery()

    @router.post(CDS_PATH + "/{service}", summary="Ask a service", response_model=HookResponse, responses=faults)
    async def call(service: str, request: Request, body: HookRequest, client: Admitted) -> Response:
        return await _answer_call(_find(service), body, request.app.state.desk, client)

    @router.post(CDS_PATH + "/{service}/feedback", summary="Say what became of cards", responses=faults)
    async def feedback(service: str, request: Request, body: Feedback, client: Admitted) -> dict[str, int]:
        desk: Desk = request.app.state.desk
        kept = [KeptFeedback(str(one.card), one.outcome, one.override_reason.reason.code[:64]
                             if one.override_reason and one.override_reason.reason
                             else None, bool(one.override_reason and one.override_reason.user_comment),
                             tuple(str(taken.id) for taken in one.accepted_suggestions)) for one in body.feedback]
        if desk.ledger.answer(_find(service).id, kept):
            raise HTTPException(404, "A card or suggestion is named that this service has not shown; nothing was kept.")
        return {"kept": len(kept)}

    return router


async def _answer_call(service: Service, body: HookRequest, desk: Desk, client: ClientSettings | None) -> Response:
    """Answer a call, keep what was found, and show it only where the switch says so."""
    if body.hook != service.hook:
        raise HTTPException(400, f"This service answers the hook {service.hook}.")
    mode, begun = mode_of(service.id, read_modes(desk.state)), time.perf_counter()
    if mode == "off":
        desk.ledger.record(Call(service.id, mode, 200, 0.0, "switched off"), ())
        return JSONResponse({"cards": []})
    status, found = 500, Found(note="fault")
    try:
        found = await _find_out(service, body, desk, client)
        status = 200
    except HTTPException as error:
        status, found = error.status_code, Found(note="refused")
        raise
    except ModelUnavailableError:
        status, found = 503, Found(note="model not available")
        raise
    finally:
        shown = mode_of(service.id, read_modes(desk.state))  # the switch may have been moved meanwhile
        kept = [KeptCard(card.uuid, topic, card.indicator, tuple(one.uuid for one in card.suggestions)) for topic, card in found.cards]
        desk.ledger.record(Call(service.id, shown, status, 1000 * (time.perf_counter() - begun), found.note, found.risk, found.assumed,
                                found.model), kept)
    cards = one_interruption([card for _, card in found.cards]) if shown == "show" else []
    return JSONResponse(HookResponse(cards=cards).model_dump(mode="json", by_alias=True, exclude_none=True))


async def _find_out(service: Service, body: HookRequest, desk: Desk, client: ClientSettings | None) -> Found:
    cds = desk.settings.cds
    reader = Reader(desk.outside, frozenset(allowed_servers(client, cds.clients)), cds.fhir_timeout_s, cds.most_read)
    chart = await read_chart(body, service.prefetch, reader)
    return await service.answer(Question(body, chart, desk.models, cds, datetime.now(UTC)))


def _administration() -> APIRouter:
    router = APIRouter(tags=["administration"], prefix="/admin")

    @router.get("/switch", summary="How the services stand")
    def get_switch(request: Request) -> dict[str, Mode]:
        desk: Desk = request.app.state.desk
        modes = read_modes(desk.state)
        return {name: mode_of(name, modes) for name in SERVICES}

    @router.put("/switch", summary="Turn a service off, to shadow, or to show", responses={409: {"description": "The gate says no"}})
    def put_switch(request: Request, body: SwitchRequest) -> dict[str, Mode]:
        desk: Desk = request.app.state.desk
        return move_switch(desk.ledger, desk.state, body, desk.settings)

    @router.get("/monitor", summary="Calls, times, cards and what became of them")
    def get_monitor(request: Request) -> dict[str, Any]:
        desk: Desk = request.app.state.desk
        return {"services": [vars(monitor(desk.ledger, name)) for name in SERVICES],
                "gate": {name: gate(desk.ledger, name, desk.settings.gate) for name in SERVICES}}

    return router


def move_switch(ledger: Ledger, state: Path, body: SwitchRequest, settings: WorkflowSettings) -> dict[str, Mode]:
    """Move the switch; cards may be shown only where the gate says so.

    Parameters
    ----------
    ledger : Ledger
        The shadow log; keeps the change too.
    state : Path
        Folder of the switch.
    body : SwitchRequest
        What is wanted.
    settings : WorkflowSettings
        What the gate asks for.

    Returns
    -------
    dict of str to Mode
        How every service stands now.

    Raises
    ------
    HTTPException
        404 for an unknown service, 409 where the gate says no.
    """
    if body.service not in (*SERVICES, ALL):
        raise HTTPException(404, f"There is no such service; GET {CDS_PATH} lists them.")
    wanted = SERVICES if body.service == ALL else (body.service,)
    against = {name: found for name in wanted if body.mode == "show" and (found := gate(ledger, name, settings.gate))}
    if against:
        raise HTTPException(409, "The gate says no: " + " | ".join(f"{name}: {'; '.join(found)}" for name, found in against.items()))
    set_mode(state, body.service, body.mode)
    ledger.note_switch(body.service, body.mode, body.why)
    modes = read_modes(state)
    return {name: mode_of(name, modes) for name in SERVICES}
