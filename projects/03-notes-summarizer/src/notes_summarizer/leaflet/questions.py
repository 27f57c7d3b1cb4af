"""The questions that retrieval and refusal are measured with: MedQuAD's own, worded in other ways by rule, and those to refuse."""

from __future__ import annotations

import hashlib
import random
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

PACKAGE = "notes_summarizer.leaflet"
Half = Literal["development", "test"]
VARIANTS = ("lower_case", "typos", "patient")
"""Other wordings of a question: all in lower case; one slip of the keyboard in each of its two longest words; as a patient might ask."""

_PATIENT = {
    "information": "my doctor says i have {focus}. what should i know about it?",
    "symptoms": "my doctor says i have {focus}. how will i feel?",
    "treatment": "i was told that i have {focus}. what can be done about it?", "causes": "why did i get {focus}?",
    "inheritance": "i have {focus}. will my children get it too?", "frequency": "how many other people have {focus}?",
    "genetic changes": "which gene is behind my {focus}?", "exams and tests": "how will my doctor find out whether i have {focus}?",
    "outlook": "i was told that i have {focus}. what should i expect?", "prevention": "how can i keep from getting {focus}?",
    "susceptibility": "could i get {focus}?", "research": "is anybody looking for a new cure for {focus}?",
    "considerations": "what should i do now that i have {focus}?", "stages": "how far along can {focus} be?",
    "complications": "what else can go wrong with {focus}?", "support groups": "where do i find others with {focus}?",
}


@dataclass(frozen=True)
class Question:
    """A question of MedQuAD and the passages that answer it.

    Attributes
    ----------
    text : str
        As published.
    topic : str
        What its page is about, in lower case: the unit that is resampled.
    question_type : str
        Its kind.
    half : {"development", "test"}
        By a hash of the topic, so that all documents of a topic are in one half.
    relevant : frozenset of int
        Rows of the passages of all answers to this exact question, wherever they stand.
    """

    text: str
    topic: str
    question_type: str
    half: Half
    relevant: frozenset[int]


def list_questions(answers: pl.DataFrame, passages: pl.DataFrame) -> list[Question]:
    """List the questions that have a passage.

    Parameters
    ----------
    answers : polars.DataFrame
        The answers that the index was built from.
    passages : polars.DataFrame
        Passages of the index; ``answer`` is the row of ``answers``.

    Returns
    -------
    list of Question
        In the order of a hash of their text, so that the first so many are a fair sample.
    """
    rows: dict[int, list[int]] = {}
    for number, answer in enumerate(passages["answer"].to_list()):
        rows.setdefault(answer, []).append(number)
    asked: dict[str, list[int]] = {}
    texts = answers["question"].to_list()
    for answer in sorted(rows):
        asked.setdefault(" ".join(texts[answer].split()), []).append(answer)
    found = []
    for text, members in asked.items():
        first = answers.row(members[0], named=True)
        topic = (first["focus"] or first["document"]).casefold()
        relevant = frozenset(row for member in members for row in rows[member])
        found.append(Question(text, topic, first["question_type"], half_of(topic), relevant))
    return sorted(found, key=lambda question: _sha(question.text))


def half_of(text: str) -> Half:
    """Assign a topic or a question to one half, always the same.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    {"development", "test"}
        By a hash.
    """
    return "test" if int(_sha(text)[:8], 16) % 2 else "development"


def word_otherwise(question: Question, variant: str, *, focus: str) -> str:
    """Word a question in another way, by rule.

    Parameters
    ----------
    question : Question
        The question.
    variant : str
        One of `VARIANTS`.
    focus : str
        What the page is about, as it is written there.

    Returns
    -------
    str
        The other wording.
    """
    if variant == "lower_case":
        return question.text.lower()
    if variant == "patient":
        return _PATIENT.get(question.question_type, "tell me about {focus}").format(focus=focus.lower())
    chance = random.Random(question.text)  # noqa: S311 - a choice of words for made-up questions, the same at each run
    longest = sorted(set(re.findall(r"[^\W\d_]{5,}", focus)), key=lambda word: (-len(word), word))[:2]
    text = question.text
    for word in longest:
        text = text.replace(word, _slip(word, chance))
    return text


def _slip(word: str, chance: random.Random) -> str:
    """Swap two neighbouring letters, leave one out, or strike one twice; the first letter stays."""
    place = chance.randrange(1, len(word) - 1)
    kind = chance.randrange(3)
    if kind == 0:
        return word[:place] + word[place + 1] + word[place] + word[place + 2:]
    return word[:place] + word[place + 1:] if kind == 1 else word[:place] + word[place] + word[place:]


def to_refuse() -> dict[str, list[str]]:
    """Read the questions that no page answers.

    Returns
    -------
    dict of str to list of str
        ``"elsewhere"``, ``"personal"`` and ``"emergency"``.
    """
    table: dict[str, list[str]] = tomllib.loads(files(PACKAGE).joinpath("refused.toml").read_text(encoding="utf-8"))
    return table


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
