"""Marks on a statement: what its source sentences do not support, with places in the text that the reader sees."""

from __future__ import annotations

import re
from collections.abc import Iterable

from carefolio.metrics.faithfulness import DOSE_UNITS, numbers_not_in, unsupported
from carefolio.metrics.quantities import exact_numbers
from carefolio.privacy.surrogates import SURROGATE, Mapping
from notes_summarizer.summary.schema import Flag, FlagKind
from notes_summarizer.summary.vocabulary import find_drugs, vocabulary
from notes_summarizer.summary.wording import join_letters

_LEADING_NO = re.compile(r"^\W*(?:no|nope|nah)\s*,\s*", re.IGNORECASE | re.MULTILINE)


def mark(text: str, context: str) -> list[Flag]:
    """Find the numbers, drugs, conditions, negations, sides and surrogates of a statement that its context does not hold.

    A drug counts as held under any of its names. Numbers within surrogates are not looked at: surrogates are compared as they are.

    Parameters
    ----------
    text : str
        The statement, with surrogates.
    context : str
        De-identified source sentences and those next to them.

    Returns
    -------
    list of Flag
        In the order of the text.
    """
    found = unsupported(blank_surrogates(_plain(context)), blank_surrogates(text), terms=vocabulary().terms)
    flags = [_flag(finding.kind, text, finding.start, finding.end) for finding in found]
    known = {match.group().upper() for match in SURROGATE.finditer(context)}
    flags += [_flag("placeholder", text, *match.span()) for match in SURROGATE.finditer(text) if match.group().upper() not in known]
    return sorted(flags, key=lambda flag: (flag.start, flag.end))


def mark_medication(text: str, name: str, dose: str, sentences: Iterable[str]) -> list[Flag]:
    """Find a drug or dose of a statement that no source sentence holds, or a dose that a source gives to another drug.

    Parameters
    ----------
    text : str
        The statement; it contains name and dose.
    name, dose : str
        The drug and its dose; an empty dose is not looked at.
    sentences : iterable of str
        De-identified source sentences.

    Returns
    -------
    list of Flag
        At most one for each.
    """
    sources = list(sentences)
    flags = []
    if name and not any(_names(source, name) for source in sources):
        flags.append(_flag("term", text, *_place(text, name)))
    if dose and not any(_gives(source, name, dose) for source in sources):
        flags.append(_flag("dose", text, *_place(text, dose)))
    return flags


def blank_surrogates(text: str) -> str:
    """Replace surrogates by blanks of the same length, so that their words and numbers are not read as those of the note.

    Parameters
    ----------
    text : str
        Text with surrogates.

    Returns
    -------
    str
        As long as the text.
    """
    return SURROGATE.sub(lambda match: " " * len(match.group()), text)


def reidentify_marked(text: str, flags: Iterable[Flag], mapping: Mapping) -> tuple[str, list[Flag]]:
    """Put the originals back into a statement, and move its marks along.

    Parameters
    ----------
    text : str
        With surrogates.
    flags : iterable of Flag
        Marks on it.
    mapping : Mapping
        What the surrogates stand for.

    Returns
    -------
    tuple of (str, list of Flag)
        The text as the reader sees it, and its marks.
    """
    changes = [(match.start(), len(mapping.original_of(match)) - len(match.group())) for match in SURROGATE.finditer(text)]
    whole = mapping.reidentify(text)
    return whole, [_flag(flag.kind, whole, _moved(flag.start, changes), _moved(flag.end, changes)) for flag in flags]


def _plain(context: str) -> str:
    """Write a conversation so that the checks read it right: "No, I quit" denies the question and not the quitting; "M R I" is one word."""
    return join_letters(_LEADING_NO.sub("No. ", context))


def _moved(place: int, changes: Iterable[tuple[int, int]]) -> int:
    """Give the place after the surrogates before it were replaced; marks begin and end at a surrogate's ends or outside of it."""
    return place + sum(longer for start, longer in changes if start < place)


def _flag(kind: FlagKind, text: str, start: int, end: int) -> Flag:
    return Flag(kind=kind, start=start, end=end, text=text[start:end])


def _place(text: str, part: str) -> tuple[int, int]:
    start = max(text.lower().find(part.lower()), 0)
    return start, min(start + len(part), len(text))


def _names(source: str, name: str) -> bool:
    """Say whether a sentence names a drug, under any of its names."""
    asked = {mention.name for mention in find_drugs(name)}
    if asked:
        return asked <= {mention.name for mention in find_drugs(source)}
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", source, re.IGNORECASE) is not None


def _gives(source: str, name: str, dose: str) -> bool:
    """Say whether a sentence gives the dose to this drug: behind it, or before it where the sentence puts doses first."""
    if numbers_not_in(source, dose):
        return False
    asked, drugs = {mention.name for mention in find_drugs(name)}, find_drugs(source)
    if not asked or len({mention.name for mention in drugs}) < 2:
        return True
    is_before = bool(_doses(source[:drugs[0].start]))
    for place, mention in enumerate(drugs):
        first = drugs[place - 1].end if place else 0
        last = drugs[place + 1].start if place + 1 < len(drugs) else len(source)
        beside = source[first:mention.start] if is_before else source[mention.start:last]
        if mention.name in asked and not numbers_not_in(beside, dose):
            return True
    return False


def _doses(text: str) -> list[str]:
    return [number.text for number in exact_numbers(text) if number.unit in DOSE_UNITS]
