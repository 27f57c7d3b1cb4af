"""The SageMaker plan against a running moto server: the calls and the state they leave are real, the model's answer is not.

moto runs no container. `invoke_endpoint` gives what `canned` puts there, or the word "body"; so these tests show that the plan is
carried out and that an answer is judged, and `test_deploy_container.py` shows that the container gives such an answer.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from carefolio.artefacts import sha256_file
from carefolio.deploy.steps import Outcome
from carefolio.exceptions import ArtefactError, CarefolioError
from readmission.deploy import sagemaker
from readmission.deploy.bundle import BUNDLE_NAME, model_sha256, unpack_bundle
from readmission.deploy.plan import apply_plan, build_plan, read_metrics
from readmission.deploy.settings import DeploySettings, load_settings
from readmission.model import MODEL_FILE

REGION, ACCOUNT, BUCKET = "us-east-1", "123456789012", "models-of-ours"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/sagemaker"
IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/readmission@sha256:" + "0" * 64
Deploy = Callable[..., list[Outcome]]


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Address of a moto server on the loopback address."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(autouse=True)
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty account behind boto3's own variables, with an existing bucket."""
    post(f"{moto}/moto-api/reset")
    for name, value in {"AWS_ENDPOINT_URL": moto, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
                        "AWS_EC2_METADATA_DISABLED": "true", "READMISSION_SAGEMAKER_ROLE_ARN": ROLE, "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    client("s3").create_bucket(Bucket=BUCKET)


def post(url: str, body: Any = None) -> None:
    """Tell moto something."""
    request = urllib.request.Request(url, data=json.dumps(body).encode(), headers={"Content-Type": "application/json"}, method="POST")
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as response:
        assert response.status < 300


def client(service: str) -> Any:
    """A client of the test's own, to look at what the plan left."""
    return boto3.client(service, region_name=REGION)


def settings(**changes: Any) -> DeploySettings:
    """Complete settings that do not wait."""
    return load_settings(over={"sagemaker": {"bucket": BUCKET, "image_uri": IMAGE, "require_approval": False, "poll_s": 0.01,
                                             "timeout_s": 0.2, **changes}})


@pytest.fixture
def canned(moto: str, small_run: Path) -> Callable[[], None]:
    """Let the next endpoint that is asked answer as the container would; moto keeps it for the same question to the same endpoint."""
    body = {"risk": 0.25, "model": {"version": "0.1.0", "sha256": sha256_file(small_run / "artefacts" / MODEL_FILE)}}
    results = {"results": [{"Body": json.dumps(body), "ContentType": "application/json"}], "region": REGION}
    return lambda: post(f"{moto}/moto-api/static/sagemaker/endpoint-results", results)


@pytest.fixture
def deploy(small_run: Path, tmp_path: Path) -> Deploy:
    """Plan and apply, as the command does."""
    def run(chosen: DeploySettings, *, teardown: bool = False) -> list[Outcome]:
        artefacts = small_run / "artefacts"
        plan = build_plan("sagemaker", chosen, model_sha256(artefacts), metrics=read_metrics(artefacts), teardown=teardown)
        return apply_plan(plan, chosen, artefacts=artefacts, folder=tmp_path)

    return run


def results(outcomes: list[Outcome]) -> dict[str, str]:
    """Step name to what became of it."""
    return {outcome.step.name: outcome.result for outcome in outcomes}


def test_whole_plan_leaves_a_scaled_endpoint_in_service_that_answers(deploy: Deploy, canned: Callable[[], None], small_run: Path,
                                                                     tmp_path: Path) -> None:
    canned()
    done = results(deploy(settings()))
    assert done["first answer"] == "risk 0.2500"
    assert done.pop("in service") == "InService" and set(done.values()) == {"created", "risk 0.2500"}
    endpoint = client("sagemaker").describe_endpoint(EndpointName="readmission")
    assert endpoint["EndpointStatus"] == "InService"
    config = client("sagemaker").describe_endpoint_config(EndpointConfigName=endpoint["EndpointConfigName"])
    model = client("sagemaker").describe_model(ModelName=config["ProductionVariants"][0]["ModelName"])
    assert model["ExecutionRoleArn"] == ROLE and model["PrimaryContainer"]["Image"] == IMAGE
    key = model["PrimaryContainer"]["ModelDataUrl"].removeprefix(f"s3://{BUCKET}/")
    client("s3").download_file(BUCKET, key, str(tmp_path / "fetched.tar.gz"))
    assert unpack_bundle(tmp_path / "fetched.tar.gz", tmp_path / "fetched") == model_sha256(small_run / "artefacts")
    scaling = client("application-autoscaling")
    (target,) = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"]) == ("endpoint/readmission/variant/main", 2, 4)
    (policy,) = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 600


def test_second_apply_changes_nothing(deploy: Deploy, canned: Callable[[], None]) -> None:
    canned()
    deploy(settings())
    again = results(deploy(settings()))
    assert again.pop("in service") == "InService" and again.pop("first answer").startswith("risk")
    assert set(again.values()) == {"exists"}
    assert len(client("sagemaker").list_model_packages(ModelPackageGroupName="readmission")["ModelPackageSummaryList"]) == 1


def test_unapproved_model_goes_no_further_until_a_person_approves_it(deploy: Deploy, canned: Callable[[], None], small_run: Path) -> None:
    canned()
    chosen = settings(require_approval=True)
    with pytest.raises(ArtefactError, match=r"step 4 of 11, approval .* is PendingManualApproval, expected Approved"):
        deploy(chosen)
    assert client("sagemaker").list_endpoints()["Endpoints"] == []
    (package,) = client("sagemaker").list_model_packages(ModelPackageGroupName="readmission")["ModelPackageSummaryList"]
    arn = package["ModelPackageArn"]
    metadata = client("sagemaker").describe_model_package(ModelPackageName=arn)["CustomerMetadataProperties"]
    assert metadata["model_sha256"] == model_sha256(small_run / "artefacts")
    assert float(metadata["roc_auc"]) == pytest.approx(read_metrics(small_run / "artefacts")["roc_auc"], rel=1e-5)
    client("sagemaker").update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved",
                                             CustomerMetadataProperties=metadata)  # moto forgets what is not said again
    done = results(deploy(chosen))
    assert (done["model package"], done["approval"], done["endpoint"]) == ("exists", "approved", "created")


def test_changed_scaling_is_updated_without_touching_the_endpoint(deploy: Deploy, canned: Callable[[], None]) -> None:
    canned()
    deploy(settings())
    done = results(deploy(settings(maximum_instances=8, invocations_per_instance=100)))
    assert (done["scaling limits"], done["scaling policy"], done["endpoint"]) == ("updated", "updated", "exists")
    (target,) = client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    assert target["MaxCapacity"] == 8


def test_new_image_beside_the_old_endpoint(deploy: Deploy, canned: Callable[[], None]) -> None:
    canned()
    deploy(settings(update="new-endpoint"))
    canned()
    done = results(deploy(settings(update="new-endpoint", image_uri=IMAGE.replace("0", "1"))))
    assert done["endpoint"] == "created" and done["model bundle"] == "exists"
    assert len(client("sagemaker").list_endpoints()["Endpoints"]) == 2


def test_refused_update_leaves_the_old_endpoint_and_names_the_other_way(deploy: Deploy, canned: Callable[[], None]) -> None:
    canned()
    deploy(settings())
    before = client("sagemaker").describe_endpoint(EndpointName="readmission")["EndpointConfigName"]
    # moto does not know update_endpoint and answers 500; SageMaker refuses it too, for example while another update runs.
    with pytest.raises(CarefolioError, match=r"endpoint \[sagemaker\.create_endpoint\], stopped: .*update = \"new-endpoint\".*"
                                             r"Done before it: .*endpoint configuration \(created\)"):
        deploy(settings(image_uri="other:2"))
    assert client("sagemaker").describe_endpoint(EndpointName="readmission")["EndpointConfigName"] == before


def test_endpoint_with_another_configuration_is_updated_in_place(deploy: Deploy, canned: Callable[[], None],
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    canned()
    deploy(settings())
    connect = sagemaker.connect

    def connect_with_update(region: str) -> dict[str, Any]:
        clients = connect(region)

        def update_endpoint(*, EndpointName: str, EndpointConfigName: str) -> None:  # what moto lacks, by what it has
            clients["sagemaker"].delete_endpoint(EndpointName=EndpointName)
            clients["sagemaker"].create_endpoint(EndpointName=EndpointName, EndpointConfigName=EndpointConfigName)

        monkeypatch.setattr(clients["sagemaker"], "update_endpoint", update_endpoint)
        return clients

    monkeypatch.setattr(sagemaker, "connect", connect_with_update)
    done = results(deploy(settings(image_uri="other:2")))
    assert (done["endpoint"], done["in service"]) == ("updated", "InService")
    assert len(client("sagemaker").list_endpoints()["Endpoints"]) == 1


def test_failure_midway_says_what_was_created_and_the_next_run_goes_on(deploy: Deploy, canned: Callable[[], None],
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    canned()
    with pytest.raises(CarefolioError, match=r"step 1 of 10, model bundle .*NoSuchBucket.*Done before it: nothing"):
        deploy(settings(bucket="nobody-made-this"))
    monkeypatch.setenv("AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING", "http://127.0.0.1:1")
    with pytest.raises(CarefolioError, match=r"step 8 of 10, scaling limits .*Could not connect.*Done before it: .*endpoint \(created\)"):
        deploy(settings())
    monkeypatch.delenv("AWS_ENDPOINT_URL_APPLICATION_AUTO_SCALING")
    done = results(deploy(settings()))
    assert (done["endpoint"], done["scaling limits"], done["first answer"]) == ("exists", "created", "risk 0.2500")


def test_answer_that_is_no_prediction_fails_the_deployment(deploy: Deploy) -> None:
    with pytest.raises(ArtefactError, match=r"first answer .*4 bytes that is not a prediction"):  # moto's own canned answer
        deploy(settings())


def test_answer_of_another_model_fails_the_deployment(deploy: Deploy, moto: str) -> None:
    body = json.dumps({"risk": 0.25, "model": {"version": "0.1.0", "sha256": "0" * 64}})
    post(f"{moto}/moto-api/static/sagemaker/endpoint-results", {"results": [{"Body": body}], "region": REGION})
    with pytest.raises(ArtefactError, match="answers with model 0000"):
        deploy(settings())


@pytest.mark.parametrize(("states", "fault"), [
    ([{"EndpointStatus": "Creating"}], "is Creating after 0.2 s, expected InService"),
    ([{"EndpointStatus": "Creating"}, {"EndpointStatus": "Failed", "FailureReason": "no image"}], "is Failed: no image"),
    ([{"EndpointStatus": "InService", "EndpointConfigName": "old"}], "InService with old, expected .* rolled back")])
def test_waiting_ends_with_the_reason(deploy: Deploy, canned: Callable[[], None], monkeypatch: pytest.MonkeyPatch,
                                      states: list[dict[str, str]], fault: str) -> None:
    connect = sagemaker.connect
    remaining = [*states]

    def connect_to_unwell(region: str) -> dict[str, Any]:
        clients = connect(region)
        monkeypatch.setattr(clients["sagemaker"], "describe_endpoint",
                            lambda **_: remaining.pop(0) if len(remaining) > 1 else remaining[0])
        return clients

    monkeypatch.setattr(sagemaker, "connect", connect_to_unwell)
    with pytest.raises(CarefolioError, match=fault):
        deploy(settings())


def test_teardown_removes_what_costs_and_keeps_the_record(deploy: Deploy, canned: Callable[[], None]) -> None:
    canned()
    deploy(settings())
    assert set(results(deploy(settings(), teardown=True)).values()) == {"removed"}
    assert client("sagemaker").list_endpoints()["Endpoints"] == client("sagemaker").list_models()["Models"] == []
    assert client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"] == []
    assert client("s3").list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    assert set(results(deploy(settings(), teardown=True)).values()) == {"not there"}


def test_altered_bundle_in_the_bucket_is_replaced(deploy: Deploy, canned: Callable[[], None], tmp_path: Path) -> None:
    canned()
    deploy(settings())
    (stored,) = client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]
    client("s3").put_object(Bucket=BUCKET, Key=stored["Key"], Body=b"something else")
    assert results(deploy(settings()))["model bundle"] == "updated"
    assert client("s3").get_object(Bucket=BUCKET, Key=stored["Key"])["Body"].read() == (tmp_path / BUNDLE_NAME).read_bytes()
