"""Simulated years of ward and clinic: nobody is lost, luck is shared, and simple cases come out as arithmetic says."""

from dataclasses import replace

import numpy as np
import pytest

from clinical_workflow.simulation import clinic, ward
from clinical_workflow.simulation.experiment import build_world, clinic_year, group_year, ward_year
from clinical_workflow.simulation.settings import SimulationSettings

SETTINGS = SimulationSettings(replications=2, scenario_replications=1, level=0.9, flagged_shares=(0.1, 0.2, 0.4),
                              false_positive_rates=(0.1, 0.3), grid_steps=2)
ALERTS = ward.ARMS[2]
EASY = {"acceptance_drop": 0.0, "follow_up_nurses": 20.0, "first_acceptance": 1.0, "ward_share": 4.0}
"""Everybody who is flagged is followed up."""


@pytest.fixture(scope="module")
def world():
    return build_world(SETTINGS, seed=3, risk_threshold=0.2)


def a_ward(world, arm, fixed=None, replication=0):
    values = world.values(replication, fixed)
    patients = ward.draw_discharges(values, world.discharges_per_day, seed=world.seed, replication=replication)
    return ward.run_ward(arm, world.points.curves, values, patients), patients, values


def a_clinic(world, arm, fixed=None, replication=0):
    values = world.values(replication, fixed)
    people = clinic.draw_people(values, seed=world.seed, replication=replication)
    return clinic.run_clinic(arm, values, people), people, values


@pytest.mark.parametrize("arm", ward.ARMS, ids=lambda arm: arm.name)
def test_nobody_is_lost_on_the_ward(world, arm):
    year, patients, values = a_ward(world, arm)
    reached = ~np.isnan(year.begun)
    assert not np.any(reached & ~year.listed)
    assert not np.any(year.avoided & ~(reached & year.returns))
    wait = year.begun[reached] - patients.days[reached]
    assert wait.min() >= 0
    assert wait.max() <= values["follow_up_days"] + 2.7, "no later than the deadline, or the next opening after it"
    found = ward.measure_ward(year, patients, values)
    per_100 = 100 / patients.counted.sum()
    assert found["follow_ups_per_100_encounters"] + found["missed_follow_ups_per_100_encounters"] == pytest.approx(
        per_100 * (year.listed & patients.counted).sum())
    assert found["capacity_used_percent"] <= 104


@pytest.mark.parametrize("arm", clinic.ARMS)
def test_nobody_is_lost_in_the_clinic(world, arm):
    year, people, values = a_clinic(world, arm)
    came = people.attends < values["attendance"]
    photographed, seen = ~np.isnan(year.photographed), ~np.isnan(year.seen)
    assert not np.any(photographed & ~came)
    assert np.all(photographed[came & people.counted]), "everybody who came in the year was photographed before the end"
    assert not np.any(seen & ~year.referred)
    assert np.all(year.seen[seen] >= year.photographed[seen])
    counted = people.counted & photographed
    where = (counted & ~year.referred).sum() + (counted & seen).sum() + (counted & year.referred & ~seen).sum()
    assert where == counted.sum() == (came & people.counted).sum()
    ill = counted & year.referable
    found = clinic.measure_clinic(year, people, values)
    assert found["missed_referable_per_1000"] * counted.sum() / 1000 + (ill & year.referred).sum() == pytest.approx(ill.sum())


def test_alerts_are_as_many_as_the_share_says_and_find_what_the_evidence_says(world):
    found = [a_ward(world, ALERTS, {"ward_share": 4.0, "flagged_share": 0.1}, number)[0] for number in range(3)]
    alerts, back = (np.concatenate([getattr(one, name) for one in found]) for name in ("alerted", "returns"))
    assert alerts.mean() == pytest.approx(0.1, abs=4 * np.sqrt(0.09 / len(alerts)) + 0.002)
    expected = np.mean([world.values(number)["lightgbm_sensitivity"] for number in range(3)])
    assert alerts[back].mean() == pytest.approx(expected, abs=4 * np.sqrt(0.25 / back.sum()) + 0.005)


def test_with_no_limit_the_readmissions_avoided_are_a_product(world):
    fixed = EASY | {"relative_risk": 0.5, "lightgbm_sensitivity": 0.45, "readmission_risk": 0.12, "flagged_share": 0.1}
    avoided = np.mean([ward_year(world, ALERTS, number, fixed)["readmissions_avoided_per_1000"] for number in range(4)])
    expected = 1000 * 0.12 * 0.45 * (1 - 0.5)
    assert avoided == pytest.approx(expected, abs=4 * np.sqrt(expected * 1000 / (4 * 27 * 4 * 364)))


def test_accepted_alerts_are_as_many_as_a_geometric_series_says(world):
    values = world.values(0, {"first_acceptance": 0.5, "acceptance_drop": 0.2, "alert_nurses": 2.0})
    patients = ward.draw_discharges(values, 30.0, seed=0, replication=0)
    n = len(patients.days)
    accepted = ward.accept(patients, np.ones(n, dtype=bool), values)
    day = np.floor(patients.days)
    a_day = np.array([(day == one).sum() for one in np.unique(day)])
    expected = sum(0.5 * 0.8 ** (number // 2) for count in a_day for number in range(count))
    assert accepted.sum() == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert accepted.sum() < 0.5 * 0.5 * n, "nurses tire"


def test_a_follow_up_that_helps_nobody_avoids_nothing(world):
    assert ward_year(world, ALERTS, 0, {"relative_risk": 1.0})["readmissions_avoided_per_1000"] == 0
    assert ward_year(world, ALERTS, 0, {"first_acceptance": 0.0})["follow_ups_per_100_encounters"] == 0


def test_arms_share_patients_and_luck(world):
    first, _, _ = a_ward(world, ward.ARMS[0])
    again, patients, _ = a_ward(world, ward.ARMS[3])
    assert np.array_equal(first.returns, again.returns)
    both = ~np.isnan(first.begun) & ~np.isnan(again.begun)
    assert both.any()
    assert np.array_equal(first.avoided[both], again.avoided[both]), "who is reached in both arms fares the same"
    one, people, _ = a_clinic(world, "graders")
    other, _, _ = a_clinic(world, "model_then_grader")
    assert np.array_equal(one.photographed, other.photographed, equal_nan=True)
    assert patients.days.max() < ward.HORIZON_DAYS
    assert not np.any(other.referred & ~one.referred), "a grader behind the model refers nobody whom the grader alone would not"
    assert people.counted.any()


def test_shared_luck_makes_differences_narrower(world):
    first, other = ([ward_year(world, arm, number)["readmissions_avoided_per_1000"] for number in range(24)]
                    for arm in (ward.ARMS[1], ALERTS))
    paired = np.array(other) - np.array(first)
    assert paired.std() < 0.8 * np.sqrt(np.var(first) + np.var(other))


def test_a_perfect_list_reaches_the_highest_risks_first(world):
    year, patients, values = a_ward(world, ward.ARMS[3])
    ranks = ward.rank(ward.ARMS[3], world.points.curves, values, patients, year.returns)
    reached = ~np.isnan(year.begun) & patients.counted
    missed = np.isnan(year.begun) & patients.counted
    assert np.quantile(ranks[reached], 0.9) < np.quantile(ranks[missed], 0.1) + 0.1


def test_a_subgroup_gets_its_own_sensitivity(world):
    groups = (replace(world.points.groups[0], attribute="g", name="found", rows=500, events=60,
                      sensitivity=world.points.inputs["lightgbm_sensitivity"].model_copy(update={"value": 0.9, "low": 0.89, "high": 0.91})),
              replace(world.points.groups[0], attribute="g", name="overlooked", rows=500, events=60,
                      sensitivity=world.points.inputs["lightgbm_sensitivity"].model_copy(update={"value": 0.1, "low": 0.09, "high": 0.11})),
              replace(world.points.groups[0], attribute="g", name="small", rows=1, events=0, sensitivity=None))
    well = replace(groups[0], name="never back", events=0)
    planted = replace(world, points=replace(world.points, groups=(*groups, well)))
    found = group_year(planted, "g", 0)
    assert set(found) == {"found", "overlooked", "never back"}
    assert found["never back"] == 0, "a group has its own rate of readmission"
    assert found["found"] > 4 * found["overlooked"]


def test_the_clinic_without_queues_is_arithmetic(world):
    fixed = {"eye_doctors": 50.0, "graders": 50.0, "imageable": 1 - 1e-9, "referable_prevalence": 0.2, "grader_sensitivity": 0.9,
             "grader_specificity": 0.8, "model_sensitivity": 0.8, "model_specificity": 0.7, "due_per_year": 12000.0, "cameras": 10.0}
    expected = {"graders": 0.2 * 0.1, "model_alone": 0.2 * 0.2, "model_then_grader": 0.2 * (1 - 0.8 * 0.9)}
    for arm, missed in expected.items():
        found = clinic_year(world, arm, 0, fixed)
        assert found["missed_referable_per_1000"] == pytest.approx(1000 * missed, rel=0.2), arm
        assert found["wait_days"] < 1.6, "only nights and weekends"
    referred = clinic_year(world, "model_then_grader", 0, fixed)["alerts_per_100_encounters"]
    assert referred == pytest.approx(100 * (0.2 * 0.8 * 0.9 + 0.8 * 0.3 * 0.2), rel=0.1)


@pytest.mark.parametrize("arm", clinic.ARMS)
def test_what_cannot_be_graded_goes_to_the_eye_doctor(world, arm):
    year, people, values = a_clinic(world, arm, {"imageable": 0.8, "grading_minutes_per_day": 480.0})
    spoilt = people.counted & ~np.isnan(year.photographed) & (people.imageable >= values["imageable"])
    assert spoilt.sum() > 100
    assert year.referred[spoilt].all()


def test_a_grader_behind_the_model_looks_at_what_the_model_suspects_and_at_nothing_else(world):
    year, people, values = a_clinic(world, "model_then_grader")
    ill = people.referable < values["referable_prevalence"]
    suspected = (people.model < np.where(ill, values["model_sensitivity"], 1 - values["model_specificity"]))
    clear = people.imageable < values["imageable"]
    taken = ~np.isnan(year.photographed) & people.counted
    assert np.array_equal(~np.isnan(year.graded[taken]), (suspected & clear)[taken])
    alone, _, _ = a_clinic(world, "model_alone")
    assert np.isnan(alone.graded).all()


def test_a_clinic_with_too_few_doctors_keeps_people_waiting_and_says_so(world):
    found = clinic_year(world, "model_alone", 0, {"doctor_minutes_per_day": 20.0})
    assert found["eye_doctor_load_percent"] > 150
    assert found["still_waiting_per_1000"] > 100
    assert found["wait_days"] > 100
