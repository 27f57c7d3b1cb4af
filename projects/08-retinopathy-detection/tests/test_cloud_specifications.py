"""Every request fits the cloud's own description of its interface, offline; planted faults are found; names follow what they name."""

import copy
from typing import Any

import pytest

from carefolio.exceptions import ArtefactError
from retinopathy.cloud.azureml import azureml_documents, check_azureml
from retinopathy.cloud.plan import specify
from retinopathy.cloud.sagemaker import check_sagemaker, sagemaker_requests
from retinopathy.cloud.specification import PROGRAM
from retinopathy.cloud.training import find_places
from retinopathy.cloud.vertex import check_vertex, vertex_documents

from .cloud_examples import IDENTITY, cloud_settings

CHECKS = {"sagemaker": check_sagemaker, "azureml": check_azureml, "vertex": check_vertex}


def documents(target: str, **changes: Any) -> dict[str, Any]:
    """The documents of complete settings, to be harmed."""
    return copy.deepcopy(dict(specify(target, cloud_settings(**changes), environment=IDENTITY).documents))


def harm(found: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Put a value at a path like ``file/field/0/field``; a field that ends with ``-`` is taken away."""
    *steps, last = path.split("/")
    place: Any = found
    for step in steps:
        place = place[int(step)] if step.isdecimal() else place[step]
    if last.endswith("-"):
        del place[last[:-1]]
    else:
        place[last] = value
    return found


@pytest.mark.parametrize(("target", "said"), [("sagemaker", "4 requests fit SageMaker as botocore"), ("azureml", "5 files fit Azure"),
                                              ("vertex", "4 bodies fit Vertex AI as its discovery document of revision 20")])
def test_documents_fit(target, said):
    assert CHECKS[target](documents(target)).startswith(said)


@pytest.mark.parametrize(("target", "path", "value", "fault"), [
    ("sagemaker", "create_training_job.json/RoleArn", "somebody whose name is long", "RoleArn must match"),
    ("sagemaker", "create_training_job.json/ResourceConfig/InstanceType", "ml.m5.2xlrage", "InstanceType must be one of .*2xlrage'"),
    ("sagemaker", "create_training_job.json/HyperParameters/seed", 0, "Invalid type for parameter HyperParameters.seed"),
    ("sagemaker", "create_training_job.json/OutputDataConfig-", None, "Missing required parameter.*OutputDataConfig"),
    ("sagemaker", "create_training_job.json/TrainingJobName", "x" * 64, "TrainingJobName must (match|have at most 63)"),
    ("sagemaker", "create_model.json/Modelname", "x", "Unknown parameter.*Modelname"),
    ("sagemaker", "create_endpoint_config.json/ProductionVariants/0/InstanceType", "ml.none", r"ProductionVariants\[0\]\.InstanceType"),
    ("azureml", "job.yml/inputs/training/type", "folder", "job.yml does not fit Azure's schema"),
    ("azureml", "job.yml/compuet", "x", "job.yml does not fit Azure's schema.*compuet"),
    ("azureml", "deployment.yml/instance_cuont", 2, "deployment.yml does not fit Azure's schema.*instance_cuont"),
    ("vertex", "custom_job.json/jobSpec/workerPoolSpecs/0/containerSpec/imageURI", "x", r"Specs\[0\]\.containerSpec has no field"),
    ("vertex", "custom_job.json/jobSpec/workerPoolSpecs/0/containerSpec/imageUri-", None, "lacks imageUri, which is required"),
    ("vertex", "custom_job.json/jobSpec/workerPoolSpecs/0/machineSpec/acceleratorType", "H900", "acceleratorType must be one of"),
    ("vertex", "custom_job.json/jobSpec/workerPoolSpecs/0/replicaCount", "one", "replicaCount must be a whole number in quotes"),
    ("vertex", "custom_job.json/jobSpec/workerPoolSpecs", {}, "workerPoolSpecs must be a list"),
    ("vertex", "custom_job.json/state", "JOB_STATE_SUCCEEDED", "state is set by Google alone"),
    ("vertex", "deploy_model.json/deployedModel/dedicatedResources/minReplicaCount", True, "minReplicaCount must be of type integer"),
    ("vertex", "deploy_model.json/deployedModel", "x", "deployedModel must be an object"),
    ("vertex", "upload_model.json/model/displayName-", None, "lacks displayName, which is required")])
def test_planted_fault_is_found(target, path, value, fault):
    with pytest.raises(ArtefactError, match=fault):
        CHECKS[target](harm(documents(target), path, value))


def test_sagemaker_job_is_the_containers_contract():
    requests = sagemaker_requests(cloud_settings(), environment=IDENTITY)
    job, model = requests["create_training_job.json"], requests["create_model.json"]
    assert job["AlgorithmSpecification"]["ContainerEntrypoint"] == list(PROGRAM)
    assert job["AlgorithmSpecification"]["ContainerArguments"] == ["train"]
    (channel,) = job["InputDataConfig"]
    assert channel["ChannelName"] == find_places({}).data.name
    assert job["HyperParameters"] == {"quick": "false", "synthetic": "false", "seed": "0"}
    assert (job["ResourceConfig"]["InstanceType"], job["ResourceConfig"]["InstanceCount"]) == ("ml.m5.2xlarge", 1)
    assert job["EnableNetworkIsolation"] and model["EnableNetworkIsolation"]
    assert job["RoleArn"] == model["ExecutionRoleArn"] == IDENTITY["RETINOPATHY_SAGEMAKER_ROLE_ARN"]
    name, output = job["TrainingJobName"], job["OutputDataConfig"]["S3OutputPath"]
    assert model["PrimaryContainer"]["ModelDataUrl"] == f"{output}/{name}/output/model.tar.gz"


def test_azure_job_hands_its_folders_to_the_container():
    found = azureml_documents(cloud_settings())
    command = found["job.yml"]["command"]
    assert command.startswith("python -m retinopathy.cloud.container train --data ${{inputs.training}} --model ${{outputs.model}} ")
    assert "--set quick=false --set synthetic=false --set seed=0" in command
    assert found["job.yml"]["outputs"]["model"]["path"] == found["model.yml"]["path"]
    assert found["deployment.yml"]["environment_variables"] == {"CAREFOLIO_ARTEFACTS": found["deployment.yml"]["model_mount_path"]}
    assert found["endpoint.yml"]["public_network_access"] == found["deployment.yml"]["egress_public_network_access"] == "disabled"


def test_vertex_job_leaves_the_model_where_the_endpoint_takes_it():
    found = vertex_documents(cloud_settings(), environment=IDENTITY)
    spec = found["custom_job.json"]["jobSpec"]
    (pool,) = spec["workerPoolSpecs"]
    prefix = spec["baseOutputDirectory"]["outputUriPrefix"]
    assert found["upload_model.json"]["model"]["artifactUri"] == f"{prefix}/model"
    assert find_places({"AIP_MODEL_DIR": f"{prefix}/model/"}).model.as_posix() == f"/gcs/{prefix.removeprefix('gs://')}/model"
    assert pool["containerSpec"]["args"][:3] == ["train", "--data", "/gcs/photographs-of-ours/retinopathy/data"]
    served = found["upload_model.json"]["model"]["containerSpec"]
    assert (served["predictRoute"], served["healthRoute"], served["ports"]) == ("/invocations", "/ping", [{"containerPort": 8080}])
    assert "acceleratorType" not in pool["machineSpec"]
    faster = vertex_documents(cloud_settings(vertex={"accelerator_type": "NVIDIA_TESLA_T4", "accelerator_count": 1}), environment=IDENTITY)
    assert check_vertex(faster)


@pytest.mark.parametrize(("target", "file", "field"), [("sagemaker", "create_training_job.json", "TrainingJobName"),
                                                       ("azureml", "job.yml", "name"), ("vertex", "custom_job.json", "displayName")])
def test_names_follow_the_image_and_the_hyperparameters(target, file, field):
    base = documents(target)[file][field]
    assert documents(target)[file][field] == base
    assert documents(target, hyperparameters={"seed": 1})[file][field] != base
    assert documents(target, **{target: {"image_uri": "another:2"}})[file][field] != base
