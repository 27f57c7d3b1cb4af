"""How often the right passage is found: by words, by meaning and by both; with and without titles; and with other wordings."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from carefolio.evidence import Metric, metric
from carefolio.metrics.retrieval import ndcg_of_each, recall_of_each, reciprocal_ranks
from carefolio.uncertainty import bootstrap_values
from notes_summarizer.leaflet.index import LeafletIndex, Method
from notes_summarizer.leaflet.questions import VARIANTS, Half, Question, word_otherwise
from notes_summarizer.leaflet.settings import LeafletEvaluationSettings

METHODS: tuple[Method, ...] = ("bm25", "dense", "hybrid")
DEPTH = 10
SCORES = ("recall_at_1", "recall_at_5", "recall_at_10", "success_at_1", "success_at_5", "mrr", "ndcg_at_10", "topic_at_1")
"""``success`` is whether one relevant passage is found, ``topic`` whether the first one is about the right topic at all."""

SHORT = (".recall_at_5", ".success_at_1", ".mrr", ".topic_at_1")
"""Scores that are kept of questions in other wordings."""


def of_half(questions: Sequence[Question], half: Half, *, most: int) -> list[Question]:
    """Take the first questions of a half.

    Parameters
    ----------
    questions : sequence of Question
        From `notes_summarizer.leaflet.questions.list_questions`.
    half : {"development", "test"}
        Which.
    most : int
        How many; 0 takes all.

    Returns
    -------
    list of Question
        In the same order.
    """
    return list(islice((question for question in questions if question.half == half), most or None))


def score_each(index: LeafletIndex, questions: Sequence[Question], texts: Sequence[str]) -> dict[Method, Any]:
    """Search with each text and score what was found.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        With the passages that are right.
    texts : sequence of str
        Their wordings.

    Returns
    -------
    dict of str to ndarray, shape (n_questions, 8)
        By method; columns as in `SCORES`.
    """
    relevant = [question.relevant for question in questions]
    found: dict[Method, list[list[int]]] = {method: [] for method in METHODS}
    for by_method in index.rank(texts, k=DEPTH):
        for method, ranked in by_method.items():
            found[method].append([int(row) for row in ranked.rows])
    scores = {}
    for method, ranking in found.items():
        topic = [bool(rows) and index.topics[rows[0]] == question.topic for rows, question in zip(ranking, questions, strict=True)]
        at_1, at_5, at_10 = (recall_of_each(relevant, ranking, k=k) for k in (1, 5, 10))
        scores[method] = np.column_stack([at_1, at_5, at_10, at_1 > 0, at_5 > 0, reciprocal_ranks(relevant, ranking),
                                          ndcg_of_each(relevant, ranking, k=DEPTH), topic])
    return scores


def measure(index: LeafletIndex, questions: Sequence[Question], settings: LeafletEvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure the test questions as they are, with and without titles, and the lead of the hybrid over the better single method.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    questions : sequence of Question
        Of the test half.
    settings : LeafletEvaluationSettings
        Replicates and level.
    seed : int
        Of the bootstrap over topics.

    Returns
    -------
    dict of str to Metric
        Ids ``medquad.test.<method>.<score>``; the lead under ``hybrid_minus_<method>``.
    """
    texts = [question.text for question in questions]
    scores = score_each(index, questions, texts)
    single: tuple[Method, Method] = ("bm25", "dense")
    better = max(single, key=lambda method: float(scores[method][:, SCORES.index("mrr")].mean()))
    bare = index.searched_with(index.search_settings.model_copy(update={"with_title": False}))
    rows: dict[str, Any] = {str(method): values for method, values in scores.items()}
    rows[f"hybrid_minus_{better}"] = scores["hybrid"] - scores[better]
    rows |= {f"{method}_without_title": values for method, values in score_each(bare, questions, texts).items()}
    return summarise(rows, questions, settings, part="test", seed=seed)


def measure_other_wordings(index: LeafletIndex, questions: Sequence[Question], settings: LeafletEvaluationSettings, *,
                           seed: int) -> dict[str, Metric]:
    """Measure the test questions in other wordings, by rule.

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
        Ids ``medquad.test_<variant>.<method>.<score>``; ``test_as_asked`` are the same questions unchanged.
    """
    chosen = list(questions)[:settings.robustness_questions]
    names = dict(zip(index.topics.tolist(), index.passages["focus"].to_list(), strict=True))
    wordings = {"as_asked": [question.text for question in chosen]} | {
        variant: [word_otherwise(question, variant, focus=names.get(question.topic, question.topic)) for question in chosen]
        for variant in VARIANTS}
    found: dict[str, Metric] = {}
    for variant, texts in wordings.items():
        found |= summarise(score_each(index, chosen, texts), chosen, settings, part=f"test_{variant}", seed=seed)
    return {name: value for name, value in found.items() if name.endswith(SHORT)}


def summarise(scores: dict[Any, Any], questions: Sequence[Question], settings: LeafletEvaluationSettings, *, part: str,
              seed: int) -> dict[str, Metric]:
    """Average scores over questions, with intervals by resampling topics.

    Parameters
    ----------
    scores : dict of str to ndarray, shape (n_questions, 8)
        By model.
    questions : sequence of Question
        With the topics.
    settings : LeafletEvaluationSettings
        Replicates and level.
    part : str
        Second piece of the ids.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        By evidence id.
    """
    models = list(scores)
    matrix = np.hstack([scores[model] for model in models])
    groups = np.array([question.topic for question in questions])
    intervals = bootstrap_values(lambda weight: weight @ matrix / weight.sum(), groups=groups, n_replicates=settings.replicates,
                                 level=settings.level, random_state=seed)
    names = [f"medquad.{part}.{model}.{score}" for model in models for score in SCORES]
    return {name: metric(interval, higher_is_better=True) for name, interval in zip(names, intervals, strict=True)}
