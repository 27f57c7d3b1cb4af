"""Which sentences of a note support a statement, found by words and numbers; what a model claims about its sources is checked.

Each word, number and name of a drug or condition of a statement has a weight; the weight that the source sentences hold, together with
the sentences next to them, is the statement's support. Words are compared by stem, after a short table of what clinicians write for what
patients say. A support below the threshold means that no few sentences of the note say this. It is a rule on words: it does not see that
"no fever" and "fever" differ; `carefolio.metrics.faithfulness` looks for that.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from carefolio.metrics.quantities import exact_numbers
from notes_summarizer.summary.sentences import Sentence
from notes_summarizer.summary.vocabulary import find_conditions, find_drugs
from notes_summarizer.summary.words import same_words, word_list

MOST_SOURCES = 4
"""Sentences that may support one statement together."""
_NUMBER_WEIGHT, _TERM_WEIGHT = 2.0, 2.0
_LEAST_GAIN = 0.12
_CANDIDATES = 40

_WORD = re.compile(r"\[[A-Z_]+_\d+[a-z]*\]|[^\W\d_]+(?:['’][^\W\d_]+)*")


@dataclass(frozen=True)
class Support:
    """What supports a statement.

    Attributes
    ----------
    sources : tuple of int
        Numbers of sentences, sorted.
    share : float
        Share of the statement's weight that the nearest hold, from 0 to 1.
    nearest : tuple of int
        The same as the sources, or what comes nearest where nothing supports it.
    """

    sources: tuple[int, ...]
    share: float
    nearest: tuple[int, ...]


class SupportIndex:
    """The words of a note's sentences, ready to be asked for support.

    Parameters
    ----------
    sentences : sequence of Sentence
        Of one note, numbered from 1 without a gap.
    excluded : collection of int
        Numbers of sentences that support nothing.
    neighbours : int
        Sentences on either side that are read with a source.
    """

    def __init__(self, sentences: Sequence[Sentence], *, excluded: Collection[int] = (), neighbours: int = 1) -> None:
        self._sentences = sentences
        self._excluded = frozenset(excluded)
        self._neighbours = neighbours
        self._words: list[frozenset[str]] = [frozenset() if sentence.number in self._excluded else frozenset(weigh_words(sentence.safe))
                                             for sentence in sentences]
        self._where: dict[str, list[int]] = defaultdict(list)
        for sentence, words in zip(sentences, self._words, strict=True):
            for word in words:
                self._where[word].append(sentence.number)

    def support(self, statement: str, claimed: Iterable[int] = (), *, threshold: float) -> Support:
        """Find the sentences that support a statement.

        Parameters
        ----------
        statement : str
            With surrogates, as a model wrote it.
        claimed : iterable of int
            Numbers that the model gave; taken if they hold enough, else looked for anew.
        threshold : float
            Least share.

        Returns
        -------
        Support
            The claimed sentences that contribute, or the best ones; without sources if the share is below the threshold.
        """
        weights = weigh_words(statement)
        if not weights:
            return Support((), 0.0, ())
        given = [number for number in claimed if 0 < number <= len(self._sentences) and number not in self._excluded]
        found = self._choose(weights, given[:_CANDIDATES])
        if found.share < threshold or not found.sources:
            found = max(found, self._choose(weights, self._candidates(weights)), key=lambda one: one.share)
        return found if found.share >= threshold else Support((), found.share, found.nearest)

    def context(self, numbers: Iterable[int]) -> str:
        """Give sentences with those next to them.

        Parameters
        ----------
        numbers : iterable of int
            Numbers of sentences.

        Returns
        -------
        str
            Their de-identified text in reading order, one a line; sentences that support nothing are left out.
        """
        wide = sorted({near for number in numbers for near in self._around(number)})
        return "\n".join(self._sentences[number - 1].safe for number in wide)

    def _around(self, number: int) -> Iterable[int]:
        first, last = max(1, number - self._neighbours), min(len(self._sentences), number + self._neighbours)
        return (near for near in range(first, last + 1) if near not in self._excluded)

    def _candidates(self, weights: dict[str, float]) -> list[int]:
        """Give the sentences that hold most of the weight, where rare words tell more than frequent ones."""
        scores: dict[int, float] = defaultdict(float)
        for word, weight in weights.items():
            places = self._where.get(word, [])
            for number in places[:2000]:
                scores[number] += weight / (1 + len(places)) ** 0.5
        return sorted(scores, key=lambda number: (-scores[number], number))[:_CANDIDATES]

    def _with_neighbours(self, weights: dict[str, float], chosen: Sequence[int], least: float) -> tuple[int, ...]:
        """Name the neighbours too that hold what the chosen sentences do not say themselves, such as the question to an answer."""
        held = frozenset().union(*(self._words[number - 1] for number in chosen))
        missing = {word: weight for word, weight in weights.items() if word not in held}
        near = {one for number in chosen for one in self._around(number) if _gain(missing, self._words[one - 1]) >= least}
        return tuple(sorted(near.union(chosen)))

    def _choose(self, weights: dict[str, float], candidates: Sequence[int]) -> Support:
        """Take one sentence after the other while each adds something."""
        total, missing = sum(weights.values()), dict(weights)
        chosen: list[int] = []
        near = {number: frozenset().union(*(self._words[one - 1] for one in self._around(number))) for number in candidates}
        while len(chosen) < MOST_SOURCES and near:
            gains = {number: (_gain(missing, self._words[number - 1]), _gain(missing, words)) for number, words in near.items()}
            best = max(gains, key=lambda number: (gains[number][1] + gains[number][0], -number))
            if gains[best][1] < _LEAST_GAIN * total:
                break
            chosen.append(best)
            missing = {word: weight for word, weight in missing.items() if word not in near[best]}
            del near[best]
        numbers = self._with_neighbours(weights, chosen, _LEAST_GAIN * total)
        return Support(numbers, 1 - sum(missing.values()) / total, numbers)


def weigh_words(text: str) -> dict[str, float]:
    """Give the words, numbers and names of a text that say something, with their weights.

    Parameters
    ----------
    text : str
        A statement or sentence, with surrogates.

    Returns
    -------
    dict of str to float
        Stems and placeholders 1, numbers 2, drugs (under their generic names) and conditions 2.
    """
    weights = {_stem(word): 1.0 for word in _words(text)}
    weights |= {f"#{number.value}": _NUMBER_WEIGHT for number in exact_numbers(text) if not (number.is_word and number.value == "1")}
    brands = {_stem(word) for mention in find_drugs(text) for word in _words(text[mention.start:mention.end])}
    weights = {word: weight for word, weight in weights.items() if word not in brands}
    return weights | {mention.name: _TERM_WEIGHT for mention in (*find_drugs(text), *find_conditions(text))}


def _words(text: str) -> list[str]:
    found = (match.group() for match in _WORD.finditer(text))
    return [word if word[0] == "[" else word.lower().replace("’", "'") for word in found
            if word.lower() not in word_list("empty") and (len(word) > 2 or word.isupper()) and not word.lower().endswith(("n't", "n’t"))]


def _stem(word: str) -> str:
    """Cut the endings of a word; ``pains`` and ``pain``, ``swelling`` and ``swollen`` are not all told apart, nor all joined."""
    if word[0] == "[":
        return word
    word = same_words().get(word, word)
    for ending, rest in (("ies", "y"), ("'s", ""), ("ing", ""), ("edly", ""), ("ed", ""), ("es", ""), ("ly", ""), ("s", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 4 and not word.endswith(("ss", "us", "is")):
            word = word[:-len(ending)] + rest
            break
    return word[:-1] if word.endswith("e") and len(word) > 4 else word


def _gain(missing: dict[str, float], words: frozenset[str]) -> float:
    return sum(weight for word, weight in missing.items() if word in words)
