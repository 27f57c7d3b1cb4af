"""What is chosen is chosen out of fold, and every score says what its name says."""

import numpy as np
import pytest

from retinopathy.choosing import Answers, Chosen, choose, keep_one
from retinopathy.config import EvaluationSettings
from retinopathy.evaluate import SCORES, draw, judge, scores_of

SETTINGS = EvaluationSettings(replicates=50, level=0.95, coverage=0.8, least_sensitivity=0.85, least_specificity=0.825,
                              sizes=())


def answers(n: int = 200, noise: float = 0.9, seed: int = 0) -> Answers:
    """Right grades, and probabilities of a grader that errs by this much."""
    rng = np.random.default_rng(seed)
    grades = rng.integers(0, 5, n)
    risks = np.minimum(grades // 2, 2)
    felt, worry = grades + rng.normal(0, noise, n), risks + rng.normal(0, noise, n)
    steps = [1 / (1 + np.exp(-2 * (felt - least + 0.5))) for least in range(1, 5)]
    return Answers(grades, risks, np.stack([*steps, *(1 / (1 + np.exp(-2 * (worry - least + 0.5))) for least in (1, 2))], axis=1))


def named(own: Answers, chosen: Chosen) -> dict[str, float]:
    return dict(zip(SCORES, scores_of(own.tempered(chosen.temperature), chosen, np.ones(len(own.grades))), strict=True))


def test_a_grader_without_error_has_the_best_of_every_score():
    perfect = answers(noise=0.0)
    steps = np.stack([*(perfect.grades >= least for least in range(1, 5)), *(perfect.risks >= least for least in (1, 2))], axis=1)
    found = named(Answers(perfect.grades, perfect.risks, steps.astype(float)), Chosen(referral=0.5, sets=0.5))
    ones = {"quadratic_weighted_kappa", "accuracy", "roc_auc", "average_precision", "sensitivity", "specificity", "dme_roc_auc",
            "set_coverage", "set_size", "answered_alone"}
    assert {name for name, value in found.items() if value == pytest.approx(1)} == ones
    assert {name for name, value in found.items() if value == pytest.approx(0)} == set(SCORES) - ones


def test_scores_by_hand():
    steps = np.array([[0.9, 0.8, 0.1, 0.0, 0.2, 0.1], [0.6, 0.3, 0.1, 0.0, 0.9, 0.8], [0.1, 0.1, 0.0, 0.0, 0.1, 0.0]])
    own = Answers(np.array([2, 2, 0]), np.array([0, 2, 0]), steps)
    found = named(own, Chosen(referral=0.5, sets=0.0))
    assert found["accuracy"] == pytest.approx(2 / 3), "decided are 2, 0 and 0"
    assert found["mean_absolute_error"] == pytest.approx(2 / 3)
    assert (found["sensitivity"], found["specificity"]) == (0.5, 1.0)
    assert (found["roc_auc"], found["dme_roc_auc"]) == (1.0, 1.0)
    assert (found["set_size"], found["answered_alone"], found["set_coverage"]) == (1.0, 1.0, pytest.approx(2 / 3))


def test_kept_is_what_loses_less_once_each_has_its_best_temperature():
    good, bad = answers(noise=0.4), answers(noise=1.2)
    assert keep_one({"bad": bad, "good": good}) == "good"
    bold = good.tempered(0.3)
    assert keep_one({"bad": bad, "bold": bold}) == "bold", "boldness is no fault that a temperature does not mend"


def test_the_threshold_leaves_most_room_above_both_bounds():
    own = answers()
    chosen = choose(own, SETTINGS)
    at = named(own, chosen)
    room = min(at["sensitivity"] - 0.85, at["specificity"] - 0.825)
    for other in np.linspace(0.05, 0.95, 40):
        tried = named(own, Chosen(float(other), chosen.sets))
        assert min(tried["sensitivity"] - 0.85, tried["specificity"] - 0.825) <= room + 1e-12


def test_the_promise_chosen_on_some_is_kept_on_others():
    chosen = choose(answers(n=600, seed=1), SETTINGS)
    assert 0.75 < named(answers(n=2000, seed=2), chosen)["set_coverage"] < 0.9


def test_intervals_resample_photographs_not_views():
    own, chosen = answers(n=60), Chosen(0.5, 0.9)
    twice = Answers(*(np.repeat(values, 2, axis=0) for values in (own.grades, own.risks, own.steps)))
    once = judge("x", own, chosen, SETTINGS, groups=np.arange(60), seed=0)
    views = judge("x", twice, chosen, SETTINGS, groups=np.repeat(np.arange(60), 2), seed=0)
    assert set(once) == {f"x.{name}" for name in SCORES}
    for name in ("x.accuracy", "x.roc_auc"):
        assert (views[name].value, views[name].low, views[name].high) == pytest.approx((once[name].value, once[name].low, once[name].high))


def test_what_is_drawn_agrees_with_the_scores():
    own = answers(n=100)
    chosen = choose(own, SETTINGS)
    curves, found = draw(own, chosen, SETTINGS), named(own, chosen)
    assert np.trace(curves["confusion"]) / 100 == pytest.approx(found["accuracy"])
    assert curves["operating_point"]["sensitivity"] == found["sensitivity"]
    assert curves["abstention"]["accuracy"][-1] == pytest.approx(found["accuracy"])
    assert curves["abstention"]["coverage"][-1] == 1
