"""Limits on what one client may send: how often, how much, how slowly, and JSON as RFC 8259 has it.

A body is read whole, up to the limit, before a route sees the request. So a large, endless or slow body never holds a worker
thread, and a route cannot be half-way through when the limit is reached. Memory is bounded by the limit times the number of
connections, which ``uvicorn --limit-concurrency`` bounds.
"""

import asyncio
import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import orjson
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from carefolio.serving.errors import is_json, problem_response

LINGER_S = 2.0
MOST_MEMBERS = 1000
"""Members of one JSON object: each that is not known is an error to be written, so that a few megabytes of them took seconds."""
_SHORTEST_MEMBER = len('"a":1,')


class RateLimiter:
    """Token buckets, one a client, in bounded memory.

    A bucket holds ``per_minute`` tokens and fills at ``per_minute / 60`` a second; a request takes one. Past ``clients`` buckets
    the one used longest ago is forgotten, which gives that client a full bucket when it comes back.

    Parameters
    ----------
    per_minute : int
        Requests a minute, and the largest burst.
    clients : int
        Buckets kept.
    clock : callable, optional
        Seconds, monotonic.
    """

    def __init__(self, *, per_minute: int, clients: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self.clients = clients
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, client: str) -> float:
        """Take a token for one request.

        Parameters
        ----------
        client : str
            Whose bucket.

        Returns
        -------
        float
            0.0 if there was a token, else the seconds until there is one.
        """
        now = self._clock()
        rate = self.per_minute / 60
        tokens, since = self._buckets.pop(client, (float(self.per_minute), now))
        tokens = min(float(self.per_minute), tokens + (now - since) * rate)
        allowed = tokens >= 1
        self._buckets[client] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self.clients:
            self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / rate


class BodyLimitMiddleware:
    """Read the body within limits, check that JSON is strict JSON, and hand it on in one piece.

    Parameters
    ----------
    app : ASGIApp
        What comes next.
    limit_bytes : int
        Largest body; a larger one, declared or counted, gets 413.
    timeout_s : float
        Longest time for the whole body to arrive; past it 408.
    """

    def __init__(self, app: ASGIApp, *, limit_bytes: int, timeout_s: float) -> None:
        self.app = app
        self.limit_bytes = limit_bytes
        self.timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Parameters
        ----------
        scope, receive, send : ASGI
            As the ASGI specification has them.
        """
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused: tuple[int, str] | None = None
        body: bytes | None = None
        if headers.get("content-encoding", "identity").lower() != "identity":
            refused = 415, "Compressed bodies are not accepted; send the body without Content-Encoding."
        elif _declared(headers) > self.limit_bytes:
            refused = self._too_large()
        else:
            try:
                async with asyncio.timeout(self.timeout_s):
                    body = await read_body(receive, limit_bytes=self.limit_bytes)
            except TimeoutError:
                refused = 408, f"The body took longer than {self.timeout_s:g} s to arrive; send it faster or in parts."
            except OverflowError:
                refused = self._too_large()
        if refused is not None:
            response = problem_response(scope, *refused, headers={"Connection": "close"})
            await (response(scope, receive, send) if refused[0] == 408 else refuse(response, scope, receive, send))
        elif body is not None:
            await self._pass_on(body, headers, scope, receive, send)

    def _too_large(self) -> tuple[int, str]:
        return 413, f"The body is larger than {self.limit_bytes} bytes; send fewer rows in one request."

    async def _pass_on(self, body: bytes, headers: Headers, scope: Scope, receive: Receive, send: Send) -> None:
        if body and is_json(headers.get("content-type", "")) and (fault := json_fault(body)) is not None:
            await problem_response(scope, *fault)(scope, receive, send)
            return
        pending: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return pending.pop() if pending else await receive()

        await self.app(scope, replay, send)


async def refuse(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send an answer before the body has come, then throw away the rest of the body for a moment.

    A connection that is closed on unread data is reset, and the client would lose the answer.

    Parameters
    ----------
    response : Response
        The answer.
    scope, receive, send : ASGI
        As the ASGI specification has them.
    """
    async def _send_unfinished(message: Message) -> None:
        await send({**message, "more_body": True} if message["type"] == "http.response.body" else message)

    await response(scope, receive, _send_unfinished)
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_S):
            while (await receive()).get("more_body", False):
                continue
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def read_body(receive: Receive, *, limit_bytes: int) -> bytes | None:
    """Read a request body, whether its length was declared or not.

    Parameters
    ----------
    receive : Receive
        ASGI channel.
    limit_bytes : int
        Largest body.

    Returns
    -------
    bytes or None
        The body, or None if the client went away.

    Raises
    ------
    OverflowError
        As soon as more than ``limit_bytes`` have come.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > limit_bytes:
            raise OverflowError("body over the limit")
        if not message.get("more_body", False):
            return bytes(body)


def json_fault(body: bytes) -> tuple[int, str] | None:
    """Say what is wrong with a JSON text by RFC 8259.

    Parameters
    ----------
    body : bytes
        The text.

    Returns
    -------
    tuple of (int, str) or None
        Status and detail: 422 for NaN and infinities, which Python's own parser lets through, and for an object of more than
        `MOST_MEMBERS` members, and 400 for anything else that is not JSON in UTF-8. None if nothing is wrong.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _not_finite(body) or (400, f"The body is not JSON in UTF-8: {error.msg} at line {error.lineno}, column {error.colno}.")
    if len(body) > _SHORTEST_MEMBER * MOST_MEMBERS and _is_wide(value):
        return 422, f"An object in the body has more than {MOST_MEMBERS} members; none that is understood here has so many."
    return None


def _is_wide(value: Any) -> bool:
    """Say whether any object of a JSON value has too many members."""
    pending = [value]
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if len(one) > MOST_MEMBERS:
                return True
            pending.extend(one.values())
        elif isinstance(one, list):
            pending.extend(one)
    return False


def _not_finite(body: bytes) -> tuple[int, str] | None:
    def refuse(constant: str) -> NoReturn:
        raise ArithmeticError(constant)

    def finite(number: str) -> float:
        value = float(number)
        return value if math.isfinite(value) else refuse("a number beyond the range of a double")

    try:
        json.loads(body, parse_constant=refuse, parse_float=finite)
    except ArithmeticError as error:
        return 422, f"The body holds {error}, which JSON does not have; send null or leave the field out where a value is not known."
    except (ValueError, RecursionError):
        return None
    return None


def _declared(headers: Any) -> int:
    value = headers.get("content-length", "0")
    return int(value) if value.isdecimal() else 0
