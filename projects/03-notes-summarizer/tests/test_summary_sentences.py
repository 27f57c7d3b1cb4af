"""Sentences: where they begin and end, who says them, and what leaves of identifiers."""

import pytest

from carefolio.privacy.firewall import Entity
from notes_summarizer.summary.sentences import LONGEST, Sentence, after_heading, heading_of, is_conversation, split_sentences

NOTE = """CHIEF COMPLAINT: Cough.
HISTORY OF PRESENT ILLNESS
A 54-year-old man seen at 8 a.m. today for a cough of approx. 3 weeks. He takes lisinopril 2.5 mg p.o. b.i.d. Vitamin D. He denies fever.
"No blood," he says! He was told about it by the nurse of the ward who had been on duty that
night and the day before.

MEDICATIONS:
1. Lisinopril 20 mg daily.
2. Metformin 500 mg
- aspirin 81 mg
  \u2022 fish oil
Plan: 1. Start X-ray. 2. Stop smoking.
"""


def texts(note: str) -> list[str]:
    return [sentence.text for sentence in split_sentences(note)]


def test_offsets_are_those_of_the_original_and_nothing_is_lost() -> None:
    sentences = split_sentences(NOTE)
    assert all(NOTE[sentence.start:sentence.end] == sentence.text for sentence in sentences)
    assert [sentence.number for sentence in sentences] == list(range(1, len(sentences) + 1))
    covered = "".join(sentence.text for sentence in sentences)
    assert "".join(covered.split()) == "".join(NOTE.split())


def test_stops_within_abbreviations_decimals_and_list_numbers_end_nothing() -> None:
    found = texts(NOTE)
    assert "A 54-year-old man seen at 8 a.m. today for a cough of approx. 3 weeks." in found
    assert "He takes lisinopril 2.5 mg p.o. b.i.d." in found
    assert "Vitamin D." in found
    assert "1. Lisinopril 20 mg daily." in found
    assert "Plan: 1. Start X-ray." in found


@pytest.mark.parametrize("text", ["Dr. A. Lee came.", "Mr. John A. Smith came.", "It cost no. 5 less.", "i was um... going home",
                                  "Is 0.5 enough?"])
def test_one_sentence_stays_one(text: str) -> None:
    assert texts(text) == [text]


def test_lines_end_sentences_unless_they_are_wrapped() -> None:
    found = texts(NOTE)
    assert any("had been on duty that\nnight and the day" in text for text in found)
    assert "2. Metformin 500 mg" in found
    assert "- aspirin 81 mg" in found


def test_speakers_of_both_styles_are_labels_and_not_text() -> None:
    sentences = split_sentences("Doctor: Any pain?\nPatient: No. Well, my knee.\nGuest_family: Yes.\n[doctor] okay . good .")
    assert [(one.speaker, one.text) for one in sentences] == [
        ("Doctor", "Any pain?"), ("Patient", "No."), ("Patient", "Well, my knee."), ("Family", "Yes."), ("Doctor", "okay ."),
        ("Doctor", "good .")]


def test_a_note_that_begins_with_the_patient_is_no_conversation() -> None:
    note = "Patient: 54-year-old man\nHistory: cough\nPlan: rest"
    assert not is_conversation(note)
    assert split_sentences(note)[0].text == "Patient: 54-year-old man"
    assert {one.speaker for one in split_sentences(note)} == {""}


def entity(text: str, part: str, surrogate: str) -> Entity:
    start = text.index(part)
    return Entity("PERSON", start, start + len(part), surrogate, 0.9)


def test_the_safe_form_holds_surrogates_and_no_line_breaks() -> None:
    text = "Seen by Jo Lind. Jo\nLind was late for the visit."
    entities = [entity(text, "Jo Lind", "[PERSON_1]"), entity(text, "Jo\nLind", "[PERSON_1a]")]
    sentences = split_sentences(text, entities)
    assert sentences[0].safe == "Seen by [PERSON_1]."
    assert all("Lind" not in one.safe and "\n" not in one.safe for one in sentences)


def test_an_identifier_that_spans_sentences_joins_them() -> None:
    text = "She saw Prof! Ada Lind. It was late."
    sentences = split_sentences(text, [entity(text, "Prof! Ada Lind", "[PERSON_1]")])
    assert [one.safe for one in sentences] == ["She saw [PERSON_1].", "It was late."]
    assert sentences[0].text == "She saw Prof! Ada Lind."


def test_an_identifier_that_begins_in_a_label_takes_the_label_along() -> None:
    text = "Doctor: Lind is here.\nPatient: Yes."
    sentences = split_sentences(text, [entity(text, "Doctor: Lind", "[CLINICIAN_1]")])
    assert sentences[0].safe == "[CLINICIAN_1] is here."
    assert text[sentences[0].start:sentences[0].end] == "Doctor: Lind is here."


def test_a_text_without_stops_is_cut() -> None:
    for text in ("word " * 1000, "x" * 5000):
        sentences = split_sentences(text)
        assert max(len(one.text) for one in sentences) <= LONGEST
        assert "".join("".join(one.text for one in sentences).split()) == "".join(text.split())


@pytest.mark.parametrize(("text", "heading", "rest"), [
    ("ALLERGIES: Penicillin.", "allergies", "Penicillin."), ("PAST HISTORY", "past history", ""), ("Plan: 1. Rest.", "plan", "Rest."),
    ("He said: no.", "he said", "no."), ("It hurts.", "", "It hurts."), ("- aspirin", "", "aspirin"),
])
def test_headings(text: str, heading: str, rest: str) -> None:
    assert heading_of(text) == heading
    assert after_heading(text) == rest


def test_an_empty_text_has_no_sentences() -> None:
    assert split_sentences(" \n\n") == []
    assert split_sentences("a") == [Sentence(1, 0, 1, "a", "a", "")]
