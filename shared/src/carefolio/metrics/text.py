"""Scores of a written text against another: overlap with a reference, reading grade, length and novelty.

ROUGE is that of the package ``rouge-score`` (Lin CY. ROUGE: a package for automatic evaluation of summaries. 2004), which keeps ASCII
letters and digits only: it is made for English. Published tables differ in two choices, so state both. *Stemming*: on by default
here; ACI-Bench's table is without it. *ROUGE-L*: ``rougeL`` takes a text as one sequence, ``rougeLsum`` takes line by line and is what
ACI-Bench's table names ROUGE-L. Scores are per document, so that documents can be resampled: ``bootstrap_values(lambda weight:
document_means(scores, sample_weight=weight), groups=documents)``.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, as_weight

ROUGE_TYPES = ("rouge1", "rouge2", "rougeL", "rougeLsum")
ROUGE_COLUMNS = tuple(f"{name}{end}" for name in ROUGE_TYPES for end in ("_precision", "_recall", ""))
"""Columns of `rouge_of_each`; the name alone is F1."""
MAX_TOKEN_PAIRS = 50_000_000

_WORD = re.compile(r"\w+(?:['’.,-]\w+)*")
_BREAK = re.compile(r"(?<![.!?:;,\s])[ \t]*(?=\n[ \t]*(?:\n|[-*•]|\d+[.)]\s))")
_DECIMAL = re.compile(r"(?<=\d)\.(?=\d)")


@dataclass(frozen=True)
class RougeScore:
    """One kind of ROUGE of one document, each value in [0, 1]; higher is better.

    Attributes
    ----------
    precision : float
        Share of the candidate that the reference has.
    recall : float
        Share of the reference that the candidate has.
    f1 : float
        Their harmonic mean; what tables show.
    """

    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class ReadingGrade:
    """School years (United States) that a text asks for; lower is easier.

    Attributes
    ----------
    flesch_kincaid : float
        From words a sentence and syllables a word; can be below 0.
    smog : float
        From words of three or more syllables a sentence; at least 3.1. Validated on 30 sentences or more.
    n_sentences : int
        Sentences of more than two words.
    """

    flesch_kincaid: float
    smog: float
    n_sentences: int


def rouge(reference: str, candidate: str, *, stem: bool = True) -> dict[str, RougeScore]:
    """Overlap of a candidate with a reference text.

    Parameters
    ----------
    reference : str
        What a person wrote.
    candidate : str
        What is judged.
    stem : bool, default True
        Compare Porter stems of words longer than three letters instead of words.

    Returns
    -------
    dict of str to RougeScore
        By ``ROUGE_TYPES``; all 0 where one of the texts has no word.

    Raises
    ------
    ValueError
        If the two are so long that the longest common subsequence would take minutes.
    """
    return _score(_scorer(stem), reference, candidate)


def rouge_of_each(references: Sequence[str], candidates: Sequence[str], *, stem: bool = True) -> FloatArray:
    """Overlap of each candidate with its reference.

    Parameters
    ----------
    references, candidates : sequence of str, length n_documents
        Texts in the same order.
    stem : bool, default True
        Compare Porter stems of words longer than three letters instead of words.

    Returns
    -------
    ndarray of float64, shape (n_documents, 12)
        Columns as in ``ROUGE_COLUMNS``.

    Raises
    ------
    ValueError
        If the lengths differ, or two texts are so long that the longest common subsequence would take minutes.
    """
    if len(references) != len(candidates) or not len(references):
        raise ValueError(f"references and candidates must have equal length, at least 1; got {len(references)} and {len(candidates)}. "
                         "Give an empty text where a candidate is missing.")
    scorer = _scorer(stem)
    rows = [_score(scorer, reference, candidate) for reference, candidate in zip(references, candidates, strict=True)]
    return np.array([[value for name in ROUGE_TYPES for value in (row[name].precision, row[name].recall, row[name].f1)] for row in rows])


def document_means(scores: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> FloatArray:
    """Mean over documents of each column: a corpus score, each document counting once.

    Parameters
    ----------
    scores : array-like, shape (n_documents, n_scores)
        For example from `rouge_of_each`; no NaN.
    sample_weight : array-like, shape (n_documents,), optional
        Non-negative weights of the documents.

    Returns
    -------
    ndarray of float64, shape (n_scores,)
        Means.

    Raises
    ------
    ValueError
        If the scores are not such a matrix or a value is missing.
    """
    matrix = np.asarray(scores, dtype=np.float64)
    if matrix.ndim != 2 or not np.isfinite(matrix).all():
        raise ValueError(f"scores must be a matrix of finite numbers; got shape {matrix.shape} with {int((~np.isfinite(matrix)).sum())} "
                         "other value(s). Leave those documents out, and say how many.")
    weight = as_weight(sample_weight, len(matrix))
    return np.asarray(weight @ matrix / weight.sum())


def reading_grade(text: str) -> ReadingGrade:
    """Grade how hard a text is to read: Flesch-Kincaid (1975) and SMOG (1969), both through ``textstat``, in English.

    A blank line and a line before a list item end a sentence, a decimal point does not. Abbreviations with a stop do end one, and
    medicines' names count as hard words. ``textstat`` keeps the last texts in memory: give it none with identifiers.

    Parameters
    ----------
    text : str
        Prose or a list; at least one word.

    Returns
    -------
    ReadingGrade
        Two grades and the number of sentences.

    Raises
    ------
    ValueError
        If the text has no word.
    """
    import textstat

    if not re.search(r"[^\W\d_]", text):
        raise ValueError(f"text must have at least one word; got {text[:40]!r}. An empty leaflet has no reading grade.")
    prose = _DECIMAL.sub(",", _BREAK.sub(".", text))
    return ReadingGrade(float(textstat.flesch_kincaid_grade(prose)), float(textstat.smog_index(prose)), int(textstat.sentence_count(prose)))


def compression(source: str, candidate: str) -> float:
    """Compare lengths: number of words of a summary per word of its source.

    Parameters
    ----------
    source : str
        At least one word.
    candidate : str
        The summary.

    Returns
    -------
    float
        0 for an empty summary, 1 for one as long as its source.

    Raises
    ------
    ValueError
        If the source has no word.
    """
    n_source = len(words(source))
    if not n_source:
        raise ValueError(f"source must have at least one word; got {source[:40]!r}. Nothing can be summarised.")
    return len(words(candidate)) / n_source


def novelty(source: str, candidate: str, *, n: int = 2) -> float:
    """Share of a summary's runs of ``n`` words that its source does not hold, whatever their case.

    Parameters
    ----------
    source : str
        What was summarised.
    candidate : str
        The summary.
    n : int, default 2
        Words a run, at least 1.

    Returns
    -------
    float
        In [0, 1]: 0 for a copy, 1 where nothing is; 0 where the summary has fewer than ``n`` words.

    Raises
    ------
    ValueError
        If ``n`` is below 1.
    """
    if n < 1:
        raise ValueError(f"n must be at least 1; got {n}. Two words a run are usual.")
    runs, known = _runs(words(candidate), n), set(_runs(words(source), n))
    return sum(run not in known for run in runs) / len(runs) if runs else 0.0


def words(text: str) -> list[str]:
    """Cut a text into words, in any script; what stands inside a word (``76-year-old``, ``don't``, ``0.5``) stays in it.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Case folded.
    """
    return _WORD.findall(text.casefold())


def _runs(tokens: list[str], n: int) -> list[tuple[str, ...]]:
    return list(zip(*(tokens[start:] for start in range(n)), strict=False))


def _scorer(stem: bool) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(ROUGE_TYPES), use_stemmer=stem)


def _score(scorer: Any, reference: str, candidate: str) -> dict[str, RougeScore]:
    sizes = [sum(1 for _ in re.finditer(r"[A-Za-z0-9]+", text)) for text in (reference, candidate)]
    if sizes[0] * sizes[1] > MAX_TOKEN_PAIRS:
        raise ValueError(f"reference and candidate must have at most {MAX_TOKEN_PAIRS} pairs of words; got {sizes[0]} by {sizes[1]} words. "
                         "Score such texts section by section.")
    found = scorer.score(reference, candidate)
    return {name: RougeScore(float(found[name].precision), float(found[name].recall), float(found[name].fmeasure)) for name in ROUGE_TYPES}
