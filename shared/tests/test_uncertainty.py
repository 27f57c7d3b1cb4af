from functools import partial

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from carefolio.exceptions import TooFewEventsError
from carefolio.metrics.calibration import brier_score
from carefolio.metrics.decision_curve import decision_curve, net_benefit
from carefolio.metrics.discrimination import average_precision, roc_auc
from carefolio.metrics.fairness import group_metric, largest_gap
from carefolio.uncertainty import (
    Interval,
    bootstrap_difference,
    bootstrap_interval,
    bootstrap_rank_metrics,
    bootstrap_values,
    draw_groups,
    rank_replicates,
)


@pytest.fixture
def sample():
    generator = np.random.default_rng(4)
    groups = generator.integers(0, 250, size=400)
    prob = generator.beta(2, 6, size=400).round(2)
    y = (generator.random(400) < prob).astype(int)
    return y, prob, np.clip(prob + generator.normal(0, 0.1, 400), 0, 1), groups


def weighted_mean(y_true, y_prob, *, sample_weight):
    return float(np.average(y_prob, weights=sample_weight))


def test_interval_by_hand_from_the_draws_themselves():
    """With one row a group the mean of a replicate is the mean of the values drawn."""
    values = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    means = [values[draw_groups(5, replicate=replicate, random_state=9)].mean() for replicate in range(50)]
    interval = bootstrap_interval(weighted_mean, np.zeros(5), values, groups=range(5), n_replicates=50, level=0.8, random_state=9)
    assert interval == Interval(values.mean(), pytest.approx(np.quantile(means, 0.1)), pytest.approx(np.quantile(means, 0.9)), 0.8, 5, 5)


def test_standard_error_of_a_mean_is_the_clustered_one():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(300), generator.integers(1, 6, 300))
    values = generator.normal(size=300)[groups] + 0.5 * generator.normal(size=groups.size)
    sums = np.bincount(groups, weights=values - values.mean())
    clustered = np.sqrt(np.sum(sums**2)) / values.size
    interval = bootstrap_interval(weighted_mean, np.zeros(groups.size), values, groups=groups, level=0.6826895)
    assert (interval.high - interval.low) / 2 == pytest.approx(clustered, rel=0.08)
    assert clustered > 1.4 * values.std() / np.sqrt(values.size)


def test_intervals_cover_the_truth_about_as_often_as_they_say():
    covered = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        groups = np.repeat(np.arange(60), 3)
        values = generator.normal(size=60)[groups] + generator.normal(size=180)
        interval = bootstrap_interval(weighted_mean, np.zeros(180), values, groups=groups, n_replicates=200, level=0.9)
        covered += interval.low <= 0 <= interval.high
    assert 0.83 <= covered / 200 <= 0.95


@pytest.mark.parametrize(("name", "metric"), [("roc_auc", roc_auc), ("average_precision", average_precision)])
def test_the_compiled_path_agrees_with_the_plain_one(sample, name, metric):
    y, a, b, groups = sample
    fast = bootstrap_rank_metrics(y, {"a": a, "b": b}, groups=groups, n_replicates=200, random_state=3, differences=[("a", "b")])
    slow = {"a": bootstrap_interval(metric, y, a, groups=groups, n_replicates=200, random_state=3),
            "b": bootstrap_interval(metric, y, b, groups=groups, n_replicates=200, random_state=3),
            "a - b": bootstrap_difference(metric, y, a, b, groups=groups, n_replicates=200, random_state=3)}
    assert list(fast) == ["a", "b", "a - b"]
    for key, wanted in slow.items():
        got = fast[key][name]
        assert (got.value, got.low, got.high) == pytest.approx((wanted.value, wanted.low, wanted.high), abs=1e-12)
        assert (got.level, got.n, got.n_groups) == (0.95, 400, np.unique(groups).size)


def test_each_compiled_replicate_equals_scikit_learn_on_resampled_rows(sample):
    y, a, _, groups = sample
    values = rank_replicates(y, {"a": a}, groups=groups, n_replicates=40, random_state=1)["a"]
    labels, codes = np.unique(groups, return_inverse=True)
    for replicate in range(40):
        drawn = draw_groups(labels.size, replicate=replicate, random_state=1)
        rows = np.concatenate([np.flatnonzero(codes == group) for group in drawn])
        wanted = roc_auc_score(y[rows], a[rows]), average_precision_score(y[rows], a[rows])
        assert tuple(values[replicate]) == pytest.approx(wanted, abs=1e-12)


def test_replicates_do_not_depend_on_their_number_nor_on_the_order_of_rows(sample):
    y, a, _, groups = sample
    order = np.random.default_rng(0).permutation(y.size)
    many = rank_replicates(y, {"a": a}, groups=groups, n_replicates=50)["a"]
    few = rank_replicates(y[order], {"a": a[order]}, groups=groups[order], n_replicates=20)["a"]
    np.testing.assert_allclose(few, many[:20], atol=1e-12)


def test_another_seed_gives_other_replicates(sample):
    y, a, _, groups = sample
    first, second = (rank_replicates(y, {"a": a}, groups=groups, n_replicates=5, random_state=seed)["a"] for seed in (0, 1))
    assert not np.isclose(first, second).any()


def test_patients_with_several_rows_widen_the_interval():
    generator = np.random.default_rng(8)
    patients = np.repeat(np.arange(150), 6)
    prob = generator.random(150)[patients]
    y = (generator.random(150)[patients] < prob).astype(int)
    by_patient, by_row = (bootstrap_rank_metrics(y, {"m": prob}, groups=groups, n_replicates=300)["m"]["roc_auc"]
                          for groups in (patients, np.arange(900)))
    assert by_patient.high - by_patient.low > 1.5 * (by_row.high - by_row.low)
    assert by_patient.value == by_row.value


def test_sample_weights_multiply_the_replicates(sample):
    y, a, _, groups = sample
    doubled = np.tile(np.arange(y.size), 2)
    weighted = bootstrap_interval(brier_score, y, a, groups=groups, sample_weight=np.full(y.size, 2.0), n_replicates=30)
    repeated = bootstrap_interval(brier_score, y[doubled], a[doubled], groups=groups[doubled], n_replicates=30)
    assert (weighted.low, weighted.high) == pytest.approx((repeated.low, repeated.high), abs=1e-12)


def test_a_curve_has_a_band_that_agrees_with_single_points(sample):
    y, a, _, groups = sample
    thresholds = [0.1, 0.2, 0.3]
    band = bootstrap_values(lambda weights: decision_curve(y, {"a": a}, risk_thresholds=thresholds, sample_weight=weights)["a"],
                            groups=groups, n_replicates=60)
    single = bootstrap_interval(net_benefit, y, a, groups=groups, n_replicates=60, risk_threshold=0.2)
    assert len(band) == 3
    assert (band[1].value, band[1].low, band[1].high) == pytest.approx((single.value, single.low, single.high), abs=1e-12)


def test_a_subgroup_gap_has_an_interval(sample):
    y, a, _, groups = sample
    sex = np.where(groups % 2 == 0, "f", "m")
    by_sex = partial(group_metric, roc_auc, y, a, groups=sex, minimum_positives=10)
    gap = bootstrap_values(lambda weights: [largest_gap(by_sex(sample_weight=weights)).gap], groups=groups, n_replicates=60)[0]
    assert gap.value == largest_gap(by_sex()).gap
    assert 0 <= gap.low < gap.high


def test_a_difference_of_a_model_with_itself_is_zero(sample):
    y, a, _, groups = sample
    same = bootstrap_rank_metrics(y, {"a": a, "b": a}, groups=groups, n_replicates=20, differences=[("a", "b")])["a - b"]["roc_auc"]
    assert (same.value, same.low, same.high) == (0, 0, 0)


def test_a_replicate_without_events_is_an_error_in_both_paths():
    y, prob, groups = [1, 0, 0, 0], [0.4, 0.3, 0.2, 0.1], [1, 2, 3, 4]
    with pytest.raises(TooFewEventsError, match=r"bootstrap replicate (\d+): y_true must hold both classes; got only one") as fast:
        bootstrap_rank_metrics(y, {"m": prob}, groups=groups, n_replicates=100)
    with pytest.raises(TooFewEventsError, match=r"bootstrap replicate (\d+): y_true must hold both classes; got only 0") as slow:
        bootstrap_interval(roc_auc, y, prob, groups=groups, n_replicates=100)
    assert str(fast.value).split(":")[0] == str(slow.value).split(":")[0]


def test_nan_in_a_replicate_is_an_error():
    with pytest.raises(ValueError, match="bootstrap replicate 0: entry 1 must be a number; got NaN"):
        bootstrap_values(lambda weights: [1.0, np.nan], groups=[1, 2, 3], n_replicates=3)


@pytest.mark.parametrize(("options", "message"), [
    ({"groups": [1, 1, 1, 1]}, "groups must hold at least 2 groups to resample; got 1. Pass the patient"),
    ({"groups": [1, 2]}, "groups must have as many rows as y_true, 4; got 2"),
    ({"groups": [1, 2, 3, 4], "n_replicates": 0}, "n_replicates must be at least 1; got 0"),
    ({"groups": [1, 2, 3, 4], "level": 95}, r"level must lie in \(0, 1\); got 95"),
    ({"groups": [1, 2, 3, 4], "random_state": -1}, "random_state must be at least 0; got -1"),
])
def test_bad_settings_are_refused_in_both_paths(options, message):
    y, prob = [0, 1, 0, 1], [0.1, 0.4, 0.3, 0.8]
    with pytest.raises(ValueError, match=message):
        bootstrap_interval(roc_auc, y, prob, **options)
    with pytest.raises(ValueError, match=message):
        bootstrap_rank_metrics(y, {"m": prob}, **options)


def test_differences_must_name_models(sample):
    y, a, _, groups = sample
    with pytest.raises(ValueError, match=r"differences must name models in scores, \['a'\]; got 'c'"):
        bootstrap_rank_metrics(y, {"a": a}, groups=groups, differences=[("a", "c")])


def test_values_must_be_one_dimensional():
    with pytest.raises(ValueError, match=r"must give a 1-D array; got shape \(\). Wrap a single number in a list"):
        bootstrap_values(lambda weights: 1.0, groups=[1, 2])
