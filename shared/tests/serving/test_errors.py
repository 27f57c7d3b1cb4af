import json

import pytest
from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, field_validator

from carefolio.serving.errors import field_problem, is_json

GOOD = {"age_years": 70, "sex": "female"}


def post(call, app, patient, **options):
    return call(app, "POST", "/v1/predict", json={"patients": [patient]}, **options)


def check_problem(answer, status):
    body = answer.json()
    assert answer.status_code == body["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body


def test_good_request_passes(make_app, call):
    assert post(call, make_app(), GOOD).json() == {"risks": [70 / 240]}
    assert post(call, make_app(), GOOD | {"age_years": 70.0, "creatinine_mg_dl": 1}).json() == {"risks": [70 / 240]}


@pytest.mark.parametrize(("change", "field", "expected", "got"), [
    ({"age_years": "seventy-one and a half"}, "age_years", "a valid integer", "string"),
    ({"age_years": 400}, "age_years", "less than or equal to 120", "number"),
    ({"age_years": "70"}, "age_years", "a valid integer", "string"),
    ({"age_years": True}, "age_years", "a valid integer", "boolean"),
    ({"age_years": 70.5}, "age_years", "a valid integer", "number"),
    ({"creatinine_mg_dl": "1.1"}, "creatinine_mg_dl", "a valid number", "string"),
    ({"age_years": None}, "age_years", "a valid integer", "null"),
    ({"sex": ["female"]}, "sex", "a valid string", "array"),
    ({"sex": "Erika Mustermann"}, "sex", "match pattern", "string"),
    ({"creatinine_mg_dl": {"a": 1}}, "creatinine_mg_dl", "a valid number", "object"),
    ({"agee": 3}, "agee", "no such field", "number"),
])
def test_wrong_field_is_named_without_its_value(make_app, call, change, field, expected, got):
    answer = post(call, make_app(), GOOD | change)
    (problem,) = check_problem(answer, 422)["errors"]
    assert problem["field"] == f"body.patients.0.{field}"
    assert expected in problem["expected"]
    assert problem["got"] == got
    assert "seventy" not in answer.text
    assert "Mustermann" not in answer.text


def test_missing_field_and_path_parameter(make_app, call):
    (missing,) = check_problem(call(make_app(), "POST", "/v1/predict", json={}), 422)["errors"]
    assert missing == {"field": "body.patients", "expected": "a value; the field is required", "got": "missing"}
    (path,) = check_problem(call(make_app(), "GET", "/v1/patients/Mustermann/risk"), 422)["errors"]
    assert path["field"] == "path.patient_id"
    assert "Mustermann" not in json.dumps(path)


def test_only_the_first_twenty_fields_are_listed(make_app, call):
    body = check_problem(call(make_app(), "POST", "/v1/predict", json={"patients": [{}] * 100}), 422)
    assert len(body["errors"]) == 20
    assert body["detail"].startswith("200 fields are")


def test_value_in_a_validators_message_is_cut_out(make_app, call):
    class Note(BaseModel):
        text: str

        @field_validator("text")
        @classmethod
        def refuse(cls, value):
            raise ValueError(f"{value!r} is not allowed")

    router = APIRouter()

    @router.post("/note")
    def note(body: Note) -> None:
        return None

    answer = call(make_app({"routers": [router], "examples": {}}), "POST", "/note", json={"text": "Jane Example, record 12345"})
    assert check_problem(answer, 422)["errors"][0]["expected"] == "'…' is not allowed"


def test_tag_of_a_union_is_not_echoed():
    problem = field_problem({"type": "union_tag_invalid", "loc": ("body",), "input": {"kind": "Jane"}, "ctx": {"expected_tags": "'a', 'b'"},
                             "msg": "Input tag 'Jane' found using 'kind' does not match any of the expected tags: 'a', 'b'"})
    assert problem.model_dump() == {"field": "body", "expected": "one of the tags 'a', 'b'", "got": "object"}


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_not_finite_number_is_422_and_says_what_to_do(make_app, call, value):
    body = f'{{"patients": [{{"age_years": 70, "sex": "male", "creatinine_mg_dl": {value}}}]}}'
    answer = call(make_app(auth="off", host="127.0.0.1"), "POST", "/v1/predict", content=body, headers={"Content-Type": "application/json"})
    assert "send null" in check_problem(answer, 422)["detail"]


@pytest.mark.parametrize("body", [b'{"patients": [', b"\xff\xfe", b"[" * 3000])
def test_malformed_json_is_400(make_app, call, body):
    answer = call(make_app(auth="off", host="127.0.0.1"), "POST", "/v1/predict", content=body, headers={"Content-Type": "application/json"})
    assert "not JSON" in check_problem(answer, 400)["detail"]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None])
def test_other_content_type_is_415(make_app, call, content_type):
    headers = {"Content-Type": content_type} if content_type else {}
    answer = call(make_app(auth="off", host="127.0.0.1"), "POST", "/v1/predict", content=json.dumps({"patients": [GOOD]}), headers=headers)
    check_problem(answer, 415)


def test_compressed_body_is_415(make_app, call):
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    check_problem(call(make_app(auth="off", host="127.0.0.1"), "POST", "/v1/predict", content=b"\x1f\x8b", headers=headers), 415)


def test_unknown_address_and_method(make_app, call):
    assert "/openapi.json" in check_problem(call(make_app(), "GET", "/v1/none"), 404)["detail"]
    answer = call(make_app(), "DELETE", "/v1/predict")
    check_problem(answer, 405)
    assert answer.headers["allow"] == "POST"


def test_error_of_a_route_keeps_its_status_text_and_headers(make_app, call):
    router = APIRouter()

    @router.get("/teapot")
    def teapot() -> None:
        raise HTTPException(409, "The model is being replaced.", headers={"Retry-After": "5"})

    answer = call(make_app({"routers": [router], "examples": {}}), "GET", "/teapot")
    assert check_problem(answer, 409)["detail"] == "The model is being replaced."
    assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(("content_type", "expected"), [("application/json", True), ("Application/JSON; charset=utf-8", True),
                                                        ("application/fhir+json", True), ("text/json", False), ("", False)])
def test_json_content_types(content_type, expected):
    assert is_json(content_type) is expected
