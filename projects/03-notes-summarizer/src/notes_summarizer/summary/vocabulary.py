"""Drugs and conditions by name: brands to generic names, groups that an allergy names, and where a text mentions them."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from importlib.resources import files


@dataclass(frozen=True)
class Vocabulary:
    """What is read from ``vocabulary.toml``.

    Attributes
    ----------
    drugs : dict of str to str
        Every name, in lower case, and the generic name that it stands for.
    groups : dict of str to frozenset of str
        Generic names of the drugs of a group.
    conditions : frozenset of str
        Names of conditions, in lower case.
    """

    drugs: dict[str, str]
    groups: dict[str, frozenset[str]]
    conditions: frozenset[str]

    @functools.cached_property
    def terms(self) -> dict[str, str]:
        """Give all names.

        Returns
        -------
        dict of str to str
            What ``carefolio.metrics.faithfulness`` looks for: every name, and the one that it stands for.
        """
        return {name: name for name in (*self.conditions, *self.groups)} | self.drugs


@dataclass(frozen=True)
class Mention:
    """A drug or condition in a text.

    Attributes
    ----------
    name : str
        Generic name of a drug, name of a group or condition.
    start, end : int
        Where it stands.
    """

    name: str
    start: int
    end: int


@functools.cache
def vocabulary() -> Vocabulary:
    """Read the vocabulary once a process.

    Returns
    -------
    Vocabulary
        Names in lower case.
    """
    table = tomllib.loads(files("notes_summarizer.summary").joinpath("vocabulary.toml").read_text(encoding="utf-8"))
    drugs = {name: generic for generic, brands in table["drugs"].items() for name in (generic, *_names(brands))}
    groups = {group: frozenset(_names(members)) for group, members in table["groups"].items()}
    return Vocabulary(drugs, groups, frozenset(name for names in table["conditions"].values() for name in _names(names)))


def find_drugs(text: str) -> list[Mention]:
    """Find the drugs that a text names.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of Mention
        In the order of the text, under their generic names; whole words, any case.
    """
    drugs = vocabulary().drugs
    return [Mention(drugs[" ".join(match.group().lower().split())], match.start(), match.end()) for match in _drug_finder().finditer(text)]


def find_groups(text: str) -> list[Mention]:
    """Find the groups of drugs that a text names, such as sulfa.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of Mention
        In the order of the text.
    """
    return [Mention(match.group().lower(), match.start(), match.end()) for match in _group_finder().finditer(text)]


def find_conditions(text: str) -> list[Mention]:
    """Find the conditions that a text names.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of Mention
        In the order of the text, the longest at each place; whole words, any case.
    """
    return [Mention(" ".join(match.group().lower().split()), match.start(), match.end()) for match in _condition_finder().finditer(text)]


def _names(text: str) -> list[str]:
    return [" ".join(name.split()) for name in text.split(",") if name.strip()]


def _finder(names: list[str]) -> re.Pattern[str]:
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    expressions = (r"\s+".join(map(re.escape, name.split())) for name in longest_first)
    return re.compile(rf"(?<![\w-])(?:{'|'.join(expressions)})(?![\w])", re.IGNORECASE)


@functools.cache
def _drug_finder() -> re.Pattern[str]:
    return _finder(list(vocabulary().drugs))


@functools.cache
def _group_finder() -> re.Pattern[str]:
    return _finder(list(vocabulary().groups))


@functools.cache
def _condition_finder() -> re.Pattern[str]:
    return _finder(list(vocabulary().conditions))
