"""A training job and an endpoint on Amazon SageMaker, as requests to its API, checked offline against botocore's model of it.

Names follow from image, hyperparameters and instances, so that the same settings name the same job, and a change another.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from carefolio.deploy.steps import Plan, Step, load_library, short_hash
from carefolio.exceptions import ArtefactError
from retinopathy.cloud.settings import INSTALL, ROLE_VARIABLE, CloudSettings
from retinopathy.cloud.specification import DATASETS, PHOTO_FILE, PROGRAM, Specification, missing_of, or_name, upload_steps
from retinopathy.cloud.training import CHANNEL

TARGET = "sagemaker"
VARIANT = "main"
START_TIMEOUT_S = 300
OPERATIONS = {"create_training_job.json": "CreateTrainingJob", "create_model.json": "CreateModel",
              "create_endpoint_config.json": "CreateEndpointConfig", "create_endpoint.json": "CreateEndpoint"}


def sagemaker_names(settings: CloudSettings) -> dict[str, str]:
    """Name everything that is made.

    Parameters
    ----------
    settings : CloudSettings
        Image, hyperparameters and instances.

    Returns
    -------
    dict of str to str
        ``data`` and ``output`` in S3, ``job``, ``model``, ``config`` and ``endpoint``.
    """
    own, root = settings.sagemaker, f"s3://{or_name(settings.sagemaker.bucket, 'sagemaker.bucket')}/{settings.name}"
    job = f"{settings.name}-{short_hash(own.image_uri, settings.hyperparameters.strings(), own.training_instance_type, own.bucket)}"
    config = f"{settings.name}-{short_hash(job, own.endpoint_instance_type, own.endpoint_instances)}"
    return {"data": f"{root}/data", "output": f"{root}/jobs", "job": job, "model": job, "config": config, "endpoint": settings.name}


def sagemaker_requests(settings: CloudSettings, *, environment: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Write the requests.

    Parameters
    ----------
    settings : CloudSettings
        Names and sizes.
    environment : mapping of str to str
        Holds the execution role.

    Returns
    -------
    dict
        File name to request, in the order of use.
    """
    own, names = settings.sagemaker, sagemaker_names(settings)
    image, role = or_name(own.image_uri, "sagemaker.image_uri"), or_name(environment.get(ROLE_VARIABLE), ROLE_VARIABLE)
    source = {"S3DataType": "S3Prefix", "S3Uri": f"{names['data']}/", "S3DataDistributionType": "FullyReplicated"}
    training = {
        "TrainingJobName": names["job"], "RoleArn": role, "HyperParameters": settings.hyperparameters.strings(),
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File", "ContainerEntrypoint": list(PROGRAM),
                                   "ContainerArguments": ["train"]},
        "InputDataConfig": [{"ChannelName": CHANNEL, "InputMode": "File", "DataSource": {"S3DataSource": source}}],
        "OutputDataConfig": {"S3OutputPath": names["output"]},
        "ResourceConfig": {"InstanceType": own.training_instance_type, "InstanceCount": 1, "VolumeSizeInGB": own.volume_gb},
        "StoppingCondition": {"MaxRuntimeInSeconds": own.max_runtime_s}, "EnableNetworkIsolation": True}
    trained = {"Image": image, "ModelDataUrl": f"{names['output']}/{names['job']}/output/model.tar.gz"}
    variant = {"VariantName": VARIANT, "ModelName": names["model"], "InstanceType": own.endpoint_instance_type,
               "InitialInstanceCount": own.endpoint_instances, "InitialVariantWeight": 1.0,
               "ContainerStartupHealthCheckTimeoutInSeconds": START_TIMEOUT_S}
    model = {"ModelName": names["model"], "ExecutionRoleArn": role, "EnableNetworkIsolation": True, "PrimaryContainer": trained}
    return dict(zip(OPERATIONS, (
        training, model, {"EndpointConfigName": names["config"], "ProductionVariants": [variant]},
        {"EndpointName": names["endpoint"], "EndpointConfigName": names["config"]}), strict=True))


def specify_sagemaker(settings: CloudSettings, *, environment: Mapping[str, str]) -> Specification:
    """Plan a training and an endpoint.

    Parameters
    ----------
    settings : CloudSettings
        Names and sizes.
    environment : mapping of str to str
        Holds the execution role.

    Returns
    -------
    Specification
        From the upload to the first answer.
    """
    own, names = settings.sagemaker, sagemaker_names(settings)
    requests = sagemaker_requests(settings, environment=environment)
    job, model, config, endpoint = (
        (f"aws sagemaker {operation} --region {own.region} --cli-input-json file://{file}", requests[file])
        for operation, file in zip(("create-training-job", "create-model", "create-endpoint-config", "create-endpoint"), requests,
                                   strict=True))
    wait = f"aws sagemaker wait {{}} --region {own.region} {{}}"
    steps = [
        *upload_steps({name: f'aws s3 sync "$CAREFOLIO_DATA_DIR/{name}" {names["data"]}/{name}' for name in DATASETS},
                      "an existing private bucket; s3:PutObject, s3:ListBucket"),
        Step("training job", *job, f"1 x {own.training_instance_type} for at most {own.max_runtime_s} s; iam:PassRole on the role"),
        Step("training finished", wait.format("training-job-completed-or-stopped", f"--training-job-name {names['job']}"), {},
             "a failure's reason stands in FailureReason of describe-training-job"),
        Step("model", *model, "no charge; the image's ENTRYPOINT must be the container's program, since an endpoint cannot name another"),
        Step("endpoint configuration", *config, "no charge; requests are not recorded, since they are about patients"),
        Step("endpoint", *endpoint, f"{own.endpoint_instances} x {own.endpoint_instance_type}, charged by the hour until delete-endpoint"),
        Step("in service", wait.format("endpoint-in-service", f"--endpoint-name {names['endpoint']}"), {}, "some minutes"),
        Step("first answer", f"aws sagemaker-runtime invoke-endpoint --region {own.region} --endpoint-name {names['endpoint']} "
             f"--content-type image/jpeg --body fileb://{PHOTO_FILE} answer.json", {}, "sends a drawn retina"),
    ]
    missing = missing_of({"sagemaker.bucket": own.bucket, "sagemaker.image_uri": own.image_uri,
                          ROLE_VARIABLE: environment.get(ROLE_VARIABLE)})
    return Specification(Plan(TARGET, "", tuple(steps), missing), requests)


def check_sagemaker(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """Check the requests against the model of SageMaker's API that comes with botocore; no network is used.

    Parameters
    ----------
    documents : mapping
        Result of `sagemaker_requests`.

    Returns
    -------
    str
        What was found.

    Raises
    ------
    ArtefactError
        Naming the first field that does not fit.
    ConfigError
        If botocore is not installed.
    """
    botocore = load_library("botocore", install=INSTALL)
    validator = load_library("botocore.validate", install=INSTALL).ParamValidator()
    service = load_library("botocore.session", install=INSTALL).Session().get_service_model(TARGET)
    for file, document in documents.items():
        shape = service.operation_model(OPERATIONS[file]).input_shape
        report = validator.validate(document, shape)
        wrong = report.generate_report() if report.has_errors() else "; ".join(bounds_broken(document, shape))
        if wrong:
            raise ArtefactError(f"{file} does not fit SageMaker's {OPERATIONS[file]}: {' '.join(wrong.split())}")
    return f"{len(documents)} requests fit SageMaker as botocore {botocore.__version__} describes it"


def bounds_broken(value: Any, shape: Any, where: str = "") -> Iterator[str]:
    """Find strings that break bounds which botocore knows and does not check: values, patterns, lengths.

    Parameters
    ----------
    value : Any
        Of the types that the shape wants.
    shape : botocore.model.Shape
        What is wanted.
    where : str, optional
        Path to the value.

    Yields
    ------
    str
        A field, what is expected, and what is there.
    """
    if shape.type_name == "structure":
        for name, one in value.items():
            yield from bounds_broken(one, shape.members[name], f"{where}.{name}" if where else name)
    elif shape.type_name == "map":
        for name, one in value.items():
            yield from bounds_broken(name, shape.key, f"{where} (a key)")
            yield from bounds_broken(one, shape.value, f"{where}.{name}")
    elif shape.type_name == "list":
        for place, one in enumerate(value):
            yield from bounds_broken(one, shape.member, f"{where}[{place}]")
    elif shape.type_name == "string":
        yield from _string_broken(value, shape, where)


def _string_broken(value: str, shape: Any, where: str) -> Iterator[str]:
    pattern, most = shape.metadata.get("pattern"), shape.metadata.get("max")
    if shape.enum and value not in shape.enum:
        yield f"{where} must be one of {len(shape.enum)} values; got {value!r}."
    if pattern and not re.fullmatch(pattern, value):
        yield f"{where} must match {pattern}; got {value!r}."
    if most and len(value) > most:
        yield f"{where} must have at most {most} characters; got {len(value)}."
