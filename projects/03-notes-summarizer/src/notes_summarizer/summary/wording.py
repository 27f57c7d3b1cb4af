"""Spoken English to the English of notes, word by word: fillers out, first and second person to third, number words to digits.

Rules for one sentence at a time. Nothing is added but the subject ("The patient") and the endings of verbs.
"""

from __future__ import annotations

import re
from typing import Literal

from carefolio.metrics.quantities import exact_numbers
from notes_summarizer.summary.words import word_list

Person = Literal["he", "she", "they"]

_FILLERS = re.compile(
    r"^\s*(?:(?:(?:uh|um|umm|hmm|hm|mm|ah|oh|er|well|so|okay|ok|alright|all right|yeah|yep|and then|and|but|then|anyway|you know|i mean|"
    r"let's see|let me see|i guess|hey|hi|hello|like i said|as i said|to be honest|gotcha|got it)\b[\s,.!]*)|(?:(?:yes|sure|right|now|"
    r"actually|basically|honestly|great|good|perfect|excellent|wow|sorry|unfortunately|of course|absolutely|definitely|certainly|exactly|"
    r"correct|i see|doctor|doc|sir|ma'am|maam|miss)\s*(?:[,.!]+\s*|$)))+|[,\s]*\b(?:uh|um|umm|hmm|you know|i mean|kind of|"
    r"sort of)\b,?(?=\s|[.?!]|$)", re.IGNORECASE)
_SPACED = re.compile(r"\s+(?=[,.!?;:'’%)]|n't\b)|(?<=[(])\s+|(?<=\d)\s+(?=-\s)")
_REPEATED = re.compile(r"\b(\w+)((?:\s*,?\s+)\1\b)+", re.IGNORECASE)
_LETTERS = re.compile(r"\b(?:[A-Z]\s){1,4}[A-Z]\b(?!['’])")
_ORDINAL = re.compile(r"[\s-]+(?:first|second|third|fourth|fifth|sixth|seventh|eighth?|ninth|nineth|st|nd|rd|th)\b", re.IGNORECASE)
_CONTRACTIONS = (
    (r"\bcan't\b", "cannot"), (r"\bwon't\b", "will not"), (r"\bain't\b", "is not"), (r"n't\b", " not"), (r"\bgonna\b", "going to"),
    (r"\bwanna\b", "want to"), (r"\bgotta\b", "have to"), (r"\bi'm\b", "I am"), (r"'re\b", " are"), (r"'ve\b", " have"),
    (r"'ll\b", " will"),
    (r"\b(i|you|we|they|he|she)'d\b", r"\1 would"), (r"\b(he|she|it|that|there|what)'s (?=(?:been|had)\b)", r"\1 has "),
    (r"\b(he|she|it|that|there)'s\b", r"\1 is"), (r"\blet's\b", "we will"),
)
_IRREGULAR = {"have": "has", "am": "is", "are": "is", "were": "was", "do": "does", "go": "goes"}
_PRONOUNS = {"he": ("he", "his", "him", "himself"), "she": ("she", "her", "her", "herself"), "they": ("the "
    "patient", "their", "them", "themselves")}


def clean(text: str) -> str:
    """Take the fillers and stutters out of a spoken sentence.

    Parameters
    ----------
    text : str
        One sentence.

    Returns
    -------
    str
        Without blanks before marks; empty if nothing is left.
    """
    text = _SPACED.sub("", text.replace("’", "'"))
    before = None
    while before != text:
        before, text = text, _FILLERS.sub("", text).strip(" ,-")
    text = _REPEATED.sub(r"\1", text)
    return re.sub(r"\bi\b(?!\.)", "I", join_letters(text))


def join_letters(text: str) -> str:
    """Write an abbreviation that was spelt out in one word.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        ``"MRI"`` for ``"M R I"``.
    """
    return _LETTERS.sub(lambda match: match.group().replace(" ", ""), text)


def digits(text: str) -> str:
    """Write number words as digits, as notes do.

    Parameters
    ----------
    text : str
        One sentence.

    Returns
    -------
    str
        ``"seventy six years"`` as ``"76 years"``; one to nine without a unit stay words.
    """
    pieces, position = [], 0
    for number in exact_numbers(text):
        is_small = len(number.value) == 1 and number.unit in ("", "time")
        if number.is_word and not is_small and number.start >= position and not _is_part(text, number.start, number.end):
            has_unit = number.unit not in ("", "ratio", "time")
            last = number.start + len(number.text.rpartition(" ")[0]) if has_unit else number.end
            pieces += [text[position:number.start], number.value]
            position = last
    return "".join(pieces) + text[position:]


def _is_part(text: str, start: int, end: int) -> bool:
    """Say whether number words belong to more that is not read with them: "thirty first", "point one two five"."""
    return _ORDINAL.match(text, end) is not None or text[:start].lower().endswith("point ")


def expand(text: str) -> str:
    """Write contractions in full.

    Parameters
    ----------
    text : str
        One sentence.

    Returns
    -------
    str
        ``"I do not"`` for ``"I don't"``.
    """
    for pattern, full in _CONTRACTIONS:
        text = re.sub(pattern, full, text, flags=re.IGNORECASE)
    return text


def to_third_person(text: str, person: Person, *, speaker_is_patient: bool) -> str:
    """Say about the patient what the patient says, or what a clinician says to the patient.

    Parameters
    ----------
    text : str
        One sentence that was cleaned.
    person : {"he", "she", "they"}
        How to speak of the patient after the first time.
    speaker_is_patient : bool
        Whether ``I`` is the patient; else ``you`` is.

    Returns
    -------
    str
        A sentence with a capital and a stop.
    """
    words = expand(text).split()
    subject, own, whom, self_form = _PRONOUNS[person]
    names = {"i"} if speaker_is_patient else {"you"}
    if speaker_is_patient:
        owns = {"my": own, "mine": own, "me": whom, "myself": self_form}
    else:
        owns = {"your": own, "yours": own, "yourself": self_form}
    out: list[str] = []
    named = False
    place = 0
    while place < len(words):
        word = words[place].lower().rstrip(",.;:?!")
        tail = words[place][len(word):]
        if word in names and words[place + 1:place + 2] and words[place + 1].lower() in names:
            place += 1
            continue
        if word in names and not (not speaker_is_patient and _is_object(words, place)):
            out.append((subject if named and out else "the patient") + tail)
            named = True
            place = _conjugate(words, place + 1, out)
            continue
        out.append((whom if word in names else owns.get(word, words[place][:len(word)])) + tail)
        place += 1
    return sentence_case(" ".join(out))


def third_person(verb: str) -> str:
    """Give the form of a verb behind ``he``.

    Parameters
    ----------
    verb : str
        A verb in the present, a past form or a modal.

    Returns
    -------
    str
        ``"takes"`` for ``"take"``; past forms and modals as they are.
    """
    lower = verb.lower()
    if lower in _IRREGULAR:
        return _IRREGULAR[lower]
    if lower in word_list("modals") | word_list("past") or (lower.endswith(("ed", "ing")) and len(lower) > 4) or not lower.isalpha():
        return verb
    if lower.endswith(("s", "x", "ch", "sh", "z")):
        return f"{verb}es"
    return f"{verb[:-1]}ies" if lower.endswith("y") and lower[-2:-1] not in "aeiou" else f"{verb}s"


def sentence_case(text: str) -> str:
    """Give a sentence its capital and its stop.

    Parameters
    ----------
    text : str
        A sentence.

    Returns
    -------
    str
        Empty if the text has no letter and no digit.
    """
    text = " ".join(text.split()).strip(" ,;:-")
    if not re.search(r"\w", text):
        return ""
    text = text.rstrip("?!.,;: ")
    return f"{text[:1].upper()}{text[1:]}."


def _conjugate(words: list[str], place: int, out: list[str]) -> int:
    """Copy adverbs, then the verb behind the subject in its form; give the next place."""
    while place < len(words) and (words[place].lower() in word_list("adverbs") or words[place].lower().endswith("ly")):
        out.append(words[place])
        place += 1
    if place < len(words):
        word = words[place]
        bare = word.rstrip(",.;:?!")
        out.append(third_person(bare) + word[len(bare):])
        place += 1
    return place


def _is_object(words: list[str], place: int) -> bool:
    """Say whether ``you`` is what something is done to: at the end of a clause, or behind a preposition or such a verb."""
    before = words[place - 1].lower() if place else ""
    following = words[place + 1].lower() if place + 1 < len(words) else ""
    ends = words[place][-1:] in ",.;:?!" or not following
    return ends or before in word_list("before_object") or following == "to"
