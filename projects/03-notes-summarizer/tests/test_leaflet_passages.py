import polars as pl
import pytest

from carefolio.datasets.medquad_twin import make_medquad_twin
from carefolio.exceptions import SchemaError
from notes_summarizer.leaflet.passages import cut_passages, group, sentences, split_sentences


def test_key_points_headings_and_links_are_left_out():
    answer = ("Key Points\n    - Rest helps.    - Water helps.\n\n    Rest helps.\n    Rest helps most people with this problem. "
              "See the section on rest for more information.\n\nOverview\n\nWater helps too, but not always.\n"
              "    NIH: National Institute of Made-up Things")
    assert sentences(answer) == ["Rest helps most people with this problem.", "Water helps too, but not always."]


def test_a_question_repeated_at_the_start_is_left_out():
    assert sentences("What causes amber wrist? It comes from tight cuffs.") == ["It comes from tight cuffs."]


def test_a_list_stays_with_its_introduction_and_the_text_behind_it_is_prose():
    found = sentences("Signs include       - A dull ache    - Dry skin       Most people get well.")
    assert found == ["Signs include:\n- A dull ache\n- Dry skin", "Most people get well."]


def test_a_list_of_long_items_is_cut_into_sentences():
    long = "This item is a sentence of its own that goes on and on " + "and on " * 12 + "and ends here."
    assert sentences(f"There are two ways:  - {long} And more is said.  - Short.") == [long, "And more is said."]


def test_a_table_of_phenotypes_loses_its_frame():
    answer = ("What are the signs and symptoms of X? The Human Phenotype Ontology provides the following list of signs and symptoms for X. "
              "Signs and Symptoms Approximate number of patients (when available) Dry skin 90% Short stature 50% Cataract - "
              "The Human Phenotype Ontology (HPO) has collected information on how often a sign or symptom occurs in a condition.")
    assert sentences(answer) == ["Signs and how many people have them:\n- Dry skin 90%\n- Short stature 50%\n- Cataract -"]


@pytest.mark.parametrize(("text", "count"), [
    ("Dr. Smith wrote it. It is short.", 2), ("Take it at 5 p.m. The rest follows.", 2), ("About 2.5 mg is enough. It works.", 2),
    ("It is rare (see above). It is mild.", 2), ("The U.S. Army wrote it.", 1), ("E. coli lives in the gut. It is a germ.", 2),
])
def test_sentences_end_where_they_should(text, count):
    assert len(split_sentences(text)) == count


def test_passages_hold_whole_sentences_and_about_the_words_asked_for():
    units = [f"Sentence number {number} has exactly eight words here." for number in range(40)]
    passages = group(units, words=50)
    assert "\n".join(passages).split("\n") == units
    assert {len(passage.split()) for passage in passages[:-1]} <= set(range(48, 61))


def test_the_question_is_not_in_its_passages_and_links_give_none():
    answers = make_medquad_twin(0)
    links = answers.row(0, named=True) | {"answer": "These resources address the management of it:  - Gene Review: X   - Drug Therapy"}
    passages = cut_passages(pl.concat([answers, pl.DataFrame([links], schema=answers.schema)]), words=150)
    assert passages["answer"].max() == 59
    for number, text in passages.select("answer", "text").iter_rows():
        assert answers["question"][number].rstrip(" ?").lower() not in text.lower()
    assert passages["title"][0] == "Amber wrist: information"
    assert passages.filter(pl.col("answer") == 59)["focus"].to_list() == ["0000015"]


def test_a_table_without_prose_is_refused():
    empty = make_medquad_twin(0).with_columns(pl.lit("Overview").alias("answer"))
    with pytest.raises(SchemaError, match="no answer holds a sentence"):
        cut_passages(empty, words=150)
