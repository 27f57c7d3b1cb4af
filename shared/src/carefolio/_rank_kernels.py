"""Compiled loops of the patient-cluster bootstrap; imported only where they run, because compiling takes a second.

They release the interpreter's lock, so that threads run them side by side.
"""

import numpy as np

from carefolio.compiled import compile_kernel


@compile_kernel
def count_draws(draws: np.ndarray) -> np.ndarray:
    """Count how often each group was drawn.

    Parameters
    ----------
    draws : ndarray of int32, shape (n_groups,)
        Group indices drawn with replacement.

    Returns
    -------
    ndarray of uint8, shape (n_groups,)
        Counts. One byte holds them: up to 255 groups none can be drawn more often, and with more a count above 255 has a
        probability below 1e-500. A small array stays in the processor's cache.
    """
    counts = np.zeros(draws.size, dtype=np.uint8)
    for group in draws:
        counts[group] += np.uint8(1)
    return counts


@compile_kernel
def rank_metrics(counts: np.ndarray, codes: np.ndarray, kinds: np.ndarray) -> tuple[float, float]:
    """Compute AUROC and average precision in one pass down the ranking, in whole numbers up to the last division.

    Parameters
    ----------
    counts : ndarray of uint8, shape (n_groups,)
        Weight of each group.
    codes : ndarray of int32, shape (n,)
        Group of each row, highest score first.
    kinds : ndarray of uint8, shape (n,)
        Bit 0: the row is an event. Bit 1: the row is the last of those with its score.

    Returns
    -------
    tuple of float
        AUROC and average precision; NaN where a class has no weight.
    """
    events, rows, tied_events, tied_rows, twice_area = np.int64(0), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    precision_sum = 0.0
    for i in range(codes.size):
        weight = np.int64(counts[codes[i]])
        tied_rows += weight
        tied_events += weight * (kinds[i] & 1)
        if kinds[i] & 2:
            twice_area += (tied_rows - tied_events) * (2 * events + tied_events)
            events += tied_events
            rows += tied_rows
            if tied_events > 0:
                precision_sum += tied_events * (events / rows)
            tied_rows = np.int64(0)
            tied_events = np.int64(0)
    if events == 0 or events == rows:
        return np.nan, np.nan
    return twice_area / (2.0 * events * (rows - events)), precision_sum / events
