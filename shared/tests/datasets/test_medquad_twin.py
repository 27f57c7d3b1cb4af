import polars as pl
import pytest

from carefolio.datasets.medquad import COLUMNS, load_medquad
from carefolio.datasets.medquad_twin import CONDITIONS, QUESTIONS, make_medquad_twin
from carefolio.exceptions import DataUnavailableError


def test_the_twin_has_the_columns_of_the_real_table_and_four_questions_a_condition():
    twin = make_medquad_twin(0)
    assert twin.columns == list(COLUMNS)
    assert set(twin.dtypes) == {pl.String()}
    assert twin.height == len(CONDITIONS) * len(QUESTIONS) == 60
    assert twin["question"].n_unique() == 60
    assert twin["answer"].n_unique() == 60
    assert twin["document"].is_sorted()


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_medquad_twin(1).equals(make_medquad_twin(1))
    assert not make_medquad_twin(1).equals(make_medquad_twin(2))


def test_nobody_can_take_it_for_a_page_of_a_publisher():
    twin = make_medquad_twin(0)
    assert twin["source"].unique().to_list() == ["Synthetic"]
    assert twin["url"].str.starts_with("https://example.org/").all()
    about = twin.filter(pl.col("question_type") == "information")["answer"]
    assert about.str.contains("made-up problem", literal=True).all()
    assert about.str.contains("It is not a real illness.", literal=True).all()


def test_it_has_the_clutter_of_the_real_table():
    twin = make_medquad_twin(0)
    assert twin.null_count().row(0) == (0, 0, 0, 4, 0, 0, 0, 0)
    signs = twin.filter(pl.col("question_type") == "symptoms")["answer"]
    assert signs.str.contains("Key Points", literal=True).all()
    assert (signs.str.count_matches(r"\s{2,}- ") == 4).all()
    assert twin.filter(pl.col("question_type") == "causes")["answer"].str.starts_with("What causes ").all()


def test_the_loader_gives_it_only_where_it_is_allowed(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_medquad()
    loaded = load_medquad(allow_synthetic=True, random_state=3)
    assert loaded.frame.equals(make_medquad_twin(3))
    assert (loaded.provenance.origin, loaded.provenance.rows) == ("synthetic", 60)
    assert "SYNTHETIC DATA: 60 generated questions and answers stand in for medquad" in capsys.readouterr().err
