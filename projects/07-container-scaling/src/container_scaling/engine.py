"""The container engine on this machine: found or not, and asked through its own command."""

from __future__ import annotations

import functools
import json
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from carefolio.exceptions import ProviderError

PREFERRED = ("/usr/bin/docker", "docker")
TIMEOUT_S = 120.0


@functools.cache
def docker() -> str:
    """Find the client.

    Returns
    -------
    str
        Its path; the distribution's own before others on PATH.

    Raises
    ------
    ProviderError
        If there is none, or no engine answers it.
    """
    found = next((path for name in PREFERRED if (path := shutil.which(name))), None)
    if found is None:
        raise ProviderError("there is no docker on PATH. Install Docker, or run `scaling run`, which needs none.")
    command = [found, "version", "--format", "{{.Server.Version}}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIMEOUT_S)
    if done.returncode or not done.stdout.strip():
        said = (done.stderr or done.stdout).strip()[-300:]
        raise ProviderError(f"no Docker engine answers {found} ({said}). Start it, or run `scaling run`, which needs none.")
    return found


def is_there() -> str:
    """Say why containers cannot be run here.

    Returns
    -------
    str
        Empty if they can.
    """
    try:
        docker()
    except ProviderError as error:
        return str(error)
    return ""


def run(arguments: Sequence[str], *, timeout_s: float = TIMEOUT_S, folder: Path | None = None,
        environment: dict[str, str] | None = None) -> str:
    """Run one docker command.

    Parameters
    ----------
    arguments : sequence of str
        After ``docker``.
    timeout_s : float, default 120
        Seconds.
    folder : Path, optional
        Working directory.
    environment : dict, optional
        Whole environment.

    Returns
    -------
    str
        What it wrote, without the last line break.

    Raises
    ------
    ProviderError
        If it fails; the message has the end of its output.
    """
    done = subprocess.run([docker(), *arguments], capture_output=True, text=True, check=False, timeout=timeout_s, cwd=folder,
    env=environment)
    if done.returncode:
        said = (done.stderr or done.stdout).strip()[-1500:]
        raise ProviderError(f"docker {' '.join(arguments[:3])} … ended with status {done.returncode}: {said}")
    return done.stdout.strip()


def inspect(name: str, *, kind: str = "container") -> dict[str, Any]:
    """Describe a container, image or service.

    Parameters
    ----------
    name : str
        Its name or id.
    kind : str, default "container"
        What it is.

    Returns
    -------
    dict
        As the engine gives it.
    """
    found: list[dict[str, Any]] = json.loads(run(["inspect", "--type", kind, name]) if kind != "service" else run(["service", "inspect",
    name]))
    return found[0]
