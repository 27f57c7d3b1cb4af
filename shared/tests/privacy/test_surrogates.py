"""The mapping and the way back, without the language model."""

import pytest

from carefolio.privacy.facts import is_drug, is_fact, is_term
from carefolio.privacy.surrogates import Mapping, StreamReidentifier


@pytest.fixture
def mapping() -> Mapping:
    known = Mapping()
    for original, kind in (("Quillon Vasterby", "PERSON"), ("Vasterby", "PERSON"), ("97-year-old", "AGE_OVER_89"),
                           ("MV-77", "MRN"), ("MV 77", "MRN")):
        known.surrogate_for(original, kind)
    return known


def test_forms_of_one_identifier_share_its_number(mapping):
    assert mapping.surrogates() == ("[PERSON_1]", "[PERSON_1a]", "[AGE_OVER_89_1]", "[MRN_1]", "[MRN_1a]")
    assert mapping.surrogate_for("Vasterby", "CLINICIAN") == "[PERSON_1a]"
    assert mapping.surrogate_for("Krantwell", "PERSON") == "[PERSON_2]"


@pytest.mark.parametrize("text", ["[PERSON_1]", "[person_1]", "[Person 1]", "[ PERSON_1 ]"])
def test_what_a_language_model_does_to_a_surrogate_does_not_matter(mapping, text):
    assert mapping.reidentify(f"Dear {text}.") == "Dear Quillon Vasterby."


@pytest.mark.parametrize("text", ["[PERSON_9]", "[PERSON_1b]", "PERSON_1", "[PERSON]", "[see note 4]", "[1]", "["])
def test_an_unknown_surrogate_stays(mapping, text):
    assert mapping.reidentify(text) == text


@pytest.mark.parametrize("size", range(1, 20))
def test_a_stream_cut_anywhere_gives_the_whole(mapping, size):
    text = "Hi [PERSON_1] [PERSON_1a], [age over 89 1], [not one, [MRN_1][MRN_1a] x[ [" + "[A" * 30 + " [PERSON_"
    stream = StreamReidentifier(mapping)
    out = "".join(stream.feed(text[start:start + size]) for start in range(0, len(text), size)) + stream.close()
    assert out == mapping.reidentify(text)
    assert "97-year-old" in out


def test_a_stream_holds_back_no_more_than_a_surrogate(mapping):
    stream = StreamReidentifier(mapping)
    assert stream.feed("Dear [PERS") == "Dear "
    assert stream.feed("ON_1], hello") == "Quillon Vasterby, hello"
    assert "Vasterby" not in repr(stream)


def test_numbers_that_stand_in_the_text_are_not_given_out():
    known = Mapping()
    known.reserve("see [PERSON_1] and [person 2]")
    assert known.surrogate_for("Quillon", "PERSON") == "[PERSON_3]"


def test_scrubbing_replaces_whole_words_only(mapping):
    scrubbed = mapping.scrub("quillon  vasterby, Vasterbyson, Vasterby's MV-77; MV-771")
    assert scrubbed == "[PERSON_1], Vasterbyson, [PERSON_1]'s [MRN_1]; MV-771"


def test_twenty_seven_forms_have_twenty_seven_surrogates():
    known = Mapping()
    forms = ["Quillon" + " " * blanks + "V." for blanks in range(1, 29)]
    surrogates = [known.surrogate_for(form, "PERSON") for form in forms]
    assert len(set(surrogates)) == 28
    assert (surrogates[0], surrogates[26], surrogates[27]) == ("[PERSON_1]", "[PERSON_1z]", "[PERSON_1aa]")
    assert [known.reidentify(one) for one in surrogates] == forms


def test_facts():
    assert is_fact("Ferriman-Gallwey")
    assert is_fact("Vasterby", "'s disease")
    assert is_fact("Vasterby", " score")
    assert not is_fact("Vasterby", ", score")
    assert not is_fact("Quillon Parkinson")
    assert is_drug("Lisinopril")
    assert not is_drug("Tide")
    assert is_term("Virginia")
    assert not is_term("Virginia", regions=False)
