"""Carrying out an Azure Machine Learning plan: files checked offline, artefacts uploaded and read back, then the endpoint.

The workspace is reached with ``DefaultAzureCredential`` and the variables of `readmission.deploy.settings.WORKSPACE_VARIABLES`.
"""

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from carefolio.artefacts import write_text
from carefolio.deploy import azureml as azureml_files
from carefolio.deploy.steps import Action, Outcome, Plan, Step, load_library, run_steps
from carefolio.exceptions import ArtefactError, CarefolioError
from readmission.deploy.azureml_files import FILES, REQUEST_FILE, azureml_documents, render_documents
from readmission.deploy.bundle import bundle_files
from readmission.deploy.settings import INSTALL, STORAGE_VARIABLE, WORKSPACE_VARIABLES, AzureMLSettings
from readmission.deploy.smoke import read_risk, sample_request

Connect = Callable[[], Any]
LOADERS = dict(zip(FILES, ("load_environment", "load_model", "load_online_endpoint", "load_online_deployment"), strict=True))


def write_files(name: str, settings: AzureMLSettings, model_sha256: str, folder: Path) -> list[Path]:
    """Write the YAML files and the request that the first answer is asked with; needs no cloud library.

    Parameters
    ----------
    name : str
        Stem of every name.
    settings : AzureMLSettings
        Image, sizes and access.
    model_sha256 : str
        Names the model.
    folder : Path
        Destination.

    Returns
    -------
    list of Path
        The files.
    """
    texts = render_documents(azureml_documents(name, settings, model_sha256)) | {REQUEST_FILE: sample_request().decode()}
    return [write_text(folder / file, text) for file, text in texts.items()]


def load_files(folder: Path) -> dict[str, Any]:
    """Read the files with Azure's own library, which checks them against its schemas without a network.

    Parameters
    ----------
    folder : Path
        Holds what `write_files` wrote.

    Returns
    -------
    dict
        File name to entity of azure-ai-ml.

    Raises
    ------
    ArtefactError
        If a file does not fit its schema.
    ConfigError
        If azure-ai-ml is not installed.
    """
    return azureml_files.load_files(folder, LOADERS, install=INSTALL)


def upload_artefacts(connection: str, container: str, prefix: str, files: Mapping[str, bytes]) -> str:
    """Upload files to a blob container and read them back.

    Parameters
    ----------
    connection : str
        Connection string of the storage account.
    container : str
        An existing container.
    prefix : str
        Stands before each name.
    files : mapping of str to bytes
        Name to content.

    Returns
    -------
    str
        ``exists`` if all files were there with these bytes, else ``created``.

    Raises
    ------
    ArtefactError
        If the container holds other bytes or other names under the prefix afterwards.
    ConfigError
        If azure-storage-blob is not installed or the connection string is not one.
    """
    library = load_library("azure.storage.blob", install=INSTALL)
    with library.BlobServiceClient.from_connection_string(connection) as service:
        client = service.get_container_client(container)
        there = {blob.name for blob in client.list_blobs(name_starts_with=f"{prefix}/")}
        missing = [name for name in files if f"{prefix}/{name}" not in there]
        for name in missing:
            client.upload_blob(f"{prefix}/{name}", files[name], overwrite=False, validate_content=True)
        found = {blob.name: client.download_blob(blob.name).readall() for blob in client.list_blobs(name_starts_with=f"{prefix}/")}
    expected = {f"{prefix}/{name}": content for name, content in files.items()}
    wrong = sorted(name for name in found.keys() | expected.keys() if found.get(name) != expected.get(name))
    if wrong:
        got = hashlib.sha256(found.get(wrong[0], b"")).hexdigest()
        raise ArtefactError(f"container {container}: {', '.join(wrong)} differ from the sealed files (the first has SHA-256 {got}); "
                            "find out who wrote there, delete them and run the command again.")
    return "created" if missing else "exists"


def apply_azureml(plan: Plan, settings: AzureMLSettings, *, artefacts: Path, folder: Path, model_file_sha256: str,
                  environment: Mapping[str, str], say: Callable[[str], None] = lambda _: None) -> list[Outcome]:
    """Carry out a plan of `azureml_plan`.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    settings : AzureMLSettings
        How long to wait.
    artefacts : Path
        Folder of the sealed model.
    folder : Path
        Holds what `write_files` wrote.
    model_file_sha256 : str
        SHA-256 of the LightGBM file, which the answer must name.
    environment : mapping of str to str
        Holds the storage connection and the workspace.
    say : callable, optional
        Told about each finished step.

    Returns
    -------
    list of Outcome
        One a step.

    Raises
    ------
    ConfigError
        If a library or a setting is missing.
    CarefolioError
        If a step fails.
    """
    errors = (load_library("azure.core.exceptions", install=INSTALL).AzureError, ValueError)
    files = bundle_files(artefacts)
    actions: dict[str, Action] = {
        "validate": lambda _: f"{len(load_files(folder))} files fit",
        "blob.upload": lambda step: upload_artefacts(environment[STORAGE_VARIABLE], step.parameters["container"],
                                                     step.parameters["prefix"], files),
        **workspace_actions(partial(connect, environment), folder=folder, model_file_sha256=model_file_sha256,
                            timeout_s=settings.timeout_s),
    }
    return run_steps(plan, actions, errors=errors, say=say)


def connect(environment: Mapping[str, str]) -> Any:
    """Make the workspace's client; nothing is sent yet.

    Parameters
    ----------
    environment : mapping of str to str
        Names the workspace.

    Returns
    -------
    azure.ai.ml.MLClient
        Signs in with ``DefaultAzureCredential`` when first used.

    Raises
    ------
    ConfigError
        If azure-ai-ml or azure-identity is not installed.
    """
    credential = load_library("azure.identity", install=INSTALL).DefaultAzureCredential()
    return load_library("azure.ai.ml", install=INSTALL).MLClient(credential, *(environment[key] for key in WORKSPACE_VARIABLES))


def workspace_actions(make_client: Connect, *, folder: Path, model_file_sha256: str, timeout_s: float) -> dict[str, Action]:
    """Say which function carries out which action in the workspace.

    Parameters
    ----------
    make_client : callable
        Gives the client; called once a step, so that nothing is signed in before it is needed.
    folder : Path
        Holds the files.
    model_file_sha256 : str
        Which the answer must name.
    timeout_s : float
        Longest time for one operation.

    Returns
    -------
    dict of str to callable
        For `run_steps`.
    """
    return {"environments.create_or_update": partial(_create_asset, make_client, "environments", folder),
            "models.create_or_update": partial(_create_asset, make_client, "models", folder),
            "online_endpoints.create": partial(_create_endpoint, make_client, folder, timeout_s),
            "online_deployments.create_or_update": partial(_create_deployment, make_client, folder, timeout_s),
            "online_endpoints.invoke": partial(_invoke, make_client, folder, model_file_sha256),
            "online_endpoints.set_traffic": partial(_set_traffic, make_client, timeout_s)}


def _entity(folder: Path, step: Step) -> Any:
    return load_files(folder)[step.parameters["file"]]


def _create_asset(make_client: Connect, kind: str, folder: Path, step: Step) -> str:
    return f"version {getattr(make_client(), kind).create_or_update(_entity(folder, step)).version}"


def _create_endpoint(make_client: Connect, folder: Path, timeout_s: float, step: Step) -> str:
    endpoints = make_client().online_endpoints
    if any(endpoint.name == step.parameters["name"] for endpoint in endpoints.list()):
        return "exists"  # putting it again without its traffic would take the traffic away
    _finish(endpoints.begin_create_or_update(_entity(folder, step)), timeout_s)
    return "created"


def _create_deployment(make_client: Connect, folder: Path, timeout_s: float, step: Step) -> str:
    deployment = _finish(make_client().online_deployments.begin_create_or_update(_entity(folder, step)), timeout_s)
    return str(deployment.provisioning_state)


def _invoke(make_client: Connect, folder: Path, model_file_sha256: str, step: Step) -> str:
    deployment = step.parameters["deployment_name"]
    answer = make_client().online_endpoints.invoke(step.parameters["endpoint_name"], deployment_name=deployment,
                                                   request_file=str(folder / step.parameters["request_file"]))
    risk = read_risk(answer.encode(), where=f"deployment {deployment}", model_file_sha256=model_file_sha256)
    return f"risk {risk:.4f}"


def _set_traffic(make_client: Connect, timeout_s: float, step: Step) -> str:
    endpoints = make_client().online_endpoints
    endpoint = endpoints.get(step.parameters["endpoint_name"])
    endpoint.traffic = {step.parameters["deployment_name"]: step.parameters["percent"]}
    _finish(endpoints.begin_create_or_update(endpoint), timeout_s)
    return f"{step.parameters['percent']} %"


def _finish(poller: Any, timeout_s: float) -> Any:
    poller.wait(timeout_s)
    if not poller.done():
        raise CarefolioError(f"not finished after {timeout_s:g} s; look at it in the studio, or raise azureml.timeout_s.")
    return poller.result()
