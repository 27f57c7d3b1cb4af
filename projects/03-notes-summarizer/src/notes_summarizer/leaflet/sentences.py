"""From passages of one topic to the sentences of a leaflet: which section each belongs to, and which are easy enough to stay."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from carefolio.metrics.text import reading_grade
from notes_summarizer.leaflet.passages import PHENOTYPES

Section = Literal["What it is", "Causes and risks", "Signs", "Tests", "What can be done", "Outlook", "When to get help"]
SECTIONS: tuple[Section, ...] = ("What it is", "Causes and risks", "Signs", "Tests", "What can be done", "Outlook", "When to get help")
SECTION_OF: dict[str, Section] = {
    "information": "What it is", "frequency": "What it is", "support groups": "What it is", "causes": "Causes and risks",
    "susceptibility": "Causes and risks", "genetic changes": "Causes and risks", "inheritance": "Causes and risks", "symptoms": "Signs",
    "complications": "Signs", "stages": "Signs", "exams and tests": "Tests", "treatment": "What can be done",
    "prevention": "What can be done", "considerations": "What can be done", "research": "What can be done", "outlook": "Outlook",
}
"""Section of each kind of question in MedQuAD."""

_HELP = re.compile(r"\b(?:call|see|tell|talk (?:to|with)|contact|ask) (?:your|a|the) (?:doctor|health|physician|provider|nurse)"
                   r"|\bseek (?:medical|emergency|help|care|immediate)|\bemergency (?:room|care|help|department)|\bcall (?:911|9-1-1)"
                   r"|\bright away\b|\bmedical (?:help|attention|emergency)", re.IGNORECASE)
_POINTS_BACK = re.compile(r"^(?:it|its|they|their|them|this|these|those|that|such|he|she|his|her|both|each|other|others|another|but|and|so"
                          r"|or|however|also|then|therefore|in (?:these|this|such|other)|for example|as a result|most of (?:these|them)"
                          r"|some of (?:these|them)|sometimes|in addition|instead|moreover|furthermore"
                          r"|the (?:latter|former|second|third|other|same))\b", re.IGNORECASE)
_BEGINS = re.compile(r"^[\"“'‘(\[]?[A-Z0-9]")


@dataclass(frozen=True)
class Candidate:
    """A sentence that a leaflet may hold.

    Attributes
    ----------
    section : str
        Heading that it would stand under.
    text : str
        The wording.
    original : str
        As it stands in the passage.
    passage : int
        Row of the passage in the index.
    place : int
        Number of the sentence in its passage.
    points_back : bool
        Whether it cannot stand without the sentence before it.
    reworded_by : str
        ``""``, ``"rules"`` or a provider.
    findings : tuple of str
        What a check found in a wording that was put back.
    """

    section: Section
    text: str
    original: str
    passage: int
    place: int
    points_back: bool
    reworded_by: str = ""
    findings: tuple[str, ...] = ()


def candidates(passage: int, text: str, question_type: str, *, unwanted: Callable[[str], bool]) -> list[Candidate]:
    """List the sentences of a passage.

    Parameters
    ----------
    passage : int
        Its row.
    text : str
        One sentence or list a line, as `notes_summarizer.leaflet.passages.cut_passages` gives it.
    question_type : str
        What the page answers there.
    unwanted : callable
        Says whether a sentence must be left out.

    Returns
    -------
    list of Candidate
        In order; a sentence about calling a doctor goes under "When to get help".
    """
    section = SECTION_OF.get(question_type, "What it is")
    return [Candidate("When to get help" if _HELP.search(unit) else section, unit, unit, passage, place, bool(_POINTS_BACK.match(unit)))
            for place, unit in enumerate(re.split(r"\n(?!- )", text)) if _is_whole(unit) and not unwanted(unit)]


def _is_whole(unit: str) -> bool:
    """Tell a sentence or a list from a fragment, a heading and a table."""
    words = [word for word in re.findall(r"[^\W\d_]+", unit) if len(word) > 3]
    is_heading = bool(words) and sum(word[0].isupper() for word in words) > 0.6 * len(words) and "\n" not in unit
    return bool(_BEGINS.match(unit)) and len(unit.split()) > 3 and not is_heading and not unit.startswith(PHENOTYPES)


def standing(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Leave out sentences that point back to one that is not there.

    Parameters
    ----------
    chosen : sequence of Candidate
        In any order.

    Returns
    -------
    list of Candidate
        In the same order.
    """
    kept: dict[tuple[int, int], Candidate] = {}
    for item in sorted(chosen, key=lambda item: (item.passage, item.place)):
        before = kept.get((item.passage, item.place - 1))
        if not item.points_back or (before is not None and before.section == item.section):
            kept[item.passage, item.place] = item
    return [item for item in chosen if (item.passage, item.place) in kept]


def text_of(chosen: Sequence[Candidate], *, original: bool = False) -> str:
    """Join sentences as they are graded, one a paragraph; headings and title are not graded.

    Parameters
    ----------
    chosen : sequence of Candidate
        Sentences.
    original : bool, default False
        Join the wordings of the passages instead.

    Returns
    -------
    str
        Text.
    """
    return "\n\n".join(item.original if original else item.text for item in chosen)


def grade_of(chosen: Sequence[Candidate], *, original: bool = False) -> float:
    """Grade sentences.

    Parameters
    ----------
    chosen : sequence of Candidate
        At least one.
    original : bool, default False
        Grade the wordings of the passages instead.

    Returns
    -------
    float
        Flesch-Kincaid grade; lower is easier.
    """
    return reading_grade(text_of(chosen, original=original)).flesch_kincaid


def easy_enough(chosen: Sequence[Candidate], *, maximum_grade: float) -> list[Candidate]:
    """Leave out the hardest sentence, and what points back to it, until the rest is easy enough.

    Parameters
    ----------
    chosen : sequence of Candidate
        In the order of the leaflet.
    maximum_grade : float
        Highest grade.

    Returns
    -------
    list of Candidate
        Perhaps empty.
    """
    kept = standing(chosen)
    hardness = {(item.passage, item.place): grade_of([item]) for item in kept}
    while kept and grade_of(kept) > maximum_grade:
        hardest = max(kept, key=lambda item: hardness[item.passage, item.place])
        kept = standing([item for item in kept if item is not hardest])
    return kept


def in_order(chosen: Sequence[Candidate], *, most: int, asked: Section, section_most: int) -> list[Candidate]:
    """Bring sentences into the order of the sections, and bound each section.

    Parameters
    ----------
    chosen : sequence of Candidate
        Best passage first.
    most : int
        Sentences of the leaflet.
    asked : str
        The section that the question is about; it may be twice as long and is filled first.
    section_most : int
        Sentences of any other section.

    Returns
    -------
    list of Candidate
        No wording twice.
    """
    unique: dict[str, Candidate] = {}
    for item in chosen:
        unique.setdefault(item.original, item)
    by_section = {section: [item for item in unique.values() if item.section == section] for section in SECTIONS}
    taken = {asked: by_section[asked][:2 * section_most]}
    left = most - len(taken[asked])
    for section in (section for section in SECTIONS if section != asked):
        taken[section] = by_section[section][:min(section_most, max(left, 0))]
        left -= len(taken[section])
    return [item for section in SECTIONS for item in taken[section]]


def reworded(item: Candidate, text: str, by: str, findings: tuple[str, ...] = ()) -> Candidate:
    """Give a sentence another wording.

    Parameters
    ----------
    item : Candidate
        The sentence.
    text : str
        The wording.
    by : str
        Who worded it; ``""`` for nobody.
    findings : tuple of str
        What a check found in a wording that was put back.

    Returns
    -------
    Candidate
        A new one.
    """
    return replace(item, text=text, reworded_by=by, findings=findings)
