"""Conformal sets of grades: by hand, against a plain loop, and their promise kept in simulation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carefolio.metrics.conformal import conformal_threshold, grade_scores, grade_sets, mean_set_size, set_coverage


def slow_scores(row: list[float]) -> list[float]:
    """The definition, one grade at a time: it joins when it, or a grade on both sides of it, is probable enough."""
    return [1 - max(row[grade], min(max(row[:grade + 1]), max(row[grade:]))) for grade in range(len(row))]


def test_a_grade_is_as_improbable_as_it_is_unless_it_fills_a_gap():
    found = grade_scores([[0.1, 0.5, 0.3, 0.06, 0.04], [0.4, 0.1, 0.3, 0.0, 0.2]])
    np.testing.assert_allclose(found, [[0.9, 0.5, 0.7, 0.94, 0.96], [0.6, 0.7, 0.7, 0.8, 0.8]])


@given(st.lists(st.lists(st.floats(0.001, 1), min_size=4, max_size=4), min_size=1, max_size=6))
def test_scores_equal_a_plain_loop(rows):
    y_prob = np.array(rows) / np.sum(rows, axis=1, keepdims=True)
    np.testing.assert_allclose(grade_scores(y_prob), [slow_scores(row) for row in y_prob.tolist()], atol=1e-12)


@pytest.mark.parametrize(("coverage", "expected"), [(0.5, 0.5), (0.8, 0.8), (0.9, 0.9), (0.91, math.inf)])
def test_the_threshold_counts_the_row_to_come(coverage, expected):
    scores = np.arange(1, 10) / 10
    assert conformal_threshold(scores[::-1], coverage=coverage) == pytest.approx(expected)


def test_sets_have_no_gap_and_are_never_empty():
    chance = np.random.default_rng(0)
    y_prob = chance.dirichlet(np.ones(5) * 0.5, size=500)
    for threshold in (0.0, 0.3, 0.7, 0.95):
        sets = grade_sets(y_prob, threshold=threshold)
        assert sets.any(axis=1).all()
        assert (np.abs(np.diff(np.pad(sets, ((0, 0), (1, 1))).astype(int), axis=1)).sum(axis=1) == 2).all()
        assert sets[np.arange(500), y_prob.argmax(axis=1)].all()
    assert grade_sets(y_prob, threshold=math.inf).all()


def test_a_grade_of_no_probability_does_not_join_a_certain_one():
    certain = [[0.0, 1.0, 0.0], [0.1, 0.0, 0.9]]
    assert grade_sets(certain, threshold=0.5).tolist() == [[False, True, False], [False, False, True]]
    assert grade_sets(certain, threshold=0.9).tolist() == [[False, True, False], [True, True, True]], "what lies between is held too"


def test_larger_thresholds_hold_smaller_sets():
    y_prob = np.random.default_rng(1).dirichlet(np.ones(4), size=200)
    small, large = (grade_sets(y_prob, threshold=one) for one in (0.6, 0.9))
    assert (small <= large).all()
    assert mean_set_size(small) < mean_set_size(large)


@pytest.mark.parametrize("sharpness", [0.4, 1.0, 3.0])
def test_the_promise_is_kept_even_by_a_model_that_is_wrong_about_itself(sharpness):
    chance, covered = np.random.default_rng(2), []
    for _ in range(300):
        truth = chance.dirichlet(np.ones(5), size=120)
        grades = np.array([chance.choice(5, p=row) for row in truth])
        stated = truth**sharpness / (truth**sharpness).sum(axis=1, keepdims=True)
        scores = grade_scores(stated)[np.arange(120), grades]
        threshold = conformal_threshold(scores[:80], coverage=0.8)
        covered.append(set_coverage(grade_sets(stated[80:], threshold=threshold), grades[80:]))
    error = np.std(covered) / math.sqrt(len(covered))
    assert 0.8 - 4 * error <= np.mean(covered) <= 0.8 + 0.05


def test_weights_equal_duplication():
    sets = np.array([[True, False, False], [True, True, False], [False, False, True]])
    grades, weights = np.array([0, 2, 2]), np.array([1, 3, 2])
    again = np.repeat(np.arange(3), weights)
    assert set_coverage(sets, grades, sample_weight=weights) == pytest.approx(set_coverage(sets[again], grades[again])) == 0.5
    assert mean_set_size(sets, sample_weight=weights) == pytest.approx(mean_set_size(sets[again])) == 1.5


@pytest.mark.parametrize(("call", "said"), [
    (lambda: grade_scores([[0.5, 0.6]]), "sum"), (lambda: grade_sets([[0.5, 0.5]], threshold=math.nan), "threshold must be a number"),
    (lambda: conformal_threshold([], coverage=0.9), "true_scores"), (lambda: conformal_threshold([0.5], coverage=1.5), "coverage"),
    (lambda: set_coverage([[True, False]], [2]), "0 to 1; got 2"), (lambda: set_coverage([[True, False]], [0.5]), "whole numbers"),
    (lambda: mean_set_size([[1, 0]]), "true and false")])
def test_malformed_input_is_named(call, said):
    with pytest.raises(ValueError, match=said):
        call()
