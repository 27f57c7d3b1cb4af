"""The registry by aliases: ``champion`` is served, ``challenger`` waits; stages are not used.

What was champion before stands in the registered model's tag ``carefolio.champions``, so that a rollback knows where to go.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carefolio.artefacts import write_text
from carefolio.evidence import utc_now
from carefolio.exceptions import ArtefactError
from carefolio.tracking import tracking_client
from model_registry.names import CARDS, CHALLENGER, CHAMPION
from model_registry.tracking.errors import RegistryError
from model_registry.tracking.models import Loaded, load_model
from model_registry.tracking.runs import get_run

REPORTS, CARD_FILE = "reports", "model_card.md"
HISTORY_TAG, SHA256_TAG, MODEL_TAG = "carefolio.champions", "sha256", "carefolio.model_id"
PRIMARY_TAG, SYNTHETIC_TAG = "carefolio.primary_metric", "carefolio.synthetic"


@dataclass(frozen=True)
class Version:
    """One version of a registered model; ``split`` is the SHA-256 of the split that its ``value`` was measured on."""

    name: str
    version: str
    run_id: str
    aliases: tuple[str, ...]
    sha256: str
    metric: str
    value: float | None
    synthetic: bool
    split: str = ""


def register(tracking_uri: str, name: str, run_id: str) -> Version:
    """Make a version of the model that a run logged, and call it challenger.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    run_id : str
        The run.

    Returns
    -------
    Version
        The new version, or the one that was registered of this run before.

    Raises
    ------
    RegistryError
        If the run is not finished or logged no model.
    """
    from mlflow.exceptions import MlflowException

    with tracking_client(tracking_uri) as client:
        run = get_run(client, run_id)
        model_id = run.data.tags.get(MODEL_TAG)
        if run.info.status != "FINISHED" or model_id is None:
            raise RegistryError(f"run {run_id} is {run.info.status} and logged {'a' if model_id else 'no'} model; only a finished run "
                                "with a model can be registered. `registry show` lists the runs.")
        logged = client.get_logged_model(model_id)
        same = [item for item in client.search_model_versions(f"name = '{name}'") if item.run_id == run_id]
        if same:
            return _describe(client, same[0])
        try:
            client.create_registered_model(name, description="For research and education. Not a medical device.")
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        made = client.create_model_version(name, logged.artifact_location, run_id=run_id, model_id=model_id,
                                           tags={SHA256_TAG: logged.tags[SHA256_TAG]})
        client.set_registered_model_alias(name, CHALLENGER, made.version)
        return _describe(client, client.get_model_version(name, made.version))


def promote(tracking_uri: str, name: str, version: str | None = None, *, force: bool = False) -> Version:
    """Make a version champion.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    version : str, optional
        Which; the challenger by default.
    force : bool, default False
        Also where it does worse than the champion, was judged on other patients, or was made on synthetic data while the champion was not.

    Returns
    -------
    Version
        The champion.

    Raises
    ------
    RegistryError
        If there is no such version, or it is not shown to do as well and ``force`` is not given.
    """
    with tracking_client(tracking_uri) as client:
        chosen = _find(client, name, version or CHALLENGER)
        present = _find_or_none(client, name, CHAMPION)
        if present is not None and present.version == chosen.version:
            return chosen
        if present is not None and not force:
            _refuse_worse(chosen, present)
        _set_champion(client, name, chosen.version, _history(client, name))
        if CHALLENGER in chosen.aliases:
            client.delete_registered_model_alias(name, CHALLENGER)
        return _find(client, name, CHAMPION)


def rollback(tracking_uri: str, name: str) -> Version:
    """Make the champion of before champion again.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.

    Returns
    -------
    Version
        The champion.

    Raises
    ------
    RegistryError
        If there was none before.
    """
    with tracking_client(tracking_uri) as client:
        history = _history(client, name)
        if len(history) < 2:
            raise RegistryError(f"{name} had {len(history)} champions, expected at least two to go back; `registry promote {name}` makes "
                                "one.")
        _find(client, name, history[-2]["version"])
        _set_champion(client, name, history[-2]["version"], history[:-2])
        return _find(client, name, CHAMPION)


def list_versions(tracking_uri: str, name: str) -> list[Version]:
    """List the versions of a registered model.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.

    Returns
    -------
    list of Version
        The newest first.
    """
    with tracking_client(tracking_uri) as client:
        found = [_describe(client, client.get_model_version(name, item.version))
                 for item in client.search_model_versions(f"name = '{name}'")]
    return sorted(found, key=lambda version: -int(version.version))


def find_version(tracking_uri: str, name: str, which: str) -> Version:
    """Find a version by its number or an alias.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    name : str
        Name of the registered model.
    which : str
        Such as ``"3"`` or ``"champion"``.

    Returns
    -------
    Version
        The version.

    Raises
    ------
    RegistryError
        If there is none.
    """
    with tracking_client(tracking_uri) as client:
        return _find(client, name, which)


def download(tracking_uri: str, version: Version, folder: Path) -> Loaded:
    """Fetch a version's files and read the model, checked against the hash in the registry.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    version : Version
        Which.
    folder : Path
        Receives the files.

    Returns
    -------
    Loaded
        Ready to predict.

    Raises
    ------
    ArtefactError
        If the files are not those that were registered, or of a kind that is not read.
    """
    from mlflow.artifacts import download_artifacts

    with tracking_client(tracking_uri) as client:
        source = client.get_model_version_download_uri(version.name, version.version)
        folder.mkdir(parents=True, exist_ok=True)
        local = download_artifacts(artifact_uri=source, dst_path=str(folder), tracking_uri=tracking_uri)
    return load_model(Path(local), sha256=version.sha256)


def _set_champion(client: Any, name: str, version: str, history: list[dict[str, str]]) -> None:
    """Write the history first: if the alias then is not set, a rollback goes one step short, never to an unknown place."""
    client.set_registered_model_tag(name, HISTORY_TAG, json.dumps([*history, {"version": version, "since": utc_now()}][-50:]))
    client.set_registered_model_alias(name, CHAMPION, version)


def _history(client: Any, name: str) -> list[dict[str, str]]:
    text = client.get_registered_model(name).tags.get(HISTORY_TAG, "[]")
    try:
        found: list[dict[str, str]] = json.loads(text)
    except ValueError:
        raise ArtefactError(f"the tag {HISTORY_TAG} of {name} is not JSON; mend it in MLflow, or remove it to begin a new "
                            "history.") from None
    return found


def _find(client: Any, name: str, which: str) -> Version:
    found = _find_or_none(client, name, which)
    if found is None:
        raise RegistryError(f"{name} has no version {which!r}; `registry show {name}` lists what there is, `registry register` adds one.")
    return found


def _find_or_none(client: Any, name: str, which: str) -> Version | None:
    from mlflow.exceptions import MlflowException

    try:
        item = client.get_model_version(name, which) if which.isdigit() else client.get_model_version_by_alias(name, which)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise
    return _describe(client, item)


def _describe(client: Any, item: Any) -> Version:
    run = client.get_run(item.run_id)
    name = run.data.tags.get(PRIMARY_TAG, "")
    return Version(item.name, str(item.version), item.run_id, tuple(sorted(item.aliases)), item.tags.get(SHA256_TAG, ""), name,
                   run.data.metrics.get(name), run.data.tags.get(SYNTHETIC_TAG) == "true", _split_of(run))


def _split_of(run: Any) -> str:
    hashes = {item.dataset.name: {tag.key: tag.value for tag in item.tags}.get("sha256", "") for item in run.inputs.dataset_inputs}
    return next((value for name, value in hashes.items() if name.endswith(" split")), "")


def _refuse_worse(chosen: Version, present: Version) -> None:
    if chosen.synthetic and not present.synthetic:
        raise RegistryError(f"{chosen.name} version {chosen.version} was made on synthetic data, the champion (version {present.version}) "
                            "was not; pass --force to promote it all the same.")
    if chosen.split != present.split:
        raise RegistryError(f"{chosen.name} version {chosen.version} was judged on other patients (split {chosen.split[:12]}) than the "
                            f"champion, version {present.version} (split {present.split[:12]}), so {chosen.metric} does not compare them; "
                            "judge both on the same, or pass --force.")
    if chosen.value is not None and present.value is not None and chosen.value < present.value:
        raise RegistryError(f"{chosen.name} version {chosen.version} has {chosen.metric} {chosen.value:.4f}, the champion (version "
                            f"{present.version}) {present.value:.4f}; pass --force to promote it all the same.")


def compare(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """List where two records differ.

    Parameters
    ----------
    first, second : mapping
        Values by name.

    Returns
    -------
    list of (name, first, second)
        None where one lacks it; sorted by name.
    """
    names = sorted(set(first) | set(second))
    return [(name, first.get(name), second.get(name)) for name in names if first.get(name) != second.get(name)]


def read_card(tracking_uri: str, version: Version, folder: Path) -> str:
    """Fetch the model card that a version's run wrote.

    Parameters
    ----------
    tracking_uri : str
        Address of the server, or of a database.
    version : Version
        Which.
    folder : Path
        Receives the file.

    Returns
    -------
    str
        Markdown; empty where the run wrote none.
    """
    name = CARDS.get(version.name, "")
    with tracking_client(tracking_uri) as client:
        if f"{REPORTS}/{name}" not in [item.path for item in client.list_artifacts(version.run_id, REPORTS)]:
            return ""
        card = Path(client.download_artifacts(version.run_id, f"{REPORTS}/{name}", str(folder))).read_text(encoding="utf-8")
    write_text(folder / CARD_FILE, card)
    return card
