"""The Azure plan: files judged by Azure's own library, artefacts sent to a running Azurite, and the order of calls to a workspace.

No workspace answers here: `Workspace` notes what it is asked, with real entities made from the files. What Azure itself would say to
them is not tested.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError, CarefolioError, ConfigError
from carefolio.local_server import free_port
from readmission.deploy import azureml
from readmission.deploy.azureml_files import FILES, REQUEST_FILE, SCALE_NOTE, azureml_plan
from readmission.deploy.bundle import bundle_files, model_sha256
from readmission.deploy.plan import apply_plan, build_plan
from readmission.deploy.settings import STORAGE_VARIABLE, WORKSPACE_VARIABLES, load_settings
from readmission.model import MODEL_FILE
from readmission.schemas import PatientStay

MODEL = "ab" * 32
SETTINGS = load_settings(over={"azureml": {"image_uri": "ours.azurecr.io/readmission:1", "timeout_s": 1}})
IDENTITY = {STORAGE_VARIABLE: "UseDevelopmentStorage=true", **dict.fromkeys(WORKSPACE_VARIABLES, "ours")}


def azurite_binary() -> str | None:
    """Find npm's azurite: $CAREFOLIO_NODE_MODULES, node_modules here or above, or the PATH."""
    roots = [Path(os.environ["CAREFOLIO_NODE_MODULES"])] if os.environ.get("CAREFOLIO_NODE_MODULES") else []
    roots += [folder / "node_modules" for folder in (Path.cwd(), *Path(__file__).resolve().parents)]
    return next((str(root / ".bin" / "azurite-blob") for root in roots if (root / ".bin" / "azurite-blob").exists()),
                shutil.which("azurite-blob"))


@pytest.fixture(scope="module")
def storage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Connection string of a running Azurite with an account of this test's own."""
    account, key, port = "carefolio", base64.b64encode(secrets.token_bytes(48)).decode(), free_port()
    command = [str(azurite_binary()), "--inMemoryPersistence", "--blobHost", "127.0.0.1", "--blobPort", str(port), "--skipApiVersionCheck",
               "--disableTelemetry", "--silent"]
    process = subprocess.Popen(command, cwd=tmp_path_factory.mktemp("azurite"), env=os.environ | {"AZURITE_ACCOUNTS": f"{account}:{key}"},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_until_it_listens(process, port)
        yield (f"DefaultEndpointsProtocol=http;AccountName={account};AccountKey={key};"
               f"BlobEndpoint=http://127.0.0.1:{port}/{account};")
    finally:
        process.terminate()
        process.wait(timeout=10)


def wait_until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait for Azurite, which answers 400 to a plain request."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError(f"azurite-blob does not listen on port {port}; status {process.poll()}")


@pytest.mark.azurite
@pytest.mark.skipif(azurite_binary() is None, reason="azurite-blob is not here; run `npm install --no-save azurite@3.36.0`")
def test_artefacts_arrive_whole_and_are_not_overwritten(storage: str, small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.blob import BlobServiceClient

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    files = bundle_files(small_run / "artefacts")
    with pytest.raises(ResourceNotFoundError, match="container does not exist"):
        azureml.upload_artefacts(storage, "nobodys", "readmission/x", files)
    with BlobServiceClient.from_connection_string(storage) as service:
        container = service.create_container("models")
        assert azureml.upload_artefacts(storage, "models", "readmission/x", files) == "created"
        assert sorted(blob.name for blob in container.list_blobs()) == sorted(f"readmission/x/{name}" for name in files)
        fetched = container.download_blob(f"readmission/x/{MODEL_FILE}").readall()
        assert hashlib.sha256(fetched).hexdigest() == sha256_file(small_run / "artefacts" / MODEL_FILE)
        assert azureml.upload_artefacts(storage, "models", "readmission/x", files) == "exists"
        container.upload_blob(f"readmission/x/{MODEL_FILE}", b"something else", overwrite=True)
        with pytest.raises(ArtefactError, match=rf"readmission/x/{re.escape(MODEL_FILE)} differ from the sealed files"):
            azureml.upload_artefacts(storage, "models", "readmission/x", files)


def test_files_fit_azures_own_schemas(tmp_path: Path) -> None:
    written = azureml.write_files("readmission", SETTINGS.azureml, MODEL, tmp_path)
    assert [path.name for path in written] == [*FILES, REQUEST_FILE]
    entities = azureml.load_files(tmp_path)
    environment, deployment = entities["environment.yml"], entities["deployment.yml"]
    assert environment.image == "ours.azurecr.io/readmission:1"
    route = environment.inference_config.scoring_route
    assert (route.port, route.path) == (8080, "/invocations")
    assert (deployment.instance_type, deployment.instance_count) == ("Standard_DS3_v2", 2)
    assert deployment.liveness_probe.period == deployment.readiness_probe.period == 10
    assert deployment.request_settings.request_timeout_ms == 5000
    assert deployment.environment.removeprefix("azureml:") == f"readmission:{environment.version}"
    assert deployment.model.removeprefix("azureml:") == f"readmission:{entities['model.yml'].version}"
    assert entities["model.yml"].path.endswith(f"/paths/readmission/{MODEL}")
    assert entities["endpoint.yml"].public_network_access == "disabled"
    assert (tmp_path / "deployment.yml").read_text().endswith(SCALE_NOTE)
    PatientStay.model_validate_json((tmp_path / REQUEST_FILE).read_text())


def test_file_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    azureml.write_files("readmission", SETTINGS.azureml, MODEL, tmp_path)
    file = tmp_path / "deployment.yml"
    file.write_text(file.read_text().replace("instance_count", "instance_cuont"))
    with pytest.raises(ArtefactError, match=r"deployment\.yml does not fit Azure's schema: .*instance_cuont"):
        azureml.load_files(tmp_path)


class Workspace:
    """Stands for ``MLClient``: notes each call and answers as a workspace in good order, with an answer that is given to it."""

    def __init__(self, answer: str, *, endpoints: tuple[str, ...] = (), finishes: bool = True) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.finishes = finishes
        live = SimpleNamespace(name="readmission", traffic={"m-before": 100})
        self.environments = SimpleNamespace(create_or_update=lambda entity: self.note("environment", entity))
        self.models = SimpleNamespace(create_or_update=lambda entity: self.note("model", entity))
        self.online_endpoints = SimpleNamespace(
            list=lambda: [SimpleNamespace(name=name) for name in endpoints], get=lambda name: live,
            begin_create_or_update=lambda entity: self.begin("endpoint", entity),
            invoke=lambda name, *, deployment_name, request_file: (self.note("invoke", deployment_name), answer)[1])
        self.online_deployments = SimpleNamespace(begin_create_or_update=lambda entity: self.begin("deployment", entity))

    def note(self, kind: str, entity: Any) -> Any:
        """Remember a call."""
        self.calls.append((kind, entity))
        return entity

    def begin(self, kind: str, entity: Any) -> Any:
        """Start a long operation."""
        self.note(kind, entity)
        result = SimpleNamespace(provisioning_state="Succeeded")
        return SimpleNamespace(wait=lambda timeout_s: None, done=lambda: self.finishes, result=lambda: result)


@pytest.fixture
def answer(small_run: Path) -> str:
    """What the container would answer."""
    model = {"version": "0.1.0", "sha256": sha256_file(small_run / "artefacts" / MODEL_FILE)}
    return json.dumps({"risk": 0.25, "model": model})


def apply(workspace: Workspace, small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Carry out the plan with that workspace and without storage."""
    artefacts = small_run / "artefacts"
    monkeypatch.setattr(azureml, "connect", lambda environment: workspace)
    monkeypatch.setattr(azureml, "upload_artefacts", lambda *_: "created")
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)
    plan = build_plan("azureml", SETTINGS, model_sha256(artefacts))
    done = apply_plan(plan, SETTINGS, artefacts=artefacts, folder=tmp_path)
    return {outcome.step.name: outcome.result for outcome in done}


def test_new_deployment_answers_before_it_gets_the_traffic(small_run: Path, tmp_path: Path, answer: str,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(answer)
    done = apply(workspace, small_run, tmp_path, monkeypatch)
    assert done["files"] == "4 files fit" and done["deployment"] == "Succeeded" and done["traffic"] == "100 %"
    assert [kind for kind, _ in workspace.calls] == ["environment", "model", "endpoint", "deployment", "invoke", "endpoint"]
    deployment = workspace.calls[3][1].name
    assert workspace.calls[4][1] == deployment and workspace.calls[5][1].traffic == {deployment: 100}


def test_existing_endpoint_is_not_put_again_without_its_traffic(small_run: Path, tmp_path: Path, answer: str,
                                                                monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace(answer, endpoints=("readmission",))
    assert apply(workspace, small_run, tmp_path, monkeypatch)["endpoint"] == "exists"
    assert [kind for kind, _ in workspace.calls] == ["environment", "model", "deployment", "invoke", "endpoint"]


def test_wrong_answer_keeps_the_traffic_where_it_was(small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace = Workspace('{"error": "no"}', endpoints=("readmission",))
    with pytest.raises(ArtefactError, match=r"step 7 of 8, first answer .*not a prediction.*Done before it: .*deployment \(Succeeded\)"):
        apply(workspace, small_run, tmp_path, monkeypatch)
    assert workspace.calls[-1][0] == "invoke"


def test_operation_that_does_not_end_stops_the_plan(small_run: Path, tmp_path: Path, answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CarefolioError, match=r"step 5 of 8, endpoint .*not finished after 1 s"):
        apply(Workspace(answer, finishes=False), small_run, tmp_path, monkeypatch)


def test_workspace_client_is_made_from_the_environment_alone() -> None:
    workspace = azureml.connect(dict(zip(WORKSPACE_VARIABLES, ("subscription", "group", "place"), strict=True)))
    assert (workspace.subscription_id, workspace.resource_group_name, workspace.workspace_name) == ("subscription", "group", "place")


def test_bad_connection_string_and_missing_identity_are_named(small_run: Path, tmp_path: Path) -> None:
    plan = azureml_plan("readmission", SETTINGS.azureml, MODEL, environment={})
    assert plan.missing == (STORAGE_VARIABLE, *WORKSPACE_VARIABLES)
    options = {"artefacts": small_run / "artefacts", "folder": tmp_path, "model_file_sha256": MODEL}
    with pytest.raises(ConfigError, match=STORAGE_VARIABLE):
        azureml.apply_azureml(plan, SETTINGS.azureml, environment={}, **options)
    identity = IDENTITY | {STORAGE_VARIABLE: "AccountKey=hidden-away"}
    azureml.write_files("readmission", SETTINGS.azureml, MODEL, tmp_path)
    complete = azureml_plan("readmission", SETTINGS.azureml, MODEL, environment=identity)
    with pytest.raises(CarefolioError, match=r"artefacts \[blob\.upload\], stopped") as raised:
        azureml.apply_azureml(complete, SETTINGS.azureml, environment=identity, **options)
    assert "hidden-away" not in str(raised.value)
