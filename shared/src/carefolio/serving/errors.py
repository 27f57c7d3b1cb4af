"""Every error as a problem document (RFC 9457), with field names and types but never the values a client sent."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

PROBLEM_MEDIA_TYPE = "application/problem+json"
FIELDS_LISTED = 20
_LONGEST_NAME = 64
_LONGEST_TEXT = 200
_JSON_TYPES = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object", type(None): "null"}
_DETAILS = {404: "There is nothing at this address; /openapi.json lists the routes.",
            405: "This address does not take this method; the Allow header lists those it takes."}


class FieldProblem(BaseModel):
    """One field of a request that was not understood."""

    field: str = Field(description="Where it stands, for example body.age_years")
    expected: str = Field(description="What would have been understood")
    got: str = Field(description="JSON type of what came, or `missing`; never the value")


class Problem(BaseModel):
    """Problem details of RFC 9457."""

    type: str = Field(default="about:blank", description="`about:blank`: the status says it all")
    title: str = Field(description="The status in words")
    status: int = Field(description="HTTP status")
    detail: str = Field(description="What is wrong and what to do")
    request_id: str = Field(description="Give this when asking for help; the server's log holds it")
    errors: list[FieldProblem] = Field(default=[], description=f"Fields that were not understood, the first {FIELDS_LISTED}")


def problem_response(scope: Scope, status: int, detail: str, *, headers: Mapping[str, str] | None = None,
                     errors: Sequence[FieldProblem] = ()) -> Response:
    """Build the response for an error.

    Parameters
    ----------
    scope : Scope
        ASGI scope of the request; its state holds the request id.
    status : int
        HTTP status.
    detail : str
        What is wrong and what to do, for a person; no values from the request.
    headers : mapping, optional
        Further headers.
    errors : sequence of FieldProblem, optional
        Fields that were not understood.

    Returns
    -------
    Response
        An ASGI response of type ``application/problem+json``.
    """
    problem: dict[str, Any] = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail,
                               "request_id": scope.get("state", {}).get("request_id", "")}
    if errors:
        problem["errors"] = [error.model_dump() for error in errors]
    return Response(orjson.dumps(problem), status_code=status, headers=dict(headers or {}), media_type=PROBLEM_MEDIA_TYPE)


def is_json(content_type: str) -> bool:
    """Say whether a Content-Type announces JSON.

    Parameters
    ----------
    content_type : str
        Value of the header; may be empty.

    Returns
    -------
    bool
        True for ``application/json`` and ``application/*+json``.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def install_handlers(app: FastAPI) -> None:
    """Turn the errors of routing, validation and routes into problem documents.

    Parameters
    ----------
    app : FastAPI
        The app. Unexpected exceptions are left to ``observability``, which logs them.
    """
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(RequestValidationError, _on_validation_error)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code < 400:
        return Response(status_code=error.status_code, headers=error.headers)
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if isinstance(error.detail, str) else phrase
    if detail == phrase:
        detail = _DETAILS.get(error.status_code, phrase)
    return problem_response(request.scope, error.status_code, detail, headers=error.headers)


async def _on_validation_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if isinstance(error.body, bytes) and error.body and not is_json(request.headers.get("content-type", "")):
        return problem_response(request.scope, 415, "The body must be JSON: send `Content-Type: application/json`.",
                                headers={"Accept": "application/json"})
    found = error.errors()
    problems = [field_problem(item) for item in found[:FIELDS_LISTED]]
    fields = "field is" if len(found) == 1 else "fields are"
    return problem_response(request.scope, 422, f"{len(found)} {fields} missing, of a wrong type or out of range; see `errors`.",
                            errors=problems)


def field_problem(error: Mapping[str, Any]) -> FieldProblem:
    """Describe one validation error without the value that caused it.

    Parameters
    ----------
    error : mapping
        One of pydantic's error dictionaries: ``type``, ``loc``, ``msg``, ``input`` and sometimes ``ctx``.

    Returns
    -------
    FieldProblem
        Field, expectation and JSON type of what came. A text value that a validator put into its message is cut out.
    """
    field = ".".join(str(part)[:_LONGEST_NAME] for part in error["loc"]) or "body"
    value = error.get("input")
    if error["type"] == "missing":
        return FieldProblem(field=field, expected="a value; the field is required", got="missing")
    if error["type"] == "union_tag_invalid":
        expected = f"one of the tags {error['ctx']['expected_tags']}"
    elif error["type"] == "extra_forbidden":
        expected = "no such field; check the spelling"
    else:
        expected = error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if isinstance(value, str) and len(value) > 3:
        expected = expected.replace(value, "…")
    return FieldProblem(field=field, expected=expected[:_LONGEST_TEXT], got=_JSON_TYPES.get(type(value), "binary"))
