"""Which folder and which address a verb means where none is given."""

import os
from http.client import HTTPException
from pathlib import Path

from carefolio.config import project_home
from carefolio.exceptions import ConfigError
from carefolio.local_server import ask_server
from model_registry.names import DEFAULT_SERVER, FOLDER, PROJECT, URI_VARIABLE

PATIENCE_S = 1.0


def outputs() -> Path:
    """Give the folder in which this chapter keeps what is not committed.

    Returns
    -------
    Path
        ``outputs/model_registry`` at the top of the repository.
    """
    return project_home(FOLDER).parents[1] / "outputs" / PROJECT


def server_folder() -> Path:
    """Give the folder of the server's database.

    Returns
    -------
    Path
        Below `outputs`.
    """
    return outputs() / "server"


def last_run() -> Path:
    """Find the run that was made last.

    Returns
    -------
    Path
        ``full`` or ``quick`` below `outputs`.

    Raises
    ------
    ConfigError
        If there is none.
    """
    runs = [path for path in (outputs() / "full", outputs() / "quick") if (path / "journal").is_dir()]
    if not runs:
        raise ConfigError(f"there is no run in {outputs()}; make one with `registry run --quick`, or name its folder with --out.")
    return max(runs, key=lambda path: (path / "journal").stat().st_mtime)


def address_for(given: str | None, out: Path | None) -> str:
    """Work out the address that a verb means.

    Parameters
    ----------
    given : str, optional
        Wins over everything.
    out : Path, optional
        Folder of a run, whose database is meant.

    Returns
    -------
    str
        Given; else the folder's database; else ``$MLFLOW_TRACKING_URI``; else the server of `registry up` if it answers; else the database
        of the last run.

    Raises
    ------
    ConfigError
        If there is neither server nor run.
    """
    from model_registry.tracking.server import DATABASE_FILE, sqlite_uri

    if given:
        return given
    if out is None and os.environ.get(URI_VARIABLE):
        return os.environ[URI_VARIABLE]
    if out is None and answers(DEFAULT_SERVER):
        return DEFAULT_SERVER
    folder = out or last_run()
    if not (folder / DATABASE_FILE).is_file():
        raise ConfigError(f"there is no database in {folder}; its run was recorded elsewhere. Name the server with --tracking-uri.")
    return sqlite_uri(folder)


def answers(address: str) -> bool:
    """Say whether a tracking server answers at an address on this machine; another program may hold its port.

    Parameters
    ----------
    address : str
        ``http://host:port``.

    Returns
    -------
    bool
        True if it says that it is well.
    """
    try:
        return ask_server(f"{address}/health", timeout_s=PATIENCE_S).strip() == b"OK"
    except (OSError, HTTPException):
        return False
