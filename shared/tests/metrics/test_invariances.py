"""What holds for every metric: the order of rows does not matter, and a whole weight is a row repeated."""

from dataclasses import astuple, is_dataclass
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carefolio.metrics import calibration, decision_curve, discrimination

THRESHOLDS = np.linspace(0.05, 0.95, 19)
METRICS = {
    "roc_auc": discrimination.roc_auc,
    "average_precision": discrimination.average_precision,
    "log_loss": discrimination.log_loss,
    "classification_at": partial(discrimination.classification_at, risk_threshold=0.3),
    "workload": partial(discrimination.workload, flagged_fraction=0.17),
    "roc_points": partial(discrimination.roc_points, n_points=8),
    "precision_recall_points": partial(discrimination.precision_recall_points, n_points=8),
    "calibration_slope": calibration.calibration_slope,
    "calibration_intercept": calibration.calibration_intercept,
    "expected_calibration_error": partial(calibration.expected_calibration_error, n_bins=4),
    "brier_score": calibration.brier_score,
    "brier_skill_score": calibration.brier_skill_score,
    "brier_decomposition": partial(calibration.brier_decomposition, n_bins=4),
    "calibration_curve": partial(calibration.calibration_curve, n_bins=4),
    "net_benefit": partial(decision_curve.net_benefit, risk_threshold=0.3),
    "decision_curve": lambda y, p, *, sample_weight=None: decision_curve.decision_curve(
        y, {"model": p}, risk_thresholds=THRESHOLDS, sample_weight=sample_weight)["model"],
}
OVERLAPPING = [(1, 6, 1), (0, 6, 1), (1, 14, 2), (0, 14, 1), (0, 2, 1)]
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 19), st.integers(0, 3)), max_size=40).map(lambda rows: OVERLAPPING + rows)
QUICK = settings(max_examples=25, deadline=None, derandomize=True)


def arrays(rows):
    y, step, weight = np.array(rows).T
    return y, step / 20, weight


def flat(result):
    values = astuple(result) if is_dataclass(result) else (result,)
    return np.concatenate([np.atleast_1d(np.asarray(value, dtype=float)) for value in values])


@pytest.mark.parametrize("name", METRICS)
@QUICK
@given(rows=ROWS)
def test_a_whole_weight_equals_repeating_the_row(name, rows):
    y, prob, weight = arrays(rows)
    weighted = flat(METRICS[name](y, prob, sample_weight=weight))
    repeated = flat(METRICS[name](np.repeat(y, weight), np.repeat(prob, weight)))
    np.testing.assert_allclose(weighted, repeated, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", METRICS)
@QUICK
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(name, rows, random):
    shuffled = random.sample(rows, len(rows))
    results = [flat(METRICS[name](y, prob, sample_weight=weight)) for y, prob, weight in (arrays(rows), arrays(shuffled))]
    np.testing.assert_allclose(*results, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "workload"])
@QUICK
@given(rows=ROWS)
def test_rank_metrics_do_not_change_when_the_scale_of_the_score_does(name, rows):
    y, prob, weight = arrays(rows)
    before, after = (flat(METRICS[name](y, score, sample_weight=weight)) for score in (prob, np.log(prob / (1 - prob))))
    if name == "workload":
        before, after = np.delete(before, 1), np.delete(after, 1)
    np.testing.assert_allclose(before, after, rtol=1e-12)


@QUICK
@given(rows=ROWS, n_bins=st.integers(1, 9))
def test_the_parts_of_the_brier_score_add_up(rows, n_bins):
    y, prob, weight = arrays(rows)
    parts = calibration.brier_decomposition(y, prob, n_bins=n_bins, sample_weight=weight)
    total = parts.reliability - parts.resolution + parts.uncertainty + parts.within_bin
    assert total == pytest.approx(calibration.brier_score(y, prob, sample_weight=weight), abs=1e-12)
