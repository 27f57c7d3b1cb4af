"""How often a question without an answer is refused, and one with an answer refused by mistake.

Without an answer are questions whose topic was left out of the index with all its pages, and questions of other kinds that were written
for this. A topic may stand in MedQuAD under a second name, so some answers that count as wrong here are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.evidence import Metric, metric
from carefolio.uncertainty import bootstrap_values
from notes_summarizer.leaflet import safety
from notes_summarizer.leaflet.index import LeafletIndex
from notes_summarizer.leaflet.questions import Question, half_of, to_refuse, word_otherwise
from notes_summarizer.leaflet.relevance import relevance
from notes_summarizer.leaflet.settings import LeafletEvaluationSettings

Values = npt.NDArray[np.float64]
THRESHOLDS = np.round(np.arange(0.5, 1.0, 0.02), 2)
MOST_FALSE_REFUSALS = 0.05
"""Share of answerable development questions that may be refused; the threshold is the highest that keeps to it."""


def relevance_of_each(index: LeafletIndex, questions: Sequence[Question], texts: Sequence[str], *, left_out: bool) -> Values:
    """Compute what a refusal is decided on.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        Of MedQuAD.
    texts : sequence of str
        Their wordings.
    left_out : bool
        Search without the pages about each question's topic.

    Returns
    -------
    ndarray of float64, shape (n_questions,)
        Relevance of the best passage.
    """
    ranked = index.rank(texts, k=10, without=[question.topic for question in questions] if left_out else None)
    return np.array([relevance(index, text, found["hybrid"]) for text, found in zip(texts, ranked, strict=True)])


def choose_threshold(index: LeafletIndex, questions: Sequence[Question]) -> tuple[float, dict[str, list[float]]]:
    """Choose the threshold on the development half: questions as asked and as a patient might word them, together.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        Of the development half.

    Returns
    -------
    threshold : float
        The highest of a grid that refuses no more than 5 % of the questions that have an answer; the lowest if none does.
    grid : dict of str to list of float
        ``threshold``, ``recall_left_out`` and ``false_refusals``.
    """
    values = {}
    for left_out in (False, True):
        asked = relevance_of_each(index, questions, [question.text for question in questions], left_out=left_out)
        patient = [word_otherwise(question, "patient", focus=question.topic) for question in questions]
        values[left_out] = np.concatenate([asked, relevance_of_each(index, questions, patient, left_out=left_out)])
    false_refusals = [float((values[False] < threshold).mean()) for threshold in THRESHOLDS]
    recall = [float((values[True] < threshold).mean()) for threshold in THRESHOLDS]
    allowed = [float(threshold) for threshold, share in zip(THRESHOLDS, false_refusals, strict=True) if share <= MOST_FALSE_REFUSALS]
    grid = {"threshold": [float(threshold) for threshold in THRESHOLDS], "recall_left_out": recall, "false_refusals": false_refusals}
    return max(allowed, default=float(THRESHOLDS[0])), grid


def measure(index: LeafletIndex, questions: Sequence[Question], settings: LeafletEvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure refusals on the test half, with the threshold of the settings.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        Of the test half.
    settings : LeafletEvaluationSettings
        How many questions, replicates and level.
    seed : int
        Of the bootstrap over topics.

    Returns
    -------
    dict of str to Metric
        ``medquad.test.refusal.recall_left_out``, ``.false_refusals``, the same for questions worded as a patient might
        (``test_patient``), ``.false_alarms`` of the safety rules, ``written.test.refusal.recall_elsewhere`` for questions of daily life,
        and ``written.seen.refusal.recall_<kind>`` for emergencies and personal questions: the safety rules were written with these in
        sight, so that is a check of the rules and no estimate.
    """
    chosen = list(questions)[:settings.refusal_questions]
    least = index.search_settings.least_relevance
    wordings = {"test": [question.text for question in chosen],
                "test_patient": [word_otherwise(question, "patient", focus=question.topic) for question in chosen]}
    columns: dict[str, Any] = {}
    for part, texts in wordings.items():
        columns[f"{part}.refusal.recall_left_out"] = relevance_of_each(index, chosen, texts, left_out=True) < least
        columns[f"{part}.refusal.false_refusals"] = relevance_of_each(index, chosen, texts, left_out=False) < least
        columns[f"{part}.refusal.false_alarms"] = [bool(safety.triage(text)) for text in texts]
    matrix = np.column_stack(list(columns.values())).astype(np.float64)
    groups = np.array([question.topic for question in chosen])
    intervals = bootstrap_values(lambda weight: weight @ matrix / weight.sum(), groups=groups, n_replicates=settings.replicates,
                                 level=settings.level, random_state=seed)
    found = {f"medquad.{name}": metric(interval, higher_is_better="recall" in name)
             for name, interval in zip(columns, intervals, strict=True)}
    return found | _written(index, settings, seed=seed)


def _written(index: LeafletIndex, settings: LeafletEvaluationSettings, *, seed: int) -> dict[str, Metric]:
    found = {}
    for kind, texts in to_refuse().items():
        part, expected = ("test", "not found") if kind == "elsewhere" else ("seen", kind)
        judged = [text for text in texts if part == "seen" or half_of(text) == "test"]
        right = np.array([[_answered_as(index, text) == expected] for text in judged], dtype=np.float64)
        interval = bootstrap_values(partial(_average, right), groups=np.arange(len(right)), n_replicates=settings.replicates,
                                    level=settings.level, random_state=seed)[0]
        found[f"written.{part}.refusal.recall_{kind}"] = metric(interval, higher_is_better=True)
    return found


def _average(columns: Values, weight: Values) -> Values:
    return np.asarray(weight @ columns / weight.sum())


def _answered_as(index: LeafletIndex, text: str) -> str:
    kind = safety.triage(text)
    if kind:
        return kind
    found = relevance(index, text, index.rank([text], k=10)[0]["hybrid"])
    return "" if found >= index.search_settings.least_relevance else "not found"
