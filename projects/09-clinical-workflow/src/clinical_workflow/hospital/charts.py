"""Puts charts into the hospital's FHIR server: resources by PUT under their own ids, references written out, in batches."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from carefolio.exceptions import DataIntegrityError
from clinical_workflow.fhir.chart import READ_TYPES, contained_resources
from clinical_workflow.hospital.store import FhirStore

BATCH = 200
KEPT_TYPES = (*READ_TYPES, "Practitioner", "Organization", "AllergyIntolerance", "Immunization")


async def load_charts(store: FhirStore, bundles: Iterable[dict[str, Any]]) -> int:
    """Load bundles.

    Parameters
    ----------
    store : FhirStore
        The hospital's server.
    bundles : iterable of dict
        Transaction bundles, one a patient.

    Returns
    -------
    int
        Number of resources that it keeps now.

    Raises
    ------
    DataIntegrityError
        If it refuses one.
    """
    loaded = 0
    for bundle in bundles:
        resources = stored_form(bundle)
        for start in range(0, len(resources), BATCH):
            batch = {"resourceType": "Bundle", "type": "batch", "entry": [
                {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
                for one in resources[start:start + BATCH]]}
            status, answer = await store.ask("POST", "", batch)
            refused = [entry for entry in answer.get("entry", []) if not entry["response"]["status"].startswith("20")]
            if status != 200 or refused:
                raise DataIntegrityError(f"the FHIR server refused {len(refused) or 'a batch of'} resources of a chart; the first was "
                                         f"answered {refused[0]['response']['status'] if refused else status}. Check the bundle.")
            loaded += len(batch["entry"])
    return loaded


def stored_form(bundle: dict[str, Any]) -> list[dict[str, Any]]:
    """Give the resources of a bundle as a server keeps them.

    Parameters
    ----------
    bundle : dict
        A transaction bundle whose references may be ``urn:uuid:``.

    Returns
    -------
    list of dict
        Resources of the types that are used here, with relative references; bills are left out.
    """
    found = contained_resources(bundle)
    kinds = {str(one.get("id")): str(one.get("resourceType")) for one in found}
    return [_written_out(one, kinds) for one in found if one.get("resourceType") in KEPT_TYPES and one.get("id")]


def _written_out(value: Any, kinds: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [_written_out(one, kinds) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _reference(part, kinds) if name == "reference" and isinstance(part, str) else _written_out(part, kinds)
            for name, part in value.items()}


def _reference(text: str, kinds: dict[str, str]) -> str:
    identifier = text.removeprefix("urn:uuid:")
    return f"{kinds[identifier]}/{identifier}" if identifier != text and identifier in kinds else text
