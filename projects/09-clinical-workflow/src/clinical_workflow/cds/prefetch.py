"""The chart of a call: what the client sent along, and what was missing, read from its FHIR server with the token it gave."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from fastapi import HTTPException

from clinical_workflow.cds.schemas import HookRequest
from clinical_workflow.fhir.chart import Chart, contained_resources, read_resources
from clinical_workflow.fhir.elements import items, table

FHIR_JSON = "application/fhir+json"
MOST_PAGES = 20
MOST_BYTES = 16 * 1024 * 1024
_TOKEN = re.compile(r"\{\{context\.(\w+)\}\}")
_VERSION = re.compile(r"fhirVersion=(\d+)\.")


@dataclass(frozen=True)
class Reader:
    """Reads from the FHIR servers that a call may name."""

    client: httpx.AsyncClient
    servers: frozenset[str]
    timeout_s: float
    most: int


async def read_chart(request: HookRequest, templates: Mapping[str, str], reader: Reader) -> Chart:
    """Gather the chart of a call.

    Parameters
    ----------
    request : HookRequest
        The call.
    templates : mapping of str to str
        The service's prefetch, by key.
    reader : Reader
        Reads what is missing.

    Returns
    -------
    Chart
        With the patient of the context, and nobody else.

    Raises
    ------
    HTTPException
        412 where something that is needed was not sent and cannot be read; the service says which.
    """
    missing = [name for name in templates if name not in request.prefetch]
    sent = [found for name in templates if name in request.prefetch for found in contained_resources(request.prefetch[name])]
    read = await _read_missing(request, {name: templates[name] for name in missing}, reader) if missing else []
    if len(sent) + len(read) > reader.most:
        raise HTTPException(413, f"The chart has more than {reader.most} resources; send a narrower prefetch.")
    chart = read_resources([*sent, *read], patient_id=request.context.patient_id)
    if chart.patient() is None:
        flaw = next((flaw for flaw in chart.flaws if flaw.where.startswith("Patient")), None)
        raise HTTPException(412, "The patient of the context is not among what was sent, nor could it be read"
                                 + (f": {flaw.why}." if flaw else "; send the prefetch, or fhirServer with fhirAuthorization."))
    return chart


async def _read_missing(request: HookRequest, templates: Mapping[str, str], reader: Reader) -> list[dict[str, Any]]:
    if request.fhir_server is None:
        raise HTTPException(412, f"The prefetch lacks {', '.join(templates)}, and no fhirServer is given to read it from.")
    server = request.fhir_server.rstrip("/")
    if server not in reader.servers:
        raise HTTPException(403, "The fhirServer is not on record for this client.")
    headers = {"Accept": FHIR_JSON}
    if request.fhir_authorization:
        headers["Authorization"] = f"Bearer {request.fhir_authorization.access_token}"
    context = request.context.model_dump(by_alias=True)
    queries = [filled for template in templates.values() if (filled := fill(template, context)) is not None]
    found = await asyncio.gather(*(_search(f"{server}/{query}", server, headers, reader) for query in queries))
    return [resource for group in found for resource in group]


def fill(template: str, context: Mapping[str, Any]) -> str | None:
    """Put the context into a prefetch template.

    Parameters
    ----------
    template : str
        For example ``"Patient/{{context.patientId}}"``.
    context : mapping
        The context of a hook.

    Returns
    -------
    str or None
        None where the context does not hold what it needs.
    """
    values = {name: context.get(name) for name in _TOKEN.findall(template)}
    return None if None in values.values() else _TOKEN.sub(lambda found: str(values[found[1]]), template)


async def _search(url: str, server: str, headers: Mapping[str, str], reader: Reader) -> list[dict[str, Any]]:
    """Read a resource, or a search with all its pages."""
    found: list[dict[str, Any]] = []
    following: str | None = url
    for _ in range(MOST_PAGES):
        if following is None or len(found) > reader.most:
            break
        content = await _get(following, headers, reader)
        found += contained_resources(content)
        following = _next_page(content, server)
    return found


async def _get(url: str, headers: Mapping[str, str], reader: Reader) -> Any:
    try:
        answer = await reader.client.get(url, headers=dict(headers), timeout=reader.timeout_s, follow_redirects=False)
    except httpx.HTTPError:
        raise HTTPException(412, "The FHIR server does not answer; send the prefetch, or try again.") from None
    if answer.status_code in (404, 410):
        return None
    if answer.status_code != 200:
        raise HTTPException(412, f"The FHIR server answered {answer.status_code}; the given token may have expired or lack a scope.")
    version = _VERSION.search(answer.headers.get("content-type", ""))
    if version and version[1] != "4":
        raise HTTPException(412, "The FHIR server speaks another version than R4.")
    if len(answer.content) > MOST_BYTES:
        raise HTTPException(413, "The FHIR server sent more than is read; send a narrower prefetch.")
    try:
        return orjson.loads(answer.content)
    except orjson.JSONDecodeError:
        raise HTTPException(412, "The FHIR server did not answer in JSON.") from None


def _next_page(bundle: Any, server: str) -> str | None:
    """Give the address of the next page, as long as it stays on the same server."""
    links = [link.get("url") for link in items(table(bundle).get("link")) if link.get("relation") == "next"]
    following = links[0] if links else None
    if not isinstance(following, str):
        return None
    return following if following.startswith((f"{server}/", f"{server}?")) else None
