import dcurves
import numpy as np
import pandas as pd
import pytest

from carefolio.metrics.decision_curve import decision_curve, net_benefit, net_benefit_treat_all

Y = [1, 0, 1, 0, 0]
P = [0.9, 0.6, 0.6, 0.4, 0.1]


def test_net_benefit_by_hand_treats_the_threshold_itself():
    assert net_benefit(Y, P, risk_threshold=0.6) == pytest.approx(2 / 5 - 1 / 5 * 0.6 / 0.4)
    assert net_benefit(Y, P, risk_threshold=0.61) == pytest.approx(1 / 5)
    assert net_benefit(Y, P, risk_threshold=0.95) == 0


def test_treating_everybody_by_hand():
    assert net_benefit_treat_all(Y, risk_threshold=0.2) == pytest.approx(0.4 - 0.6 * 0.25)
    assert net_benefit_treat_all(Y, risk_threshold=0.2, sample_weight=[3, 0, 0, 1, 0]) == pytest.approx(0.75 - 0.25 * 0.25)


def test_curves_equal_dcurves():
    generator = np.random.default_rng(5)
    a, b = generator.beta(2, 5, size=400).round(2), generator.random(400)
    y = (generator.random(400) < a).astype(int)
    thresholds = np.arange(0.05, 0.95, 0.05).round(2)
    table = dcurves.dca(pd.DataFrame({"y": y, "a": a, "b": b}), outcome="y", modelnames=["a", "b"], thresholds=thresholds)
    ours = decision_curve(y, {"a": a, "b": b}, risk_thresholds=thresholds)
    for theirs, name in (("a", "a"), ("b", "b"), ("all", "treat_all"), ("none", "treat_none")):
        wanted = table.loc[table["model"] == theirs].sort_values("threshold")["net_benefit"].to_numpy()
        np.testing.assert_allclose(ours[name], wanted, atol=1e-12)


def test_the_curve_equals_single_thresholds_in_any_order():
    thresholds = [0.7, 0.1, 0.6, 0.4]
    curve = decision_curve(Y, {"model": P}, risk_thresholds=thresholds)
    assert curve["risk_threshold"].tolist() == thresholds
    assert curve["model"].tolist() == [net_benefit(Y, P, risk_threshold=threshold) for threshold in thresholds]
    assert curve["treat_all"].tolist() == [net_benefit_treat_all(Y, risk_threshold=threshold) for threshold in thresholds]


def test_net_benefit_never_exceeds_the_prevalence():
    generator = np.random.default_rng(2)
    y, prob = generator.integers(0, 2, 100), generator.random(100)
    assert decision_curve(y, {"model": prob}, risk_thresholds=np.linspace(0.01, 0.99, 99))["model"].max() <= y.mean()


@pytest.mark.parametrize("name", ["treat_all", "treat_none", "risk_threshold"])
def test_a_model_cannot_take_a_reserved_name(name):
    with pytest.raises(ValueError, match=f"must not name a model '{name}'"):
        decision_curve(Y, {name: P}, risk_thresholds=[0.2])


def test_thresholds_outside_the_unit_interval_are_refused():
    with pytest.raises(ValueError, match=r"risk_thresholds must lie in \(0, 1\); got 1.0"):
        decision_curve(Y, {"model": P}, risk_thresholds=[0.2, 1.0])
    with pytest.raises(ValueError, match=r"risk_threshold must lie in \(0, 1\); got 20"):
        net_benefit(Y, P, risk_threshold=20)
