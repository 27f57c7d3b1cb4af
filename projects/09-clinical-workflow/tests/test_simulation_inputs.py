"""What goes in: ranges with sources, values drawn from intervals, and operating points that come from evidence and from nowhere else."""

import json
import shutil

import numpy as np
import pytest

from carefolio.config import project_home
from carefolio.evidence import Metric, read_evidence
from carefolio.exceptions import ConfigError, EvidenceError
from clinical_workflow.simulation import inputs, operating
from clinical_workflow.simulation.experiment import build_world
from clinical_workflow.simulation.settings import SimulationSettings

SETTINGS = SimulationSettings(replications=2, scenario_replications=1, level=0.9, flagged_shares=(0.1, 0.2, 0.4),
                              false_positive_rates=(0.1, 0.3), grid_steps=2)
GOOD = {"value": 0.5, "low": 0.4, "high": 0.6, "kind": "published", "unit": "ratio", "label": "L", "source": "S"}


def test_every_input_has_a_label_a_unit_and_a_source():
    found = inputs.read_inputs()
    assert len(found) > 20
    assert {one.kind for one in found.values()} == {"published", "assumption", "choice"}
    for name, one in found.items():
        assert one.source != "", name
        assert one.kind != "assumption" or any(word in one.source for word in ("Assumption", "assumption", "range", "High end")), name


@pytest.mark.parametrize(("change", "said"), [
    ({"value": 0.7}, "between low and high"), ({"low": 0.0, "scale": "log"}, "no log"), ({"high": 1.0, "scale": "logit"}, "no logit"),
    ({"whole": True}, "whole numbers"), ({"kind": "guess"}, "kind"), ({"more": 1}, "more"), ({"source": ""}, "source"),
])
def test_an_entry_that_is_not_well_formed_is_refused(change, said):
    with pytest.raises(ConfigError, match=said):
        inputs.parse_input("x", GOOD | change)


def test_drawn_values_have_the_interval_that_was_published():
    one = inputs.parse_input("x", GOOD | {"value": 0.82, "low": 0.73, "high": 0.91, "scale": "log"})
    drawn = np.array([inputs.draw({"x": one}, seed=0, replication=number)["x"] for number in range(4000)])
    low, middle, high = np.quantile(drawn, [0.025, 0.5, 0.975])
    assert (low, middle, high) == pytest.approx((0.73, 0.82, 0.91), abs=0.006)


def test_assumptions_stay_and_a_scenario_may_hold_anything():
    found = inputs.read_inputs()
    years = [inputs.draw(found, seed=0, replication=number) for number in (0, 1)]
    differing = {name for name in found if years[0][name] != years[1][name]}
    assert differing == {name for name, one in found.items() if one.kind == "published"}
    held = inputs.draw(found, seed=0, replication=0, fixed={"relative_risk": 1.0})
    assert held.pop("relative_risk") == 1.0
    assert held == {name: value for name, value in years[0].items() if name != "relative_risk"}, "nothing else moves"


def test_a_user_may_replace_an_input_and_is_told_of_a_misspelt_one():
    settings = SETTINGS.model_copy(update={"inputs": {"relative_risk": 1.0, "lightgbm_sensitivity": 0.5}})
    world = build_world(settings, seed=0, risk_threshold=0.2)
    assert world.values(3)["relative_risk"] == 1.0
    assert world.values(3)["lightgbm_sensitivity"] == 0.5
    assert world.inputs["relative_risk"].kind == "choice"
    with pytest.raises(ConfigError, match="relativ_risk"):
        build_world(SETTINGS.model_copy(update={"inputs": {"relativ_risk": 1.0}}), seed=0, risk_threshold=0.2)
    with pytest.raises(ConfigError, match="whole"):
        build_world(SETTINGS.model_copy(update={"inputs": {"graders": 1.5}}), seed=0, risk_threshold=0.2)


def test_operating_points_are_those_of_the_evidence():
    points = operating.read_operating_points(0.2)
    readmission = read_evidence(project_home("02-readmission-pipeline") / "reports" / "evidence.json").metrics
    eyes = read_evidence(project_home("08-retinopathy-detection") / "reports" / "evidence.json").metrics
    for name, metric in (("lightgbm_sensitivity", readmission["all_encounters.test.lightgbm.sensitivity_at_top_10_percent"]),
                         ("lace_sensitivity", readmission["all_encounters.test.lace.sensitivity_at_top_10_percent"]),
                         ("readmission_risk", readmission["all_encounters.test.outcome.prevalence"]),
                         ("model_specificity", eyes["idrid.test.grader.specificity"])):
        one = points.inputs[name]
        assert (one.value, one.low, one.high, one.kind) == (metric.value, metric.low, metric.high, "measured")
    measured = points.inputs["lightgbm_sensitivity"].value
    assert points.curves["lightgbm"].sensitivity_at(points.measured_share) == pytest.approx(measured, abs=0.01)
    assert {group.attribute for group in points.groups} == {"race", "sex", "age_group"}


def test_as_many_are_flagged_as_have_the_risk_of_the_threshold():
    curves = json.loads((project_home(operating.READMISSION) / "reports" / "curves.json").read_text())
    place = curves["risk_thresholds"].index(0.15)
    points = operating.read_operating_points(0.15)
    assert points.inputs["flagged_share"].value == pytest.approx(curves["flagged"]["lightgbm"][place]["flagged_fraction"])
    assert points.measured_share == 0.2, "the nearest with an interval"
    assert operating.read_operating_points(0.3).measured_share == 0.05


def test_a_sensitivity_that_was_not_measured_is_missed():
    with pytest.raises(EvidenceError, match="sensitivity_at_top"):
        operating.nearest_measured_share({}, 0.2)
    with pytest.raises(EvidenceError, match="no metric"):
        operating.readmission_inputs({}, 0.2)


def test_a_metric_without_an_interval_is_refused():
    metrics = {f"idrid.test.grader.{name}": Metric(value=0.9, n=100, higher_is_better=True) for name in ("sensitivity", "specificity")}
    with pytest.raises(EvidenceError, match="no interval"):
        operating.retinopathy_inputs(metrics)


@pytest.fixture
def another_home(tmp_path, monkeypatch):
    """A repository of which only the two chapters' reports exist."""
    for folder in (operating.READMISSION, operating.RETINOPATHY):
        shutil.copytree(project_home(folder) / "reports", tmp_path / "projects" / folder / "reports",
                        ignore=shutil.ignore_patterns("figures", "measured"))
    monkeypatch.setenv("CAREFOLIO_HOME", str(tmp_path))
    return tmp_path / "projects" / operating.READMISSION / "reports"


def test_results_on_made_up_data_are_refused(another_home):
    record = json.loads((another_home / "evidence.json").read_text())
    record["data"][0]["origin"] = "synthetic"
    (another_home / "evidence.json").write_text(json.dumps(record))
    with pytest.raises(EvidenceError, match="made-up"):
        operating.read_operating_points(0.2)


@pytest.mark.parametrize(("file", "said"), [("evidence.json", "missing"), ("curves.json", "curves.json")])
def test_a_missing_file_is_named(another_home, file, said):
    (another_home / file).unlink()
    with pytest.raises(Exception, match=said):
        operating.read_operating_points(0.2)


def test_curves_without_what_is_read_are_refused(another_home):
    (another_home / "curves.json").write_text('{"flagged": {}}')
    with pytest.raises(EvidenceError, match="risk_thresholds"):
        operating.read_operating_points(0.2)


def test_a_moved_curve_passes_through_the_drawn_sensitivity_and_flags_as_many():
    curve = operating.read_operating_points(0.2).curves["lightgbm"]
    found, false = operating.moved(curve, 0.2, 0.5, 0.11)
    assert np.interp(0.2, curve.flagged, found) == pytest.approx(0.5, abs=0.002)
    inner = slice(5, -5)
    assert np.allclose((0.11 * found + 0.89 * false)[inner], np.array(curve.flagged)[inner], atol=0.004)
    assert np.all(np.diff(found) >= 0)
    assert np.all(np.diff(false) >= 0)
    assert found[0] == 0 == false[0]
    assert found[-1] == 1


def test_streams_are_independent_by_name_and_the_same_again():
    assert inputs.stream(0, 1, "a").random() == inputs.stream(0, 1, "a").random()
    numbers = {inputs.stream(seed, year, name).random() for seed in (0, 1) for year in (0, 1) for name in ("a", "b")}
    assert len(numbers) == 8
