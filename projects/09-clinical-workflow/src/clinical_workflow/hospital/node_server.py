"""Installs and starts Medplum's FHIR server on Node, where node and npm are on the PATH."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from carefolio.artefacts import write_text
from carefolio.local_server import free_port, run_server

FILES = ("package.json", "server.mjs")
INSTALL_TIMEOUT_S = 300
Say = Callable[[str], None]


def install_node_server(folder: Path, *, say: Say = lambda text: None) -> bool:
    """Install the server.

    Parameters
    ----------
    folder : Path
        Where its packages are put, about 100 MB; done already if they are there.
    say : callable, optional
        Told what is done, and why not.

    Returns
    -------
    bool
        False where node or npm is not on the PATH, or npm cannot have the packages.
    """
    for name in FILES:
        write_text(folder / name, files("clinical_workflow.hospital.fhir_server").joinpath(name).read_text(encoding="utf-8"))
    if (folder / "node_modules" / "@medplum" / "fhir-router").is_dir() and shutil.which("node"):
        return True
    if not (shutil.which("node") and shutil.which("npm")):
        say("node and npm are not on the PATH: the stand-in keeps the charts")
        return False
    say("installing Medplum's FHIR server (npm, about 100 MB, once)")
    command = ["npm", "install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund", "--silent"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=INSTALL_TIMEOUT_S, check=False)
        installed = done.returncode == 0
    except subprocess.TimeoutExpired:
        installed = False
    if not installed:
        say("npm could not install it: the stand-in keeps the charts")
    return installed


@contextmanager
def run_node_server(folder: Path) -> Iterator[str]:
    """Start the installed server.

    Parameters
    ----------
    folder : Path
        As `install_node_server` filled it.

    Yields
    ------
    str
        Its address on loopback; its charts end with the block.
    """
    port = free_port()
    command = ["node", str(folder / "server.mjs"), str(port)]
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health") as address:
        yield address
