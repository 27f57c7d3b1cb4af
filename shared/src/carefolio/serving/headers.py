"""Headers that keep a browser from guessing types, storing answers, framing pages or lending them to other sites."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = "default-src 'none'; frame-ancestors 'none'"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": POLICY,
}


def add_security_headers(message: Message, *, scheme: str) -> None:
    """Add the headers to an answer; those that it has already stay.

    Parameters
    ----------
    message : Message
        ASGI message ``http.response.start``; altered.
    scheme : str
        Of the request; strict transport is asked for over ``https`` alone.
    """
    headers = MutableHeaders(scope=message)
    for name, value in SECURITY_HEADERS.items():
        headers.setdefault(name, value)
    if scheme == "https":
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")


class SecurityHeadersMiddleware:
    """Put the headers on every answer of an app, for what does not pass through `ObservabilityMiddleware`.

    Parameters
    ----------
    app : ASGIApp
        What comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request.

        Parameters
        ----------
        scope, receive, send : ASGI
            As the ASGI specification has them.
        """
        async def _send(message: Message) -> None:
            if message["type"] == "http.response.start":
                add_security_headers(message, scheme=scope.get("scheme", ""))
            await send(message)

        await self.app(scope, receive, _send if scope["type"] == "http" else send)
