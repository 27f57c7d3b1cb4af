"""The OpenAPI document: every error response as it is sent, the ways to authenticate, and examples that work."""

from collections.abc import Collection, Mapping
from typing import Any

from fastapi import FastAPI

from carefolio.exceptions import ConfigError
from carefolio.serving.errors import PROBLEM_MEDIA_TYPE, Problem
from carefolio.serving.settings import ServingSettings

_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})
_ALWAYS = {"500": "The server failed; its log has the reason under the request id.", "default": "Any other error."}
_GUARDED = {"401": "No key or token, or one that is not accepted.", "403": "Known, but not allowed.",
            "429": "Too many requests; Retry-After says how long to wait."}
_WITH_BODY = {"400": "The body is not JSON.", "408": "The body took too long to arrive.", "413": "The body is too large.",
              "415": "The body is of another type."}
_INVALID = {"422": "A field is missing, of a wrong type or out of range."}


def build_openapi(app: FastAPI, *, settings: ServingSettings, open_paths: Collection[str],
                  examples: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Build the OpenAPI document of an app.

    Parameters
    ----------
    app : FastAPI
        With all its routes.
    settings : ServingSettings
        Decides which ways to authenticate are described.
    open_paths : collection of str
        Paths that need no key.
    examples : mapping
        ``{path: {name: body}}``; the bodies of a POST (or PUT, PATCH) request.

    Returns
    -------
    dict
        OpenAPI 3.1.

    Raises
    ------
    ConfigError
        If an example is for a path that takes no JSON body.
    """
    document: dict[str, Any] = FastAPI.openapi(app)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"))
    schemas["Problem"] = problem
    if security := _security_schemes(settings):
        components["securitySchemes"] = security
    for path, item in document["paths"].items():
        for operation in (item[method] for method in item if method in _METHODS):
            _document_errors(operation, guarded=path not in open_paths)
            if security and path not in open_paths:
                operation["security"] = [{name: []} for name in security]
    for path, bodies in examples.items():
        _add_examples(document["paths"].get(path, {}), path, bodies)
    return document


def _security_schemes(settings: ServingSettings) -> dict[str, Any]:
    schemes: dict[str, Any] = {}
    if settings.auth == "on" and settings.api_key_hashes:
        schemes["ApiKey"] = {"type": "apiKey", "in": "header", "name": "X-API-Key"}
    if settings.auth == "on" and settings.jwks_file:
        schemes["Bearer"] = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    return schemes


def _document_errors(operation: dict[str, Any], *, guarded: bool) -> None:
    statuses = dict(_ALWAYS)
    statuses |= _GUARDED if guarded else {}
    statuses |= _WITH_BODY if "requestBody" in operation else {}
    statuses |= _INVALID if "422" in operation["responses"] else {}
    statuses |= {status: "" for status in operation["responses"] if status[0] in "45" and status not in statuses}
    for status, description in statuses.items():
        content = {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        own = operation["responses"].get(status, {}).get("description")
        kept = own if own and own not in ("Validation Error", "Default Response") else description
        operation["responses"][status] = {"description": kept, "content": content}


def _add_examples(item: dict[str, Any], path: str, bodies: Mapping[str, Any]) -> None:
    contents = [item[method].get("requestBody", {}).get("content", {}) for method in ("post", "put", "patch") if method in item]
    targets = [content["application/json"] for content in contents if "application/json" in content]
    if not targets:
        raise ConfigError(f"examples are given for {path}, expected a path that takes a JSON body; correct the path.")
    for target in targets:
        target["examples"] = {name: {"value": body} for name, body in bodies.items()}
