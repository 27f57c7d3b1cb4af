"""The security of the mock hospital, the one app with pages and sessions of its own: foreign forms, foreign names, paths, headers."""

import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from carefolio.serving.headers import SECURITY_HEADERS

from .security_apps import App, routes_of, variables

BASE, PATIENT = "http://127.0.0.1:8010", "made-up-000"
FORMS = [f"/patients/{PATIENT}/admit", f"/patients/{PATIENT}/order", f"/patients/{PATIENT}/discharge", "/cards/none/accept",
         "/cards/none/override", "/inbox/none/done", f"/launch/workflow-dashboard/{PATIENT}"]
CLIMBING = ["..", ".", "...", "..%2f..%2fetc%2fpasswd", "%2e%2e", "%252e%252e", "x%00", "x%3f_id=1", "x%23", "%5c..%5c", "x" * 5_000]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The hospital with a few made-up patients."""
    folder: Path = tmp_path_factory.mktemp("hospital")
    (folder / "settings.toml").write_text("data.made_up_patients = 5\ndata.bundles = 1\n", encoding="utf-8")
    own = {"CLINICAL_WORKFLOW_CONFIG": str(folder / "settings.toml"), "CAREFOLIO_DATA_DIR": str(folder), "CAREFOLIO_CACHE_DIR": str(folder),
           "CLINICAL_WORKFLOW_FHIR_SERVER": "", "CLINICAL_WORKFLOW_BACKEND_KEYS": ""}
    with variables("clinical_workflow.hospital.app", folder, **own):
        app = importlib.import_module("clinical_workflow.hospital.app").create_app()
        with TestClient(app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False) as client:
            yield client


def stranger(hospital: TestClient) -> TestClient:
    """A browser without the session: what a form of another site is sent with, because the cookie is lax."""
    return TestClient(hospital.app, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)


def test_every_form_of_the_app_is_under_test(hospital):
    posting = {route.path for route in routes_of(hospital.app) if "POST" in route.methods}
    own = {re.sub(r"\{\w+\}", "[^/]+", path) for path in posting if not path.startswith(("/fhir", "/auth"))}
    assert all(any(re.fullmatch(pattern, form) for form in FORMS) for pattern in own)
    assert len(own) == len(FORMS)


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("token", [None, "", " ", "guessed", "é", "\u202e", "x" * 5_000])
def test_a_form_of_another_site_is_refused(hospital, path, token):
    data = {} if token is None else {"token": token}
    assert stranger(hospital).post(path, data=data).status_code == 403
    hospital.get("/")
    assert hospital.post(path, data=data).status_code == 403, "also where the browser has a session"
    assert hospital.post(path, json=data).status_code == 403
    assert hospital.post(path, data=data, files={"token": b"x"}).status_code in (400, 403)


def test_the_form_of_the_page_itself_is_taken(hospital):
    token = re.search(r'name="token" value="([^"]+)"', hospital.get(f"/patients/{PATIENT}").text)[1]
    launch = f"/launch/workflow-dashboard/{PATIENT}"
    sent = hospital.post(launch, data={"token": token})
    assert sent.status_code == 303 and "launch=" in sent.headers["location"]
    assert stranger(hospital).post(launch, data={"token": token}).status_code == 403, "of another session"


@pytest.mark.parametrize("path", ["/", "/style.css", "/inbox", f"/patients/{PATIENT}", "/patients/nobody", "/fhir/metadata",
                                  "/fhir/Patient", "/auth/jwks.json", "/auth/authorize", "/nowhere", "/health"])
def test_every_answer_has_the_headers(hospital, path):
    answer = hospital.get(path)
    for name in SECURITY_HEADERS:
        assert name in answer.headers, name
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "script-src" not in policy
    assert "server" not in answer.headers and "access-control-allow-origin" not in answer.headers
    assert "Traceback" not in answer.text and "site-packages" not in answer.text


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(hospital):
    cookie = stranger(hospital).get("/").headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=lax" in cookie


@pytest.mark.parametrize("host", ["elsewhere.example", "elsewhere.example:8010", "127.0.0.1.elsewhere.example", "192.0.2.7", ""])
def test_a_page_under_another_name_gets_nothing(hospital, host):
    answer = hospital.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "elsewhere" not in answer.text and "made up" not in answer.text
    assert hospital.get("/", headers={"Host": "localhost:8010"}).status_code == 200


@pytest.mark.parametrize("identifier", CLIMBING)
def test_no_id_climbs_out_of_its_place(hospital, identifier):
    raw = App("clinical_workflow.hospital.app", hospital, {}, Path())  # a client of Python would tidy the address up
    for begin in ("/patients/", "/fhir/Patient/", "/cards/", "/fhir/"):
        answer = raw.ask("GET", begin + identifier, key=None)
        assert answer.status in (401, 404, 405), (begin, answer.status)
        assert "root:x:" not in answer.text
    assert raw.ask("GET", f"/patients/{identifier}/discharge", key=None).status == 404


def test_dots_alone_are_no_id():
    from pydantic import TypeAdapter, ValidationError

    from clinical_workflow.cds.schemas import FhirId, UserId
    from clinical_workflow.hospital.store import ID

    for text in (".", "..", "....", "a/b", "", "a" * 65, "a\n"):
        assert not ID.fullmatch(text)
        for kind, value in ((FhirId, text), (UserId, f"Patient/{text}")):
            with pytest.raises(ValidationError):
                TypeAdapter(kind).validate_python(value)
    for text in ("a", "a.b", ".a", "..a", "1-2.3", "a" * 64):
        assert ID.fullmatch(text)
        assert TypeAdapter(FhirId).validate_python(text) == text


def test_a_store_on_another_server_is_not_asked_for_what_is_no_id(hospital):
    """Where the charts are kept by a server, an id becomes part of an address."""
    import asyncio
    from dataclasses import replace

    from fastapi import HTTPException

    from clinical_workflow.hospital.store import NodeStore

    asked: list[str] = []
    answering = httpx.MockTransport(lambda request: asked.append(str(request.url)) or httpx.Response(200, json={}))
    client = httpx.AsyncClient(transport=answering)
    ward = replace(hospital.app.state.ward, store=NodeStore("http://127.0.0.1:9/fhir", client))
    for identifier in ("..", "../..", "x?_id=1", "x#", "x/../../y"):
        with pytest.raises(HTTPException):
            asyncio.run(ward.read("Patient", identifier))
    assert asked == []
    asyncio.run(ward.read("Patient", "a"))
    assert asked == ["http://127.0.0.1:9/fhir/Patient/a"]
