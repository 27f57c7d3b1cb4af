"""A command job and a managed online endpoint on Azure Machine Learning, as files of ``az ml``, checked offline by its own library."""

import base64
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carefolio.artefacts import write_text
from carefolio.deploy.azureml import SCHEMA_ADDRESS, inference_routes, load_files, online_deployment, render_yaml
from carefolio.deploy.container import INVOCATIONS, MODEL_MOUNT, PING, PORT
from carefolio.deploy.steps import Plan, Step, load_library, short_hash
from retinopathy.cloud.settings import INSTALL, STORAGE_VARIABLE, WORKSPACE_VARIABLES, CloudSettings
from retinopathy.cloud.specification import DATASETS, PROGRAM, REQUEST_FILE, Specification, missing_of, or_name, sample_photo, upload_steps

TARGET = "azureml"
LOADERS = {"environment.yml": "load_environment", "job.yml": "load_job", "model.yml": "load_model",
           "endpoint.yml": "load_online_endpoint", "deployment.yml": "load_online_deployment"}
_WORKSPACE = " ".join(f'--{option} "${variable}"' for option, variable in
                      zip(("subscription", "resource-group", "workspace-name"), WORKSPACE_VARIABLES, strict=True))


def azureml_names(settings: CloudSettings) -> dict[str, str]:
    """Name everything that is made.

    Parameters
    ----------
    settings : CloudSettings
        Image, hyperparameters and instances.

    Returns
    -------
    dict of str to str
        ``environment`` (version), ``job``, ``model`` (version), ``deployment``, and ``data`` and ``output`` in the datastore.
    """
    own = settings.azureml
    release = short_hash(own.image_uri, settings.hyperparameters.strings(), own.compute)
    root = f"azureml://datastores/{own.datastore}/paths/{settings.name}"
    return {"environment": short_hash(own.image_uri), "job": f"{settings.name}-{release}", "model": release,
            "deployment": f"m-{short_hash(release, own.endpoint_instance_type)}", "data": f"{root}/data",
            "output": f"{root}/jobs/{settings.name}-{release}"}


def azureml_documents(settings: CloudSettings) -> dict[str, dict[str, Any]]:
    """Describe environment, job, model, endpoint and deployment.

    Parameters
    ----------
    settings : CloudSettings
        Image, sizes and access.

    Returns
    -------
    dict
        File name to content, in the order of use.
    """
    own, names, name = settings.azureml, azureml_names(settings), settings.name
    routes = inference_routes(PORT, ping=PING, invocations=INVOCATIONS)
    contents = {
        "environment": {"name": name, "version": names["environment"], "image": or_name(own.image_uri, "azureml.image_uri"),
                        "inference_config": routes},
        "commandJob": _job(settings, names),
        "model": {"name": name, "version": names["model"], "type": "custom_model", "path": f"{names['output']}/model"},
        "managedOnlineEndpoint": {"name": name, "auth_mode": own.auth_mode, "public_network_access": own.public_network_access},
        "managedOnlineDeployment": _deployment(settings, names),
    }
    return {file: {"$schema": SCHEMA_ADDRESS.format(kind), **content}
            for file, (kind, content) in zip(LOADERS, contents.items(), strict=True)}


def _job(settings: CloudSettings, names: Mapping[str, str]) -> dict[str, Any]:
    told = " ".join(f"--set {name}={value}" for name, value in settings.hyperparameters.strings().items())
    command = (f"{' '.join(PROGRAM)} train --data ${{{{inputs.training}}}} --model ${{{{outputs.model}}}} "
               f"--reports ${{{{outputs.reports}}}} {told}")
    outputs = {kind: {"type": "uri_folder", "mode": "rw_mount", "path": f"{names['output']}/{kind}"} for kind in ("model", "reports")}
    return {"type": "command", "name": names["job"], "experiment_name": settings.name, "command": command,
            "environment": f"azureml:{settings.name}:{names['environment']}", "compute": f"azureml:{settings.azureml.compute}",
            "inputs": {"training": {"type": "uri_folder", "mode": "ro_mount", "path": names["data"]}}, "outputs": outputs,
            "resources": {"instance_count": 1}, "limits": {"timeout": settings.azureml.max_runtime_s}}


def _deployment(settings: CloudSettings, names: Mapping[str, str]) -> dict[str, Any]:
    own, name = settings.azureml, settings.name
    return online_deployment(name=names["deployment"], endpoint=name, model=f"{name}:{names['model']}",
                             environment=f"{name}:{names['environment']}", mount=MODEL_MOUNT, instance_type=own.endpoint_instance_type,
                             instances=own.endpoint_instances, request_timeout_ms=own.request_timeout_ms,
                             maximum_concurrent_requests=own.maximum_concurrent_requests)


def specify_azureml(settings: CloudSettings, *, environment: Mapping[str, str]) -> Specification:
    """Plan a training and an endpoint.

    Parameters
    ----------
    settings : CloudSettings
        Names and sizes.
    environment : mapping of str to str
        Holds the storage connection and the workspace.

    Returns
    -------
    Specification
        From the upload to the first answer.
    """
    own, names, documents = settings.azureml, azureml_names(settings), azureml_documents(settings)
    made = {file: (f"az ml {kind} create --file {file}{more} {_WORKSPACE}", documents[file]) for file, kind, more in (
        ("environment.yml", "environment", ""), ("job.yml", "job", " --stream"), ("model.yml", "model", ""),
        ("endpoint.yml", "online-endpoint", ""), ("deployment.yml", "online-deployment", ""))}
    uploads = {name: f'az storage blob upload-batch --destination {own.container} --destination-path {settings.name}/data/{name} '
                     f'--source "$CAREFOLIO_DATA_DIR/{name}"' for name in DATASETS}
    steps = [
        *upload_steps(uploads, f"an existing private container; signs in with {STORAGE_VARIABLE}"),
        Step("environment", *made["environment.yml"], "no charge"),
        Step("training job", *made["job.yml"], f"one node of the cluster {own.compute} for at most {own.max_runtime_s} s"),
        Step("model", *made["model.yml"], "no charge"),
        Step("endpoint", *made["endpoint.yml"], "no charge by itself"),
        Step("deployment", *made["deployment.yml"],
             f"{own.endpoint_instances} x {own.endpoint_instance_type}, charged by the hour until it is deleted; gets no traffic yet"),
        Step("first answer", f"az ml online-endpoint invoke --name {settings.name} --deployment-name {names['deployment']} "
             f"--request-file {REQUEST_FILE} {_WORKSPACE}", {}, "sends a drawn retina"),
        Step("traffic", f"az ml online-endpoint update --name {settings.name} --traffic {names['deployment']}=100 {_WORKSPACE}", {},
             "once the answer is right"),
    ]
    needed = {"azureml.image_uri": own.image_uri} | {key: environment.get(key) for key in (STORAGE_VARIABLE, *WORKSPACE_VARIABLES)}
    return Specification(Plan(TARGET, "", tuple(steps), missing_of(needed)), documents,
                         {"photo": base64.b64encode(sample_photo()).decode()})


def check_azureml(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """Check the files with azure-ai-ml; no network is used.

    Parameters
    ----------
    documents : mapping
        Result of `azureml_documents`.

    Returns
    -------
    str
        What was found.

    Raises
    ------
    ArtefactError
        Naming the file and what does not fit.
    ConfigError
        If azure-ai-ml is not installed.
    """
    library = load_library("azure.ai.ml", install=INSTALL)
    with tempfile.TemporaryDirectory() as folder:
        for file, text in render_yaml(documents).items():
            write_text(Path(folder) / file, text)
        loaded = load_files(Path(folder), LOADERS, install=INSTALL)
    return f"{len(loaded)} files fit Azure Machine Learning as azure-ai-ml {library.__version__} reads them"
