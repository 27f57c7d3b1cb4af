"""What a text must be before anything is done with it: there, text, short enough, English.

Notes are terse and full of abbreviations, and a language detector takes such English for any language. So a text is refused only on
evidence of another one: most letters of another script; more frequent words of another language than of English; or, where there are
hardly any English ones and enough words are spelt out, what ``py3langid`` says (after Lui and Baldwin, langid.py, 2012).
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections import Counter
from importlib.resources import files
from typing import NoReturn, Protocol

from carefolio.exceptions import UnsuitableTextError
from notes_summarizer.summary.vocabulary import vocabulary
from notes_summarizer.summary.words import word_list

LEAST_WORDS = 8
"""Spelt-out words below which the detector is not asked: it takes "Noncontributory." for Italian."""

LEAST_HITS = 2
"""Frequent words of another language below which chance may have put them there."""

_NOT_TEXT = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_BROKEN = re.compile("[\x80-\x84\x86-\x9f\ufffd]")
_MOST_BROKEN = 0.01
_WORD = re.compile(r"[^\W\d_]+")
_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")
_NAMES = {
    "af": "Afrikaans", "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "es": "Spanish", "et": "Estonian", "eu": "Basque", "fa": "Persian", "fi": "Finnish", "fr": "French", "gl": "Galician",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese",
    "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay", "nl": "Dutch", "no": "Norwegian", "nb": "Norwegian",
    "nn": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak", "sl": "Slovenian",
    "sq": "Albanian", "sr": "Serbian", "sv": "Swedish", "sw": "Swahili", "ta": "Tamil", "th": "Thai", "tl": "Tagalog", "tr": "Turkish",
    "uk": "Ukrainian", "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}


class TextLimits(Protocol):
    """The settings that a text is checked against; those of summaries and of leaflets have them."""

    @property
    def maximum_bytes(self) -> int:
        """Give the longest text in bytes of UTF-8."""

    @property
    def foreign_share(self) -> float:
        """Give the share of its words that decides about another language."""


def check_text(note: str | bytes, settings: TextLimits, *, what: str = "note") -> str:
    """Refuse a text that cannot be summarised.

    Parameters
    ----------
    note : str or bytes
        Text, or its UTF-8 bytes.
    settings : TextLimits
        Limits.
    what : str, default "note"
        What to call it in a message.

    Returns
    -------
    str
        The text, unchanged.

    Raises
    ------
    UnsuitableTextError
        If it is empty, longer than the limit, not text, or not in English. The message quotes nothing of it.
    """
    size = len(note) if isinstance(note, bytes) else _utf8_size(note, what)
    if size > settings.maximum_bytes:
        raise UnsuitableTextError(f"the {what} must have at most {settings.maximum_bytes:,} bytes; got {size:,}. Split it by visit, or "
                                  "raise [summary] maximum_bytes.")
    text = _decode(note, what) if isinstance(note, bytes) else note
    if not text.strip():
        raise UnsuitableTextError(f"the {what} must hold text; got {'nothing' if not text else f'{len(text)} blank characters'}. "
                                  "Paste the text itself.")
    _check_is_text(text, what)
    _check_is_english(text, settings, what)
    return text


def foreign_words(text: str) -> tuple[str, int, int]:
    """Count the frequent words of other languages in a text, and those of English.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    tuple of (str, int, int)
        Code of the other language with most of them (empty if there is none), how many it has, and how many are English.
    """
    counts = Counter(word.lower() for word in _WORD.findall(text))
    english = sum(count for word, count in counts.items() if word in word_list("english"))
    hits = {code: sum(count for word, count in counts.items() if word in words) for code, words in _foreign().items()}
    best = max(hits, key=lambda code: hits[code])
    return (best, hits[best], english) if hits[best] else ("", 0, english)


def language_of(text: str) -> str:
    """Say which language a text seems to be in.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Code of ISO 639-1.
    """
    from py3langid import classify

    return str(classify(text)[0])


def _utf8_size(text: str, what: str) -> int:
    try:
        return len(text.encode("utf-8"))
    except UnicodeEncodeError as error:
        place = error.start
    raise UnsuitableTextError(f"the {what} must be text that can be written in UTF-8; character {place} cannot. Export it as plain text "
                              "in UTF-8.")


def _decode(note: bytes, what: str) -> str:
    try:
        return note.decode("utf-8")
    except UnicodeDecodeError as error:
        place, reason = error.start, error.reason
    raise UnsuitableTextError(f"the {what} must be text in UTF-8; byte {place} of {len(note)} is not ({reason}). Export it as plain text "
                              "in UTF-8.")


def _check_is_text(text: str, what: str) -> None:
    control = _NOT_TEXT.search(text)
    if control:
        raise UnsuitableTextError(f"the {what} must be plain text; got the control character {ord(control.group()):#04x} at character "
                                  f"{control.start()}, as in a binary file. Export it as plain text.")
    broken = sum(1 for _ in _BROKEN.finditer(text))
    if broken > _MOST_BROKEN * len(text):
        raise UnsuitableTextError(f"the {what} must be plain text; got {broken} of {len(text)} characters that no encoding gives. "
                                  "Export it as plain text in UTF-8.")
    if not _WORD.search(text):
        raise UnsuitableTextError(f"the {what} must hold words; got {len(text.strip())} characters without a letter. Paste the "
                                  "text itself.")


def _check_is_english(text: str, settings: TextLimits, what: str) -> None:
    words = _WORD.findall(text)
    letters = "".join(words)
    if len(_LATIN.findall(letters)) < len(letters) / 2:
        _refuse(_NAMES.get(language_of(text), "another script"), what)
    code, foreign, english = foreign_words(text)
    if foreign >= LEAST_HITS and foreign > english and foreign >= settings.foreign_share * len(words):
        _refuse(_NAMES[code], what)
    spelt_out = [word for word in words if len(word) > 3 and not word.isupper()]
    if english < settings.foreign_share * len(words) and len(spelt_out) >= LEAST_WORDS and len(spelt_out) > len(words) / 2:
        language = language_of(" ".join(spelt_out))
        if language != "en" and language in _NAMES and not _is_medical(spelt_out):
            _refuse(_NAMES[language], what)


def _refuse(language: str, what: str) -> NoReturn:
    raise UnsuitableTextError(f"the {what} must be in English; it seems to be in {language}. Translate it first: the firewall and the "
                              "rules know English only.")


def _is_medical(words: list[str]) -> bool:
    """Say whether a list without little words, such as that of a patient's drugs, is of names that we know."""
    known = {part for term in vocabulary().terms for part in term.split()}
    return 3 * sum(word.lower() in known for word in words) >= len(words)


@functools.cache
def _foreign() -> dict[str, frozenset[str]]:
    table = tomllib.loads(files("notes_summarizer.summary").joinpath("languages.toml").read_text(encoding="utf-8"))
    return {code: frozenset(words.split()) - word_list("english") for code, words in table.items()}
