import tomllib
from importlib.resources import files

import pytest

from notes_summarizer.leaflet.simplify import checked, cut_sentence, plain_words, simplify, without_name

TERMS = {"aspirin", "warfarin", "asthma"}


@pytest.mark.parametrize(("hard", "plain"), [
    ("Hypertension occurs frequently.", "High blood pressure happens often."),
    ("A physician will examine an individual.", "A doctor will look at a person."),
    ("Pulmonary hypertension is rare.", "Pulmonary hypertension is rare."),
    ("The medication-related signs.", "The medication-related signs."),
])
def test_plain_words_are_put_for_hard_ones(hard, plain):
    assert plain_words(hard) == plain


def test_the_name_of_the_illness_is_left_as_it_is():
    text = "Renal disease and Cardiac renal disease"
    assert plain_words(text, names=["cardiac renal disease"]) == "Kidney disease and Cardiac renal disease"


@pytest.mark.parametrize(("long", "cut"), [
    ("It starts in the arm, and the pain can spread to the hand.", "It starts in the arm. The pain can spread to the hand."),
    ("Most people get well, but some have pain for years.", "Most people get well. But some have pain for years."),
    ("The skin is dry because the glands are small.", "The skin is dry. This is because the glands are small."),
    ("Wash your hands, face, and feet.", "Wash your hands, face, and feet."),
    ("It is not painful because of the drug.", "It is not painful because of the drug."),
])
def test_long_sentences_are_cut_where_a_clause_begins(long, cut):
    assert cut_sentence(long) == cut


def test_how_a_word_is_spoken_is_left_out():
    result = simplify("Anemia (uh-NEE-me-uh) can be mild.", passage="Anemia (uh-NEE-me-uh) can be mild.", terms=TERMS)
    assert (result.text, result.changed) == ("Anemia can be mild.", True)


def test_numbers_negations_and_names_of_drugs_stay():
    sentence = "Individuals who require 5 mg of warfarin should not utilize aspirin, and they must inform the physician."
    result = simplify(sentence, passage=sentence, terms=TERMS)
    assert result.changed
    assert {"5 mg", "warfarin", "not", "aspirin"} <= {part for part in ("5 mg", "warfarin", "not", "aspirin") if part in result.text}


@pytest.mark.parametrize(("wording", "kind"), [
    ("Take 50 mg of aspirin a day.", "number"), ("Take 5 mg of warfarin a day.", "term"),
    ("Never use aspirin for this illness.", "negation"),
    ("Take some aspirin a day.", "lost"),
])
def test_a_wording_that_the_passage_does_not_support_is_put_back(wording, kind):
    passage = "Take 5 mg of aspirin a day. Use aspirin for this illness."
    result = checked("Take 5 mg of aspirin a day.", wording, passage=passage, terms=TERMS)
    assert result.text == "Take 5 mg of aspirin a day."
    assert not result.changed
    assert kind in result.findings


def test_an_easy_sentence_stays_as_it_is():
    assert simplify("It does not hurt.", passage="It does not hurt.", terms=TERMS) == simplify("It does not hurt.", passage="", terms=())


@pytest.mark.parametrize(("text", "name", "said"), [
    ("Familial adenomatous polyposis is rare.", "Familial adenomatous polyposis", "This condition is rare."),
    ("People with familial adenomatous polyposis (FAP) have polyps.", "Familial adenomatous polyposis",
     "People with this condition have polyps."),
    ("Attenuated familial adenomatous polyposis is milder.", "Familial adenomatous polyposis", None),
    ("People with familial adenomatous polyposis type 2 have polyps.", "Familial adenomatous polyposis", None),
    ("The familial adenomatous polyposis gene was found.", "Familial adenomatous polyposis", None),
    ("Asthma is common.", "Asthma", None),
    ("Nothing is named.", "", None),
])
def test_this_condition_stands_for_a_long_name_and_for_no_part_of_another(text, name, said):
    assert without_name(text, name) == (said or text)


def test_every_entry_of_the_table_is_put():
    table = tomllib.loads(files("notes_summarizer.leaflet").joinpath("plain_words.toml").read_text(encoding="utf-8"))
    for hard, plain in table["words"].items():
        assert plain_words(f"Then {hard}.") == f"Then {plain}."


def test_inheritance_is_said_in_plain_words():
    sentence = ("This condition is inherited in an autosomal recessive pattern, which means both copies of the gene in each cell have "
                "mutations.")
    result = simplify(sentence, passage=sentence, terms=TERMS)
    assert result.text == ("This condition is passed on by both parents. A child has it when both copies of the gene in each cell are "
                           "changed.")
