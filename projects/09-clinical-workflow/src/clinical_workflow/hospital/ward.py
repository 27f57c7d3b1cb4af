"""What the mock hospital works with while it is open, and the small things that every page does: read, write, and write down who did it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from fastapi import HTTPException
from joserfc.jwk import KeySet

from clinical_workflow.config import HospitalSettings
from clinical_workflow.fhir.chart import contained_resources
from clinical_workflow.fhir.written import audit_event, validated
from clinical_workflow.hospital.store import ID, FhirStore
from clinical_workflow.smart.tokens import SmartClient, TokenShelf

USER = "Practitioner/dr-muster"
USER_NAME = "Dr. Eva Muster"
MOST_CARDS = 2000


@dataclass(frozen=True)
class ShownCard:
    """A card on a page, the service that made it, and whose chart was open."""

    service: str
    card: Mapping[str, Any]
    patient: str
    encounter: str | None


@dataclass(frozen=True)
class Ward:
    """The open hospital."""

    settings: HospitalSettings
    store: FhirStore
    shelf: TokenShelf
    clients: Mapping[str, SmartClient]
    key: Any
    outside: httpx.AsyncClient
    cards: OrderedDict[str, ShownCard] = field(default_factory=OrderedDict)
    discovered: dict[str, Any] = field(default_factory=dict)

    async def read(self, kind: str, identifier: str) -> dict[str, Any]:
        """Read a resource.

        Parameters
        ----------
        kind, identifier : str
            Its type and id.

        Returns
        -------
        dict
            The resource.

        Raises
        ------
        HTTPException
            404 where there is none.
        """
        status, found = await self.store.ask("GET", f"{kind}/{identifier}") if ID.fullmatch(identifier) else (404, {})
        if status != 200:
            raise HTTPException(404, f"There is no such {kind}.")
        return found

    async def search(self, query: str) -> list[dict[str, Any]]:
        """Search.

        Parameters
        ----------
        query : str
            Such as ``"Task?patient=a"``.

        Returns
        -------
        list of dict
            The resources that were found.
        """
        status, found = await self.store.ask("GET", query)
        if status != 200:
            raise HTTPException(502, "The FHIR server does not answer as it should.")
        return contained_resources(found)

    async def write(self, resource: dict[str, Any]) -> str:
        """Create a resource, or update one that has an id.

        Parameters
        ----------
        resource : dict
            As JSON; checked before it is sent.

        Returns
        -------
        str
            Reference to it.
        """
        kind, identifier = resource["resourceType"], resource.get("id")
        method, path = ("PUT", f"{kind}/{identifier}") if identifier else ("POST", kind)
        status, kept = await self.store.ask(method, path, validated(resource))
        if status not in (200, 201):
            raise HTTPException(502, f"The FHIR server refused a {kind} with status {status}.")
        return f"{kind}/{kept['id']}"

    async def note(self, action: str, what: str, entities: Sequence[str], *, person: str | None = USER, failed: bool = False) -> None:
        """Write an audit event.

        Parameters
        ----------
        action : {"C", "R", "U", "D", "E"}
            What kind of thing was done.
        what : str
            In words.
        entities : sequence of str
            References to what it was done to.
        person : str, optional
            Who did it.
        failed : bool, default False
            Whether it failed.
        """
        await self.write(audit_event(action=action, what=what, person=person, entities=entities, at=datetime.now(UTC), failed=failed))

    def keep_card(self, shown: ShownCard) -> None:
        """Remember a card that is on a page.

        Parameters
        ----------
        shown : ShownCard
            The card.
        """
        self.cards[str(shown.card["uuid"])] = shown
        while len(self.cards) > MOST_CARDS:
            self.cards.popitem(last=False)


def register(settings: HospitalSettings, app_redirects: Sequence[str], backend_keys: Mapping[str, Any] | None) -> dict[str, SmartClient]:
    """Register the clients that the hospital knows.

    Parameters
    ----------
    settings : HospitalSettings
        Where the app is.
    app_redirects : sequence of str
        Where it may be sent back to.
    backend_keys : mapping, optional
        Key set of the screening service; without one it cannot get a token.

    Returns
    -------
    dict of str to SmartClient
        By id.
    """
    app = SmartClient("workflow-dashboard", "Workflow dashboard", ("launch", "patient/*.rs"), redirect_uris=tuple(app_redirects),
                      launch_url=settings.app_url)
    found = {app.client_id: app}
    if backend_keys:
        backend = SmartClient("screening-service", "Retinopathy screening by night", (
            "system/Patient.rs", "system/Condition.rs", "system/MedicationRequest.rs", "system/Procedure.rs", "system/DiagnosticReport.crs",
            "system/Media.rs", "system/Provenance.c", "system/Communication.c", "system/AuditEvent.c", "system/Task.c"),
            keys=KeySet.import_key_set({"keys": backend_keys["keys"]}))
        found[backend.client_id] = backend
    return found
