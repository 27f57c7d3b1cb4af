"""The program of every image: reads what to run from ``service.json``, and serves an API behind a bounded queue.

=================================  ==========================================================================
``CAREFOLIO_SERVICE``              the description, ``/app/service.json`` in an image
``CAREFOLIO_APP``                  ``package.module:factory``; replaces that of the description
``CAREFOLIO_PORT``                 port to bind; replaces that of the description
``CAREFOLIO_WORKERS``              processes behind the port, default 1: on Kubernetes a replica is a process
``CAREFOLIO_QUEUE_LIMIT``          requests of one process that wait or are answered at a time, default 128
=================================  ==========================================================================
"""

import gc
import importlib
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carefolio.exceptions import ConfigError

DESCRIPTION = "/app/service.json"
QUEUE_LIMIT = 128
CONNECTIONS = 4096
DRAIN_S = 20


def read_service(environment: Mapping[str, str]) -> dict[str, Any]:
    """Read what is to be run.

    Parameters
    ----------
    environment : mapping of str to str
        Variables of the process; they win over the file.

    Returns
    -------
    dict
        ``run``, ``port`` and ``health``.

    Raises
    ------
    ConfigError
        If there is no description and no ``CAREFOLIO_APP``, or a value does not fit.
    """
    path = Path(environment.get("CAREFOLIO_SERVICE", DESCRIPTION))
    service: dict[str, Any] = {"run": {}, "port": 8000, "health": "/health/ready"}
    if path.is_file():
        service |= json.loads(path.read_text(encoding="utf-8"))
    if environment.get("CAREFOLIO_APP"):
        service["run"] = {"app": environment["CAREFOLIO_APP"]}
    if not service["run"]:
        raise ConfigError(f"{path} is missing and CAREFOLIO_APP is not set: nothing to serve. Set it to package.module:factory.")
    service["port"] = _whole(environment, "CAREFOLIO_PORT", service["port"], most=65535)
    return service


def _whole(environment: Mapping[str, str], name: str, default: int, *, most: int) -> int:
    given = environment.get(name) or str(default)
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise ConfigError(f"{name}={given!r}: expected a whole number from 1 to {most}.")
    return int(given)


def create_app() -> Any:
    """Build the API of ``CAREFOLIO_APP`` behind a bounded queue.

    Returns
    -------
    ASGIApp
        The guarded app.

    Raises
    ------
    ConfigError
        If the factory cannot be found, or a setting does not fit.
    """
    from container_scaling.admission import BoundedQueue

    target = str(read_service(os.environ)["run"]["app"])
    module, _, factory = target.partition(":")
    if not factory:
        raise ConfigError(f"CAREFOLIO_APP={target!r}: expected package.module:factory.")
    app = getattr(importlib.import_module(module), factory)()
    gc.collect()
    gc.freeze()  # what is loaded by now stays; going through it at every full collection stopped the answers for a tenth of a second
    return BoundedQueue(app, limit=_whole(os.environ, "CAREFOLIO_QUEUE_LIMIT", QUEUE_LIMIT, most=CONNECTIONS),
                        registry=app.state.metrics.registry)


def main() -> None:
    """Serve until SIGTERM; requests that are let in by then are answered first."""
    try:
        service = read_service(os.environ)
        workers = _whole(os.environ, "CAREFOLIO_WORKERS", 1, most=64)
    except ConfigError as error:
        raise SystemExit(f"error: {error}") from None
    run = service["run"]
    if "module" in run:
        os.execv(sys.executable, [sys.executable, "-m", run["module"], *run.get("arguments", [])])  # noqa: S606 - from the image itself
    import uvicorn

    host = os.environ.get("CAREFOLIO_HOST", "127.0.0.1")
    uvicorn.run("container_scaling.server:create_app", factory=True, host=host, port=service["port"], workers=workers, log_level="info",
                access_log=False, limit_concurrency=CONNECTIONS, timeout_graceful_shutdown=DRAIN_S, server_header=False)


if __name__ == "__main__":
    main()
