"""Requests are made from encounters: what the service asks for, in order, without what it does not."""

import json

import polars as pl
import pytest

from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.exceptions import SchemaError
from container_scaling.data import record_requests, write_batches
from container_scaling.features import build_requests

NOW = {"properties": {"age": {}, "diag_1": {}, "discharge_disposition_id": {"enum": [1, 6]}}}
BEFORE = {"properties": {"age": {}, "discharge_disposition_id": {"enum": [1, 6, 13]}, "returned_within_30_days": {}}}
DOCUMENT = {"components": {"schemas": {"Encounter": NOW, "EarlierEncounter": BEFORE,
                                       "PatientStay": {"properties": {"earlier_encounters": {"maxItems": 2}}}}}}


def encounters() -> pl.DataFrame:
    return pl.DataFrame({
        "encounter_id": [5, 1, 2, 3, 9, 4], "patient_nbr": [7, 7, 7, 7, 8, 7], "age": [f"a{i}" for i in (5, 1, 2, 3, 9, 4)],
        "race": ["Other"] * 6, "diag_1": [None, "250", "250", "250", "428", "250"], "discharge_disposition_id": [1, 1, 13, 6, 11, 1],
        "readmitted": ["NO", "<30", "NO", ">30", "NO", "<30"]})


def test_a_request_holds_the_stay_and_what_came_before_it():
    bodies = [json.loads(body) for body in build_requests(encounters(), DOCUMENT, count=10, seed=0)]
    last = next(body for body in bodies if body["encounter"]["age"] == "a5")
    assert last["encounter"] == {"age": "a5", "discharge_disposition_id": 1}, "what is not known is left out"
    assert [stay["age"] for stay in last["earlier_encounters"]] == ["a3", "a4"], "oldest first, the most recent two"
    assert [stay["returned_within_30_days"] for stay in last["earlier_encounters"]] == [False, True]
    assert {body["encounter"]["age"] for body in bodies} == {"a1", "a3", "a4", "a5"}, "a death and a hospice are nobody's current stay"
    assert not any(word in json.dumps(bodies) for word in ("race", "patient_nbr", "encounter_id"))


def test_another_service_or_file_is_refused():
    with pytest.raises(SchemaError, match="no schema Encounter"):
        build_requests(encounters(), {}, count=1, seed=0)
    with pytest.raises(SchemaError, match="none of 6 encounters"):
        build_requests(encounters().with_columns(discharge_disposition_id=11), DOCUMENT, count=1, seed=0)


def test_requests_are_recorded_with_where_they_come_from(tmp_path, monkeypatch, twin_only):
    for name, value in twin_only.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    from container_scaling.config import PayloadSettings

    settings = PayloadSettings(requests=30, synthetic_patients=500)
    document = {"components": {"schemas": {**DOCUMENT["components"]["schemas"], "PatientStay": {
        "properties": {"earlier_encounters": {"maxItems": 50}}}}}}
    path = record_requests(document, settings, tmp_path, seed=0)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 30
    record = json.loads((tmp_path / "data" / "data.json").read_text(encoding="utf-8"))
    assert record["provenance"]["origin"] == "synthetic"
    assert load_diabetes130(allow_synthetic=True, n_synthetic_patients=500).provenance.origin == "synthetic"


def test_batches_hold_whole_requests(tmp_path):
    path = tmp_path / "requests.jsonl"
    path.write_text("".join(f'{{"n":{i}}}\n' for i in range(5)), encoding="utf-8")
    lines = write_batches(path, 2, tmp_path).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [{"stays": [{"n": 0}, {"n": 1}]}, {"stays": [{"n": 2}, {"n": 3}]}]
    with pytest.raises(SchemaError, match="too few for a batch of 6"):
        write_batches(path, 6, tmp_path)
