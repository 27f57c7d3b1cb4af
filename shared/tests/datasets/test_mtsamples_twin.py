import pytest

from carefolio.datasets.mtsamples import load_mtsamples, validate_mtsamples
from carefolio.datasets.mtsamples_twin import HEADINGS, TOPICS, make_mtsamples_twin
from carefolio.exceptions import DataUnavailableError


@pytest.mark.parametrize("seed", range(3))
def test_the_twin_passes_the_schema_and_has_the_announced_sizes(seed):
    twin = validate_mtsamples(make_mtsamples_twin(seed))
    assert twin.height == 120
    assert dict(twin.group_by("specialty").len().rows()) == dict.fromkeys(TOPICS, 20)
    assert twin.group_by("group").len()["len"].to_list() == [2] * 60


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_mtsamples_twin(1).equals(make_mtsamples_twin(1))
    assert not make_mtsamples_twin(1).equals(make_mtsamples_twin(2))


def test_it_has_the_traps_of_the_real_table():
    twin = make_mtsamples_twin(0)
    assert twin["specialties"].list.len().sort().to_list() == [1] * 24 + [2] * 96
    assert set(twin["specialties"].explode()) == set(TOPICS) | set(HEADINGS)
    assert twin["keywords"].null_count() == 30
    assert twin["sample_name"].str.contains(r" - [12]$").all()
    assert twin.group_by("group").agg(labels=twin["specialty"].n_unique())["labels"].min() == 6


def test_nobody_can_take_it_for_a_report():
    twin = make_mtsamples_twin(0)
    assert twin["text"].str.starts_with("MADE-UP REPORT ").all()
    assert twin["sample_name"].str.starts_with("Made-up ").all()
    assert twin["description"].str.starts_with("Made-up visit ").all()


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_mtsamples()
    loaded = load_mtsamples(allow_synthetic=True, random_state=3)
    assert capsys.readouterr().err.startswith("SYNTHETIC DATA: 120 generated reports stand in for mtsamples")
    twin = make_mtsamples_twin(3)
    assert loaded.frame.equals(twin)
    assert loaded.frame.schema == twin.schema
    assert (loaded.provenance.origin, loaded.provenance.rows, len(loaded.provenance.sha256)) == ("synthetic", 120, 64)
    assert loaded.provenance.sha256 != load_mtsamples(allow_synthetic=True, random_state=4).provenance.sha256
