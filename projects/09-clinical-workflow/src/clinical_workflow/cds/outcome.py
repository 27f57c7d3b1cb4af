"""Errors of the hooks as OperationOutcome of FHIR R4, whichever layer raised them: what is wrong, never a value that was sent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carefolio.serving.errors import PROBLEM_MEDIA_TYPE

MEDIA_TYPE = "application/fhir+json"
CODES = {400: "structure", 401: "login", 403: "forbidden", 404: "not-found", 405: "not-supported", 408: "timeout", 409: "conflict",
         412: "required", 413: "too-long", 415: "not-supported", 422: "invalid", 429: "throttled", 503: "transient"}
"""Issue type of a status; any other is an ``exception``."""


def operation_outcome(status: int, texts: Sequence[str]) -> dict[str, Any]:
    """Describe an error.

    Parameters
    ----------
    status : int
        HTTP status.
    texts : sequence of str
        What is wrong and what to do; one issue each.

    Returns
    -------
    dict
        An OperationOutcome.
    """
    return {"resourceType": "OperationOutcome", "issue": [
        {"severity": "error", "code": CODES.get(status, "exception"), "diagnostics": text} for text in texts]}


class OutcomeMiddleware:
    """Turn the problem documents of some paths into OperationOutcomes.

    Parameters
    ----------
    app : ASGIApp
        What comes next.
    prefixes : sequence of str
        Beginnings of the paths that speak FHIR.
    """

    def __init__(self, app: ASGIApp, *, prefixes: Sequence[str]) -> None:
        self.app = app
        self.prefixes = tuple(prefixes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Parameters
        ----------
        scope, receive, send : ASGI
            As the ASGI specification has them.
        """
        if scope["type"] != "http" or not scope["path"].startswith(self.prefixes):
            await self.app(scope, receive, send)
            return
        await self.app(scope, receive, _Translator(send, scope, receive).send)


class _Translator:
    """Holds a problem document back until it is whole, and sends an OperationOutcome in its place."""

    def __init__(self, send: Send, scope: Scope, receive: Receive) -> None:
        self._send, self._scope, self._receive = send, scope, receive
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = {name.lower(): value for name, value in message["headers"]}
            if headers.get(b"content-type", b"").startswith(PROBLEM_MEDIA_TYPE.encode()):
                self._start = message
                return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._translated(self._start)(self._scope, self._receive, self._send)

    def _translated(self, start: Message) -> Response:
        problem = orjson.loads(self._body)
        texts = [str(problem["detail"]), *(f"{one['field']}: {one['expected']}; got {one['got']}" for one in problem.get("errors", []))]
        kept = {name.decode(): value.decode() for name, value in start["headers"] if name.lower() not in (b"content-type",
                                                                                                          b"content-length")}
        content = orjson.dumps(operation_outcome(start["status"], texts))
        return Response(content, status_code=start["status"], headers=kept, media_type=MEDIA_TYPE)
