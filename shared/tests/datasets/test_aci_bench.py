import polars as pl
import pytest

from carefolio.datasets.aci_bench import METADATA_COLUMNS, TEXT_COLUMNS, load_aci_bench, name_spans, visit_frame
from carefolio.exceptions import DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data


def tables(encounter: str = "D1") -> tuple[pl.DataFrame, pl.DataFrame]:
    texts = pl.DataFrame([["aci", "D1", "[doctor] hi", "Cough."]], schema=dict.fromkeys(TEXT_COLUMNS, pl.String), orient="row")
    row = ["aci", encounter, "V1", "", "male", "61", "Quillon", " ", "cough", None]
    return texts, pl.DataFrame([row], schema=dict.fromkeys(METADATA_COLUMNS, pl.String), orient="row")


@requires_real_data("aci_bench")
def test_the_visits_are_loaded():
    loaded = load_aci_bench()
    assert loaded.frame["part"].value_counts(sort=True).rows() == [("train", 67), ("test1", 40), ("valid", 20)]
    assert loaded.frame["note"].null_count() == 0
    assert loaded.frame["patient_age"].drop_nulls().is_between(0, 120).all()
    assert loaded.provenance.licence == "CC BY 4.0"


def test_blank_names_are_missing():
    row = visit_frame(*tables(), part="train").row(0, named=True)
    assert (row["patient_firstname"], row["patient_familyname"], row["doctor_name"], row["patient_age"]) == ("Quillon", None, None, 61)


def test_metadata_of_other_visits_is_refused():
    with pytest.raises(SchemaError, match="part 'train' must be of the same visits"):
        visit_frame(*tables("D2"), part="train")


def test_a_missing_column_is_named():
    texts, metadata = tables()
    with pytest.raises(SchemaError, match="first 'note'"):
        visit_frame(texts.drop("note"), metadata, part="train")


def test_names_are_found_where_they_name_someone():
    text = "Mr. Young saw dr. price. quillon young is young; the price, Price."
    spans = [(kind, text[start:end]) for kind, start, end in name_spans(text, first="Quillon", family="Young", doctor="Dr. Price")]
    assert spans == [("PATIENT", "Young"), ("DOCTOR", "price"), ("PATIENT", "quillon young"), ("DOCTOR", "Price")]
    assert name_spans(text, first=None, family=None, doctor=None) == []


def test_without_the_files_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match="carefolio data fetch aci_bench"):
        load_aci_bench()
