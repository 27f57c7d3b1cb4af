"""Summaries, leaflets and de-identification as an API.

The routes run in threads: taking out identifiers and asking a model both take long. Providers are opened when the server starts and
closed when it stops, so a local model's process lives as long as the server.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.responses import Response

from carefolio.command import DISCLAIMER
from carefolio.config import load_config, project_home
from carefolio.exceptions import ArtefactError, CarefolioError, ConfigError, ProviderError, UnsuitableTextError
from carefolio.privacy.firewall import firewall
from carefolio.serving import ServingSettings
from carefolio.serving import create_app as create_guarded_app
from carefolio.serving.errors import problem_response
from notes_summarizer.config import FOLDER, PROJECT, NotesSettings
from notes_summarizer.events import end_with_error, write_event
from notes_summarizer.leaflet.index import LeafletIndex
from notes_summarizer.leaflet.write import write_leaflet
from notes_summarizer.providers.open import Providers, open_providers
from notes_summarizer.schemas import (
    EXAMPLES,
    NOTE,
    DeidentifiedText,
    LeafletResponse,
    NoteRequest,
    QuestionRequest,
    SummaryResponse,
    TextRequest,
    describe_entities,
    describe_summary,
)
from notes_summarizer.summary.check_text import check_text
from notes_summarizer.summary.summarize import Event, stream_summary, summarize
from notes_summarizer.train import open_index

DISTRIBUTION = "carefolio-notes-summarizer"
BODY_LIMIT_BYTES = 512 * 1024
STATUSES: dict[type[CarefolioError], int] = {UnsuitableTextError: 422, ConfigError: 422, ProviderError: 503}
EVENTS = "text/event-stream"
DESCRIPTION = ("Checked summaries of clinical notes, leaflets for patients that cite their sources, and de-identification. Identifiers are "
               "taken out before a text is given to a language model. " + DISCLAIMER)


@dataclass(frozen=True)
class Desk:
    """What the routes work with; it is there while the app serves."""

    settings: NotesSettings
    providers: Providers
    index: LeafletIndex | None

    def choose(self, name: str | None) -> Providers:
        """Give the providers of a request.

        Parameters
        ----------
        name : str, optional
            The one that was asked for.

        Returns
        -------
        Providers
            That one alone, or all in order.
        """
        return self.providers if name is None else self.providers.only(name)


def create_app() -> FastAPI:
    """Build the API.

    Returns
    -------
    FastAPI
        Settings come from the environment (see `carefolio.serving.settings`); ``NOTES_PROVIDERS`` names the providers, and
        ``CAREFOLIO_ARTEFACTS`` the folder of a run whose index of passages is used.

    Raises
    ------
    ConfigError
        If the settings do not fit.
    """
    serving = ServingSettings.from_environment({"CAREFOLIO_BODY_LIMIT_BYTES": str(BODY_LIMIT_BYTES), **os.environ})
    settings = load_config(NotesSettings, PROJECT)

    card = project_home(FOLDER) / "reports" / "model_card.md"
    app = create_guarded_app(title="Notes and leaflets", version=version(DISTRIBUTION), description=DESCRIPTION, routers=[_build_router()],
                             ready=_check_firewall, settings=serving, model_card=card if card.is_file() else None, examples=EXAMPLES,
                             resources=partial(_open_desk, settings=settings))
    app.add_exception_handler(CarefolioError, _on_error)
    return app


@asynccontextmanager
async def _open_desk(app: FastAPI, *, settings: NotesSettings) -> AsyncIterator[None]:
    firewall(NOTE)  # loads the language model, so that the first request does not wait
    with open_providers(settings.providers) as providers:
        app.state.desk = Desk(settings, providers, open_index())
        yield


def _check_firewall() -> None:
    deidentified = firewall("Seen by Dr. Ines Falkner.")
    if "Falkner" in deidentified.text:
        raise ArtefactError("the firewall no longer finds a name; start the server again.")


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, CarefolioError)
    status = next((status for kind, status in STATUSES.items() if isinstance(error, kind)), 500)
    detail = str(error) if status < 500 or isinstance(error, ProviderError) else "The request could not be answered; see the server's log."
    return problem_response(request.scope, status, detail, headers={"Retry-After": "30"} if status == 503 else None)


def _events(result: Iterator[Event]) -> Iterator[bytes]:
    for event in result:
        if event.result is not None:
            yield write_event("summary", describe_summary(event.result).model_dump(mode="json"))
        else:
            yield write_event(event.kind, {"text": event.text})


def _build_router() -> APIRouter:
    router = APIRouter(tags=["notes"])
    content: dict[int | str, dict[str, Any]] = {200: {"content": {EVENTS: {"schema": {"type": "string"}}}}}

    @router.post("/summarize", summary="A checked summary of a note; events as it is made where Accept is text/event-stream",
                 response_model=SummaryResponse, responses=content)
    def post_summarize(body: NoteRequest, request: Request) -> Response:
        desk: Desk = request.app.state.desk
        providers, settings = desk.choose(body.provider), desk.settings.summary
        if EVENTS in request.headers.get("accept", ""):
            check_text(body.note, settings)  # once events are sent, there is no status left to refuse with
            events = end_with_error(_events(stream_summary(body.note, providers, settings)))
            return StreamingResponse(events, media_type=EVENTS, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        return JSONResponse(describe_summary(summarize(body.note, providers, settings)).model_dump(mode="json"))

    @router.post("/leaflet", summary="A leaflet in plain words that cites its passages, or a refusal with its reason")
    def post_leaflet(body: QuestionRequest, request: Request) -> LeafletResponse:
        desk: Desk = request.app.state.desk
        if desk.index is None:
            raise HTTPException(503, "There is no index of passages yet; run `notes run --quick` or `notes train`, then start the server.")
        providers = desk.choose(body.provider) if body.provider else None
        return LeafletResponse(leaflet=write_leaflet(body.question, desk.index, desk.settings.leaflet, providers=providers))

    @router.post("/deidentify", summary="A text without its identifiers")
    def post_deidentify(body: TextRequest, request: Request) -> DeidentifiedText:
        desk: Desk = request.app.state.desk
        check_text(body.text, desk.settings.summary)
        found = firewall(body.text)
        return DeidentifiedText(text=found.text, identifiers=describe_entities(found.entities))

    return router
