"""Put an API together: a chapter gives its routes, its model card and a readiness check, and gets a guarded app."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse
from prometheus_client import generate_latest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from carefolio.exceptions import ArtefactError, CarefolioError
from carefolio.serving.audit import AuditLog
from carefolio.serving.auth import GuardMiddleware, build_authenticate
from carefolio.serving.docs import add_docs
from carefolio.serving.errors import install_handlers, problem_response
from carefolio.serving.limits import BodyLimitMiddleware, RateLimiter
from carefolio.serving.observability import Metrics, ObservabilityMiddleware, build_metrics
from carefolio.serving.openapi import build_openapi
from carefolio.serving.settings import ServingSettings

PROBE_PATHS = frozenset({"/health/live", "/health/ready", "/metrics"})
SYNC_EVERY_S = 1.0
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Resources = Callable[[FastAPI], AbstractAsyncContextManager[None]]

logger = logging.getLogger("carefolio.serving")


def create_app(*, title: str, version: str, description: str, routers: Sequence[APIRouter], ready: Callable[[], None],
               settings: ServingSettings, model_card: Path | Callable[[], str] | None = None,
               examples: Mapping[str, Mapping[str, Any]] | None = None, open_paths: Collection[str] = (),
               resources: Resources | None = None) -> FastAPI:
    """Build an API around a chapter's routes.

    Parameters
    ----------
    title, version, description : str
        For the OpenAPI document.
    routers : sequence of APIRouter
        The chapter's routes. Write those that compute as ``def``: they run in threads, off the event loop.
    ready : callable
        Raises a ``CarefolioError`` while the model cannot answer; called by ``/health/ready`` in a thread, so keep it short.
    settings : ServingSettings
        Usually ``ServingSettings.from_environment()``.
    model_card : Path or callable, optional
        Markdown file behind ``/model-card``, or what gives its text at each request, where the model can change; without one, or where it
        gives none, that address answers 404.
    examples : mapping, optional
        ``{path: {name: body}}`` for the OpenAPI document.
    open_paths : collection of str, optional
        Further paths that need no key, such as a discovery document.
    resources : callable, optional
        Gives a context in which the app serves, for what has to be opened before the first request and closed after the last.

    Returns
    -------
    FastAPI
        The app; ``app.state.metrics.registry`` takes further Prometheus metrics.

    Raises
    ------
    ArtefactError
        If the model card cannot be read.
    ConfigError
        If the settings or an example do not fit.
    """
    metrics = build_metrics()
    audit = None if settings.audit_log is None else AuditLog(
        settings.audit_log, key=settings.audit_key.get_secret_value() if settings.audit_key else None)
    app = FastAPI(title=title, version=version, description=description, redoc_url=None, redirect_slashes=False,
                  docs_url=None, lifespan=_build_lifespan(settings, audit, resources))
    app.state.metrics = metrics
    app.include_router(_build_own_routes(title=title, version=version, ready=ready, model_card=model_card, metrics=metrics))
    for router in routers:
        app.include_router(router)
    if settings.auth == "off":
        add_docs(app)
    install_handlers(app)
    free = PROBE_PATHS | frozenset(open_paths)
    document = build_openapi(app, settings=settings, open_paths=free, examples=examples or {})
    app.openapi = lambda: document  # type: ignore[method-assign]
    app.add_middleware(BodyLimitMiddleware, limit_bytes=settings.body_limit_bytes, timeout_s=settings.body_timeout_s)
    app.add_middleware(GuardMiddleware, authenticate=build_authenticate(settings), unlimited_paths=PROBE_PATHS,
                       open_paths=free if settings.auth == "on" else PROBE_PATHS,
                       limiter=RateLimiter(per_minute=settings.requests_per_minute, clients=settings.rate_clients))
    known = frozenset(path for path in document["paths"] if "{" not in path)
    app.add_middleware(ObservabilityMiddleware, metrics=metrics, audit=audit, known_paths=known, unaudited_paths=PROBE_PATHS)
    return app


def _build_lifespan(settings: ServingSettings, audit: AuditLog | None,
                    resources: Resources | None) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = settings.worker_threads
        async with _audited(audit), resources(app) if resources else nullcontext():
            yield

    return lifespan


@asynccontextmanager
async def _audited(audit: AuditLog | None) -> AsyncIterator[None]:
    if audit is None:
        logger.warning("no audit log is written; set CAREFOLIO_AUDIT_LOG to keep one")
        yield
        return
    audit.open()
    syncing = asyncio.create_task(_sync_regularly(audit))
    yield
    syncing.cancel()
    with suppress(asyncio.CancelledError):
        await syncing
    audit.close()


async def _sync_regularly(audit: AuditLog) -> None:
    while True:
        await asyncio.sleep(SYNC_EVERY_S)
        await asyncio.to_thread(audit.sync)


def _build_own_routes(*, title: str, version: str, ready: Callable[[], None], model_card: Path | Callable[[], str] | None,
                      metrics: Metrics) -> APIRouter:
    router = APIRouter()
    probing = anyio.CapacityLimiter(1)
    current = model_card if callable(model_card) else partial(str, "" if model_card is None else _read_card(model_card))

    @router.get("/health/live", tags=["health"], summary="The process runs")
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @router.get("/health/ready", tags=["health"], summary="The model can answer", responses={503: {"description": "Not ready."}})
    async def readiness(request: Request) -> Response:
        # A thread of its own: a pool that is busy with predictions must not make a healthy server look down.
        try:
            await anyio.to_thread.run_sync(ready, limiter=probing)
        except CarefolioError as error:
            logger.warning("not ready: %s", error)
            return problem_response(request.scope, 503, "Not ready to answer; the server's log has the reason.")
        return JSONResponse({"status": "ready"})

    @router.get("/metrics", tags=["health"], summary="Prometheus metrics", response_class=PlainTextResponse)
    async def prometheus() -> Response:
        return Response(generate_latest(metrics.registry), headers={"Content-Type": METRICS_TYPE})

    @router.get("/model-card", tags=["model"], summary="What the model is for, and how well it does", response_class=Response,
                responses={200: _CARD_CONTENT, 404: {"description": "This API has no model card."}})
    async def read_card(request: Request) -> Response:
        card = current()
        if not card:
            return problem_response(request.scope, 404, "This API has no model card.")
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse({"title": title, "version": version, "markdown": card})
        return Response(card, media_type="text/markdown")

    return router


_CARD_CONTENT: dict[str, Any] = {"description": "Markdown, or JSON where Accept names it.", "content": {
    "text/markdown": {"schema": {"type": "string"}},
    "application/json": {"schema": {"type": "object", "required": ["title", "version", "markdown"], "properties": {
        "title": {"type": "string"}, "version": {"type": "string"}, "markdown": {"type": "string"}}}}}}


def _read_card(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ArtefactError(f"model card {path} cannot be read: {type(error).__name__}. Run `report` to write it.") from None
