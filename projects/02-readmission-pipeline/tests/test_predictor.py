"""One row at a time gives what the columns give; the seal of the model is checked; a risk is the sum of its parts."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carefolio.artefacts import verify_seal
from carefolio.config import project_home
from carefolio.datasets.diabetes130 import COLUMNS, LABELS, RANGES, column_types, load_diabetes130
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
from carefolio.exceptions import ArtefactError
from carefolio.testing import requires_real_data
from readmission.config import FOLDER
from readmission.data import DIED, HOSPICE
from readmission.features import ENCOUNTER, FEATURES, PATIENT, build_features
from readmission.model import MANIFEST_FILE, MODEL_FILE
from readmission.predictor import Columns, Predictor
from readmission.schemas import FIRST_STAY, RETURNING, EarlierEncounter, Encounter, PatientStay, published_codes

DIAGNOSES = (None, "8", "250", "250.83", "428", "486", "584", "V45", "E888", "174", "197", "571", "0")


@pytest.fixture(scope="session")
def predictor(small_run: Path) -> Predictor:
    """Give the small run's model."""
    return Predictor.load(small_run / "artefacts")


def request_of(encounter: dict[str, Any], earlier: list[dict[str, Any]]) -> PatientStay:
    """Make a request of rows of the table, as a client would."""
    def taken(row: dict[str, Any], model: type[Encounter] | type[EarlierEncounter]) -> dict[str, Any]:
        names = {field.alias or name for name, field in model.model_fields.items()}
        return {name: value for name, value in row.items() if name in names}

    past = [taken(row, EarlierEncounter) | {"returned_within_30_days": row["readmitted"] == "<30"} for row in earlier]
    return PatientStay.model_validate({"encounter": taken(encounter, Encounter), "earlier_encounters": past})


def requests_of(encounters: pl.DataFrame) -> Iterator[tuple[int, Columns]]:
    """Go through all stays that the API takes, with the id of each."""
    for patient in encounters.sort(PATIENT, ENCOUNTER).partition_by(PATIENT, maintain_order=True):
        rows = patient.to_dicts()
        for i, row in enumerate(rows):
            died_before = any(past["discharge_disposition_id"] in DIED for past in rows[:i])
            if row["discharge_disposition_id"] not in (*DIED, *HOSPICE) and not died_before:
                yield row[ENCOUNTER], request_of(row, rows[:i]).columns()


def largest_difference(predictor: Predictor, encounters: pl.DataFrame) -> tuple[float, int]:
    """Compare the API's way with the pipeline's way on every stay; give the largest difference and the number of stays."""
    features = build_features(encounters)
    columnar = dict(zip(features[ENCOUNTER].to_list(), predictor.model.predict(features).tolist(), strict=True))
    stays = list(requests_of(encounters))
    risks = predictor.predict([columns for _, columns in stays])
    return max(abs(risk - columnar[name]) for (name, _), risk in zip(stays, risks, strict=True)), len(stays)


def test_one_row_equals_columns_on_the_twin(predictor: Predictor) -> None:
    difference, stays = largest_difference(predictor, make_diabetes130_twin(800, 11))
    assert difference < 1e-9
    assert stays > 800


@requires_real_data("diabetes130")
def test_one_row_equals_columns_on_real_patients(predictor: Predictor) -> None:
    encounters = load_diabetes130().frame
    patients = encounters.filter(pl.len().over(PATIENT) > 1)[PATIENT].unique().sort().sample(600, seed=3)
    difference, stays = largest_difference(predictor, encounters.filter(pl.col(PATIENT).is_in(patients.implode())))
    assert difference < 1e-9
    assert stays > 1200


def any_value(column: str) -> st.SearchStrategy[Any]:
    if column in LABELS:
        return st.sampled_from((*LABELS[column], *((None,) if column in ("race", "weight") else ())))
    if column in published_codes():
        codes = [code for code in published_codes()[column] if code not in (*DIED, *HOSPICE) or column != "discharge_disposition_id"]
        return st.sampled_from([*codes, None] if isinstance(codes[0], str) else codes)
    return st.sampled_from(DIAGNOSES) if column.startswith("diag_") else st.integers(*RANGES[column])


ANY_ENCOUNTER = st.fixed_dictionaries({column: any_value(column) for column in COLUMNS if column not in (ENCOUNTER, PATIENT)})


@settings(max_examples=60, deadline=None, derandomize=True)
@given(stays=st.lists(ANY_ENCOUNTER, min_size=1, max_size=4))
def test_one_row_equals_columns_on_any_history(predictor: Predictor, stays: list[dict[str, Any]]) -> None:
    rows = [stay | {ENCOUNTER: i + 1, PATIENT: 1} for i, stay in enumerate(stays)]
    features = build_features(pl.DataFrame(rows, schema=column_types()))
    risk = predictor.predict([request_of(rows[-1], rows[:-1]).columns()])[0]
    assert risk == pytest.approx(predictor.model.predict(features)[-1], abs=1e-9)


def test_batch_equals_one_by_one(predictor: Predictor) -> None:
    stays = [PatientStay.model_validate(example).columns() for example in (FIRST_STAY, RETURNING)]
    assert predictor.predict(stays) == [predictor.predict([stay])[0] for stay in stays]


def test_earlier_stays_change_the_risk(predictor: Predictor) -> None:
    encounter, earlier = PatientStay.model_validate(RETURNING).columns()
    with_history, without = predictor.predict([(encounter, earlier), (encounter, [])])
    assert with_history != without


def test_contributions_sum_to_the_log_odds_of_the_risk(predictor: Predictor) -> None:
    stay = PatientStay.model_validate(RETURNING).columns()
    explained = predictor.explain(stay)
    risk = predictor.predict([stay])[0]
    assert explained.baseline + explained.contributions.sum() == pytest.approx(np.log(risk / (1 - risk)), abs=1e-9)
    assert explained.risk == pytest.approx(risk, abs=1e-9)
    assert {reason["feature"] for reason in explained.reasons} == set(FEATURES)
    sizes = [abs(reason["log_odds"]) for reason in explained.reasons]
    assert sizes == sorted(sizes, reverse=True)


def test_check_notices_a_model_that_changed_in_memory(predictor: Predictor) -> None:
    predictor.check()
    with pytest.raises(ArtefactError, match="start the server again"):
        replace(predictor, expected=(0.5, 0.5)).check()


@pytest.mark.parametrize("name", [MODEL_FILE, MANIFEST_FILE])
def test_altered_model_is_not_loaded(small_run: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(small_run / "artefacts", tmp_path / "artefacts")
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content.replace(b"0.", b"1.", 1))
    with pytest.raises(ArtefactError, match="SHA-256"):
        Predictor.load(folder)


def test_committed_model_loads_and_its_seal_holds() -> None:
    folder = project_home(FOLDER) / "artefacts"
    assert (folder / MODEL_FILE).is_file(), f"{folder} holds no {MODEL_FILE}; `readmission run` on the real data writes it"
    assert Predictor.load(folder).sha256 == verify_seal(folder / MODEL_FILE)
