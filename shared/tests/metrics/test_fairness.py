import fairlearn.metrics
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from carefolio.metrics.calibration import brier_score
from carefolio.metrics.decision_curve import net_benefit
from carefolio.metrics.discrimination import roc_auc
from carefolio.metrics.fairness import demographic_parity_difference, equal_opportunity_difference, group_metric, largest_gap


@pytest.fixture
def sample():
    generator = np.random.default_rng(11)
    groups = generator.choice(["a", "b", "c"], size=900)
    prob = np.clip(generator.beta(2, 5, size=900) + 0.1 * (groups == "b"), 0, 1)
    return (generator.random(900) < prob).astype(int), prob, groups, generator.gamma(2, size=900)


def test_group_metric_by_hand():
    values = group_metric(brier_score, [1, 0, 1, 0], [0.5, 0.5, 1.0, 0.0], groups=["x", "x", "y", "y"], minimum_positives=1)
    assert values == {"x": 0.25, "y": 0.0}


def test_group_metric_equals_fairlearn(sample):
    y, prob, groups, weight = sample
    frame = fairlearn.metrics.MetricFrame(metrics=roc_auc_score, y_true=y, y_pred=prob, sensitive_features=groups,
                                          sample_params={"sample_weight": weight})
    values = group_metric(roc_auc, y, prob, groups=groups, sample_weight=weight)
    assert values == pytest.approx(frame.by_group.to_dict(), abs=1e-12)
    assert largest_gap(values).gap == pytest.approx(frame.difference(), abs=1e-12)


def test_arguments_reach_the_metric(sample):
    y, prob, groups, _ = sample
    values = group_metric(net_benefit, y, prob, groups=groups, risk_threshold=0.3)
    rows = groups == "b"
    assert values["b"] == net_benefit(y[rows], prob[rows], risk_threshold=0.3)


def test_groups_too_small_are_reported_not_dropped():
    y = [1, 0, 1, 0, 1, 0, 0, 0, 1, 1]
    groups = ["big"] * 6 + ["no event"] * 2 + ["only events"] * 2
    values = group_metric(roc_auc, y, np.linspace(0, 1, 10), groups=groups, minimum_positives=2)
    assert list(values) == ["big", "no event", "only events"]
    assert values["big"] is not None and values["no event"] is None and values["only events"] is None
    assert group_metric(roc_auc, y, np.linspace(0, 1, 10), groups=groups, minimum_positives=4)["big"] is None


def test_the_order_of_rows_does_not_matter(sample):
    y, prob, groups, weight = sample
    order = np.random.default_rng(0).permutation(y.size)
    shuffled = group_metric(roc_auc, y[order], prob[order], groups=groups[order], sample_weight=weight[order])
    assert shuffled == pytest.approx(group_metric(roc_auc, y, prob, groups=groups, sample_weight=weight), abs=1e-12)


def test_a_group_without_weight_in_a_class_is_named():
    with pytest.raises(ValueError, match="group 'b': y_true must hold both classes; got only 0"):
        group_metric(roc_auc, [0, 1, 0, 1], [0.1, 0.2, 0.3, 0.4], groups=["a", "a", "b", "b"], sample_weight=[1, 1, 1, 0],
                     minimum_positives=1)


def test_largest_gap_by_hand():
    gap = largest_gap({"a": 0.7, "b": None, "c": 0.9, "d": 0.8})
    assert gap.gap == pytest.approx(0.2)
    assert (gap.lowest, gap.highest, gap.too_small) == ("a", "c", ("b",))


def test_one_group_has_no_gap():
    with pytest.raises(ValueError, match=r"at least two subgroups with a value; got 1, too small: \['b'\]"):
        largest_gap({"a": 0.7, "b": None})


def test_differences_by_hand():
    y, prob, groups = [1, 1, 1, 1, 0, 0], [0.9, 0.1, 0.9, 0.5, 0.1, 0.9], ["a", "a", "b", "b", "a", "b"]
    assert equal_opportunity_difference(y, prob, groups=groups, risk_threshold=0.5) == pytest.approx(0.5)
    assert demographic_parity_difference(y, prob, groups=groups, risk_threshold=0.5) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", ["equal_opportunity_difference", "demographic_parity_difference"])
@pytest.mark.parametrize("threshold", [0.2, 0.3, 0.5])
@pytest.mark.parametrize("weighted", [False, True])
def test_differences_equal_fairlearn(sample, name, threshold, weighted):
    y, prob, groups, weight = sample
    weight = weight if weighted else None
    ours = {"equal_opportunity_difference": equal_opportunity_difference, "demographic_parity_difference": demographic_parity_difference}
    theirs = getattr(fairlearn.metrics, name)(y, prob >= threshold, sensitive_features=groups, sample_weight=weight)
    assert ours[name](y, prob, groups=groups, risk_threshold=threshold, sample_weight=weight) == pytest.approx(theirs, abs=1e-12)


def test_whole_weights_equal_repeated_rows(sample):
    y, prob, groups, _ = sample
    weight = np.random.default_rng(1).integers(0, 3, y.size)
    repeated = [np.repeat(values, weight) for values in (y, prob, groups)]
    for function in (equal_opportunity_difference, demographic_parity_difference):
        weighted = function(y, prob, groups=groups, risk_threshold=0.3, sample_weight=weight)
        assert weighted == pytest.approx(function(repeated[0], repeated[1], groups=repeated[2], risk_threshold=0.3), abs=1e-12)


def test_a_group_without_events_has_no_sensitivity():
    with pytest.raises(ValueError, match=r"got none in group 'b'\. Merge it"):
        equal_opportunity_difference([1, 0, 0], [0.5, 0.5, 0.5], groups=["a", "a", "b"], risk_threshold=0.5)
