import pytest

from carefolio.datasets.presidio_synth import load_presidio_synth, sentence_frame
from carefolio.exceptions import DataUnavailableError, SchemaError
from carefolio.testing import requires_real_data

RECORD = {"full_text": "Ask Quillon.", "template_id": 7,
          "spans": [{"entity_type": "PERSON", "entity_value": "Quillon", "start_position": 4, "end_position": 11}]}


@requires_real_data("presidio_synth")
def test_the_sentences_are_loaded_and_a_template_is_in_one_half():
    frame = load_presidio_synth().frame
    assert (frame.height, frame["template"].n_unique()) == (1_500, 209)
    assert frame["identifiers"].list.len().sum() == 2_863
    assert frame.select("template", "half").unique().height == 209


def test_a_record_is_read():
    assert sentence_frame([RECORD]).row(0, named=True)["identifiers"] == [{"identifier_type": "PERSON", "start": 4, "end": 11}]


def test_a_span_that_does_not_hold_its_value_is_named():
    with pytest.raises(SchemaError, match=r"sentence 0 has a PERSON span \(4, 11\)"):
        sentence_frame([RECORD | {"full_text": "Ask  Quillon."}])


def test_a_record_without_a_field_is_named():
    with pytest.raises(SchemaError, match="sentence 1 lacks 'template_id'"):
        sentence_frame([RECORD, {key: value for key, value in RECORD.items() if key != "template_id"}])


def test_without_the_file_the_error_says_what_to_do(cache, monkeypatch):
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    with pytest.raises(DataUnavailableError, match="carefolio data fetch presidio_synth"):
        load_presidio_synth()
