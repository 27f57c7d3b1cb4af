"""Processes under test on this machine: replicas of the readmission service, each behind a bounded queue, and what they consumed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import psutil

from carefolio.config import project_home
from carefolio.local_server import free_port, run_server
from carefolio.serving.settings import new_api_key
from container_scaling.load import pinned

APP = "readmission.api:create_app"
MODEL_FOLDER = "02-readmission-pipeline"
START_S = 120.0
UNLIMITED = "100000000"


@dataclass(frozen=True)
class Running:
    """Servers that answer: their addresses, what a client sends with each request, and their process ids."""

    addresses: tuple[str, ...]
    headers: Mapping[str, str]
    pids: tuple[int, ...]

    def processor_s(self) -> float:
        """Give the processor seconds that the servers have used so far, children included.

        Returns
        -------
        float
            Of user and system time.
        """
        return sum(sum(process.cpu_times()[:2]) for pid in self.pids for process in family(pid))

    def memory_mb(self) -> float:
        """Give the memory that the servers hold now, children included.

        Returns
        -------
        float
            Resident megabytes, shared pages counted once for each process.
        """
        return sum(process.memory_info().rss for pid in self.pids for process in family(pid)) / 1e6


def family(pid: int) -> list[psutil.Process]:
    """List a process and those it has started.

    Parameters
    ----------
    pid : int
        Process id.

    Returns
    -------
    list of psutil.Process
        At least one.
    """
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


@dataclass(frozen=True)
class Cores:
    """Which cores serve and which drive: apart where there are enough, so that neither disturbs the other."""

    serving: tuple[int, ...]
    driving: tuple[int, ...]


def share_cores(replicas: int) -> Cores:
    """Divide the cores of this machine between replicas and the load.

    Parameters
    ----------
    replicas : int
        Processes that serve.

    Returns
    -------
    Cores
        With a core a replica and one for the load, if there are so many; else all for both.
    """
    available = tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()
    if len(available) > replicas:
        return Cores(available[:replicas], available[replicas:])
    return Cores(available, available)


@contextmanager
def serve_replicas(replicas: int = 1, *, workers: int = 1, queue_limit: int = 128, app: str = APP,
                   environment: Mapping[str, str] | None = None, cores: Sequence[int] = ()) -> Iterator[Running]:
    """Start replicas of a service as the images start it.

    Parameters
    ----------
    replicas : int, default 1
        Servers, each on a port of its own.
    workers : int, default 1
        Processes of each.
    queue_limit : int, default 128
        Requests of one process that wait or are answered at a time.
    app : str
        ``package.module:factory``.
    environment : mapping, optional
        Laid over the variables of the servers.
    cores : sequence of int, optional
        Cores that they may use.

    Yields
    ------
    Running
        All of them ready.
    """
    key, key_hash = new_api_key()
    with ExitStack() as stack:
        addresses, ports = [], []
        for _ in range(replicas):
            port = free_port()
            variables = {"CAREFOLIO_APP": app, "CAREFOLIO_PORT": str(port), "CAREFOLIO_HOST": "127.0.0.1", "CAREFOLIO_AUTH": "on",
                         "CAREFOLIO_API_KEYS": key_hash, "CAREFOLIO_REQUESTS_PER_MINUTE": UNLIMITED, "CAREFOLIO_WORKERS": str(workers),
                         "CAREFOLIO_QUEUE_LIMIT": str(queue_limit), "OMP_NUM_THREADS": "1",
                         "CAREFOLIO_ARTEFACTS": str(project_home(MODEL_FOLDER) / "artefacts"), **(environment or {})}
            command = [*pinned(cores), sys.executable, "-m", "container_scaling.server"]
            addresses.append(stack.enter_context(run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", env=variables,
                                                            timeout_s=START_S)))
            ports.append(port)
        yield Running(tuple(addresses), {"X-API-Key": key}, tuple(map(listener, ports)))


def listener(port: int) -> int:
    """Find the process of this user that listens on a port and was started first.

    Parameters
    ----------
    port : int
        On the loopback address.

    Returns
    -------
    int
        Process id.

    Raises
    ------
    ProcessLookupError
        If no child of this process does.
    """
    for process in psutil.Process().children(recursive=True):
        if any(found.laddr.port == port and found.status == psutil.CONN_LISTEN for found in process.net_connections(kind="tcp")):
            return int(process.pid)
    raise ProcessLookupError(f"no process started here listens on port {port}")
