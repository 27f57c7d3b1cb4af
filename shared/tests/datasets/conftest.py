"""A small publisher on the loopback address, and a machine without a mirror, a cache or a proxy."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from carefolio.datasets.catalog import DatasetEntry, FileEntry
from carefolio.testing import serve_handler

CONTENT = b"id,value\n" + b"".join(b"%d,%d\n" % (i, i * i) for i in range(20_000))


class Publisher:
    """Answers each request with the next of ``answers``, the last one for ever; keeps the Range header of every request."""

    def __init__(self) -> None:
        self.answers: list[Callable[[BaseHTTPRequestHandler], None]] = []
        self.ranges: list[str | None] = []
        self.url = ""

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        step = min(len(self.ranges), len(self.answers) - 1)
        self.ranges.append(handler.headers.get("Range"))
        self.answers[step](handler)


def whole(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: _send(handler, 200, body, len(body))


def cut_short(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: _send(handler, 200, body[: len(body) // 2], len(body))


def rest(body: bytes) -> Callable[[BaseHTTPRequestHandler], None]:
    def send(handler: BaseHTTPRequestHandler) -> None:
        start = int(handler.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        _send(handler, 206, body[start:], len(body) - start)

    return send


def failure(status: int) -> Callable[[BaseHTTPRequestHandler], None]:
    return lambda handler: _send(handler, status, b"", 0)


def by_name(bodies: dict[str, bytes]) -> Callable[[BaseHTTPRequestHandler], None]:
    """Answer with the body whose name ends the path, 404 where there is none."""
    def send(handler: BaseHTTPRequestHandler) -> None:
        body = bodies.get(handler.path.rsplit("/", 1)[-1])
        _send(handler, 404 if body is None else 200, body or b"", len(body or b""))

    return send


def _send(handler: BaseHTTPRequestHandler, status: int, body: bytes, length: int) -> None:
    handler.send_response(status)
    handler.send_header("Content-Length", str(length))
    handler.end_headers()
    handler.wfile.write(body)


def make_zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, body in members.items():
            bundle.writestr(name, body)
    return buffer.getvalue()


def make_entries(url: str, *contents: tuple[str, bytes], zipped: bool = False) -> dict[str, DatasetEntry]:
    described = tuple(FileEntry(name=name, bytes=len(body), sha256=hashlib.sha256(body).hexdigest(), urls=(url,),
                                member=name if zipped else None) for name, body in contents)
    entry = DatasetEntry(name="sample", title="Sample", publisher="nobody", doi="10.0/0", licence="CC0", licence_url="https://example.org",
                         citation="none", files=described)
    return {"sample": entry}


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    publisher = Publisher()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.answer(self)

        def log_message(self, format: str, *args: object) -> None:
            return

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("pooch.core.time.sleep", lambda seconds: None)
    with serve_handler(Handler) as address:
        publisher.url = f"{address}/sample.csv"
        yield publisher


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Turn off mirror and offline mode and give an empty cache."""
    monkeypatch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    monkeypatch.delenv("CAREFOLIO_OFFLINE", raising=False)
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def tools() -> dict[str, Callable[..., object]]:
    return {"whole": whole, "cut_short": cut_short, "rest": rest, "failure": failure, "by_name": by_name,
            "make_zip": make_zip, "make_entries": make_entries}


@pytest.fixture
def content() -> bytes:
    return CONTENT
