"""Easier sentences by rules: plain words for hard ones, long sentences cut in two, what is in brackets for the eye only left out, "this
condition" for a long name that the leaflet has as its title.

Every changed sentence is checked against its passage: a number, a name, a negation or a side that the passage does not support puts
the sentence back as it stood. The rules know nothing of meaning; the tables are written by hand and can be read in full.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

from carefolio.metrics.faithfulness import unsupported

PACKAGE = "notes_summarizer.leaflet"
LEAST_WORDS = 4
"""Words that each part of a cut sentence must have."""
STAND_IN = "this condition"
LEAST_SYLLABLES = 5
"""Of a name that `STAND_IN` may stand for; shorter ones are easier themselves."""

_SPOKEN = re.compile(r"\s*\((?=[^)]*[A-Z]{2})(?:pronounced |say )?[A-Za-z]+(?:-[A-Za-z]+){2,}\)")
_SEE = re.compile(r"\s*\((?:see|for example, see|shown)\b[^)]*\)", re.IGNORECASE)
_VERB = (r"(?:is|are|was|were|has|have|had|can|cannot|may|might|will|would|should|must|could|do|does|did|need|needs|cause|causes|get|gets|"
         r"make|makes|help|helps|happen|happens|begin|begins|tend|tends|become|becomes|affect|affects|include|includes|mean|means|show|shows)\b")
_SUBJECT = (r"(?:it|they|he|she|you|we|there|this|these|those|people|patients|children|most|some|many|doctors|your|the|its|their|a|an|"
            r"symptoms|signs|treatment|surgery)\b")
_CUTS = (
    (re.compile(rf";\s+(?:and |but |so )?(?={_SUBJECT})", re.IGNORECASE), ". "),
    (re.compile(rf",\s+and\s+(?={_SUBJECT}(?:\s+[\w'’-]+){{0,4}}?\s+{_VERB})"), ". "),
    (re.compile(rf",\s+but\s+(?={_SUBJECT}(?:\s+[\w'’-]+){{0,4}}?\s+{_VERB})"), ". But "),
    (re.compile(rf",\s+so\s+(?={_SUBJECT}(?:\s+[\w'’-]+){{0,4}}?\s+{_VERB})"), ". So "),
    (re.compile(rf",?\s+although\s+(?={_SUBJECT}(?:\s+[\w'’-]+){{0,4}}?\s+{_VERB})"), ". But "),
    (re.compile(r",\s+which\s+(?=means\b)"), ". This "),
    (re.compile(rf"(?<!mainly)(?<!only)(?<!just)(?<!not)\s+because\s+(?!of\b)(?=\w+(?:\s+[\w'’-]+){{0,4}}?\s+{_VERB})"),
     ". This is because "),
)
_BEFORE_NAME = (r"(?P<before>^|\n|[.!?:;,] |\b(?:of|in|by|to|or|is|for|and|has|get|had|are|with|from|that|have|when|most|like|about|cause"
                r"|causes|having|called) )")
_AFTER_NAME = (rf"(?=[.,;:]|$| (?:{_VERB}|(?:in|and|or|who|that|which|by|when|if|to|as|from|for|at|with|because|but|among|after|before"
               r"|often|most|usually|also|varies|affects|occurs|results|develops|begins|appears|typically|generally|sometimes)\b))")
_FIRST_LETTER = re.compile(r"(?<=[.!?] )([a-z])")


@dataclass(frozen=True)
class Simplified:
    """What became of a sentence.

    Attributes
    ----------
    text : str
        The easier wording, or the sentence as it stood.
    changed : bool
        Whether it differs.
    findings : tuple of str
        Kinds of what the check found in a wording that was put back; empty if it stood or passed.
    """

    text: str
    changed: bool
    findings: tuple[str, ...]


def simplify(sentence: str, *, passage: str, terms: Collection[str], names: Collection[str] = (), titled: str = "") -> Simplified:
    """Reword a sentence by the rules, and put it back if its passage does not support the result.

    Parameters
    ----------
    sentence : str
        As it stands in the passage.
    passage : str
        What it must rest on.
    terms : collection of str
        Names that must not be invented, such as drugs and diseases.
    names : collection of str
        Phrases that are left as they are, such as the name of the disease.
    titled : str, optional
        Name of the condition that the title says the text is about; `without_name` leaves it out.

    Returns
    -------
    Simplified
        The wording, and what the check found.
    """
    plain = plain_words(without_name(leave_out_brackets(sentence), titled), names=names)
    source = _with_plain_words(passage, tuple(names), titled)
    first = checked(sentence, cut_sentence(plain), passage=source, terms=terms)
    return first if not first.findings or plain == sentence else checked(sentence, plain, passage=source, terms=terms)


@functools.lru_cache(maxsize=64)
def _with_plain_words(passage: str, names: tuple[str, ...], titled: str) -> str:
    """Add the plain wording to a passage; once for all of its sentences."""
    return f"{passage}\n{plain_words(without_name(passage, titled), names=names)}"


def checked(sentence: str, reworded: str, *, passage: str, terms: Collection[str]) -> Simplified:
    """Take a wording only if its passage supports it.

    Parameters
    ----------
    sentence : str
        As it stands in the passage.
    reworded : str
        Another wording of it.
    passage : str
        What it must rest on.
    terms : collection of str
        Names that must not be invented.

    Returns
    -------
    Simplified
        The other wording, or the sentence and the kinds of what was found.
    """
    found = tuple(sorted({finding.kind for finding in unsupported(passage, reworded, terms=terms)}))
    lost = () if _kept(sentence, reworded) else ("lost",)
    if found or lost:
        return Simplified(sentence, False, (*found, *lost))
    return Simplified(reworded, reworded != sentence, ())


def _kept(sentence: str, reworded: str) -> bool:
    """Say whether all numbers and negations of the sentence are still in the wording."""
    pattern = r"\d+(?:[.,/]\d+)*|\b(?:no|not|never|none|without|cannot|neither|nor)\b|n['’]t\b"
    before, after = (re.findall(pattern, text.lower()) for text in (_SEE.sub("", _SPOKEN.sub("", sentence)), reworded))
    return all(before.count(word) <= after.count(word) for word in set(before))


def leave_out_brackets(sentence: str) -> str:
    """Leave out brackets that say how a word is spoken, or where to look.

    Parameters
    ----------
    sentence : str
        Such as ``"Anemia (uh-NEE-me-uh) is common."``

    Returns
    -------
    str
        ``"Anemia is common."``
    """
    return _SEE.sub("", _SPOKEN.sub("", sentence))


def without_name(text: str, name: str) -> str:
    """Put "this condition" for a long name, where no other word belongs to the name.

    Parameters
    ----------
    text : str
        Any English text.
    name : str
        Of a condition, as in ``"Lynch syndrome (HNPCC)"``; the brackets are optional in the text. Empty for none.

    Returns
    -------
    str
        The same text if the name has fewer than `LEAST_SYLLABLES`.
    """
    def _put(match: re.Match[str]) -> str:
        before = match.group("before")
        return before + (STAND_IN.capitalize() if before.strip(" ") in {"", "\n", ".", "!", "?"} else STAND_IN)

    finder = _name_finder(name)
    return finder.sub(_put, text) if finder else text


@functools.lru_cache(maxsize=64)
def _name_finder(name: str) -> re.Pattern[str] | None:
    import textstat

    bare, _, brackets = name.partition(" (")
    if not bare or textstat.syllable_count(bare) < LEAST_SYLLABLES:
        return None
    optional = rf"(?: \({re.escape(brackets)})?" if brackets else r"(?: \([A-Z0-9-]{2,8}\))?"
    return re.compile(rf"{_BEFORE_NAME}{re.escape(bare)}{optional}{_AFTER_NAME}", re.IGNORECASE)


def plain_words(text: str, *, names: Collection[str] = ()) -> str:
    """Put plain words for hard ones.

    Parameters
    ----------
    text : str
        Any English text.
    names : collection of str
        Phrases that are left as they are.

    Returns
    -------
    str
        The text; a capital at the start of a word is kept, and ``a`` or ``an`` before it is set right.
    """
    words, finder, keep = _table()
    protected = [match.span() for phrase in (*keep, *names) if phrase for match in re.finditer(re.escape(phrase), text, re.IGNORECASE)]

    def _plain(match: re.Match[str]) -> str:
        if any(start < match.end() and match.start("word") < end for start, end in protected):
            return match.group()
        hard = match.group("word")
        plain = words[" ".join(hard.lower().split())]
        plain = plain[0].upper() + plain[1:] if hard[0].isupper() else plain
        article, blank = match.group("article") or "", match.group("blank") or ""
        if article:
            right = "an" if plain[0].lower() in "aeiou" else "a"
            article = right.capitalize() if article[0].isupper() else right
        return f"{article}{blank}{plain}"

    return finder.sub(_plain, text)


def cut_sentence(sentence: str) -> str:
    """Cut a long sentence where a new clause with a subject and a verb of its own begins.

    Parameters
    ----------
    sentence : str
        One sentence; a list is left as it is.

    Returns
    -------
    str
        One sentence or several.
    """
    if "\n- " in sentence:
        return sentence
    for pattern, mark in _CUTS:
        pieces = pattern.split(sentence)
        if len(pieces) > 1 and all(len(piece.split()) >= LEAST_WORDS for piece in pieces) and all(
                re.search(rf"\b{_VERB}|\w+(?:s|ed)\b", piece) for piece in pieces) and sentence.count("(") == sentence.count(")"):
            joined = mark.join(piece.strip() for piece in pieces)
            sentence = _FIRST_LETTER.sub(lambda match: match.group(1).upper(), joined)
    return sentence


@functools.cache
def _table() -> tuple[dict[str, str], re.Pattern[str], tuple[str, ...]]:
    table = tomllib.loads(files(PACKAGE).joinpath("plain_words.toml").read_text(encoding="utf-8"))
    words = {hard.lower(): plain for hard, plain in table["words"].items()}
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    expression = "|".join(r"\s+".join(map(re.escape, word.split())) for word in longest_first)
    finder = re.compile(rf"(?<![\w-])(?:(?P<article>an?)(?P<blank>\s+))?(?P<word>{expression})(?![\w-])", re.IGNORECASE)
    return words, finder, tuple(table["keep"])
