"""Bins of equal weight along a probability, and the interval of a share in each."""

from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, check_fraction


def quantile_bins(
    y: FloatArray, prob: FloatArray, weight: FloatArray, n_bins: int
) -> tuple[FloatArray, FloatArray, FloatArray, npt.NDArray[np.intp]]:
    """Put rows into bins of equal weight along a probability.

    Parameters
    ----------
    y : ndarray of float64, shape (n,)
        What is averaged beside the probability, such as 0 or 1.
    prob : ndarray of float64, shape (n,)
        Probabilities; rows of one probability share a bin.
    weight : ndarray of float64, shape (n,)
        Non-negative row weights.
    n_bins : int
        Most bins.

    Returns
    -------
    count, mean_prob, mean_y : ndarray of float64, shape (bins,)
        Weight and weighted means of each bin that holds rows.
    index : ndarray of intp, shape (n,)
        Bin of each row.

    Raises
    ------
    ValueError
        If ``n_bins`` is below 1.
    """
    if n_bins < 1:
        raise ValueError(f"n_bins must be at least 1; got {n_bins}. 10 is customary.")
    _, tied = np.unique(prob, return_inverse=True)
    mass = np.bincount(tied, weights=weight)
    middle = 2 * np.cumsum(mass) - mass
    number = np.minimum(middle * n_bins // (2 * mass.sum()), n_bins - 1)
    _, index = np.unique(number[tied], return_inverse=True)
    count = np.bincount(index, weights=weight).astype(np.float64)
    return count, np.bincount(index, weights=weight * prob) / count, np.bincount(index, weights=weight * y) / count, index


def wilson_interval(share: FloatArray, count: FloatArray, *, level: float) -> tuple[FloatArray, FloatArray]:
    """Compute Wilson's interval of shares.

    Parameters
    ----------
    share : ndarray of float64, shape (k,)
        Shares in [0, 1].
    count : ndarray of float64, shape (k,)
        Rows behind each, above 0.
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    low, high : ndarray of float64, shape (k,)
        Bounds in [0, 1].

    Raises
    ------
    ValueError
        If ``level`` lies outside (0, 1).

    References
    ----------
    Wilson EB. J Am Stat Assoc 1927;22:209-212.
    """
    z = NormalDist().inv_cdf((1 + check_fraction(level, name="level")) / 2)
    centre = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * np.sqrt(share * (1 - share) / count + z**2 / (4 * count**2))
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
