"""HTTP clients with bounds: on the time of a try, on the size of an answer, and on where a request may go."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx2

from carefolio.exceptions import ConfigError
from notes_summarizer.providers.settings import ProviderSettings

BASE_BYTES = 200_000
BYTES_A_TOKEN = 1_000
"""A streamed token comes in a JSON object of some hundred bytes."""
_DEADLINE = "notes_deadline"


class AnswerTooLongError(httpx2.TransportError):
    """A server sent more than the most tokens of an answer can need."""


def open_client(base_url: str, settings: ProviderSettings) -> httpx2.Client:
    """Open a client for one server.

    Parameters
    ----------
    base_url : str
        Address of the server. It has to be ``https``; on the loopback address ``http`` will do, and no proxy is used.
    settings : ProviderSettings
        Times, and the most tokens of an answer.

    Returns
    -------
    httpx2.Client
        It follows no redirect, so text goes to no other address. A try ends at its deadline once the next bytes arrive, or after the
        longest silence.

    Raises
    ------
    ConfigError
        If the address is not one, or would carry text in the clear to another machine.
    """
    scheme, host = _parts(base_url)
    loopback = is_loopback(base_url)
    if not host or scheme not in ("http", "https") or (scheme == "http" and not loopback):
        raise ConfigError("the address of a provider must begin with https://, or on the loopback address with http://; got scheme "
                          f"{scheme or '(none)'}, host {host or '(none)'}. Change OPENAI_BASE_URL or AZURE_OPENAI_ENDPOINT.")
    most = BASE_BYTES + BYTES_A_TOKEN * settings.max_output_tokens
    hooks: dict[str, list[Callable[..., Any]]] = {"request": [partial(_start, seconds=settings.timeout_s)],
                                                  "response": [partial(_limit, most=most)]}
    return httpx2.Client(trust_env=not loopback, timeout=request_timeout(settings, streaming=False), follow_redirects=False,
                         headers={"Accept-Encoding": "identity"}, event_hooks=hooks)


def request_timeout(settings: ProviderSettings, *, streaming: bool) -> httpx2.Timeout:
    """Give the longest silence of a request.

    Parameters
    ----------
    settings : ProviderSettings
        Times.
    streaming : bool
        A stream has to move; an answer in one piece may be long in the making.

    Returns
    -------
    httpx2.Timeout
        For connecting, sending and receiving.
    """
    silence = min(settings.stall_s, settings.timeout_s) if streaming else settings.timeout_s
    return httpx2.Timeout(silence, connect=min(10.0, silence))


def is_loopback(base_url: str) -> bool:
    """Tell whether an address is on this machine.

    Parameters
    ----------
    base_url : str
        An address.

    Returns
    -------
    bool
        True for ``localhost`` and the loopback addresses of IPv4 and IPv6.
    """
    host = _parts(base_url)[1]
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _parts(base_url: str) -> tuple[str, str]:
    """Split an address into scheme and host; both are empty if it is none."""
    try:
        address = urlsplit(base_url)
        return address.scheme, address.hostname or ""
    except ValueError:
        return "", ""


def _start(request: httpx2.Request, *, seconds: float) -> None:
    request.extensions[_DEADLINE] = time.monotonic() + seconds


def _limit(response: httpx2.Response, *, most: int) -> None:
    if isinstance(response.stream, httpx2.SyncByteStream):
        response.stream = _Limited(response.stream, response.request, most)


class _Limited(httpx2.SyncByteStream):
    """Bytes of an answer, until the deadline and up to a size."""

    def __init__(self, stream: httpx2.SyncByteStream, request: httpx2.Request, most: int) -> None:
        self._stream, self._request, self._most = stream, request, most

    def __iter__(self) -> Iterator[bytes]:
        size = 0
        for piece in self._stream:
            size += len(piece)
            if size > self._most:
                raise AnswerTooLongError(f"the answer has more than {self._most} bytes", request=self._request)
            if time.monotonic() > self._request.extensions[_DEADLINE]:
                raise httpx2.ReadTimeout("the whole answer took too long", request=self._request)
            yield piece

    def close(self) -> None:
        self._stream.close()
