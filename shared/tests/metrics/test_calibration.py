import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve as sklearn_curve
from sklearn.linear_model import LogisticRegression

from carefolio.metrics import calibration


@pytest.fixture
def sample():
    generator = np.random.default_rng(3)
    prob = generator.beta(1.5, 6, size=1000)
    true = expit(0.4 + 0.7 * logit(prob))
    return (generator.random(1000) < true).astype(int), prob, generator.gamma(2, size=1000)


def test_slope_by_hand_on_two_values():
    """Observed odds are 1/3 and 3 where 1/9 and 9 were predicted: log odds are halved."""
    y, prob = [1, 0, 0, 0, 1, 1, 1, 0], [0.1] * 4 + [0.9] * 4
    assert calibration.calibration_slope(y, prob) == pytest.approx(0.5, abs=1e-9)
    assert calibration.calibration_intercept(y, prob) == pytest.approx(0, abs=1e-9)


def test_intercept_by_hand_on_one_value():
    assert calibration.calibration_intercept([1, 0, 0, 0], [0.5] * 4) == pytest.approx(np.log(1 / 3), abs=1e-9)


@pytest.mark.parametrize("weighted", [False, True])
def test_slope_equal_to_an_unpenalised_logistic_regression(sample, weighted):
    y, prob, weight = sample
    weight = weight if weighted else None
    model = LogisticRegression(C=np.inf, tol=1e-10, solver="newton-cholesky").fit(logit(prob)[:, None], y, sample_weight=weight)
    assert calibration.calibration_slope(y, prob, sample_weight=weight) == pytest.approx(model.coef_[0, 0], abs=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
def test_intercept_solves_the_score_equation(sample, weighted):
    y, prob, weight = sample
    used = weight if weighted else np.ones(y.size)
    root = brentq(lambda a: used @ (y - expit(a + logit(prob))), -5, 5, xtol=1e-13)
    assert calibration.calibration_intercept(y, prob, sample_weight=weight if weighted else None) == pytest.approx(root, abs=1e-9)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (-3.0, 0.2), (2.0, 1.5)])
def test_slope_follows_a_change_of_the_predictions(sample, a, b):
    y, prob, _ = sample
    changed = expit(a + b * logit(prob))
    slope = calibration.calibration_slope(y, prob)
    assert calibration.calibration_slope(y, changed) == pytest.approx(slope / b, rel=1e-5)
    assert calibration.calibration_intercept(y, expit(a + logit(prob))) == pytest.approx(
        calibration.calibration_intercept(y, prob) - a, abs=1e-8)


def test_probabilities_of_zero_and_one_give_a_finite_slope():
    y, prob = [0, 1, 0, 1, 1, 0], [0.0, 0.0, 0.3, 0.6, 1.0, 1.0]
    assert np.isfinite(calibration.calibration_slope(y, prob))
    assert np.isfinite(calibration.calibration_intercept(y, prob))


def test_a_slope_needs_different_probabilities():
    with pytest.raises(ValueError, match="at least two distinct values for a slope; got one value in every row"):
        calibration.calibration_slope([0, 1, 0], [0.2, 0.2, 0.2])


@pytest.mark.parametrize("prob", [[0.1, 0.2, 0.8, 0.9], [0.9, 0.8, 0.2, 0.1], [0.1, 0.2, 0.2, 0.9]])
def test_a_slope_needs_overlap_of_the_classes(prob):
    with pytest.raises(ValueError, match="separates the classes completely, so the slope is infinite"):
        calibration.calibration_slope([0, 0, 1, 1], prob)


def test_expected_calibration_error_by_hand():
    y, prob = [0, 0, 1, 1, 1, 0], [0.1, 0.2, 0.3, 0.6, 0.7, 0.8]
    first, second = abs(0.2 - 1 / 3), abs(0.7 - 2 / 3)
    assert calibration.expected_calibration_error(y, prob, n_bins=2) == pytest.approx((first + second) / 2)


def test_bins_equal_scikit_learn_where_rows_divide_evenly(sample):
    y, prob, _ = sample
    observed, predicted = sklearn_curve(y, prob, n_bins=10, strategy="quantile")
    curve = calibration.calibration_curve(y, prob, n_bins=10)
    np.testing.assert_allclose(curve.observed, observed, atol=1e-12)
    np.testing.assert_allclose(curve.mean_predicted, predicted, atol=1e-12)
    assert curve.count.tolist() == [100] * 10
    assert calibration.expected_calibration_error(y, prob) == pytest.approx(np.abs(observed - predicted).mean())


def test_intervals_of_the_curve_equal_scipy(sample):
    y, prob, _ = sample
    curve = calibration.calibration_curve(y, prob, n_bins=5, level=0.9)
    for rate, count, low, high in zip(curve.observed, curve.count, curve.low, curve.high, strict=True):
        wanted = binomtest(round(rate * count), int(count)).proportion_ci(0.9, method="wilson")
        assert (low, high) == pytest.approx((wanted.low, wanted.high), abs=1e-12)


def test_tied_probabilities_share_a_bin():
    curve = calibration.calibration_curve([0, 1, 0, 1, 1], [0.2, 0.2, 0.2, 0.2, 0.9], n_bins=10)
    assert curve.mean_predicted.tolist() == pytest.approx([0.2, 0.9])
    assert curve.count.tolist() == [4, 1]


def test_brier_scores_by_hand():
    y, prob = [1, 0, 0, 1], [0.8, 0.4, 0.0, 0.6]
    assert calibration.brier_score(y, prob) == pytest.approx((0.04 + 0.16 + 0 + 0.16) / 4)
    assert calibration.brier_skill_score(y, prob) == pytest.approx(1 - 0.09 / 0.25)


def test_brier_scores_equal_scikit_learn(sample):
    y, prob, weight = sample
    assert calibration.brier_score(y, prob, sample_weight=weight) == pytest.approx(
        reference.brier_score_loss(y, prob, sample_weight=weight), abs=1e-12)
    assert calibration.brier_skill_score(y, prob, sample_weight=weight) == pytest.approx(
        reference.d2_brier_score(y, prob, sample_weight=weight), abs=1e-12)


def test_brier_decomposition_by_hand():
    parts = calibration.brier_decomposition([0, 1, 1, 1], [0.2, 0.2, 0.9, 0.9], n_bins=2)
    assert parts.reliability == pytest.approx((0.3**2 + 0.1**2) / 2)
    assert parts.resolution == pytest.approx(0.25**2)
    assert parts.uncertainty == pytest.approx(0.75 * 0.25)
    assert parts.within_bin == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize("name", ["expected_calibration_error", "brier_decomposition", "calibration_curve"])
def test_no_bins_are_refused(name):
    with pytest.raises(ValueError, match="n_bins must be at least 1; got 0"):
        getattr(calibration, name)([0, 1], [0.2, 0.8], n_bins=0)


def test_a_level_in_per_cent_is_refused():
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\); got 95"):
        calibration.calibration_curve([0, 1], [0.2, 0.8], level=95)
