"""A text in parts that fit a prompt, each between two lines with a tag that the text cannot hold."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from carefolio.exceptions import ConfigError
from carefolio.privacy.surrogates import Mapping as Surrogates
from notes_summarizer.summary.sentences import Sentence
from notes_summarizer.summary.settings import SummarySettings

LEAST_ITEMS = 8
"""Items a list that even a part of a few sentences may have: one sentence can name many drugs."""


def number_lines(sentences: Sequence[Sentence]) -> str:
    """Write sentences for a prompt, one a line.

    Parameters
    ----------
    sentences : sequence of Sentence
        Of a note.

    Returns
    -------
    str
        ``S3. Doctor: How are you?``; the letter keeps the number from being taken for an age or a date of the note.
    """
    return "\n".join(f"S{sentence.number}. {_said(sentence)}" for sentence in sentences)


def turn_lines(sentences: Sequence[Sentence]) -> str:
    """Write sentences for a prompt, one line a turn of a conversation.

    Parameters
    ----------
    sentences : sequence of Sentence
        Of a conversation.

    Returns
    -------
    str
        ``Doctor: How are you? Any pain?``
    """
    lines: list[str] = []
    speaker = None
    for sentence in sentences:
        if sentence.speaker and sentence.speaker == speaker:
            lines[-1] += f" {sentence.safe}"
        else:
            lines.append(_said(sentence))
        speaker = sentence.speaker
    return "\n".join(lines)


def split_parts(sentences: Sequence[Sentence], characters: int) -> list[list[Sentence]]:
    """Cut a text between sentences.

    Parameters
    ----------
    sentences : sequence of Sentence
        Of the text.
    characters : int
        Most characters of a part; a sentence that is longer is a part of its own.

    Returns
    -------
    list of list of Sentence
        In order; none is empty.
    """
    parts: list[list[Sentence]] = []
    room = 0
    for sentence in sentences:
        size = len(_said(sentence)) + 8
        if not parts or size > room:
            parts.append([])
            room = characters
        parts[-1].append(sentence)
        room -= size
    return parts


def part_characters(names: Sequence[str], settings: SummarySettings) -> int:
    """Give the length of a part that every provider in use can read.

    Parameters
    ----------
    names : sequence of str
        Providers.
    settings : SummarySettings
        Lengths by provider.

    Returns
    -------
    int
        The smallest.

    Raises
    ------
    ConfigError
        If there is no length for a provider.
    """
    return _smallest(names, settings.chunk_characters, "chunk_characters")


def _smallest(names: Sequence[str], values: Mapping[str, int], setting: str) -> int:
    missing = [name for name in names if name not in values]
    if missing or not names:
        lacks = ", ".join(missing) or "all: none is in use"
        raise ConfigError(f"[summary.{setting}] must name every provider in use; it lacks {lacks}. Add a line, such as openai = "
                          f"{max(values.values(), default=1)}.")
    return min(values[name] for name in names)


def choose_tag(text: str, mapping: Surrogates) -> str:
    """Make the tag between whose lines a text stands.

    It is a hash of the text, so that a prompt is the same each time, and no text holds its own; who writes a note cannot close it.

    Parameters
    ----------
    text : str
        What stands between the lines.
    mapping : Mapping
        Identifiers that the tag must not look like.

    Returns
    -------
    str
        ``text-`` and twelve hexadecimal digits.
    """
    tag = ""
    while not tag or tag in text or mapping.find(tag):
        tag = f"text-{hashlib.sha256((tag + text).encode()).hexdigest()[:12]}"
    return tag


def bounds(part: Sequence[Sentence], names: Sequence[str], settings: SummarySettings) -> Mapping[str, int]:
    """Give the bounds of a draft of a part: a few sentences cannot give many items, and a small model has to come to an end.

    Parameters
    ----------
    part : sequence of Sentence
        What the model is shown.
    names : sequence of str
        Providers that may be asked.
    settings : SummarySettings
        The bounds of a long part.

    Returns
    -------
    mapping of str to int
        ``maximum_items`` and ``item_characters``.
    """
    most = _smallest(names, settings.maximum_items, "maximum_items")
    return {"maximum_items": min(most, max(LEAST_ITEMS, len(part))),
            "item_characters": _smallest(names, settings.item_characters, "item_characters")}


def _said(sentence: Sentence) -> str:
    return f"{sentence.speaker}: {sentence.safe}" if sentence.speaker else sentence.safe
