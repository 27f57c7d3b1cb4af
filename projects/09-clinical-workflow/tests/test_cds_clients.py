"""Signed tokens of clients: what is taken, and everything that is not."""

import json
import time
from base64 import urlsafe_b64encode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from carefolio.serving.settings import new_api_key
from clinical_workflow.cds.switch import set_mode
from clinical_workflow.smart.assertions import public_keys

from .hospital_examples import ISSUER, JKU, KEY, OTHER_KEY, bearer, claims_for, hook, key_server, open_service

PATH = "/cds-services/readmission-risk"


def _from_now(seconds):
    """Give a time when the test runs: hours may lie between its collection and its turn."""
    return lambda: int(time.time()) + seconds


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    set_mode(tmp_path, "all", "show")
    key, key_hash = new_api_key()
    with open_service(tmp_path, monkeypatch, CAREFOLIO_AUTH="on", CAREFOLIO_API_KEYS=key_hash) as opened:
        opened.outside(key_server)
        opened.key = key
        yield opened


def test_a_signed_call_is_answered(guarded, charts):
    answer = guarded.ask("readmission-risk", hook(charts[0]), Authorization=bearer(PATH))
    assert answer.status_code == 200
    assert len(answer.json()["cards"]) == 1
    listed = guarded.ask("readmission-risk", hook(charts[0]), Authorization=bearer(PATH, aud=["http://elsewhere", f"http://127.0.0.1:8009{PATH}"]))
    assert listed.status_code == 200


def test_a_token_is_taken_once(guarded, charts):
    token = bearer(PATH)
    assert [guarded.ask("readmission-risk", hook(charts[0]), Authorization=token).status_code for _ in range(2)] == [200, 401]


def test_a_forged_token_is_refused(guarded, charts):
    token = bearer(PATH, key=OTHER_KEY)
    answer = guarded.ask("readmission-risk", hook(charts[0]), Authorization=token)
    assert answer.status_code == 401
    assert "signature" in answer.json()["issue"][0]["diagnostics"]
    head, _, signature = bearer(PATH)[7:].split(".")
    payload = urlsafe_b64encode(json.dumps(claims_for(PATH, iss=ISSUER)).encode()).decode().rstrip("=")
    assert guarded.ask("readmission-risk", hook(charts[0]), Authorization=f"Bearer {head}.{payload}.{signature}").status_code == 401


@pytest.mark.parametrize("changes", [
    {"exp": _from_now(-60)}, {"iat": _from_now(600), "exp": _from_now(700)}, {"exp": _from_now(4000)},
    {"aud": "http://127.0.0.1:8009/cds-services/note-summary"}, {"aud": "http://127.0.0.1:8009/cds-services"}, {"iss": "http://elsewhere"},
    {"iss": None}, {"aud": None}, {"exp": None}, {"iat": None}, {"jti": None}, {"jti": ""}, {"jti": "x" * 300}, {"exp": "tomorrow"},
    {"exp": True}, {"nbf": _from_now(600)}, {"nbf": "later"}], ids=lambda changes: "-".join(changes))
def test_claims_that_do_not_hold_are_refused(guarded, charts, changes):
    claims = {name: value() if callable(value) else value for name, value in changes.items()}
    answer = guarded.ask("readmission-risk", hook(charts[0]), Authorization=bearer(PATH, **claims))
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_a_key_set_at_another_address_is_not_even_fetched(guarded, charts):
    fetched = []

    def _strange(request):
        fetched.append(str(request.url))
        return httpx.Response(200, json=public_keys(OTHER_KEY))

    guarded.outside(_strange)
    token = bearer(PATH, key=OTHER_KEY, jku="http://evil.example/jwks.json")
    assert guarded.ask("readmission-risk", hook(charts[0]), Authorization=token).status_code == 401
    assert fetched == []


def test_weak_and_absent_algorithms_are_refused(guarded, charts):
    shared = jwt.encode({"alg": "HS256", "kid": "client-1", "jku": JKU}, claims_for(PATH), OctKey.import_key("k" * 64))
    rsa = RSAKey.generate_key(2048, {"kid": "client-1"}, private=True)
    short = jwt.encode({"alg": "RS256", "kid": "client-1", "jku": JKU}, claims_for(PATH), rsa)
    parts = [urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in (
        {"alg": "none", "kid": "client-1", "jku": JKU}, claims_for(PATH))]
    for token in (shared, short, ".".join([*parts, ""])):
        assert guarded.ask("readmission-risk", hook(charts[0]), Authorization=f"Bearer {token}").status_code == 401


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer x", "Bearer a.b.c", "Basic dTpw", "Bearer " + "x" * 9000])
def test_what_is_no_token_is_refused(guarded, charts, header):
    headers = {} if header is None else {"Authorization": header}
    assert guarded.ask("readmission-risk", hook(charts[0]), **headers).status_code == 401


def test_keys_that_cannot_be_had_are_said_and_secret_ones_refused(guarded, charts):
    guarded.outside(lambda request: httpx.Response(500))
    assert guarded.ask("readmission-risk", hook(charts[0]), Authorization=bearer(PATH)).status_code == 503
    guarded.outside(lambda request: httpx.Response(200, json={"keys": [KEY.as_dict(private=True)]}))
    assert guarded.ask("readmission-risk", hook(charts[0]), Authorization=bearer(PATH)).status_code == 503


def test_the_switch_needs_the_key_and_no_token_opens_it(guarded):
    body = {"mode": "off", "why": "a test"}
    assert guarded.client.put("/admin/switch", json=body).status_code == 401
    assert guarded.client.put("/admin/switch", json=body, headers={"Authorization": bearer("/admin/switch")}).status_code == 401
    assert guarded.client.put("/admin/switch", json=body, headers={"X-API-Key": guarded.key}).status_code == 200


def test_discovery_is_open_and_its_cors_is_for_the_hospital_alone(guarded):
    own, other = ({"Origin": origin} for origin in ("http://127.0.0.1:8010", "http://evil.example"))
    assert guarded.client.get("/cds-services", headers=own).headers["access-control-allow-origin"] == own["Origin"]
    assert "access-control-allow-origin" not in guarded.client.get("/cds-services", headers=other).headers
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    preflight = guarded.client.options(PATH, headers=own | asked)
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, own["Origin"])
    assert "access-control-allow-origin" not in guarded.client.options(PATH, headers=other | asked).headers
    assert "access-control-allow-credentials" not in preflight.headers
