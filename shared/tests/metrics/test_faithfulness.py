import pytest

from carefolio.metrics.faithfulness import Finding, laterality_flips, negation_flips, numbers_not_in, terms_not_in, unsupported

VISIT = """Doctor: How old are you? Patient: I am seventy six. Doctor: Any fever? Patient: No, none.
Doctor: Do you have chest pain? Patient: Yes, on the left side. Doctor: And nausea? Patient: Hard to say.
Patient: I take lisinopril twenty milligrams and my right knee hurts. I don't smoke.
My blood pressure was one forty over ninety on March 4, 2024."""


def said(findings):
    return [finding.text for finding in findings]


@pytest.mark.parametrize("candidate", [
    "A 76-year-old on lisinopril 20 mg.", "BP 140/90 on 3/4/2024.", "BP 140/90 on March 4.", "Seen in March 2024.", "Seen in 2024.",
    "Systolic pressure of 140.", "No one saw her.", "1. Knee pain", "0.02 g lisinopril", "",
])
def test_numbers_that_the_source_holds_are_not_found(candidate):
    assert numbers_not_in(VISIT, candidate) == []


@pytest.mark.parametrize(("candidate", "expected"), [
    ("lisinopril 40 mg", ["40 mg"]), ("lisinopril 20 mcg", ["20 mcg"]), ("lisinopril 20-40 mg", ["40 mg"]), ("20 mg/kg", ["20 mg/kg"]),
    ("a 67-year-old", ["67-year"]), ("76 mg", ["76 mg"]), ("BP 140/80", ["140/80"]),
    ("March 5, 2024", ["March 5, 2024"]), ("in 2023", ["2023"]),
    ("one tablet", ["one tablet"]), ("lisinopril 2.0 mg", ["2.0 mg"]),
])
def test_numbers_that_the_source_does_not_hold_are_found(candidate, expected):
    assert said(numbers_not_in(VISIT, candidate)) == expected


def test_terms_are_whole_words_of_any_case_and_the_longest_wins():
    terms = ["Aspirin", "lisinopril", "heart failure", "heart", "stroke"]
    candidate = "LISINOPRIL, aspirins; Heart  failure, heartily, strokes."
    assert said(terms_not_in(VISIT, candidate, terms=terms)) == ["aspirins", "Heart  failure", "strokes"]
    names = {"aspirin": "aspirin", "ecotrin": "aspirin", "plavix": "clopidogrel"}
    assert said(terms_not_in("Takes Aspirin.", "Takes Ecotrin and Plavix.", terms=names)) == ["Plavix"]
    assert terms_not_in(VISIT, "aspirin", terms=[]) == terms_not_in(VISIT, "", terms=terms) == []


@pytest.mark.parametrize(("candidate", "expected"), [
    ("She reports fever.", ["fever"]), ("She denies chest pain.", ["chest", "pain"]), ("She smokes, has no fever.", ["smokes"]),
    ("No fever. Chest pain. Does not smoke.", []), ("Nausea.", []), ("No nausea.", []), ("No rash.", []), ("", []),
    ("Denies cough, fever and rash but has chest pain.", []), ("She has not had fever.", []), ("Fever: denied.", []),
    ("No lisinopril taken.", ["lisinopril"]),
])
def test_negations_that_are_turned_round_are_found(candidate, expected):
    assert said(negation_flips(VISIT, candidate)) == expected


def test_a_word_that_the_source_both_affirms_and_negates_is_not_judged():
    source = "No pain at rest. Pain on walking."
    assert negation_flips(source, "No pain.") == negation_flips(source, "Pain.") == []


@pytest.mark.parametrize(("candidate", "expected"), [
    ("Left knee pain.", ["Left"]), ("Bilateral knee pain.", ["Bilateral"]), ("Right knee pain.", []), ("Left-sided chest pain.", []),
    ("Knee pain, right away.", []), ("Left ankle swelling.", []), ("Right now the chest is clear.", []), ("", []),
])
def test_sides_that_are_turned_round_are_found(candidate, expected):
    assert said(laterality_flips("Chest pain on the left side. My right knee hurts, and pain comes right after.", candidate)) == expected


def test_bilateral_covers_both_sides_and_both_sides_make_it():
    assert laterality_flips("Bilateral knees hurt.", "Left knee and right knee.") == []
    assert laterality_flips("Left knee and right knee.", "Bilateral knees.") == []
    assert said(laterality_flips("My knee hurts.", "The left knee.")) == ["left"]


def test_everything_is_found_in_the_order_of_the_text():
    candidate = "Left knee hurts; fever. Aspirin 81 mg."
    assert unsupported(VISIT, candidate, terms=["aspirin", "lisinopril"]) == [
        Finding("laterality", 0, 4, "Left"), Finding("negation", 17, 22, "fever"),
        Finding("term", 24, 31, "Aspirin"), Finding("number", 32, 37, "81 mg")]
    assert all(candidate[finding.start:finding.end] == finding.text for finding in unsupported(VISIT, candidate, terms=["aspirin"]))


@pytest.mark.parametrize("text", [VISIT, VISIT.upper(), "",
                                  "Füße: 5 mg, keine Schmerzen. 左膝の痛み。 İ ǅ ﬁ", "no left knee pain 5 mg. " * 200])
def test_a_text_supports_itself(text):
    assert unsupported(text, text, terms=["lisinopril"]) == []


def test_case_and_blanks_do_not_change_what_is_found():
    candidate = "Left knee hurts; fever. Aspirin 81 mg."
    kinds = [finding.kind for finding in unsupported(VISIT, candidate, terms=["aspirin"])]
    assert [finding.kind for finding in unsupported(VISIT.upper(), candidate.replace(" ", "  ").upper(), terms=["ASPIRIN"])] == kinds


@pytest.mark.parametrize("unit", ["no left knee pain 5 mg. ", "\u200bé \u0301", "a"])
def test_a_long_text_is_read(unit):
    long = unit * (200_000 // len(unit))
    assert unsupported(long, long, terms=["aspirin"]) == []
