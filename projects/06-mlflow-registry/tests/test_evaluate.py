"""Leads and gaps by hand and against scikit-learn, on models that say what they are told to say."""

from dataclasses import dataclass

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from carefolio.config import load_config
from carefolio.metrics.survival import uno_c
from model_registry import evaluate
from model_registry.config import RegistrySettings
from model_registry.paired import compare_versions
from model_registry.tables import describe_lead
from model_registry.tracking import aliases
from model_registry.tracking.errors import RegistryError

SETTINGS = load_config(RegistrySettings, "model_registry", over={"evaluation": {"replicates": 200, "minimum_positives": 10}})


@dataclass(frozen=True)
class Told:
    """A model that reads its answer from a column."""

    column: str
    times_days: tuple[float, ...] = (30.0, 365.0)

    def predict(self, frame):
        answer = frame[self.column].to_numpy()
        return np.column_stack([1 - answer / 2, 1 - answer]) if "time" in frame.columns else answer


@pytest.fixture(scope="module")
def rows():
    """Patients with two rows each; the sharp risk follows the outcome more closely in women than in men."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 800)
    sex = np.repeat(rng.choice(["female", "male"], 400), 2)
    noise = rng.normal(0, np.where(sex == "female", 0.5, 2.0))
    sharp = 1 / (1 + np.exp(-(y - 0.5 + noise)))
    return pl.DataFrame({"patient": np.repeat(np.arange(400), 2), "returned_within_30_days": y.astype(np.int8), "sharp": sharp,
                         "blunt": rng.permutation(sharp), "sex": sex, "race": ["a"] * 796 + ["b"] * 4, "age_group": ["old"] * 800})


@pytest.fixture(scope="module")
def lives():
    """Patients whose death comes the earlier the higher their risk."""
    rng = np.random.default_rng(1)
    risk = rng.uniform(0, 1, 500)
    time = np.ceil(rng.exponential(300 * np.exp(-2 * risk))) + 1
    return pl.DataFrame({"patient": np.arange(500), "event": (time < 500).astype(np.int32), "time": np.minimum(time, 500).astype(np.int32),
                         "risk": risk, "none": rng.permutation(risk), "sex": rng.choice(["f", "m"], 500), "race": ["a"] * 500,
                         "age_group": ["old"] * 500})


def test_a_lead_is_the_difference_of_the_metric_and_its_interval_is_paired(rows):
    lead = evaluate.measure_lead("readmission", Told("sharp"), Told("blunt"), rows, SETTINGS.evaluation, seed=0)
    y = rows["returned_within_30_days"].to_numpy()
    assert lead.value == pytest.approx(roc_auc_score(y, rows["sharp"]) - roc_auc_score(y, rows["blunt"]))
    assert lead.low > 0
    assert "differ by more than chance" in describe_lead(lead)
    same = evaluate.measure_lead("readmission", Told("sharp"), Told("sharp"), rows, SETTINGS.evaluation, seed=0)
    assert (same.value, same.low, same.high) == (0, 0, 0), "the same draws for both"
    assert "chance alone" in describe_lead(same)


def test_a_survival_lead_is_that_of_unos_c(lives):
    lead = evaluate.measure_lead("survival", Told("risk"), Told("none"), lives, SETTINGS.evaluation, seed=0)
    event, time = lives["event"].to_numpy(), lives["time"].to_numpy()
    expected = [uno_c(event, time, lives[name].to_numpy(), tau=365.0) for name in ("risk", "none")]
    assert lead.value == pytest.approx(expected[0] - expected[1])
    assert lead.low > 0


def test_a_gap_is_that_of_the_groups_with_enough_events(rows):
    gaps = evaluate.subgroup_gaps("readmission", Told("sharp"), rows, SETTINGS.evaluation, seed=0)
    by_sex = {sex: roc_auc_score(part["returned_within_30_days"], part["sharp"]) for (sex,), part in rows.group_by("sex")}
    assert set(gaps) == {"sex_roc_auc_gap"}, "one race has four rows, and there is one age group"
    assert gaps["sex_roc_auc_gap"].value == pytest.approx(by_sex["female"] - by_sex["male"])
    assert gaps["sex_roc_auc_gap"].low > 0


def test_every_metric_has_an_interval(lives):
    found = evaluate.evaluate("survival", Told("risk"), lives, SETTINGS.evaluation, seed=0)
    assert {"survival.test.hazards.uno_c", "survival.test.hazards.integrated_brier_score", "survival.test.outcome.prevalence",
            "survival.test.hazards.sex_uno_c_gap"} == set(found)
    assert all(value.low <= value.value <= value.high or key.endswith("_gap") for key, value in found.items())


def test_versions_are_compared_on_the_patients_of_their_split_and_on_no_others(first_run, second_run, invoke):
    own, other = (aliases.register(run.address, "readmission", run.run_id()).version for run in (first_run, second_run))
    with pytest.raises(RegistryError, match="may be held out there"):
        compare_versions(first_run.address, "readmission", other, own, first_run.out, SETTINGS)
    said = invoke("compare", "readmission", own, own, "--out", first_run.out, "--tracking-uri", first_run.address).output
    assert "+0.0000, 95 % interval +0.0000 to +0.0000" in said
