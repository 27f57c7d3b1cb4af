"""Carrying out a SageMaker plan with boto3; credentials come from boto3's own sources, never from settings.

Each action looks first: what exists under its name is left as it is. Names follow from content (see
`readmission.deploy.sagemaker_steps`), so the same plan twice changes nothing. When the endpoint exists with another configuration it
is updated in place: SageMaker starts new instances, shifts the traffic and ends the old ones. ``update = "new-endpoint"`` is the way
where that is refused, or where the caller wants to switch and to switch back: a second endpoint beside the first.
"""

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from carefolio.deploy.steps import Action, Outcome, Plan, Step, load_library, run_steps
from carefolio.exceptions import ArtefactError, CarefolioError
from readmission.deploy.sagemaker_steps import TARGET
from readmission.deploy.settings import INSTALL, SageMakerSettings
from readmission.deploy.smoke import read_risk, sample_request

SERVICES = ("s3", "sagemaker", "sagemaker-runtime", "application-autoscaling")
# operation that makes or removes something -> (operation that lists it, key of the list, field with the name)
LISTINGS = {
    "model_package_group": ("list_model_package_groups", "ModelPackageGroupSummaryList", "ModelPackageGroupName"),
    "model": ("list_models", "Models", "ModelName"),
    "endpoint_config": ("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"),
    "endpoint": ("list_endpoints", "Endpoints", "EndpointName"),
}


def apply_sagemaker(plan: Plan, settings: SageMakerSettings, *, bundle: Path, model_file_sha256: str,
                    say: Callable[[str], None] = lambda _: None) -> list[Outcome]:
    """Carry out a plan of `sagemaker_plan` or `sagemaker_teardown`.

    Parameters
    ----------
    plan : Plan
        What is to be done.
    settings : SageMakerSettings
        The region.
    bundle : Path
        The model as `readmission.deploy.bundle.write_bundle` wrote it.
    model_file_sha256 : str
        SHA-256 of the LightGBM file, which the endpoint's answer must name.
    say : callable, optional
        Told about each finished step.

    Returns
    -------
    list of Outcome
        One a step.

    Raises
    ------
    ConfigError
        If boto3 or a setting is missing.
    CarefolioError
        If a step fails.
    """
    errors = load_library("botocore.exceptions", install=INSTALL)
    actions = build_actions(connect(settings.region), bundle=bundle, model_file_sha256=model_file_sha256)
    return run_steps(plan, actions, errors=(errors.ClientError, errors.BotoCoreError), say=say)


def connect(region: str) -> dict[str, Any]:
    """Make the clients; nothing is sent yet.

    Parameters
    ----------
    region : str
        AWS region.

    Returns
    -------
    dict of str to client
        One for each of `SERVICES`. ``AWS_ENDPOINT_URL`` redirects them all, for a test server.

    Raises
    ------
    ConfigError
        If boto3 is not installed.
    """
    boto3, config = load_library("boto3", install=INSTALL), load_library("botocore.config", install=INSTALL)
    options = config.Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 4})
    session = boto3.session.Session(region_name=region)
    return {service: session.client(service, config=options) for service in SERVICES}


def build_actions(clients: Mapping[str, Any], *, bundle: Path, model_file_sha256: str) -> dict[str, Action]:
    """Say which function carries out which action.

    Parameters
    ----------
    clients : mapping of str to client
        Result of `connect`.
    bundle : Path
        The model.
    model_file_sha256 : str
        Which the answer must name.

    Returns
    -------
    dict of str to callable
        For `run_steps`.
    """
    sagemaker, scaling = clients["sagemaker"], clients["application-autoscaling"]
    return {
        "s3.put_object": partial(_upload, clients["s3"], bundle),
        "sagemaker.create_model_package": partial(_register, sagemaker),
        "sagemaker.check_approval": partial(_check_approval, sagemaker),
        "sagemaker.create_endpoint": partial(_create_or_update, sagemaker),
        "sagemaker.wait": partial(_wait, sagemaker),
        **{f"sagemaker.create_{kind}": partial(_create, sagemaker, kind) for kind in LISTINGS if kind != "endpoint"},
        **{f"sagemaker.delete_{kind}": partial(_delete, sagemaker, kind) for kind in LISTINGS},
        "application-autoscaling.register_scalable_target": partial(_set_limits, scaling),
        "application-autoscaling.put_scaling_policy": partial(_set_policy, scaling),
        "application-autoscaling.deregister_scalable_target": partial(_drop_limits, scaling),
        "sagemaker-runtime.invoke_endpoint": partial(_invoke, clients["sagemaker-runtime"], model_file_sha256),
    }


def _upload(client: Any, bundle: Path, step: Step) -> str:
    where = {key: step.parameters[key] for key in ("Bucket", "Key")}
    content = bundle.read_bytes()
    there = client.list_objects_v2(Bucket=where["Bucket"], Prefix=where["Key"], MaxKeys=1)["KeyCount"] > 0
    if there and client.get_object(**where)["Body"].read() == content:
        return "exists"
    checksum = base64.b64encode(hashlib.sha256(content).digest()).decode()  # S3 refuses the upload if it arrives otherwise
    client.put_object(**step.parameters, Body=content, ChecksumSHA256=checksum)
    return "updated" if there else "created"


def _exists(client: Any, kind: str, name: str) -> bool:
    listing, key, field = LISTINGS[kind]
    pages = client.get_paginator(listing).paginate(NameContains=name)
    return any(item[field] == name for page in pages for item in page[key])


def _create(client: Any, kind: str, step: Step) -> str:
    if _exists(client, kind, step.parameters[LISTINGS[kind][2]]):
        return "exists"
    getattr(client, f"create_{kind}")(**step.parameters)
    return "created"


def _delete(client: Any, kind: str, step: Step) -> str:
    if not _exists(client, kind, step.parameters[LISTINGS[kind][2]]):
        return "not there"
    getattr(client, f"delete_{kind}")(**step.parameters)
    return "removed"


def _find_package(client: Any, group: str, model_id: str) -> dict[str, Any] | None:
    pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
    for summary in (item for page in pages for item in page["ModelPackageSummaryList"]):
        package: dict[str, Any] = client.describe_model_package(ModelPackageName=summary["ModelPackageArn"])
        if package.get("CustomerMetadataProperties", {}).get("model_id") == model_id:
            return package
    return None


def _register(client: Any, step: Step) -> str:
    model_id = step.parameters["CustomerMetadataProperties"]["model_id"]
    if _find_package(client, step.parameters["ModelPackageGroupName"], model_id):
        return "exists"
    client.create_model_package(**step.parameters)
    return "created"


def _check_approval(client: Any, step: Step) -> str:
    package = _find_package(client, step.parameters["ModelPackageGroupName"], step.parameters["model_id"])
    if package is None:
        raise ArtefactError(f"no model package with model_id {step.parameters['model_id']} is registered.")
    status, arn = package["ModelApprovalStatus"], package["ModelPackageArn"]
    if status != "Approved":
        raise ArtefactError(f"model package {arn} is {status}, expected Approved; who may approve it runs `aws sagemaker "
                            f"update-model-package --model-package-arn {arn} --model-approval-status Approved`.")
    return "approved"


def _create_or_update(client: Any, step: Step) -> str:
    name, config = step.parameters["EndpointName"], step.parameters["EndpointConfigName"]
    if not _exists(client, "endpoint", name):
        client.create_endpoint(**step.parameters)
        return "created"
    if client.describe_endpoint(EndpointName=name)["EndpointConfigName"] == config:
        return "exists"
    errors = load_library("botocore.exceptions", install=INSTALL)
    try:
        client.update_endpoint(**step.parameters)
    except errors.ClientError as error:
        raise CarefolioError(f"{error} The endpoint serves as before. Wait until it is InService if it is being updated; a change of "
                             'instance type needs its scaling limits removed first; or set sagemaker.update = "new-endpoint".') from error
    return "updated"


def _wait(client: Any, step: Step) -> str:
    name, timeout_s = step.parameters["EndpointName"], step.parameters["timeout_s"]
    deadline = time.monotonic() + timeout_s
    while True:
        endpoint = client.describe_endpoint(EndpointName=name)
        status = endpoint["EndpointStatus"]
        if status == "InService":
            return _check_config(endpoint, step)
        if status in ("Failed", "OutOfService", "UpdateRollbackFailed", "Deleting"):
            raise CarefolioError(f"endpoint {name} is {status}: {endpoint.get('FailureReason', 'no reason given')}. "
                                 "Read the container's log in CloudWatch, then remove it with --teardown.")
        if time.monotonic() > deadline:
            raise CarefolioError(f"endpoint {name} is {status} after {timeout_s:g} s, expected InService; wait, or raise "
                                 "sagemaker.timeout_s.")
        time.sleep(step.parameters["poll_s"])


def _check_config(endpoint: Mapping[str, Any], step: Step) -> str:
    got, expected = endpoint["EndpointConfigName"], step.parameters["EndpointConfigName"]
    if got != expected:  # an update that failed is rolled back, and the endpoint is InService again as it was
        raise CarefolioError(f"endpoint {step.parameters['EndpointName']} is InService with {got}, expected {expected}: the update was "
                             f"rolled back: {endpoint.get('FailureReason', 'no reason given')}. Read the container's log in CloudWatch.")
    return "InService"


def _set_limits(client: Any, step: Step) -> str:
    found = _limits(client, step)
    if found and all(found[0][key] == value for key, value in step.parameters.items()):
        return "exists"
    client.register_scalable_target(**step.parameters)
    return "updated" if found else "created"


def _limits(client: Any, step: Step) -> list[dict[str, Any]]:
    answer = client.describe_scalable_targets(ServiceNamespace=TARGET, ResourceIds=[step.parameters["ResourceId"]],
                                              ScalableDimension=step.parameters["ScalableDimension"])
    found: list[dict[str, Any]] = answer["ScalableTargets"]
    return found


def _set_policy(client: Any, step: Step) -> str:
    found = client.describe_scaling_policies(ServiceNamespace=TARGET, PolicyNames=[step.parameters["PolicyName"]],
                                             ResourceId=step.parameters["ResourceId"])["ScalingPolicies"]
    if found and all(found[0][key] == value for key, value in step.parameters.items()):
        return "exists"
    client.put_scaling_policy(**step.parameters)
    return "updated" if found else "created"


def _drop_limits(client: Any, step: Step) -> str:
    if not _limits(client, step):
        return "not there"
    client.deregister_scalable_target(**step.parameters)
    return "removed"


def _invoke(client: Any, model_file_sha256: str, step: Step) -> str:
    answer = client.invoke_endpoint(**step.parameters, Body=sample_request())["Body"].read()
    risk = read_risk(answer, where=f"endpoint {step.parameters['EndpointName']}", model_file_sha256=model_file_sha256)
    return f"risk {risk:.4f}"
