"""The mock hospital in this process: pages, forms, tokens, scopes, and the stores behind them."""

import asyncio
import re
import shutil
import time
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.testclient import TestClient

from clinical_workflow.hospital.app import BACKEND_VARIABLE, create_app
from clinical_workflow.hospital.charts import load_charts
from clinical_workflow.hospital.node_server import install_node_server, run_node_server
from clinical_workflow.hospital.store import MemoryStore, NodeStore
from clinical_workflow.smart.assertions import TYPE, client_assertion, new_key, public_keys
from clinical_workflow.smart.scopes import allows, covers
from clinical_workflow.smart.tokens import Token
from clinical_workflow.start import outputs

from .hospital_examples import FRAIL, WELL

BASE = "http://127.0.0.1:8010"
APP = "http://127.0.0.1:8509/"
BACKEND = new_key("screening-1")


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hospital")
    (folder / "settings.toml").write_text("data.made_up_patients = 5\ndata.bundles = 1\n", encoding="utf-8")
    import orjson

    (folder / "keys.json").write_bytes(orjson.dumps(public_keys(BACKEND)))
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"CLINICAL_WORKFLOW_CONFIG": str(folder / "settings.toml"), BACKEND_VARIABLE: str(folder / "keys.json"),
                            "CAREFOLIO_DATA_DIR": str(folder), "CAREFOLIO_CACHE_DIR": str(folder), "CAREFOLIO_OFFLINE": "1"}.items():
            patch.setenv(name, value)
        patch.delenv("CLINICAL_WORKFLOW_FHIR_SERVER", raising=False)
        with TestClient(create_app(), base_url=BASE, follow_redirects=False) as client:
            ward = client.app.state.ward
            client.app.state.ward = replace(ward,
                                            outside=httpx.AsyncClient(transport=httpx.MockTransport(lambda request: httpx.Response(503))))
            yield client


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.text)[1]


def test_a_chart_says_when_decision_support_is_silent(hospital):
    page = hospital.get(f"/patients/{FRAIL}")
    assert page.status_code == 200
    assert "did not answer. This says nothing about the patient." in page.text
    assert "default-src &#39;none&#39;" not in page.text and "default-src 'none'" in page.headers["content-security-policy"]


def test_a_stay_ends_and_begins(hospital):
    page = hospital.get(f"/patients/{WELL}/discharge")
    assert hospital.post(f"/patients/{WELL}/discharge", data={"token": token_of(page)}).status_code == 303
    assert hospital.get(f"/patients/{WELL}/discharge").status_code == 409
    page = hospital.get(f"/patients/{WELL}")
    assert "Admit" in page.text
    assert hospital.post(f"/patients/{WELL}/admit", data={"token": token_of(page)}).status_code == 303
    assert hospital.post(f"/patients/{WELL}/admit", data={"token": token_of(page)}).status_code == 409
    events = hospital.get("/audit").text
    assert "discharged" in events and "admitted" in events


def test_a_form_of_another_session_is_refused(hospital):
    assert hospital.post(f"/patients/{WELL}/admit", data={"token": "guessed"}).status_code == 403
    assert hospital.post(f"/patients/{WELL}/admit").status_code == 403
    assert hospital.post("/cards/none/accept", data={"token": token_of(hospital.get(f"/patients/{WELL}"))}).status_code == 404


def test_what_is_not_there_is_a_page(hospital):
    for path in ("/patients/nobody", "/patients/..%2f..%2fetc", "/patients/" + "x" * 200):
        assert hospital.get(path).status_code == 404


def authorize(hospital, *, challenge="E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", **changes):
    page = hospital.get(f"/patients/{FRAIL}")
    sent = hospital.post(f"/launch/workflow-dashboard/{FRAIL}", data={"token": token_of(page)})
    asked = parse_qs(urlsplit(sent.headers["location"]).query)
    query = {"response_type": "code", "client_id": "workflow-dashboard", "redirect_uri": APP, "scope": "launch patient/RiskAssessment.rs",
             "state": "s", "aud": asked["iss"][0], "launch": asked["launch"][0], "code_challenge": challenge,
             "code_challenge_method": "S256"}
    return hospital.get("/auth/authorize", params={name: value for name, value in (query | changes).items() if value is not None})


VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
"""With its challenge above, the example of RFC 7636."""


def exchange(hospital, code, **changes):
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": APP, "client_id": "workflow-dashboard",
            "code_verifier": VERIFIER}
    return hospital.post("/auth/token", data={name: value for name, value in (form | changes).items() if value is not None})


def code_of(answer):
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def test_an_app_gets_a_token_for_the_open_chart_and_no_other(hospital):
    answer = exchange(hospital, code_of(authorize(hospital)))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert (token["patient"], token["encounter"], token["scope"]) == (FRAIL, f"{FRAIL}-now", "launch patient/RiskAssessment.rs")
    headers = {"Authorization": f"Bearer {token['access_token']}"}
    assert hospital.get(f"/fhir/RiskAssessment?patient={FRAIL}", headers=headers).status_code == 200
    assert hospital.get(f"/fhir/RiskAssessment?patient={WELL}", headers=headers).status_code == 403
    assert hospital.get(f"/fhir/Condition?patient={FRAIL}", headers=headers).status_code == 403
    assert hospital.post("/fhir/RiskAssessment", json={"resourceType": "RiskAssessment"}, headers=headers).status_code == 403


@pytest.mark.parametrize(("changes", "status"), [
    ({"aud": "http://elsewhere/fhir"}, 400), ({"aud": None}, 400), ({"launch": "guessed"}, 400), ({"redirect_uri": "http://evil.example/"},
                                                                                                  400),
    ({"redirect_uri": None}, 400), ({"client_id": "nobody"}, 400), ({"code_challenge_method": "plain"}, 400),
    ({"code_challenge_method": None}, 400)])
def test_an_app_that_asks_wrongly_is_not_sent_back(hospital, changes, status):
    assert authorize(hospital, **changes).status_code == status


@pytest.mark.parametrize("changes", [{"scope": "launch patient/*.cruds"}, {"scope": "system/*.rs"}, {"scope": "patient/*.read"},
                                     {"code_challenge": None}, {"response_type": "token"}], ids=str)
def test_an_app_that_asks_too_much_is_sent_back_without_a_code(hospital, changes):
    answer = authorize(hospital, **changes)
    asked = parse_qs(urlsplit(answer.headers.get("location", "")).query)
    assert answer.status_code == 302
    assert "error" in asked and "code" not in asked


@pytest.mark.parametrize("changes", [{"code_verifier": "x" * 43}, {"code_verifier": None}, {"redirect_uri": "http://evil.example/"},
                                     {"client_id": "screening-service"}, {"client_id": None}, {"grant_type": "password"}], ids=str)
def test_a_stolen_code_gives_no_token(hospital, changes):
    code = code_of(authorize(hospital))
    assert exchange(hospital, code, **changes).status_code in (400, 401)


def test_code_and_launch_hold_once(hospital):
    code = code_of(authorize(hospital))
    assert [exchange(hospital, code).status_code for _ in range(2)] == [200, 400]


def test_nobody_at_work_means_no_code(hospital):
    with TestClient(hospital.app, base_url=BASE) as stranger:
        assert stranger.get("/auth/authorize").status_code == 401


def backend_token(hospital, *, assertion=None, scope="system/Patient.rs", **changes):
    form = {"grant_type": "client_credentials", "scope": scope, "client_assertion_type": TYPE,
            "client_assertion": assertion or client_assertion("screening-service", BACKEND, token_url=f"{BASE}/auth/token")}
    return hospital.post("/auth/token", data=form | changes)


def test_a_backend_service_gets_what_it_is_registered_for(hospital):
    answer = backend_token(hospital)
    assert answer.status_code == 200, answer.text
    headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
    assert len(hospital.get("/fhir/Patient", headers=headers).json()["entry"]) == 5
    assert hospital.get(f"/fhir/Condition?patient={FRAIL}", headers=headers).status_code == 403
    assert backend_token(hospital, scope="system/Patient.cruds").status_code == 400


def test_an_assertion_that_does_not_hold_gives_no_token(hospital):
    url, good = f"{BASE}/auth/token", client_assertion("screening-service", BACKEND, token_url=f"{BASE}/auth/token")
    assert [backend_token(hospital, assertion=good).status_code for _ in range(2)] == [200, 401]
    wrong = [client_assertion("screening-service", new_key("screening-1"), token_url=url), client_assertion("nobody", BACKEND,
                                                                                                            token_url=url),
             client_assertion("screening-service", BACKEND, token_url="http://elsewhere"), "x.y.z", "",
             client_assertion("screening-service", BACKEND, token_url=url, now=time.time() - 4000),
             client_assertion("screening-service", BACKEND, token_url=url, now=time.time() + 4000)]
    assert [backend_token(hospital, assertion=text or "none").status_code for text in wrong] == [401] * len(wrong)
    assert backend_token(hospital, client_assertion_type="password").status_code == 401


def test_a_token_that_has_expired_or_was_never_given_reads_nothing(hospital):
    old = hospital.app.state.ward.shelf.put("token", Token("cds", ("patient/*.rs",), None, FRAIL, time.time() - 1))
    for header in ({}, {"Authorization": f"Bearer {old}"}, {"Authorization": "Bearer guessed"}, {"Authorization": "Basic x"}):
        answer = hospital.get(f"/fhir/Patient/{FRAIL}", headers=header)
        assert (answer.status_code, answer.json()["resourceType"]) == (401, "OperationOutcome")


def test_the_server_describes_itself(hospital):
    configuration = hospital.get("/fhir/.well-known/smart-configuration").json()
    assert configuration["code_challenge_methods_supported"] == ["S256"]
    assert configuration["token_endpoint"] == f"{BASE}/auth/token"
    assert hospital.get("/fhir/metadata").json()["fhirVersion"] == "4.0.1"
    assert all("d" not in key for key in hospital.get("/auth/jwks.json").json()["keys"])


@pytest.mark.parametrize(("registered", "asked", "covered"), [
    ("patient/*.rs", "patient/Task.r", True), ("patient/*.rs", "patient/Task.rs", True), ("patient/*.rs", "patient/Task.crs", False),
    ("patient/Task.rs", "patient/*.rs", False), ("patient/*.rs", "system/Task.r", False), ("launch", "launch", True),
    ("launch", "openid", False), ("patient/*.rs", "patient/*.read", False), ("patient/*.rs", "patient/*.", False)])
def test_scopes_by_hand(registered, asked, covered):
    assert covers([registered], asked) is covered


def test_the_widest_scope_decides():
    assert allows(["patient/*.rs", "system/Patient.r"], "Patient", "read").context == "system"
    assert allows(["patient/*.rs"], "Patient", "create") is None


@pytest.fixture(scope="module", params=["stand-in", "node"])
def store(request):
    if request.param == "stand-in":
        yield MemoryStore()
        return
    folder = outputs() / "fhir_server"
    if not (shutil.which("node") and install_node_server(folder)):
        pytest.skip("Medplum's FHIR server cannot be installed here: it needs node, npm and npm's registry")
    with run_node_server(folder) as address:
        yield NodeStore(address, httpx.AsyncClient(trust_env=False))


def test_both_servers_keep_and_find_the_same(store, charts):
    async def _use():
        await load_charts(store, charts[:2])
        found = [await store.ask("GET", path) for path in (
            f"Patient/{FRAIL}", f"Condition?patient={FRAIL}", f"Condition?patient=Patient/{WELL}&_count=200",
            "Encounter?status=in-progress",
            f"Encounter?patient={WELL}&status=in-progress", "Patient?_count=1000", f"Observation?patient={FRAIL}&category=laboratory")]
        assert [status for status, _ in found] == [200] * 7
        counts = [len(content.get("entry", [])) for _, content in found[1:]]
        assert counts == [7, 3, 2, 1, 2, sum(one["resource"]["resourceType"] == "Observation" for one in charts[0]["entry"])]
        task = {"resourceType": "Task", "status": "requested", "intent": "proposal", "for": {"reference": f"Patient/{FRAIL}"}}
        status, kept = await store.ask("POST", "Task", task)
        assert (status, bool(kept["id"])) == (201, True)
        status, done = await store.ask("PUT", f"Task/{kept['id']}", kept | {"status": "completed"})
        assert (status, done["status"]) == (200, "completed")
        assert len((await store.ask("GET", "Task?status=requested"))[1].get("entry", [])) == 0
        for method, path, body in (("POST", "Task", task | {"status": 5}), ("POST", "Task", {"resourceType": "Patient"}),
                                   ("PUT", "Task/other", kept), ("POST", "Task", {"surprise": 1})):
            status, content = await store.ask(method, path, body)
            assert (status, content["resourceType"]) == (400, "OperationOutcome")
        status, content = await store.ask("GET", "Task/none")
        assert (status, content["resourceType"]) == (404, "OperationOutcome")
        if isinstance(store, NodeStore):
            await store.client.aclose()

    asyncio.run(_use())
