import pytest

from carefolio.datasets.asq_phi import half_of, load_asq_phi, load_published_metrics, parse_queries
from carefolio.exceptions import DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

QUERY = ('===QUERY===\nIs Quillon V. well?\n===PHI_TAGS===\n{"identifier_type": "NAME", "value": "Quillon V."}\n\n'
         '===QUERY===\nAspirin?\n===PHI_TAGS===\n')


@requires_real_data("asq_phi")
def test_the_odd_half_is_loaded_with_its_tags():
    frame = load_asq_phi().frame
    assert frame.height == 526
    assert frame["identifiers"].list.len().sum() == 1_479
    assert (frame["identifiers"].list.len() == 0).sum() == 112
    assert frame["half"].value_counts(sort=True).rows() == [("development", 269), ("report", 257)]


@requires_real_data("asq_phi")
def test_the_published_figures_are_those_of_the_article():
    first = load_published_metrics().row(0)
    assert first == (0.0, pytest.approx(1 - 43 / 2973), pytest.approx(197 / 219))


def test_the_form_is_read():
    assert parse_queries(QUERY) == [("Is Quillon V. well?", [{"identifier_type": "NAME", "value": "Quillon V."}]), ("Aspirin?", [])]


@pytest.mark.parametrize(("change", "said"), [
    (("Is Quillon V. well?", "Is he well?"), "query 0 does not hold the value of its NAME tag"),
    (('"NAME"', '"NAMES"'), "query 0 has a tag of an unknown form or type"),
    (('{"identifier_type"', '{identifier_type'), "query 0 has a tag that is not JSON"),
    (("Aspirin?\n===PHI_TAGS===\n", "Aspirin?"), "query 1 has no text or no line"),
])
def test_a_fault_is_named_with_its_query(change, said):
    with pytest.raises(SchemaError, match=said):
        parse_queries(QUERY.replace(*change))


def test_a_text_is_always_in_the_same_half():
    assert {half_of(f"text {number}") for number in range(20)} == {"development", "report"}
    assert half_of("abc") == half_of("abc") == "development"


def test_without_the_file_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match="carefolio data fetch asq_phi"):
        load_asq_phi()
