"""The whole story over a real socket: labels, words, tasks, and every way to be refused; nothing of a text reaches a log."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest

from carefolio.exceptions import ArtefactError
from carefolio.local_server import free_port, run_server
from carefolio.privacy.canaries import assert_no_canary, find_canaries, make_canaries, plant
from carefolio.serving.settings import new_api_key
from text_classifier.api import create_app
from text_classifier.config import PARTS
from text_classifier.predictor import Predictor
from text_classifier.schemas import DIALOGUE, LONGEST_TEXT, MEDICINES, TaskName

KEY, KEY_HASH = new_api_key()
SHORT = "Doctor: What do you take at home?"


@pytest.fixture(scope="module")
def audit_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the place of the server's audit log."""
    return tmp_path_factory.mktemp("audit") / "audit.jsonl"


@pytest.fixture(scope="module")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the place of what the server prints."""
    return tmp_path_factory.mktemp("log") / "server.log"


@pytest.fixture(scope="module")
def client(tiny_artefacts: Path, audit_log: Path, server_log: Path) -> Iterator[httpx.Client]:
    """Serve the tiny model with uvicorn, and give a client that has a key."""
    port = free_port()
    env = {"CAREFOLIO_ARTEFACTS": str(tiny_artefacts), "CAREFOLIO_API_KEYS": KEY_HASH, "CAREFOLIO_AUTH": "on",
           "CAREFOLIO_AUDIT_LOG": str(audit_log)}
    code = ("import sys, uvicorn; sys.stdout = sys.stderr = open(sys.argv[1], 'a', buffering=1); "
            "uvicorn.run('text_classifier.api:create_app', factory=True, host='127.0.0.1', port=int(sys.argv[2]), log_level='debug')")
    with run_server([sys.executable, "-c", code, str(server_log), str(port)], ready_url=f"http://127.0.0.1:{port}/health/ready", env=env,
                    timeout_s=120) as address, \
            httpx.Client(base_url=address, headers={"X-API-Key": KEY}, trust_env=False, timeout=60) as session:
        yield session


@pytest.fixture(scope="module")
def predictor(tiny_artefacts: Path) -> Predictor:
    """Give the served model in this process."""
    return Predictor.open(tiny_artefacts / "headers")


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Check that a response is a problem document of this status and give it."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    return found


def test_probes_need_no_key_and_the_rest_does(client: httpx.Client) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert httpx.get(f"{client.base_url}{path}", trust_env=False).status_code == 200
    problem(httpx.post(f"{client.base_url}/classify", json={"text": DIALOGUE}, trust_env=False), 401)
    problem(httpx.get(f"{client.base_url}/tasks", trust_env=False), 401)


def test_a_text_gets_the_models_answer(client: httpx.Client, predictor: Predictor) -> None:
    body = client.post("/classify", json={"text": SHORT}).raise_for_status().json()
    expected = predictor.classify([SHORT])[0]
    (answer,) = body["answers"]
    assert answer["label"] == expected.label
    assert answer["probability"] == pytest.approx(expected.probability, abs=1e-12)
    assert answer["probabilities"] == pytest.approx(expected.probabilities, abs=1e-12)
    assert answer["abstained"] is predictor.abstains(expected)
    assert answer["truncated"] is False
    assert answer["words"] is None
    assert body["model"]["sha256"] == predictor.sha256
    assert body["model"]["threshold"] == 0.4
    assert "not a medical device" in body["disclaimer"].lower()


def test_a_batch_is_answered_in_order_and_as_if_alone(client: httpx.Client) -> None:
    alone = [client.post("/classify", json={"text": text}).json()["answers"][0] for text in (DIALOGUE, MEDICINES)]
    together = client.post("/classify", json={"texts": [DIALOGUE, MEDICINES] * 32, "task": "headers"}).raise_for_status().json()
    assert together["answers"] == alone * 32


def test_a_long_text_says_that_its_end_was_not_read(client: httpx.Client) -> None:
    assert client.post("/classify", json={"text": "pain " * 3000}).raise_for_status().json()["answers"][0]["truncated"] is True


def test_words_stand_in_the_text_that_was_sent(client: httpx.Client) -> None:
    words = client.post("/classify", json={"text": DIALOGUE, "explain": True}).raise_for_status().json()["answers"][0]["words"]
    assert words
    assert all(DIALOGUE[word["start"]:word["end"]] == word["word"] for word in words)


def test_tasks_are_listed(client: httpx.Client) -> None:
    (task,) = client.get("/tasks").raise_for_status().json()["tasks"]
    assert task["task"] == "headers"
    assert task["labels"] == ["ALLERGY", "GENHX", "MEDICATIONS"]
    assert (task["system"], task["base"], task["max_tokens"]) == ("minilm_full", "minilm", 48)
    assert get_args(TaskName) == tuple(PARTS)


@pytest.mark.parametrize(("body", "field", "expected"), [
    ({"text": ""}, "body.text", "at least 1"), ({"text": "   "}, "body.text", "letter"), ({"text": "12 34"}, "body.text", "letter"),
    ({"text": "pain\x00fever"}, "body.text", "control character 0x00 at character 4"), ({"text": "pain\x7f"}, "body.text", "control"),
    ({"text": "p" * (LONGEST_TEXT + 1)}, "body.text", "20000"), ({"text": 5}, "body.text", "string"),
    ({"text": None}, "body.text", "string"),
    ({"texts": []}, "body.texts", "at least 1"), ({"texts": ["pain"] * 65}, "body.texts", "64"),
    ({"texts": ["pain", ""]}, "body.texts.1", "at least 1"), ({"texts": "pain"}, "body.texts", "list"),
    ({}, "body", "got neither"), ({"text": "pain", "texts": ["pain"]}, "body", "got both"),
    ({"texts": ["pain"], "explain": True}, "body", "one text at a time"), ({"text": "pain", "explain": "yes"}, "body.explain", "boolean"),
    ({"text": "pain", "task": "diagnoses"}, "body.task", "'headers', 'decisions' or 'specialties'"),
    ({"text": "pain", "mrn": "1"}, "body.mrn", "no such field"),
])
def test_what_cannot_be_classified_is_refused_with_its_field(client: httpx.Client, body: dict[str, Any], field: str, expected: str) -> None:
    found = problem(client.post("/classify", json=body), 422)
    assert [error["field"] for error in found["errors"]] == [field]
    assert expected in found["errors"][0]["expected"]


def test_a_task_without_a_model_is_named(client: httpx.Client) -> None:
    assert "only for headers" in problem(client.post("/classify", json={"text": DIALOGUE, "task": "decisions"}), 404)["detail"]


@pytest.mark.parametrize(("content", "status"), [
    (b'{"text": "' + b"x" * 1_000_000 + b'"}', 413), (b'{"text": "pain', 400), (b'{"text": "\\ud800 pain"}', 400), (b"\xff\xfe", 400),
])
def test_a_body_that_cannot_be_read_is_refused(client: httpx.Client, content: bytes, status: int) -> None:
    problem(client.post("/classify", content=content, headers={"Content-Type": "application/json"}), status)


def test_no_canary_reaches_audit_log_server_log_or_metrics(client: httpx.Client, audit_log: Path, server_log: Path) -> None:
    canaries = make_canaries()
    text = plant(DIALOGUE, canaries)
    bodies: list[dict[str, Any]] = [{"text": text}, {"text": text, "explain": True}, {"texts": [text, DIALOGUE]}, {"text": text + "\x00"},
                                    {"text": text, "task": text}, {"text": text * 200}]
    answers = [client.post("/classify", json=body).text for body in bodies]
    assert audit_log.stat().st_size > 0
    assert server_log.stat().st_size > 0
    assert_no_canary({"audit": audit_log, "log": server_log, "metrics": client.get("/metrics").text}, canaries)
    assert_no_canary({"errors": "".join(answers[3:])}, canaries)
    assert find_canaries({"planted": text}, canaries), "the check can fail"
    records = [json.loads(line) for line in audit_log.read_text(encoding="utf-8").splitlines()]
    assert {record["route"] for record in records} <= {"/classify", "/tasks", "(unknown)"}


def test_a_server_without_a_model_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_API_KEYS", KEY_HASH)
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(tmp_path))
    with pytest.raises(ArtefactError, match="is missing a model"):
        create_app()
