"""Finished runs into MLflow: the only file that imports it, and nothing happens where no tracking address is given.

A run is logged once, after it ended, from what the evidence holds; training code stays free of the tracking client. MLflow's own
usage reporting is turned off.
"""

import importlib.util
import logging
import math
import os
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from carefolio.exceptions import ArtefactError, CarefolioError, ConfigError

CONNECT_TIMEOUT_S = 3.0
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true", "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
         "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
BOUNDED = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2", "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1", "MLFLOW_HTTP_REQUEST_TIMEOUT": "20"}
_PARAMETERS_A_CALL = 100
_METRICS_A_CALL = 1000


class TrackingError(CarefolioError):
    """The tracking server cannot be reached or refuses the run."""

    exit_code = 10


def available() -> bool:
    """Say whether MLflow is installed.

    Returns
    -------
    bool
        True if it can be imported; it is not imported for the answer.
    """
    return importlib.util.find_spec("mlflow") is not None


def log_run(*, tracking_uri: str | None, experiment: str, run_name: str, parameters: Mapping[str, Any], metrics: Mapping[str, float],
            artefacts: Sequence[Path] = (), tags: Mapping[str, str] | None = None) -> str | None:
    """Log a finished run.

    Parameters
    ----------
    tracking_uri : str, optional
        ``http(s)://…`` of a server or ``sqlite:///file.db``; with None nothing happens.
    experiment : str
        Name of the experiment; made if there is none.
    run_name : str
        Name of the run.
    parameters : mapping
        Settings of the run; values are stored as text.
    metrics : mapping of str to float
        Finite values by metric id; dots in an id are kept.
    artefacts : sequence of Path, optional
        Files to store with the run.
    tags : mapping of str to str, optional
        Tags of the run, such as the commit.

    Returns
    -------
    str or None
        The run's id, or None without a tracking address.

    Raises
    ------
    ConfigError
        If MLflow is not installed.
    ArtefactError
        If a file is missing.
    TrackingError
        If the server cannot be reached within seconds, or refuses. A run that had begun is marked as failed.
    """
    if tracking_uri is None:
        return None
    _check_inputs(metrics, artefacts)
    with tracking_client(tracking_uri) as client:
        found = find_or_create_experiment(client, experiment, tracking_uri)
        run_id = client.create_run(found, run_name=run_name, tags=dict(tags or {})).info.run_id
        _fill_run(client, run_id, parameters, metrics, artefacts)
    return str(run_id)


@contextmanager
def tracking_client(tracking_uri: str) -> Iterator[Any]:
    """Give MLflow's client with bounded patience; what MLflow raises inside the block becomes one line.

    Parameters
    ----------
    tracking_uri : str
        ``http(s)://…`` of a server or ``sqlite:///file.db``.

    Yields
    ------
    mlflow.MlflowClient
        A client of that address.

    Raises
    ------
    ConfigError
        If MLflow is not installed.
    TrackingError
        If the server cannot be reached within seconds, or refuses.
    """
    if not available():
        raise ConfigError('a tracking address is given but MLflow is not installed; run `pip install "carefolio[tracking]"`.')
    shown = _without_secrets(tracking_uri)
    _check_reachable(tracking_uri, shown)
    with _environment(QUIET | {name: os.environ.get(name, value) for name, value in BOUNDED.items()}):
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException

        for name in ("alembic", "mlflow.store.db.utils", "mlflow.store.model_registry.abstract_store"):
            logging.getLogger(name).setLevel(logging.WARNING)
        try:
            yield MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)
        except (MlflowException, OSError) as error:
            reason = " ".join(str(error).replace(tracking_uri, shown).split())[:300]
            raise TrackingError(f"tracking at {shown} failed: {reason}. Nothing else was lost; correct it and log the run again.") from None


def _fill_run(client: Any, run_id: str, parameters: Mapping[str, Any], metrics: Mapping[str, float], artefacts: Sequence[Path]) -> None:
    from mlflow.entities import Metric, Param
    from mlflow.exceptions import MlflowException

    now_ms = int(time.time() * 1000)
    try:
        for some in _slices(parameters, _PARAMETERS_A_CALL):
            client.log_batch(run_id, params=[Param(name, str(value)) for name, value in some])
        for some in _slices(metrics, _METRICS_A_CALL):
            client.log_batch(run_id, metrics=[Metric(name, float(value), now_ms, 0) for name, value in some])
        for path in artefacts:
            client.log_artifact(run_id, str(path))
    except (MlflowException, OSError):
        with suppress(MlflowException, OSError):
            client.set_terminated(run_id, status="FAILED")
        raise
    client.set_terminated(run_id, status="FINISHED")


def _slices(items: Mapping[str, Any], size: int) -> Iterator[list[tuple[str, Any]]]:
    rest = iter(items.items())
    while some := list(islice(rest, size)):
        yield some


def find_or_create_experiment(client: Any, name: str, tracking_uri: str) -> str:
    """Find an experiment by its name, or make it.

    Parameters
    ----------
    client : mlflow.MlflowClient
        From `tracking_client`.
    name : str
        Name of the experiment.
    tracking_uri : str
        The client's address.

    Returns
    -------
    str
        Its id.
    """
    found = client.get_experiment_by_name(name)
    if found is not None:
        return str(found.experiment_id)
    location = None
    if tracking_uri.startswith("sqlite:///"):
        # Without a server MLflow would put files below the working directory; beside the database they stay together.
        location = (Path(tracking_uri.removeprefix("sqlite:///")).absolute().parent / "mlartifacts").as_uri()
    return str(client.create_experiment(name, artifact_location=location))


def _check_inputs(metrics: Mapping[str, float], artefacts: Sequence[Path]) -> None:
    for name, value in metrics.items():
        if not math.isfinite(value):
            raise ValueError(f"metric {name} must be finite, got {value}; leave it out where it is not defined.")
    for path in artefacts:
        if not path.is_file():
            raise ArtefactError(f"{path} is missing, expected a file to store with the run; run the step that writes it first.")


def _check_reachable(tracking_uri: str, shown: str) -> None:
    parts = urlsplit(tracking_uri)
    if parts.scheme not in ("http", "https"):
        return
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((parts.hostname or "", port), timeout=CONNECT_TIMEOUT_S).close()
    except OSError as error:
        raise TrackingError(f"no tracking server answers at {shown} ({error.strerror or type(error).__name__}); start it with "
                            "`mlflow server`, correct the address, or leave it out to go on without tracking.") from None


def _without_secrets(tracking_uri: str) -> str:
    parts = urlsplit(tracking_uri)
    if parts.scheme in ("sqlite", "file", ""):
        return tracking_uri
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
