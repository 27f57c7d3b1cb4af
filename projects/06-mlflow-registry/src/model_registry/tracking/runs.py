"""Runs as the server has them: what a leaderboard, a comparison and a reproduction read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.artefacts import read_json
from carefolio.tracking import tracking_client
from model_registry.tracking.errors import RegistryError

RECORD_FOLDER, RECORD_FILE = "record", "record.json"
NESTED_TAG = "mlflow.parentRunId"


@dataclass(frozen=True)
class RunRecord:
    """One run: id, name, experiment, status, parameters, metrics, tags, data sets (name to SHA-256), and its parent's id."""

    run_id: str
    name: str
    experiment: str
    status: str
    parameters: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]
    inputs: dict[str, str]
    parent: str | None


def read_run(tracking_uri: str, run_id: str) -> RunRecord:
    """Read a run.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    run_id : str
        Its id.

    Returns
    -------
    RunRecord
        The run.

    Raises
    ------
    RegistryError
        If there is none.
    """
    with tracking_client(tracking_uri) as client:
        return _record(client, get_run(client, run_id))


def list_runs(tracking_uri: str, experiment: str, *, nested: bool | None = None) -> list[RunRecord]:
    """List the runs of an experiment.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    experiment : str
        Its name.
    nested : bool, optional
        Only trials (True) or only searches (False).

    Returns
    -------
    list of RunRecord
        The newest first; empty if there is no such experiment.
    """
    with tracking_client(tracking_uri) as client:
        found = client.get_experiment_by_name(experiment)
        runs: list[Any] = []
        token = None
        while found is not None:
            page = client.search_runs([found.experiment_id], max_results=1000, page_token=token)
            runs += page
            token = page.token
            if not token:
                break
        records = [_record(client, run, experiment) for run in runs]
    return [record for record in records if nested is None or (record.parent is not None) == nested]


def read_record(tracking_uri: str, run_id: str, folder: Path) -> tuple[dict[str, Any], Path]:
    """Fetch what a search kept to be made again.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    run_id : str
        Id of the search.
    folder : Path
        Receives the files.

    Returns
    -------
    record : dict
        What ``record.json`` holds.
    files : Path
        The folder with everything that was kept beside it.

    Raises
    ------
    RegistryError
        If the run kept no record.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tracking_client(tracking_uri) as client:
        if RECORD_FOLDER not in [item.path for item in client.list_artifacts(run_id)]:
            raise RegistryError(f"run {run_id} kept no {RECORD_FOLDER}/{RECORD_FILE}; only runs of `registry search` can be made again.")
        files = Path(client.download_artifacts(run_id, RECORD_FOLDER, str(folder)))
    return read_json(files / RECORD_FILE), files


def get_run(client: Any, run_id: str) -> Any:
    """Ask for a run.

    Parameters
    ----------
    client : mlflow.MlflowClient
        From `carefolio.tracking.tracking_client`.
    run_id : str
        Its id.

    Returns
    -------
    mlflow.entities.Run
        The run.

    Raises
    ------
    RegistryError
        If there is none.
    """
    from mlflow.exceptions import MlflowException

    try:
        return client.get_run(run_id)
    except MlflowException as error:
        if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        raise RegistryError(f"there is no run {run_id!r} there; `registry show` lists the runs.") from None


def _record(client: Any, run: Any, experiment: str | None = None) -> RunRecord:
    inputs = {item.dataset.name: next((tag.value for tag in item.tags if tag.key == "sha256"), item.dataset.digest)
              for item in run.inputs.dataset_inputs}
    return RunRecord(run.info.run_id, run.info.run_name, experiment or client.get_experiment(run.info.experiment_id).name, run.info.status,
                     dict(run.data.params), dict(run.data.metrics), dict(run.data.tags), inputs, run.data.tags.get(NESTED_TAG))
