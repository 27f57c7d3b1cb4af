"""Files for Azure Machine Learning, as ``az ml … create --file`` takes them: how they are written, and checked without a network.

Schemas: https://learn.microsoft.com/azure/machine-learning/reference-yaml-overview
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carefolio.deploy.steps import load_library
from carefolio.exceptions import ArtefactError

SCHEMA_ADDRESS = "https://azuremlschemas.azureedge.net/latest/{}.schema.json"
PROBE = {"initial_delay": 10, "period": 10, "timeout": 2, "failure_threshold": 30, "success_threshold": 1}


def inference_routes(port: int, *, ping: str, invocations: str) -> dict[str, Any]:
    """Say where a container answers.

    Parameters
    ----------
    port : int
        Its port.
    ping, invocations : str
        Paths of health and of predictions.

    Returns
    -------
    dict
        The ``inference_config`` of an environment.
    """
    return {"liveness_route": {"port": port, "path": ping}, "readiness_route": {"port": port, "path": ping},
            "scoring_route": {"port": port, "path": invocations}}


def online_deployment(*, name: str, endpoint: str, model: str, environment: str, mount: str, instance_type: str, instances: int,
                      request_timeout_ms: int, maximum_concurrent_requests: int) -> dict[str, Any]:
    """Describe a managed online deployment of a container that brings its own server.

    Parameters
    ----------
    name, endpoint : str
        Of the deployment, and of the endpoint that it belongs to.
    model, environment : str
        ``name:version`` of each.
    mount : str
        Where the model is mounted; the container reads it from ``CAREFOLIO_ARTEFACTS``.
    instance_type : str
        Such as ``"Standard_DS3_v2"``.
    instances : int
        How many.
    request_timeout_ms : int
        Longest time for an answer, in milliseconds.
    maximum_concurrent_requests : int
        Of one instance.

    Returns
    -------
    dict
        Content of the file, but for its schema; without a way out to the network.
    """
    return {"name": name, "endpoint_name": endpoint, "model": f"azureml:{model}", "model_mount_path": mount,
            "environment": f"azureml:{environment}", "environment_variables": {"CAREFOLIO_ARTEFACTS": mount},
            "instance_type": instance_type, "instance_count": instances, "egress_public_network_access": "disabled",
            "request_settings": {"request_timeout_ms": request_timeout_ms,
                                 "max_concurrent_requests_per_instance": maximum_concurrent_requests},
            "liveness_probe": dict(PROBE), "readiness_probe": dict(PROBE), "scale_settings": {"type": "default"}}


def render_yaml(documents: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Write documents as YAML.

    Parameters
    ----------
    documents : mapping
        File name to content.

    Returns
    -------
    dict of str to str
        File name to text.
    """
    import yaml

    return {file: yaml.safe_dump(dict(content), sort_keys=False, width=120) for file, content in documents.items()}


def load_files(folder: Path, loaders: Mapping[str, str], *, install: str) -> dict[str, Any]:
    """Read files with Azure's own library, which checks them against its schemas without a network.

    Parameters
    ----------
    folder : Path
        Holds the files.
    loaders : mapping of str to str
        File name to the function of ``azure.ai.ml`` that reads it, such as ``"load_job"``.
    install : str
        What to install to have the library.

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
    library, faults = load_library("azure.ai.ml", install=install), load_library("marshmallow.exceptions", install=install)
    entities = {}
    for file, loader in loaders.items():
        try:
            entities[file] = getattr(library, loader)(source=folder / file)
        except faults.ValidationError as error:
            raise ArtefactError(f"{folder / file} does not fit Azure's schema: {' '.join(str(error).split())}") from None
    return entities
