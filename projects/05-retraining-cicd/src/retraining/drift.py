"""How far a batch is from the rows that came before: per feature, as a whole, and in the risk that is predicted.

The population stability index is ``sum((q - p) * ln(q / p))`` over bins, p the share of the reference and q that of the batch: both
Kullback-Leibler divergences added (Kullback and Leibler, Ann Math Stat 1951;22:79-86). 0.1 and 0.25 are customary marks and no test. Bins
are tenths of the reference, or its categories; not known is a bin of its own, and each bin gets half a row, so that an empty one stays
finite. The two-sample test asks how well a classifier tells the batch from the reference (Lopez-Paz and Oquab, ICLR 2017): an AUROC of 0.5
is not at all. Both are written out here because the kept libraries for it do not install beside this repository's pins (README, method).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.boosted import group_folds
from carefolio.encoding import fit_categories, to_matrix
from carefolio.uncertainty import Interval, bootstrap_rank_metrics, bootstrap_values
from retraining.data import PATIENT

TENTHS = np.linspace(0.1, 0.9, 9)
SAMPLED_ROWS = 4000
ROUNDS, FOLDS = 60, 3
Codes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Bins:
    """The bins of a feature: edges of numbers or a list of categories; one more bin for the unknown, one for new categories."""

    edges: Floats
    categories: tuple[str, ...] | None

    @property
    def count(self) -> int:
        """Count the bins.

        Returns
        -------
        int
            With those for the unknown and the new.
        """
        return (len(self.edges) + 1 if self.categories is None else len(self.categories) + 1) + 1

    def code(self, values: pl.Series) -> Codes:
        """Put values into bins.

        Parameters
        ----------
        values : polars.Series of length n
            Numbers or text, as the reference.

        Returns
        -------
        ndarray of shape (n,), int64
            Places from 0; the last is the unknown.
        """
        unknown = self.count - 1
        if self.categories is not None:
            places = {name: place for place, name in enumerate(self.categories)}
            coded = values.replace_strict(places, default=len(places), return_dtype=pl.Int64)
            return np.where(values.is_null().to_numpy(), unknown, coded.fill_null(0).to_numpy())
        numbers = values.cast(pl.Float64).fill_nan(None)
        coded_numbers = np.searchsorted(self.edges, numbers.fill_null(0.0).to_numpy(), side="left")
        return np.where(numbers.is_null().to_numpy(), unknown, coded_numbers)


def fit_bins(reference: pl.Series) -> Bins:
    """Make the bins of a feature.

    Parameters
    ----------
    reference : polars.Series
        Values of the reference.

    Returns
    -------
    Bins
        Tenths of the known values without repeats, or the categories.
    """
    if reference.dtype == pl.String:
        return Bins(np.empty(0), tuple(sorted(reference.drop_nulls().unique().to_list())))
    known = reference.cast(pl.Float64).fill_nan(None).drop_nulls().to_numpy()
    return Bins(np.unique(np.quantile(known, TENTHS)) if known.size else np.empty(0), None)


def psi_of_counts(reference: NDArray[Any], batch: NDArray[Any]) -> float:
    """Compute the population stability index of two histograms.

    Parameters
    ----------
    reference, batch : ndarray of shape (n_bins,)
        Rows in each bin, or their weight.

    Returns
    -------
    float
        At least 0; 0 for equal shares.
    """
    p, q = (reference + 0.5) / (reference + 0.5).sum(), (batch + 0.5) / (batch + 0.5).sum()
    return float(((q - p) * np.log(q / p)).sum())


def stability(reference: pl.Series, batch: pl.Series) -> float:
    """Compute the population stability index of a feature.

    Parameters
    ----------
    reference, batch : polars.Series
        Values before, and of the batch.

    Returns
    -------
    float
        At least 0.
    """
    bins = fit_bins(reference)
    counts = [np.bincount(bins.code(values), minlength=bins.count).astype(np.float64) for values in (reference, batch)]
    return psi_of_counts(*counts)


def stability_by_feature(reference: pl.DataFrame, batch: pl.DataFrame, features: Sequence[str]) -> dict[str, float]:
    """Compute the population stability index of every feature.

    Parameters
    ----------
    reference, batch : polars.DataFrame
        Rows before, and of the batch.
    features : sequence of str
        Columns.

    Returns
    -------
    dict of str to float
        In the order of ``features``.
    """
    return {name: stability(reference[name], batch[name]) for name in features}


def mean_stability(challenger: pl.DataFrame, champion: pl.DataFrame, batch: pl.DataFrame, features: Sequence[str], *, replicates: int,
                   level: float, seed: int) -> dict[str, Interval]:
    """Compare how far two models' teaching rows are from the batch that is to be served.

    Parameters
    ----------
    challenger, champion : polars.DataFrame
        Rows that taught each.
    batch : polars.DataFrame
        The batch.
    features : sequence of str
        Columns over which the index is averaged.
    replicates : int
        Of the bootstrap; patients are drawn, those of all three tables together.
    level : float
        Of the intervals.
    seed : int
        Seed.

    Returns
    -------
    dict of str to Interval
        ``challenger``, ``champion`` and ``difference``; lower is closer.
    """
    parts = [_Part(challenger, batch, features), _Part(champion, batch, features)]
    patients = np.concatenate([challenger[PATIENT].to_numpy(), champion[PATIENT].to_numpy(), batch[PATIENT].to_numpy()])
    ends = np.cumsum([challenger.height, champion.height])

    def _both(weights: Floats) -> Floats:
        first, second, last = np.split(weights, ends)
        values = [parts[0].mean(first, last), parts[1].mean(second, last)]
        return np.array([*values, values[0] - values[1]])

    found = bootstrap_values(_both, groups=patients, n_replicates=replicates, level=level, random_state=seed)
    return dict(zip(("challenger", "champion", "difference"), found, strict=True))


class _Part:
    """Bins of one reference, with its rows and those of the batch coded once for all replicates."""

    def __init__(self, reference: pl.DataFrame, batch: pl.DataFrame, features: Sequence[str]) -> None:
        self.bins = [fit_bins(reference[name]) for name in features]
        self.reference = [one.code(reference[name]) for one, name in zip(self.bins, features, strict=True)]
        self.batch = [one.code(batch[name]) for one, name in zip(self.bins, features, strict=True)]

    def mean(self, reference_weights: Floats, batch_weights: Floats) -> float:
        return float(np.mean([psi_of_counts(np.bincount(before, weights=reference_weights, minlength=one.count),
                                            np.bincount(now, weights=batch_weights, minlength=one.count))
                              for one, before, now in zip(self.bins, self.reference, self.batch, strict=True)]))


def two_sample_auroc(reference: pl.DataFrame, batch: pl.DataFrame, features: Sequence[str], *, replicates: int, level: float, seed: int,
                     threads: int) -> Interval:
    """Measure how well a classifier tells the batch from the reference.

    Parameters
    ----------
    reference, batch : polars.DataFrame
        Rows before, and of the batch; at most `SAMPLED_ROWS` of each are used.
    features : sequence of str
        Columns that it sees.
    replicates : int
        Of the bootstrap over patients.
    level : float
        Of the interval.
    seed : int
        Seed of samples, folds and trees.
    threads : int
        Of LightGBM.

    Returns
    -------
    Interval
        AUROC on folds of patients left out; 0.5 if they cannot be told apart.
    """
    import lightgbm as lgb

    both = pl.concat(rows.select(PATIENT, *features).sample(min(rows.height, SAMPLED_ROWS), seed=seed) for rows in (reference, batch))
    y = np.repeat([0, 1], [min(reference.height, SAMPLED_ROWS), min(batch.height, SAMPLED_ROWS)])
    patients, X = both[PATIENT].to_numpy(), to_matrix(both, features, fit_categories(both, features))
    parameters = {"objective": "binary", "verbose": -1, "num_threads": threads, "deterministic": True, "force_row_wise": True, "seed": seed,
                  "num_leaves": 15, "learning_rate": 0.1, "min_child_samples": 50}
    score = np.zeros(y.size)
    for train, valid in group_folds(patients, folds=FOLDS, seed=seed):
        fitted = lgb.train(parameters, lgb.Dataset(X[train], y[train]), num_boost_round=ROUNDS)
        score[valid] = fitted.predict(X[valid], num_threads=threads)
    found = bootstrap_rank_metrics(y, {"batch": score}, groups=patients, n_replicates=replicates, level=level, random_state=seed)
    return found["batch"]["roc_auc"]
