"""The calculator as an API: right answers, refusals with reasons, nothing without a key."""

import math

import pytest
from fastapi.testclient import TestClient

from container_scaling import api
from container_scaling.model import ServiceTimes


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> TestClient:
    monkeypatch.setenv("CAREFOLIO_AUTH", "off")
    monkeypatch.setenv("CAREFOLIO_HOST", "127.0.0.1")
    monkeypatch.setattr(api, "read_service_times", lambda folder: ServiceTimes((0.001,) * 10))
    return TestClient(api.create_app(), base_url="http://127.0.0.1")


def test_a_hundred_hospitals_are_sized(client):
    answer = client.post("/plan", json={"hospitals": 100, "discharges_per_hospital_day": 60, "calls_per_discharge": 20})
    assert answer.status_code == 200
    found = answer.json()
    assert found["replicas"] >= 2
    assert found["peak_rate"] == pytest.approx(15.0, rel=0.7)
    assert found["p95_ms"] < 50
    assert "Not a medical device" in found["disclaimer"]


def test_more_hospitals_never_need_fewer(client):
    counts = [client.post("/plan", json={"hospitals": count}).json()["replicas"] for count in (1, 1000, 20_000, 100_000)]
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_a_promise_that_cannot_be_kept_is_refused(client):
    answer = client.post("/plan", json={"hospitals": 1, "target_ms": 0.5})
    assert answer.status_code == 422
    assert "the service alone takes 1 ms" in answer.json()["detail"]


@pytest.mark.parametrize("body", [{}, {"hospitals": 0}, {"hospitals": 1.5}, {"hospitals": "many"}, {"hospitals": 1, "other": 1},
                                  {"hospitals": 1, "target_ms": -1}])
def test_bad_input_is_refused(client, body):
    assert client.post("/plan", json=body).status_code == 422


def test_what_is_not_json_is_refused(client):
    answer = client.post("/plan", content=f'{{"hospitals": {math.nan}}}', headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
