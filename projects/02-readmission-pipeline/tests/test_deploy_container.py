"""The container's contract over a real server, and the rehearsal on this machine."""

import json
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from click.testing import CliRunner

from carefolio.exceptions import ArtefactError
from carefolio.local_server import free_port, run_server
from readmission.cli import main
from readmission.deploy import container, local
from readmission.deploy.bundle import unpack_bundle, write_bundle
from readmission.predictor import Predictor
from readmission.schemas import FIRST_STAY, RETURNING, PatientStay


@pytest.fixture(scope="module")
def model(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model as a platform mounts it: unpacked from the bundle, below the mount point."""
    root = tmp_path_factory.mktemp("mount")
    unpack_bundle(write_bundle(small_run / "artefacts", root / "model.tar.gz").path, root / "opt" / "readmission" / "1")
    return root / "opt"


@pytest.fixture(scope="module")
def server(model: Path) -> Iterator[httpx.Client]:
    """The container's program as SageMaker starts it, on the loopback address."""
    port = free_port()
    variables = {"SM_MODEL_DIR": str(model), "CAREFOLIO_HOST": "127.0.0.1", "SAGEMAKER_BIND_TO_PORT": str(port)}
    command = [sys.executable, "-m", "readmission.deploy.container", "serve"]
    with (run_server(command, ready_url=f"http://127.0.0.1:{port}/ping", env=variables) as address,
          httpx.Client(base_url=address, trust_env=False) as client):
        yield client


def test_ping_answers(server: httpx.Client) -> None:
    answer = server.get("/ping")
    assert (answer.status_code, answer.json()) == (200, {"status": "healthy"})


def test_one_and_many_get_the_risks_that_the_predictor_computes(server: httpx.Client, small_run: Path) -> None:
    predictor = Predictor.load(small_run / "artefacts")
    expected = predictor.predict([PatientStay.model_validate(stay).columns() for stay in (FIRST_STAY, RETURNING)])
    many = server.post("/invocations", json={"stays": [FIRST_STAY, RETURNING]})
    one = server.post("/invocations", json=RETURNING)
    assert many.status_code == one.status_code == 200
    assert many.json()["risks"] == expected
    assert one.json()["risk"] == expected[1]
    assert one.json()["model"]["sha256"] == predictor.sha256


@pytest.mark.parametrize(("content_type", "body", "status"), [
    ("text/csv", b"1,2,3", 415),
    ("application/jsonlines", json.dumps(FIRST_STAY).encode(), 415),
    ("application/json", b"{", 400),
    ("application/json", b"{}", 422),
    ("application/json", b"[]", 422),
    ("application/json", b'{"stays": []}', 422),
    ("application/json", json.dumps({"encounter": FIRST_STAY["encounter"] | {"race": "Other"}}).encode(), 422),
    ("application/json", b'"' + b"x" * container.BODY_LIMIT_BYTES + b'"', 413)])
def test_what_is_not_understood_is_refused_with_a_problem_document(server: httpx.Client, content_type: str, body: bytes,
                                                                  status: int) -> None:
    answer = server.post("/invocations", content=body, headers={"Content-Type": content_type})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(("path", "status"), [("/openapi.json", 401), ("/model-card", 401), ("/predict", 401), ("/health/ready", 200)])
def test_nothing_else_is_open_but_the_probes(server: httpx.Client, path: str, status: int) -> None:
    assert server.get(path).status_code == status


def test_more_requests_than_the_ordinary_limit_pass(server: httpx.Client) -> None:
    assert {server.get("/ping").status_code for _ in range(700)} == {200}


async def get_in_process(path: str) -> httpx.Response:
    """Ask an app that runs in this process."""
    transport = httpx.ASGITransport(app=container.create_app())
    async with httpx.AsyncClient(transport=transport, base_url="http://container") as client:
        return await client.get(path)


def test_ping_says_when_the_model_has_gone_wrong(small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(small_run / "artefacts"))

    def wrong(self: Predictor) -> None:
        raise ArtefactError("the model in memory is not the same")

    monkeypatch.setattr(Predictor, "check", wrong)
    answer = anyio.run(get_in_process, "/ping")
    assert answer.status_code == 503 and "replace the container" in answer.json()["detail"]


def test_model_is_found_where_each_platform_mounts_it(model: Path, tmp_path: Path) -> None:
    folder = model / "readmission" / "1"
    assert container.model_folder({"SM_MODEL_DIR": str(model)}) == folder
    assert container.model_folder({"AZUREML_MODEL_DIR": str(folder)}) == folder
    with pytest.raises(ArtefactError, match=r"holds 0 models, expected one readmission\.json"):
        container.model_folder({"SM_MODEL_DIR": str(tmp_path)})


def test_container_refuses_to_train(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["container", "train"])
    with pytest.raises(SystemExit, match="only serves; got 'train'"):
        container.main()


def test_rehearsal_on_this_machine_answers_and_ends(small_run: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["deploy", "--apply", "--artefacts", str(small_run / "artefacts"), "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert '4/6 health: {"status":"healthy"}' in result.output
    assert "as without the server" in result.output and "6/6 end: ended" in result.output
    port = int(result.output.partition("3/6 server: http://127.0.0.1:")[2].split()[0])
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_rehearsal_keeps_serving_until_it_is_stopped(small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def stop_after_one_more_answer() -> None:
        address = told[-1].split()[2].removesuffix("/invocations;")
        told.append(httpx.get(f"{address}/ping", trust_env=False).text)
        raise KeyboardInterrupt

    monkeypatch.setattr(local.signal, "pause", stop_after_one_more_answer)
    monkeypatch.setattr("click.echo", lambda text="", **_: told.append(str(text)))
    result = CliRunner().invoke(main, ["deploy", "--apply", "--keep", "--artefacts", str(small_run / "artefacts"), "--out", str(tmp_path)])
    assert result.exit_code == 130
    assert '{"status":"healthy"}' in told


def test_rehearsal_fails_where_the_port_is_taken(small_run: Path, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        config = tmp_path / "mine.toml"
        config.write_text(f"[local]\nport = {taken.getsockname()[1]}\nready_timeout_s = 30\n")
        result = CliRunner().invoke(main, ["deploy", "--apply", "--config", str(config), "--artefacts", str(small_run / "artefacts"),
                                           "--out", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "step 3 of 6, server [process.start], stopped" in result.stderr and "model bundle (SHA-256" in result.stderr
