"""Columnar features against the same features in plain Python, and that no row sees what came after it."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from carefolio.datasets.diabetes130 import DRUGS, load_diabetes130
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.testing import requires_real_data
from readmission.features import CATEGORICAL, ENCOUNTER, FEATURES, NUMERIC, PATIENT, build_features
from readmission.one_row import build_one

LAST = ("last_stay_returned", "last_los_days", "last_medications", "last_lab_procedures", "last_inpatient_stays_1y",
        "last_emergency_visits_1y", "last_discharge_to", "same_group_as_last")
TWIN = make_diabetes130_twin(400, 3)


def row_by_row(encounters: pl.DataFrame) -> pl.DataFrame:
    """Call `build_one` once a row, the patient's earlier stays in order."""
    earlier: dict[int, list[dict[str, Any]]] = {}
    records = []
    for encounter in encounters.sort(PATIENT, ENCOUNTER).to_dicts():
        past = earlier.setdefault(encounter[PATIENT], [])
        records.append({ENCOUNTER: encounter[ENCOUNTER], PATIENT: encounter[PATIENT]} | build_one(encounter, past))
        past.append(encounter)
    types = {ENCOUNTER: pl.Int64, PATIENT: pl.Int64} | dict.fromkeys(NUMERIC, pl.Float32) | dict.fromkeys(CATEGORICAL, pl.String)
    return pl.DataFrame(records, schema=types, strict=False)


def one_patient(*stays: dict[str, Any]) -> pl.DataFrame:
    """Give stays of one patient, ordinary but for the given values."""
    ordinary = TWIN.head(1).drop(ENCOUNTER).to_dicts()[0]
    rows = [ordinary | {ENCOUNTER: 10 * (i + 1)} | stay for i, stay in enumerate(stays)]
    return pl.DataFrame(rows, schema=TWIN.schema)


def test_features_equal_the_plain_reference_on_the_twin() -> None:
    encounters = make_diabetes130_twin(2_000, 1)
    assert_frame_equal(build_features(encounters), row_by_row(encounters), check_exact=True)


@pytest.mark.real_data
@requires_real_data("diabetes130")
def test_features_equal_the_plain_reference_on_every_real_row() -> None:
    encounters = load_diabetes130().frame
    features = build_features(encounters)
    assert features.height == 101_766
    assert_frame_equal(features, row_by_row(encounters), check_exact=True)


def test_history_by_hand() -> None:
    frame = one_patient(
        {"time_in_hospital": 3, "readmitted": "<30", "diag_1": "428", "num_medications": 11, "discharge_disposition_id": 3},
        {"time_in_hospital": 5, "readmitted": ">30", "diag_1": "410.1", "num_medications": 12},
        {"time_in_hospital": 2, "readmitted": "NO", "diag_1": None})
    found = build_features(frame)
    assert found["earlier_stays"].to_list() == [0, 1, 2]
    assert found["earlier_returns"].to_list() == [0, 1, 1]
    assert found["last_stay_returned"].to_list() == [None, 1, 0]
    assert found["earlier_bed_days"].to_list() == [0, 3, 8]
    assert found["last_los_days"].to_list() == [None, 3, 5]
    assert found["last_medications"].to_list() == [None, 11, 12]
    assert found["last_discharge_to"].to_list()[:2] == [None, "3"]
    assert found["same_group_as_last"].to_list() == [None, 1, None]


def test_medication_and_visits_by_hand() -> None:
    drugs = dict.fromkeys(DRUGS, "No")
    found = build_features(one_patient(drugs | {
        "metformin": "Up", "insulin": "Down", "glipizide": "Steady", "age": "[70-80)", "number_outpatient": 1, "number_emergency": 2,
        "number_inpatient": 4})).to_dicts()[0]
    assert (found["drugs_taken"], found["drugs_increased"], found["drugs_decreased"]) == (3, 1, 1)
    assert (found["age_years"], found["visits_1y"], found["insulin"]) == (75, 7, "Down")


def test_the_first_stay_has_no_history_whoever_stands_above_it() -> None:
    found = build_features(TWIN)
    first = found.filter(pl.int_range(pl.len()).over(PATIENT) == 0)
    assert first.height == TWIN[PATIENT].n_unique() > 1
    for name in LAST:
        assert first[name].null_count() == first.height
    for name in ("earlier_stays", "earlier_returns", "earlier_bed_days"):
        assert first[name].to_list() == [0] * first.height


def cut_at(quantile: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    limit = TWIN[ENCOUNTER].quantile(quantile, interpolation="nearest")
    return TWIN.filter(pl.col(ENCOUNTER) <= limit), TWIN.filter(pl.col(ENCOUNTER) > limit)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.05, 0.95), st.integers(0, 2**16))
def test_later_stays_leave_earlier_rows_unchanged(quantile: float, seed: int) -> None:
    """Take later rows away, or exchange all their values but the ids; rows up to the cut must not notice."""
    early, late = cut_at(quantile)
    expected = build_features(early)
    strange = late.sample(late.height, with_replacement=True, seed=seed).with_columns(late[ENCOUNTER], late[PATIENT])
    for later in (late, strange):
        found = build_features(pl.concat([later, early])).filter(pl.col(ENCOUNTER).is_in(early[ENCOUNTER].implode()))
        assert_frame_equal(found, expected, check_exact=True)


@pytest.mark.parametrize("label", ["NO", ">30", "<30"])
def test_a_row_does_not_see_its_own_outcome(label: str) -> None:
    last = pl.col(ENCOUNTER) == pl.col(ENCOUNTER).max().over(PATIENT)
    other = pl.lit(label, dtype=TWIN["readmitted"].dtype)
    changed = TWIN.with_columns(pl.when(last).then(other).otherwise("readmitted").alias("readmitted"))
    assert_frame_equal(build_features(changed), build_features(TWIN), check_exact=True)


def test_an_earlier_outcome_is_seen_by_the_later_stay() -> None:
    """The guard above would pass on features that never look back."""
    returned, stayed_away = (build_features(one_patient({"readmitted": label}, {})) for label in ("<30", "NO"))
    assert returned["last_stay_returned"].to_list() == [None, 1]
    assert stayed_away["last_stay_returned"].to_list() == [None, 0]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**16))
def test_order_of_the_input_rows_does_not_matter(seed: int) -> None:
    assert_frame_equal(build_features(TWIN.sample(fraction=1, shuffle=True, seed=seed)), build_features(TWIN), check_exact=True)


def test_other_patients_do_not_matter() -> None:
    patients = TWIN[PATIENT].unique().sort()[:50].implode()
    alone = TWIN.filter(pl.col(PATIENT).is_in(patients))
    assert_frame_equal(build_features(alone), build_features(TWIN).filter(pl.col(PATIENT).is_in(patients)), check_exact=True)


def test_features_hold_neither_outcome_nor_race() -> None:
    found = build_features(TWIN)
    assert found.columns == [ENCOUNTER, PATIENT, *FEATURES]
    assert not {"readmitted", "race", "weight"} & set(found.columns)
