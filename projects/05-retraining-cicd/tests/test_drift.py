"""Drift: hand-computed cases, scipy as the reference, and what must not change the result."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import entropy

from retraining.drift import fit_bins, mean_stability, psi_of_counts, stability, two_sample_auroc

RNG = np.random.default_rng(0)


def test_index_of_two_bins_by_hand():
    # Shares (10.5, 30.5)/41 and (20.5, 20.5)/41: (0.5 - 0.2561) * ln(0.5 / 0.2561) + (0.5 - 0.7439) * ln(0.5 / 0.7439) = 0.2601
    assert psi_of_counts(np.array([10.0, 30.0]), np.array([20.0, 20.0])) == pytest.approx(0.26006, abs=1e-4)


def test_index_is_both_divergences_added():
    p, q = RNG.integers(1, 100, 8).astype(float), RNG.integers(1, 100, 8).astype(float)
    first, second = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    assert psi_of_counts(p, q) == pytest.approx(entropy(first, second) + entropy(second, first))


@pytest.mark.parametrize("values", [pl.Series([1.0, 2.0, 3.0, None] * 25), pl.Series(["a", "b", None, "b"] * 25), pl.Series([7.0] * 50)])
def test_equal_samples_have_no_drift(values):
    assert stability(values, values) == 0
    assert stability(values, values.reverse()) == 0


def test_not_known_and_new_categories_are_bins_of_their_own():
    text = pl.Series(["a"] * 50 + ["b"] * 50)
    assert stability(text, pl.Series([None] * 100, dtype=pl.String)) > 5
    assert stability(text, pl.Series(["new"] * 100)) > 5
    numbers = pl.Series(np.arange(100.0))
    assert stability(numbers, pl.Series([None] * 100, dtype=pl.Float64)) > 5
    assert fit_bins(pl.Series([None, None], dtype=pl.Float64)).count == 2


def test_another_unit_is_seen_and_noise_is_not():
    days = pl.Series(RNG.integers(1, 15, 4000).astype(float))
    assert stability(days, pl.Series(RNG.integers(1, 15, 4000).astype(float))) < 0.02
    assert stability(days, (days / 7).ceil()) > 1


def _rows(values, first=0):
    return pl.DataFrame({"patient_nbr": np.arange(first, first + len(values)), "x": values, "c": ["a", "b"] * (len(values) // 2)})


def test_mean_index_is_paired_and_tells_which_rows_are_closer():
    old, new, batch = (_rows(RNG.normal(shift, 1, 400), first) for shift, first in ((0, 0), (1, 1000), (1, 2000)))
    found = mean_stability(pl.concat([old, new]), old, batch, ["x", "c"], replicates=50, level=0.95, seed=0)
    assert found["difference"].value == pytest.approx(found["challenger"].value - found["champion"].value)
    assert found["difference"].high < 0
    same = mean_stability(old, old, batch, ["x", "c"], replicates=50, level=0.95, seed=0)
    assert same["difference"].value == 0


def test_a_classifier_tells_shifted_rows_apart_and_not_equal_ones():
    options = {"replicates": 50, "level": 0.95, "seed": 0, "threads": 1}
    one, same, shifted = (_rows(RNG.normal(shift, 1, 600), first) for shift, first in ((0, 0), (0, 1000), (2, 2000)))
    apart, alike = two_sample_auroc(one, shifted, ["x", "c"], **options), two_sample_auroc(one, same, ["x", "c"], **options)
    assert apart.low > 0.8
    assert alike.low < 0.5 < alike.high
