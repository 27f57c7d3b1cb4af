"""What is measured on each document: overlap with the reference, faithfulness, omission, readability and length."""

from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import polars as pl

from carefolio.metrics.text import ROUGE_COLUMNS, compression, novelty, reading_grade, rouge_of_each
from notes_summarizer.evaluation.bert import bert_scores
from notes_summarizer.evaluation.cases import CONVENTIONS, KEY
from notes_summarizer.evaluation.facts import KINDS, faithfulness, omission
from notes_summarizer.evaluation.settings import EvaluationSettings

REFERENCE = "reference"
"""The note that a person wrote, judged like a system where no reference is needed."""
OVERLAP = ("rouge1", "rouge2", "rouge_long", "bertscore_f1")
"""``rouge_long`` is the ROUGE-L of the data set's published table."""
_ROUGE = {"rouge1": "rouge1", "rouge2": "rouge2", "rouge_l": "rougeL", "rouge_lsum": "rougeLsum"}
Progress = Callable[[str], AbstractContextManager[Any]]


def score(cases: pl.DataFrame, candidates: pl.DataFrame, settings: EvaluationSettings, *, terms: Collection[str],
          progress: Progress) -> pl.DataFrame:
    """Score every candidate, and every reference where that makes sense.

    Parameters
    ----------
    cases : polars.DataFrame
        As `notes_summarizer.evaluation.cases.build_cases` gives them.
    candidates : polars.DataFrame
        As `notes_summarizer.evaluation.generate.generate` gives them.
    settings : EvaluationSettings
        ``bert_batch``.
    terms : collection of str
        Vocabulary of the rules.
    progress : callable
        Takes a title and gives a context.

    Returns
    -------
    polars.DataFrame
        The candidates, the references under the system `REFERENCE`, and behind them `OVERLAP` (null for references), ``cut`` (whether
        BERTScore read only the beginning of the candidate), ``sentences``, ``flagged``, ``number``, ``term``, ``negation``,
        ``laterality`` (findings), ``facts``, ``omitted``, ``flesch_kincaid``, ``smog`` (null for a text without a word),
        ``compression`` and ``novelty``.
    """
    rows = candidates.join(cases, on=KEY, how="left", validate="m:1", maintain_order="left")
    with progress("overlap with the references"):
        rows = rows.hstack(_overlap(rows, settings))
    written = cases.select(pl.lit(REFERENCE).alias("system"), pl.col("reference").alias("candidate"), pl.exclude("system"))
    rows = pl.concat([rows, written.with_columns(pl.lit("").alias("problem"))], how="diagonal")
    with progress("faithfulness, omission, readability"):
        return rows.hstack(pl.DataFrame([_properties(row, terms) for row in rows.iter_rows(named=True)], infer_schema_length=None))


def _overlap(rows: pl.DataFrame, settings: EvaluationSettings) -> pl.DataFrame:
    rouge = np.zeros((rows.height, 3))
    for data_set, convention in CONVENTIONS.items():
        chosen = (rows["data_set"] == data_set).to_numpy()
        if chosen.any():
            part = rows.filter(pl.col("data_set") == data_set)
            columns = [ROUGE_COLUMNS.index(_ROUGE[name]) for name in ("rouge1", "rouge2", convention.longest)]
            rouge[chosen] = rouge_of_each(part["reference"].to_list(), part["candidate"].to_list(), stem=convention.stem)[:, columns]
    found = bert_scores(rows["reference"].to_list(), rows["candidate"].to_list(), batch=settings.bert_batch)
    return pl.DataFrame(dict(zip(OVERLAP, (*rouge.T, found.f1), strict=True)) | {"cut": found.cut_candidate})


def _properties(row: dict[str, Any], terms: Collection[str]) -> dict[str, Any]:
    """Measure what a person who knows only the conversation could measure too, and the omissions."""
    source, text = row["source"], row["candidate"]
    counted, left_out = faithfulness(source, text, terms=terms), omission(source, row["reference"], text, terms=terms)
    grade = reading_grade(text) if any(character.isalpha() for character in text) else None
    return {"sentences": counted.sentences, "flagged": counted.flagged, **{kind: counted.by_kind[kind] for kind in KINDS},
            "facts": left_out.facts, "omitted": left_out.omitted,
            "flesch_kincaid": grade.flesch_kincaid if grade else None, "smog": grade.smog if grade else None,
            "compression": compression(source, text), "novelty": novelty(source, text)}
