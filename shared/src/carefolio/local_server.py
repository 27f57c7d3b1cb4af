"""A server process on this machine's loopback address that ends with the block that started it."""

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from http.client import HTTPException
from urllib.parse import urlsplit

from carefolio.exceptions import ServerError


def free_port() -> int:
    """Find a port on the loopback address that nothing listens on.

    Returns
    -------
    int
        The port; take it soon.
    """
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def ask_server(url: str, body: bytes | None = None, *, content_type: str = "application/json", timeout_s: float = 10.0,
               headers: Mapping[str, str] | None = None) -> bytes:
    """Ask a server on this machine, past any proxy.

    Parameters
    ----------
    url : str
        Address on the loopback address.
    body : bytes, optional
        Sent with POST; without one it is GET.
    content_type : str, default "application/json"
        Of the body.
    timeout_s : float, default 10
        Seconds to wait for the answer.
    headers : mapping of str to str, optional
        Sent too, such as a key.

    Returns
    -------
    bytes
        Body of the answer.

    Raises
    ------
    HTTPError
        If it answers with a status of 400 and more.
    ServerError
        If it is not there, or its answer is not whole in time.
    """
    sent = {**({"Content-Type": content_type} if body else {}), **(headers or {})}
    request = urllib.request.Request(url, data=body, headers=sent)  # noqa: S310 - loopback
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout_s) as response:
            answer: bytes = response.read()
    except urllib.error.HTTPError:
        raise
    except (OSError, HTTPException) as error:
        reason = " ".join(str(getattr(error, "reason", None) or error).split())
        raise ServerError(f"{url} gave no whole answer within {timeout_s:g} s ({reason or type(error).__name__}); see that the server "
                          "runs, and ask again.") from None
    return answer


@contextmanager
def run_server(command: Sequence[str], *, ready_url: str, env: Mapping[str, str] | None = None, timeout_s: float = 60.0) -> Iterator[str]:
    """Start a server, wait until it answers, and end it and its children when the block ends.

    Parameters
    ----------
    command : sequence of str
        Program and arguments.
    ready_url : str
        Address that answers with a status below 400 once the server is ready, for example
        ``"http://127.0.0.1:8000/health/ready"``.
    env : mapping of str to str, optional
        Variables laid over the environment.
    timeout_s : float, default 60
        Seconds to wait for the answer, and the bound of the wait for the end.

    Yields
    ------
    str
        Scheme, host and port of ``ready_url``.

    Raises
    ------
    RuntimeError
        If the server ends by itself or is not ready in time; the message has the end of its output.
    """
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(list(command), env={**os.environ, **(env or {})}, stdout=output, stderr=subprocess.STDOUT,
                                   stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            problem = _wait_until_ready(process, ready_url, timeout_s)
            if problem:
                output.seek(0)
                tail = output.read()[-2000:].decode(errors="replace").strip()
                raise RuntimeError(f"{command[0]} {problem}; its output ends with: {tail or '(nothing)'}")
            yield "{0.scheme}://{0.netloc}".format(urlsplit(ready_url))
        finally:
            _end(process, timeout_s=10.0)


def _wait_until_ready(process: subprocess.Popen[bytes], url: str, timeout_s: float) -> str:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            return f"ended with status {process.returncode} before {url} answered"
        if _answers(url):
            return ""
        time.sleep(0.05)
    return f"did not answer at {url} within {timeout_s:.0f} s"


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as response:
            return bool(response.status < 400)
    except (OSError, HTTPException):
        return False


def _end(process: subprocess.Popen[bytes], *, timeout_s: float) -> None:
    """End the process group that was started here: politely, then for good."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=timeout_s)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
