"""From encounters to requests: the columns that the service's own OpenAPI document asks for, and nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.exceptions import SchemaError

if TYPE_CHECKING:
    import polars as pl

DISPOSITION = "discharge_disposition_id"
EARLIER = "returned_within_30_days"


def build_requests(table: pl.DataFrame, document: dict[str, Any], *, count: int, seed: int) -> list[str]:
    """Draw discharges and write each as a request body, with the same patient's earlier stays.

    Parameters
    ----------
    table : polars.DataFrame
        Encounters, as `carefolio.datasets.diabetes130` loads them.
    document : dict
        OpenAPI document of the service.
    count : int
        How many; fewer if there are fewer discharges after which a patient can return.
    seed : int
        Of the draw.

    Returns
    -------
    list of str
        JSON without spaces. No identifier and no race: the document has no field for them.

    Raises
    ------
    SchemaError
        If the document describes no stays, or no discharge fits.
    """
    now, before = (_schema(document, name) for name in ("Encounter", "EarlierEncounter"))
    most = _schema(document, "PatientStay")["properties"]["earlier_encounters"]["maxItems"]
    ordered = table.sort("patient_nbr", "encounter_id")
    fitting = np.flatnonzero(ordered[DISPOSITION].is_in(now["properties"][DISPOSITION]["enum"]).to_numpy())
    if not len(fitting):
        raise SchemaError(f"none of {table.height} encounters ends with a discharge that the service takes; is this the published file?")
    drawn = np.random.default_rng(seed).choice(fitting, size=min(count, len(fitting)), replace=False)
    patients = ordered["patient_nbr"].to_numpy()
    starts = np.searchsorted(patients, patients[drawn], side="left")
    bodies = []
    for row, start in zip(drawn.tolist(), starts.tolist(), strict=True):
        stays = [_stay(stay, before) | {EARLIER: stay["readmitted"] == "<30"} for stay in ordered.slice(start, row - start).to_dicts()
                 if stay[DISPOSITION] in before["properties"][DISPOSITION]["enum"]]
        body = {"encounter": _stay(ordered.row(row, named=True), now), "earlier_encounters": stays[-most:]}
        bodies.append(json.dumps(body, separators=(",", ":")))
    return bodies


def _schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    found = document.get("components", {}).get("schemas", {}).get(name)
    if not isinstance(found, dict):
        raise SchemaError(f"the service's OpenAPI document has no schema {name}; is this the readmission service?")
    return found


def _stay(row: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in schema["properties"] if row.get(name) is not None}
