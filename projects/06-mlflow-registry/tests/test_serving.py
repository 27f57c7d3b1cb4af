"""A real server of models follows the alias of a real registry: no restart, no failed request, one version an answer."""

import json
import os
import threading
import time
import urllib.error
from collections import Counter

import pytest
from fastapi.testclient import TestClient

from carefolio.command import command_line
from carefolio.exceptions import ConfigError
from carefolio.local_server import ask_server, free_port, run_server
from carefolio.tracking import TrackingError
from model_registry.api import ADDRESS_VARIABLE, FOLDER_VARIABLE, NAME_VARIABLE, POLL_VARIABLE, create_app
from model_registry.champion import Follower
from model_registry.tracking import aliases
from model_registry.tracking.errors import RegistryError

REQUESTS, CLIENTS, CHANGES = 400, 4, 4


@pytest.fixture(scope="module")
def versions(first_run, second_run):
    """Two versions of the readmission model, the first champion."""
    made = [aliases.register(run.address, "readmission", run.run_id()) for run in (first_run, second_run)]
    aliases.promote(first_run.address, "readmission", made[0].version, force=True)
    return made


@pytest.fixture
def app(versions, first_run, tmp_path, monkeypatch):
    """The API in this process."""
    values = {ADDRESS_VARIABLE: first_run.address, NAME_VARIABLE: "readmission", FOLDER_VARIABLE: str(tmp_path), POLL_VARIABLE: "0.2",
              "CAREFOLIO_AUTH": "off", "CAREFOLIO_HOST": "127.0.0.1"}
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    aliases.promote(first_run.address, "readmission", versions[0].version, force=True)
    with TestClient(create_app(), base_url="http://127.0.0.1") as client:
        yield client


@pytest.mark.slow
def test_a_change_of_the_alias_is_picked_up_without_a_failed_request(versions, first_run, tmp_path):
    aliases.promote(first_run.address, "readmission", versions[0].version, force=True)
    expected = {version.version: aliases.download(first_run.address, version, tmp_path / version.version) for version in versions}
    example = expected[versions[0].version].example
    risks = {number: loaded.answer([example])[0] for number, loaded in expected.items()}
    assert len(set(risks.values())) == 2
    port = free_port()
    command = command_line("model_registry", "serve", "--port", str(port), "--no-auth", "--tracking-uri", first_run.address)
    env = {FOLDER_VARIABLE: str(tmp_path / "served"), POLL_VARIABLE: "0.2", "CAREFOLIO_REQUESTS_PER_MINUTE": "1000000"}
    answers: list[tuple[str, float]] = []
    failures: list[str] = []

    def ask(url):
        body = json.dumps({"rows": [example]}).encode()
        for _ in range(REQUESTS // CLIENTS):
            try:
                answer = json.loads(ask_server(f"{url}/predict", body))
                answers.append((answer["model"]["version"], answer["answers"][0]["risk"]))
            except OSError as error:
                failures.append(repr(error))
            time.sleep(0.02)

    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", env=env, timeout_s=120) as url:
        threads = [threading.Thread(target=ask, args=(url,)) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        for change in range(CHANGES):
            wanted = versions[(change + 1) % 2].version
            aliases.promote(first_run.address, "readmission", wanted, force=True)
            deadline = time.monotonic() + 30
            while json.loads(ask_server(f"{url}/champion"))["model"]["version"] != wanted:
                assert time.monotonic() < deadline, "the change was not picked up"
                time.sleep(0.05)
        for thread in threads:
            thread.join()
        assert json.loads(ask_server(f"{url}/champion"))["model"]["version"] == versions[0].version
    assert failures == []
    assert len(answers) == REQUESTS
    assert set(Counter(number for number, _ in answers)) == {version.version for version in versions}
    assert {(number, risk) for number, risk in answers} == set(risks.items()), "an answer is of the version that it names"


def test_an_answer_says_which_version_gave_it(app, versions):
    state = app.get("/champion").json()
    example = app.get("/openapi.json").json()["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["examples"]
    body = next(iter(example.values()))["value"]
    answer = app.post("/predict", json={"rows": [*body["rows"], {}]})
    assert answer.status_code == 200
    assert answer.json()["model"] == state["model"] == {"name": "readmission", "version": versions[0].version, "run_id": versions[0].run_id,
                                                        "sha256": versions[0].sha256}
    assert all(0 < item["risk"] < 1 for item in answer.json()["answers"])
    assert "Not a medical device" in answer.json()["disclaimer"]
    assert "age_years" in state["features"]
    assert app.get("/model-card").text.startswith("# Model card")
    assert app.get("/health/ready").status_code == 200
    assert f"registry_champion_version {float(versions[0].version)}" in app.get("/metrics").text


@pytest.mark.parametrize(("body", "said"), [
    ({"rows": []}, ""), ({}, ""), ({"rows": [{"age_years": "65"}]}, "expected a number"), ({"rows": [{"no_such": 1}]}, "does not read"),
    ({"rows": [{"payer": 3}]}, "expected text"), ({"rows": [{"age_years": True}]}, ""),
    ({"rows": [{"age_years": 1e300}]}, "expected a number"),
    ({"rows": [{"payer": "x" * 300}]}, ""), ({"rows": [{}], "more": 1}, ""), ({"rows": [{}] * 1001}, ""), ([], ""),
])
def test_bad_input_is_refused_in_plain_words_without_its_values(app, body, said):
    answer = app.post("/predict", json=body)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.json()["detail"]
    assert "no_such" not in answer.text


def test_an_unseen_category_counts_as_not_known(app):
    one, other = (app.post("/predict", json={"rows": [{"payer": value}]}).json()["answers"][0]["risk"] for value in ("no such payer", None))
    assert one == other


def test_survival_answers_with_probabilities_by_day(first_run, tmp_path, monkeypatch):
    version = aliases.register(first_run.address, "survival", first_run.run_id("survival"))
    aliases.promote(first_run.address, "survival", version.version, force=True)
    for name, value in {ADDRESS_VARIABLE: first_run.address, NAME_VARIABLE: "survival", FOLDER_VARIABLE: str(tmp_path),
                        "CAREFOLIO_AUTH": "off", "CAREFOLIO_HOST": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    with TestClient(create_app(), base_url="http://127.0.0.1") as client:
        rows = [{"num_age": 40, "fac_dzgroup": "COPD"}, {"num_age": 90, "fac_dzgroup": "Coma", "num_scoma": 100}, {"num_age": -1e9}]
        found = [answer["survival"] for answer in client.post("/predict", json={"rows": rows}).json()["answers"]]
    assert [list(item) for item in found] == [["30", "180", "365"]] * 3
    assert all(0 <= value <= 1 for item in found for value in item.values())
    assert all(first > second for first, second in zip(found[0].values(), found[1].values(), strict=True))


def test_a_version_that_cannot_be_read_leaves_the_champion_in_place(versions, first_run, tmp_path, monkeypatch):
    aliases.promote(first_run.address, "readmission", versions[0].version, force=True)
    follower = Follower(first_run.address, "readmission", tmp_path)
    follower.start()
    before = follower.current()
    aliases.promote(first_run.address, "readmission", versions[1].version, force=True)
    monkeypatch.setattr("model_registry.champion.download", lambda *_: (_ for _ in ()).throw(TrackingError("cut off")))
    with follower.following(0.05):
        deadline = time.monotonic() + 30
        while not follower.failures and time.monotonic() < deadline:
            time.sleep(0.05)
        assert follower.failures
        assert follower.current() is before
        monkeypatch.undo()
        while follower.current() is before and time.monotonic() < deadline:
            time.sleep(0.05)
    assert follower.current().version == versions[1].version, "it is taken over once it can be read"
    aliases.promote(first_run.address, "readmission", versions[0].version, force=True)


def test_a_restart_without_the_tracking_server_serves_what_was_champion_last(versions, first_run, tmp_path):
    follower = Follower(first_run.address, "readmission", tmp_path)
    follower.start()
    nowhere = f"http://127.0.0.1:{free_port()}"
    restarted = Follower(nowhere, "readmission", tmp_path)
    restarted.start()
    assert restarted.current().loaded.sha256 == follower.current().loaded.sha256
    assert restarted.current().card == follower.current().card
    with pytest.raises(TrackingError):
        Follower(nowhere, "readmission", tmp_path / "empty").start()


def test_without_a_champion_or_an_address_nothing_starts(first_run, tmp_path, monkeypatch):
    with pytest.raises(RegistryError, match="no version 'champion'"):
        Follower(first_run.address, "no_such_model", tmp_path).start()
    monkeypatch.delenv(ADDRESS_VARIABLE, raising=False)
    with pytest.raises(ConfigError, match="registry serve"):
        create_app()


def test_who_has_no_key_is_refused(versions, first_run, tmp_path):
    port = free_port()
    command = command_line("model_registry", "serve", "--port", str(port), "--tracking-uri", first_run.address)
    with run_server(command, ready_url=f"http://127.0.0.1:{port}/health/ready", timeout_s=120,
                    env={FOLDER_VARIABLE: str(tmp_path)} | {name: "" for name in os.environ if name.startswith("CAREFOLIO_API")}) as url, \
            pytest.raises(urllib.error.HTTPError, match="401"):
        ask_server(f"{url}/predict", b'{"rows":[{}]}')
