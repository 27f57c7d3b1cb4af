"""Bootstrap intervals of ratios and quantiles over documents, all replicates at once.

Replicate ``r`` draws the same documents for every system and metric (`carefolio.uncertainty.draw_groups`), so differences are paired.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carefolio.uncertainty import Interval, draw_groups
from notes_summarizer.evaluation.settings import EvaluationSettings

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Draws:
    """How often each document was drawn in each replicate.

    Attributes
    ----------
    counts : ndarray of float64, shape (n_replicates, n_documents)
        Documents of one group come along together.
    n_groups : int
        What was drawn from.
    level : float
        Confidence level of the intervals.
    """

    counts: Floats
    n_groups: int
    level: float


@dataclass(frozen=True)
class Ratio:
    """A quantity of documents: a sum over another sum, such as findings over sentences; a mean has ones below.

    Attributes
    ----------
    above, below : ndarray of float64, shape (n_documents,)
        Numerators and denominators.
    """

    above: Floats
    below: Floats


def draw(groups: npt.ArrayLike, settings: EvaluationSettings, *, seed: int) -> Draws:
    """Draw documents with replacement.

    Parameters
    ----------
    groups : array-like, shape (n_documents,)
        What is drawn: documents of one conversation share a group.
    settings : EvaluationSettings
        ``replicates`` and ``level``.
    seed : int
        Seed.

    Returns
    -------
    Draws
        Counts of all replicates.
    """
    labels, codes = np.unique(np.asarray(groups), return_inverse=True)
    drawn = [np.bincount(draw_groups(len(labels), replicate=replicate, random_state=seed), minlength=len(labels))
             for replicate in range(settings.replicates)]
    return Draws(np.array(drawn, dtype=np.float64)[:, codes], len(labels), settings.level)


def mean(values: npt.ArrayLike) -> Ratio:
    """Make a mean over documents; those whose value is NaN are left out.

    Parameters
    ----------
    values : array-like, shape (n_documents,)
        One value a document.

    Returns
    -------
    Ratio
        The mean.
    """
    found = np.asarray(values, dtype=np.float64)
    return Ratio(np.nan_to_num(found), np.isfinite(found).astype(np.float64))


def ratio_interval(ratio: Ratio, draws: Draws, *, less: Ratio | None = None) -> Interval | None:
    """Estimate a ratio, or its lead over another one of the same documents.

    Parameters
    ----------
    ratio : Ratio
        Sums of each document.
    draws : Draws
        The same for everything that is compared.
    less : Ratio, optional
        Is taken off, in every replicate.

    Returns
    -------
    Interval or None
        Estimate and percentile interval; None where a replicate has nothing to divide by, as a number that only some samples define
        has no interval.
    """
    documents = np.vstack([np.ones(len(ratio.above)), draws.counts])
    values = _divide(ratio, documents) - (0.0 if less is None else _divide(less, documents))
    if not np.isfinite(values).all():
        return None
    return _interval(values, draws, int(ratio.below.astype(bool).sum()))


def quantile_interval(values: npt.ArrayLike, probability: float, draws: Draws) -> Interval:
    """Estimate a quantile over documents: the smallest value that at least this share does not exceed.

    Parameters
    ----------
    values : array-like, shape (n_documents,)
        One finite value a document.
    probability : float
        In (0, 1).
    draws : Draws
        Replicates.

    Returns
    -------
    Interval
        Estimate and percentile interval.
    """
    found = np.asarray(values, dtype=np.float64)
    order = np.argsort(found)
    below = np.cumsum(np.vstack([np.ones(found.size), draws.counts])[:, order], axis=1)
    place = (below < probability * below[:, -1:] - 1e-9).sum(axis=1)
    return _interval(found[order][place], draws, found.size)


def _divide(ratio: Ratio, documents: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((documents @ ratio.above) / (documents @ ratio.below), dtype=np.float64)


def _interval(values: Floats, draws: Draws, n: int) -> Interval:
    low, high = np.quantile(values[1:], [(1 - draws.level) / 2, (1 + draws.level) / 2])
    return Interval(float(values[0]), float(low), float(high), draws.level, n, draws.n_groups)
