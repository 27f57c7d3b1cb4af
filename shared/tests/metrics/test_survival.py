import lifelines
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines.utils import restricted_mean_survival_time
from sksurv import metrics as reference
from sksurv.nonparametric import CensoringDistributionEstimator
from sksurv.util import Surv

from carefolio.metrics import survival
from carefolio.uncertainty import bootstrap_values

EVENT = np.array([1, 0, 1, 1, 0])
TIME = np.array([1.0, 2.0, 2.0, 4.0, 5.0])
RISK = np.array([0.9, 0.2, 0.4, 0.4, 0.1])
TIMES = np.array([2.0, 5.0, 9.0])
ROWS = st.lists(st.tuples(st.integers(0, 1), st.integers(1, 12), st.integers(0, 6), st.integers(0, 3)), max_size=40)
FULL = [(1, 1, 4, 1), (1, 2, 3, 2), (0, 3, 1, 1), (1, 5, 2, 1), (0, 6, 2, 2), (1, 8, 5, 1), (0, 13, 0, 1), (0, 14, 3, 1)]
QUICK = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture
def sample():
    generator = np.random.default_rng(3)
    risk = np.round(generator.normal(size=400), 1)
    death = np.ceil(generator.exponential(10 * np.exp(-risk)))
    censored = np.ceil(generator.uniform(1, 40, size=400))
    event, time = (death <= censored).astype(int), np.minimum(death, censored)
    event[time >= 30] = 1  # so that every event has a chance of being uncensored
    return event, time, risk


def sf_of(risk, times):
    return np.exp(-np.outer(np.exp(risk), np.asarray(times)) / 10)


METRICS = {
    "harrell_c": lambda e, t, r, w: survival.harrell_c(e, t, r, sample_weight=w),
    "uno_c": lambda e, t, r, w: survival.uno_c(e, t, r, tau=11, sample_weight=w),
    "time_dependent_auc": lambda e, t, r, w: survival.time_dependent_auc(e, t, r, TIMES, sample_weight=w),
    "brier_score_censored": lambda e, t, r, w: survival.brier_score_censored(e, t, sf_of(r / 6, TIMES), TIMES, sample_weight=w),
    "integrated_brier_score": lambda e, t, r, w: survival.integrated_brier_score(e, t, sf_of(r / 6, TIMES), TIMES, sample_weight=w),
    "kaplan_meier": lambda e, t, r, w: np.nan_to_num(survival.survival_at(survival.kaplan_meier(e, t, sample_weight=w), TIMES)),
    "low": lambda e, t, r, w: np.nan_to_num(survival.kaplan_meier(e, t, sample_weight=w).low),
    "restricted_mean": lambda e, t, r, w: survival.restricted_mean_survival(e, t, horizon=9, sample_weight=w),
}


def test_kaplan_meier_by_hand_with_a_censoring_at_the_time_of_an_event():
    curve = survival.kaplan_meier(EVENT, TIME)
    assert curve.time.tolist() == [1, 2, 4, 5]
    assert curve.at_risk.tolist() == [5, 4, 2, 1]
    assert curve.survival == pytest.approx([4 / 5, 4 / 5 * 3 / 4, 3 / 5 / 2, 3 / 10])
    assert survival.survival_quantile(curve)[0] == 4
    assert survival.restricted_mean_survival(EVENT, TIME, horizon=3) == pytest.approx(1 + 0.8 + 0.6)
    assert survival.survival_at(curve, [0.5, 2, 99]) == pytest.approx([1, 0.6, 0.3])


def test_censoring_by_hand_comes_after_the_event_at_a_tie():
    curve = survival.censoring_survival(EVENT, TIME)
    assert curve.survival == pytest.approx([1, 2 / 3, 2 / 3, 0])


def test_concordance_by_hand():
    # pairs: row 0 before all others, all concordant; row 2 before 1 (same time, censored), 3 (tied score), 4; row 3 before 4
    assert survival.harrell_c(EVENT, TIME, RISK) == pytest.approx((4 + 1 + 0.5 + 1 + 1) / 8)
    weight = np.array([1, 9 / 4, 9 / 4])
    assert survival.uno_c(EVENT, TIME, RISK) == pytest.approx(weight @ [4, 2.5, 1] / (weight @ [4, 3, 1]))
    assert survival.uno_c(EVENT, TIME, RISK, tau=4) == pytest.approx(weight[:2] @ [4, 2.5] / (weight[:2] @ [4, 3]))


def test_brier_score_by_hand():
    # by day 3: rows 0 and 2 dead (weights 1 and 3/2), row 1 censored (no weight), rows 3 and 4 alive (weight 3/2)
    found = survival.brier_score_censored(EVENT, TIME, np.full((5, 1), 0.4), [3.0])
    assert found == pytest.approx([(0.16 * (1 + 1.5) + 0.36 * 1.5 * 2) / 5])


def test_time_dependent_auc_by_hand():
    # cases rows 0 and 2 (weights 1 and 3/2) against rows 3 and 4; row 2 ties with row 3
    assert survival.time_dependent_auc(EVENT, TIME, RISK, [3.0]) == pytest.approx([(1 * 2 + 1.5 * 1.5) / (2.5 * 2)])


def test_curves_agree_with_lifelines(sample):
    event, time, _ = sample
    weight = np.random.default_rng(0).integers(1, 4, size=event.size)
    curve = survival.kaplan_meier(event, time, sample_weight=weight)
    fitted = lifelines.KaplanMeierFitter().fit(time, event, weights=weight)
    rows = fitted.survival_function_.index.get_indexer(curve.time)
    np.testing.assert_allclose(curve.survival, fitted.survival_function_.iloc[rows, 0], atol=1e-9)
    inside = curve.survival > 0
    np.testing.assert_allclose(curve.low[inside], fitted.confidence_interval_.iloc[rows, 0][inside], atol=1e-9)
    np.testing.assert_allclose(curve.high[inside], fitted.confidence_interval_.iloc[rows, 1][inside], atol=1e-9)
    assert survival.survival_quantile(curve)[0] == fitted.median_survival_time_
    found = survival.restricted_mean_survival(event, time, horizon=20, sample_weight=weight)
    assert found == pytest.approx(restricted_mean_survival_time(fitted, t=20), abs=1e-9)


def test_an_interval_is_unknown_where_nobody_is_left():
    curve = survival.kaplan_meier([1, 1], [1, 2])
    assert curve.survival.tolist() == [0.5, 0]
    assert np.isnan([curve.low[-1], curve.high[-1]]).all()


@pytest.mark.parametrize("tau", [None, 20.0])
def test_concordance_agrees_with_scikit_survival(sample, tau):
    event, time, risk = sample
    y = Surv.from_arrays(event, time)
    assert survival.harrell_c(event, time, risk) == pytest.approx(reference.concordance_index_censored(event == 1, time, risk)[0], abs=1e-9)
    assert survival.uno_c(event, time, risk, tau=tau) == pytest.approx(reference.concordance_index_ipcw(y, y, risk, tau=tau)[0], abs=1e-9)
    train, test = y[:200], y[200:]
    of_train = survival.censoring_survival(event[:200], time[:200])
    found = survival.uno_c(event[200:], time[200:], risk[200:], tau=20, censoring=of_train)
    assert found == pytest.approx(reference.concordance_index_ipcw(train, test, risk[200:], tau=20)[0], abs=1e-9)


def test_probability_scores_and_auc_agree_with_scikit_survival(sample):
    event, time, risk = sample
    y, times = Surv.from_arrays(event, time), np.array([2.0, 5.0, 11.5, 20.0])
    predicted = sf_of(risk, times)
    curve = survival.censoring_survival(event, time)
    np.testing.assert_allclose(survival.survival_at(curve, time), CensoringDistributionEstimator().fit(y).predict_proba(time), atol=1e-9)
    np.testing.assert_allclose(survival.brier_score_censored(event, time, predicted, times),
                               reference.brier_score(y, y, predicted, times)[1], atol=1e-9)
    assert survival.integrated_brier_score(event, time, predicted, times) == pytest.approx(
        reference.integrated_brier_score(y, y, predicted, times), abs=1e-9)
    np.testing.assert_allclose(survival.time_dependent_auc(event, time, risk, times),
                               reference.cumulative_dynamic_auc(y, y, risk, times)[0], atol=1e-9)
    np.testing.assert_allclose(survival.time_dependent_auc(event, time, 1 - predicted, times),
                               reference.cumulative_dynamic_auc(y, y, 1 - predicted, times)[0], atol=1e-9)


@pytest.mark.parametrize("name", METRICS)
@QUICK
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_order_does_not_matter_and_a_whole_weight_is_a_row_repeated(name, rows, random):
    rows = FULL + rows
    event, time, risk, weight = np.array(rows, dtype=float).T
    weighted = METRICS[name](event, time, risk, weight)
    copies = weight.astype(int)
    repeated = METRICS[name](*(np.repeat(values, copies) for values in (event, time, risk)), None)
    np.testing.assert_allclose(weighted, repeated, rtol=1e-9, atol=1e-12)
    event, time, risk, weight = np.array(random.sample(rows, len(rows)), dtype=float).T
    np.testing.assert_allclose(METRICS[name](event, time, risk, weight), weighted, rtol=1e-9, atol=1e-12)


def test_the_sorted_function_of_weights_gives_the_same_as_the_metric(sample):
    event, time, risk = sample
    of_weights = survival.concordance_of_weights(event, time, {"a": risk, "b": -risk}, tau=20)
    weight = np.random.default_rng(1).integers(0, 3, size=event.size).astype(float)
    expected = survival.uno_c(event, time, risk, tau=20, sample_weight=weight)
    assert of_weights(weight) == pytest.approx([expected, 1 - expected])
    first = bootstrap_values(of_weights, groups=np.arange(event.size), n_replicates=50, random_state=2)[0]
    assert first.low < first.value < first.high


@pytest.mark.parametrize(("event", "time", "message"), [
    ([1, 0, 2], [1, 2, 3], "event must hold 0 and 1 only; got 2 at row 2. Encode an observed event as 1"),
    ([1, 0, 1], [1, -2, 3], "time must not be negative; got -2 at row 1. Count time from study entry."),
    ([1, 0, 1], [1, 2], "time must have as many rows as event, 3; got 2."),
    ([1, 0, 1], [1, float("nan"), 2], "time must be finite; got nan at row 1"),
    ([0, 0, 0], [1, 2, 3], "event and time must leave a comparable pair; got no event before a later time."),
])
def test_bad_outcomes_are_refused_with_the_next_step(event, time, message):
    with pytest.raises(ValueError, match=message):
        survival.uno_c(event, time, np.arange(len(event)))


@pytest.mark.parametrize(("call", "message"), [
    (lambda: survival.uno_c(EVENT, TIME, RISK[:3]), "risk_score of model must have as many rows as event, 5; got 3."),
    (lambda: survival.brier_score_censored(EVENT, TIME, np.full((5, 1), 1.2), [2]), r"survival_probability must lie in \[0, 1\]; got 1.2."),
    (lambda: survival.brier_score_censored(EVENT, TIME, np.ones((5, 2)), [2]), r"must have shape \(5, 1\), rows by times; got \(5, 2\)"),
    (lambda: survival.brier_score_censored(EVENT, TIME, np.full((5, 1), np.nan), [2]), "must be finite; got nan at row 0, column 0"),
    (lambda: survival.brier_score_censored(EVENT, TIME, np.full((5, 1), 0.5), [6]), "nobody is followed as long as some of the times"),
    (lambda: survival.integrated_brier_score(EVENT, TIME, np.full((5, 2), 0.5), [3, 2]), "times must be at least two, ascending"),
    (lambda: survival.time_dependent_auc(EVENT, TIME, RISK, [0.5]), "times must have deaths before and patients after each; got 0.5"),
    (lambda: survival.restricted_mean_survival(EVENT, TIME, horizon=9), r"horizon must lie in \(0, 5\], the follow-up; got 9"),
    (lambda: survival.kaplan_meier(EVENT, TIME, level=95), r"level must lie in \(0, 1\)"),
])
def test_bad_predictions_and_settings_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
