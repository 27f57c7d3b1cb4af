"""Lagged case fatality: planted lag and ratio come back, and the interval is as wide as the weeks differ."""

import numpy as np
import pytest

from outcomes_analysis.waves.fatality import block_sums, estimate_lag, lagged_fatality

WEEKS = np.arange(120)
CASES = 20_000 * (1.1 + np.sin(WEEKS / 9.0)) * np.exp(0.4 * np.sin(WEEKS / 2.7))


def delayed(cases, lag, ratio):
    return np.r_[np.zeros(lag), cases[:cases.size - lag]] * ratio


@pytest.mark.parametrize("lag", [0, 1, 3, 5])
def test_a_planted_lag_is_found(lag):
    found = estimate_lag(CASES, delayed(CASES, lag, 0.02), smoothing_weeks=1)
    assert (found.weeks, found.estimated) == (lag, True)
    assert found.correlations[lag] == pytest.approx(1, abs=0.01)
    assert len(found.correlations) == 7


def test_a_lag_is_found_though_the_ratio_falls_from_wave_to_wave():
    falling = np.exp(-WEEKS / 40.0)
    assert estimate_lag(CASES, delayed(CASES, 2, 0.02) * falling).weeks == 2


def test_without_correlation_the_default_is_used_and_said_so():
    rng = np.random.default_rng(1)
    found = estimate_lag(rng.poisson(50, 120), rng.poisson(5, 120), default=2, smoothing_weeks=1)
    assert (found.weeks, found.estimated) == (2, False)
    assert estimate_lag(np.zeros(120), np.zeros(120)).correlations == [0.0] * 7
    assert estimate_lag(CASES[:6], CASES[:6]).estimated is False


def test_the_ratio_is_deaths_over_the_cases_of_the_lag_before():
    estimate = lagged_fatality([100, 200, 300, 400, 999], [7, 1, 2, 3, 4], lag=1, replicates=200)
    assert estimate.value == (1 + 2 + 3 + 4) / (100 + 200 + 300 + 400)
    assert (estimate.n, estimate.n_groups) == (1000, 4)


def test_a_constant_ratio_has_an_interval_of_no_width():
    estimate = lagged_fatality(CASES, delayed(CASES, 3, 0.02), lag=3)
    assert estimate.low == pytest.approx(0.02)
    assert estimate.high == pytest.approx(0.02)


def test_the_interval_is_far_wider_than_the_binomial_where_weeks_differ():
    estimate = lagged_fatality(CASES, CASES * np.where(WEEKS < 60, 0.03, 0.01), lag=0)
    binomial = 2 * 1.96 * np.sqrt(estimate.value * (1 - estimate.value) / estimate.n)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.high - estimate.low > 20 * binomial


def test_intervals_cover_a_known_ratio_about_as_often_as_they_say():
    rng, hits = np.random.default_rng(11), 0
    for seed in range(100):
        noise = np.exp(0.3 * np.convolve(rng.normal(size=123), np.ones(4) / 2, mode="valid"))
        deaths = rng.poisson(CASES * 0.01 * noise / np.exp(0.045))
        estimate = lagged_fatality(CASES, deaths, lag=0, block_weeks=13, replicates=300, seed=seed)
        hits += estimate.low <= 0.01 <= estimate.high
    assert 84 <= hits <= 99


def test_blocks_draw_as_many_weeks_as_there_are():
    ones = block_sums(np.ones((1, 50)), block_weeks=13, replicates=100, seed=0)
    assert (ones == 50).all()
    spread = block_sums(np.arange(50.0)[None], block_weeks=13, replicates=4000, seed=0)
    assert spread.mean() == pytest.approx(np.arange(50).sum(), rel=0.02)


def test_too_little_data_gives_no_ratio():
    assert lagged_fatality([5, 6], [1, 1], lag=0) is None
    assert lagged_fatality([0, 0, 0, 0], [1, 1, 1, 1], lag=0) is None
    assert lagged_fatality([0, 0, 0, 0, 0, 9], [0, 0, 0, 0, 0, 1], lag=0) is None


def test_series_of_different_length_are_refused():
    with pytest.raises(ValueError, match=r"one length and lag be at least 0; got \(3,\), \(2,\) and 1"):
        lagged_fatality([1, 2, 3], [1, 2], lag=1)
