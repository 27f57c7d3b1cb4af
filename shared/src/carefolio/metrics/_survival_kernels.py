"""Compiled loops of the concordance index; imported only where they run, because compiling takes a second."""

import numpy as np

from carefolio.compiled import compile_kernel


@compile_kernel
def censoring_survival(time: np.ndarray, event: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Estimate at each row's own time the probability of not yet being censored; at a tie events come first.

    Parameters
    ----------
    time, event, weight : ndarray of float64, shape (n,)
        In order of time.

    Returns
    -------
    ndarray of float64, shape (n,)
        Kaplan-Meier estimate of the censoring distribution, the row's own time included.
    """
    n = time.size
    survival = np.empty(n)
    at_risk = weight.sum()
    current, start = 1.0, 0
    while start < n:
        end, events, censored = start, 0.0, 0.0
        while end < n and time[end] == time[start]:
            events += weight[end] * event[end]
            censored += weight[end] * (1.0 - event[end])
            end += 1
        if censored > 0.0:
            current *= 1.0 - censored / (at_risk - events)
        at_risk -= events + censored
        survival[start:end] = current
        start = end
    return survival


@compile_kernel
def concordance(time: np.ndarray, weight: np.ndarray, case: np.ndarray, rank: np.ndarray, event: np.ndarray) -> tuple[float, float]:
    """Add up weighted pairs in which the earlier row died, from the last time to the first, over a Fenwick tree of scores.

    Parameters
    ----------
    time, weight : ndarray of float64, shape (n,)
        In order of time.
    case : ndarray of float64, shape (n,)
        Factor of a row as the earlier one of a pair; 0 for a row that is censored or too late to count.
    rank : ndarray of int32, shape (n,)
        Rank of the score among its distinct values, from 0.
    event : ndarray of float64, shape (n,)
        1 died, 0 censored.

    Returns
    -------
    tuple of float
        Weight of concordant pairs (a tied score counts one half), and of all comparable pairs.
    """
    size = rank.max() + 1
    tree, same = np.zeros(size + 1), np.zeros(size)
    total, agree, pairs = 0.0, 0.0, 0.0
    end = time.size
    while end > 0:
        start = end - 1
        while start > 0 and time[start - 1] == time[end - 1]:
            start -= 1
        for stage in range(3):
            for i in range(start, end):
                if stage == 1 and case[i] > 0.0:
                    below, node = 0.0, rank[i]
                    while node > 0:
                        below += tree[node]
                        node -= node & -node
                    agree += case[i] * (below + 0.5 * same[rank[i]])
                    pairs += case[i] * total
                elif (stage == 0 and event[i] == 0.0) or (stage == 2 and event[i] == 1.0):
                    node = rank[i] + 1
                    while node <= size:
                        tree[node] += weight[i]
                        node += node & -node
                    same[rank[i]] += weight[i]
                    total += weight[i]
        end = start
    return agree, pairs
