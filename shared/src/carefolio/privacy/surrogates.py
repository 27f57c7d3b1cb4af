"""Surrogates for identifiers and the way back, also in a text that arrives in pieces.

A surrogate is a label and a number in square brackets: ``[PERSON_1]``. It is plain ASCII, says what it stands for, reads as one
unit, and cannot be taken for a name. The same person, place or number has the same number throughout; another way of writing it
adds a letter, ``[PERSON_1a]``, so that the original comes back exactly. On the way back, case and a blank instead of the
underscore do not matter, since language models change these; a surrogate that the mapping does not know stays as it is.

The mapping lives in memory. It shows no identifier when it is printed, and it refuses to be pickled or copied.
"""

from __future__ import annotations

import re
import sys
from bisect import bisect_right
from collections.abc import Iterator
from typing import NoReturn

from carefolio.exceptions import PrivacyError
from carefolio.privacy.facts import facts, is_common, is_fact
from carefolio.privacy.lexicon import is_only_word, is_word

LONGEST = 40
"""Most characters that a surrogate can have; what a stream holds back is never longer."""
SURROGATE = re.compile(r"\[ ?([A-Za-z]+(?:[_ ][A-Za-z0-9]+)*?)[_ ]([1-9][0-9]{0,5})([a-z]{0,3}) ?\]", re.IGNORECASE)
_BEGUN = re.compile(r"\[[A-Za-z0-9_ ]*\Z")
_WORD = re.compile(r"[^\W_]+")
_PART = re.compile(r"[^\W\d_][\w'’-]*\w")
_PEOPLE = ("PERSON", "CLINICIAN")
_NAMED = (*_PEOPLE, "HOSPITAL", "LOCATION")
_IN_WORDS = (*_PEOPLE, "HOSPITAL")
"""Types whose identifiers are the same where one has all words of the other; of the rest the letters and digits must be equal."""


class Mapping:
    """Which surrogate stands for what, for one text or for several that belong together."""

    def __init__(self) -> None:
        self._originals: dict[str, str] = {}
        self._surrogates: dict[tuple[str, str], str] = {}
        self._entities: list[tuple[str, int, frozenset[str]]] = []
        self._forms: dict[tuple[str, int], int] = {}
        self._finders: dict[str, list[tuple[int, re.Pattern[str], str]]] = {}
        self._by_word: dict[str, list[int]] = {}
        self._last: dict[str, int] = {}
        self._reserved: set[tuple[str, int]] = set()

    def __repr__(self) -> str:
        """Give the number of surrogates, never what they stand for."""
        return f"<Mapping of {len(self)} surrogates>"

    def __len__(self) -> int:
        """Count the surrogates."""
        return len(self._originals)

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled or copied."""
        raise PrivacyError("a privacy mapping must stay in memory; got a request to pickle or copy it. Keep it with the request it serves.")

    def surrogates(self) -> tuple[str, ...]:
        """List the surrogates.

        Returns
        -------
        tuple of str
            In the order in which they were given.
        """
        return tuple(self._originals)

    def items(self) -> Iterator[tuple[str, str]]:
        """Go through surrogates and originals; for checks inside this process only.

        Yields
        ------
        tuple of (str, str)
            Surrogate and original.
        """
        yield from self._originals.items()

    def reserve(self, text: str) -> None:
        """Note what looks like a surrogate in a text before it is treated, so that it is not given to anyone.

        Parameters
        ----------
        text : str
            The original text.
        """
        self._reserved.update((_label(match), int(match.group(2))) for match in SURROGATE.finditer(text))

    def surrogate_for(self, original: str, identifier_type: str) -> str:
        """Give the surrogate of an identifier, the same whenever it is asked for.

        Parameters
        ----------
        original : str
            As it stands in the text.
        identifier_type : str
            A label such as ``"PERSON"``.

        Returns
        -------
        str
            For example ``"[PERSON_1]"``.
        """
        family = "PERSON" if identifier_type in _PEOPLE else identifier_type if identifier_type in _IN_WORDS else ""
        if (family, original) not in self._surrogates:
            label, number = self._entity(original, identifier_type)
            form = self._forms.get((label, number), 0)
            self._forms[label, number] = form + 1
            surrogate = f"[{label}_{number}{_letters(form)}]"
            self._surrogates[family, original], self._originals[surrogate] = surrogate, original
            for word, before, finder in _finders(original, label):
                self._finders.setdefault(word, []).append((before, finder, surrogate))
        return self._surrogates[family, original]

    def original_of(self, match: re.Match[str]) -> str:
        """Give what a surrogate in a text stands for.

        Parameters
        ----------
        match : re.Match
            Of `SURROGATE`.

        Returns
        -------
        str
            The original, or the surrogate itself if it is unknown.
        """
        key = f"[{_label(match)}_{match.group(2)}{match.group(3).lower()}]"
        return self._originals.get(key, match.group())

    def reidentify(self, text: str) -> str:
        """Put the originals back into a text.

        Parameters
        ----------
        text : str
            Text with surrogates, such as a model's answer.

        Returns
        -------
        str
            The text with every known surrogate replaced.
        """
        return SURROGATE.sub(self.original_of, text)

    def scrub(self, text: str) -> str:
        """Replace identifiers that stand in a text by their surrogates.

        Parameters
        ----------
        text : str
            Any text, such as a log message.

        Returns
        -------
        str
            The text without the identifiers of this mapping, whatever their case and spacing.
        """
        pieces, position = [], 0
        for start, end, surrogate in sorted(self.find(text), key=lambda span: (span[0], -span[1])):
            if end > position:
                pieces += [text[position:max(start, position)], surrogate if start >= position else ""]
                position = end
        return "".join(pieces) + text[position:]

    def find(self, text: str) -> list[tuple[int, int, str]]:
        """Find identifiers of this mapping in a text.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        list of (int, int, str)
            Start, end and surrogate of each, sorted, whole words only; case and spacing do not matter. Of a person the parts of the
            name are found too, of a hospital its abbreviation. What stands inside a surrogate of this mapping is not one.
        """
        inside = [match.span() for match in SURROGATE.finditer(text) if self.original_of(match) != match.group()]
        found = []
        for word in _WORD.finditer(text):
            for before, finder, surrogate in self._finders.get(_fold(word.group()), ()):
                match = finder.match(text, max(0, word.start() - before))
                if match and not _within(match.span(), inside):
                    found.append((match.start(), match.end(), surrogate))
        return sorted(found)

    def _entity(self, original: str, identifier_type: str) -> tuple[str, int]:
        """Find the entity that an identifier names, or number a new one."""
        in_words = identifier_type in _IN_WORDS
        folded = original.casefold()
        key = frozenset(re.findall(r"[^\W_]+", folded)) if in_words else frozenset(["".join(filter(str.isalnum, folded))])
        family = _PEOPLE if identifier_type in _PEOPLE else (identifier_type,)
        same = [index for index in sorted({index for word in key for index in self._by_word.get(word, ())})
                if self._is_same(self._entities[index], key, family)]
        if len(same) == 1 and key - {""}:
            label, number, known = self._entities[same[0]]
            self._remember(same[0], (label, number, key | known))
            return label, number
        number = self._last.get(identifier_type, 0) + 1
        while (identifier_type, number) in self._reserved:
            number += 1
        self._last[identifier_type] = number
        self._remember(len(self._entities), (identifier_type, number, key))
        return identifier_type, number

    def _is_same(self, entity: tuple[str, int, frozenset[str]], key: frozenset[str], family: tuple[str, ...]) -> bool:
        label, _, known = entity
        if family[0] in _IN_WORDS:
            return label in family and (key <= known or known <= key)
        return label not in _IN_WORDS and key == known

    def _remember(self, index: int, entity: tuple[str, int, frozenset[str]]) -> None:
        """Keep an entity, and where it is by each of its words."""
        self._entities[index:index + 1] = [entity]
        for word in entity[2]:
            if index not in self._by_word.setdefault(word, []):
                self._by_word[word].append(index)


class StreamReidentifier:
    """Put the originals back into text that arrives in pieces, wherever it is cut.

    Parameters
    ----------
    mapping : Mapping
        What the surrogates stand for.
    """

    def __init__(self, mapping: Mapping) -> None:
        self._mapping = mapping
        self._held = ""

    def __repr__(self) -> str:
        """Give nothing of the text."""
        return "<StreamReidentifier>"

    def feed(self, piece: str) -> str:
        """Take a piece and give what is certain.

        Parameters
        ----------
        piece : str
            The next piece, of any length.

        Returns
        -------
        str
            Text that no later piece can change; a surrogate that has only begun is held back.
        """
        text = self._held + piece
        begun = _BEGUN.search(text)
        cut = begun.start() if begun and len(text) - begun.start() <= LONGEST else len(text)
        self._held = text[cut:]
        return self._mapping.reidentify(text[:cut])

    def close(self) -> str:
        """Give what was held back at the end of the text.

        Returns
        -------
        str
            The rest.
        """
        rest, self._held = self._held, ""
        return self._mapping.reidentify(rest)


def _label(match: re.Match[str]) -> str:
    return match.group(1).upper().replace(" ", "_")


def _letters(form: int) -> str:
    """Number the forms: nothing, a, b, ..., z, aa, ..."""
    letters = ""
    while form:
        form, rest = divmod(form - 1, 26)
        letters = chr(ord("a") + rest) + letters
    return letters


def _within(span: tuple[int, int], inside: list[tuple[int, int]]) -> bool:
    place = bisect_right(inside, (span[0], sys.maxsize)) - 1
    return place >= 0 and span[1] <= inside[place][1]


def _fold(word: str) -> str:
    """Give the form under which a word is looked up, the same for all that match when case is ignored."""
    return word.casefold().replace("\u0307", "").replace("\u0131", "i")


def _finders(original: str, label: str) -> list[tuple[str, int, re.Pattern[str]]]:
    """Compile what finds an identifier again: its first word, how many characters stand before that, and the expression.

    An eponym that names a person here is still one before "disease" or "score"; a single ordinary word is found in its own case only.
    """
    whole = r"\s+".join(map(re.escape, original.split()))
    if label in _PEOPLE and is_fact(original):
        whole += rf"(?!(?:['’]s)?[\s-]+(?:{'|'.join(sorted(facts()['heads']))})\b)"
    cased = len(original) <= 3 or (label in _NAMED and is_word(original))
    if cased and len(original) > 3:
        whole = f"(?:{'|'.join(sorted({re.escape(form) for form in (original, original.upper(), original.title())}))})"
    wanted = [(original, rf"(?<![^\W_]){whole}(?![^\W_])", re.NOFLAG if cased else re.IGNORECASE)] if len(original) > 1 else []
    parts = [part for part in _PART.findall(original)
             if len(part) > 2 and not (is_common(part) or is_fact(part) or is_only_word(part))]
    if label == "HOSPITAL":
        parts = [part for part in parts if part.isupper() and len(part) > 3]
    if label in _IN_WORDS:
        wanted += [(part, rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", re.NOFLAG) for part in parts]
    first = [(_WORD.search(text), expression, flags) for text, expression, flags in wanted]
    return [(_fold(word.group()), word.start(), re.compile(expression, flags)) for word, expression, flags in first if word]
