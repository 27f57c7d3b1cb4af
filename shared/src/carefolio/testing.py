"""Helpers for the tests of every project: what this machine has, marks that skip, with the reason, what it has not, and a hostile file."""

from __future__ import annotations

import contextlib
import io
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.resolve import local_copy
from carefolio.local_server import free_port, run_server

if TYPE_CHECKING:
    import pytest

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-quic", "--no-first-run",
                  "--disable-component-update", "--disable-sync")
"""Headless, as root in a container, and without calls of the browser's own."""
CONTRACT_CHECKS = ("not_a_server_error", "status_code_conformance", "response_schema_conformance", "content_type_conformance",
                   "positive_data_acceptance", "negative_data_rejection")
"""Of schemathesis."""


@contextlib.contextmanager
def serve_handler(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[str]:
    """Answer requests on a free port of this machine, in threads, until the block ends.

    Parameters
    ----------
    handler : callable
        Class of the handler, or a function that makes one.

    Yields
    ------
    str
        The address.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def real_data_available(name: str) -> bool:
    """Say whether every file of a data set is on this machine: in the mirror, the cache or a package.

    Parameters
    ----------
    name : str
        Name in the catalogue.

    Returns
    -------
    bool
        True if all are; their bytes are checked when they are loaded.
    """
    entry = find_dataset(name)
    return all(local_copy(entry, file) is not None for file in entry.files)


def requires_real_data(name: str) -> pytest.MarkDecorator:
    """Mark a test that needs a real data set.

    Parameters
    ----------
    name : str
        Name in the catalogue.

    Returns
    -------
    pytest.MarkDecorator
        Skips, with the reason, where the data is not on this machine.
    """
    import pytest

    return pytest.mark.skipif(not real_data_available(name),
                              reason=f"{name} is not on this machine; run `carefolio data fetch {name}` or set CAREFOLIO_DATA_DIR")


def requires_browser() -> pytest.MarkDecorator:
    """Mark a test that needs Chromium.

    Returns
    -------
    pytest.MarkDecorator
        Skips, with the reason, where there is none.
    """
    import pytest

    return pytest.mark.skipif(chromium_path() is None, reason=f"none of {', '.join(CHROMIUM_NAMES)} is on the PATH; install Chromium")


def requires_command(command: str) -> pytest.MarkDecorator:
    """Mark a test that needs a program.

    Parameters
    ----------
    command : str
        Name on the PATH, for example ``"npx"``.

    Returns
    -------
    pytest.MarkDecorator
        Skips, with the reason, where it is missing.
    """
    import pytest

    return pytest.mark.skipif(shutil.which(command) is None, reason=f"{command} is not on the PATH; install it to run this test")


def chromium_path() -> Path | None:
    """Find the browser that tests drive.

    Returns
    -------
    Path or None
        Executable of Chromium or Chrome on the PATH.
    """
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    return Path(found) if found else None


def run_article(path: Path) -> list[str]:
    """Run the fenced Python blocks of an article in the order of the page, in one namespace.

    Parameters
    ----------
    path : Path
        Markdown file.

    Returns
    -------
    list of str
        What each block printed.
    """
    from carefolio import markdown

    blocks = [token.content for token in markdown.parse(path.read_text(encoding="utf-8"))
              if token.type == "fence" and token.info.strip() == "python"]
    names: dict[str, object] = {}
    said = []
    for number, block in enumerate(blocks, start=1):
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(block, f"{path.name}, block {number}", "exec"), names)  # noqa: S102 - our own article
        said.append(output.getvalue())
    return said


def check_contract(app: str, environment: Mapping[str, str], folder: Path, *, without: Collection[str] = ()) -> str:
    """Serve an API with a key, and send it made-up requests of every shape: it must keep to its own OpenAPI document.

    Parameters
    ----------
    app : str
        Factory of the app, such as ``"readmission.api:create_app"``.
    environment : mapping of str to str
        Variables of the server, beside those of the key.
    folder : Path
        Working directory of the tool that sends the requests.
    without : collection of str, optional
        Checks of `CONTRACT_CHECKS` that do not fit this API.

    Returns
    -------
    str
        What the tool said, with the number of operations that it selected.

    Raises
    ------
    AssertionError
        If a request broke the contract.
    """
    from carefolio.serving.settings import new_api_key

    key, key_hash = new_api_key()
    port, checks = free_port(), [name for name in CONTRACT_CHECKS if name not in without]
    env = {"CAREFOLIO_API_KEYS": key_hash, "CAREFOLIO_AUTH": "on", "CAREFOLIO_REQUESTS_PER_MINUTE": "1000000", **environment}
    server = [sys.executable, "-m", "uvicorn", app, "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with run_server(server, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as address:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{address}/openapi.json", "--header", f"X-API-Key: {key}",
                   "--checks", ",".join(checks), "--phases", "examples,fuzzing", "--max-examples", "15", "--generation-deterministic",
                   "--no-color"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, cwd=folder)
    if done.returncode != 0:
        raise AssertionError(done.stdout[-4000:])
    return done.stdout


def png_header(width: int, height: int) -> bytes:
    """Make a PNG that promises pixels and holds next to none.

    Parameters
    ----------
    width, height : int
        In pixels, as its header says.

    Returns
    -------
    bytes
        A file of some hundred bytes.
    """
    def _chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    start = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", start) + _chunk(b"IDAT", zlib.compress(b"\0" * 100)) + _chunk(b"IEND", b"")
