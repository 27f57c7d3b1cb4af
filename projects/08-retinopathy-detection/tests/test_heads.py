"""Steps of a scale: learnt, never rising, turned into grades, and asked only of folds that they have not seen."""

import numpy as np
import pytest

from retinopathy.heads import (
    DME,
    DR,
    answer_all,
    ask_heads,
    decide_grade,
    fit_heads,
    grade_probabilities,
    nearest_expected,
    out_of_fold,
    step_loss,
    steps_of,
    tempered,
)

Table = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def graded() -> Table:
    """Features that tell the grade, but for noise."""
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 5, 200)
    risks = np.minimum(grades // 2, 2)
    seen = np.stack([grades + rng.normal(0, 0.6, 200), risks + rng.normal(0, 0.5, 200), rng.normal(0, 1, 200)], axis=1)
    return seen[:, None, :].astype(np.float32), grades, risks


def test_steps_say_whether_a_grade_is_at_least_so_high():
    assert steps_of(np.array([0, 3]), np.array([2, 1])).astype(int).tolist() == [[0, 0, 0, 0, 1, 1], [1, 1, 1, 0, 1, 0]]


def test_heads_learn_what_can_be_learnt_and_never_rise(graded):
    seen, grades, risks = graded
    steps = ask_heads(fit_heads(seen, grades, risks, strength=1.0), seen[:, 0])
    assert (np.diff(steps[:, DR], axis=1) <= 0).all()
    assert (np.diff(steps[:, DME], axis=1) <= 0).all()
    assert np.abs(decide_grade(steps[:, DR]) - grades).mean() < 0.6


def test_views_are_more_rows_and_each_photograph_counts_the_same(graded):
    seen, grades, risks = graded
    once, twice = (fit_heads(one, grades, risks, strength=0.1) for one in (seen, np.repeat(seen, 2, axis=1)))
    np.testing.assert_allclose(once.weight, twice.weight, atol=2e-3)


def test_a_step_that_train_does_not_show_is_rare_and_not_impossible(graded):
    seen, grades, risks = graded
    low = grades < 4
    steps = ask_heads(fit_heads(seen[low], grades[low], risks[low], strength=1.0), seen[:, 0])
    assert 0 < steps[:, 3].max() <= 1 / (2 * low.sum() + 1)


def test_a_fold_is_asked_of_heads_that_have_not_seen_it(graded):
    seen, grades, risks = graded
    giveaway = np.concatenate([seen, np.eye(200, dtype=np.float32)[:, None, :] * 50], axis=2)  # lets heads learn by heart
    folds = np.arange(200) % 4
    rng = np.random.default_rng(1)
    wrong = rng.permutation(grades)
    heart = ask_heads(fit_heads(giveaway, wrong, risks, strength=100.0), giveaway[:, 0])
    apart = out_of_fold(giveaway, wrong, risks, folds, strength=100.0)
    assert (decide_grade(heart[:, DR]) == wrong).mean() > 0.9
    assert (decide_grade(apart[:, DR]) == wrong).mean() < 0.45


def test_grades_come_from_steps_by_hand():
    steps = np.array([[0.9, 0.6, 0.1, 0.0], [0.2, 0.1, 0.1, 0.1]])
    np.testing.assert_allclose(grade_probabilities(steps), [[0.1, 0.3, 0.5, 0.1, 0.0], [0.8, 0.1, 0.0, 0.0, 0.1]], atol=1e-12)
    assert decide_grade(steps).tolist() == [2, 0]
    assert nearest_expected(steps).tolist() == [2, 1], "the expected grades are 1.6 and 0.5"


def test_the_loss_is_lowest_for_the_truth():
    grades, risks = np.array([0, 4]), np.array([0, 2])
    right = steps_of(grades, risks).astype(float)
    assert step_loss(right, grades, risks) == pytest.approx(0, abs=1e-6)
    assert step_loss(np.full((2, 6), 0.5), grades, risks) == pytest.approx(np.log(2))


def test_a_temperature_keeps_the_order_and_the_certain():
    steps = np.array([[1.0, 0.9, 0.5, 0.2, 0.0]])
    np.testing.assert_allclose(tempered(steps, 1.0), steps, atol=1e-12)
    cautious = tempered(steps, 2.0)
    assert cautious[0].tolist() == sorted(cautious[0], reverse=True)
    assert (cautious[0, 0], cautious[0, 2], cautious[0, 4]) == (1.0, 0.5, 0.0)
    assert 0.5 < cautious[0, 1] < 0.9
    np.testing.assert_allclose(tempered(cautious, 0.5), steps, atol=1e-12)


def test_all_are_answered_with_the_strength_that_loses_least():
    rng = np.random.default_rng(0)
    grades = rng.integers(0, 5, 60)
    risks, folds = np.minimum(grades // 2, 2), np.where(np.arange(60) < 45, np.arange(60) % 3, -1)
    features = (grades[:, None, None] + rng.normal(0, 0.3, (60, 2, 4))).astype(np.float32)
    answers, losses = answer_all(features, grades, risks, folds, strengths=(1e-4, 1.0))
    learns = folds >= 0
    assert losses[1.0] < losses[1e-4]
    assert step_loss(answers[learns], grades[learns], risks[learns]) == pytest.approx(losses[1.0])
    held_out = fit_heads(features[learns], grades[learns], risks[learns], strength=1.0)
    np.testing.assert_allclose(answers[~learns], ask_heads(held_out, features[~learns, 0]))
