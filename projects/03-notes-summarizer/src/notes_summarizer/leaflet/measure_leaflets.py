"""What leaflets are like: how hard to read before and after, how long, how often refused, and how often a check put a wording back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from carefolio.evidence import Metric, metric
from carefolio.metrics.text import words
from carefolio.uncertainty import bootstrap_values
from notes_summarizer.leaflet.index import LeafletIndex
from notes_summarizer.leaflet.questions import Question
from notes_summarizer.leaflet.relevance import relevance
from notes_summarizer.leaflet.settings import LeafletSettings
from notes_summarizer.leaflet.write import DEPTH, Leaflet, from_hits, refuse

MODEL = "leaflet"


def write_all(index: LeafletIndex, questions: Sequence[Question], settings: LeafletSettings) -> tuple[list[Leaflet], list[float]]:
    """Write a leaflet for each question, by rules alone; the firewall and the safety rules, which do not touch the text, are left out.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        Of the test half.
    settings : LeafletSettings
        All settings.

    Returns
    -------
    leaflets : list of Leaflet
        One a question.
    milliseconds : list of float
        Time of each search, its embedding included.
    """
    leaflets, milliseconds = [], []
    for question in questions:
        start = time.perf_counter()
        ranked = index.rank([question.text], k=DEPTH)[0]["hybrid"]
        milliseconds.append(1000 * (time.perf_counter() - start))
        relevant = relevance(index, question.text, ranked) >= settings.search.least_relevance
        leaflets.append(from_hits(index.hits(ranked), index, settings.writing) if relevant else refuse("not found"))
    return leaflets, milliseconds


def measure(index: LeafletIndex, questions: Sequence[Question], settings: LeafletSettings, *,
            seed: int) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Measure leaflets of test questions.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        Of the test half.
    settings : LeafletSettings
        All settings.
    seed : int
        Of the bootstrap over topics.

    Returns
    -------
    metrics : dict of str to Metric
        Ids ``medquad.test.leaflet.<metric>``.
    curves : dict
        Grades before and after, as counts a grade.
    """
    chosen = list(questions)[:settings.evaluation.leaflets]
    leaflets, milliseconds = write_all(index, chosen, settings)
    topics = np.array([question.topic for question in chosen])
    asked = {"refused": [leaflet.refused for leaflet in leaflets],
             "refused_no_sentences": [leaflet.kind == "no sentences" for leaflet in leaflets],
             "refused_too_hard": [leaflet.kind == "too hard" for leaflet in leaflets]}
    found = _means({name: (values, False) for name, values in asked.items()}, topics, settings, seed=seed)
    found["medquad.test.retrieval.query_p50_ms"] = Metric(value=float(np.median(milliseconds)), n=len(milliseconds), higher_is_better=False)
    written = [(leaflet, topic) for leaflet, topic in zip(leaflets, topics, strict=True) if not leaflet.refused]
    if len({topic for _, topic in written}) > 1:
        measured = _of_written([leaflet for leaflet, _ in written], settings)
        found |= _means(measured, np.array([topic for _, topic in written]), settings, seed=seed)
    before = [leaflet.source_grade for leaflet in leaflets if leaflet.source_grade is not None]
    after = [leaflet.reading_grade for leaflet, _ in written if leaflet.reading_grade is not None]
    edges = np.arange(-2, 31)
    return found, {"grade_edges": edges.tolist(), "grades_before": _counts(before, edges), "grades_after": _counts(after, edges),
                   "refusals": {kind: sum(leaflet.kind == kind for leaflet in leaflets)
                                for kind in ("not found", "no sentences", "too hard", "")}}


def _of_written(leaflets: Sequence[Leaflet], settings: LeafletSettings) -> dict[str, tuple[Any, bool | None]]:
    """List what is measured of each leaflet, and which side is better."""
    grades = np.array([leaflet.reading_grade for leaflet in leaflets], dtype=np.float64)
    sentences = [leaflet.sentences for leaflet in leaflets]
    return {
        "reading_grade": (grades, False),
        "source_grade": (np.array([leaflet.source_grade for leaflet in leaflets], dtype=np.float64), None),
        "within_grade": (grades <= settings.writing.maximum_grade, True),
        "words": ([len(words(" ".join(item.text for item in items))) for items in sentences], None),
        "sentences": ([len(items) for items in sentences], None),
        "cited_passages": ([len(leaflet.passages) for leaflet in leaflets], None),
        "share_reworded": ([np.mean([item.reworded_by != "" for item in items]) for items in sentences], None),
        "share_put_back": ([np.mean([bool(item.findings) for item in items]) for items in sentences], None),
    }


def _means(values: dict[str, tuple[Any, bool | None]], topics: Any, settings: LeafletSettings, *, seed: int) -> dict[str, Metric]:
    matrix = np.column_stack([column for column, _ in values.values()]).astype(np.float64)
    intervals = bootstrap_values(lambda weight: weight @ matrix / weight.sum(), groups=topics, n_replicates=settings.evaluation.replicates,
                                 level=settings.evaluation.level, random_state=seed)
    return {f"medquad.test.{MODEL}.{name}": metric(interval, higher_is_better=better)
            for (name, (_, better)), interval in zip(values.items(), intervals, strict=True)}


def _counts(values: Sequence[float], edges: Any) -> list[int]:
    return [int(count) for count in np.histogram(np.clip(values, edges[0], edges[-1]), bins=edges)[0]]
