import math

import numpy as np
import pytest
from sklearn import metrics as reference

from carefolio.metrics.discrimination import (
    average_precision,
    classification_at,
    log_loss,
    precision_recall_points,
    roc_auc,
    roc_points,
    workload,
)

Y = np.array([1, 0, 1, 0, 0])
P = np.array([0.9, 0.6, 0.6, 0.4, 0.1])


@pytest.fixture
def sample():
    generator = np.random.default_rng(7)
    prob = np.round(generator.beta(2, 8, size=600), 2)
    return (generator.random(600) < prob).astype(int), prob, generator.gamma(2, size=600)


def test_roc_auc_by_hand_counts_a_tie_as_one_half():
    assert roc_auc(Y, P) == pytest.approx((3 + 2.5) / 6)


def test_average_precision_by_hand_takes_tied_rows_together():
    assert average_precision(Y, P) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)


def test_log_loss_by_hand():
    assert log_loss([1, 0], [0.8, 0.4]) == pytest.approx(-(math.log(0.8) + math.log(0.6)) / 2)


@pytest.mark.parametrize(("ours", "theirs"), [
    (roc_auc, reference.roc_auc_score), (average_precision, reference.average_precision_score), (log_loss, reference.log_loss)])
@pytest.mark.parametrize("weighted", [False, True])
def test_equal_to_scikit_learn_on_tied_scores(sample, ours, theirs, weighted):
    y, prob, weight = sample
    weight = weight if weighted else None
    assert ours(y, prob, sample_weight=weight) == pytest.approx(theirs(y, prob, sample_weight=weight), abs=1e-12)


def test_log_loss_of_a_certain_error_is_finite_and_equal_to_scikit_learn():
    assert log_loss([0, 1, 1], [1.0, 0.0, 1.0]) == pytest.approx(reference.log_loss([0, 1, 1], [1.0, 0.0, 1.0]), rel=1e-12)


def test_classification_by_hand_flags_the_threshold_itself():
    result = classification_at(Y, P, risk_threshold=0.6)
    assert result.sensitivity == 1
    assert result.specificity == pytest.approx(2 / 3)
    assert result.precision == pytest.approx(2 / 3)
    assert result.negative_predictive_value == 1
    assert result.flagged_fraction == pytest.approx(0.6)


def test_classification_equal_to_scikit_learn(sample):
    y, prob, weight = sample
    flagged = prob >= 0.2
    result = classification_at(y, prob, risk_threshold=0.2, sample_weight=weight)
    assert result.sensitivity == pytest.approx(reference.recall_score(y, flagged, sample_weight=weight))
    assert result.precision == pytest.approx(reference.precision_score(y, flagged, sample_weight=weight))
    assert result.specificity == pytest.approx(reference.recall_score(1 - y, ~flagged, sample_weight=weight))
    assert result.negative_predictive_value == pytest.approx(reference.precision_score(1 - y, ~flagged, sample_weight=weight))


def test_shares_of_nobody_are_nan():
    assert math.isnan(classification_at(Y, P, risk_threshold=0.95).precision)
    assert math.isnan(classification_at(Y, P, risk_threshold=0.05).negative_predictive_value)


@pytest.mark.parametrize("threshold", [0, 1, 1.5, float("nan")])
def test_thresholds_outside_the_unit_interval_are_refused(threshold):
    with pytest.raises(ValueError, match=r"risk_threshold must lie in \(0, 1\)"):
        classification_at(Y, P, risk_threshold=threshold)


def test_workload_by_hand_shares_the_last_place_among_tied_rows():
    result = workload(Y, P, flagged_fraction=0.4)
    assert result.threshold == 0.6
    assert result.sensitivity == pytest.approx(1.5 / 2)
    assert result.precision == pytest.approx(1.5 / 2)
    assert result.lift == pytest.approx(0.75 / 0.4)
    assert result.number_needed_to_flag == pytest.approx(2 / 1.5)


def test_workload_is_the_mean_over_all_orders_of_tied_rows(sample):
    y, prob, _ = sample
    generator = np.random.default_rng(0)
    found = []
    for _ in range(3000):
        order = np.lexsort([generator.random(y.size), -prob])
        found.append(y[order[:60]].sum() / y.sum())
    error = np.std(found) / np.sqrt(len(found))
    assert workload(y, prob, flagged_fraction=0.1).sensitivity == pytest.approx(np.mean(found), abs=4 * error)


def test_workload_without_ties_equals_cutting_the_sorted_rows(sample):
    y, prob, _ = sample
    score = prob + np.arange(y.size) * 1e-7
    top = np.argsort(-score)[:120]
    result = workload(y, score, flagged_fraction=0.2)
    assert result.precision == pytest.approx(y[top].mean(), rel=1e-12)
    assert result.threshold == score[top[-1]]


def test_workload_that_finds_nothing_needs_infinitely_many():
    assert workload([0, 0, 1, 0], [0.9, 0.8, 0.1, 0.2], flagged_fraction=0.25).number_needed_to_flag == math.inf


def test_flagging_everybody_finds_everything():
    result = workload(Y, P, flagged_fraction=1)
    assert (result.sensitivity, result.lift, result.threshold) == (1, 1, 0.1)


@pytest.mark.parametrize("fraction", [0, 1.01, 10])
def test_impossible_capacities_are_refused(fraction):
    with pytest.raises(ValueError, match=r"flagged_fraction must lie in \(0, 1\]; got .* Pass a fraction, such as 0.1 for 10 %"):
        workload(Y, P, flagged_fraction=fraction)


def test_roc_points_by_hand():
    points = roc_points(Y, P)
    assert points.false_positive_rate.tolist() == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])
    assert points.true_positive_rate.tolist() == pytest.approx([0, 0.5, 1, 1, 1])
    assert points.threshold.tolist() == [np.inf, 0.9, 0.6, 0.4, 0.1]


def test_all_roc_points_equal_scikit_learn(sample):
    y, prob, weight = sample
    points = roc_points(y, prob, n_points=100_000, sample_weight=weight)
    false, true, threshold = reference.roc_curve(y, prob, sample_weight=weight, drop_intermediate=False)
    np.testing.assert_allclose(points.false_positive_rate, false, atol=1e-12)
    np.testing.assert_allclose(points.true_positive_rate, true, atol=1e-12)
    np.testing.assert_array_equal(points.threshold, threshold)


def test_precision_recall_points_lie_on_the_curve_of_scikit_learn(sample):
    y, prob, weight = sample
    points = precision_recall_points(y, prob, n_points=20, sample_weight=weight)
    precision, recall, threshold = reference.precision_recall_curve(y, prob, sample_weight=weight)
    place = np.searchsorted(threshold, points.threshold)
    assert points.recall.size <= 20 and points.recall[-1] == 1
    assert (np.diff(points.recall) > 0).all()
    np.testing.assert_allclose(points.precision, precision[place], atol=1e-12)
    np.testing.assert_allclose(points.recall, recall[place], atol=1e-12)


def test_thinned_roc_points_keep_both_ends_and_the_area(sample):
    y, _, _ = sample
    score = y + np.random.default_rng(1).normal(size=y.size)
    points = roc_points(y, score, n_points=50)
    assert points.threshold.size <= 50
    assert (points.false_positive_rate[0], points.true_positive_rate[-1], points.false_positive_rate[-1]) == (0, 1, 1)
    assert np.trapezoid(points.true_positive_rate, points.false_positive_rate) == pytest.approx(roc_auc(y, score), abs=0.005)


def test_fewer_than_two_points_are_refused():
    with pytest.raises(ValueError, match="n_points must be at least 2; got 1"):
        roc_points(Y, P, n_points=1)
