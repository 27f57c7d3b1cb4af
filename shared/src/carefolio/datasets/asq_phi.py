"""ASQ-PHI: short clinical queries written by a language model, with the identifiers that each holds, or none (hard negatives)."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TYPE_CHECKING

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve, setting_aside
from carefolio.exceptions import SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "asq_phi"
FILE = "synthetic_clinical_queries.dev.txt"
QUERIES = 526
QUERIES_OF_PUBLISHER = 1051
IDENTIFIER_TYPES = (
    "NAME", "GEOGRAPHIC_LOCATION", "DATE", "MEDICAL_RECORD_NUMBER", "HEALTH_PLAN_BENEFICIARY_NUMBER", "PHONE_NUMBER",
    "SOCIAL_SECURITY_NUMBER", "EMAIL_ADDRESS", "UNIQUE_IDENTIFIER", "ACCOUNT_NUMBER", "CERTIFICATE_LICENSE_NUMBER", "FAX_NUMBER",
    "VEHICLE_IDENTIFIER", "DEVICE_IDENTIFIER", "WEB_URL", "IP_ADDRESS", "BIOMETRIC_IDENTIFIER",
)


def half_of(text: str) -> str:
    """Assign a text to one half of a data set for good, whatever its place in the file.

    Parameters
    ----------
    text : str
        The text, or the name of the template that it was made from.

    Returns
    -------
    {"development", "report"}
        By the first byte of its SHA-256: even is development.
    """
    return "report" if hashlib.sha256(text.encode()).digest()[0] % 2 else "development"


def load_asq_phi() -> LoadedData:
    """Load the odd-numbered half of the queries.

    Returns
    -------
    LoadedData
        One row a query: ``number`` (from 0), ``half`` (as `half_of` gives it), ``text`` and ``identifiers``, a list of
        ``{"identifier_type", "value"}`` that is empty in a hard negative.

    Raises
    ------
    DataUnavailableError
        If no source has the file.
    DataIntegrityError
        If the file is not the one that the catalogue names.
    SchemaError
        If it is not of the expected form.
    """
    import polars as pl

    file = resolve(NAME, FILE)
    with setting_aside([file]):
        rows = parse_queries(file.path.read_text(encoding="utf-8"))
        if len(rows) == QUERIES_OF_PUBLISHER:
            rows = rows[::2]
        if len(rows) != QUERIES:
            raise SchemaError(f"{NAME}: expected {QUERIES} queries, or the publisher's {QUERIES_OF_PUBLISHER}; got {len(rows)}. "
                              "Fetch it again.")
    tags = pl.List(pl.Struct({"identifier_type": pl.String, "value": pl.String}))
    columns = {"number": range(QUERIES), "half": [half_of(text) for text, _ in rows], "text": [text for text, _ in rows],
               "identifiers": [found for _, found in rows]}
    frame = pl.DataFrame(columns, schema_overrides={"identifiers": tags})
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, find_dataset(NAME).licence))


def parse_queries(content: str) -> list[tuple[str, list[dict[str, str]]]]:
    """Read the publisher's form.

    Parameters
    ----------
    content : str
        ``===QUERY===``, the query, ``===PHI_TAGS===``, then one JSON object a line.

    Returns
    -------
    list of (str, list of dict)
        Text, and ``{"identifier_type", "value"}`` of each identifier.

    Raises
    ------
    SchemaError
        At the first query that is malformed, has an unknown type, or does not hold a value that is tagged.
    """
    rows = []
    for number, block in enumerate(re.split(r"^===QUERY===$", content, flags=re.MULTILINE)[1:]):
        text, marker, tags = block.partition("===PHI_TAGS===")
        if not marker or not text.strip():
            raise SchemaError(f"{NAME}: query {number} has no text or no line ===PHI_TAGS===; the file may be cut short. Fetch it again.")
        rows.append((text.strip(), [_read_tag(line, text, number) for line in tags.splitlines() if line.strip()]))
    return rows


def _read_tag(line: str, text: str, number: int) -> dict[str, str]:
    try:
        tag: dict[str, str] = json.loads(line)
    except json.JSONDecodeError as error:
        raise SchemaError(f"{NAME}: query {number} has a tag that is not JSON ({error.msg}). Fetch the file again.") from None
    if not isinstance(tag, dict) or set(tag) != {"identifier_type", "value"} or tag["identifier_type"] not in IDENTIFIER_TYPES:
        raise SchemaError(f"{NAME}: query {number} has a tag of an unknown form or type; expected identifier_type, one of "
                          f"{', '.join(IDENTIFIER_TYPES[:4])}, ..., and value. Fetch the file again.")
    if tag["value"] not in text:
        raise SchemaError(f"{NAME}: query {number} does not hold the value of its {tag['identifier_type']} tag. Fetch the file again.")
    return tag


def load_published_metrics() -> pl.DataFrame:
    """Load the authors' figures for Amazon Comprehend Medical, on all 1,051 queries.

    Returns
    -------
    polars.DataFrame
        By ``threshold``: ``recall`` and ``over_redaction_rate``.

    Raises
    ------
    DataUnavailableError
        If no source has the files.
    DataIntegrityError
        If a file is not the one that the catalogue names.
    """
    import polars as pl

    positive, negative = (pl.read_csv(resolve(NAME, f"{kind}_metrics_by_threshold.csv").path) for kind in ("positive", "negative"))
    return positive.join(negative, on="threshold").select("threshold", "recall", "over_redaction_rate")
