"""The whole story over a real socket: start, health, predictions, explanations, and every way to be refused."""

import json
import sys
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from carefolio.datasets.diabetes130 import DRUGS, LABELS
from carefolio.exceptions import ArtefactError, ConfigError
from carefolio.local_server import free_port, run_server
from carefolio.serving.audit import verify_audit_log
from carefolio.serving.settings import new_api_key
from readmission.api import artefacts_folder, create_app
from readmission.cli import main
from readmission.data import DIED, HOSPICE
from readmission.features import FEATURES
from readmission.predictor import Predictor
from readmission.schemas import FIRST_STAY, RETURNING, EarlierEncounter, Encounter, PatientStay

KEY, KEY_HASH = new_api_key()


@pytest.fixture(scope="module")
def audit_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the place of the server's audit log."""
    return tmp_path_factory.mktemp("audit") / "audit.jsonl"


@pytest.fixture(scope="module")
def client(small_run: Path, audit_log: Path) -> Iterator[httpx.Client]:
    """Serve the small run's model with uvicorn, and give a client that has a key."""
    port = free_port()
    env = {"CAREFOLIO_ARTEFACTS": str(small_run / "artefacts"), "CAREFOLIO_API_KEYS": KEY_HASH, "CAREFOLIO_AUTH": "on",
           "CAREFOLIO_AUDIT_LOG": str(audit_log)}
    command = [sys.executable, "-m", "uvicorn", "readmission.api:create_app", "--factory", "--host", "127.0.0.1", "--port", str(port)]
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as address, \
            httpx.Client(base_url=address, headers={"X-API-Key": KEY}, trust_env=False, timeout=30) as session:
        yield session


@pytest.fixture(scope="module")
def predictor(small_run: Path) -> Predictor:
    """Give the served model in this process."""
    return Predictor.load(small_run / "artefacts")


def changed(**fields: Any) -> dict[str, Any]:
    """Give the first example with other values in its encounter; ``...`` removes a field."""
    body = deepcopy(FIRST_STAY)
    body["encounter"] = {name: value for name, value in (body["encounter"] | fields).items() if value is not ...}
    return body


def problem(response: httpx.Response, status: int) -> dict[str, Any]:
    """Check that a response is a problem document of this status and give it."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    return found


def test_probes_need_no_key(client: httpx.Client) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        assert httpx.get(f"{client.base_url}{path}", trust_env=False).status_code == 200


def test_predict_gives_the_models_risk_and_says_which_model(client: httpx.Client, predictor: Predictor) -> None:
    answer = client.post("/predict", json=RETURNING)
    assert answer.status_code == 200
    risk = predictor.predict([PatientStay.model_validate(RETURNING).columns()])[0]
    assert answer.json()["risk"] == pytest.approx(risk, abs=1e-12)
    assert answer.json()["model"]["sha256"] == predictor.sha256
    assert "Not a medical device" in answer.json()["disclaimer"]


def test_batch_gives_risks_in_order(client: httpx.Client) -> None:
    alone = [client.post("/predict", json=stay).json()["risk"] for stay in (RETURNING, FIRST_STAY)]
    together = client.post("/predict/batch", json={"stays": [RETURNING, FIRST_STAY] * 500})
    assert together.status_code == 200
    assert together.json()["risks"] == pytest.approx(alone * 500, abs=1e-12)


@pytest.mark.parametrize("count", [0, 1001])
def test_batch_of_none_or_too_many_is_refused(client: httpx.Client, count: int) -> None:
    found = problem(client.post("/predict/batch", json={"stays": [FIRST_STAY] * count}), 422)
    assert found["errors"][0]["field"] == "body.stays"


def test_explanation_sums_to_the_risk(client: httpx.Client) -> None:
    found = client.post("/explain", json=RETURNING).json()
    total = found["baseline_log_odds"] + sum(reason["log_odds"] for reason in found["reasons"])
    assert total == pytest.approx(found["log_odds"], abs=len(FEATURES) * 5e-5)
    assert found["risk"] == pytest.approx(client.post("/predict", json=RETURNING).json()["risk"], abs=1e-9)
    values = {reason["feature"]: reason["value"] for reason in found["reasons"]}
    assert (values["age_years"], values["earlier_stays"], values["diagnosis_group_1"]) == (75, 1, "circulatory")


def test_model_card_and_metrics_are_served(client: httpx.Client) -> None:
    client.post("/predict", json=FIRST_STAY)
    assert "# Model card" in client.get("/model-card").text
    assert 'carefolio_http_requests_total{method="POST",route="/predict",status="200"}' in client.get("/metrics").text


def test_whole_numbers_may_be_written_with_a_point(client: httpx.Client) -> None:
    same = client.post("/predict", json=changed(time_in_hospital=3.0, admission_type_id=3.0))
    assert same.json()["risk"] == client.post("/predict", json=FIRST_STAY).json()["risk"]


@pytest.mark.parametrize(("field", "value", "expected"), [
    ("age", ..., "required"), ("age", "[60-65)", "[60-70)"), ("gender", "female", "Female"), ("insulin", "Yes", "Steady"),
    ("insulin", None, "Steady"), ("medical_specialty", "Astrology", "Cardiology"), ("payer_code", "ZZ", "MC"),
    ("diag_1", "heart", "pattern"),
    ("admission_type_id", 9, "8"), ("admission_type_id", True, "integer"), ("admission_type_id", "3", "integer"),
    ("admission_source_id", 16, "17"), ("time_in_hospital", 15, "14"), ("time_in_hospital", "3", "integer"), ("number_emergency", -1, "0"),
    ("race", "Asian", "no such field"), ("patient_nbr", 1, "no such field"), ("discharge_disposition_id", 11, "death"),
    ("discharge_disposition_id", 13, "hospice"), ("discharge_disposition_id", 99, "28"),
])
def test_bad_field_is_named(client: httpx.Client, field: str, value: Any, expected: str) -> None:
    found = problem(client.post("/predict", json=changed(**{field: value})), 422)
    assert [error["field"] for error in found["errors"]] == [f"body.encounter.{field}"]
    assert expected in found["errors"][0]["expected"]


def test_earlier_stays_are_checked_too(client: httpx.Client) -> None:
    earlier = RETURNING["earlier_encounters"][0]
    died = problem(client.post("/predict", json=RETURNING | {"earlier_encounters": [earlier | {"discharge_disposition_id": 11}]}), 422)
    assert died["errors"][0]["field"] == "body.earlier_encounters.0.discharge_disposition_id"
    many = problem(client.post("/predict", json=RETURNING | {"earlier_encounters": [earlier] * 51}), 422)
    assert many["errors"][0]["field"] == "body.earlier_encounters"
    hospice = RETURNING | {"earlier_encounters": [earlier | {"discharge_disposition_id": 13}]}
    assert client.post("/predict", json=hospice).status_code == 200


def test_not_a_number_is_refused(client: httpx.Client) -> None:
    body = json.dumps(changed(num_medications=float("nan")))
    assert "NaN" in problem(client.post("/predict", content=body, headers={"Content-Type": "application/json"}), 422)["detail"]


def test_broken_json_is_refused(client: httpx.Client) -> None:
    problem(client.post("/predict", content=b'{"encounter": ', headers={"Content-Type": "application/json"}), 400)


def test_large_body_is_refused(client: httpx.Client) -> None:
    body = b'{"encounter": "' + b"x" * 10_000_000 + b'"}'
    problem(client.post("/predict", content=body, headers={"Content-Type": "application/json"}), 413)


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "not the key at all"}])
def test_missing_or_wrong_key_is_refused(client: httpx.Client, headers: dict[str, str]) -> None:
    problem(httpx.post(f"{client.base_url}/predict", json=FIRST_STAY, headers=headers, trust_env=False), 401)


def test_wrong_method_and_wrong_address(client: httpx.Client) -> None:
    problem(client.get("/predict"), 405)
    problem(client.post("/predictions", json=FIRST_STAY), 404)


def test_audit_log_holds_requests_and_nothing_of_the_patient(client: httpx.Client, audit_log: Path) -> None:
    client.post("/predict", json=changed(diag_1="V58", number_outpatient=317))
    client.post("/predict", json=changed(patient_nbr=8222157))
    text = audit_log.read_text(encoding="utf-8")
    records = [json.loads(line) for line in text.splitlines()]
    assert verify_audit_log(audit_log).records == len(records)
    assert {record["status"] for record in records[-2:]} == {200, 422}
    assert set(records[-1]) == {"time", "request_id", "method", "route", "status", "duration_ms", "subject", "previous", "hash"}
    assert not any(word in text for word in ("8222157", "V58", "patient_nbr", "diag_1", "127.0.0.1", KEY, KEY_HASH))


def test_schema_has_every_drug_and_no_race() -> None:
    names = {field.alias or name for name, field in Encounter.model_fields.items()}
    assert set(DRUGS) <= names
    assert not names & {"race", "weight", "encounter_id", "patient_nbr", "readmitted"}
    assert {LABELS[drug] for drug in DRUGS} == {LABELS["insulin"]}


def test_schema_offers_only_discharges_that_the_model_applies_to() -> None:
    current = set(Encounter.model_json_schema()["properties"]["discharge_disposition_id"]["enum"])
    earlier = set(EarlierEncounter.model_json_schema()["properties"]["discharge_disposition_id"]["enum"])
    assert earlier - current == set(HOSPICE)
    assert not earlier & set(DIED)


def test_server_without_a_model_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_API_KEYS", KEY_HASH)
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(tmp_path))
    assert artefacts_folder() == tmp_path
    with pytest.raises(ArtefactError, match="is missing"):
        create_app()


def test_server_without_a_key_does_not_start(small_run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREFOLIO_ARTEFACTS", str(small_run / "artefacts"))
    for name in ("CAREFOLIO_API_KEYS", "CAREFOLIO_API_KEYS_FILE", "CAREFOLIO_JWT_JWKS_FILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigError, match="no API key"):
        create_app()


@pytest.mark.parametrize(("options", "code", "message"), [
    (["--host", "0.0.0.0", "--no-auth"], ConfigError.exit_code, "needs a loopback host"),
    (["--host", "0.0.0.0"], ConfigError.exit_code, "no API key"),
    (["--out", "nowhere"], ArtefactError.exit_code, "is missing"),
])
def test_serve_refuses_in_one_line(options: list[str], code: int, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOST", "AUTH", "ARTEFACTS", "API_KEYS", "API_KEYS_FILE", "JWT_JWKS_FILE"):
        monkeypatch.setenv(f"CAREFOLIO_{name}", "")
    result = CliRunner().invoke(main, ["serve", *options, "--port", str(free_port())])
    assert result.exit_code == code, result.output
    assert message in result.output.splitlines()[-1]
