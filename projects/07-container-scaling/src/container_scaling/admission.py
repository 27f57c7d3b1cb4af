"""A bounded queue in front of an API: what would wait too long is refused at once, with 429 and the time to come back.

Without a bound, overload makes every answer late. With one, those that are let in are answered in time and the others know where they are.
"""

import asyncio
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import ASGIApp, Receive, Scope, Send

from carefolio.serving.errors import problem_response
from carefolio.serving.headers import SECURITY_HEADERS
from carefolio.serving.limits import refuse

PROBES = frozenset({"/health/live", "/health/ready", "/metrics"})
DETAIL = "Too many requests are waiting; nothing was done with this one. Send it again after Retry-After seconds."


class BoundedQueue:
    """Let at most ``limit`` requests wait or be answered at a time.

    A route that runs on the event loop finishes before the loop looks at the next request, so a plain counter would never see two. Requests
    are therefore counted as they arrive and started one by one, each in a pass of the loop of its own: between two of them the loop takes
    in what has come, so that a refusal and a new connection wait for one answer and not for all that are queued. A route that awaits a
    thread or another service does not hold up the next.

    Parameters
    ----------
    app : ASGIApp
        What comes next.
    limit : int
        Requests at a time; about the longest wait that is bearable over the time of one answer.
    registry : CollectorRegistry
        Receives ``carefolio_waiting_requests`` and ``carefolio_refused_requests_total``.
    retry_after_s : int, default 1
        What a refused client is told, in seconds.
    free_paths : collection of str, optional
        Probes, which are always let in.
    """

    def __init__(self, app: ASGIApp, *, limit: int, registry: CollectorRegistry, retry_after_s: int = 1,
                 free_paths: Collection[str] = PROBES) -> None:
        self.app = app
        self.limit = limit
        self.retry_after_s = retry_after_s
        self.free_paths = free_paths
        self.waiting = 0
        self.turn = asyncio.Lock()
        gauge = Gauge("carefolio_waiting_requests", "Requests that wait or are being answered.", registry=registry)
        gauge.set_function(lambda: self.waiting)
        self.refused = Counter("carefolio_refused_requests", "Requests refused because too many were waiting.", registry=registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or refuse it.

        Parameters
        ----------
        scope, receive, send : ASGI
            As the ASGI specification has them.
        """
        if scope["type"] != "http" or scope["path"] in self.free_paths:
            await self.app(scope, receive, send)
            return
        if self.waiting >= self.limit:
            self.refused.inc()
            headers = SECURITY_HEADERS | {"Retry-After": str(self.retry_after_s)}
            await refuse(problem_response(scope, 429, DETAIL, headers=headers), scope, receive, send)
            return
        self.waiting += 1
        try:
            async with self.turn:
                await asyncio.sleep(0)
            await self.app(scope, receive, send)
        finally:
            self.waiting -= 1
