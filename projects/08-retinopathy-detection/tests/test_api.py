"""A photograph over a real socket, however it is sent; every way to be refused; and nothing of it in a log."""

import base64
import io
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from carefolio.exceptions import ArtefactError
from carefolio.local_server import free_port, run_server
from carefolio.serving.settings import new_api_key
from carefolio.testing import png_header
from retinopathy.api import create_app
from retinopathy.predictor import RetinaPredictor

KEY, KEY_HASH = new_api_key()


@pytest.fixture(scope="module")
def audit_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the place of the server's audit log."""
    return tmp_path_factory.mktemp("audit") / "audit.jsonl"


@pytest.fixture(scope="module")
def client(exported: Path, audit_log: Path) -> Iterator[httpx.Client]:
    """Serve the small grader with uvicorn, and give a client that has a key."""
    port = free_port()
    env = {"CAREFOLIO_ARTEFACTS": str(exported), "CAREFOLIO_API_KEYS": KEY_HASH, "CAREFOLIO_AUTH": "on",
           "CAREFOLIO_AUDIT_LOG": str(audit_log)}
    server = [sys.executable, "-m", "uvicorn", "retinopathy.api:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with run_server(server, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as address, \
            httpx.Client(base_url=address, headers={"X-API-Key": KEY}, trust_env=False, timeout=60) as session:
        yield session


def send(client: httpx.Client, content: bytes, kind: str = "image/jpeg", **options: Any) -> httpx.Response:
    return client.post("/grade", content=content, headers={"Content-Type": kind}, **options)


def problem(response: httpx.Response, status: int) -> str:
    """Check that a response is a problem document of this status and give what it says."""
    assert response.status_code == status, response.text[:300]
    assert response.headers["content-type"] == "application/problem+json"
    return str(response.json()["detail"])


def as_file(pixels: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **options)
    return file.getvalue()


def test_however_it_is_sent_the_answer_is_that_of_the_grader(client, exported, retinas):
    expected = RetinaPredictor.open(exported).grade(retinas[3])
    raw = send(client, retinas[3])
    form = client.post("/grade", files={"photo": ("eye.jpg", retinas[3], "image/jpeg")})
    within = client.post("/grade", json={"photo": base64.b64encode(retinas[3]).decode()})
    for response in (raw, form, within):
        body = response.raise_for_status().json()
        assert body["grade"] == expected.grade
        assert body["referable"] == pytest.approx(expected.referable, abs=1e-6)
        assert body["grades"] == list(expected.grades)
        assert body["abstained"] is bool(expected.reasons)
        assert body["overlay"] is None
        assert "not a medical device" in body["disclaimer"].lower()
        assert len(body["model"]["sha256"]) == 64


def test_a_report_of_fhir_is_given_where_it_is_asked_for(client, retinas):
    response = client.post("/grade", content=retinas[3], params={"eye": "left", "explain": "true"},
                           headers={"Content-Type": "image/jpeg", "Accept": "application/fhir+json"}).raise_for_status()
    assert response.headers["content-type"].startswith("application/fhir+json")
    report = response.json()
    assert report["resourceType"] == "DiagnosticReport"
    assert report["contained"][0]["code"]["coding"][0]["code"] == "71490-7"
    assert report["presentedForm"][0]["contentType"] == "image/png"
    assert problem(client.post("/grade", content=retinas[3], params={"eye": "middle"}, headers={"Content-Type": "image/jpeg"}), 422)


def test_the_overlay_is_given_where_it_is_asked_for(client, retinas):
    ways = [send(client, retinas[4], params={"explain": "true"}),
            client.post("/grade", files={"photo": retinas[4]}, data={"explain": "true"}),
            client.post("/grade", json={"photo": base64.b64encode(retinas[4]).decode(), "explain": True})]
    for response in ways:
        with Image.open(io.BytesIO(base64.b64decode(response.raise_for_status().json()["overlay"]))) as image:
            assert image.size == (96, 96)


@pytest.mark.parametrize("mode", ["CMYK", "L"])
def test_other_modes_are_read_and_said(client, retinas, mode):
    with Image.open(io.BytesIO(retinas[1])) as image:
        file = io.BytesIO()
        image.convert(mode).save(file, "JPEG")
    body = send(client, file.getvalue()).raise_for_status().json()
    assert body["notes"]
    assert body["gradable"] or body["reasons"]


@pytest.mark.parametrize("picture", [np.zeros((90, 90, 3), np.uint8), np.full((90, 120, 3), 255, np.uint8),
                                     np.random.default_rng(0).integers(0, 256, (90, 90, 3), dtype=np.uint8),
                                     np.linspace(0, 65535, 8100).reshape(90, 90).astype(np.uint16)],
                         ids=["black", "white", "noise", "16 bits"])
def test_what_is_no_retina_is_not_graded(client, picture):
    body = send(client, as_file(picture), "image/png").raise_for_status().json()
    assert (body["gradable"], body["abstained"], body["grade"]) == (False, True, None)
    assert body["reasons"]


def test_every_bad_file_is_a_clear_refusal(client, retinas):
    frames = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue")]
    moving = io.BytesIO()
    frames[0].save(moving, "PNG", save_all=True, append_images=frames[1:])
    assert "20,000 x 100" in problem(send(client, png_header(20_000, 100), "image/png"), 413)
    assert "more pixels" in problem(send(client, png_header(20_000, 20_000), "image/png"), 413)
    assert "one frame" in problem(send(client, moving.getvalue(), "image/png"), 415)
    assert "JPEG, PNG, TIFF or DICOM" in problem(send(client, b"%PDF-1.7 hello"), 415)
    assert "damaged" in problem(send(client, retinas[2][:3000]), 422)
    assert "empty" in problem(send(client, b""), 422)
    assert "larger than" in problem(send(client, b"\xff\xd8" + b"0" * (17 * 1024 * 1024)), 413)


def test_every_bad_request_is_a_clear_refusal(client, retinas):
    assert "Send the photograph as" in problem(send(client, retinas[0], "text/plain"), 415)
    assert "named `photo`" in problem(client.post("/grade", files={"eye": retinas[0]}), 422)
    wrong = client.post("/grade", json={"photo": "no base64 !"})
    problem(wrong, 422)
    assert "base64" in wrong.json()["errors"][0]["expected"]
    problem(client.post("/grade", json={"photo": base64.b64encode(retinas[0]).decode(), "gade": 1}), 422)
    problem(client.post("/grade", content=b"{", headers={"Content-Type": "application/json"}), 400)
    problem(httpx.post(f"{client.base_url}/grade", content=retinas[0], headers={"Content-Type": "image/jpeg"}, trust_env=False), 401)


def test_clients_at_once_each_get_their_own_answer(client, retinas):
    alone = {grade: send(client, content).json()["referable"] for grade, content in retinas.items()}
    found: dict[int, list[float]] = {grade: [] for grade in retinas}

    def ask(grade: int) -> None:
        for _ in range(3):
            found[grade].append(send(client, retinas[grade]).raise_for_status().json()["referable"])

    threads = [threading.Thread(target=ask, args=(grade,)) for grade in retinas]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == {grade: [pytest.approx(value)] * 3 for grade, value in alone.items()}


def test_the_document_names_every_way_to_send(client):
    content = client.get("/openapi.json").raise_for_status().json()["paths"]["/grade"]["post"]["requestBody"]["content"]
    assert {"application/json", "multipart/form-data", "image/jpeg", "image/png", "image/tiff", "application/dicom"} <= set(content)
    example = next(iter(content["application/json"]["examples"].values()))["value"]
    body = client.post("/grade", json=example).raise_for_status().json()
    assert body["gradable"] is False


def test_the_audit_log_holds_no_photograph(client, audit_log, retinas):
    send(client, retinas[0])
    text = audit_log.read_text()
    assert "/grade" in text
    assert base64.b64encode(retinas[0])[:40].decode() not in text


def test_a_server_without_a_grader_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(tmp_path))
    monkeypatch.setenv("CAREFOLIO_API_KEYS", KEY_HASH)
    with pytest.raises(ArtefactError, match="there is no grader"):
        create_app()
