"""The tracking server as a process on the loopback address: SQLite and local artefacts by default, anything MLflow takes otherwise."""

import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port, run_server
from carefolio.tracking import QUIET, TrackingError

DATABASE_VARIABLE, ARTEFACTS_VARIABLE = "MLFLOW_BACKEND_STORE_URI", "MLFLOW_ARTIFACTS_DESTINATION"
"""MLflow's own variables: an address may hold a password, which must not stand in a list of processes."""
DATABASE_FILE, ARTEFACTS_FOLDER = "mlflow.db", "artefacts"
BUSY_TIMEOUT_S = 120
CONNECTIONS = 90
"""To PostgreSQL, of all processes; it allows 100 by default. A request may hold one connection and ask for a second, so with the 15 that
SQLAlchemy gives a process, fifty writers at once wait for each other for ever."""
START_TIMEOUT_S = 240.0
PATIENCE_S, LOOK_EVERY_S = 0.5, 2.0


@dataclass(frozen=True)
class ServerPlan:
    """How a server is started: its command, the variables that go with it, and its address."""

    command: tuple[str, ...]
    variables: Mapping[str, str]
    address: str


def sqlite_uri(folder: Path) -> str:
    """Make a database that many can write to at once, and give its address.

    Parameters
    ----------
    folder : Path
        Holds ``mlflow.db``; made if there is none.

    Returns
    -------
    str
        Waits for a lock rather than fail.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = folder.absolute() / DATABASE_FILE
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")  # readers do not wait for a writer; kept in the file
    return f"sqlite:///{file}?timeout={BUSY_TIMEOUT_S}"


def plan_server(folder: Path, *, port: int = 0, workers: int = 2, environment: Mapping[str, str] | None = None) -> ServerPlan:
    """Work out how a server is started.

    Parameters
    ----------
    folder : Path
        Holds database and artefacts, unless variables name others.
    port : int, default 0
        On the loopback address; 0 for a free one.
    workers : int, default 2
        Processes that answer.
    environment : mapping, optional
        Used in place of ``os.environ``; `DATABASE_VARIABLE` and `ARTEFACTS_VARIABLE` in it win over the folder.

    Returns
    -------
    ServerPlan
        Command, variables, address.

    Raises
    ------
    ConfigError
        If a driver for the database is not installed.
    """
    source = os.environ if environment is None else environment
    database = source.get(DATABASE_VARIABLE) or sqlite_uri(folder)
    pool = {}
    if database.startswith("postgresql"):
        _require("psycopg", "postgresql")
        pool = {"MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": str(max(1, CONNECTIONS // workers)), "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "0"}
    artefacts = source.get(ARTEFACTS_VARIABLE) or (folder.absolute() / ARTEFACTS_FOLDER).as_uri()
    if artefacts.startswith("s3:"):
        _require("boto3", "s3")
    if artefacts.startswith("wasbs:"):
        _require("azure.storage.blob", "azure")
    port = port or free_port()
    command = (sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers))
    variables = {**QUIET, **{name: source.get(name, value) for name, value in pool.items()}, DATABASE_VARIABLE: database,
                 ARTEFACTS_VARIABLE: artefacts, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return ServerPlan(command, variables, f"http://127.0.0.1:{port}")


def _require(module: str, extra: str) -> None:
    from importlib.util import find_spec

    if find_spec(module.partition(".")[0]) is None:
        raise ConfigError(f"this address needs the package {module}; run `pip install 'carefolio-model-registry[{extra}]'`.")


@contextmanager
def run_tracking_server(folder: Path, *, port: int = 0, workers: int = 2, environment: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start a server, wait until it answers, and end it with the block.

    Parameters
    ----------
    folder : Path
        Holds database and artefacts.
    port : int, default 0
        On the loopback address; 0 for a free one.
    workers : int, default 2
        Processes that answer.
    environment : mapping, optional
        Laid over ``os.environ`` for the server.

    Yields
    ------
    str
        Its address.

    Raises
    ------
    TrackingError
        If the port is taken, or it does not answer in time.
    """
    plan = plan_server(folder, port=port, workers=workers, environment=environment)
    if listens(plan.address):
        raise TrackingError(f"something answers at {plan.address} already; end it, or choose another --port.")
    variables = {**(environment or {}), **plan.variables}
    with ExitStack() as stack:
        try:
            address = stack.enter_context(run_server(plan.command, ready_url=f"{plan.address}/health", env=variables,
                                                     timeout_s=START_TIMEOUT_S))
        except RuntimeError as error:
            raise TrackingError(f"the tracking server did not start: {error}") from None
        yield address


def listens(address: str) -> bool:
    """Say whether anything takes connections at an address.

    Parameters
    ----------
    address : str
        ``http://host:port``.

    Returns
    -------
    bool
        True if a connection is taken.
    """
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), timeout=PATIENCE_S).close()
    except OSError:
        return False
    return True


def wait_for_signal(address: str) -> None:
    """Wait for Ctrl-C or a polite end, for as long as the server lives.

    Parameters
    ----------
    address : str
        Of the server.

    Raises
    ------
    TrackingError
        If the server ends by itself.
    """
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(LOOK_EVERY_S):
        if not listens(address):
            raise TrackingError(f"the tracking server at {address} ended by itself; start it again with `registry up`.")
