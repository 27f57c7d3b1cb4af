"""The steps to an endpoint on Amazon SageMaker, as plain data: what each call is given is what boto3 will be given.

Names follow from what they name. The model package and the model are called after model and image, the endpoint configuration
after those and the instances, so that doing the same again finds everything there, and a change makes new names.
"""

from collections.abc import Mapping
from typing import Any

from carefolio.deploy.steps import Plan, Step, short_hash
from readmission.deploy.bundle import BUNDLE_NAME
from readmission.deploy.settings import ROLE_VARIABLE, SageMakerSettings
from readmission.deploy.smoke import CONTENT_TYPE

TARGET = "sagemaker"
VARIANT = "main"
DIMENSION = "sagemaker:variant:DesiredInstanceCount"
START_TIMEOUT_S = 300


def sagemaker_names(name: str, settings: SageMakerSettings, model_sha256: str) -> dict[str, str]:
    """Name everything that a deployment makes.

    Parameters
    ----------
    name : str
        Stem.
    settings : SageMakerSettings
        Image and instances.
    model_sha256 : str
        Names the model.

    Returns
    -------
    dict of str to str
        ``key``, ``group``, ``model_id``, ``model``, ``config``, ``endpoint``, ``resource`` and ``policy``.
    """
    model_id = short_hash(model_sha256, settings.image_uri)
    config = f"{name}-{short_hash(model_id, settings.instance_type, settings.minimum_instances)}"
    endpoint = config if settings.update == "new-endpoint" else name
    return {"key": f"{name}/{model_sha256}/{BUNDLE_NAME}", "group": name, "model_id": model_id, "model": f"{name}-{model_id}",
            "config": config, "endpoint": endpoint, "resource": f"endpoint/{endpoint}/variant/{VARIANT}",
            "policy": f"{endpoint}-invocations"}


def sagemaker_plan(name: str, settings: SageMakerSettings, model_sha256: str, *, metrics: Mapping[str, float],
                   environment: Mapping[str, str]) -> Plan:
    """Plan an endpoint.

    Parameters
    ----------
    name : str
        Stem of every name.
    settings : SageMakerSettings
        Region, image and sizes.
    model_sha256 : str
        Names the model.
    metrics : mapping of str to float
        Measured values that the model package shall carry.
    environment : mapping of str to str
        Holds the execution role.

    Returns
    -------
    Plan
        From the upload to the first answer.
    """
    needed = {"sagemaker.bucket": settings.bucket, "sagemaker.image_uri": settings.image_uri, ROLE_VARIABLE: environment.get(ROLE_VARIABLE)}
    names = sagemaker_names(name, settings, model_sha256)
    role = environment.get(ROLE_VARIABLE) or f"({ROLE_VARIABLE})"
    steps = [*_registry_steps(settings, names, model_sha256, metrics), *_endpoint_steps(settings, names, role),
             *_scaling_steps(settings, names), _invoke_step(names)]
    return Plan(TARGET, model_sha256, tuple(steps), tuple(key for key, value in needed.items() if not value))


def _registry_steps(settings: SageMakerSettings, names: Mapping[str, str], model_sha256: str, metrics: Mapping[str, float]) -> list[Step]:
    metadata = {"model_id": names["model_id"], "model_sha256": model_sha256, **{key: f"{value:.6g}" for key, value in metrics.items()}}
    specification = {"Containers": [_container(settings, names)], "SupportedContentTypes": [CONTENT_TYPE],
                     "SupportedResponseMIMETypes": [CONTENT_TYPE], "SupportedRealtimeInferenceInstanceTypes": [settings.instance_type]}
    package = {"ModelPackageGroupName": names["group"], "ModelPackageDescription": f"model {model_sha256[:12]}",
               "ModelApprovalStatus": "PendingManualApproval", "InferenceSpecification": specification,
               "CustomerMetadataProperties": metadata}
    steps = [
        Step("model bundle", "s3.put_object", {"Bucket": _bucket(settings), "Key": names["key"], "ServerSideEncryption": "aws:kms"},
             "an existing private bucket; s3:PutObject, s3:GetObject, s3:ListBucket; storage of less than a megabyte"),
        Step("model package group", "sagemaker.create_model_package_group",
             {"ModelPackageGroupName": names["group"], "ModelPackageGroupDescription": "Readmission within 30 days"}, "no charge"),
        Step("model package", "sagemaker.create_model_package", package, "no charge"),
    ]
    gate = Step("approval", "sagemaker.check_approval", {"ModelPackageGroupName": names["group"], "model_id": names["model_id"]},
                "a person who sets the model package to Approved; the command stops here until then")
    return [*steps, gate] if settings.require_approval else steps


def _container(settings: SageMakerSettings, names: Mapping[str, str]) -> dict[str, Any]:
    return {"Image": settings.image_uri or "(sagemaker.image_uri)", "ModelDataUrl": f"s3://{_bucket(settings)}/{names['key']}"}


def _bucket(settings: SageMakerSettings) -> str:
    return settings.bucket or "(sagemaker.bucket)"


def _endpoint_steps(settings: SageMakerSettings, names: Mapping[str, str], role: str) -> list[Step]:
    variant = {"VariantName": VARIANT, "ModelName": names["model"], "InstanceType": settings.instance_type,
               "InitialInstanceCount": settings.minimum_instances, "InitialVariantWeight": 1.0,
               "ContainerStartupHealthCheckTimeoutInSeconds": START_TIMEOUT_S}
    endpoint = {"EndpointName": names["endpoint"], "EndpointConfigName": names["config"]}
    return [
        Step("model", "sagemaker.create_model",
             {"ModelName": names["model"], "ExecutionRoleArn": role, "EnableNetworkIsolation": True,
              "PrimaryContainer": _container(settings, names)}, "iam:PassRole on the execution role; no charge"),
        Step("endpoint configuration", "sagemaker.create_endpoint_config",
             {"EndpointConfigName": names["config"], "ProductionVariants": [variant]},
             "no charge; requests are not recorded, since they are about patients"),
        Step("endpoint", "sagemaker.create_endpoint", endpoint,
             f"{settings.minimum_instances} x {settings.instance_type}, charged by the hour until --teardown; an endpoint of this name "
             "is updated"),
        Step("in service", "sagemaker.wait", {**endpoint, "timeout_s": settings.timeout_s, "poll_s": settings.poll_s}, "some minutes"),
    ]


def _scaling_steps(settings: SageMakerSettings, names: Mapping[str, str]) -> list[Step]:
    target = {"ServiceNamespace": TARGET, "ResourceId": names["resource"], "ScalableDimension": DIMENSION}
    tracking = {"TargetValue": settings.invocations_per_instance,
                "PredefinedMetricSpecification": {"PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
                "ScaleInCooldown": settings.scale_in_cooldown_s, "ScaleOutCooldown": settings.scale_out_cooldown_s}
    return [
        Step("scaling limits", "application-autoscaling.register_scalable_target",
             {**target, "MinCapacity": settings.minimum_instances, "MaxCapacity": settings.maximum_instances},
             f"at most {settings.maximum_instances} x {settings.instance_type} are charged"),
        Step("scaling policy", "application-autoscaling.put_scaling_policy",
             {"PolicyName": names["policy"], **target, "PolicyType": "TargetTrackingScaling",
              "TargetTrackingScalingPolicyConfiguration": tracking}, "CloudWatch alarms, made by the service"),
    ]


def _invoke_step(names: Mapping[str, str]) -> Step:
    return Step("first answer", "sagemaker-runtime.invoke_endpoint",
                {"EndpointName": names["endpoint"], "ContentType": CONTENT_TYPE, "Accept": CONTENT_TYPE},
                "sagemaker:InvokeEndpoint; sends a made-up patient")


def sagemaker_teardown(name: str, settings: SageMakerSettings, model_sha256: str) -> Plan:
    """Plan the removal of an endpoint; the uploaded bundle and the model package stay as a record.

    Parameters
    ----------
    name : str
        Stem of every name.
    settings : SageMakerSettings
        As when it was made, so that the names are the same.
    model_sha256 : str
        Names the model.

    Returns
    -------
    Plan
        What is there is removed; what is not is passed over.
    """
    names = sagemaker_names(name, settings, model_sha256)
    target = {"ServiceNamespace": TARGET, "ResourceId": names["resource"], "ScalableDimension": DIMENSION}
    steps = (Step("scaling limits and policy", "application-autoscaling.deregister_scalable_target", target),
             Step("endpoint", "sagemaker.delete_endpoint", {"EndpointName": names["endpoint"]}, "ends the charge for instances"),
             Step("endpoint configuration", "sagemaker.delete_endpoint_config", {"EndpointConfigName": names["config"]}),
             Step("model", "sagemaker.delete_model", {"ModelName": names["model"]}))
    return Plan(f"{TARGET} teardown", model_sha256, steps)
