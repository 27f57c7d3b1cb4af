"""The container's programs as real processes: trained in a scratch root as SageMaker would, then asked over HTTP as each cloud asks."""

import base64
import http.server
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from click.testing import CliRunner

from carefolio.artefacts import read_json
from carefolio.deploy.bundle import bundle_content
from carefolio.evidence import is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError, CarefolioError
from carefolio.local_server import free_port, run_server
from carefolio.testing import serve_handler
from retinopathy.cli import main
from retinopathy.cloud import container, local
from retinopathy.cloud.specification import sample_photo
from retinopathy.predictor import MODEL_FILE, RetinaPredictor

from .cloud_examples import as_dicom, as_png

SMALL = """
[hyperparameters]
quick = true
max_rows = 40
views = 2
side = 128
replicates = 20
"""
PREDICT = "/v1/endpoints/1/deployedModels/2:predict"


@pytest.fixture(scope="module")
def rehearsal(twin_only: dict[str, str | None], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Folder and output of the rehearsal: ``train`` and ``serve`` as processes, on drawn retinas."""
    folder, config = tmp_path_factory.mktemp("rehearsal"), tmp_path_factory.mktemp("config") / "small.toml"
    config.write_text(SMALL, encoding="utf-8")
    result = CliRunner().invoke(main, ["cloud", "--apply", "--config", str(config), "--out", str(folder)], env=twin_only)
    assert result.exit_code == 0, result.output
    return folder, result.output


@pytest.fixture(scope="module")
def predictor(rehearsal: tuple[Path, str]) -> RetinaPredictor:
    """The trained grader, asked without a server."""
    return RetinaPredictor.open(rehearsal[0] / "ml" / "model")


@pytest.fixture(scope="module")
def server(rehearsal: tuple[Path, str]) -> Iterator[httpx.Client]:
    """The container's program with the variables of Vertex AI, on the loopback address."""
    port = free_port()
    variables = {"CAREFOLIO_ML_ROOT": str(rehearsal[0] / "ml"), "CAREFOLIO_HOST": "127.0.0.1", "AIP_HTTP_PORT": str(port),
                 "AIP_HEALTH_ROUTE": "/health", "AIP_PREDICT_ROUTE": PREDICT, "CAREFOLIO_ARTEFACTS": "", "SM_MODEL_DIR": ""}
    command = [sys.executable, "-m", "retinopathy.cloud.container"]
    with (run_server(command, ready_url=f"http://127.0.0.1:{port}/health", env=variables, timeout_s=120) as address,
          httpx.Client(base_url=address, trust_env=False, timeout=60) as client):
        yield client


def ask(server: httpx.Client, content: bytes, kind: str, path: str = "/invocations") -> httpx.Response:
    return server.post(path, content=content, headers={"Content-Type": kind})


def test_rehearsal_trains_serves_answers_and_ends(rehearsal):
    output = rehearsal[1]
    for line in ("1/9 input: no photographs; retinas are drawn", "2/9 training: status 0", '6/9 health: {"status":"healthy"}',
                 "9/9 end: ended"):
        assert line in output
    assert output.count("as without the server") >= 2


def test_training_leaves_the_sealed_grader_and_the_reports_alone(rehearsal):
    root = rehearsal[0] / "ml"
    assert {path.name for path in (root / "model").iterdir()} == set(bundle_content(container.SEALED)) - {"SHA256SUMS"}
    left = {path.suffix for path in (root / "output").rglob("*") if path.is_file()}
    assert left <= {".json", ".png", ".md"}, "no photograph, no table"
    assert not (root / "output" / "failure").exists()


def test_evidence_says_what_was_told_and_that_the_retinas_are_drawn(rehearsal):
    root = rehearsal[0] / "ml"
    evidence = read_evidence(root / "output" / "data" / "evidence.json")
    assert is_synthetic(evidence)
    assert evidence.command == "python -m retinopathy.cloud.container train"
    assert (evidence.config["split"]["max_rows"], evidence.config["preparation"]["side"]) == (40, 128)
    told = read_json(root / "input" / "config" / "hyperparameters.json")
    assert told == {"quick": "true", "synthetic": "true", "seed": "0", "max_rows": "40", "views": "2", "side": "128", "replicates": "20"}


def test_ping_answers_where_either_platform_asks(server):
    assert [server.get(path).json() for path in ("/ping", "/health")] == [{"status": "healthy"}] * 2


@pytest.mark.parametrize("kind", ["application/x-image", "image/jpeg", "application/octet-stream"])
def test_photograph_as_it_is_gets_the_graders_answer(server, predictor, kind):
    body = ask(server, sample_photo(), kind).raise_for_status().json()
    expected = predictor.grade(sample_photo())
    assert (body["gradable"], body["grade"], body["grades"]) == (expected.gradable, expected.grade, list(expected.grades))
    assert body["referable"] == pytest.approx(expected.referable, abs=1e-6)
    assert body["model"]["sha256"] == predictor.record["files"][MODEL_FILE]
    assert "not a medical device" in body["disclaimer"].lower()


def test_other_formats_and_base64_are_read(server, retinas):
    for content, kind in ((as_png(retinas[2]), "image/png"), (as_dicom(retinas[2]), "application/dicom")):
        assert ask(server, content, kind).raise_for_status().json()["model"]["origin"] == "synthetic"
    body = server.post("/invocations", json={"photo": base64.b64encode(retinas[2]).decode(), "explain": True}).raise_for_status().json()
    assert body["gradable"] == (body["grade"] is not None)


@pytest.mark.parametrize("path", ["/invocations", PREDICT])
def test_instances_are_answered_in_their_order(server, predictor, retinas, path):
    instances = [{"b64": base64.b64encode(retinas[grade]).decode()} for grade in (4, 0)]
    answers = server.post(path, json={"instances": instances, "parameters": {"explain": True}}).raise_for_status().json()["predictions"]
    expected = [predictor.grade(retinas[grade]) for grade in (4, 0)]
    assert [one["grade"] for one in answers] == [one.grade for one in expected]
    assert [one["overlay"] is not None for one in answers] == [one.relevance is not None for one in expected]


@pytest.mark.parametrize(("content", "kind", "status", "fault"), [
    (b"1,2,3", "text/csv", 415, "Send the photograph as"),
    (b"%PDF-1.7", "image/jpeg", 415, "JPEG, PNG, TIFF or DICOM"),
    (b"{", "application/json", 400, ""),
    (b'{"instances": []}', "application/json", 422, ""),
    (b'{"instances": [{"b64": "no base64 !"}]}', "application/json", 422, ""),
    (b'{"instances": [{"b64": "aGVsbG8="}], "parameter": {}}', "application/json", 422, ""),
    (json.dumps({"instances": [{"b64": "aGVsbG8="}]}).encode(), "application/json", 415, "instances[0]: "),
    (b"\xff\xd8" + b"0" * (17 * 1024 * 1024), "image/jpeg", 413, "larger than")],
    ids=["csv", "pdf", "no json", "none", "no base64", "unknown", "no picture", "large"])
def test_what_is_not_understood_is_refused_with_a_problem_document(server, content, kind, status, fault):
    answer = ask(server, content, kind)
    assert answer.status_code == status, answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert fault in answer.json()["detail"]


@pytest.mark.parametrize(("path", "status"), [("/openapi.json", 401), ("/model-card", 401), ("/grade", 401), ("/health/ready", 200)])
def test_nothing_else_is_open_but_the_probes(server, path, status):
    assert server.get(path).status_code == status


@pytest.fixture
def storage(rehearsal: tuple[Path, str]) -> Iterator[tuple[str, list[str]]]:
    """A server that speaks as much of Cloud Storage as is asked for, and what it was asked."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            parts = [unquote(part) for part in urlsplit(self.path).path.split("/")]
            path = rehearsal[0] / "ml" / "model" / parts[-1].removeprefix("jobs/1/model/")
            found = parts[1:6] == ["storage", "v1", "b", "ours", "o"] and path.is_file()
            self.send_response(200 if found else 404)
            self.end_headers()
            self.wfile.write(path.read_bytes() if found else b"")

        def log_message(self, *_: object) -> None: ...

    with serve_handler(Handler) as address:
        yield address, asked


def test_grader_is_fetched_where_vertex_ai_says(storage, predictor, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    address, asked = storage
    variables = {"AIP_STORAGE_URI": "gs://ours/jobs/1/model/", "STORAGE_EMULATOR_HOST": address}
    assert RetinaPredictor.open(container.find_model(variables)).record == predictor.record
    assert asked[0] == f"/storage/v1/b/ours/o/jobs%2F1%2Fmodel%2F{container.bundle_content(container.SEALED)[0]}?alt=media"
    with pytest.raises(ArtefactError, match=r"gs://others/grader\.json cannot be fetched: Cloud Storage answers 404"):
        container.find_model(variables | {"AIP_STORAGE_URI": "gs://others"})


def test_grader_is_found_where_each_platform_mounts_it(rehearsal, tmp_path):
    root = rehearsal[0] / "ml"
    for name, value in (("SM_MODEL_DIR", root), ("AZUREML_MODEL_DIR", root / "model"), ("CAREFOLIO_ML_ROOT", root)):
        assert container.find_model({name: str(value)}) == root / "model"
    with pytest.raises(ArtefactError, match=r"holds 0 models, expected one grader\.json"):
        container.find_model({"SM_MODEL_DIR": str(tmp_path)})


def test_rehearsal_with_a_bad_answer_stops(rehearsal, monkeypatch):
    model = rehearsal[0] / "ml" / "model"
    monkeypatch.setattr(local, "ask_server", lambda *_, **__: b"{}")
    with pytest.raises(ArtefactError, match="2 bytes that is no grade"):
        local._ask("http://127.0.0.1:1/invocations", model, sample_photo(), instances=False)


def test_rehearsal_says_why_the_training_failed(twin_only, tmp_path):
    config = tmp_path / "mine.toml"
    config.write_text("[hyperparameters]\nside = 33\n")
    result = CliRunner().invoke(main, ["cloud", "--apply", "--config", str(config), "--out", str(tmp_path)], env=twin_only)
    assert result.exit_code == CarefolioError.exit_code
    assert "training [process.run], stopped: the training ended with status 3: configuration retinopathy: `prep" in result.stderr
    assert "preparation.side" in (tmp_path / "ml" / "output" / "failure").read_text()
