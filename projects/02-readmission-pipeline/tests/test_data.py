"""Cohorts, exclusions and parts, on a hand-made table, the twin and the real file."""

import polars as pl
import pytest

from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.exceptions import LeakageError
from carefolio.testing import requires_real_data
from readmission.config import DataSettings
from readmission.data import PART, TARGET, add_cohorts, check_parts, cohort_flow, limit_patients
from readmission.features import ENCOUNTER, FEATURES, PATIENT

SETTINGS = DataSettings(test_fraction=0.2, later_test_fraction=0.2, max_patients=0, synthetic_patients=1000)


@pytest.fixture(scope="module")
def twin() -> pl.DataFrame:
    return make_diabetes130_twin(1500, 3)


@pytest.fixture(scope="module")
def table(twin: pl.DataFrame) -> pl.DataFrame:
    return add_cohorts(twin, SETTINGS, seed=0)


def test_flow_counts_what_each_exclusion_drops(twin: pl.DataFrame) -> None:
    flow = cohort_flow(twin)
    died = twin["discharge_disposition_id"].is_in([11, 19, 20, 21]).sum()
    hospice = twin["discharge_disposition_id"].is_in([13, 14]).sum()
    assert [step.encounters for step in flow] == [twin.height, twin.height - died, twin.height - died - hospice]
    assert flow[0].patients == twin[PATIENT].n_unique()


def test_primary_cohort_holds_no_death_and_no_hospice(twin: pl.DataFrame, table: pl.DataFrame) -> None:
    kept = table.filter(pl.col("all_encounters").is_not_null())[ENCOUNTER]
    places = twin.filter(pl.col(ENCOUNTER).is_in(kept.implode()))["discharge_disposition_id"]
    assert not places.is_in([11, 13, 14, 19, 20, 21]).any()


def test_one_encounter_cohort_holds_the_first_row_of_each_patient(twin: pl.DataFrame, table: pl.DataFrame) -> None:
    first = twin.filter(~pl.col("discharge_disposition_id").is_in([11, 19, 20, 21])).unique(PATIENT, keep="first", maintain_order=True)
    assert set(table.filter(pl.col("one_encounter").is_not_null())[ENCOUNTER]) == set(first[ENCOUNTER])


def test_later_encounters_come_after_every_training_encounter(table: pl.DataFrame) -> None:
    ranges = table.group_by("later_encounters").agg(pl.col(ENCOUNTER).min().alias("low"), pl.col(ENCOUNTER).max().alias("high"))
    bounds = {row["later_encounters"]: row for row in ranges.to_dicts()}
    assert bounds["train"]["high"] < bounds["test"]["low"]


def test_the_target_is_no_feature_and_race_is_no_feature() -> None:
    assert {TARGET, "readmitted", "race"}.isdisjoint(FEATURES)


def test_a_fifth_of_the_patients_is_held_out(table: pl.DataFrame) -> None:
    share = table.unique(PATIENT)[PART].eq("test").mean()
    assert share == pytest.approx(0.2, abs=0.02)


def test_a_planted_overlap_is_refused(table: pl.DataFrame) -> None:
    rows = table.filter(pl.col("all_encounters").is_not_null() & (pl.len().over(PATIENT) > 1))
    flipped = pl.when(pl.col(ENCOUNTER) == rows[ENCOUNTER][0]).then(
        pl.when(pl.col("all_encounters") == "train").then(pl.lit("test")).otherwise(pl.lit("train"))).otherwise("all_encounters")
    with pytest.raises(LeakageError, match="patient"):
        check_parts(table.with_columns(flipped.alias("all_encounters")))


def test_limiting_patients_keeps_all_their_stays(twin: pl.DataFrame) -> None:
    few = limit_patients(twin, 100, seed=0)
    assert few[PATIENT].n_unique() == 100
    assert few.height == twin.filter(pl.col(PATIENT).is_in(few[PATIENT].implode())).height


@requires_real_data("diabetes130")
def test_the_real_file_has_the_published_counts() -> None:
    loaded = load_diabetes130()
    labels = dict(loaded.frame["readmitted"].cast(pl.String).value_counts().iter_rows())
    assert labels == {"<30": 11_357, ">30": 35_545, "NO": 54_864}
    flow = cohort_flow(loaded.frame)
    assert (flow[0].encounters, flow[0].patients) == (101_766, 71_518)
    assert flow[0].encounters - flow[1].encounters == 1_652
    table = add_cohorts(loaded.frame, SETTINGS, seed=0)
    check_parts(table)
    assert table.filter(pl.col("one_encounter").is_not_null()).height == 70_439
