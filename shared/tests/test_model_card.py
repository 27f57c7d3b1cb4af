import tomllib
from collections import Counter
from pathlib import Path

import pytest

from carefolio.claims import find_problems
from carefolio.command import DISCLAIMER
from carefolio.exceptions import EvidenceError
from carefolio.model_card import card_problems, card_template, chai_fields, hti1_attributes, render_card, tripod_ai_items

CARD = Path("model_card.md")


def test_the_31_source_attributes_stand_in_nine_paragraphs():
    attributes = hti1_attributes()
    assert len({attribute.id for attribute in attributes}) == 31
    assert Counter(attribute.label[:6] for attribute in attributes) == {
        "(B)(1)": 4, "(B)(2)": 4, "(B)(3)": 2, "(B)(4)": 4, "(B)(5)": 2, "(B)(6)": 4, "(B)(7)": 5, "(B)(8)": 4, "(B)(9)": 2}


def test_the_checklist_has_27_items_and_chai_fields_are_distinct():
    assert [item.id for item in tripod_ai_items()] == [str(number) for number in range(1, 28)]
    assert len({field.id for field in chai_fields()}) == len({field.label for field in chai_fields()}) == len(chai_fields()) == 56


def test_a_card_answers_everything_from_evidence(make_record, make_card):
    record = make_record()
    text = render_card(make_card(), record)
    assert card_problems(text, file=CARD) == []
    assert find_problems(text, file=CARD, evidence_by_project={"demo_package": record}, references={}, project="demo_package") == []
    assert DISCLAIMER in text
    assert "Answered <!--ev all.test.model.roc_auc .3f-->0.684<!--/ev-->." in text
    assert "<!--ev data.toy.rows ,d-->101,766<!--/ev--> rows, origin <!--ev data.toy.origin s-->mirror<!--/ev-->" in text
    assert render_card(make_card(), record) == text


def test_a_card_on_synthetic_data_says_so(make_record, make_card):
    assert "Made on synthetic data" in render_card(make_card(), make_record(origin="synthetic"))
    assert "Made on synthetic data" not in render_card(make_card(), make_record())


def test_references_are_quoted_and_cells_stay_whole(make_record, make_card):
    card = make_card()
    card["hti1"]["purpose_use"] = "first | second\nthird {cite:paper}"
    text = render_card(card, make_record(), {"paper": {"value": "0.672", "source": "a paper", "cohort": "all"}})
    assert "| first \\| second third <!--cite paper-->0.672<!--/cite--> |" in text
    assert card_problems(text, file=CARD) == []


@pytest.mark.parametrize("blank", ["", "  ", "TBD", "n/a", "-", "…", "todo"])
def test_a_blank_answer_is_refused_by_its_id(make_record, make_card, blank):
    card = make_card()
    card["hti1"]["fairness_bias"] = blank
    del card["tripod_ai"]["14"]
    with pytest.raises(EvidenceError, match=r"2 answers blank: hti1.fairness_bias, tripod_ai.14"):
        render_card(card, make_record())


def test_an_unknown_key_is_refused(make_record, make_card):
    card = make_card()
    card["chai"]["intended_usage"] = "x"
    with pytest.raises(EvidenceError, match=r"unknown keys: chai.intended_usage"):
        render_card(card, make_record())


def test_a_marker_without_evidence_is_refused(make_record, make_card):
    card = make_card()
    card["chai"]["keywords"] = "{ev:all.test.model.brier .3f}"
    with pytest.raises(EvidenceError, match=r"model card of demo_package.*all.test.model.brier"):
        render_card(card, make_record())


def test_a_damaged_card_is_found_out(make_record, make_card):
    text = render_card(make_card(), make_record())
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    without = text.replace(rows["updates_process"] + "\n", "")
    assert [problem.message for problem in card_problems(without, file=CARD)] == [
        "HTI-1 source attributes: `updates_process` ((B)(9)(i)) is missing; answer it in card.toml."]
    blank = text.replace(rows["updates_process"], rows["updates_process"].rpartition("| ")[0] + "|  |")
    assert [problem.line for problem in card_problems(blank, file=CARD)] == [text.splitlines().index(rows["updates_process"]) + 1]
    unfinished = text.replace(rows["updates_process"], rows["updates_process"].rpartition("| ")[0] + "| To be written. |")
    assert [problem.message.split("is ")[-1] for problem in card_problems(unfinished, file=CARD)] == ["blank; answer it in card.toml."]
    assert len(card_problems(text.replace("## TRIPOD+AI checklist", "## Other"), file=CARD)) == 1
    assert len(card_problems(text.replace(DISCLAIMER, ""), file=CARD)) == 1


def test_the_template_is_toml_with_nothing_answered():
    card = tomllib.loads(card_template())
    assert len(card["hti1"]) == 31
    assert len(card["tripod_ai"]) == 27
    assert "release_date" not in card["chai"]
    assert {answer for section in card.values() for answer in section.values()} == {""}
