"""Names found word by word; every name here is made up for the purpose or among the most frequent of a census."""

import pytest

from carefolio.privacy.lexicon import is_foreign, is_given, is_only_word, is_surname, is_word
from carefolio.privacy.names import find_names


def named(text: str, threshold: float = 0.5) -> list[str]:
    return [text[start:end] for start, end, score in find_names(text) if score >= threshold]


@pytest.mark.parametrize(("text", "name"), [
    ("[doctor] hi , martha , how are you ?", "martha"),
    ("[doctor] alright brittany so i see", "brittany"),
    ("[patient] thanks doctor hernandez", "hernandez"),
    ("[doctor] next is angela hernandez , mrn 4", "angela hernandez"),
    ("seen with martha q. hernandez today", "martha q. hernandez"),
    ("[doctor] hey grace how are you", "grace"),
    ("The notes of Martha Vasterby came.", "Martha Vasterby"),
    ("We wrote to Quillon Hernandez.", "Quillon Hernandez"),
    ("MARTHA HERNANDEZ", "MARTHA HERNANDEZ"),
    ("It went to Ottilka van der Brenková.", "Ottilka van der Brenková"),
    ("Krantwell lives alone.", "Krantwell"),
    ("Brenka, can you hear me?", "Brenka"),
    ('"I am well," says Brenkal.', "Brenkal"),
    ('Brenka: "Who is there?"', "Brenka"),
    ("Written by Hernandez and Krantwell.", "Krantwell"),
    ("Written by Krantwell, Quillby and Hernandez.", "Krantwell"),
    ("Hernandez and Murphy agreed.", "Murphy"),
    ("Martha Young came.", "Martha Young"),
])
def test_a_name_is_found(text, name):
    assert name in named(text)


@pytest.mark.parametrize("text", [
    "Assessment and Plan", "HISTORY OF PRESENT ILLNESS", "The wound was closed with Vicryl.", "Soft, nontender.", "Swelling began today.",
    "may i see you in june", "will you mark the spot , please", "so what brings you in", "the pain rose again", "However, can it wait?",
    "HPI: She denies pain", "grace and mercy", "", "Pain is controlled.", "Hepatitis B and C",
])
def test_an_ordinary_word_is_none(text):
    assert named(text) == []


def test_what_is_joined_to_an_eponym_is_no_name():
    assert "Graves" not in named("Hashimoto and Graves disease", 0.8)
    assert "Graves" in named("Hernandez and Graves came", 0.8)


def test_names_found_otherwise_carry_over():
    text = "Brown and Krantwell came."
    assert [text[start:end] for start, end, _ in find_names(text, [(0, 5)])] == ["Krantwell"]


def test_the_lexicon_tells_names_from_words():
    assert is_given("Martha", certain=True)
    assert is_given("Grace")
    assert not is_given("Grace", certain=True)
    assert is_surname("Hernandez")
    assert not is_surname("Brown")
    assert is_word("brown")
    assert not is_word("hernandez")
    assert is_only_word("varicose")
    assert not is_only_word("Brown")


@pytest.mark.parametrize(("word", "foreign"), [
    ("Müller", True), ("Petrenko", True), ("Ωμέγα", True), ("µg", False), ("Echo", False), ("Nusinersen", False), ("Hemovac", False),
])
def test_the_form_of_a_foreign_name(word, foreign):
    assert is_foreign(word) is foreign
