import math
from dataclasses import astuple, is_dataclass
from functools import partial

import numpy as np
import pytest
from sklearn.metrics import precision_recall_curve

from carefolio.metrics import selective

Y = ["a", "b", "a", "b", "a"]
PRED = ["a", "b", "b", "b", "b"]
CONFIDENCE = [0.9, 0.8, 0.7, 0.7, 0.4]
"""Right, right, then one right of a tied pair, then wrong: precision 1, 1, 3/4, 3/5 at coverage 1/5, 2/5, 4/5, 1."""
METRICS = {
    "coverage_at_precision": partial(selective.coverage_at_precision, precision=0.7),
    "threshold_for_precision": partial(selective.threshold_for_precision, precision=0.7),
    "selective_at": partial(selective.selective_at, threshold=0.6),
    "risk_coverage_points": partial(selective.risk_coverage_points, n_points=8),
    "area_under_risk_coverage": selective.area_under_risk_coverage,
}


@pytest.fixture
def sample():
    """Five hundred answers whose confidence is calibrated and rounded, so that many tie."""
    generator = np.random.default_rng(6)
    confidence = np.round(generator.beta(3, 2, size=500), 2)
    y = generator.integers(0, 4, size=500)
    pred = np.where(generator.random(500) < confidence, y, (y + 1) % 4)
    return y, pred, confidence, generator.integers(0, 4, size=500)


def flat(result):
    values = astuple(result) if is_dataclass(result) else (result,)
    return np.concatenate([np.atleast_1d(np.asarray(value, dtype=float)) for value in values])


@pytest.mark.parametrize(("precision", "coverage", "threshold"), [(1, 0.4, 0.8), (0.76, 0.4, 0.8), (0.75, 0.8, 0.7), (0.6, 1, 0.4)])
def test_coverage_and_threshold_by_hand_take_tied_rows_together(precision, coverage, threshold):
    assert selective.coverage_at_precision(Y, PRED, CONFIDENCE, precision=precision) == pytest.approx(coverage)
    assert selective.threshold_for_precision(Y, PRED, CONFIDENCE, precision=precision) == threshold
    found = selective.selective_at(Y, PRED, CONFIDENCE, threshold=threshold)
    assert found.coverage == pytest.approx(coverage)
    assert found.precision >= precision


def test_a_wrong_first_answer_does_not_hide_a_larger_coverage():
    y, pred, confidence = ["a"] * 10, ["b"] + ["a"] * 9, np.linspace(1, 0.1, 10)
    assert selective.coverage_at_precision(y, pred, confidence, precision=0.9) == 1


def test_nothing_is_answered_where_the_precision_is_out_of_reach():
    y, pred = ["a", "a"], ["b", "a"]
    assert selective.coverage_at_precision(y, pred, [0.9, 0.8], precision=0.95) == 0
    threshold = selective.threshold_for_precision(y, pred, [0.9, 0.8], precision=0.95)
    found = selective.selective_at(y, pred, [0.9, 0.8], threshold=threshold)
    assert threshold == math.inf
    assert found.coverage == 0
    assert math.isnan(found.precision)


def test_risk_and_coverage_by_hand():
    points = selective.risk_coverage_points(Y, PRED, CONFIDENCE)
    assert points.coverage == pytest.approx([0.2, 0.4, 0.8, 1])
    assert points.risk == pytest.approx([0, 0, 1 / 4, 2 / 5])
    assert points.threshold.tolist() == [0.9, 0.8, 0.7, 0.4]
    assert selective.area_under_risk_coverage(Y, PRED, CONFIDENCE) == pytest.approx((0 + 0 + 2 / 4 + 2 / 5) / 5)


def test_a_confidence_that_tells_nothing_gives_the_error_rate():
    assert selective.area_under_risk_coverage(Y, PRED, [0.5] * 5) == pytest.approx(2 / 5)


@pytest.mark.parametrize("weighted", [False, True])
def test_points_agree_with_the_precision_by_scikit_learn(sample, weighted):
    y, pred, confidence, weight = sample
    used = weight if weighted else np.ones(y.size)
    kept = used > 0
    precision, _, threshold = precision_recall_curve((y == pred)[kept], confidence[kept], sample_weight=used[kept])
    coverage = np.array([used[confidence >= value].sum() / used.sum() for value in threshold])
    points = selective.risk_coverage_points(y, pred, confidence, n_points=10_000, sample_weight=weight if weighted else None)
    np.testing.assert_allclose(points.threshold, threshold[::-1])
    np.testing.assert_allclose(1 - points.risk, precision[:-1][::-1], atol=1e-12)
    np.testing.assert_allclose(points.coverage, coverage[::-1], atol=1e-12)
    for target in (0.65, 0.8, 0.95):
        wanted = coverage[precision[:-1] >= target - 1e-12].max(initial=0)
        assert selective.coverage_at_precision(y, pred, confidence, precision=target, sample_weight=used) == pytest.approx(wanted)


def test_area_is_the_mean_risk_down_the_ranking(sample):
    y, pred, _, _ = sample
    confidence = np.random.default_rng(9).random(y.size)
    wrong = (y != pred)[np.argsort(-confidence)]
    wanted = np.mean(np.cumsum(wrong) / np.arange(1, y.size + 1))
    assert selective.area_under_risk_coverage(y, pred, confidence) == pytest.approx(wanted)


@pytest.mark.parametrize("name", METRICS)
def test_order_does_not_matter_and_a_weight_is_a_repeated_row(sample, name):
    y, pred, confidence, weight = sample
    order, wanted = np.random.default_rng(1).permutation(y.size), flat(METRICS[name](y, pred, confidence, sample_weight=weight))
    shuffled = METRICS[name](y[order], pred[order], confidence[order], sample_weight=weight[order])
    np.testing.assert_allclose(flat(shuffled), wanted)
    repeated = METRICS[name](*(np.repeat(values, weight) for values in (y, pred, confidence)))
    np.testing.assert_allclose(flat(repeated), wanted)


@pytest.mark.parametrize("name", METRICS)
def test_scores_do_not_change_when_labels_are_renamed(sample, name):
    y, pred, confidence, _ = sample
    names = np.array(["z", "x", "w", "y"])
    np.testing.assert_allclose(flat(METRICS[name](names[y], names[pred], confidence)), flat(METRICS[name](y, pred, confidence)))


@pytest.mark.parametrize("name", ["coverage_at_precision", "area_under_risk_coverage"])
def test_only_the_order_of_the_confidence_counts(sample, name):
    y, pred, confidence, weight = sample
    assert METRICS[name](y, pred, 5 * confidence**3 - 7, sample_weight=weight) == METRICS[name](y, pred, confidence, sample_weight=weight)


def test_few_points_lie_on_the_full_curve(sample):
    y, pred, confidence, _ = sample
    full, few = (selective.risk_coverage_points(y, pred, confidence, n_points=n) for n in (10_000, 7))
    assert few.coverage.size <= 7
    assert few.coverage[-1] == 1
    assert set(zip(few.coverage, few.risk, strict=True)) <= set(zip(full.coverage, full.risk, strict=True))


@pytest.mark.parametrize(("y", "pred", "confidence", "said"), [
    (Y, PRED, CONFIDENCE[:3], "confidence must have as many rows as y_true, 5; got 3"),
    (Y, PRED[:3], CONFIDENCE, "y_pred must have as many rows as y_true, 5; got 3"),
    (Y, PRED, [0.9, 0.8, float("nan"), 0.7, 0.1], "confidence must be finite; got nan at row 2"),
    (Y, PRED, [[0.9, 0.1]] * 5, r"confidence must be 1-D; got shape \(5, 2\)"),
    (Y, [0, 1, 1, 1, 1], CONFIDENCE, "y_true and y_pred must hold labels of one kind; got 'a' and 0"),
    ([], [], [], "y_true must be 1-D with at least one row"),
])
def test_bad_arrays_are_refused(y, pred, confidence, said):
    for function in METRICS.values():
        with pytest.raises(ValueError, match=said):
            function(y, pred, confidence)


@pytest.mark.parametrize("precision", [0, 95, -0.1, float("nan")])
def test_a_precision_must_be_a_fraction(precision):
    for function in (selective.coverage_at_precision, selective.threshold_for_precision):
        with pytest.raises(ValueError, match=r"precision must lie in \(0, 1\]; got"):
            function(Y, PRED, CONFIDENCE, precision=precision)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="threshold must be a number; got nan"):
        selective.selective_at(Y, PRED, CONFIDENCE, threshold=math.nan)
    with pytest.raises(ValueError, match="n_points must be at least 2; got 1"):
        selective.risk_coverage_points(Y, PRED, CONFIDENCE, n_points=1)
