"""A model's answer becomes a draft, or an error that quotes nothing of it."""

import json

import pytest

from notes_summarizer.summary.draft import merge_drafts, parse_draft
from notes_summarizer.summary.schema import LISTS, Draft, draft_schema

EMPTY: dict[str, list[dict[str, object]]] = {name: [] for name in LISTS}


def parse(answer: str) -> Draft:
    return parse_draft(answer, numbers=[1, 2, 3], maximum_items=3, item_characters=60)


def answer(**lists: list[dict[str, object]]) -> str:
    return json.dumps(EMPTY | lists)


def test_json_is_read_alone_and_in_a_fence() -> None:
    text = answer(problems=[{"text": " Cough  and\nfever. ", "sources": [2, 2, 1]}])
    assert parse(text) == parse(f"```json\n{text}\n```") == parse(f" ```\n{text}\n``` ")
    assert parse(text).problems[0].text == "Cough and fever."
    assert parse(text).problems[0].sources == [1, 2]


@pytest.mark.parametrize("text", [
    "", "secretword", "Here it is: {}", "[]", "null", '{"problems": [', '{"problems": "secretword"}', '{"secretword": []}',
    '{"problems": [{"text": 5, "sources": []}]}', '{"problems": [{"text": "x"}]}', '{"problems": [{"text": "x", "sources": ["1"]}]}',
    '{"problems": [{"text": "x", "sources": [], "secretword": 1}]}', "[" * 100_000, "{} {}", "```json\n{}\n``` and more",
    answer(plan=[{"text": f"secretword {n}", "sources": []} for n in range(4)]), answer(plan=[{"text": "secretword" * 7, "sources": []}]),
])
def test_anything_else_is_a_value_error_that_quotes_nothing(text: str) -> None:
    with pytest.raises(ValueError, match="must") as caught:
        parse(text)
    assert "secretword" not in str(caught.value)


def test_numbers_that_the_model_was_not_shown_are_left_out() -> None:
    draft = parse(answer(plan=[{"text": "Rest.", "sources": [3, 4, 99, -1, 0]}]))
    assert draft.plan[0].sources == [3]


def test_blank_and_repeated_items_go_and_repeated_ones_leave_their_sources() -> None:
    draft = parse(answer(plan=[{"text": "Rest.", "sources": [1]}, {"text": " ", "sources": [2]}, {"text": "rest", "sources": [3]}]))
    assert [(item.text, item.sources) for item in draft.plan] == [("Rest.", [1, 3])]


def test_name_and_dose_stand_in_the_statement() -> None:
    draft = parse(answer(medications=[{"text": "Takes it daily.", "name": "lisinopril", "dose": "20 mg", "sources": [1]},
                                      {"text": "", "name": "aspirin", "dose": "", "sources": []}]))
    assert [item.text for item in draft.medications] == ["lisinopril 20 mg: Takes it daily.", "aspirin"]


def test_drafts_of_parts_are_joined_in_order() -> None:
    one, other = (parse(answer(plan=[{"text": text, "sources": [number]}])) for text, number in (("Rest.", 1), ("Drink.", 2)))
    assert [item.text for item in merge_drafts([one, other, one]).plan] == ["Rest.", "Drink."]


def test_the_schema_bounds_everything() -> None:
    schema = draft_schema(maximum_items=4, item_characters=100)
    assert schema["required"] == list(LISTS)
    for name in LISTS:
        items = schema["properties"][name]
        assert items["maxItems"] == 4
        assert items["items"]["properties"]["text"]["maxLength"] == 100
        assert items["items"]["additionalProperties"] is False
    Draft.model_validate(EMPTY)
