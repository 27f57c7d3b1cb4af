"""The API: what it refuses, what it says of itself, and that it keeps to its own document."""

import pytest
from fastapi.testclient import TestClient

from carefolio.boosted import load_boosted
from carefolio.exceptions import ConfigError
from carefolio.testing import check_contract
from retraining.api import create_app
from retraining.deployment import read_pointer
from retraining.names import DEPLOYMENT_VARIABLE
from retraining.replay import replay_store


@pytest.fixture
def deployment(twin_run):
    return replay_store(twin_run).deployment


@pytest.fixture
def client(deployment, monkeypatch):
    monkeypatch.setenv(DEPLOYMENT_VARIABLE, str(deployment))
    monkeypatch.setenv("CAREFOLIO_AUTH", "off")
    monkeypatch.setenv("CAREFOLIO_HOST", "127.0.0.1")
    with TestClient(create_app(), base_url="http://127.0.0.1") as found:
        yield found


def test_it_answers_with_the_deployed_model(client, deployment):
    release = read_pointer(deployment)
    assert client.get("/health/ready").status_code == 200
    state = client.get("/release").json()
    assert (state["release"]["number"], state["release"]["sha256"], state["taken_over"]) == (release.number, release.sha256, 1)
    answer = client.post("/predict", json={"rows": [{"los_days": 3, "gender": "Female"}, {}]}).json()
    assert len(answer["risks"]) == 2
    assert answer["release"] == state["release"]
    assert f"retraining_release {float(release.number)}" in client.get("/metrics").text


@pytest.mark.parametrize(("row", "words"), [
    ({"ward": 1}, "columns that this release does not read"), ({"gender": 1}, "column gender: expected text"),
    ({"los_days": "three"}, "column los_days: expected a number"), ({"los_days": 1e12}, "column los_days: expected a number"),
])
def test_a_row_that_the_model_cannot_read_is_refused_without_its_values(client, row, words):
    answer = client.post("/predict", json={"rows": [row]})
    assert answer.status_code == 422
    assert words in answer.text
    assert "three" not in answer.text


@pytest.mark.parametrize("body", [{}, {"rows": []}, {"rows": [{}] * 1001}, {"rows": [{"los_days": True}]}, {"rows": [{}], "more": 1}])
def test_a_body_that_is_none_is_refused(client, body):
    assert client.post("/predict", json=body).status_code == 422


def test_without_a_deployment_it_runs_and_says_that_it_is_not_ready(tmp_path, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_AUTH", "off")
    monkeypatch.setenv("CAREFOLIO_HOST", "127.0.0.1")
    monkeypatch.delenv(DEPLOYMENT_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="must name the folder of a deployment"):
        create_app()
    monkeypatch.setenv(DEPLOYMENT_VARIABLE, str(tmp_path))
    with TestClient(create_app(), base_url="http://127.0.0.1") as client:
        assert client.get("/health/live").status_code == 200
        assert [client.get(path).status_code for path in ("/health/ready", "/release")] == [503, 503]
        assert client.post("/predict", json={"rows": [{}]}).status_code == 503


def test_the_committed_form_can_be_served(twin_state, twin_run, tmp_path):
    from retraining.report import keep_champion

    keep_champion(replay_store(twin_run), twin_state, tmp_path)
    release = read_pointer(tmp_path)
    assert load_boosted(tmp_path / release.model, sha256=release.sha256).training["rows"] > 0
    assert len(list(tmp_path.rglob("*.sha256"))) == 3


@pytest.mark.slow
def test_api_keeps_its_contract(deployment, tmp_path):
    said = check_contract("retraining.api:create_app", {DEPLOYMENT_VARIABLE: str(deployment)}, tmp_path,
                          without=("positive_data_acceptance",))
    assert "Selected: 6/6" in said
