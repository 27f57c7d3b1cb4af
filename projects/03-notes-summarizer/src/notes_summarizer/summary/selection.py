"""Which statements of a conversation belong into a note: a linear score of a few features and of the words, fitted offline.

The score estimates the share of a statement's words that the written note takes over. Weights and words' rates stand in
``selection.toml``; ``benchmarks/fit_selection.py`` makes that file from the training parts of MTS-Dialog (sections) and ACI-Bench
(whole notes).
"""

from __future__ import annotations

import functools
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal

from carefolio.metrics.text import words
from notes_summarizer.summary.turns import Told
from notes_summarizer.summary.vocabulary import find_conditions, find_drugs

_GROUPS = {
    "family": r"\b(?:mother|father|brother|sister|mom|dad|uncle|aunt|grand\w+|family|son|daughter|parents|siblings?|child\w*|married|"
              r"husband|wife)\b",
    "habit": r"\b(?:smok\w*|drink\w*|alcohol|drugs?|tobacco|cigarettes?|marijuana|beer|wine)\b",
    "surgery": r"\b(?:surg\w*|operat\w*|removed|replacement|appendix|gallbladder|tonsil\w*|\w+ectomy|procedure)\b",
    "allergy": r"\ballerg\w*\b",
    "vague": r"\b(?:it|that|this|they|those|these|thing|something|stuff)\b",
    "spoken": r"\b(?:I|me|my|we|us|our|you|your)\b",
    "intent": r"\b(?:we will|should|recommend\w*|follow|start|order|refer|schedule)\b",
    "negation": r"\b(?:not|no|denies|never|none)\b",
}
_FINDERS = {name: re.compile(expression, re.IGNORECASE) for name, expression in _GROUPS.items()}


@dataclass(frozen=True)
class Scorer:
    """A fitted score.

    Attributes
    ----------
    weights : mapping of str to float
        By feature; a feature without weight counts nothing.
    rates : mapping of str to float
        Share of the training documents with a word in a statement whose note has it too; ``""`` for all other words.
    """

    weights: Mapping[str, float]
    rates: Mapping[str, float]


@functools.cache
def load_scorers() -> Mapping[str, Scorer]:
    """Read the fitted scores once a process.

    Returns
    -------
    mapping of str to Scorer
        For ``"section"`` and ``"note"``.
    """
    table = tomllib.loads(files("notes_summarizer.summary").joinpath("selection.toml").read_text(encoding="utf-8"))
    return {task: Scorer(table[task]["weights"], table[task]["rates"]) for task in ("section", "note")}


def features(told: Told, *, place: int, count: int, header: str, rates: Mapping[str, float]) -> dict[str, float]:
    """Describe a statement by numbers.

    Parameters
    ----------
    told : Told
        The statement.
    place, count : int
        Its place, from 0, among so many of the conversation.
    header : str
        Of the section that is written; empty for a whole note.
    rates : mapping of str to float
        As in `Scorer`.

    Returns
    -------
    dict of str to float
        By feature; those that are 0 are left out.
    """
    spoken = words(told.text)
    found = {
        "one": 1.0, "rate": sum(rates.get(word, rates[""]) for word in spoken) / max(1, len(spoken)), "length": math.log1p(len(spoken)),
        "place": place / max(1, count), "few": 1 / max(1, count), "number": float(any(map(str.isdigit, told.text))),
        "drug": float(bool(find_drugs(told.text))), "condition": float(bool(find_conditions(told.text))), f"kind {told.kind}": 1.0,
        f"header {header}": float(bool(header)),
    }
    found |= {name: float(bool(finder.search(told.text))) for name, finder in _FINDERS.items()}
    return {name: value for name, value in found.items() if value}


def score(told: Sequence[Told], *, task: Literal["section", "note"], header: str = "") -> list[float]:
    """Score the statements of a conversation.

    Parameters
    ----------
    told : sequence of Told
        In order.
    task : {"section", "note"}
        What is written.
    header : str, default ""
        Of the section.

    Returns
    -------
    list of float
        One a statement; higher belongs rather into the text.
    """
    scorer = load_scorers()[task]
    return [sum(scorer.weights.get(name, 0.0) * value
                for name, value in features(one, place=place, count=len(told), header=header, rates=scorer.rates).items())
            for place, one in enumerate(told)]
