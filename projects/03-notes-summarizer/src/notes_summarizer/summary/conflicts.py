"""Orders of a note that contradict each other: one drug started and stopped, given in two doses, or ordered in spite of an allergy.

Rules on sentences, in English, for the drugs of the vocabulary. A dose that is changed in one sentence ("increase from 10 mg to 20 mg") is
no contradiction, nor is a drug that a sentence says was stopped in the past for something that is now taken again. They find what is
written plainly; they do not reason.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Sequence

from carefolio.metrics.quantities import exact_numbers
from notes_summarizer.summary.marks import blank_surrogates
from notes_summarizer.summary.schema import Conflict, Source
from notes_summarizer.summary.sentences import Sentence, heading_of
from notes_summarizer.summary.vocabulary import Mention, find_drugs, find_groups, vocabulary

_START = re.compile(r"\b(?:start|begin|initiate|prescribe|continue|give|administer|resume|take|add|order(?:ed)?|refill|keep taking|go on|"
                    r"put (?:you|him|her) on|increase|decrease)(?:s|ing|ed)?\b", re.IGNORECASE)
_STOP = re.compile(r"\b(?:stop|discontinue|d/c|hold|cease|quit)(?:p?ing|p?ed|s|d)?\b|\b(?:do not|don't|should not|must not|never|no longer|"
                   r"avoid|not to)\s+(?:\w+\s+){0,2}?(?:take|give|start|use|taking|using|continue|prescribe|restart)\b|"
                   r"\bavoid\b", re.IGNORECASE)
_PAST = re.compile(r"\b(?:was|were|had|has been|have been|previously|prior|formerly|in the past|used to|last (?:year|month|visit|week)|"
                   r"years? ago|months? ago|weeks? ago|denies|if|unless|until|may|could|might|discussed)\b|\?\s*$", re.IGNORECASE)
_CHANGE = re.compile(r"\b(?:increas|decreas|titrat|taper|from|change|switch|reduc|instead|lower|raise|up to|down to|now|then|previously|"
                     r"was|total|received|if)", re.IGNORECASE)
_ALLERGY = re.compile(r"\ballerg(?:y|ies|ic)\b|\banaphyla", re.IGNORECASE)
_NO_ALLERGY = re.compile(r"\b(?:no|denies|not|without|negative for|never)\b[^.;]{0,40}\ballerg|\bnkd?a\b|\?\s*$", re.IGNORECASE)
_NO_ORDER = re.compile(r"\b(?:allerg|avoid|reaction|intoleran|anaphyla|hives|rash)", re.IGNORECASE)
_DOSE_UNITS = frozenset(["mg", "ml", "unit", "meq", "puff"])


def find_conflicts(sentences: Sequence[Sentence], *, excluded: Collection[int] = ()) -> list[Conflict]:
    """Find orders that contradict each other.

    Parameters
    ----------
    sentences : sequence of Sentence
        Of one note.
    excluded : collection of int
        Numbers of sentences that are not read.

    Returns
    -------
    list of Conflict
        By kind, then in the order of the note; one a drug and kind. Texts and sources are those of the original note.
    """
    read = [sentence for sentence in sentences if sentence.number not in excluded]
    drugs = {sentence.number: found for sentence in read if (found := find_drugs(sentence.safe))}
    return [*_start_and_stop(read, drugs), *_two_doses(read, drugs), *_allergies(read, drugs)]


def source_of(sentence: Sentence) -> Source:
    """Give a sentence as a source.

    Parameters
    ----------
    sentence : Sentence
        Of a note.

    Returns
    -------
    Source
        Its number, place and original text.
    """
    return Source(number=sentence.number, start=sentence.start, end=sentence.end, text=sentence.text)


def _start_and_stop(sentences: Sequence[Sentence], drugs: dict[int, list[Mention]]) -> list[Conflict]:
    starts: dict[str, Sentence] = {}
    stops: dict[str, Sentence] = {}
    for sentence in sentences:
        for clause in _clauses(sentence.safe) if sentence.number in drugs else ():
            stop, start = _STOP.search(clause), _START.search(clause)
            if not _PAST.search(clause):
                for mention in find_drugs(clause):
                    if stop:
                        stops.setdefault(mention.name, sentence)
                    elif start:
                        starts.setdefault(mention.name, sentence)
    return [Conflict(kind="start_stop", text=f"{drug} is to be given and not to be given", sources=_both(starts[drug], stops[drug]))
            for drug in starts if drug in stops]


def _two_doses(sentences: Sequence[Sentence], drugs: dict[int, list[Mention]]) -> list[Conflict]:
    doses: dict[str, dict[str, Sentence]] = defaultdict(dict)
    for sentence in sentences:
        if sentence.number in drugs and not _CHANGE.search(sentence.safe) and not _STOP.search(sentence.safe):
            for name, dose in _doses(sentence.safe, drugs[sentence.number]):
                doses[name].setdefault(dose, sentence)
    found = []
    for drug, by_dose in doses.items():
        if len(by_dose) > 1 and len({sentence.number for sentence in by_dose.values()}) > 1:
            (first, one), (second, other) = list(by_dose.items())[:2]
            found.append(Conflict(kind="two_doses", text=f"{drug} is given as {first} and as {second}", sources=_both(one, other)))
    return found


def _doses(text: str, drugs: Sequence[Mention]) -> list[tuple[str, str]]:
    """Give each drug with the dose that follows it, if it is the only one before the next drug."""
    found = []
    for place, mention in enumerate(drugs):
        last = drugs[place + 1].start if place + 1 < len(drugs) else min(len(text), mention.end + 60)
        near = exact_numbers(blank_surrogates(text)[mention.end:last])
        doses = [f"{number.value} {number.unit}" for number in near if number.unit in _DOSE_UNITS]
        if len(set(doses)) == 1:
            found.append((mention.name, doses[0]))
    return found


def _allergies(sentences: Sequence[Sentence], drugs: dict[int, list[Mention]]) -> list[Conflict]:
    allergies: dict[str, Sentence] = {}
    heading = ""
    for sentence in sentences:
        heading = heading_of(sentence.text) or heading
        if ("allerg" in heading or _ALLERGY.search(sentence.safe)) and not _NO_ALLERGY.search(sentence.safe):
            for name in _named(sentence.safe):
                allergies.setdefault(name, sentence)
    found: dict[str, Conflict] = {}
    for sentence in sentences:
        for mention in drugs.get(sentence.number, ()):
            against = allergies.get(mention.name)
            if against is not None and against.number != sentence.number and _is_order(sentence.safe):
                text = f"{mention.name} is ordered in spite of an allergy"
                found.setdefault(mention.name, Conflict(kind="allergy", text=text, sources=_both(against, sentence)))
    return list(found.values())


def _named(text: str) -> set[str]:
    """Give the drugs that an allergy rules out: those named, and those of a group named."""
    groups = vocabulary().groups
    drugs = {mention.name for mention in find_drugs(text)}
    named = {mention.name for mention in find_groups(text)} | (drugs & groups.keys())
    return drugs.union(*(groups[name] for name in named))


def _is_order(text: str) -> bool:
    has_dose = any(number.unit in _DOSE_UNITS for number in exact_numbers(blank_surrogates(text)))
    return (_START.search(text) is not None or has_dose) and not any(rule.search(text) for rule in (_STOP, _NO_ORDER, _PAST))


def _clauses(text: str) -> list[str]:
    return re.split(r";|,?\s+\b(?:and|but|then)\b\s+(?=(?:we |she |he |i |please )?(?:will |should |can )?(?:stop|start|begin|hold|"
                    r"continue|discontinue|avoid|resume|take|increase|decrease|do not))", text, flags=re.IGNORECASE)


def _both(one: Sentence, other: Sentence) -> list[Source]:
    return [source_of(sentence) for sentence in sorted((one, other), key=lambda sentence: sentence.number)]
