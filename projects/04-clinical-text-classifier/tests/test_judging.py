"""Scores and leads of answers that are made by hand."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from text_classifier.config import EvaluationSettings
from text_classifier.evaluate import average, costs
from text_classifier.judging import SCORES, accuracy_of, across_seeds, by_source, judge, score_all, scores_of
from text_classifier.predictions import Predicted, read_predictions, write_predictions

SETTINGS = EvaluationSettings(replicates=200, level=0.95, precision=0.9, watts_per_core=15.0, forgetting_texts=1, forgetting_tokens=16)
LABELS = ["cough", "fever"]
N = 40


def make_examples() -> pl.DataFrame:
    parts = ["valid"] * N + ["test"] * N
    return pl.DataFrame({"row": range(2 * N), "part": parts, "unit": [str(row // 2) for row in range(2 * N)], "text": ["t"] * (2 * N),
                         "label": [LABELS[row % 2] for row in range(2 * N)],
                         "source": ["v"] * N + ["test1"] * (N // 2) + ["test2"] * (N // 2)})


def make_predicted(wrong: set[int], *, sure: float = 0.9) -> Predicted:
    """Right everywhere but in the rows given, where it is wrong and less sure."""
    rows = np.arange(2 * N)
    right = np.array([0.6 if row in wrong else sure for row in rows])
    answers = np.array([(row + (row in wrong)) % 2 for row in rows])
    probabilities = np.zeros((2 * N, 2))
    probabilities[rows, answers], probabilities[rows, 1 - answers] = right, 1 - right
    return Predicted.of(make_examples(), LABELS, probabilities)


def test_scores_are_those_counted_by_hand():
    judged = judge(make_examples(), [make_predicted({40, 41, 42, 43})], SETTINGS)
    found = dict(zip(SCORES, scores_of(judged, np.ones(N)), strict=True))
    assert found["accuracy"] == pytest.approx(0.9)
    assert found["macro_f1"] == pytest.approx(0.9)
    assert found["coverage_95"] == pytest.approx(1.0 if judged.thresholds[0] <= 0.6 else 0.9)


def test_several_seeds_count_with_their_mean():
    judged = judge(make_examples(), [make_predicted(set()), make_predicted({40, 41})], SETTINGS)
    assert scores_of(judged, np.ones(N))[0] == pytest.approx((1 + 0.95) / 2)


def test_the_worst_and_the_best_seed_are_stated_where_there_are_several():
    one = judge(make_examples(), [make_predicted({40})], SETTINGS)
    three = judge(make_examples(), [make_predicted(rows) for rows in ({40}, {40, 41, 42, 43}, set())], SETTINGS)
    found = across_seeds("headers", {"tfidf_lr": one, "minilm_full": three})
    assert {name: entry.value for name, entry in found.items()} == {
        "headers.test.minilm_full.seeds": 3, "headers.test.minilm_full.lowest_seed_accuracy": pytest.approx(0.9),
        "headers.test.minilm_full.highest_seed_accuracy": 1}


def test_a_weight_of_two_equals_two_rows():
    judged = judge(make_examples(), [make_predicted({40, 45})], SETTINGS)
    weights = np.ones(N)
    weights[0] = 2
    assert scores_of(judged, weights)[0] == pytest.approx((N - 2) / (N + 1))


def test_a_lead_is_paired_and_a_system_has_none_over_itself():
    good, bad = (judge(make_examples(), [make_predicted(rows)], SETTINGS) for rows in (set(), {40, 42, 44, 46, 48, 50}))
    judged = {"minilm_full": good, "tfidf_lr": bad, "a": good}
    found = score_all("headers", judged, [("minilm_full", "tfidf_lr"), ("minilm_full", "a")], SETTINGS, seed=0)
    lead = found["headers.test.minilm_full_minus_tfidf_lr.accuracy"]
    assert lead.value == pytest.approx(0.15)
    assert 0 < lead.low < lead.value < lead.high
    none = found["headers.test.minilm_full_minus_a.accuracy"]
    assert (none.low, none.value, none.high) == (0, 0, 0)


def test_every_score_has_an_interval_and_each_source_its_own():
    judged = judge(make_examples(), [make_predicted({40, 41})], SETTINGS)
    found = score_all("headers", {"minilm_full": judged}, [], SETTINGS, seed=0)
    assert {f"headers.test.minilm_full.{name}" for name in SCORES} <= set(found)
    assert all(found[f"headers.test.minilm_full.{name}"].low is not None for name in SCORES)
    sources = by_source("headers", make_examples(), judged, "minilm_full", SETTINGS, seed=0)
    assert sources["headers.test1.minilm_full.accuracy"].value == pytest.approx(0.9)
    assert sources["headers.test2.minilm_full.accuracy"].value == 1


def test_an_average_is_that_of_the_probabilities():
    one, other = make_predicted({40}, sure=0.8), make_predicted(set(), sure=0.6)
    found = average([one, other])
    np.testing.assert_allclose(found.probabilities, (one.probabilities + other.probabilities) / 2)
    assert found.probabilities[40].argmax() == 0, "0.6 for the wrong label in one, 0.6 for the right one in the other: a tie goes first"
    assert (found.rows, found.labels, found.record) == (one.rows, one.labels, {})


def test_costs_are_those_of_a_core():
    record = {"parameters": 100, "trained_parameters": 10, "cpu_seconds": 7200.0, "seconds": 3600.0, "samples": 720, "tokens": 72_000}
    kept = {"minilm_full": [replace(make_predicted(set()), record=record)], "majority": [make_predicted(set())]}
    found = {name: one.value for name, one in costs("headers", kept, SETTINGS).items()}
    assert found == {"headers.train.minilm_full.parameters": 100, "headers.train.minilm_full.trained_parameters": 10,
                     "headers.train.minilm_full.core_seconds": 7200, "headers.train.minilm_full.energy_wh": 30,
                     "headers.train.minilm_full.texts_per_core_s": 0.1, "headers.train.minilm_full.tokens_per_core_s": 10}


def test_predictions_are_kept_as_they_are(tmp_path):
    predicted = make_predicted({3})
    write_predictions(tmp_path, predicted)
    again = read_predictions(tmp_path)
    np.testing.assert_allclose(again.probabilities, predicted.probabilities)
    assert (again.rows, again.parts, again.labels) == (predicted.rows, predicted.parts, predicted.labels)
    assert accuracy_of(make_examples(), again) == pytest.approx(1 - 1 / N)
