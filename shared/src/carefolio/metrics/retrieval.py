"""Scores of ranked answers to queries: recall at k, reciprocal rank, normalised discounted cumulative gain.

Each is computed per query, so that queries (or the documents they came from) can be resampled; the mean over queries, each counting
once, is the score of a system. All are in [0, 1]; higher is better. A query without a relevant document has no score and is an error.
"""

from collections.abc import Collection, Hashable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, as_weight

Relevant = Sequence[Collection[Hashable]]
Ranked = Sequence[Sequence[Hashable]]


def recall_of_each(relevant: Relevant, ranked: Ranked, *, k: int) -> FloatArray:
    """Share of a query's relevant documents that are among the first ``k``.

    Parameters
    ----------
    relevant : sequence of collections, length n_queries
        Identifiers of the documents that answer each query.
    ranked : sequence of sequences, length n_queries
        Identifiers of the documents found, best first, none twice.
    k : int
        Places that count, at least 1.

    Returns
    -------
    ndarray of float64, shape (n_queries,)
        In [0, 1]; higher is better. With more than ``k`` relevant documents 1 is out of reach.

    Raises
    ------
    ValueError
        If the lengths differ, a query has no relevant document, or a document is ranked twice.
    """
    _check(relevant, ranked, k)
    return np.array([len(set(wanted).intersection(found[:k])) / len(set(wanted)) for wanted, found in zip(relevant, ranked, strict=True)])


def recall_at_k(relevant: Relevant, ranked: Ranked, *, k: int, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean over queries of the share of relevant documents among the first ``k``.

    Parameters
    ----------
    relevant : sequence of collections, length n_queries
        Identifiers of the documents that answer each query.
    ranked : sequence of sequences, length n_queries
        Identifiers of the documents found, best first, none twice.
    k : int
        Places that count, at least 1.
    sample_weight : array-like, shape (n_queries,), optional
        Non-negative weights of the queries.

    Returns
    -------
    float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If the lengths differ, a query has no relevant document, or a document is ranked twice.
    """
    return _mean(recall_of_each(relevant, ranked, k=k), sample_weight)


def reciprocal_ranks(relevant: Relevant, ranked: Ranked) -> FloatArray:
    """One over the place of the first relevant document, 0 where none is found.

    Parameters
    ----------
    relevant : sequence of collections, length n_queries
        Identifiers of the documents that answer each query.
    ranked : sequence of sequences, length n_queries
        Identifiers of the documents found, best first, none twice.

    Returns
    -------
    ndarray of float64, shape (n_queries,)
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If the lengths differ, a query has no relevant document, or a document is ranked twice.
    """
    _check(relevant, ranked, 1)
    return np.array([next((1 / place for place, document in enumerate(found, start=1) if document in wanted), 0.0)
                     for wanted, found in zip(relevant, ranked, strict=True)])


def mean_reciprocal_rank(relevant: Relevant, ranked: Ranked, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean over queries of one over the place of the first relevant document.

    Parameters
    ----------
    relevant : sequence of collections, length n_queries
        Identifiers of the documents that answer each query.
    ranked : sequence of sequences, length n_queries
        Identifiers of the documents found, best first, none twice.
    sample_weight : array-like, shape (n_queries,), optional
        Non-negative weights of the queries.

    Returns
    -------
    float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If the lengths differ, a query has no relevant document, or a document is ranked twice.
    """
    return _mean(reciprocal_ranks(relevant, ranked), sample_weight)


def ndcg_of_each(relevant: Relevant, ranked: Ranked, *, k: int) -> FloatArray:
    """Discounted gain of the first ``k`` documents over that of the best possible order.

    Parameters
    ----------
    relevant : sequence of collections or of mappings, length n_queries
        Identifiers of the documents that answer each query, each with gain 1, or a mapping from identifier to gain (0 or more).
    ranked : sequence of sequences, length n_queries
        Identifiers of the documents found, best first, none twice.
    k : int
        Places that count, at least 1.

    Returns
    -------
    ndarray of float64, shape (n_queries,)
        In [0, 1]; higher is better. The gain itself is taken, not ``2 ** gain - 1``, and divided by ``log2(place + 1)``.

    Raises
    ------
    ValueError
        If the lengths differ, a query has no relevant document, a gain is negative, or a document is ranked twice.

    References
    ----------
    Jarvelin K, Kekalainen J. Cumulated gain-based evaluation of IR techniques. ACM Trans Inf Syst 2002;20:422-446.
    """
    _check(relevant, ranked, k)
    scores = []
    for query, (wanted, found) in enumerate(zip(relevant, ranked, strict=True)):
        gains = {name: float(gain) for name, gain in wanted.items()} if isinstance(wanted, Mapping) else dict.fromkeys(wanted, 1.0)
        if not (all(0 <= gain < np.inf for gain in gains.values()) and any(gains.values())):
            raise ValueError(f"relevant must have gains of 0 or more, one of them positive; got {list(gains.values())[:5]} at query "
                             f"{query}. Leave that query out.")
        best = _discounted(sorted(gains.values(), reverse=True)[:k])
        scores.append(_discounted([gains.get(document, 0.0) for document in found[:k]]) / best)
    return np.array(scores)


def ndcg_at_k(relevant: Relevant, ranked: Ranked, *, k: int, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean over queries of the normalised discounted cumulative gain of the first ``k`` documents.

    Parameters
    ----------
    relevant : sequence of collections or of mappings, length n_queries
        Identifiers of the documents that answer each query, each with gain 1, or a mapping from identifier to gain (0 or more).
    ranked : sequence of sequences, length n_queries
        Identifiers of the documents found, best first, none twice.
    k : int
        Places that count, at least 1.
    sample_weight : array-like, shape (n_queries,), optional
        Non-negative weights of the queries.

    Returns
    -------
    float
        In [0, 1]; higher is better.

    Raises
    ------
    ValueError
        If the lengths differ, a query has no relevant document, a gain is negative, or a document is ranked twice.
    """
    return _mean(ndcg_of_each(relevant, ranked, k=k), sample_weight)


def _check(relevant: Relevant, ranked: Ranked, k: int) -> None:
    if len(relevant) != len(ranked) or not len(ranked):
        raise ValueError(f"relevant and ranked must have equal length, at least 1; got {len(relevant)} and {len(ranked)}. "
                         "Give an empty list where nothing was found.")
    if k < 1:
        raise ValueError(f"k must be at least 1; got {k}. Five or ten places are usual.")
    for query, (wanted, found) in enumerate(zip(relevant, ranked, strict=True)):
        if isinstance(wanted, str) or isinstance(found, str) or not len(wanted):
            raise ValueError(f"relevant must hold at least one identifier a query, not text; got {wanted!r} at query {query}. "
                             "Leave that query out.")
        if len(set(found)) != len(found):
            raise ValueError(f"ranked must hold each document once; got one twice at query {query}. Keep its first place.")


def _mean(scores: FloatArray, sample_weight: npt.ArrayLike | None) -> float:
    return float(np.average(scores, weights=as_weight(sample_weight, scores.size)))


def _discounted(gains: list[float]) -> float:
    return float(sum(gain / np.log2(place + 1) for place, gain in enumerate(gains, start=1)))
