"""Numbered sentences of a note or conversation, each with its place in the original and its de-identified form.

English, by rules. A sentence ends at ``.``, ``!`` or ``?`` before a blank, unless an abbreviation, an initial or the number of a list
item stands there; at a line break, unless the line was only wrapped; before a list item, a heading or another speaker. Every character
that is not blank belongs to exactly one sentence, except the speakers' labels. An identifier is never cut: sentences that share one are
joined. All is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from carefolio.privacy.firewall import Entity

LONGEST = 1000
"""Characters after which a sentence is cut at a blank, so that a text without any stop still has sentences."""

_SPEAKERS = (r"doctor|docotr|dr|patient|pt|physician|provider|clinician|nurse|interviewer|family|mother|father|caregiver|"
             r"gu?est[_ ](?:family|clinician|clinican)")
SPEAKER_NAMES = rf"(?i:{_SPEAKERS})"
"""Expression for a speaker as `Sentence` names him."""
_SPEAKER = re.compile(rf"[ \t]*(?:\[(?P<tag>{_SPEAKERS})(?:[_ ]?\d)?\][ \t]*:?|(?P<name>{_SPEAKERS})(?:[_ ]?\d)?[ \t]*:)"
                      r"[ \t]*", re.IGNORECASE)
_GUEST = re.compile(r"gu?est[_ ]", re.IGNORECASE)
_HEADING = re.compile(r"[ \t,]*(?P<words>[A-Z][A-Za-z/&,()' -]{1,48}?)[ \t]*:(?=\s|,|$)|[ \t,]*(?P<capitals>[A-Z][A-Z/&,' -]{3,48})[ \t]*$")
_ITEM = re.compile(r"[ \t]*(?:[-*•▪◦–]|\(?\d{1,2}[.)]|[a-z][.)])[ \t]+(?=\S)")
_STOP = re.compile(r"(?P<mark>[.!?]+)[\"'”’)\]]*,?(?=\s)|\.,(?=[A-Z])")
_LAST_WORD = re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]?\Z|[\w'’-]+\Z")
_ABBREVIATIONS = frozenset([
    "dr", "mr", "mrs", "ms", "prof", "st", "vs", "approx", "etc", "fig", "dept", "inc", "no", "pt", "e.g", "i.e", "eg", "ie", "cf", "resp",
    "wt", "ht", "temp", "hosp", "mt", "ave", "blvd", "rd", "ste", "apt", "ext", "tel", "sgt", "capt", "rev",
])
_ABBREVIATIONS_BEFORE_NAMES = frozenset(["dr", "mr", "mrs", "ms", "prof", "st", "mt", "sgt", "capt", "rev"])
_BEFORE_LETTER = frozenset(["vitamin", "hepatitis", "type", "class", "stage", "grade", "group", "influenza", "category", "factor"])
_ITEM_NUMBER = re.compile(r"(?:\A|:)\s*\(?\d{1,2}\Z")
_WRAPPED = 50


@dataclass(frozen=True)
class Sentence:
    """One sentence.

    Attributes
    ----------
    number : int
        From 1, in the order of the text.
    start, end : int
        Characters of the original.
    text : str
        What stands there.
    safe : str
        The same with surrogates and without line breaks.
    speaker : str
        Who says it in a conversation, such as ``"Doctor"``; empty in a note.
    """

    number: int
    start: int
    end: int
    text: str
    safe: str
    speaker: str


def split_sentences(text: str, entities: Sequence[Entity] = ()) -> list[Sentence]:
    """Split a text into sentences.

    Parameters
    ----------
    text : str
        The original note or conversation.
    entities : sequence of Entity
        What the firewall took out of this text, in order; without any, the safe form is the text.

    Returns
    -------
    list of Sentence
        In the order of the text.
    """
    spans = _keep_whole(_spans(text), entities)
    safe = _safe_forms(text, [(start, end) for start, end, _ in spans], entities)
    return [Sentence(number, start, end, text[start:end], form, speaker)
            for number, ((start, end, speaker), form) in enumerate(zip(spans, safe, strict=True), start=1)]


def is_conversation(text: str) -> bool:
    """Say whether a text is a conversation: half of its lines or more begin with a speaker, and two speakers or more take part.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    bool
        False for a note that begins with ``Patient:``.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    labels = [(label["tag"] or label["name"]).lower() for line in lines if (label := _SPEAKER.match(line))]
    return len(set(labels)) > 1 and 2 * len(labels) >= len(lines)


def heading_of(text: str) -> str:
    """Give the heading that a line or sentence begins with.

    Parameters
    ----------
    text : str
        A sentence as `split_sentences` gives it.

    Returns
    -------
    str
        In lower case without the colon; empty if there is none.
    """
    match = _HEADING.match(text)
    words = (match["words"] or match["capitals"]).strip() if match else ""
    return words.lower() if len(words.split()) <= 6 else ""


def after_heading(text: str) -> str:
    """Give what stands behind the heading of a sentence.

    Parameters
    ----------
    text : str
        A sentence.

    Returns
    -------
    str
        The rest without the marks of a list item; all of it if there is no heading.
    """
    rest = text[match.end():] if heading_of(text) and (match := _HEADING.match(text)) else text
    rest = rest.lstrip(" \t,")
    item = _ITEM.match(rest)
    return rest[item.end() if item else 0:].strip()


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Give start, end and speaker of each sentence, before identifiers are looked at."""
    for start, end, speaker in _blocks(text):
        for first, last in _cut(text, start, end):
            yield first, last, speaker


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Give what certainly is not one sentence with what stands around it: lines, but wrapped lines joined."""
    speaker, begin, end = "", -1, -1
    has_turns = is_conversation(text)
    for match in re.finditer(r"[^\n\r]+", text):
        line = match.group()
        if not line.strip():
            continue
        label = _SPEAKER.match(line) if has_turns else None
        joined = begin >= 0 and not label and _is_wrapped(text[begin:end], text[end:match.start()], line)
        if not joined and begin >= 0:
            yield begin, end, speaker
        if label:
            speaker = _GUEST.sub("", label["tag"] or label["name"]).capitalize()
        begin = begin if joined else match.start() + (label.end() if label else 0)
        end = match.end()
        if label and not text[begin:end].strip():
            begin = -1
    if begin >= 0:
        yield begin, end, speaker


def _is_wrapped(before: str, gap: str, line: str) -> bool:
    """Say whether a line only goes on where the width of the page ended the one before."""
    last = before[before.rfind("\n") + 1:].rstrip()
    if gap.count("\n") > 1 or len(last) < _WRAPPED or last.endswith((".", "!", "?", ":", ";")):
        return False
    first = line.lstrip()[:1]
    return (first.islower() or first.isdigit() or first == "(") and not _ITEM.match(line)


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cut a block at stops, and what is still too long at blanks."""
    begin = start
    for match in _STOP.finditer(text, start, end):
        if _ends_sentence(text, begin, match, end):
            yield from _pieces(text, begin, match.end())
            begin = match.end()
    yield from _pieces(text, begin, end)


def _ends_sentence(text: str, begin: int, match: re.Match[str], end: int) -> bool:
    mark = match["mark"]
    if mark is None or mark.strip("."):
        return True
    following = text[match.end():min(match.end() + 40, end)].lstrip()
    if len(mark) > 1:
        return not following[:1].islower()
    before = text[max(begin, match.start() - 24):match.start()]
    if _ITEM_NUMBER.search(before) and (match.start() - begin < 6 or ":" in before):
        return False
    last = _LAST_WORD.search(before)
    return last is None or not _is_abbreviation(last.group(), before[:last.start()], following)


def _is_abbreviation(word: str, before: str, following: str) -> bool:
    lower = word.lower()
    if "." in word or lower in _ABBREVIATIONS:
        is_name = lower in _ABBREVIATIONS_BEFORE_NAMES
        if lower == "no":
            return following[:1].isdigit()
        return is_name or not (following[:1].isupper() and following[1:2].islower())
    words = before.split()
    return len(word) == 1 and word.isupper() and bool(words) and words[-1][0].isupper() and words[-1].lower() not in _BEFORE_LETTER


def _pieces(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Give a sentence without the blanks around it, in pieces if it is too long."""
    while start < end:
        last = end
        if end - start > LONGEST:
            blank = max(text.rfind(" ", start, start + LONGEST), text.rfind("\t", start, start + LONGEST))
            last = blank if blank > start else start + LONGEST
        piece = text[start:last]
        if piece.strip():
            yield start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
        start = last


def _keep_whole(spans: Iterable[tuple[int, int, str]], entities: Sequence[Entity]) -> list[tuple[int, int, str]]:
    """Join what an identifier spans; one that begins before a sentence, in a speaker's label, moves its start."""
    whole: list[tuple[int, int, str]] = []
    place = 0
    for start, end, speaker in spans:
        while place < len(entities) and entities[place].end <= start:
            place += 1
        cut = place < len(entities) and entities[place].start < start
        if cut and whole and entities[place].start < whole[-1][1]:
            whole[-1] = (whole[-1][0], end, whole[-1][2])
        else:
            whole.append((entities[place].start if cut else start, end, speaker))
    return whole


def _safe_forms(text: str, spans: Sequence[tuple[int, int]], entities: Sequence[Entity]) -> Iterator[str]:
    place = 0
    for start, end in spans:
        pieces, position = [], start
        while place < len(entities) and entities[place].start < end:
            entity = entities[place]
            if entity.end > start:
                pieces += [text[position:max(position, entity.start)], entity.surrogate]
                position = max(position, entity.end)
            place += 1
        yield " ".join(("".join(pieces) + text[position:end]).split())
