"""The smoke test: real requests to the running service, compared with the model that passed the gates."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import numpy as np
import polars as pl

from carefolio.boosted import BoostedModel
from carefolio.exceptions import ArtefactError
from carefolio.local_server import ask_server, free_port, run_server
from retraining.config import ServingSettings
from retraining.deployment import Release
from retraining.names import DEPLOYMENT_VARIABLE, POLL_VARIABLE


@contextmanager
def run_service(deployment: Path, settings: ServingSettings) -> Iterator[str]:
    """Start the service on a free port of this machine, over a deployment that may still be empty.

    Parameters
    ----------
    deployment : Path
        Its folder.
    settings : ServingSettings
        How often it looks.

    Yields
    ------
    str
        Its address.

    Raises
    ------
    ArtefactError
        If it does not start.
    """
    deployment.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "retraining.api:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port),
               "--log-level", "warning", "--no-server-header"]
    env = {DEPLOYMENT_VARIABLE: str(deployment.resolve()), POLL_VARIABLE: str(settings.poll_s), "CAREFOLIO_HOST": "127.0.0.1",
           "CAREFOLIO_AUTH": "off", "CAREFOLIO_REQUESTS_PER_MINUTE": "100000"}
    with ExitStack() as stack:
        try:
            address = stack.enter_context(run_server(command, ready_url=f"http://127.0.0.1:{port}/health/live", env=env, timeout_s=120))
        except RuntimeError as error:
            raise ArtefactError(f"the service does not start: {error}. Mend that, and give the same command again.") from None
        yield address


def smoke_test(address: str, release: Release, model: BoostedModel, rows: pl.DataFrame, *, tolerance: float,
               settings: ServingSettings) -> dict[str, Any]:
    """Ask the service, and say whether it answers with the release as the model that was gated does.

    Parameters
    ----------
    address : str
        Of the service.
    release : Release
        What was deployed.
    model : BoostedModel
        The kept model.
    rows : polars.DataFrame
        Encounters to ask for.
    tolerance : float
        Largest difference between an answer and the model.
    settings : ServingSettings
        Number of encounters, and how long to wait for the release.

    Returns
    -------
    dict
        ``passed``, ``words``, and, if it answered, ``requests``, ``largest_difference`` and ``latency_p95_ms``.
    """
    problem = wait_for_release(address, release, patience_s=settings.patience_s)
    if problem:
        return {"passed": False, "words": problem}
    asked = rows.select(model.features).head(settings.smoke_rows)
    expected, got, times = model.predict(asked), [], []
    for row in asked.iter_rows(named=True):
        begun = time.perf_counter()
        answer = json.loads(ask_server(f"{address}/predict", json.dumps({"rows": [row]}).encode()))
        times.append((time.perf_counter() - begun) * 1e3)
        if answer["release"]["sha256"] != release.sha256:
            return {"passed": False, "words": f"request {len(times)} was answered by another model than release {release.number}"}
        got.append(float(answer["risks"][0]))
    difference = float(np.abs(np.asarray(got) - expected).max())
    nonsense = refuses_nonsense(address)
    words = [] if difference <= tolerance else [f"an answer differs by {difference:.1e} from the model that was gated"]
    words += [] if nonsense else ["a column that does not exist was accepted"]
    return {"passed": not words, "words": "; ".join(words) or "the service answers as the model that was gated", "requests": len(times),
            "largest_difference": difference, "latency_p95_ms": float(np.quantile(times, 0.95))}


def wait_for_release(address: str, release: Release, *, patience_s: float) -> str:
    """Wait until the service answers with a release, or has looked at it twice and could not take it over.

    Parameters
    ----------
    address : str
        Of the service.
    release : Release
        What was deployed.
    patience_s : float
        How long, in seconds.

    Returns
    -------
    str
        What went wrong; empty if it answers.
    """
    deadline, last, before = time.monotonic() + patience_s, "nothing", None
    while time.monotonic() < deadline:
        try:
            state = json.loads(ask_server(f"{address}/release"))
            found, failures = state["release"], state["failures"]
            if (found["number"], found["sha256"]) == (release.number, release.sha256):
                return ""
            last, before = f"release {found['number']}", failures if before is None else before
            if failures >= before + 2:  # the first may have begun before this release was there
                return f"the service cannot take over release {release.number} and goes on answering with {last}"
        except HTTPError as error:
            last = f"status {error.code}"
        except (OSError, HTTPException, ValueError) as error:
            last = type(error).__name__
        time.sleep(0.05)
    return f"after {patience_s:g} s the service answers with {last}, expected release {release.number}"


def refuses_nonsense(address: str) -> bool:
    """Say whether the service refuses a column that no model reads.

    Parameters
    ----------
    address : str
        Of the service.

    Returns
    -------
    bool
        True for status 422.
    """
    try:
        ask_server(f"{address}/predict", json.dumps({"rows": [{"no such column": 1}]}).encode())
    except HTTPError as error:
        return error.code == 422
    return False
