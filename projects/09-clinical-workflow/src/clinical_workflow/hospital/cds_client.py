"""The hospital as a client of CDS Hooks: discovery, prefetch, a signed token and an access token for each call, and feedback."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx

from clinical_workflow.cds.clients import sign_call
from clinical_workflow.cds.prefetch import fill
from clinical_workflow.hospital.ward import USER, ShownCard, Ward
from clinical_workflow.smart.tokens import Token

TIMEOUT_S = 10.0
DISCOVERY_S = 60.0
SCOPES = ("patient/*.rs",)
TOKEN_S = 240


async def ask_services(ward: Ward, hook: str, context: Mapping[str, Any]) -> tuple[list[ShownCard], list[str]]:
    """Ask every service of a hook.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    hook : str
        For example ``"patient-view"``.
    context : mapping
        Of the hook, without the user.

    Returns
    -------
    cards : list of ShownCard
        What the services say; they are remembered for feedback.
    silent : list of str
        Titles of services that did not answer: a page must not look as if they had nothing to say.
    """
    found: list[ShownCard] = []
    silent: list[str] = []
    services = await _discover(ward)
    if services is None:
        return [], ["Decision support"]
    for service in services:
        if service["hook"] == hook:
            cards = await _call(ward, service, {"userId": USER, **context})
            silent += [service["title"]] if cards is None else []
            found += [ShownCard(service["id"], card, context["patientId"], context.get("encounterId")) for card in cards or []]
    for shown in found:
        ward.keep_card(shown)
    return found, silent


async def _discover(ward: Ward) -> list[dict[str, Any]] | None:
    if time.monotonic() - ward.discovered.get("at", -DISCOVERY_S) > DISCOVERY_S:
        answer = await _send(ward, "GET", "/cds-services")
        found = _listed(answer, "services")
        if found is None:
            return None
        ward.discovered.update(at=time.monotonic(), services=found)
    services: list[dict[str, Any]] = ward.discovered["services"]
    return services


async def _call(ward: Ward, service: Mapping[str, Any], context: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Call one service; None where it does not answer."""
    body = {"hookInstance": str(uuid4()), "hook": service["hook"], "context": dict(context), "prefetch": await prefetch(ward, service,
                                                                                                                        context),
            "fhirServer": f"{ward.settings.base_url}/fhir", "fhirAuthorization": _authorization(ward, str(context["patientId"]))}
    answer = await _send(ward, "POST", f"/cds-services/{service['id']}", body)
    return _listed(answer, "cards")


def _listed(answer: httpx.Response | None, name: str) -> list[dict[str, Any]] | None:
    """Read a list out of an answer; None where there is none."""
    if answer is None or answer.status_code != 200:
        return None
    try:
        content = answer.json()
    except ValueError:
        return None
    found = content.get(name) if isinstance(content, dict) else None
    return found if isinstance(found, list) else None


async def prefetch(ward: Ward, service: Mapping[str, Any], context: Mapping[str, Any]) -> dict[str, Any]:
    """Gather what a service asks for beforehand.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    service : mapping
        As discovery describes it.
    context : mapping
        Of the hook.

    Returns
    -------
    dict
        By key; None where there is nothing, and without keys that the hospital cannot fill.
    """
    found: dict[str, Any] = {}
    for name, template in service.get("prefetch", {}).items():
        query = fill(template, context)
        if query is not None:
            status, content = await ward.store.ask("GET", query)
            if status in (200, 404):
                found[name] = content if status == 200 else None
    return found


def _authorization(ward: Ward, patient: str) -> dict[str, Any]:
    """Give the service a token of its own for this patient, for some minutes."""
    token = ward.shelf.put("token", Token("cds-service", SCOPES, USER, patient, time.time() + TOKEN_S))
    return {"access_token": token, "token_type": "Bearer", "expires_in": TOKEN_S, "scope": " ".join(SCOPES), "subject": "cds-service",
            "patient": patient}


async def give_feedback(ward: Ward, shown: ShownCard, outcome: str, *, suggestions: list[str], reason: Mapping[str, Any] | None = None,
                        comment: str = "") -> bool:
    """Tell a service what became of its card.

    Parameters
    ----------
    ward : Ward
        The open hospital.
    shown : ShownCard
        The card.
    outcome : {"accepted", "overridden"}
        What became of it.
    suggestions : list of str
        Those that were taken.
    reason : mapping, optional
        Coding of why it was overridden.
    comment : str, optional
        What the user wrote.

    Returns
    -------
    bool
        Whether the service has it.
    """
    why = {"overrideReason": {**({"reason": dict(reason)} if reason else {}), **({"userComment": comment} if comment else {})}}
    item = {"card": shown.card["uuid"], "outcome": outcome, "outcomeTimestamp": datetime.now(UTC).isoformat(timespec="seconds"),
            **({"acceptedSuggestions": [{"id": one} for one in suggestions]} if outcome == "accepted" else why)}
    answer = await _send(ward, "POST", f"/cds-services/{shown.service}/feedback", {"feedback": [item]})
    return answer is not None and answer.status_code == 200


async def _send(ward: Ward, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response | None:
    """Send one request with a token of its own; None where nobody answers."""
    base, now = ward.settings.base_url, int(time.time())
    claims = {"iss": base, "aud": f"{ward.settings.cds_url}{path}", "iat": now, "exp": now + TOKEN_S, "jti": str(uuid4())}
    token = sign_call(claims, key=ward.key, jku=f"{base}/auth/jwks.json")
    try:
        return await ward.outside.request(method, f"{ward.settings.cds_url}{path}", headers={"Authorization": f"Bearer {token}"},
                                          timeout=TIMEOUT_S, json=None if body is None else dict(body))
    except httpx.HTTPError:
        return None
