"""Lists of English words that the rules use, read from ``words.toml``."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any


@functools.cache
def word_list(name: str) -> frozenset[str]:
    """Give a list of words.

    Parameters
    ----------
    name : str
        Its name in the file.

    Returns
    -------
    frozenset of str
        In lower case.
    """
    return frozenset(_table()[name].split())


def same_words() -> Mapping[str, str]:
    """Give the words that are compared as if they were others.

    Returns
    -------
    mapping of str to str
        What a patient says to what is compared.
    """
    return _table()["same"]


@functools.cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(files("notes_summarizer.summary").joinpath("words.toml").read_text(encoding="utf-8"))
