"""The six lists of a summary picked from the numbered lines of a note or conversation by headings, words and the vocabulary."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from carefolio.metrics.quantities import exact_numbers
from notes_summarizer.summary.injection import is_order
from notes_summarizer.summary.marks import blank_surrogates
from notes_summarizer.summary.schema import Draft, DraftItem, DraftMedication
from notes_summarizer.summary.sentences import after_heading, heading_of
from notes_summarizer.summary.turns import Said, tell
from notes_summarizer.summary.vocabulary import Mention, find_conditions, find_drugs, find_groups

_HEADINGS = {
    "allergies": r"allerg",
    "medications": r"medication|meds\b|prescri|drugs\b",
    "results": r"\blab|result|imaging|x-?ray|radiolog|\bdata\b|vital|ekg|ecg|\bct\b|mri|ultrasound|patholog|stud(?:y|ies)",
    "follow_up": r"follow.?up|return|disposition",
    "plan": r"plan|recommend|treatment|orders|instructions",
    "problems": r"assessment|impression|diagnos|problem|past medical|medical history|reason for|complaint|present illness",
    "other": r"family|social|surgical|review of systems|exam|procedure|habits|immuniz",
}
_HEADING_FINDERS = {name: re.compile(expression, re.IGNORECASE) for name, expression in _HEADINGS.items()}
_ALLERGY = re.compile(r"\ballerg(?:y|ies|ic)\b|\bnkd?a\b|\banaphyla|\bno known (?:drug )?allerg", re.IGNORECASE)
_RESULT = re.compile(
    r"\b(?:x-? ?rays?|mri|ct(?: scan)?|ekg|ecg|echo(?:cardiogram)?|ultrasound|hemoglobin|hematocrit|creatinine|bun|a1c|glucose|potassium|"
    r"sodium|wbc|white (?:blood cell )?count|platelets?|troponin|biopsy|culture|urinalysis|mammogram|colonoscopy|lipid panel|cholesterol|"
    r"tsh|inr|oxygen saturation|blood pressure|temperature|heart rate|pulse|lab(?:s|oratory)?|test results?|pathology|"
    r"ejection fraction)\b", re.IGNORECASE)
_FOUND = re.compile(r"\d|\b(?:show(?:s|ed)?|normal|negative|positive|reveal(?:s|ed)?|demonstrate[sd]?|elevated|within|unremarkable|"
                    r"consistent|high|low|came back|stable|pending)\b", re.IGNORECASE)
_FOLLOW_UP = re.compile(r"\b(?:follow(?:ing)?[\s-]*up (?:with|in|appointment|visit|as|at|on)|return (?:to|in|if)|come back|see (?:you|him|"
                        r"her|the patient|me|us) (?:back )?(?:in|on|at)|recheck in|back in \w+ (?:day|week|month|year)s?|appointment (?:in|"
                        r"on|with))\b", re.IGNORECASE)
_PLAN = re.compile(
    r"^(?:start|stop|continue|discontinue|increase|decrease|order|refer|obtain|check|repeat|schedule|hold|begin|add|consult|admit|"
    r"discharge|recommend|will|monitor|encourage|advise|prescribe|resume|switch|taper)\w*\b|\b(?:we will|we'll|i will|i'll|we are going to|"
    r"is to|should|recommend(?:ed|s)?|referr?(?:ed|al)?|was advised|plan(?:ned)? (?:is )?to|scheduled? (?:for|to)|prescri(?:be|bed|"
    r"ption))\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:no|not|denies|denied|never|without|negative for|none|ruled out|family history)\b", re.IGNORECASE)
_ROUTE = re.compile(
    r"(?:\s*,?\s*\b(?:p\.?o\.?|iv|im|sc|sublingual|oral(?:ly)?|by mouth|topical(?:ly)?|inhaled|tablets?|capsules?|pills?|puffs?|daily|"
    r"nightly|weekly|monthly|once|twice|three times|four times|[1-4] times|a day|per day|every \w+(?: (?:hours?|days?|weeks?))?|"
    r"each (?:day|morning|night)|at (?:bedtime|night)|in the (?:morning|evening)|q\.?\s?\d*\s?(?:h|hs|d|am|pm|day|hours?)?\.?|b\.?i\.?d\.?|"
    r"t\.?i\.?d\.?|q\.?i\.?d\.?|qd|qhs|prn|p\.r\.n\.|as needed|\d+ (?:hours?|days?)|an?)(?=[\s,.;)]|$))+", re.IGNORECASE)
_DOSE_UNITS = frozenset(["mg", "ml", "unit", "meq", "puff", "tablet", "capsule", "drop", "patch", "percent"])
_SYMPTOM = re.compile(
    r"\b(?:pain|cough|fever|headaches?|nausea|vomiting|dizziness|swelling|shortness of breath|weakness|numbness|fatigue|itching|"
    r"bleeding|discharge|palpitations|congestion|chills|sore throat|tired|stiffness|tightness|breathless(?:ness)?|dyspn(?:o)?ea|"
    r"diarrh(?:o)?ea|constipation|rash|cramps?|tingling|blurr(?:ed|y) vision|fainting|wheez(?:e|es|ing)|insomnia|soreness|tenderness|"
    r"redness|syncope)\b", re.IGNORECASE)
_FAMILY = re.compile(r"\b(?:mother|father|brother|sister|mom|dad|uncle|aunt|grand\w+|family|son|daughter|parents?)\b", re.IGNORECASE)

ItemT = TypeVar("ItemT", bound=DraftItem)


@dataclass(frozen=True)
class _Line:
    """One statement with the lines that it comes from and the heading that it stands under."""

    text: str
    numbers: tuple[int, ...]
    heading: str
    is_intent: bool


def pick_lists(said: Sequence[Said], *, maximum_items: int, item_characters: int) -> Draft:
    """Pick the lists.

    Parameters
    ----------
    said : sequence of Said
        Numbered lines of a note (without speakers) or sentences of a conversation; those that give orders to a language model are left out.
    maximum_items : int
        Most items a list; the first ones are kept.
    item_characters : int
        Longest item.

    Returns
    -------
    Draft
        Every item with the numbers of its lines.
    """
    lists: dict[str, list[DraftItem]] = {name: [] for name in ("problems", "allergies", "results", "plan", "follow_up")}
    medications: list[DraftMedication] = []
    for line in _lines(said):
        names = _lists_of(line)
        if "medications" in names:
            medications += _medications(line, item_characters)
        for name in names & lists.keys():
            lists[name].append(DraftItem(text=_cut(line.text, item_characters), sources=list(line.numbers)))
    kept = {name: _first(items, maximum_items) for name, items in lists.items()}
    return Draft(medications=_first(medications, maximum_items), **kept)


def _lines(said: Sequence[Said]) -> Iterator[_Line]:
    if _is_spoken(said):
        yield from (_Line(one.text, one.numbers, "", one.kind == "clinician") for one in tell(said))
        return
    heading, is_inline = "", False
    for one in said:
        whole = f"{one.speaker}: {one.text}" if one.speaker else one.text  # "Patient: ..." at the head of a note
        text = after_heading(whole)
        if found := heading_of(whole):
            heading, is_inline = found, bool(re.search(r"\w", text))
        elif is_inline and _HEADING_FINDERS["medications"].search(heading) and not find_drugs(text):
            heading = ""  # what stood on the heading's own line is over
        if re.search(r"\w", text) and not is_order(whole):
            yield _Line(text, (one.number,), heading, True)


def _is_spoken(said: Sequence[Said]) -> bool:
    """Tell a conversation from a note with a line such as "Patient: ..."."""
    speakers = [one.speaker for one in said if one.speaker]
    return len(set(speakers)) > 1 and 2 * len(speakers) >= len(said)


def _lists_of(line: _Line) -> set[str]:
    """Say in which lists a line belongs: by its heading, else by its words."""
    under = next((name for name, finder in _HEADING_FINDERS.items() if finder.search(line.heading)), "")
    if under == "allergies" or _ALLERGY.search(line.text):
        return {"allergies"} if under != "other" or find_drugs(line.text) or find_groups(line.text) else set()
    found = {"medications"} if under == "medications" or _is_medication(line) else set()
    if _FOLLOW_UP.search(line.text) or under == "follow_up":
        return found | {"follow_up"}
    is_problem = _is_problem(line.text)
    if _is_plan(line, under, is_problem):
        return found | {"plan"}
    if under == "results" or (_is_result(line.text) and under != "other"):
        return found | {"results"}
    is_named = under == "problems" and "histor" not in line.heading and not _NEGATED.search(line.text)
    if is_named or (is_problem and under in ("problems", "plan", "")):
        found.add("problems")
    return found


def _is_problem(text: str) -> bool:
    return bool(find_conditions(text) or _SYMPTOM.search(text)) and not _NEGATED.search(text) and not _FAMILY.search(text)


def _is_plan(line: _Line, under: str, is_problem: bool) -> bool:
    """Say whether a line is something to be done; under a heading for plans it is, unless it only names a problem or an identifier."""
    if _PLAN.search(line.text) and line.is_intent:
        return under not in ("medications", "results", "other")
    says_more = len(re.findall(r"[A-Za-z]{3,}", blank_surrogates(line.text))) > 2
    return under == "plan" and says_more and not _is_result(line.text) and not (is_problem and "assessment" in line.heading)


def _is_result(text: str) -> bool:
    return _RESULT.search(text) is not None and _FOUND.search(text) is not None


def _is_medication(line: _Line) -> bool:
    return bool(find_drugs(line.text)) and not _FAMILY.search(line.text)


def _medications(line: _Line, item_characters: int) -> list[DraftMedication]:
    """Give one item a drug: the line where it names one, else the words from the drug to its dose."""
    drugs = find_drugs(line.text)
    if not drugs:
        name = re.split(r"[,;(\[\d]", line.text)[0].strip(" .")
        return [_medication(line, line.text, item_characters, _cut(name, 80), "")] if name else []
    items = []
    for place, drug in enumerate(drugs):
        last = drugs[place + 1].start if place + 1 < len(drugs) else len(line.text)
        dose = _dose(line.text, drug, last)
        end = line.text.find(dose, drug.end) + len(dose) if dose else drug.end
        alone = len({one.name for one in drugs}) == 1 or _NEGATED.search(line.text) is not None
        text = line.text if alone else line.text[drug.start:end]
        items.append(_medication(line, text, item_characters, line.text[drug.start:drug.end], dose))
    return [item for item in items if item.name in item.text and item.dose in item.text]


def _medication(line: _Line, text: str, item_characters: int, name: str, dose: str) -> DraftMedication:
    return DraftMedication(text=_cut(text, item_characters), sources=list(line.numbers), name=name, dose=dose)


def _dose(text: str, drug: Mention, last: int) -> str:
    """Give the first dose behind a drug and before the next, with route and times as they stand there."""
    near = blank_surrogates(text)[drug.end:min(last, drug.end + 80)]
    first = next((number for number in exact_numbers(near) if number.unit in _DOSE_UNITS), None)
    if first is None:
        return ""
    start, end = drug.end + first.start, drug.end + first.end
    more = _ROUTE.match(text, end, last)
    return text[start:more.end() if more else end].strip(" ,")[:80]


def _first(items: Iterable[ItemT], maximum_items: int) -> list[ItemT]:
    kept: dict[str, ItemT] = {}
    for item in items:
        kept.setdefault(re.sub(r"\W+", " ", item.text.lower()).strip(), item)
    return list(kept.values())[:maximum_items]


def _cut(text: str, characters: int) -> str:
    """Cut a text at a blank."""
    blank = text.rfind(" ", 0, characters)
    return text if len(text) <= characters else text[:blank if blank > 0 else characters]
