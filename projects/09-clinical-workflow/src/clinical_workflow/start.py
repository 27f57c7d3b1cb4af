"""Starts the parts by hand: the charts' server, the hospital, the switch and the monitor from the command line."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from carefolio.config import project_home
from carefolio.exceptions import ConfigError
from clinical_workflow.config import CONFIG_VARIABLE, FOLDER, PROJECT
from clinical_workflow.hospital.node_server import install_node_server, run_node_server

Say = Callable[[str], None]


def outputs() -> Path:
    """Find the folder of what this chapter writes.

    Returns
    -------
    Path
        ``outputs/clinical_workflow`` at the top of the repository.
    """
    return project_home(FOLDER).parents[1] / "outputs" / PROJECT


def open_charts(server: str, stack: ExitStack, *, say: Say, folder: Path | None = None) -> str | None:
    """Start the server that keeps the charts.

    Parameters
    ----------
    server : {"auto", "node", "stand-in"}
        Which; ``auto`` takes Node where it can be had.
    stack : ExitStack
        Ends it.
    say : callable
        Told which it is.
    folder : Path, optional
        Where Node's packages are.

    Returns
    -------
    str or None
        Its address; None for the stand-in, which lives inside the hospital.

    Raises
    ------
    ConfigError
        If Node is asked for and cannot be had.
    """
    if server == "stand-in":
        return None
    folder = folder or outputs() / "fhir_server"
    if not install_node_server(folder, say=say):
        if server == "node":
            raise ConfigError("Medplum's FHIR server needs node and npm on the PATH and npm's registry; use --server stand-in without.")
        return None
    return stack.enter_context(run_node_server(folder))


def serve_hospital(port: int, config: Path | None, charts: str | None) -> None:
    """Open the hospital until it is stopped.

    Parameters
    ----------
    port : int
        Port on the loopback address; must be that of ``hospital.base_url``.
    config : Path, optional
        TOML laid over the defaults.
    charts : str, optional
        Address of the FHIR server.
    """
    from carefolio.command import serve_app
    from clinical_workflow.hospital.app import SERVER_VARIABLE

    os.environ.update({CONFIG_VARIABLE: str(config.resolve())} if config else {})
    os.environ.update({SERVER_VARIABLE: charts} if charts else {})
    serve_app("clinical_workflow.hospital.app:create_app", host="127.0.0.1", port=port)


def turn_switch(mode: str, service: str, why: str, config: Path | None) -> dict[str, str]:
    """Move the switch from the command line.

    Parameters
    ----------
    mode : {"off", "shadow", "show"}
        To what.
    service : str
        One, or ``"all"``.
    why : str
        Goes into the ledger.
    config : Path, optional
        TOML laid over the defaults.

    Returns
    -------
    dict of str to str
        How every service stands now.

    Raises
    ------
    ConfigError
        If there is no such service, or the gate says no.
    """
    from fastapi import HTTPException

    from clinical_workflow.api import SwitchRequest, move_switch, read_settings, state_folder
    from clinical_workflow.cds.ledger import Ledger

    os.environ.update({CONFIG_VARIABLE: str(config.resolve())} if config else {})
    ledger = Ledger(state_folder())
    try:
        wanted = SwitchRequest.model_validate({"mode": mode, "service": service, "why": why})
        return dict(move_switch(ledger, state_folder(), wanted, read_settings()))
    except HTTPException as error:
        raise ConfigError(str(error.detail)) from None
    finally:
        ledger.close()


def monitor_lines(config: Path | None) -> list[str]:
    """Say how the services do.

    Parameters
    ----------
    config : Path, optional
        TOML laid over the defaults.

    Returns
    -------
    list of str
        Two lines a service.
    """
    from clinical_workflow.api import read_settings, state_folder
    from clinical_workflow.cds.ledger import Ledger
    from clinical_workflow.cds.monitor import gate, monitor
    from clinical_workflow.cds.services import SERVICES
    from clinical_workflow.cds.switch import mode_of, read_modes

    os.environ.update({CONFIG_VARIABLE: str(config.resolve())} if config else {})
    settings, folder = read_settings(), state_folder()
    ledger, modes, lines = Ledger(folder), read_modes(folder), []
    for name in SERVICES:
        seen, against = monitor(ledger, name), gate(ledger, name, settings.gate)
        p95 = "-" if seen.p95_ms is None else f"{seen.p95_ms:.0f} ms"
        lines += [f"{name}: {mode_of(name, modes)}, {seen.calls} calls, {seen.failed} failed, p95 {p95}, {seen.alerts_per_100:.1f} alerts "
                  f"per 100 calls, {seen.shown} cards shown, {seen.accepted} accepted, {seen.overridden} put aside",
                  f"  gate: {'; '.join(against) or 'open'}"]
    ledger.close()
    return lines


def governance_problems(config: Path | None) -> list[str]:
    """Check the governance files, and run the tests that they name.

    Parameters
    ----------
    config : Path, optional
        TOML laid over the defaults.

    Returns
    -------
    list of str
        What does not hold; empty if all does.
    """
    from carefolio.config import load_config
    from clinical_workflow.config import WorkflowSettings
    from clinical_workflow.governance.check import check_governance
    from clinical_workflow.governance.reading import read_governance

    settings = load_config(WorkflowSettings, PROJECT, file=config)
    return check_governance(read_governance(), settings, root=project_home(FOLDER).parents[1])
