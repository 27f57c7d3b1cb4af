"""The stack of ``docker/compose.yaml`` on this machine: makes its secrets once, starts it, waits for health, stops it."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from carefolio.artefacts import write_text
from carefolio.chapters import repository_root
from carefolio.exceptions import ProviderError
from carefolio.serving.settings import new_api_key
from container_scaling import engine

Say = Callable[[str], None]
START_S = 3600.0
NAME = "carefolio"


def secrets_file() -> Path:
    """Find the file of secrets, and make it where there is none.

    Returns
    -------
    Path
        ``outputs/container_scaling/stack.env``, readable by this user alone. ``API_KEY`` in it is what a client sends; the service gets its
        hash.
    """
    path = repository_root() / "outputs" / "container_scaling" / "stack.env"
    if not path.is_file():
        key, key_hash = new_api_key()
        values = {"API_KEY": key, "CAREFOLIO_API_KEYS": key_hash, "MLFLOW_DATABASE_PASSWORD": secrets.token_hex(24),
                  "GRAFANA_PASSWORD": secrets.token_hex(24)}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        write_text(path, "".join(f"{name}={value}\n" for name, value in values.items()))
        path.chmod(0o600)
    return path


def compose_command() -> list[str]:
    """Find Docker Compose: the client's plugin, or the program of its own.

    Returns
    -------
    list of str
        What stands before the arguments.

    Raises
    ------
    ProviderError
        If there is neither, or no engine.
    """
    client = engine.docker()
    if subprocess.run([client, "compose", "version"], capture_output=True, check=False).returncode == 0:
        return [client, "compose"]
    if found := shutil.which("docker-compose"):
        return [found]
    raise ProviderError("Docker Compose is not installed; install the plugin docker-compose-v2, or Debian's docker-compose.")


def compose(arguments: Sequence[str], *, timeout_s: float = 300.0) -> None:
    """Run one compose command on the stack, its output where the user sees it.

    Parameters
    ----------
    arguments : sequence of str
        After the file.
    timeout_s : float, default 300
        Seconds.

    Raises
    ------
    ProviderError
        If it fails.
    """
    root = repository_root()
    command = [*compose_command(), "--project-name", NAME, "--file", str(root / "docker" / "compose.yaml"), "--env-file",
    str(secrets_file())]
    done = subprocess.run([*command, *arguments], check=False, timeout=timeout_s, cwd=root,
                          env={**os.environ, "DOCKER_BUILDKIT": "1", "COMPOSE_DOCKER_CLI_BUILD": "1"})
    if done.returncode:
        raise ProviderError(f"docker compose {' '.join(arguments)} ended with status {done.returncode}; its output stands above.")


def up(services: Sequence[str] = (), *, say: Say = print) -> None:
    """Start the stack and say where it is.

    Parameters
    ----------
    services : sequence of str, optional
        Only these and what they need.
    say : callable
        Told the addresses.
    """
    compose(["up", "--detach", *services], timeout_s=START_S)
    say(f"API at http://127.0.0.1:8080, key in {secrets_file()}; Grafana :3000, Prometheus :9090, MLflow :5000, hub :8501, loopback only. "
        "Stop with `scaling stack down`.")


def down(services: Sequence[str] = (), *, say: Say = print) -> None:
    """Stop the stack; its volumes stay.

    Parameters
    ----------
    services : sequence of str, optional
        Not needed.
    say : callable
        Told the end.
    """
    compose(["down", "--remove-orphans"])
    say("stopped; the data of MLflow stays in its volume")


def status(services: Sequence[str] = (), *, say: Say = print) -> None:
    """Show what runs.

    Parameters
    ----------
    services : sequence of str, optional
        Only these.
    say : callable
        Not needed.
    """
    compose(["ps", *services])
