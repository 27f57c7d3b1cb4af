"""How well passages are found, questions without an answer refused, and leaflets written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from carefolio.evidence import Metric
from notes_summarizer.leaflet import measure_leaflets, measure_refusal, measure_retrieval
from notes_summarizer.leaflet.build import Progress, choose_answers
from notes_summarizer.leaflet.index import LeafletIndex
from notes_summarizer.leaflet.questions import VARIANTS, list_questions
from notes_summarizer.leaflet.settings import LeafletSettings

if TYPE_CHECKING:
    import polars as pl

STAGES = 5


def evaluate(index: LeafletIndex, answers: pl.DataFrame, settings: LeafletSettings, *, seed: int,
             progress: Progress | None = None) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Measure retrieval, refusal and leaflets on the test half of MedQuAD's questions.

    Parameters
    ----------
    index : LeafletIndex
        Built from ``answers``.
    answers : polars.DataFrame
        As ``carefolio.datasets.medquad.load_medquad`` gives it.
    settings : LeafletSettings
        All settings.
    seed : int
        Seed of the bootstrap over topics.
    progress : callable, optional
        Called with the number of stages done and of all.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Aggregates for figures and dashboard, without text.
    """
    limits = settings.evaluation
    questions = list_questions(choose_answers(answers, most=settings.index.max_answers), index.passages)
    test = measure_retrieval.of_half(questions, "test", most=limits.questions)
    development = measure_retrieval.of_half(questions, "development", most=limits.refusal_questions)
    said = progress or (lambda done, total: None)
    metrics = measure_retrieval.measure(index, test, limits, seed=seed)
    said(1, STAGES)
    metrics |= measure_retrieval.measure_other_wordings(index, test, limits, seed=seed)
    said(2, STAGES)
    threshold, grid = measure_refusal.choose_threshold(index, development)
    said(3, STAGES)
    metrics |= measure_refusal.measure(index, test, limits, seed=seed)
    said(4, STAGES)
    found, grades = measure_leaflets.measure(index, test, settings, seed=seed)
    said(STAGES, STAGES)
    metrics |= found
    counts = {"answers": answers.height, "passages": index.passages.height, "questions": len(questions),
              "topics": len({question.topic for question in questions}), "development": len(development), "test": len(test)}
    parts = ("test", "test_as_asked", *(f"test_{name}" for name in VARIANTS))
    return metrics, {"counts": counts, "refusal": grid | {"chosen": threshold, "used": settings.search.least_relevance},
                     "retrieval": {part: _points(metrics, part) for part in parts}, "leaflets": grades}


def _points(metrics: dict[str, Metric], part: str) -> dict[str, dict[str, dict[str, float | None]]]:
    """List the values and intervals of one part by model and score."""
    points: dict[str, dict[str, dict[str, float | None]]] = {}
    for name, value in metrics.items():
        data_set, found, model, score = name.split(".")
        if (data_set, found) == ("medquad", part) and score in measure_retrieval.SCORES:
            points.setdefault(model, {})[score] = {"value": value.value, "low": value.low, "high": value.high}
    return points
