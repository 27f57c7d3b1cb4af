"""Made-up charts, calls about them, a service with a model of a few lines behind it, and clients that sign."""

import copy
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from starlette.testclient import TestClient

from carefolio.datasets.resolve import cache_dir, mirror_dir
from clinical_workflow import api
from clinical_workflow.cds.clients import sign_call
from clinical_workflow.data import NAME, listed_files
from clinical_workflow.fhir.chart import contained_resources
from clinical_workflow.models.apis import Models
from clinical_workflow.smart.assertions import new_key, public_keys

NOW = datetime.now(UTC)
FRAIL, WELL = "made-up-000", "made-up-001"
MODEL = {"name": "readmission", "version": "0.1.0", "sha256": "ab" * 32}


def resources(bundle: dict[str, Any], *kinds: str) -> list[dict[str, Any]]:
    """Copy resources of some types out of a bundle."""
    return [copy.deepcopy(one) for one in contained_resources(bundle) if one["resourceType"] in kinds]


def searchset(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Put resources into the answer of a search."""
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": one} for one in found]}


def prefetch_of(bundle: dict[str, Any]) -> dict[str, Any]:
    """Fill every key that a service asks for."""
    kinds = {"encounters": "Encounter", "conditions": "Condition", "medications": "MedicationRequest", "laboratory": "Observation",
             "procedures": "Procedure", "documents": "DocumentReference"}
    found: dict[str, Any] = {name: searchset(resources(bundle, kind)) for name, kind in kinds.items()}
    return found | {"patient": resources(bundle, "Patient")[0], "reports": None, "orders": None}


def hook(bundle: dict[str, Any], name: str = "encounter-discharge", **more: Any) -> dict[str, Any]:
    """Write a call about a made-up patient."""
    patient = resources(bundle, "Patient")[0]["id"]
    context = {"userId": "Practitioner/dr-muster", "patientId": patient, "encounterId": f"{patient}-now"}
    return {"hookInstance": str(uuid4()), "hook": name, "context": context, "prefetch": prefetch_of(bundle), **more}


def model_answers(risk: float = 0.3, status: int = 200) -> Callable[[httpx.Request], httpx.Response]:
    """Stand in for the other chapters' APIs."""
    reasons = [{"feature": "inpatient_stays_1y", "label": "Hospital stays in the year before", "value": 4, "log_odds": 0.6},
               {"feature": "age_years", "label": "Age", "value": 75.0, "log_odds": -0.1}]

    def _answer(request: httpx.Request) -> httpx.Response:
        if status != 200:
            return httpx.Response(status)
        body = {"/predict": {"risk": risk, "model": MODEL}, "/explain": {"risk": risk, "reasons": reasons, "model": MODEL},
                "/summarize": {"summary": {"problems": [{"text": "Type 2 diabetes", "supported": True}], "medications": [], "allergies": [],
                                           "results": [], "plan": [{"text": "Home on Mars", "supported": False}], "follow_up": []}}}
        return httpx.Response(200, json=body[request.url.path])

    return _answer


class Service:
    """The decision support service in this process."""

    def __init__(self, client: TestClient, state: Path) -> None:
        self.client, self.state = client, state

    def ask(self, service: str, body: Any, **headers: str) -> httpx.Response:
        """Call a service."""
        return self.client.post(f"/cds-services/{service}", json=body, headers=headers)

    def answer_with(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        """Change what the models answer."""
        desk = self.client.app.state.desk
        self.client.app.state.desk = replace(desk, models=Models(desk.settings.models,
                                                                 httpx.AsyncClient(transport=httpx.MockTransport(handler))))

    def outside(self, handler: Callable[[httpx.Request], httpx.Response]) -> None:
        """Change what stands outside: FHIR servers and key sets."""
        desk = self.client.app.state.desk
        client = httpx.AsyncClient(transport=httpx.MockTransport(handler))
        desk.shelf.fetch = client
        self.client.app.state.desk = replace(desk, outside=client)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Read the ledger."""
        return self.client.app.state.desk.ledger.rows(query)


@contextmanager
def open_service(state: Path, monkeypatch: pytest.MonkeyPatch, **variables: str) -> Iterator[Service]:
    """Open the service with some variables."""
    for name in [name for name in os.environ if name.startswith(("CAREFOLIO_AUTH", "CAREFOLIO_API", "CAREFOLIO_JWT", "CLINICAL_"))]:
        monkeypatch.delenv(name)
    for name, value in {"CAREFOLIO_HOST": "127.0.0.1", "CLINICAL_WORKFLOW_STATE": str(state), **variables}.items():
        monkeypatch.setenv(name, value)
    with TestClient(api.create_app(), base_url="http://127.0.0.1", client=("127.0.0.1", 50000)) as client:
        service = Service(client, state)
        service.answer_with(model_answers())
        yield service


KEY, OTHER_KEY = new_key("client-1"), new_key("client-1")
ISSUER, JKU = "http://127.0.0.1:8010", "http://127.0.0.1:8010/auth/jwks.json"


def key_server(request: httpx.Request) -> httpx.Response:
    """Publish the client's key."""
    return httpx.Response(200, json=public_keys(KEY)) if str(request.url) == JKU else httpx.Response(404)


def claims_for(path: str, **changes: Any) -> dict[str, Any]:
    """Write the claims of a token for a path."""
    now = int(time.time())
    claims = {"iss": ISSUER, "aud": f"http://127.0.0.1:8009{path}", "iat": now, "exp": now + 120, "jti": str(uuid4()), **changes}
    return {name: value for name, value in claims.items() if value is not None}


def bearer(path: str, *, key: Any = KEY, jku: str = JKU, algorithm: str = "ES384", **changes: Any) -> str:
    """Sign a token for a path."""
    return f"Bearer {sign_call(claims_for(path, **changes), key=key, jku=jku, algorithm=algorithm)}"


def needs_published_charts() -> pytest.MarkDecorator:
    """Mark a test that needs the published charts."""
    mirror = mirror_dir()
    there = all((folder / NAME / name).is_file() for folder in [mirror or cache_dir()] for name in listed_files())
    return pytest.mark.skipif(not there, reason="synthea_fhir_r4 is not on this machine; run `workflow data`, or set CAREFOLIO_DATA_DIR")

def spoil(value: Any, chance: random.Random) -> Any:
    """Replace or drop parts of what is sent, here and there, by what does not belong there."""
    if chance.random() < 0.02:
        return chance.choice([None, [], {}, "", "x" * 200, -1, 1e300, True, [None], {"reference": 5}, "2026-99-99"])
    if isinstance(value, dict):
        return {name: spoil(part, chance) for name, part in value.items() if chance.random() > 0.01}
    return [spoil(part, chance) for part in value] if isinstance(value, list) else value
