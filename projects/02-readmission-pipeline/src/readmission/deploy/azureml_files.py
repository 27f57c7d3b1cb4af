"""The files that describe a managed online endpoint on Azure Machine Learning, and the steps that use them.

They are what ``az ml environment|model|online-endpoint|online-deployment create --file`` takes as well.
Schemas: https://learn.microsoft.com/azure/machine-learning/reference-yaml-overview
"""

from collections.abc import Mapping
from typing import Any

from carefolio.deploy.azureml import SCHEMA_ADDRESS, inference_routes, online_deployment, render_yaml
from carefolio.deploy.steps import Plan, Step, short_hash
from readmission.deploy.bundle import CONTENT
from readmission.deploy.settings import STORAGE_VARIABLE, WORKSPACE_VARIABLES, AzureMLSettings

TARGET = "azureml"
PORT = 8080
MODEL_MOUNT = "/opt/ml/model"
SCHEMAS = {"environment": "environment", "model": "model", "endpoint": "managedOnlineEndpoint", "deployment": "managedOnlineDeployment"}
FILES = tuple(f"{kind}.yml" for kind in SCHEMAS)
REQUEST_FILE = "request.json"
SCALE_NOTE = ("# A managed endpoint holds the number of instances given here. To let it follow the load, attach an autoscale rule of\n"
              "# Azure Monitor to the deployment (`az monitor autoscale create`), for example on CpuUtilizationPercentage.\n")


def azureml_names(name: str, settings: AzureMLSettings, model_sha256: str) -> dict[str, str]:
    """Name everything that a deployment makes.

    Parameters
    ----------
    name : str
        Stem; also the name of environment, model and endpoint.
    settings : AzureMLSettings
        Image and instances.
    model_sha256 : str
        Names the model.

    Returns
    -------
    dict of str to str
        ``prefix`` of the blobs, ``environment`` and ``model`` (versions), ``endpoint`` and ``deployment``.
    """
    release = short_hash(model_sha256, settings.image_uri, settings.instance_type)
    return {"prefix": f"{name}/{model_sha256}", "environment": short_hash(settings.image_uri), "model": model_sha256[:12],
            "endpoint": name, "deployment": f"m-{release}"}


def azureml_documents(name: str, settings: AzureMLSettings, model_sha256: str) -> dict[str, dict[str, Any]]:
    """Describe environment, model, endpoint and deployment.

    Parameters
    ----------
    name : str
        Stem of every name.
    settings : AzureMLSettings
        Image, sizes and access.
    model_sha256 : str
        Names the model.

    Returns
    -------
    dict
        File name to content, in the order in which they are created.
    """
    names = azureml_names(name, settings, model_sha256)
    probes = inference_routes(PORT, ping="/ping", invocations="/invocations")
    contents: dict[str, dict[str, Any]] = {
        "environment": {"name": name, "version": names["environment"], "image": settings.image_uri or "(azureml.image_uri)",
                        "inference_config": probes},
        "model": {"name": name, "version": names["model"], "type": "custom_model", "tags": {"model_sha256": model_sha256},
                  "path": f"azureml://datastores/{settings.datastore}/paths/{names['prefix']}"},
        "endpoint": {"name": names["endpoint"], "auth_mode": settings.auth_mode, "public_network_access": settings.public_network_access},
        "deployment": _deployment(name, settings, names),
    }
    return {f"{kind}.yml": {"$schema": SCHEMA_ADDRESS.format(SCHEMAS[kind]), **content} for kind, content in contents.items()}


def _deployment(name: str, settings: AzureMLSettings, names: Mapping[str, str]) -> dict[str, Any]:
    return online_deployment(name=names["deployment"], endpoint=names["endpoint"], model=f"{name}:{names['model']}",
                             environment=f"{name}:{names['environment']}", mount=MODEL_MOUNT, instance_type=settings.instance_type,
                             instances=settings.instances, request_timeout_ms=settings.request_timeout_ms,
                             maximum_concurrent_requests=settings.maximum_concurrent_requests)


def render_documents(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Write the documents as YAML.

    Parameters
    ----------
    documents : mapping
        Result of `azureml_documents`.

    Returns
    -------
    dict of str to str
        File name to text; the deployment's ends with a note on scaling.
    """
    texts = render_yaml(documents)
    return texts | {"deployment.yml": texts["deployment.yml"] + SCALE_NOTE}


def azureml_plan(name: str, settings: AzureMLSettings, model_sha256: str, *, environment: Mapping[str, str]) -> Plan:
    """Plan an endpoint.

    Parameters
    ----------
    name : str
        Stem of every name.
    settings : AzureMLSettings
        Image, sizes and access.
    model_sha256 : str
        Names the model.
    environment : mapping of str to str
        Holds the storage connection and the workspace.

    Returns
    -------
    Plan
        From the checked files to the traffic. The new deployment answers a made-up patient before any traffic goes to it.
    """
    needed = {"azureml.image_uri": settings.image_uri} | {key: environment.get(key) for key in (STORAGE_VARIABLE, *WORKSPACE_VARIABLES)}
    names = azureml_names(name, settings, model_sha256)
    where = {"endpoint_name": names["endpoint"], "deployment_name": names["deployment"]}
    documents = azureml_documents(name, settings, model_sha256)
    environment_file, model_file, endpoint_file, deployment_file = documents
    steps = (
        Step("files", "validate", {"files": list(documents)}, "azure-ai-ml; no network"),
        Step("artefacts", "blob.upload", {"container": settings.container, "prefix": names["prefix"], "files": list(CONTENT)},
             f"an existing container; {STORAGE_VARIABLE}; storage of less than a megabyte"),
        Step("environment", "environments.create_or_update", {"file": environment_file, **documents[environment_file]}, "no charge"),
        Step("model", "models.create_or_update", {"file": model_file, **documents[model_file]}, "no charge"),
        Step("endpoint", "online_endpoints.create", {"file": endpoint_file, **documents[endpoint_file]},
             "no charge by itself; one that exists is left as it is"),
        Step("deployment", "online_deployments.create_or_update", {"file": deployment_file, **documents[deployment_file]},
             f"{settings.instances} x {settings.instance_type}, charged by the hour until it is deleted; some minutes"),
        Step("first answer", "online_endpoints.invoke", {**where, "request_file": REQUEST_FILE}, "sends a made-up patient"),
        Step("traffic", "online_endpoints.set_traffic", {**where, "percent": 100},
             "earlier deployments get no traffic, stay for going back and are charged until they are deleted"),
    )
    return Plan(TARGET, model_sha256, steps, tuple(key for key, value in needed.items() if not value))
