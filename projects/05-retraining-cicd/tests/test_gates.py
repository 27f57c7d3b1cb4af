"""The gates: one rule, worked through by hand, and judges who may not have taught."""

import numpy as np
import polars as pl
import pytest

from carefolio.exceptions import LeakageError
from carefolio.uncertainty import Interval
from retraining.features import check_apart
from retraining.gates import decide
from retraining.performance import compare, distances, judging, measures
from retraining.protocol import GateRule, Subgroups

SUBGROUPS = Subgroups(columns=("race", "sex"), minimum_returns=5)


def trio(value, low, high, own=0.7):
    difference = Interval(value, low, high, 0.95, 100, 80)
    return {"challenger": Interval(own, own, own, 0.95, 100, 80), "champion": Interval(own - value, 0, 1, 0.95, 100, 80),
            "difference": difference}


@pytest.mark.parametrize(("name", "found", "rule", "passed", "words"), [
    ("roc_auc", trio(0.0, -0.01, 0.01), GateRule(margin=0.015, limit=0.6), True, "holds"),
    ("roc_auc", trio(0.0, -0.02, 0.02), GateRule(margin=0.015, limit=0.6), False, "may be worse by 0.0200"),
    ("roc_auc", trio(0.02, 0.01, 0.03, own=0.55), GateRule(margin=0.015, limit=0.6), False, "is 0.5500, limit at least 0.6"),
    ("drift", trio(0.01, 0.0, 0.03, own=0.1), GateRule(margin=0.02, limit=0.3), False, "may be worse by 0.0300"),
    ("drift", trio(-0.01, -0.03, 0.01, own=0.1), GateRule(margin=0.02, limit=0.3), True, "holds"),
    ("drift", trio(-0.01, -0.03, 0.01, own=0.4), GateRule(margin=0.02, limit=0.3), False, "is 0.4000, limit at most 0.3"),
    ("size_mb", trio(1.0, 1.0, 1.0, own=2.0), GateRule(margin=1.0, limit=8.0), True, "holds"),
])
def test_the_worse_end_keeps_the_margin_and_the_challenger_the_limit(name, found, rule, passed, words):
    decision = decide(name, found, rule)
    assert decision["passed"] is passed
    assert words in decision["words"]


@pytest.fixture
def rows():
    rng = np.random.default_rng(1)
    n = 600
    risk = rng.uniform(0.05, 0.6, n)
    return risk, pl.DataFrame({"patient_nbr": np.arange(n) // 2, "returned_within_30_days": (rng.uniform(size=n) < risk).astype(np.int8),
                               "race": rng.choice(["A", "B", "rare"], n, p=[0.6, 0.395, 0.005]), "sex": rng.choice(["F", "M"], n)})


def test_calibration_is_judged_by_distance_and_small_groups_are_left_out(rows):
    risk, frame = rows
    judges = judging(frame, SUBGROUPS, risk_threshold=0.2, replicates=50, level=0.95, seed=0)
    assert set(judges.groups) == {"race: A", "race: B", "sex: F", "sex: M"}
    values = measures(judges, risk, np.ones(len(risk)))
    assert distances(values)[1:3] == [abs(values[1]), abs(values[2] - 1)]
    assert values[3] <= values[0] + 0.02


def test_the_comparison_is_paired(rows):
    risk, frame = rows
    judges = judging(frame, SUBGROUPS, risk_threshold=0.2, replicates=50, level=0.95, seed=0)
    same = compare(judges, risk, risk)
    assert all(found["difference"].low == found["difference"].high == 0 for found in same.values())
    worse = compare(judges, np.clip(risk * 2, 0, 0.99), risk)
    assert worse["calibration_intercept"]["difference"].low > 0
    assert abs(worse["roc_auc"]["difference"].value) < 0.01
    noise = np.random.default_rng(2).uniform(size=len(risk))
    assert compare(judges, noise, risk)["roc_auc"]["difference"].high < 0


def test_a_patient_who_teaches_and_judges_is_refused():
    teaching, judges = pl.DataFrame({"patient_nbr": [1, 2, 3]}), pl.DataFrame({"patient_nbr": [3, 4]})
    with pytest.raises(LeakageError, match="1 patients both teach and judge"):
        check_apart(teaching, judges)
    check_apart(teaching, judges.tail(1))
