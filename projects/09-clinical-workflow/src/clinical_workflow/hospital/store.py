"""Where the hospital keeps its charts: Medplum's server on Node where that is installed, else a small one of our own with the same answers.

The small one is a stand-in. It knows what this chapter uses of FHIR's REST interface (read, search by a few parameters, create, update,
batches) and checks every resource by its R4B model before it is kept.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlencode
from uuid import uuid4

import httpx

from clinical_workflow.cds.outcome import operation_outcome
from clinical_workflow.fhir.chart import fault_of, model_of
from clinical_workflow.fhir.elements import codes, items, reference_id, table

FHIR_JSON = "application/fhir+json; fhirVersion=4.0"
ID = re.compile(r"(?!\.+\Z)[A-Za-z0-9\-.]{1,64}")
"""A logical id of FHIR R4, but not of dots alone: `..` would climb out of a path."""
PATIENT_PARAMETERS = ("patient", "subject")
SEARCHABLE = ("_id", "patient", "subject", "encounter", "status", "category", "code", "target", "_count", "_sort")
LARGEST_COUNT = 1000
NODE_TIMEOUT_S = 30.0
Answer = tuple[int, dict[str, Any]]


class FhirStore(Protocol):
    """A FHIR server, asked by method, path below its base, and body."""

    name: str

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Ask.

        Parameters
        ----------
        method : str
            ``GET``, ``POST``, ``PUT`` or ``DELETE``.
        path : str
            Such as ``"Task?patient=Patient/a"``.
        body : mapping, optional
            A resource.

        Returns
        -------
        tuple of (int, dict)
            Status, and a resource, a Bundle or an OperationOutcome.
        """


class NodeStore:
    """Medplum's server on this machine.

    Parameters
    ----------
    address : str
        Where it answers.
    client : httpx.AsyncClient
        Asks it.
    """

    name = "Medplum FHIR router 4.5 on Node"

    def __init__(self, address: str, client: httpx.AsyncClient) -> None:
        self.address, self.client = address, client

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Ask the server; see `FhirStore`.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            Below its base; a bare id of a patient is written out, as this server wants it.
        body : mapping, optional
            A resource.

        Returns
        -------
        tuple of (int, dict)
            Status and content.
        """
        sent = None if body is None else dict(body)
        try:
            answer = await self.client.request(method, f"{self.address}/{with_full_references(path)}", timeout=NODE_TIMEOUT_S, json=sent)
            return answer.status_code, answer.json()
        except (httpx.HTTPError, ValueError):
            return _fault(503, "The FHIR server does not answer in time.")


def with_full_references(path: str) -> str:
    """Write out the ids of patients and encounters in a search, and ask for many at once.

    Parameters
    ----------
    path : str
        Such as ``"Task?patient=a"``.

    Returns
    -------
    str
        Such as ``"Task?patient=Patient/a&_count=1000"``.
    """
    kind, mark, query = path.partition("?")
    if not mark:
        return path
    types = {"patient": "Patient", "subject": "Patient", "encounter": "Encounter"}
    pairs = [(name, f"{types[name]}/{value}" if name in types and "/" not in value else value) for name, value in parse_qsl(query)]
    if "_count" not in dict(pairs):
        pairs.append(("_count", str(LARGEST_COUNT)))
    return f"{kind}?{urlencode(pairs, safe='/,')}"


class MemoryStore:
    """The stand-in: resources in memory, checked before they are kept."""

    name = "stand-in of this chapter, in memory"

    def __init__(self) -> None:
        self._kept: defaultdict[str, dict[str, dict[str, Any]]] = defaultdict(dict)

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """Ask the stand-in; see `FhirStore`.

        Parameters
        ----------
        method : str
            HTTP method.
        path : str
            Below its base.
        body : mapping, optional
            A resource.

        Returns
        -------
        tuple of (int, dict)
            Status and content.
        """
        where, _, query = path.partition("?")
        kind, _, identifier = where.strip("/").partition("/")
        if not kind and method == "POST":
            return await self._batch(dict(body or {}))
        if model_of(kind) is None or (identifier and not ID.fullmatch(identifier)):
            return _fault(404, "There is no such resource.")
        actions: dict[tuple[str, bool], Callable[[], Answer]] = {
            ("GET", True): lambda: self._read(kind, identifier), ("GET", False): lambda: self._search(kind, parse_qsl(query)),
            ("POST", False): lambda: self._keep(kind, str(uuid4()), body, 201), ("PUT", True): lambda: self._keep(kind, identifier, body,
                                                                                                                  200),
            ("DELETE", True): lambda: self._delete(kind, identifier)}
        action = actions.get((method, bool(identifier)))
        return action() if action else _fault(405, "This is not done here.")

    def _read(self, kind: str, identifier: str) -> Answer:
        found = self._kept[kind].get(identifier)
        return (200, found) if found else _fault(404, "There is no such resource.")

    def _delete(self, kind: str, identifier: str) -> Answer:
        return (200, operation_outcome(200, [])) if self._kept[kind].pop(identifier, None) else _fault(404, "There is no such resource.")

    def _keep(self, kind: str, identifier: str, body: Mapping[str, Any] | None, status: int) -> Answer:
        resource = dict(body or {})
        if resource.get("resourceType") != kind or (status == 200 and resource.get("id") != identifier):
            return _fault(400, "Type or id of the resource is not that of the address.")
        fault = fault_of(resource) or _invalid(resource, kind)
        if fault:
            return _fault(400, f"The resource is not valid FHIR R4: {fault[1]}.")
        meta = {**table(resource.get("meta")), "versionId": str(uuid4()),
                "lastUpdated": datetime.now(UTC).isoformat(timespec="milliseconds")}
        self._kept[kind][identifier] = {**resource, "id": identifier, "meta": meta}
        return status, self._kept[kind][identifier]

    def _search(self, kind: str, pairs: Iterable[tuple[str, str]]) -> Answer:
        wanted = dict(pairs)
        if unknown := sorted(set(wanted) - set(SEARCHABLE)):
            return _fault(400, f"This server does not search by {', '.join(unknown)}.")
        found = [one for one in self._kept[kind].values() if all(_matches(one, name, value) for name, value in wanted.items())]
        count = int(wanted["_count"]) if wanted.get("_count", "").isdecimal() else LARGEST_COUNT
        shown = found[:min(count, LARGEST_COUNT)]
        return 200, {"resourceType": "Bundle", "type": "searchset", "total": len(found), "entry": [{"resource": one} for one in shown]}

    async def _batch(self, bundle: dict[str, Any]) -> Answer:
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") not in ("batch", "transaction"):
            return _fault(400, "Expected a Bundle of type batch or transaction.")
        answers = []
        for entry in items(bundle.get("entry")):
            request = table(entry.get("request"))
            status, content = await self.ask(str(request.get("method")), str(request.get("url")), entry.get("resource"))
            answers.append({"response": {"status": str(status)}, "resource": content})
        return 200, {"resourceType": "Bundle", "type": f"{bundle['type']}-response", "entry": answers}


def _invalid(resource: dict[str, Any], kind: str) -> tuple[str, str] | None:
    """Check types that charts do not read, such as AuditEvent, by their model too."""
    model = model_of(kind)
    try:
        if model is not None:
            model.model_validate(resource)
    except (ValueError, TypeError):
        return "invalid", "it does not fit the model of its type"
    return None


def _fault(status: int, text: str) -> Answer:
    return status, operation_outcome(status, [text])


def _matches(resource: dict[str, Any], name: str, value: str) -> bool:
    wanted = {one.rpartition("/")[2].rpartition("|")[2] for one in value.split(",")}
    if name == "_id":
        return resource.get("id") in wanted
    if name in PATIENT_PARAMETERS:
        return patient_of(resource) in wanted
    if name == "encounter":
        return reference_id(resource.get("encounter")) in wanted
    if name == "status":
        return resource.get("status") in wanted
    if name == "target":
        return bool({reference_id(one) for one in items(resource.get("target"))} & wanted)
    if name in ("category", "code"):
        concepts = resource.get(name)
        return bool({code.code for concept in (concepts if isinstance(concepts, list) else [concepts]) for code in codes(concept)} & wanted)
    return True


def patient_of(resource: Mapping[str, Any]) -> str | None:
    """Say whose a resource is.

    Parameters
    ----------
    resource : mapping
        A resource.

    Returns
    -------
    str or None
        Id of the patient: its own, its subject, whom it is for, or who takes part; None where it names none.
    """
    if resource.get("resourceType") == "Patient":
        return str(resource.get("id"))
    named = [resource.get(name) for name in ("subject", "patient", "for")] + [one.get("actor")
                                                                              for one in items(resource.get("participant"))]
    return next((reference_id(one) for one in named if str(table(one).get("reference", "")).startswith("Patient/")), None)
