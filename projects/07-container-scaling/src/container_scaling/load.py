"""Drive a service with locust and say what came back: one plan in, one result out.

Locust patches Python's sockets, so it runs as a process of its own; this module starts it, waits for it and reads what it noted.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from carefolio.exceptions import ProviderError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACCEPTED, REFUSED = 200, 429
GRACE_S = 60.0
REQUESTS_OF_A_USER = 5.0
"""Requests a second of one connection where there is a rate: so seldom that it has its answer before the next is due, and so often that the
server does not close it for being idle."""
COLUMNS = ("sent_s", "seconds", "status", "tries", "address")


@dataclass(frozen=True)
class Plan:
    """What is sent where, how fast and how long.

    Attributes
    ----------
    addresses : tuple of str
        Base addresses of the replicas, or of the proxy in front of them.
    payloads : str
        File with one JSON body a line.
    seconds : int
        How long requests are sent, in whole seconds, as locust takes them.
    users : int
        Connections to each address.
    rate : float
        Requests a second of all users together; 0 sends the next as soon as the last is answered.
    path : str
        Where requests go.
    headers : mapping
        Sent with each.
    retries : int
        How often a request is sent again that had a status of ``retry_statuses`` (0 is no answer); only for calls that change nothing.
    warm_up_s : float
        What is sent in the first seconds is left out of the result.
    """

    addresses: tuple[str, ...]
    payloads: str
    seconds: int
    users: int = 16
    rate: float = 0.0
    path: str = "/predict"
    headers: Mapping[str, str] = field(default_factory=dict)
    retries: int = 0
    retry_statuses: tuple[int, ...] = (0, 502, 503, 504)
    retry_pause_s: float = 0.1
    timeout_s: float = 30.0
    warm_up_s: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class LoadResult:
    """What came back: one value a request, in the order of sending, without the warm-up."""

    sent_s: NDArray[np.float64]
    seconds: NDArray[np.float64]
    status: NDArray[np.int64]
    tries: NDArray[np.int64]
    span_s: float
    client_s: float

    @property
    def requests(self) -> int:
        """Count what was answered or given up.

        Returns
        -------
        int
            Requests.
        """
        return len(self.status)

    @property
    def accepted(self) -> NDArray[np.float64]:
        """Pick the requests that were answered with 200.

        Returns
        -------
        ndarray
            Seconds of each.
        """
        return self.seconds[self.status == ACCEPTED]

    @property
    def throughput(self) -> float:
        """Give the rate of requests that were answered with 200.

        Returns
        -------
        float
            Requests a second.
        """
        return len(self.accepted) / self.span_s

    @property
    def offered(self) -> float:
        """Give the rate of requests that were sent, whatever became of them.

        Returns
        -------
        float
            Requests a second.
        """
        return self.requests / self.span_s

    @property
    def refused(self) -> int:
        """Count the requests that were answered with 429.

        Returns
        -------
        int
            Requests.
        """
        return int(np.sum(self.status == REFUSED))

    @property
    def failed(self) -> int:
        """Count the requests with any other answer or none.

        Returns
        -------
        int
            Requests.
        """
        return self.requests - len(self.accepted) - self.refused

    @property
    def retried(self) -> int:
        """Count how often a request was sent again.

        Returns
        -------
        int
            Times.
        """
        return int(np.sum(self.tries - 1))

    def quantile_ms(self, quantile: float) -> float:
        """Give the time within which a share of the accepted requests was answered.

        Parameters
        ----------
        quantile : float
            The share.

        Returns
        -------
        float
            Milliseconds; not a number if none was accepted.
        """
        return float(np.quantile(self.accepted, quantile) * 1000) if len(self.accepted) else float("nan")


def users_for(rate: float) -> int:
    """Say how many connections a rate takes, so that requests do not wait for answers to others.

    Parameters
    ----------
    rate : float
        Requests a second.

    Returns
    -------
    int
        Connections.
    """
    return max(1, math.ceil(rate / REQUESTS_OF_A_USER))


def drive(plan: Plan, *, cores: Sequence[int] = (), until: threading.Event | None = None) -> LoadResult:
    """Carry out a plan.

    Parameters
    ----------
    plan : Plan
        What is sent.
    cores : sequence of int, optional
        Cores that locust may use; all by default.
    until : threading.Event, optional
        Ends the load before its time.

    Returns
    -------
    LoadResult
        What came back.

    Raises
    ------
    ProviderError
        If locust fails; the message has the end of its output.
    """
    with tempfile.TemporaryDirectory() as folder, as_file(files("container_scaling").joinpath("locustfile.py")) as script:
        records = Path(folder) / "records.npz"
        values = asdict(plan) | {"records": str(records)}
        environment = {**os.environ, "CONTAINER_SCALING_PLAN": json.dumps(values), "LOCUST_SKIP_LOG_SETUP": "1"}
        command = [*pinned(cores), sys.executable, "-m", "locust", "--locustfile", str(script), "--headless", "--users", str(plan.users),
                   "--spawn-rate", str(plan.users), "--run-time", f"{plan.seconds}s", "--host", plan.addresses[0], "--only-summary",
                   "--loglevel", "ERROR", "--exit-code-on-error", "0", "--stop-timeout", "5"]
        with tempfile.TemporaryFile() as output:
            status = _wait(subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT), plan.seconds + GRACE_S,
            until)
            output.seek(0)
            said = output.read().decode(errors="replace").strip()[-600:]
        if status or not records.is_file():
            raise ProviderError(f"locust ended with status {status}: {said}")
        with np.load(records, allow_pickle=False) as found:
            return summarise(found["records"], float(found["client_s"]), plan)


def _wait(process: subprocess.Popen[bytes], timeout_s: float, until: threading.Event | None) -> int:
    deadline = time.monotonic() + timeout_s
    try:
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
            if until is not None and until.is_set():
                process.terminate()
                return process.wait(timeout=GRACE_S)
        return process.wait(timeout=1)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def summarise(records: NDArray[np.float64], client_s: float, plan: Plan) -> LoadResult:
    """Leave out the warm-up and turn records into a result.

    Parameters
    ----------
    records : ndarray, shape (n, 5)
        Columns of `COLUMNS`.
    client_s : float
        Processor seconds of the client.
    plan : Plan
        What was sent.

    Returns
    -------
    LoadResult
        In the order of sending.

    Raises
    ------
    ProviderError
        If nothing is left.
    """
    records = records[np.argsort(records[:, 0])] if len(records) else records
    kept = records[records[:, 0] >= records[0, 0] + plan.warm_up_s] if len(records) else records
    if len(kept) < 2:
        raise ProviderError(f"only {len(records)} requests came back in {plan.seconds} s from {', '.join(plan.addresses)}; does it run?")
    ends = kept[:, 0] + kept[:, 1]
    return LoadResult(kept[:, 0] - kept[0, 0], kept[:, 1], kept[:, 2].astype(int), kept[:, 3].astype(int), float(ends.max() - kept[0, 0]),
                      client_s)


def pinned(cores: Sequence[int]) -> list[str]:
    """Give what has to stand before a command to keep it on some cores.

    Parameters
    ----------
    cores : sequence of int
        Numbers of cores; none for all.

    Returns
    -------
    list of str
        Empty where there is no ``taskset`` (it comes with Linux).
    """
    import shutil

    return ["taskset", "--cpu-list", ",".join(map(str, cores))] if cores and shutil.which("taskset") else []
