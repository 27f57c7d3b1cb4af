"""What the running service says of its requests, and whether it takes those that were recorded."""

from __future__ import annotations

import json
import urllib.error
from pathlib import Path
from typing import Any

from carefolio.exceptions import ArtefactError, SchemaError, ServerError
from carefolio.local_server import ask_server
from container_scaling.data import REQUESTS_FILE
from container_scaling.servers import Running

TIMEOUT_S = 30.0


def ask(running: Running, path: str, body: str | None = None) -> Any:
    """Ask a running service once, past any proxy.

    Parameters
    ----------
    running : Running
        The service.
    path : str
        Of the route.
    body : str, optional
        JSON; without one it is GET.

    Returns
    -------
    Any
        The parsed answer.

    Raises
    ------
    SchemaError
        If the service refuses the request; the message has its reason.
    ServerError
        If it is not there, or its answer is not whole.
    """
    url = f"{running.addresses[0]}{path}"
    try:
        return json.loads(ask_server(url, body.encode() if body else None, timeout_s=TIMEOUT_S, headers=running.headers))
    except urllib.error.HTTPError as error:
        raise SchemaError(f"{path} answers {error.code} to a recorded request: {error.read().decode(errors='replace')[:400]}") from None
    except ValueError as error:
        raise ServerError(f"{url} gave no whole answer ({error}); the service may have ended. Run the same command again.") from None


def requests_of(out: Path) -> Path:
    """Find the recorded requests of a run.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Path
        One body a line.

    Raises
    ------
    ArtefactError
        If none were recorded.
    """
    path = out / "data" / REQUESTS_FILE
    if not path.is_file():
        raise ArtefactError(f"{path} is missing; record requests with `scaling data --quick`, or give the folder of a run with --out.")
    return path


def read_document(running: Running) -> dict[str, Any]:
    """Read the OpenAPI document of a service.

    Parameters
    ----------
    running : Running
        The service.

    Returns
    -------
    dict
        OpenAPI.
    """
    document: dict[str, Any] = ask(running, "/openapi.json")
    return document


def check_requests(running: Running, requests: Path) -> int:
    """Send every recorded request once.

    Parameters
    ----------
    running : Running
        The service.
    requests : Path
        One body a line.

    Returns
    -------
    int
        How many were answered.

    Raises
    ------
    SchemaError
        At the first that is refused: a load test of refusals would measure nothing.
    """
    bodies = requests.read_text(encoding="utf-8").splitlines()
    for body in bodies:
        ask(running, "/predict", body)
    return len(bodies)
