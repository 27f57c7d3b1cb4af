"""The whole loop as processes on this machine: the other chapters' APIs, decision support, the hospital and its FHIR server.

Every chapter is started by its own command, in its own process, as it would run in its own container; nothing of it is imported.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.artefacts import write_json, write_text
from carefolio.local_server import free_port, run_server
from carefolio.serving.settings import new_api_key
from clinical_workflow.config import CONFIG_VARIABLE, STATE_VARIABLE, ClientSettings
from clinical_workflow.hospital.app import BACKEND_VARIABLE, SERVER_VARIABLE
from clinical_workflow.smart.assertions import new_key, public_keys

COMMANDS = {"readmission": ("readmission", "readmission"), "notes": ("notes_summarizer", "notes"), "retinopathy": ("retinopathy",
                                                                                                                   "retinopathy")}
"""API to the package and the command that serve it."""
START_TIMEOUT_S = 240.0
Say = Callable[[str], None]


@dataclass(frozen=True)
class Loop:
    """Addresses and keys of a loop that runs.

    Attributes
    ----------
    cds, hospital : str
        Addresses of decision support and of the hospital.
    cds_key : str
        Key for the switch and the monitor.
    backend_key : joserfc key
        Private key of the screening service.
    folder : Path
        Settings, ledger, switch.
    models : dict of str to str
        Addresses of the chapters' APIs that run.
    """

    cds: str
    hospital: str
    cds_key: str
    backend_key: Any
    folder: Path
    models: dict[str, str]

    @property
    def settings_file(self) -> Path:
        """Name the settings with which it runs.

        Returns
        -------
        Path
            A TOML file.
        """
        return self.folder / "loop.toml"

    @property
    def state(self) -> Path:
        """Name the folder of ledger and switch.

        Returns
        -------
        Path
            Below the loop's folder.
        """
        return self.folder / "state"


def serve_command(api: str, port: int) -> list[str]:
    """Write the command that serves another chapter.

    Parameters
    ----------
    api : {"readmission", "notes", "retinopathy"}
        Which.
    port : int
        Port on the loopback address.

    Returns
    -------
    list of str
        Program and arguments; authentication is off, which only loopback allows.
    """
    package, command = COMMANDS[api]
    return [sys.executable, "-c", f"import sys; from {package}.cli import main; sys.argv[0] = {command!r}; main()", "serve", "--no-auth",
            "--port", str(port)]


@contextmanager
def run_chapter(api: str) -> Iterator[str]:
    """Serve another chapter.

    Parameters
    ----------
    api : {"readmission", "notes", "retinopathy"}
        Which.

    Yields
    ------
    str
        Its address.
    """
    port = free_port()
    with run_server(serve_command(api, port), ready_url=f"http://127.0.0.1:{port}/health/ready", timeout_s=START_TIMEOUT_S,
                    env={"CAREFOLIO_REQUESTS_PER_MINUTE": "1000000"}) as address:
        yield address


@contextmanager
def run_loop(folder: Path, *, models: Mapping[str, str], charts: str | None = None, over: Sequence[str] = (), app_url: str = "",
             clients: Sequence[ClientSettings] = ()) -> Iterator[Loop]:
    """Start decision support and the hospital.

    Parameters
    ----------
    folder : Path
        For settings, ledger and switch.
    models : mapping of str to str
        Addresses of the chapters' APIs; ``champion`` among them is the registry's.
    charts : str, optional
        Address of a FHIR server; the stand-in by default.
    over : sequence of str, optional
        Further lines of TOML, such as ``"data.bundles = 2"``.
    app_url : str, optional
        Where the dashboard is, for the launch.
    clients : sequence of ClientSettings, optional
        Who may call beside the hospital.

    Yields
    ------
    Loop
        Addresses and keys.
    """
    cds_port, hospital_port = free_port(), free_port()
    key, key_hash = new_api_key()
    backend = new_key("screening-1")
    loop = Loop(f"http://127.0.0.1:{cds_port}", f"http://127.0.0.1:{hospital_port}", key, backend, folder, dict(models))
    _write_settings(loop, over, app_url, clients)
    write_json(folder / "backend_keys.json", public_keys(backend))
    common = {CONFIG_VARIABLE: str(loop.settings_file), STATE_VARIABLE: str(loop.state), "CAREFOLIO_API_KEYS": key_hash,
              "CAREFOLIO_AUTH": "on",
              "CAREFOLIO_AUDIT_LOG": str(folder / "cds_audit.jsonl")}
    hospital = {CONFIG_VARIABLE: str(loop.settings_file), BACKEND_VARIABLE: str(folder / "backend_keys.json"),
                SERVER_VARIABLE: charts or ""}
    with ExitStack() as stack:
        stack.enter_context(run_server(_uvicorn("clinical_workflow.api:create_app", cds_port), ready_url=f"{loop.cds}/health/ready",
                                       env=common,
                                       timeout_s=START_TIMEOUT_S))
        stack.enter_context(run_server(_uvicorn("clinical_workflow.hospital.app:create_app", hospital_port),
                                       ready_url=f"{loop.hospital}/health",
                                       env=hospital, timeout_s=START_TIMEOUT_S))
        yield loop


def _uvicorn(app: str, port: int) -> list[str]:
    return [sys.executable, "-m", "uvicorn", app, "--factory", "--host", "127.0.0.1", "--port", str(port), "--no-access-log",
            "--no-server-header"]


def _write_settings(loop: Loop, over: Sequence[str], app_url: str, clients: Sequence[ClientSettings]) -> None:
    app = app_url or "http://127.0.0.1:8509/"
    own = ClientSettings(issuer=loop.hospital, jku=f"{loop.hospital}/auth/jwks.json", fhir_servers=(f"{loop.hospital}/fhir",))
    lines = [*over, f'cds.base_url = "{loop.cds}"', f'cds.allowed_origins = ["{loop.hospital}"]', f'cds.app_launch_url = "{app}"',
             f'hospital.base_url = "{loop.hospital}"', f'hospital.cds_url = "{loop.cds}"', f'hospital.app_url = "{app}"',
             *(f'models.{name} = "{address}"' for name, address in loop.models.items())]
    for client in (own, *clients):
        servers = ", ".join(f'"{server}"' for server in client.fhir_servers)
        lines += ["[[cds.clients]]", f'issuer = "{client.issuer}"', f'jku = "{client.jku}"', f"fhir_servers = [{servers}]"]
    write_text(loop.settings_file, "\n".join(lines) + "\n")
