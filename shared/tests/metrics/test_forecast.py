import numpy as np
import polars as pl
import pytest
import scoringrules
from scipy.stats import norm

from carefolio.metrics import forecast

LEVELS = np.array([0.01, 0.025, *np.round(np.arange(0.05, 0.951, 0.05), 2), 0.975, 0.99])


@pytest.fixture
def sample():
    generator = np.random.default_rng(5)
    centre, spread = generator.normal(50, 20, 400), generator.gamma(2, 5, 400)
    quantiles = centre[:, None] + spread[:, None] * norm.ppf(LEVELS)
    return centre + spread * 1.3 * generator.normal(size=400), quantiles, generator.gamma(2, size=400)


def test_wis_by_hand_with_one_interval():
    """y = 12 with median 9 and 80 % interval 4 to 10: (0.5 * 3 + 0.1 * (6 + 2 / 0.2 * 2)) / 1.5."""
    parts = forecast.wis_parts([12], [[4, 9, 10]], quantile_levels=[0.1, 0.5, 0.9])
    assert parts.wis == pytest.approx([(1.5 + 0.1 * (6 + 20)) / 1.5])
    assert parts.dispersion == pytest.approx([0.6 / 1.5])
    assert parts.underprediction == pytest.approx([(1.5 + 2) / 1.5])
    assert parts.overprediction == pytest.approx([0])
    assert forecast.weighted_interval_score([12], [[4, 9, 10]], quantile_levels=[0.1, 0.5, 0.9]) == pytest.approx(4.1 / 1.5)


def test_overprediction_by_hand():
    parts = forecast.wis_parts([2], [[4, 9, 10]], quantile_levels=[0.1, 0.5, 0.9])
    assert parts.overprediction == pytest.approx([(3.5 + 2) / 1.5])
    assert parts.underprediction == pytest.approx([0])


def test_interval_score_by_hand():
    assert forecast.interval_score([12, 7], [4, 4], [10, 10], level=0.8) == pytest.approx((6 + 20 + 6) / 2)
    assert forecast.interval_score([12, 7], [4, 4], [10, 10], level=0.8, sample_weight=[0, 3]) == pytest.approx(6)


def test_pinball_by_hand():
    assert forecast.quantile_loss([12], [[4, 9, 10]], quantile_levels=[0.1, 0.5, 0.9]) == pytest.approx([0.8, 1.5, 1.8])


def test_median_alone_scores_the_absolute_error():
    assert forecast.weighted_interval_score([12, 3], [[10], [4]], quantile_levels=[0.5]) == pytest.approx(1.5)


def test_wis_agrees_with_scoringrules(sample):
    y, quantiles, _ = sample
    k = LEVELS.size // 2
    alpha = 2 * LEVELS[:k]
    expected = scoringrules.weighted_interval_score(y, quantiles[:, k], quantiles[:, :k], quantiles[:, :k:-1], alpha, backend="numba")
    np.testing.assert_allclose(forecast.wis_of_each(y, quantiles, quantile_levels=LEVELS), expected, rtol=0, atol=1e-9)
    np.testing.assert_allclose(forecast.wis_parts(y, quantiles, quantile_levels=LEVELS).wis, expected, rtol=0, atol=1e-9)


def test_interval_and_pinball_agree_with_scoringrules(sample):
    y, quantiles, weight = sample
    expected = scoringrules.interval_score(y, quantiles[:, 1], quantiles[:, -2], 0.05)
    found = forecast.interval_score(y, quantiles[:, 1], quantiles[:, -2], level=0.95, sample_weight=weight)
    assert found == pytest.approx(np.average(expected, weights=weight), abs=1e-9)
    losses = forecast.quantile_loss(y, quantiles, quantile_levels=LEVELS)
    for column, level in enumerate(LEVELS):
        assert losses[column] == pytest.approx(scoringrules.quantile_score(y, quantiles[:, column], level).mean(), abs=1e-9)


def test_wis_is_twice_the_mean_pinball_loss_and_the_sum_of_its_parts(sample):
    y, quantiles, weight = sample
    loss = forecast.quantile_loss(y, quantiles, quantile_levels=LEVELS, sample_weight=weight)
    wis = forecast.weighted_interval_score(y, quantiles, quantile_levels=LEVELS, sample_weight=weight)
    assert wis == pytest.approx(2 * loss.mean(), rel=1e-12)
    parts = forecast.wis_parts(y, quantiles, quantile_levels=LEVELS)
    np.testing.assert_allclose(parts.dispersion + parts.underprediction + parts.overprediction, parts.wis, rtol=1e-12)


def test_wis_of_many_levels_nears_the_crps():
    levels = (np.arange(999) + 1) / 1000
    wis = forecast.wis_of_each([0.7], norm.ppf(levels)[None], quantile_levels=levels)
    assert wis[0] == pytest.approx(scoringrules.crps_normal(0.7, 0, 1), rel=5e-3)


def test_more_rows_than_one_chunk_score_alike():
    y, quantiles = np.arange(20_000.0), np.arange(20_000.0)[:, None] + np.array([-1, 0, 1])
    np.testing.assert_allclose(forecast.wis_of_each(y, quantiles, quantile_levels=[0.25, 0.5, 0.75]), 1 / 3, atol=1e-12)


@pytest.mark.parametrize("name", ["weighted_interval_score", "quantile_loss", "level_coverage"])
def test_order_does_not_matter_and_weights_equal_duplication(sample, name):
    y, quantiles, _ = sample
    function, counts = getattr(forecast, name), np.random.default_rng(1).integers(0, 4, y.size)
    order = np.random.default_rng(2).permutation(y.size)
    expected = function(y, quantiles, quantile_levels=LEVELS)
    np.testing.assert_allclose(function(y[order], quantiles[order], quantile_levels=LEVELS), expected, rtol=1e-12)
    doubled = function(np.repeat(y, counts), np.repeat(quantiles, counts, axis=0), quantile_levels=LEVELS)
    np.testing.assert_allclose(function(y, quantiles, quantile_levels=LEVELS, sample_weight=counts), doubled, rtol=1e-12)


def test_coverage_by_hand_counts_the_bounds():
    y, quantiles = [1, 3, 5, 9], [[1, 2, 3]] * 4
    assert forecast.interval_coverage(y, quantiles, quantile_levels=[0.25, 0.5, 0.75], level=0.5) == 0.5
    weighted = forecast.interval_coverage(y, quantiles, quantile_levels=[0.25, 0.5, 0.75], level=0.5, sample_weight=[3, 0, 1, 0])
    assert weighted == 0.75
    assert forecast.level_coverage(y, quantiles, quantile_levels=[0.25, 0.5, 0.75]) == pytest.approx([0.25, 0.25, 0.5])


def test_coverage_of_a_level_that_is_not_there(sample):
    y, quantiles, _ = sample
    with pytest.raises(ValueError, match=r"must hold 0\.165 for this interval.*Choose another level"):
        forecast.interval_coverage(y, quantiles, quantile_levels=LEVELS, level=0.67)


def test_relative_wis_is_a_ratio_of_means():
    assert forecast.relative_wis([1, 5], [2, 10]) == pytest.approx(0.5)
    assert forecast.relative_wis([1, 9], [2, 3], sample_weight=[1, 0]) == pytest.approx(0.5)


def test_relative_wis_refuses_unpaired_scores_and_a_perfect_reference():
    with pytest.raises(ValueError, match="equal length; got 2 and 1"):
        forecast.relative_wis([1, 2], [1])
    with pytest.raises(ValueError, match="positive mean; got 0"):
        forecast.relative_wis([1, 2], [0, 0])


def test_pairwise_relative_wis_by_hand():
    """Ratios a/base 1/2 over two targets, b/base 2 and b/a 4 over the one that b has: b = (2 * 4 * 1)^(1/3) over base's (2 * 1/2)^(1/3)."""
    nan = float("nan")
    skill = forecast.pairwise_relative_wis({"base": [2, 2], "a": [1, 1], "b": [4, nan]}, baseline="base")
    assert skill == pytest.approx({"base": 1, "a": (0.5 * 0.25) ** (1 / 3), "b": 2})


def test_pairwise_relative_wis_needs_common_targets_and_the_baseline():
    with pytest.raises(ValueError, match="must share a target"):
        forecast.pairwise_relative_wis({"a": [1, np.nan], "b": [np.nan, 1]}, baseline="a")
    with pytest.raises(ValueError, match="baseline must be one of"):
        forecast.pairwise_relative_wis({"a": [1]}, baseline="c")
    with pytest.raises(ValueError, match="arrays of one length"):
        forecast.pairwise_relative_wis({"a": [1], "b": [1, 2]}, baseline="a")


@pytest.mark.parametrize(("y", "quantiles", "levels", "message"), [
    ([1], [[3, 2, 4]], [0.1, 0.5, 0.9], r"must not cross; got 3 at level 0\.1 above 2 at level 0\.5 in row 0"),
    ([1], [[1, 2, 3]], [0.5, 0.1, 0.9], "must rise"),
    ([1], [[1, 2, 3]], [0.1, 0.5, 0.8], "must be symmetric"),
    ([1], [[1, 2]], [0.1, 0.9], "must be symmetric"),
    ([1], [[1, 2, 3]], [2.5, 50, 97.5], "must lie in"),
    ([1], [[1, np.nan, 3]], [0.1, 0.5, 0.9], "must be finite; got nan at row 0, level 0.5"),
    ([np.nan], [[1, 2, 3]], [0.1, 0.5, 0.9], "y_true must be finite"),
    ([1, 2], [[1, 2, 3]], [0.1, 0.5, 0.9], r"= \(2, 3\); got \(1, 3\)"),
    ([1, 2], [[1, 2, 3], [1]], [0.1, 0.5, 0.9], "rectangle of numbers"),
])
def test_malformed_forecasts_are_refused(y, quantiles, levels, message):
    with pytest.raises(ValueError, match=message):
        forecast.weighted_interval_score(y, quantiles, quantile_levels=levels)


def test_interval_score_refuses_bounds_that_cross():
    with pytest.raises(ValueError, match="must not cross"):
        forecast.interval_score([1], [3], [2], level=0.5)


def _long():
    return pl.DataFrame({"week": [2, 2, 2, 1, 1, 1], "quantile_level": [0.9, 0.5, 0.1] * 2, "value": [6.0, 5, 4, 3, 2, 1]})


def test_long_form_becomes_a_matrix():
    keys, quantiles, levels = forecast.to_matrix(_long(), by=["week"])
    assert keys["week"].to_list() == [1, 2]
    np.testing.assert_array_equal(quantiles, [[1, 2, 3], [4, 5, 6]])
    np.testing.assert_array_equal(levels, [0.1, 0.5, 0.9])


def test_long_form_with_a_missing_repeated_or_null_level_is_refused():
    with pytest.raises(ValueError, match=r"each of 3 levels once; got \{'week': 2, 'len': 2\}"):
        forecast.to_matrix(_long()[1:], by=["week"])
    twice = _long().with_columns(quantile_level=pl.Series([0.9, 0.5, 0.5, 0.9, 0.5, 0.1]))
    with pytest.raises(ValueError, match="levels once"):
        forecast.to_matrix(twice, by=["week"])
    with pytest.raises(ValueError, match="no null; got 1"):
        forecast.to_matrix(_long().with_columns(value=pl.Series([None, 5.0, 4, 3, 2, 1])), by=["week"])
