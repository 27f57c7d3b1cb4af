"""The compiled loop of the weighted interval score; imported only where it runs, because compiling takes a second."""

import numpy as np

from carefolio.compiled import compile_kernel


@compile_kernel
def score_rows(y: np.ndarray, quantiles: np.ndarray, levels: np.ndarray) -> np.ndarray:
    """Score every forecast and see in the same pass whether its quantiles rise.

    Parameters
    ----------
    y : ndarray of float64, shape (n_forecasts,)
        Outcome.
    quantiles : ndarray of float64, shape (n_forecasts, n_levels)
        Quantiles along the rows.
    levels : ndarray of float64, shape (n_levels,)
        Rising and symmetric around the middle one.

    Returns
    -------
    ndarray of float64, shape (n_forecasts,)
        Twice the mean pinball loss; NaN where quantiles cross or are not finite.
    """
    scores = np.empty(y.size)
    for row in range(y.size):
        total, crossed = 0.0, False
        before = quantiles[row, 0]
        for column in range(levels.size):
            here = quantiles[row, column]
            crossed |= here < before
            error = y[row] - here
            total += max(levels[column] * error, (levels[column] - 1) * error)
            before = here
        scores[row] = np.nan if crossed or not np.isfinite(total) else 2 * total / levels.size
    return scores
