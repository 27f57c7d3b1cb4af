"""Two rankings of passages and one made of both: BM25 by ``bm25s``, cosines of embeddings, reciprocal ranks."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

_WORD = re.compile(r"[^\W_]+")
_MORE_STOPWORDS = ("what", "who", "how", "do", "does", "did", "can", "have", "has", "been", "being", "done", "should", "my", "me", "i",
                   "am", "im", "you", "your", "we", "about", "which", "when", "where", "why", "there", "so", "from")


@functools.cache
def _stopwords() -> frozenset[str]:
    from bm25s.stopwords import STOPWORDS_EN

    return frozenset([*STOPWORDS_EN, *_MORE_STOPWORDS])


def tokens(text: str) -> list[str]:
    """Cut a text into words for BM25.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of str
        Lower case, without function words, a plural ``s`` cut off.
    """
    words = (word for word in _WORD.findall(text.casefold()) if word not in _stopwords())
    return [word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word for word in words]


def build_bm25(texts: Sequence[str], *, k1: float, b: float) -> Any:
    """Index texts for BM25.

    Parameters
    ----------
    texts : sequence of str
        One text a passage.
    k1, b : float
        The usual parameters: how soon a repeated word counts no more, and how much length counts.

    Returns
    -------
    bm25s.BM25
        Ready for `bm25_scores`.
    """
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets DEBUG for itself
    model = bm25s.BM25(k1=k1, b=b)
    model.index([tokens(text) for text in texts], show_progress=False)
    return model


def bm25_scores(model: Any, question: str) -> Scores:
    """Score every passage for a question.

    Parameters
    ----------
    model : bm25s.BM25
        From `build_bm25`.
    question : str
        Any text.

    Returns
    -------
    ndarray of float32, shape (n_passages,)
        0 where no word is shared.
    """
    known = [word for word in tokens(question) if word in model.vocab_dict]
    if not known:
        return np.zeros(model.scores["num_docs"], dtype=np.float32)
    return np.asarray(model.get_scores(known), dtype=np.float32)


def documents_with(model: Any) -> dict[str, int]:
    """Count the passages that hold each word.

    Parameters
    ----------
    model : bm25s.BM25
        From `build_bm25`.

    Returns
    -------
    dict of str to int
        By word.
    """
    counts = np.diff(model.scores["indptr"])
    return {str(word): int(counts[number]) for word, number in model.vocab_dict.items() if number < len(counts)}


def top(scores: Scores, *, k: int, keep: npt.NDArray[np.bool_] | None = None, positive: bool = False) -> Rows:
    """Find the best rows.

    Parameters
    ----------
    scores : ndarray, shape (n_passages,)
        Higher is better.
    k : int
        Most rows.
    keep : ndarray of bool, shape (n_passages,), optional
        Rows that may be found.
    positive : bool, default False
        Leave out scores of 0 and below.

    Returns
    -------
    ndarray of int64
        Rows, best first; of equal scores the lower row first.
    """
    allowed = scores if keep is None else np.where(keep, scores, -np.inf)
    k = min(k, len(allowed))
    rows = np.argpartition(-allowed, k - 1)[:k] if k < len(allowed) else np.arange(len(allowed))
    least = allowed[rows].min(initial=np.inf)
    rows = np.flatnonzero(allowed >= least)
    rows = rows[np.lexsort((rows, -allowed[rows]))][:k]
    return rows[(allowed[rows] > 0) if positive else np.isfinite(allowed[rows])].astype(np.int64)


def fuse(dense: Rows, words: Rows, *, dense_weight: float, rank_constant: float) -> tuple[Rows, npt.NDArray[np.float64]]:
    """Join two rankings by weighted reciprocal ranks.

    Parameters
    ----------
    dense, words : ndarray of int64
        Rows by embeddings and by BM25, best first.
    dense_weight : float
        Weight of the first, in [0, 1]; the second has the rest.
    rank_constant : float
        Added to each rank; 60 in the reference.

    Returns
    -------
    rows : ndarray of int64
        All rows of both, best first.
    scores : ndarray of float64
        Theirs; a row that a ranking lacks gets nothing from it.

    References
    ----------
    Cormack GV, Clarke CLA, Buettcher S. Reciprocal rank fusion outperforms Condorcet and individual rank learning methods. SIGIR 2009.
    """
    rows = np.unique(np.concatenate([dense, words]))
    scores = np.zeros(len(rows))
    for ranking, weight in ((dense, dense_weight), (words, 1 - dense_weight)):
        scores[np.searchsorted(rows, ranking)] += weight / (rank_constant + np.arange(1, len(ranking) + 1))
    order = np.lexsort((rows, -scores))
    return rows[order], scores[order]
