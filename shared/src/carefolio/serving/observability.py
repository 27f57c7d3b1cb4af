"""The outermost layer: request id, security headers, Prometheus metrics, audit records, and the answer when a route fails unexpectedly.

Metrics and audit records name a route by its template (``/patients/{patient_id}``), so that neither grows with the number of paths nor
holds an identifier. An incoming ``X-Request-ID`` is taken over only if it is a UUID or 32 hexadecimal digits, because another
text could be a record number.
"""

import logging
import re
import time
import traceback
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carefolio.serving.audit import AuditLog
from carefolio.serving.docs import DOCS_PATH, DOCS_POLICY
from carefolio.serving.errors import problem_response
from carefolio.serving.headers import add_security_headers

logger = logging.getLogger("carefolio.serving")

CLIENT_GONE = 499
_REQUEST_ID = re.compile("[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True)
class Metrics:
    """The Prometheus registry of one app and what this layer counts; an app may add its own to ``registry``."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    audit_records: Counter


def build_metrics() -> Metrics:
    """Make the metrics of one app.

    Returns
    -------
    Metrics
        With a registry of its own, so that two apps in one process do not clash.
    """
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    requests = Counter("carefolio_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry)
    seconds = Histogram("carefolio_http_request_duration_seconds", "Time until the response began.", ["method", "route"],
                        buckets=_BUCKETS_S, registry=registry)
    audit = Counter("carefolio_audit_records", "Audit records written by this process.", registry=registry)
    return Metrics(registry=registry, requests=requests, seconds=seconds, audit_records=audit)


@dataclass
class _Exchange:
    scope: Scope
    request_id: str
    start: float = field(default_factory=time.perf_counter)
    status: int | None = None


class ObservabilityMiddleware:
    """Number, time, count and record every request, and answer for what fails.

    Parameters
    ----------
    app : ASGIApp
        What comes next.
    metrics : Metrics
        As ``build_metrics`` makes them.
    audit : AuditLog, optional
        Where records go.
    known_paths : collection of str
        Paths without parameters, by which a request is named that was refused before routing.
    unaudited_paths : collection of str
        Probes, which would drown the rest.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, audit: AuditLog | None, known_paths: Collection[str],
                 unaudited_paths: Collection[str]) -> None:
        self.app = app
        self.metrics = metrics
        self.audit = audit
        self.known_paths = known_paths
        self.unaudited_paths = unaudited_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; refuse WebSockets, which the other layers do not guard.

        Parameters
        ----------
        scope, receive, send : ASGI
            As the ASGI specification has them.
        """
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008, "reason": "no WebSockets here"})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, request_id(Headers(scope=scope).get("x-request-id", "")))
        scope.setdefault("state", {})["request_id"] = exchange.request_id

        async def send_observed(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._record(exchange, message["status"])
                self._add_headers(exchange, message)
            await send(message)

        try:
            await self.app(scope, receive, send_observed)
        except Exception as error:  # the last layer: whatever a route raises ends here, logged, as a 500
            _log_unexpected(error, exchange.request_id)
            if exchange.status is not None:
                raise
            await self._answer_500(exchange, receive, send)
        if exchange.status is None:
            self._record(exchange, CLIENT_GONE)

    async def _answer_500(self, exchange: _Exchange, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add_headers(exchange, message)
            await send(message)

        try:
            self._record(exchange, 500)
        except OSError as error:
            _log_unexpected(error, exchange.request_id)
        response = problem_response(exchange.scope, 500, "The server failed; its log has the reason under this request id.")
        exchange.status = 500
        await response(exchange.scope, receive, send_with_headers)

    def _record(self, exchange: _Exchange, status: int) -> None:
        scope = exchange.scope
        duration_s = time.perf_counter() - exchange.start
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        route = route_template(scope, self.known_paths)
        if self.audit is not None and scope["path"] not in self.unaudited_paths:
            subject = scope["state"].get("subject")
            self.audit.append({"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "request_id": exchange.request_id,
                               "method": method, "route": route, "status": status, "duration_ms": round(duration_s * 1000, 3),
                               "subject": None if subject is None else self.audit.hash_subject(subject)})
            self.metrics.audit_records.inc()
        self.metrics.requests.labels(method, route, str(status)).inc()
        self.metrics.seconds.labels(method, route).observe(duration_s)
        exchange.status = status

    def _add_headers(self, exchange: _Exchange, message: Message) -> None:
        headers = MutableHeaders(scope=message)
        headers["X-Request-ID"] = exchange.request_id
        if exchange.scope["path"] == DOCS_PATH:
            headers["Content-Security-Policy"] = DOCS_POLICY
        add_security_headers(message, scheme=exchange.scope.get("scheme", ""))


def request_id(offered: str) -> str:
    """Take over a request id that cannot hold anything but an id, or make one.

    Parameters
    ----------
    offered : str
        What the client sent; may be empty.

    Returns
    -------
    str
        ``offered`` if it is a UUID or 32 hexadecimal digits, else a new UUID.
    """
    return offered if _REQUEST_ID.fullmatch(offered) else str(uuid.uuid4())


def route_template(scope: Scope, known_paths: Collection[str]) -> str:
    """Name a request by its route.

    Parameters
    ----------
    scope : Scope
        ASGI scope, after routing or before it.
    known_paths : collection of str
        Paths without parameters.

    Returns
    -------
    str
        The template, or ``unmatched``; never a path that the client made up.
    """
    route: Any = scope.get("fastapi", {}).get("effective_route_context") or scope.get("route")
    template = getattr(route, "path_format", None) or getattr(route, "path", None)
    if template is None and scope["path"] in known_paths:
        template = scope["path"]
    return template or "unmatched"


def _log_unexpected(error: Exception, identifier: str) -> None:
    # The message of an exception may quote a patient's values, so only its type and the code lines go to the log by default.
    frames = "".join(traceback.format_tb(error.__traceback__))
    logger.error("request %s: unexpected %s; its message is logged at level DEBUG\n%s", identifier, type(error).__name__, frames)
    logger.debug("request %s: %s", identifier, error)
