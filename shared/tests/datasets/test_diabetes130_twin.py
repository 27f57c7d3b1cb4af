import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from carefolio.datasets.diabetes130 import DRUGS, column_types, validate_diabetes130
from carefolio.datasets.diabetes130_twin import make_diabetes130_twin


@pytest.fixture(scope="module")
def twin():
    return make_diabetes130_twin(12_000, 0)


def test_the_twin_passes_the_schema_of_the_real_table(twin):
    assert dict(validate_diabetes130(twin).schema) == column_types()


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_diabetes130_twin(200, 1).equals(make_diabetes130_twin(200, 1))
    assert not make_diabetes130_twin(200, 1).equals(make_diabetes130_twin(200, 2))


def test_patients_have_several_encounters_and_keep_their_race(twin):
    by_patient = twin.group_by("patient_nbr").agg(pl.len(), pl.col("race").n_unique().alias("races"))
    assert by_patient.height == 12_000
    assert 1.25 < twin.height / by_patient.height < 1.6
    assert by_patient["races"].max() == 1


def test_nobody_comes_back_after_death_or_hospice(twin):
    ended = twin["discharge_disposition_id"].is_in([11, 13, 14])
    last = twin["encounter_id"] == twin.select(pl.col("encounter_id").max().over("patient_nbr")).to_series()
    assert ended.sum() > 100
    assert last.filter(ended).all()
    assert (twin["readmitted"].filter(ended) == "NO").all()


def test_the_marginals_are_plausible(twin):
    share = (twin["readmitted"] == "<30").mean()
    assert 0.08 < share < 0.15
    assert 0.70 < (twin["diabetesMed"] == "Yes").mean() < 0.85
    assert twin["weight"].null_count() / twin.height > 0.9


@pytest.mark.parametrize("column", ["number_inpatient", "age"])
def test_the_stated_risk_factors_raise_the_risk(twin, column):
    living = twin.filter(~pl.col("discharge_disposition_id").is_in([11, 13, 14]))
    auroc = roc_auc_score(living["readmitted"] == "<30", living[column].to_physical())
    assert auroc > 0.53


def test_noise_columns_do_not_rank_the_outcome(twin):
    auroc = roc_auc_score(twin["readmitted"] == "<30", twin["num_lab_procedures"])
    assert abs(auroc - 0.5) < 0.03


def test_treatment_columns_agree_with_each_other(twin):
    taken = np.any([(twin[drug] != "No").to_numpy() for drug in DRUGS], axis=0)
    adjusted = np.any([twin[drug].is_in(["Up", "Down"]).to_numpy() for drug in DRUGS], axis=0)
    assert ((twin["diabetesMed"] == "Yes").to_numpy() == taken).all()
    assert (twin["change"] == "Ch").to_numpy()[adjusted].all()


def test_no_patients_is_refused():
    with pytest.raises(ValueError, match="n_patients must be at least 1; got 0"):
        make_diabetes130_twin(0, 0)


def test_one_patient_is_enough():
    assert validate_diabetes130(make_diabetes130_twin(1, 0)).height >= 1
