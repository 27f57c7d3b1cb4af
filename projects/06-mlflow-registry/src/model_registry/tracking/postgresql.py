"""A PostgreSQL of one's own on the loopback address, for tests and measurements: Debian's programs, a random password, gone afterwards."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from carefolio.exceptions import ConfigError
from carefolio.local_server import free_port

DEBIAN = Path("/usr/lib/postgresql")
USER = "carefolio"
SERVER_USER = "postgres"
"""Who runs the server where root starts it; PostgreSQL refuses to run as root."""
START_TIMEOUT_S = 60.0


def find_program(name: str) -> str | None:
    """Find a program of PostgreSQL where Debian puts it, or on the PATH.

    Parameters
    ----------
    name : str
        Such as ``"initdb"``.

    Returns
    -------
    str or None
        Of the newest version; None where PostgreSQL is not installed.
    """
    found = [str(path) for path in sorted(DEBIAN.glob(f"*/bin/{name}"))]
    return found[-1] if found else shutil.which(name)


@contextmanager
def run_postgresql() -> Iterator[str]:
    """Make a database in a temporary folder, serve it, and remove it with the block.

    Yields
    ------
    str
        Address with a password that nobody else knows.

    Raises
    ------
    ConfigError
        If PostgreSQL is not installed, or does not start.
    """
    initdb, server = find_program("initdb"), find_program("postgres")
    if initdb is None or server is None:
        raise ConfigError("PostgreSQL is not installed; `apt-get install postgresql` brings it.")
    user: dict[str, Any] = {"user": SERVER_USER, "group": SERVER_USER, "extra_groups": []} if os.geteuid() == 0 else {}
    home, password, port = Path(tempfile.mkdtemp(prefix="registry-pg-")), secrets.token_hex(16), free_port()
    try:
        secret = home / "password"
        secret.write_text(password)
        if user:
            for path in (home, secret):
                shutil.chown(path, SERVER_USER, SERVER_USER)
        made = [initdb, "-D", str(home / "data"), "-U", USER, "--auth=scram-sha-256", "--no-sync", f"--pwfile={secret}"]
        subprocess.run(made, check=True, capture_output=True, cwd=home, **user)
        command = [server, "-D", str(home / "data"), "-h", "127.0.0.1", "-p", str(port), "-k", str(home)]
        process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **user)
        try:
            wait_for_port(process, port)
            yield f"postgresql://{USER}:{password}@127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
            process.wait(timeout=START_TIMEOUT_S)
    finally:
        shutil.rmtree(home)


def wait_for_port(process: "subprocess.Popen[bytes]", port: int) -> None:
    """Wait until a process listens on the loopback address.

    Parameters
    ----------
    process : subprocess.Popen
        The process.
    port : int
        Where it shall listen.

    Raises
    ------
    ConfigError
        If it ends first, or does not listen in time.
    """
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise ConfigError(f"nothing listens on port {port} of 127.0.0.1 after {START_TIMEOUT_S:.0f} s; the status of what was started is "
                      f"{process.poll()}.")
