"""Growth and reproduction number: hand-computed cases, a published implementation, and simulated epidemics."""

import numpy as np
import pytest

from outcomes_analysis.waves.reproduction import (
    doubling_weeks,
    generation_time,
    growth_rate,
    local_dispersion,
    missed_reports,
    reproduction_number,
    spread_over_days,
)

GENERATION = generation_time(5.2, 1.72)


def test_the_generation_time_keeps_its_mean_and_sums_to_one():
    days = np.arange(1, 31)
    assert GENERATION.sum() == pytest.approx(1)
    assert (GENERATION * days).sum() == pytest.approx(5.2, abs=0.02)
    assert np.sqrt((GENERATION * (days - 5.2) ** 2).sum()) == pytest.approx(1.72, abs=0.05)
    with pytest.raises(ValueError, match="must be above 0; got 0 and 1"):
        generation_time(0, 1)


def test_exponential_growth_is_found_exactly():
    weekly = 1000 * np.exp(0.3 * np.arange(20))
    band = growth_rate(weekly, np.ones(20))
    assert band.value[1:-1] == pytest.approx(0.3)
    assert np.isnan(band.value[[0, -1]]).all()
    assert doubling_weeks(np.log(2)) == pytest.approx(1)


def test_growth_of_three_weeks_solves_the_poisson_equations():
    counts = np.array([120.0, 260.0, 300.0])
    rate = growth_rate(counts, np.ones(3)).value[1]
    weeks = np.array([-1, 0, 1])
    fitted = counts.sum() * np.exp(rate * weeks) / np.exp(rate * weeks).sum()
    assert (fitted * weeks).sum() == pytest.approx((counts * weeks).sum())


def test_few_cases_give_no_growth_and_dispersion_widens_it():
    weekly = np.array([5.0, 400.0, 500.0, 600.0, 700.0])
    assert np.isnan(growth_rate(weekly, np.ones(5), minimum=20).value).tolist() == [True, True, False, False, True]
    narrow, wide = (growth_rate(weekly, np.full(5, factor)) for factor in (1.0, 9.0))
    assert wide.high[2] - wide.low[2] == pytest.approx(3 * (narrow.high[2] - narrow.low[2]))


def test_dispersion_is_one_for_a_smooth_series_and_right_for_a_noisy_one():
    assert local_dispersion(1000 * np.exp(0.1 * np.arange(40))) == pytest.approx(np.ones(40))
    rng = np.random.default_rng(0)
    noisy = rng.negative_binomial(2000 / 7, 1 / 8, size=400)  # mean 2000, variance 8 times the mean
    assert np.median(local_dispersion(noisy, weeks=399)) == pytest.approx(8, rel=0.2)
    assert (local_dispersion(np.zeros(20)) == 1).all()


def test_a_week_of_missed_reports_is_found_and_kept_out_of_the_dispersion():
    weekly = np.full(30, 1000.0)
    weekly[15] = 10
    missed = missed_reports(weekly)
    assert np.flatnonzero(missed).tolist() == [15]
    assert local_dispersion(weekly).max() > 50
    assert local_dispersion(weekly, left_out=missed) == pytest.approx(np.ones(30))
    assert not missed_reports([10, 0, 10]).any()
    assert not missed_reports(weekly, share=0.0).any()


def test_days_keep_the_sum_of_every_week_and_are_never_negative():
    weekly = np.array([[0, 0, 700, 10, 0, 350, 9000, 4], [5, 5, 5, 5, 5, 5, 5, 5]])
    daily = spread_over_days(weekly)
    assert daily.shape == (2, 56)
    assert (daily >= 0).all()
    assert daily.reshape(2, 8, 7).sum(axis=-1) == pytest.approx(weekly)
    assert daily[1] == pytest.approx(np.full(56, 5 / 7))


def test_the_posterior_equals_that_of_epyestim():
    daily = [3, 5, 4, 6, 9, 8, 12, 11, 15, 14, 19, 22, 25, 27, 31, 30, 36, 35, 41, 40, 44, 42, 40, 43, 39, 37, 36, 30]
    band = reproduction_number(daily, [0.1, 0.3, 0.3, 0.2, 0.1], prior_shape=1, prior_scale=5)
    # epyestim 0.1: estimate_r(series, [0, .1, .3, .3, .2, .1], 1, 5, window_size=7) at the end of each week, with gamma_quantiles
    assert band.value == pytest.approx([2.352941, 1.485588, 1.238598, 0.939362], abs=1e-6)
    assert band.low == pytest.approx([1.734873, 1.244715, 1.092059, 0.830254], abs=1e-6)
    assert band.high == pytest.approx([3.063727, 1.74745, 1.394229, 1.055108], abs=1e-6)


def test_dispersion_keeps_the_posterior_mean_and_scales_its_variance():
    daily = np.full(28, 10_000.0)
    plain, wide = (reproduction_number(daily, GENERATION, dispersion=factor) for factor in (1.0, 100.0))
    assert wide.value == pytest.approx(plain.value)
    assert wide.high[-1] - wide.low[-1] == pytest.approx(10 * (plain.high[-1] - plain.low[-1]), rel=0.02)
    assert plain.value[-1] == pytest.approx(1, abs=0.001)


def simulate(path, *, seed, noise=30.0, start=400.0):
    """Renewal equation with a known reproduction number a day and overdispersed counts."""
    rng, counts = np.random.default_rng(seed), [start] * 30
    for number in path:
        mean = number * float(np.dot(counts[:-31:-1], GENERATION))
        counts.append(float(rng.negative_binomial(mean / (noise - 1), 1 / noise)))
    return np.array(counts[30:])


def test_a_known_reproduction_number_lies_in_the_interval():
    levels = np.repeat([1.3, 0.8, 1.2, 0.9], 56)
    settled = np.arange(32) % 8 >= 2
    inside, width = [], []
    for seed in range(20):
        weekly = simulate(levels, seed=seed).reshape(-1, 7).sum(axis=1)
        dispersion = local_dispersion(weekly)
        band = reproduction_number(spread_over_days(weekly), GENERATION, dispersion=dispersion)
        truth = levels[::7]
        inside.append(((band.low <= truth) & (truth <= band.high))[settled])
        width.append((band.high - band.low)[settled])
    assert np.mean(inside) >= 0.88
    assert np.median(width) < 0.5


def test_the_plain_posterior_is_overconfident_on_the_same_epidemics():
    inside = []
    for seed in range(20):
        weekly = simulate(np.full(168, 1.05), seed=seed).reshape(-1, 7).sum(axis=1)
        band = reproduction_number(spread_over_days(weekly), GENERATION)
        inside.append(((band.low <= 1.05) & (band.high >= 1.05))[6:])
    assert np.mean(inside) < 0.6


def test_a_shorter_generation_time_brings_the_number_nearer_to_one():
    weekly = 1000 * np.exp(0.4 * np.arange(12))
    moments = ((5.2, 1.72), (3.0, 1.0))
    early, short = (reproduction_number(spread_over_days(weekly), generation_time(*pair)).value[-1] for pair in moments)
    assert early > short > 1
    assert short == pytest.approx(1 / np.dot(np.exp(-0.4 / 7 * np.arange(1, 31)), generation_time(3.0, 1.0)), rel=0.02)
