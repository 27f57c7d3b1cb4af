"""A model's answer to a draft of a summary, or an error that says what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

from pydantic import ValidationError

from notes_summarizer.summary.schema import LISTS, Draft, DraftItem, DraftMedication

_FENCE = re.compile(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", re.DOTALL | re.IGNORECASE)
LONGEST_ANSWER = 400_000
"""Characters; a longer answer is not read."""

ItemT = TypeVar("ItemT", bound=DraftItem)


def parse_draft(answer: str, *, numbers: Sequence[int], maximum_items: int, item_characters: int) -> Draft:
    """Read a model's answer.

    Parameters
    ----------
    answer : str
        One JSON object as `draft_schema` describes it, alone or in a fence of three backticks.
    numbers : sequence of int
        Numbers of the sentences that the model was shown; others that it claims are left out.
    maximum_items : int
        Most items a list.
    item_characters : int
        Longest statement.

    Returns
    -------
    Draft
        Without blank and repeated items.

    Raises
    ------
    ValueError
        If the answer is anything else; the message says where, and quotes nothing of it.
    """
    return _tidy(_validate(_read_json(answer)), frozenset(numbers), maximum_items, item_characters)


def merge_drafts(drafts: Iterable[Draft]) -> Draft:
    """Join the drafts of the parts of a note.

    Parameters
    ----------
    drafts : iterable of Draft
        In the order of the note.

    Returns
    -------
    Draft
        One; an item that says the same as an earlier one gives its sources to it.
    """
    every = list(drafts)
    return Draft(problems=_merge(item for draft in every for item in draft.problems),
                 medications=_merge(item for draft in every for item in draft.medications),
                 allergies=_merge(item for draft in every for item in draft.allergies),
                 results=_merge(item for draft in every for item in draft.results),
                 plan=_merge(item for draft in every for item in draft.plan),
                 follow_up=_merge(item for draft in every for item in draft.follow_up))


def _read_json(answer: str) -> Any:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError(f"the answer must have at most {LONGEST_ANSWER} characters; got {len(answer)}.")
    fence = _FENCE.fullmatch(answer)
    try:
        return json.loads(fence.group(1) if fence else answer)
    except json.JSONDecodeError as error:
        raise ValueError(f"the answer must be one JSON object; got text that is none: {error.msg} at character {error.pos} of "
                         f"{len(answer)}.") from None
    except RecursionError:
        raise ValueError("the answer must be one JSON object; got one that is nested too deeply.") from None


def _validate(value: Any) -> Draft:
    try:
        return Draft.model_validate(value, strict=True)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        depth = [str(part) for part in first["loc"] if part in LISTS or isinstance(part, int)]
        raise ValueError(f"the answer must follow the schema of a draft; {error.error_count()} problem(s), first at "
                         f"{'.'.join(depth) or 'the top'}: {first['type'].replace('_', ' ')}.") from None


def _tidy(draft: Draft, numbers: frozenset[int], maximum_items: int, item_characters: int) -> Draft:
    for name in LISTS:
        items: Sequence[DraftItem] = getattr(draft, name)
        if len(items) > maximum_items:
            raise ValueError(f"{name} must have at most {maximum_items} items; got {len(items)}.")
        longest = max((len(item.text) for item in items), default=0)
        if longest > item_characters:
            raise ValueError(f"an item of {name} must have at most {item_characters} characters; got {longest}.")
    medications = [_name_in_text(item, numbers) for item in draft.medications if item.text.strip() or item.name.strip()]
    kept = {name: [DraftItem(text=_line(item.text), sources=_known(item.sources, numbers))
                   for item in getattr(draft, name) if item.text.strip()] for name in LISTS if name != "medications"}
    return merge_drafts([Draft(medications=medications, **kept)])


def _name_in_text(item: DraftMedication, numbers: frozenset[int]) -> DraftMedication:
    """Put name and dose into the statement where it lacks them, so that both can be marked in it."""
    text, name, dose = _line(item.text), _line(item.name), _line(item.dose)
    missing = [part for part in (name, dose) if part and part.lower() not in text.lower()]
    text = f"{' '.join(missing)}: {text}" if missing and text else text or " ".join(missing)
    return DraftMedication(text=text, sources=_known(item.sources, numbers), name=name, dose=dose)


def _known(sources: Iterable[int], numbers: frozenset[int]) -> list[int]:
    return sorted({number for number in sources if number in numbers})


def _line(text: str) -> str:
    """Put a text on one line, without the number of the sentence that it was copied from."""
    return re.sub(r"^S\d+\.\s*", "", " ".join(text.split()))


def _merge(items: Iterable[ItemT]) -> list[ItemT]:
    merged: dict[str, ItemT] = {}
    for item in items:
        key = re.sub(r"\W+", " ", item.text.casefold()).strip()
        if key in merged:
            sources = sorted({*merged[key].sources, *item.sources})
            merged[key] = merged[key].model_copy(update={"sources": sources})
        elif key:
            merged[key] = item
    return list(merged.values())
