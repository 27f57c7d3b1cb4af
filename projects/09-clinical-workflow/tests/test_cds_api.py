"""The service under bad input: the right status, an OperationOutcome or no card, nothing leaked, never a 500."""

import copy
import random

import httpx
import pytest

from clinical_workflow.cds.services import SERVICES

from .hospital_examples import hook, model_answers, resources, searchset, spoil

SERVER = "http://127.0.0.1:8010/fhir"
ACCESS = {"access_token": "secret-token", "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.rs", "subject": "cds"}


def outcome(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/fhir+json")
    assert answer.json()["resourceType"] == "OperationOutcome"
    return " ".join(issue["diagnostics"] for issue in answer.json()["issue"])


@pytest.mark.parametrize(("change", "status"), [
    ({"hook": "order-sign"}, 400), ({"hook": None}, 422), ({"hookInstance": "not-a-uuid"}, 422), ({"hookInstance": None}, 422),
    ({"context": {}}, 422), ({"context": None}, 422), ({"context": {"userId": "Practitioner/1", "patientId": "../../etc"}}, 422),
    ({"context": {"userId": "Nobody/1", "patientId": "a"}}, 422), ({"prefetch": []}, 422), ({"prefetch": "x"}, 422), ({"prefetch": {}},
                                                                                                                      412),
    ({"prefetch": None}, 412), ({"fhirServer": "file:///etc/passwd"}, 422), ({"fhirAuthorization": {"access_token": ""}}, 422)])
def test_a_call_that_is_not_as_agreed(service, charts, change, status):
    text = outcome(service.ask("readmission-risk", hook(charts[0]) | change), status)
    assert "passwd" not in text and "Muster" not in text


def test_more_than_is_asked_for_is_passed_over(service, charts):
    body = hook(charts[0]) | {"extension": {"com.example": 1}, "somethingElse": [1]}
    body["prefetch"]["surprise"] = {"resourceType": "Patient", "id": "other"}
    assert len(service.ask("readmission-risk", body).json()["cards"]) == 1


def test_an_unknown_service_is_not_found(service, charts):
    outcome(service.ask("mind-reading", hook(charts[0])), 404)
    outcome(service.client.post("/cds-services/mind-reading/feedback", json={"feedback": [
        {"card": "6f9619ff-8b86-d011-b42d-00c04fc964ff", "outcome": "overridden", "outcomeTimestamp": "2026-01-01T00:00:00Z"}]}), 404)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b'{"a": NaN}', b"\xff", b'{"hook": "x", "hook": "y"}'])
def test_a_body_that_is_no_object_of_json(service, content):
    answer = service.client.post("/cds-services/readmission-risk", content=content, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500
    outcome(answer, answer.status_code)


def test_a_body_of_another_kind_or_too_large(service):
    outcome(service.client.post("/cds-services/readmission-risk", content=b"a=b", headers={"Content-Type": "text/plain"}), 415)
    outcome(service.client.post("/cds-services/readmission-risk", content=b" " * (8 * 1024 * 1024 + 1),
                                headers={"Content-Type": "application/json"}), 413)


@pytest.mark.parametrize("name", ["patient", "encounters"])
@pytest.mark.parametrize("value", [None, {"resourceType": "OperationOutcome", "issue": []}, {"resourceType": "Bundle"}, [], 5, "x"])
def test_what_is_needed_and_not_there_is_named(service, charts, name, value):
    body = hook(charts[0])
    body["prefetch"][name] = value
    outcome(service.ask("readmission-risk", body), 412)


def test_another_patient_in_the_prefetch_is_not_read(service, charts):
    body = hook(charts[0])
    body["prefetch"]["patient"] = resources(charts[1], "Patient")[0]
    outcome(service.ask("readmission-risk", body), 412)
    body = hook(charts[0])
    body["prefetch"]["conditions"] = searchset(resources(charts[1], "Condition"))
    body["prefetch"]["medications"] = None
    assert service.ask("readmission-risk", body).json() == {"cards": []}


def test_a_chart_of_another_version_is_refused_by_name(service, charts):
    body = hook(charts[0])
    body["prefetch"]["patient"]["animal"] = {"species": {"text": "dog"}}
    assert "STU3" in outcome(service.ask("readmission-risk", body), 412)


def test_a_model_that_does_not_answer_is_an_error_and_not_an_empty_list(service, charts):
    for status in (500, 404, 422):
        service.answer_with(model_answers(status=status))
        assert "secret" not in outcome(service.ask("readmission-risk", hook(charts[0])), 503)

    def _down(request):
        raise httpx.ConnectError("no route")

    service.answer_with(_down)
    outcome(service.ask("readmission-risk", hook(charts[0])), 503)
    assert service.rows("SELECT status, note, cards FROM calls") == [(503, "model not available", 0)] * 4


def fhir_server(chart, asked, *, token="secret-token", version="4.0"):
    def _answer(request):
        asked.append((request.url.path, request.headers.get("authorization")))
        if request.headers.get("authorization") != f"Bearer {token}":
            return httpx.Response(401)
        kind = request.url.path.split("/")[2]
        found = resources(chart, kind)
        content = found[0] if kind == "Patient" else searchset(found)
        return httpx.Response(200, json=content, headers={"Content-Type": f"application/fhir+json; fhirVersion={version}"})

    return _answer


def test_what_was_not_sent_is_read_back_with_the_given_token(service, charts):
    asked = []
    service.outside(fhir_server(charts[0], asked))
    body = hook(charts[0], fhirServer=SERVER, fhirAuthorization=ACCESS)
    del body["prefetch"]["conditions"], body["prefetch"]["patient"]
    assert len(service.ask("readmission-risk", body).json()["cards"]) == 1
    assert sorted(asked) == [("/fhir/Condition", "Bearer secret-token"), ("/fhir/Patient/made-up-000", "Bearer secret-token")]


def test_a_token_or_a_version_that_does_not_hold_is_said_without_the_token(service, charts):
    body = hook(charts[0], fhirServer=SERVER, fhirAuthorization=ACCESS)
    del body["prefetch"]["patient"]
    service.outside(fhir_server(charts[0], [], token="another"))
    text = outcome(service.ask("readmission-risk", body), 412)
    assert "401" in text and "secret-token" not in text
    service.outside(fhir_server(charts[0], [], version="5.0"))
    assert "R4" in outcome(service.ask("readmission-risk", body), 412)


@pytest.mark.parametrize("server", ["http://169.254.169.254/latest", "http://127.0.0.1:8010/fhir2", "http://127.0.0.1:8010", "https://evil.example/fhir"])
def test_a_server_that_is_not_on_record_is_not_asked(service, charts, server):
    service.outside(lambda request: pytest.fail("it was asked"))
    body = hook(charts[0], fhirServer=server, fhirAuthorization=ACCESS)
    del body["prefetch"]["patient"]
    outcome(service.ask("readmission-risk", body), 403)


def test_pages_are_followed_on_the_same_server_alone(service, charts):
    asked = []

    def _answer(request):
        asked.append(str(request.url))
        first = len(asked) == 1
        link = "http://evil.example/fhir/Condition?page=3" if not first else f"{SERVER}/Condition?page=2"
        return httpx.Response(200, json=searchset(resources(charts[0], "Condition")[:1]) | {"link": [{"relation": "next", "url": link}]})

    service.outside(_answer)
    body = hook(charts[0], fhirServer=SERVER, fhirAuthorization=ACCESS)
    del body["prefetch"]["conditions"]
    assert service.ask("readmission-risk", body).status_code == 200
    assert len(asked) == 2 and not any("evil" in url for url in asked)


def test_a_server_that_is_down_or_babbles_is_said(service, charts):
    body = hook(charts[0], fhirServer=SERVER, fhirAuthorization=ACCESS)
    del body["prefetch"]["patient"]

    def _down(request):
        raise httpx.ReadTimeout("slow")

    for handler in (_down, lambda request: httpx.Response(200, content=b"<html>"), lambda request: httpx.Response(302, headers={
            "Location": "http://evil.example"}), lambda request: httpx.Response(404)):
        service.outside(handler)
        outcome(service.ask("readmission-risk", body), 412)


@pytest.mark.parametrize("seed", range(8))
def test_spoilt_calls_are_answered_or_refused(service, charts, seed):
    chance = random.Random(seed)
    for name, one in SERVICES.items():
        body = spoil(copy.deepcopy(hook(charts[seed % 6], one.hook)), chance)
        answer = service.ask(name, body)
        assert answer.status_code in (200, 400, 412, 422), (name, answer.text)
        if answer.status_code != 200:
            outcome(answer, answer.status_code)


@pytest.mark.parametrize("body", [{}, {"feedback": []}, {"feedback": [{}]}, {"feedback": "x"}, {"feedback": [
    {"card": "6f9619ff-8b86-d011-b42d-00c04fc964ff", "outcome": "accepted", "outcomeTimestamp": "2026-01-01T00:00:00Z"}]}])
def test_feedback_that_is_not_as_agreed(service, body):
    outcome(service.client.post("/cds-services/readmission-risk/feedback", json=body), 422)
