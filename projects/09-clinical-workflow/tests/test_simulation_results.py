"""The whole simulation in its quick form: labelled, paired, the same again, and drawn."""

import json

import numpy as np
import pytest

from clinical_workflow.simulation import clinic, results, sensitivity, ward
from clinical_workflow.simulation.experiment import build_world, simulate_arms
from clinical_workflow.simulation.figures import draw_simulation
from clinical_workflow.simulation.settings import SimulationSettings

SETTINGS = SimulationSettings(replications=4, scenario_replications=1, level=0.9, flagged_shares=(0.05, 0.2, 0.6),
                              false_positive_rates=(0.1, 0.3), grid_steps=2)


TOLD = []


class Bar:
    """Keeps what a progress bar is told."""

    def __enter__(self):
        return lambda done, total: TOLD.append((done, total))

    def __exit__(self, *problem):
        return False


@pytest.fixture(scope="module")
def done():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(results, "progress_bar", lambda title: Bar())
        return results.simulate(SETTINGS, seed=5, risk_threshold=0.2)


def test_every_metric_says_that_it_is_simulated(done):
    found = results.metrics_of(done)
    assert {name.split(".")[1] for name in found} == {"simulated"}
    assert {metric.n for metric in found.values()} == {SETTINGS.replications}
    assert all(metric.low <= metric.value <= metric.high and metric.level == 0.9 for metric in found.values())
    for arm in [*(arm.name for arm in ward.ARMS), *clinic.ARMS]:
        assert any(f".{arm}." in name for name in found)


def test_differences_are_means_of_differences(done):
    found = results.metrics_of(done)
    for measure in ("readmissions_avoided_per_1000", "nurse_minutes_per_day"):
        one, other, lead = (found[f"ward.simulated.{name}.{measure}"].value for name in
                            ("lightgbm_list", "first_come", "lightgbm_list_minus_first_come"))
        assert lead == pytest.approx(one - other)
    assert found["ward.simulated.first_come.alerts_per_100_encounters"].value == 0
    flagged = done.curves["inputs"]["flagged_share"]["value"]
    assert found["ward.simulated.lightgbm_alert.alerts_per_100_encounters"].value == pytest.approx(100 * flagged, rel=0.05)


def test_groups_have_a_gap(done):
    found = results.metrics_of(done)
    assert found["ward.simulated.sex_female.readmissions_reached_percent"].higher_is_better
    assert found["ward.simulated.age_group.readmissions_reached_gap_percent"].value >= 0


def test_the_same_seed_gives_the_same_result_and_another_does_not(done):
    again, other = (simulate_arms(build_world(SETTINGS, seed=seed, risk_threshold=0.2), 4, advance=lambda: None) for seed in (5, 6))
    assert results.summaries(again[0], 0.9) == done.curves["ward"]
    assert results.summaries(again[1], 0.9) == done.curves["clinic"]
    assert results.summaries(other[0], 0.9) != done.curves["ward"]


def test_curves_are_json_and_say_what_was_assumed(done):
    curves = json.loads(json.dumps(done.curves, allow_nan=False))
    assert curves["inputs"]["relative_risk"]["source"].startswith("Leppin")
    assert curves["inputs"]["lightgbm_sensitivity"]["kind"] == "measured"
    assert curves["risk_threshold"] == 0.2
    assert len(curves["one_way"]) == len(sensitivity.ONE_WAY)
    assert [len(grid["grid"]) for grid in curves["two_way"]] == [2, 2, 2]


def test_figures_are_drawn_with_a_description(done, tmp_path):
    said = draw_simulation(done.curves, tmp_path)
    assert len(said) == 7
    assert all((tmp_path / name).stat().st_size > 10_000 and "imulat" in words for name, words in said.items())


def test_turning_points_by_hand():
    tiring = {"readmissions_avoided_per_1000": np.array([[1.0, 1], [3, 2], [2, 4]]),
              "net_nurse_minutes_per_day": np.array([[5.0, -1], [1, -2], [-4, -9]])}
    found = sensitivity.turning_points((0.1, 0.2, 0.4), tiring)
    assert found["most_avoided_share"].tolist() == [0.2, 0.4]
    assert found["best_net_share"].tolist() == [0.1, 0.1]
    assert found["stops_paying_share"].tolist() == [0.2, 0.0]


def test_more_fatigue_never_helps():
    world = build_world(SETTINGS, seed=0, risk_threshold=0.2)
    tiring, tireless = sensitivity.fatigue(world, (0.1, 0.3), 3, lambda: None)
    assert np.all(tiring["accepted_alerts_percent"] < tireless["accepted_alerts_percent"])
    assert np.all(tiring["readmissions_avoided_per_1000"] <= tireless["readmissions_avoided_per_1000"] + 1e-9)


def test_a_tornado_is_sorted_and_a_stronger_effect_avoids_more():
    world = build_world(SETTINGS, seed=0, risk_threshold=0.2)
    found = sensitivity.one_way(world, sensitivity.ONE_WAY[0], 1, lambda: None)
    widths = [abs(bar["at_high"] - bar["at_low"]) for bar in found["bars"]]
    assert widths == sorted(widths, reverse=True)
    effect = next(bar for bar in found["bars"] if bar["input"] == "relative_risk")
    assert effect["at_low"] > found["base"] > effect["at_high"]


def test_a_lower_threshold_misses_less_and_sends_more():
    world = build_world(SETTINGS, seed=0, risk_threshold=0.2)
    points = sensitivity.by_threshold(world, (0.1, 0.4), 2, lambda: None)
    assert points[0]["threshold"] > points[1]["threshold"]
    alone = [point["model_alone"] for point in points]
    assert alone[0]["missed_referable_per_1000"] >= alone[1]["missed_referable_per_1000"]
    assert alone[0]["eye_doctor_load_percent"] < alone[1]["eye_doctor_load_percent"]


def test_progress_is_counted_to_the_end(done):
    assert [number for number, _ in TOLD] == list(range(1, len(TOLD) + 1))
    assert TOLD[-1] == (len(TOLD), len(TOLD))
    assert done.level == SETTINGS.level
