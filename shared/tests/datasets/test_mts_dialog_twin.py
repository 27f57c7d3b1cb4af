import hashlib

import polars as pl
import pytest

from carefolio.datasets.mts_dialog import load_mts_dialog, validate_mts_dialog
from carefolio.datasets.mts_dialog_twin import SIZES, make_mts_dialog_twin
from carefolio.exceptions import DataUnavailableError
from carefolio.metrics.faithfulness import numbers_not_in


def test_the_twin_passes_the_schema_and_has_the_announced_sizes():
    twin = validate_mts_dialog(make_mts_dialog_twin(0))
    assert dict(twin.group_by("part").len().rows()) == SIZES
    assert twin["section_header"].n_unique() == 10


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_mts_dialog_twin(1).equals(make_mts_dialog_twin(1))
    assert not make_mts_dialog_twin(1).equals(make_mts_dialog_twin(2))


def test_a_section_says_no_number_that_its_conversation_does_not():
    twin = make_mts_dialog_twin(0)
    found = [numbers_not_in(row["dialogue"], row["section_text"]) for row in twin.iter_rows(named=True)]
    assert not any(found)
    assert sum(any(character.isdigit() for character in text) for text in twin["section_text"]) > 40


def test_both_speakers_are_heard_in_every_conversation():
    twin = make_mts_dialog_twin(0)
    assert twin["dialogue"].str.contains("Patient: ").all()
    assert twin["dialogue"].str.starts_with("Doctor: ").all()


def test_without_data_the_twin_needs_leave_and_says_what_it_is(cache, monkeypatch, capsys):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError):
        load_mts_dialog()
    loaded = load_mts_dialog(allow_synthetic=True, random_state=3)
    assert capsys.readouterr().err.startswith("SYNTHETIC DATA: 90 generated conversations stand in for mts_dialog")
    twin = make_mts_dialog_twin(3)
    assert loaded.frame.equals(twin)
    assert (loaded.provenance.origin, loaded.provenance.rows) == ("synthetic", 90)
    assert loaded.provenance.sha256 == hashlib.sha256(twin.write_csv().encode()).hexdigest()
    assert loaded.frame.schema == twin.schema == load_mts_dialog(allow_synthetic=True).frame.schema
    assert loaded.frame["part"].dtype == pl.Enum(list(SIZES))
