"""Does the best passage speak of what was asked? One measure, with a threshold that was chosen on the development half."""

from __future__ import annotations

from notes_summarizer.leaflet.index import LeafletIndex, Ranked
from notes_summarizer.leaflet.ranking import tokens

FIRST = 3
"""Passages whose topics are looked at."""
LEAST_LETTERS = 5
"""A shorter word must be the same; a longer one may have a letter too many or too few, or two that changed places."""


def relevance(index: LeafletIndex, question: str, ranked: Ranked) -> float:
    """Judge what a search found.

    Parameters
    ----------
    index : LeafletIndex
        Where it was searched.
    question : str
        What was asked.
    ranked : Ranked
        What was found.

    Returns
    -------
    float
        Mean of the highest cosine and of `named`, at most 1; a cosine is high for a near relative of the topic too, the words of its
        name are not.
    """
    return 0.5 * (ranked.similarity + max((named(index, question, str(index.topics[row])) for row in ranked.rows[:FIRST]), default=0.0))


def named(index: LeafletIndex, question: str, topic: str) -> float:
    """Share of the words of a topic's name that the question holds, weighted by how rare they are.

    Parameters
    ----------
    index : LeafletIndex
        For the weights.
    question : str
        What was asked.
    topic : str
        Name of the topic.

    Returns
    -------
    float
        In [0, 1]; 0 for a name of function words only.
    """
    asked = set(tokens(question))
    weights = {word: index.rarity(word) for word in tokens(topic)}
    total = sum(weights.values())
    return sum(weight for word, weight in weights.items() if any(alike(word, other) for other in asked)) / total if total else 0.0


def alike(word: str, other: str) -> bool:
    """Say whether two words are the same but for one slip of the keyboard.

    Parameters
    ----------
    word, other : str
        In lower case.

    Returns
    -------
    bool
        A letter put for another is no such slip: microcephaly is not macrocephaly.
    """
    if word == other:
        return True
    if min(len(word), len(other)) < LEAST_LETTERS or abs(len(word) - len(other)) > 1:
        return False
    short, long = sorted((word, other), key=len)
    place = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    if len(short) == len(long):
        return short[place + 1:place + 2] + short[place] + short[place + 2:] == long[place:]
    return short[place:] == long[place + 1:]
