"""Presidio-research's templated sentences with spans of personal information, in many languages' names and addresses."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from carefolio.datasets.asq_phi import half_of
from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve
from carefolio.exceptions import SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "presidio_synth"
FILE = "synth_dataset_v2.json"
SENTENCES = 1500
OUTSIDE_SAFE_HARBOR = frozenset({"TITLE", "NRP", "AGE", "ORGANIZATION"})
"""Types that the Safe Harbor method leaves in the text: titles, nationality and religion, ages up to 89, companies."""


def load_presidio_synth() -> LoadedData:
    """Load the sentences.

    Returns
    -------
    LoadedData
        One row a sentence: ``number`` (from 0), ``template``, ``half`` (all sentences of a template are in the same one), ``text`` and
        ``identifiers``, a list of ``{"identifier_type", "start", "end"}``.

    Raises
    ------
    DataUnavailableError
        If no source has the file.
    DataIntegrityError
        If the file is not the one that the catalogue names.
    SchemaError
        If it is not of the expected form.
    """
    file = resolve(NAME, FILE)
    frame = sentence_frame(json.loads(file.path.read_text(encoding="utf-8")))
    if frame.height != SENTENCES:
        raise SchemaError(f"{NAME}: expected {SENTENCES} sentences; got {frame.height}. Fetch the file again.")
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, find_dataset(NAME).licence))


def sentence_frame(records: list[dict[str, Any]]) -> pl.DataFrame:
    """Make the table of the publisher's records.

    Parameters
    ----------
    records : list of dict
        With ``full_text``, ``template_id`` and ``spans``.

    Returns
    -------
    polars.DataFrame
        As `load_presidio_synth` gives it.

    Raises
    ------
    SchemaError
        If a record lacks a field, or a span is not where its value stands.
    """
    import polars as pl

    spans = pl.List(pl.Struct({"identifier_type": pl.String, "start": pl.Int64, "end": pl.Int64}))
    rows = []
    for number, record in enumerate(records):
        missing = {"full_text", "template_id", "spans"} - set(record)
        if missing:
            raise SchemaError(f"{NAME}: sentence {number} lacks {min(missing)!r}; use the publisher's file.")
        text, template = record["full_text"], record["template_id"]
        rows.append({"number": number, "template": template, "half": half_of(str(template)), "text": text,
                     "identifiers": [_read_span(span, text, number) for span in record["spans"]]})
    return pl.DataFrame(rows, schema={"number": pl.Int64, "template": pl.Int64, "half": pl.String, "text": pl.String, "identifiers": spans})


def _read_span(span: dict[str, Any], text: str, number: int) -> dict[str, Any]:
    start, end = span["start_position"], span["end_position"]
    if text[start:end] != span["entity_value"]:
        raise SchemaError(f"{NAME}: sentence {number} has a {span['entity_type']} span ({start}, {end}) that does not hold its value. "
                          "Fetch the file again.")
    return {"identifier_type": span["entity_type"], "start": start, "end": end}
