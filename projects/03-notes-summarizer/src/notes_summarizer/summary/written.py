"""A section or note as a model wrote it: accepted as it is, joined from its parts."""

from __future__ import annotations

import re

from notes_summarizer.summary.sentences import heading_of

_TAG = re.compile(r"^\s*</?text-[0-9a-f]{12}>\s*$", re.MULTILINE)
_FENCE = re.compile(r"\s*```\w*\s*\n(.*?)\n?\s*```\s*", re.DOTALL)


def read_written(answer: str, maximum_characters: int) -> str:
    """Accept a text that a model wrote.

    Parameters
    ----------
    answer : str
        Text, alone or in a fence of three backticks, or between the tags of the prompt.
    maximum_characters : int
        Longest text.

    Returns
    -------
    str
        Without blanks at its ends.

    Raises
    ------
    ValueError
        If it has no word or is too long; the message quotes nothing of it.
    """
    fence = _FENCE.fullmatch(answer)
    text = _TAG.sub("", fence.group(1) if fence else answer).strip()
    if not re.search(r"[^\W\d_]", text):
        raise ValueError(f"the answer must hold words; got {len(text)} characters without a letter.")
    if len(text) > maximum_characters:
        raise ValueError(f"the answer must have at most {maximum_characters} characters; got {len(text)}.")
    return text


def merge_written(texts: list[str]) -> str:
    """Join what was written for the parts of a conversation.

    Parameters
    ----------
    texts : list of str
        In order.

    Returns
    -------
    str
        What stands under the same heading is put together, headings in the order in which they first occur.
    """
    if len(texts) == 1:
        return texts[0]
    sections: dict[str, list[str]] = {}
    for text in texts:
        heading = ""
        for line in text.splitlines():
            if line.strip().isupper() and heading_of(line):
                heading = line.strip()
            elif line.strip():
                sections.setdefault(heading, []).append(line)
    blocks = ("\n".join([*([heading] if heading else []), *lines]) for heading, lines in sections.items())
    return "\n\n".join(blocks)
