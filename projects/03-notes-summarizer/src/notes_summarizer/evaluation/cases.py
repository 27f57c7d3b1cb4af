"""The conversations that every system is asked to write a note from, with the note that a person wrote."""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from notes_summarizer.evaluation.settings import EvaluationSettings

MTS_DIALOG, ACI_BENCH = "mts_dialog", "aci_bench"
PARTS = {MTS_DIALOG: ("validation", "test1", "test2"), ACI_BENCH: ("test1",)}
"""The held-out parts: nothing was tuned on them."""
POOLED = {MTS_DIALOG: {"test": ("test1", "test2")}}
"""Parts that are judged together as well, under one more name."""
KEY = ["data_set", "part", "id"]
"""What names a case."""


@dataclass(frozen=True)
class Convention:
    """How a data set's published table was computed.

    Attributes
    ----------
    stem : bool
        Whether words were stemmed before ROUGE.
    longest : {"rouge_l", "rouge_lsum"}
        What the table calls ROUGE-L: over the whole text, or line by line.
    """

    stem: bool
    longest: Literal["rouge_l", "rouge_lsum"]


CONVENTIONS = {MTS_DIALOG: Convention(stem=True, longest="rouge_l"), ACI_BENCH: Convention(stem=False, longest="rouge_lsum")}


def build_cases(mts_dialog: pl.DataFrame, aci_bench: pl.DataFrame, settings: EvaluationSettings) -> pl.DataFrame:
    """List the cases of the held-out parts.

    Parameters
    ----------
    mts_dialog, aci_bench : polars.DataFrame
        As their loaders give them.
    settings : EvaluationSettings
        ``max_sections`` and ``max_notes``: a part with more is thinned evenly over its order.

    Returns
    -------
    polars.DataFrame
        One row a case: ``data_set``, ``part``, ``id``, ``task`` (``section`` or ``note``), ``header`` (of the section; empty for a
        whole note), ``source`` (the conversation) and ``reference`` (what a person wrote).
    """
    sections = mts_dialog.select(
        pl.lit(MTS_DIALOG).alias("data_set"), pl.col("part").cast(pl.String), pl.col("id").cast(pl.String), pl.lit("section").alias("task"),
        pl.col("section_header").cast(pl.String).alias("header"), pl.col("dialogue").alias("source"),
        pl.col("section_text").alias("reference"))
    notes = aci_bench.select(
        pl.lit(ACI_BENCH).alias("data_set"), pl.col("part").cast(pl.String), pl.col("encounter_id").alias("id"),
        pl.lit("note").alias("task"), pl.lit("").alias("header"), pl.col("dialogue").alias("source"), pl.col("note").alias("reference"))
    parts = [_thin(table.filter(part=part), size) for data_set, table, size in
             ((MTS_DIALOG, sections, settings.max_sections), (ACI_BENCH, notes, settings.max_notes)) for part in PARTS[data_set]]
    return pl.concat(parts)


def judged_parts(cases: pl.DataFrame) -> list[tuple[str, str, pl.DataFrame]]:
    """Give each part that results are stated for, the pooled ones included.

    Parameters
    ----------
    cases : polars.DataFrame
        Any table with ``data_set`` and ``part``.

    Returns
    -------
    list of (str, str, polars.DataFrame)
        Data set, name of the part, and its rows; parts without rows are left out.
    """
    found = []
    for data_set, names in PARTS.items():
        members = {name: (name,) for name in names} | POOLED.get(data_set, {})
        for name, parts in members.items():
            rows = cases.filter(pl.col("data_set") == data_set, pl.col("part").is_in(parts))
            if rows.height:
                found.append((data_set, name, rows))
    return found


def _thin(rows: pl.DataFrame, size: int) -> pl.DataFrame:
    if not size or rows.height <= size:
        return rows
    return rows[[i * rows.height // size for i in range(size)]]
