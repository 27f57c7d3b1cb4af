"""A custom job and an endpoint on Vertex AI, as bodies of its REST API, checked offline against Google's own description of it.

The description is the discovery document of Vertex AI that comes with google-api-python-client.
Reference: https://cloud.google.com/vertex-ai/docs/reference/rest
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from carefolio.deploy.container import INVOCATIONS, PING, PORT
from carefolio.deploy.steps import Plan, Step, load_library, short_hash
from carefolio.exceptions import ArtefactError
from retinopathy.cloud.settings import ACCOUNT_VARIABLE, INSTALL, PROJECT_VARIABLE, CloudSettings, VertexSettings
from retinopathy.cloud.specification import DATASETS, PROGRAM, REQUEST_FILE, Specification, missing_of, or_name, sample_photo, upload_steps
from retinopathy.cloud.training import mounted

TARGET = "vertex"
METHODS = {"custom_job.json": "customJobs.create", "upload_model.json": "models.upload", "endpoint.json": "endpoints.create",
           "deploy_model.json": "endpoints.deployModel", REQUEST_FILE: "endpoints.predict"}
_CURL = 'curl --fail-with-body -X POST -H "Authorization: Bearer $(gcloud auth print-access-token)" -H "Content-Type: application/json"'
_TYPES: dict[str, tuple[type, ...]] = {"string": (str,), "integer": (int,), "number": (int, float), "boolean": (bool,)}


def vertex_names(settings: CloudSettings, *, environment: Mapping[str, str]) -> dict[str, str]:
    """Name everything that is made.

    Parameters
    ----------
    settings : CloudSettings
        Image, hyperparameters and machines.
    environment : mapping of str to str
        Holds the project.

    Returns
    -------
    dict of str to str
        ``data`` and ``output`` in Cloud Storage, ``parent``, ``job`` and ``model`` (an id), ``model_name``, ``endpoint`` (an id) and
        ``endpoint_name``.
    """
    own = settings.vertex
    job = f"{settings.name}-{short_hash(own.image_uri, settings.hyperparameters.strings(), own.training_machine_type, own.bucket)}"
    root = f"gs://{or_name(own.bucket, 'vertex.bucket')}/{settings.name}"
    parent = f"projects/{or_name(environment.get(PROJECT_VARIABLE), PROJECT_VARIABLE)}/locations/{own.region}"
    return {"data": f"{root}/data", "output": f"{root}/jobs/{job}", "parent": parent, "job": job, "model": job,
            "model_name": f"{parent}/models/{job}", "endpoint": settings.name, "endpoint_name": f"{parent}/endpoints/{settings.name}"}


def vertex_documents(settings: CloudSettings, *, environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Write the bodies of the requests.

    Parameters
    ----------
    settings : CloudSettings
        Names and sizes.
    environment : mapping of str to str
        Holds project and service account.

    Returns
    -------
    dict
        File name to body, in the order of use.
    """
    own, names = settings.vertex, vertex_names(settings, environment=environment)
    image, account = or_name(own.image_uri, "vertex.image_uri"), or_name(environment.get(ACCOUNT_VARIABLE), ACCOUNT_VARIABLE)
    container = {"imageUri": image, "command": list(PROGRAM), "args": ["serve"], "ports": [{"containerPort": PORT}],
                 "predictRoute": INVOCATIONS, "healthRoute": PING}
    model = {"displayName": names["model"], "description": "Grades of diabetic retinopathy; for research and education.",
             "artifactUri": f"{names['output']}/model", "containerSpec": container}
    deployed = {"model": names["model_name"], "displayName": names["model"], "enableAccessLogging": False,
                "dedicatedResources": {"machineSpec": {"machineType": own.endpoint_machine_type},
                                       "minReplicaCount": own.minimum_replicas, "maxReplicaCount": own.maximum_replicas}}
    return {"custom_job.json": _custom_job(settings, names, image=image, account=account),
            "upload_model.json": {"modelId": names["model"], "model": model},
            "endpoint.json": {"displayName": names["endpoint"]},
            "deploy_model.json": {"deployedModel": deployed, "trafficSplit": {"0": 100}}}


def _custom_job(settings: CloudSettings, names: Mapping[str, str], *, image: str, account: str) -> dict[str, Any]:
    own = settings.vertex
    told = [word for name, value in settings.hyperparameters.strings().items() for word in ("--set", f"{name}={value}")]
    arguments = ["train", "--data", str(mounted(names["data"])), "--reports", str(mounted(f"{names['output']}/reports")), *told]
    pool = {"machineSpec": {"machineType": own.training_machine_type, **_accelerator(own)}, "replicaCount": "1",
            "diskSpec": {"bootDiskType": "pd-ssd", "bootDiskSizeGb": own.boot_disk_gb},
            "containerSpec": {"imageUri": image, "command": list(PROGRAM), "args": arguments}}
    return {"displayName": names["job"],
            "jobSpec": {"workerPoolSpecs": [pool], "scheduling": {"timeout": f"{own.max_runtime_s}s"}, "serviceAccount": account,
                        "baseOutputDirectory": {"outputUriPrefix": names["output"]}}}


def _accelerator(own: VertexSettings) -> dict[str, Any]:
    if not own.accelerator_type:
        return {}
    return {"acceleratorType": own.accelerator_type, "acceleratorCount": own.accelerator_count}


def specify_vertex(settings: CloudSettings, *, environment: Mapping[str, str]) -> Specification:
    """Plan a training and an endpoint.

    Parameters
    ----------
    settings : CloudSettings
        Names and sizes.
    environment : mapping of str to str
        Holds project and service account.

    Returns
    -------
    Specification
        From the upload to the first answer.
    """
    own, names = settings.vertex, vertex_names(settings, environment=environment)
    documents, address = vertex_documents(settings, environment=environment), f"https://{own.region}-aiplatform.googleapis.com/v1"
    job, upload, endpoint, deploy, predict = (f"{_CURL} --data @{file} '{address}/{path}'" for file, path in zip(METHODS, (
        f"{names['parent']}/customJobs", f"{names['parent']}/models:upload", f"{names['parent']}/endpoints?endpointId={names['endpoint']}",
        f"{names['endpoint_name']}:deployModel", f"{names['endpoint_name']}:predict"), strict=True))
    steps = [
        *upload_steps({name: f'gcloud storage rsync --recursive "$CAREFOLIO_DATA_DIR/{name}" {names["data"]}/{name}' for name in DATASETS},
                      "an existing private bucket"),
        Step("training job", job, documents["custom_job.json"],
             f"1 x {own.training_machine_type} for at most {own.max_runtime_s} s; iam.serviceAccounts.actAs on the service account"),
        Step("training finished", f"gcloud ai custom-jobs list --region={own.region} --filter=displayName={names['job']} "
             "--format='value(state,error)'", {}, "until it says JOB_STATE_SUCCEEDED"),
        Step("model", upload, documents["upload_model.json"], "no charge; the answer names an operation that takes a minute or so"),
        Step("endpoint", endpoint, documents["endpoint.json"], "no charge by itself"),
        Step("deployment", deploy, documents["deploy_model.json"],
             f"{own.minimum_replicas} to {own.maximum_replicas} x {own.endpoint_machine_type}, charged by the hour until undeployModel; "
             "Vertex AI's own account reads the model"),
        Step("first answer", predict, {}, "sends a drawn retina"),
    ]
    needed = {"vertex.bucket": own.bucket, "vertex.image_uri": own.image_uri, PROJECT_VARIABLE: environment.get(PROJECT_VARIABLE),
              ACCOUNT_VARIABLE: environment.get(ACCOUNT_VARIABLE)}
    request = {"instances": [{"b64": base64.b64encode(sample_photo()).decode()}]}
    return Specification(Plan(TARGET, "", tuple(steps), missing_of(needed)), documents, request)


def check_vertex(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """Check the bodies against Google's discovery document of Vertex AI; no network is used.

    Parameters
    ----------
    documents : mapping
        Result of `vertex_documents`.

    Returns
    -------
    str
        What was found.

    Raises
    ------
    ArtefactError
        Naming the first field that does not fit.
    ConfigError
        If google-api-python-client is not installed.
    """
    text = load_library("googleapiclient.discovery_cache", install=INSTALL).get_static_doc("aiplatform", "v1")
    description = json.loads(text)
    for file, document in documents.items():
        wrong = next(faults(document, request_schema(description, METHODS[file]), description["schemas"]), None)
        if wrong:
            raise ArtefactError(f"{file} does not fit Vertex AI's {METHODS[file]}: {wrong}")
    return f"{len(documents)} bodies fit Vertex AI as its discovery document of revision {description['revision']} describes it"


def request_schema(description: Mapping[str, Any], method: str) -> Mapping[str, Any]:
    """Find the schema of a method's body.

    Parameters
    ----------
    description : mapping
        The discovery document.
    method : str
        Such as ``"customJobs.create"``, of a location.

    Returns
    -------
    mapping
        The schema.
    """
    resource, _, name = method.partition(".")
    locations = description["resources"]["projects"]["resources"]["locations"]["resources"]
    found: Mapping[str, Any] = locations[resource]["methods"][name]["request"]
    return found


def faults(value: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str = "body") -> Iterator[str]:
    """Find what does not fit a schema of a discovery document.

    Parameters
    ----------
    value : Any
        As JSON gives it.
    schema : mapping
        What is wanted.
    schemas : mapping
        All schemas by name.
    where : str, default "body"
        Path to the value.

    Yields
    ------
    str
        A field, what is expected, and what is there. Fields that Google alone sets, and missing ones that it calls required, are faults.
    """
    schema = schemas[schema["$ref"]] if "$ref" in schema else schema
    kind = schema.get("type", "any")
    if kind == "object":
        yield from _object_faults(value, schema, schemas, where)
    elif kind == "array":
        if not isinstance(value, list):
            yield f"{where} must be a list; got {value!r}."
            return
        for place, one in enumerate(value):
            yield from faults(one, schema["items"], schemas, f"{where}[{place}]")
    elif kind != "any":
        if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
            yield f"{where} must be of type {kind}; got {value!r}."
        elif "enum" in schema and value not in schema["enum"]:
            yield f"{where} must be one of {', '.join(schema['enum'])}; got {value!r}."
        elif schema.get("format") == "int64" and not str(value).lstrip("-").isdecimal():
            yield f"{where} must be a whole number in quotes; got {value!r}."


def _object_faults(value: Any, schema: Mapping[str, Any], schemas: Mapping[str, Any], where: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{where} must be an object; got {value!r}."
        return
    known = schema.get("properties", {})
    for name, one in known.items():
        if one.get("description", "").startswith("Required.") and name not in value:
            yield f"{where} lacks {name}, which is required."
    for name, one in value.items():
        wanted = known.get(name) or schema.get("additionalProperties")
        if wanted is None:
            yield f"{where} has no field {name}; it has {', '.join(known)}."
        elif wanted.get("readOnly"):
            yield f"{where}.{name} is set by Google alone; leave it out."
        else:
            yield from faults(one, wanted, schemas, f"{where}.{name}")
