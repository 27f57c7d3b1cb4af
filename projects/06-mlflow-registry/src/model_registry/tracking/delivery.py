"""From the journals to the server: what it acknowledged is not sent again, what it did not take stays where it is.

Delivery is at least once. A metric carries the time of its measurement and is stored once however often it comes; a run carries the key
of its journal, by which it is found again if the answer to its creation was lost.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from carefolio.tracking import TrackingError, find_or_create_experiment, tracking_client
from model_registry.tracking.journal import list_journals, read_entries, read_state, waiting, write_state

KEY_TAG = "carefolio.journal"
LOCK_FILE = "delivery.lock"
METRICS_A_CALL, PARAMETERS_A_CALL = 1000, 100
DIGEST_LENGTH = 36
"""MLflow stores no more of a digest; the whole hash stands in the input's tag ``sha256``."""


@dataclass(frozen=True)
class Delivery:
    """How many entries the server took, how many wait, and why."""

    delivered: int
    left: int
    reason: str = ""


def deliver(folder: Path, tracking_uri: str) -> Delivery:
    """Send what was not yet sent; where the server does not take it, keep it and say why.

    Parameters
    ----------
    folder : Path
        Holds the journals of a search.
    tracking_uri : str
        Address of the server, or of a database.

    Returns
    -------
    Delivery
        What came of it. Nothing is raised for a server that is down: a search goes on without it.
    """
    before = waiting(folder)
    if not before:
        return Delivery(0, 0)
    try:
        with _alone(folder), tracking_client(tracking_uri) as client:
            for journal in list_journals(folder):
                _deliver_journal(client, journal, tracking_uri)
    except TrackingError as error:
        left = waiting(folder)
        return Delivery(before - left, left, str(error))
    return Delivery(before, 0)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second process from delivering the same journals; the lock ends with its process, however that ends."""
    with (folder / LOCK_FILE).open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TrackingError(f"another process delivers from {folder} at this moment; try again when it is done.") from None
        yield


def deliver_or_fail(folder: Path, tracking_uri: str) -> Delivery:
    """Send what was not yet sent, and fail if any of it is not taken.

    Parameters
    ----------
    folder : Path
        Holds the journals of a search.
    tracking_uri : str
        Address of the server, or of a database.

    Returns
    -------
    Delivery
        Nothing is left.

    Raises
    ------
    TrackingError
        If something is left; the message names where it waits and how to send it.
    """
    done = deliver(folder, tracking_uri)
    if done.left:
        raise TrackingError(f"{done.left} entries wait in {folder}; nothing is lost. The server said: {done.reason} "
                            f"Once it answers again, run `registry deliver --out {folder.parent}`.")
    return done


def run_id_of(journal: Path) -> str | None:
    """Give the id under which the server knows a run.

    Parameters
    ----------
    journal : Path
        Folder of the journal.

    Returns
    -------
    str or None
        None before it was delivered.
    """
    found: str | None = read_state(journal)["run_id"]
    return found


def _deliver_journal(client: Any, journal: Path, tracking_uri: str) -> None:
    state, entries = read_state(journal), read_entries(journal)
    for (action, _), group in groupby(list(enumerate(entries))[state["delivered"]:], key=_batch_of):
        some = [entry for _, entry in group]
        if action == "create":
            _create(client, journal, state, some[0], tracking_uri)
        else:
            _ACTIONS[action](client, journal, state, some)
        state["delivered"] += len(some)
        write_state(journal, state)


def _batch_of(numbered: tuple[int, dict[str, Any]]) -> tuple[str, int]:
    """Entries of metrics that follow each other go together; any other goes alone."""
    number, entry = numbered
    return entry["do"], -1 if entry["do"] == "metrics" else number


def _create(client: Any, journal: Path, state: dict[str, Any], entry: dict[str, Any], tracking_uri: str) -> None:
    experiment = find_or_create_experiment(client, entry["experiment"], tracking_uri)
    if state["tried"]:
        found = client.search_runs([experiment], f"tags.`{KEY_TAG}` = '{journal.name}'", max_results=1)
        if found:
            state["run_id"] = found[0].info.run_id
            return
    write_state(journal, state | {"tried": True})
    tags = entry["tags"] | {KEY_TAG: journal.name}
    if entry["parent"]:
        tags["mlflow.parentRunId"] = read_state(journal.with_name(entry["parent"]))["run_id"]
    state["run_id"] = client.create_run(experiment, start_time=entry["time_ms"], run_name=entry["name"], tags=tags).info.run_id
    state["tried"] = True


def _send_parameters(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    from mlflow.entities import Param

    values = [Param(name, value) for entry in entries for name, value in entry["values"].items()]
    for start in range(0, len(values), PARAMETERS_A_CALL):
        client.log_batch(state["run_id"], params=values[start:start + PARAMETERS_A_CALL])


def _send_metrics(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    from mlflow.entities import Metric

    values = [Metric(name, value, stamp, step) for entry in entries for name, value, step, stamp in entry["values"]]
    for start in range(0, len(values), METRICS_A_CALL):
        client.log_batch(state["run_id"], metrics=values[start:start + METRICS_A_CALL])


def _send_tags(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    from mlflow.entities import RunTag

    client.log_batch(state["run_id"], tags=[RunTag(name, value) for entry in entries for name, value in entry["values"].items()])


def _send_input(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    for entry in entries:
        data = entry["dataset"]
        dataset = Dataset(name=data["name"], digest=data["sha256"][:DIGEST_LENGTH], source_type="local", source=data["source"],
                          profile=data["profile"])
        tags = [InputTag("mlflow.data.context", entry["context"]), InputTag("sha256", data["sha256"])]
        client.log_inputs(state["run_id"], datasets=[DatasetInput(dataset, tags)])


def _send_file(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    for entry in entries:
        client.log_artifact(state["run_id"], str(journal / entry["file"]), entry["folder"] or None)


def _send_model(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    from mlflow.entities import LoggedModelOutput

    experiment = client.get_run(state["run_id"]).info.experiment_id
    for entry in entries:
        model = client.create_logged_model(experiment, name=entry["name"], source_run_id=state["run_id"], tags=entry["tags"])
        client.log_model_artifacts(model.model_id, str(journal / entry["folder"]))
        client.finalize_logged_model(model.model_id, "READY")
        client.log_outputs(state["run_id"], [LoggedModelOutput(model.model_id, 0)])
        client.set_tag(state["run_id"], "carefolio.model_id", model.model_id)
        state["model_id"] = model.model_id


def _send_end(client: Any, journal: Path, state: dict[str, Any], entries: Sequence[dict[str, Any]]) -> None:
    client.set_terminated(state["run_id"], status=entries[0]["status"], end_time=entries[0]["time_ms"])


_ACTIONS = {"parameters": _send_parameters, "metrics": _send_metrics, "tags": _send_tags, "input": _send_input, "file": _send_file,
            "model": _send_model, "end": _send_end}
