"""Names found word by word: by a lexicon, by the form of a word, by the words beside it; also where nothing is capitalised.

The language model reads sentences and misses what stands in lists, in turns of a conversation, in lower case and in other languages.
This goes through the words once. Words with a capital that follow one another are one phrase; it is a name if one of its words is a
given name, a surname or foreign. A single unknown word is one only if something says so: a verb that only people are the subject of, a
vocative, a colon before speech, or another name that it is joined to by "and" or a comma.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

from carefolio.privacy.facts import is_common, is_fact, is_term
from carefolio.privacy.lexicon import is_foreign, is_given, is_only_word, is_surname, is_word

if TYPE_CHECKING:
    from collections.abc import Sequence

Found = tuple[int, int, float]

_TOKEN = regex.compile(r"\p{L}[\p{L}\p{M}]*(?:['’-](?![sS]\b)\p{L}[\p{L}\p{M}]*)*")
_GAP = regex.compile(r"[ \t]{1,2}|\.[ ]|[ ]?(?:van|von|ten|ter|der|den|de|da|do|dos|du|di|del|della|la|le|af|av|bin|ibn|al|el|y|"
                     r"zu)(?:[ ](?:der|den|de|la|los|las))?[ ]")
"""What may stand between two words of one name."""
_DOES = regex.compile(
    r"[ ]{1,2}(?:lives?|lived|resides?|says?|said|told|asked|asks|wants?|wanted|works?|worked|thinks|denies|denied|began\s(?:to\s)?\w+ing|"
    r"began\s(?:his|her)|"
    r"(?:had\s|has\s)?(?:given|gave)|called|calls|writes|wrote|agreed|agrees|arrived|went|moved|smokes|drinks|complains|complained|"
    r"retired|married|"
    r"will\sbe\s\w+ing|was\s(?:born|told|asked|advised|seen|married|raised)|and\s(?:his|her)\s\w+|is\s(?:a|an|the|my|his|her)\s"
    r"(?:\w+\s)?(?:patient|man|woman|boy|girl|nurse|doctor|friend|wife|husband|speaker|mother|father|son|daughter))\b")
_ADDRESSED = regex.compile(r"\s?,\s(?:can|could|would|will|please|how|what|where|when|why|are|do|did|have|thank|let|tell|come|take|i['’]m|"
                           r"you|it['’]s\sgood)\b", regex.IGNORECASE)
_SPEAKS = regex.compile(r"\s?:\s?[\"“]")
_OWNS = regex.compile(r"['’]s\s(?:mother|father|son|daughter|wife|husband|partner|sister|brother|family|parents|doctor|nurse|chart|notes?|"
                      r"house|room|address|phone)\b")
_QUOTED = regex.compile(r"[\"”]\s(?:says|said|asks|asked)\s$", regex.IGNORECASE)
_NAMED = regex.compile(r"(?:\b(?:called|named|call\s(?:me|him|her)|who\sis|where\sis|tell|told|asked|met|contact|"
                       r"signed(?:\sby)?|billing\saddress|name):?)\s{1,5}$", regex.IGNORECASE)
_NOBODY = "Vasterby"
"""A name that is no fact, to ask whether what follows makes an eponym of any."""
_JOINED = regex.compile(r"(?:\s?,\s?|\s?,?\s(?:and|&)\s)")
_GREETING = regex.compile(r"(?:\b(?:hi|hello|hey|dear|morning|afternoon|evening|thanks|thank\syou|bye|alright|all\sright|okay|ok|so|well|"
                          r"right|yes|yeah|no|sorry|welcome|"
                          r"meet|see\syou|seeing|called|i['’]m|i\sam|this\sis|patient\sis|name\sis|named|it['’]s)\s?[,.]?\s|"
                          r"[\]\n]\s?)$", regex.IGNORECASE)
_DOCTOR = regex.compile(r"\b(?:doctor|dr\s?\.?|nurse|mister|misses|missus)\s$", regex.IGNORECASE)
_VOCATIVE = regex.compile(r"\s?[,.?!\n]|\s(?:how|what|good|nice|it['’]?s|i|so|thank|welcome|come|you|tell|let|can|do|are|have|did|when|"
                          r"where|is|like|for|great|today|we|my|and)\b")


def find_names(text: str, known: Iterable[tuple[int, int]] = ()) -> list[Found]:
    """Find names by their words.

    Parameters
    ----------
    text : str
        Any text.
    known : iterable of (int, int)
        Start and end of names that were found otherwise; what is joined to them is a name too.

    Returns
    -------
    list of (int, int, float)
        Start, end and score of each.
    """
    tokens = [(match.start(), match.end()) for match in _TOKEN.finditer(text)]
    found = [*_capitalised(text, tokens), *_lower_case(text, tokens)]
    return [*found, *_joined(text, tokens, [*known, *((start, end) for start, end, _ in found)])]


def _capitalised(text: str, tokens: Sequence[tuple[int, int]]) -> Iterator[Found]:
    for phrase in _phrases(text, tokens):
        for name in _split(text, phrase):
            score = _score(text, name)
            if score:
                yield name[0][0], name[-1][1], score


def _phrases(text: str, tokens: Sequence[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Group words with a capital that only a blank, an initial's full stop or a particle parts."""
    phrase: list[tuple[int, int]] = []
    for start, end in tokens:
        if not text[start].isupper() and not is_foreign(text[start:end]):
            continue
        if phrase and not _same(text, phrase[-1], start):
            yield phrase
            phrase = []
        phrase.append((start, end))
    if phrase:
        yield phrase


def _same(text: str, last: tuple[int, int], start: int) -> bool:
    gap = text[last[1]:start]
    return _GAP.fullmatch(gap) is not None and (gap[0] != "." or last[1] - last[0] == 1)


def _split(text: str, phrase: list[tuple[int, int]]) -> Iterator[list[tuple[int, int]]]:
    """Cut a phrase at ordinary and medical words; one that may be a name stays behind a given name."""
    name: list[tuple[int, int]] = []
    for start, end in phrase:
        word = text[start:end]
        plain = is_term(word, regions=False) or is_word(word)
        follows = bool(name) and is_given(text[slice(*name[-1])]) and not word.isupper() and not (is_common(word) and is_only_word(word))
        if len(word) == 1 or not plain or follows or (is_given(word) and not is_common(word) and not word.isupper()):
            name.append((start, end))
        elif name:
            yield name
            name = []
    if name:
        yield name


def _score(text: str, name: list[tuple[int, int]]) -> float:
    words = [text[start:end] for start, end in name if end - start > 1]
    if not words:
        return 0.0
    given, known = [is_given(word) and not is_word(word) for word in words], [is_surname(word) or is_foreign(word) for word in words]
    if all(word.isupper() and word.isascii() for word in words):
        return 0.7 if len(words) > 1 and given[0] and (known[-1] or given[-1]) else 0.0
    if len(name) > 1:
        if given[0] or (is_given(words[0]) and known[-1]):
            return 0.84
        return 0.65 if any(given) or any(known) else 0.52 if _is_unknown(words) else 0.0
    cue = _cue(text, *name[0])
    if cue:
        return cue
    return 0.6 if given[0] else 0.55 if known[0] else 0.0


def _is_unknown(words: list[str]) -> bool:
    return len(words) > 1 and not any(word.isupper() or is_word(word) for word in words)


def _cue(text: str, start: int, end: int) -> float:
    """Give the trust in a single word that the words beside it say to be a person, or 0."""
    word = text[start:end]
    if is_word(word) and not is_given(word):
        return 0.0
    if any(cue.match(text, end) for cue in (_DOES, _SPEAKS, _OWNS)) or _QUOTED.search(text, max(0, start - 12), start):
        return 0.86
    begins = text[max(0, start - 3):start].strip(" \"“'")[-1:] in ("", ".", "?", "!", "\n", "]")
    return 0.7 if (begins and _ADDRESSED.match(text, end)) or _NAMED.search(text, max(0, start - 30), start) else 0.0


def _joined(text: str, tokens: Sequence[tuple[int, int]], found: Iterable[tuple[int, int]]) -> Iterator[Found]:
    """Take single words with a capital that are joined to a name by "and" or a comma."""
    names = [(start, end) for start, end in found if not is_fact(text[start:end], text[end:end + 40])]
    ends, starts = {end for _, end in names}, {start for start, _ in names}
    words = [(start, end) for start, end in tokens if text[start:end].lower() != "and"]
    pairs = list(pairwise(words))
    for backwards in (False, True):
        for left, right in reversed(pairs) if backwards else pairs:
            known, (start, end) = (right[0] in starts, left) if backwards else (left[1] in ends, right)
            between = _JOINED.fullmatch(text, left[1], right[0])
            if known and between and start not in starts and _may_join(text[start:end], text[end:end + 40]):
                starts.add(start)
                ends.add(end)
                yield start, end, 0.86


def _may_join(word: str, following: str) -> bool:
    if len(word) < 3 or not word[0].isupper() or word.isupper() or is_only_word(word) or is_common(word) or is_fact(_NOBODY, following):
        return False
    return not is_term(word) or word.lower() in ("white", "black")


def _lower_case(text: str, tokens: Sequence[tuple[int, int]]) -> Iterator[Found]:
    """Find given names in lower case: anywhere if they are nothing else, behind a greeting if they may be a word."""
    for index, (start, end) in enumerate(tokens):
        word = text[start:end]
        if not word.islower() or len(word) < 3:
            continue
        if is_surname(word) and _DOCTOR.search(text, max(0, start - 12), start):
            yield start, end, 0.92
        if not is_given(word) or (is_common(word) and not _GREETING.search(text, max(0, start - 14), start)):
            continue
        greeted = _GREETING.search(text, max(0, start - 14), start) is not None
        last = _lower_surname(text, tokens, index)
        if is_given(word, certain=True) or (greeted and _VOCATIVE.match(text, end)) or (last > end and not is_word(word)):
            yield start, last, 0.92 if greeted else 0.75


def _lower_surname(text: str, tokens: Sequence[tuple[int, int]], index: int) -> int:
    """Give the end of the surname behind a given name in lower case, with or without an initial between; else the given name's end."""
    end = tokens[index][1]
    for start, stop in tokens[index + 1:index + 3]:
        gap, word = text[end:start], text[start:stop]
        if gap not in (" ", ". ") or not word.islower():
            break
        if len(word) > 1:
            name = is_surname(word) or is_foreign(word.title()) or (is_given(word) and not is_word(word))
            return stop if name and (gap == " " or end > tokens[index][1]) else tokens[index][1]
        end = stop
    return tokens[index][1]
