from datetime import date, timedelta

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from outcomes_analysis.forecast import boosting, ensemble, members
from outcomes_analysis.forecast.features import build_features
from outcomes_analysis.forecast.names import MEMBERS
from outcomes_analysis.forecast.panel import Panel
from outcomes_analysis.forecast.settings import ForecastSettings

LEVELS = members.LEVELS
BOOSTING = {"levels": [0.1, 0.5, 0.9], "rounds": 8, "learning_rate": 0.3, "num_leaves": 4, "min_data_in_leaf": 5, "feature_fraction": 0.8,
            "bagging_fraction": 0.8, "lambda_l2": 1.0}


@pytest.fixture(scope="module")
def settings():
    return ForecastSettings.model_validate({
        "rate_offset": 0.1, "max_gap_weeks": 6, "minimum_weeks": 20, "warm_up_start": date(2022, 8, 6), "warm_up_end": date(2022, 9, 3),
        "warm_up_every_weeks": 2, "max_reference_dates": 0, "check_first_published": False, "ridge_weeks": 20, "neighbours": 30,
        "analogue_season_weight": 0.1, "prior_weeks": 15, "half_life_weeks": 26, "history_dates": 60, "weight_floor": 0.1,
        "prior_weights": dict(zip(MEMBERS, (0.1, 0.2, 0.2, 0.5), strict=True)), "replicates": 50, "level": 0.95, "block_weeks": 4,
        "boosting": BOOSTING})


@pytest.fixture(scope="module")
def panel():
    generator, weeks = np.random.default_rng(3), 90
    course = 1.5 + 0.6 * np.sin(np.arange(weeks) / 26 * np.pi)
    level = course[:, None] + generator.normal(0, 0.04, (weeks, 5)).cumsum(axis=0) * 0.2 + generator.normal(0, 0.02, (weeks, 5))
    return Panel([date(2021, 9, 4) + timedelta(weeks=week) for week in range(weeks)], ["01", "02", "13", "15", "US"],
                 np.array([5e6, 7e5, 1.1e7, 1.4e6, 3.3e8]), np.array([4, 10, 4, 9, 0]), np.ones((weeks, 5), bool), level, 0.1)


def test_ridge_regression_agrees_with_scikit_learn():
    generator = np.random.default_rng(0)
    X, weight = generator.normal(3, 2, (60, 4)), generator.gamma(2, size=60)
    y = X @ [1, 0, -2, 3] + generator.normal(size=60)
    mean = weight @ X / weight.sum()
    spread = np.sqrt(weight @ (X - mean) ** 2 / weight.sum())
    peer = Ridge(alpha=0.3 * weight.sum()).fit((X - mean) / spread, y, sample_weight=weight)
    np.testing.assert_allclose(members.ridge_regression(X, y, weight, 0.3)(X[:7]), peer.predict((X[:7] - mean) / spread), rtol=1e-6)


def test_every_member_gives_rising_quantiles_of_every_place_and_horizon(panel, settings):
    features = build_features(panel)
    made = [member(panel, features, settings) for member in (members.persistence, members.ridge, members.analogue)]
    for quantiles in [*made, boosting.boosting(panel, features, settings, seed=0)]:
        assert quantiles.shape == (5, 4, 23)
        assert np.isfinite(quantiles).all()
        assert (np.diff(quantiles, axis=-1) >= -1e-12).all()


def test_persistence_is_symmetric_around_the_last_week_and_widens(panel, settings):
    quantiles = members.persistence(panel, build_features(panel), settings)
    np.testing.assert_allclose(quantiles[:, :, 11], np.repeat(panel.level[-1][:, None], 4, 1), atol=1e-9)
    np.testing.assert_allclose(quantiles + quantiles[:, :, ::-1], np.broadcast_to(2 * quantiles[:, :, [11]], quantiles.shape), atol=1e-9)
    assert (quantiles[:, 3, -1] - quantiles[:, 3, 0] > quantiles[:, 0, -1] - quantiles[:, 0, 0]).all()


def test_ridge_and_analogues_see_a_rise_that_persistence_does_not(panel, settings):
    rising = Panel(panel.weeks[:62], *[getattr(panel, name) for name in ("locations", "population", "regions")], panel.observed[:62],
                   panel.level[:62], 0.1)
    truth = panel.level[62:66].T
    features = build_features(rising)
    naive = np.abs(members.persistence(rising, features, settings)[:, :, 11] - truth).mean()
    for member in (members.ridge, members.analogue):
        assert np.abs(member(rising, features, settings)[:, :, 11] - truth).mean() < naive


def test_analogues_are_the_nearest_with_the_nearer_weighing_more():
    distance, values = np.array([0.0, 1, 100, 100]), np.array([5.0, 7, -50, 50])
    median = members._nearest(distance, values, 2)[11]
    assert 5 <= median < 6
    assert members._nearest(distance, values, 99).min() < -40


def test_boosting_is_the_same_for_a_seed_and_not_for_another(panel, settings):
    features = build_features(panel)
    first, again, other = (boosting.boosting(panel, features, settings, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_levels_between_follow_the_normal_quantile():
    from scipy.special import ndtri

    fitted = (0.1, 0.5, 0.9)
    quantiles = (3 + 2 * ndtri(np.array(fitted)))[None, None]
    np.testing.assert_allclose(boosting.spread_levels(quantiles, fitted)[0, 0], 3 + 2 * ndtri(LEVELS), atol=1e-12)
    bent = boosting.spread_levels(np.array([[[0.0, 1, 5]]]), fitted)[0, 0]
    assert bent[[3, 11, 19]] == pytest.approx([0, 1, 5])


def _forecast(panel, day, *, centre_errors, width=0.1):
    """Members whose medians miss the outcome by given amounts."""
    from scipy.special import ndtri

    weeks = [panel.weeks.index(day) + step for step in range(4)]
    truth = panel.level[weeks].T
    made = [truth[:, :, None] + error + width * ndtri(LEVELS) for error in centre_errors]
    return ensemble.MemberForecast(day, panel.locations, np.stack(made))


def test_weights_go_to_the_member_that_was_right(panel, settings):
    past = [_forecast(panel, day, centre_errors=(0.5, 0.0, 0.4, 0.6)) for day in panel.weeks[20:80]]
    learned = ensemble.learn(past, panel, settings.model_copy(update={"prior_weeks": 0.01}))
    assert learned.weights.sum() == pytest.approx(1)
    assert learned.weights.argmax() == 1
    assert learned.weights.min() >= settings.weight_floor / 4 - 1e-9


def test_averaging_finds_members_that_err_in_opposite_ways(panel):
    past = [_forecast(panel, day, centre_errors=(0.3, -0.3, 2.0, 2.0)) for day in panel.weeks[20:40]]
    quantiles = np.concatenate([made.quantiles.reshape(4, -1, 23) for made in past], axis=1)
    outcome = np.concatenate([panel.level[[panel.weeks.index(made.reference_date) + step for step in range(4)]].T.ravel() for made in past])
    weights = ensemble.best_weights(quantiles, outcome, np.ones(outcome.size))
    assert abs(weights @ [0.3, -0.3, 2.0, 2.0]) < 0.03
    assert weights.sum() == pytest.approx(1)


def test_weights_come_close_to_the_least_loss(panel):
    generator = np.random.default_rng(2)
    outcome = generator.normal(size=300)
    made = [outcome + generator.normal(bias, noise, 300) for bias, noise in ((0.4, 0.2), (-0.2, 0.5), (0.1, 0.3), (1, 1))]
    quantiles = np.stack(made)[:, :, None] + np.array([0.3, 0.3, 0.3, 0.9])[:, None, None] * np.linspace(-2, 2, 23)
    grid = [np.array([a, b, c, 20 - a - b - c]) / 20 for a in range(21) for b in range(21 - a) for c in range(21 - a - b)]

    def _loss(weights):
        error = outcome[:, None] - np.tensordot(weights, quantiles, 1)
        return np.maximum(LEVELS * error, (LEVELS - 1) * error).mean()

    assert _loss(ensemble.best_weights(quantiles, outcome, np.ones(300))) < 1.01 * min(_loss(weights) for weights in grid)


def test_nothing_known_gives_the_prior(panel, settings):
    future = ensemble.MemberForecast(panel.weeks[-1] + timedelta(weeks=1), panel.locations, np.zeros((4, 5, 4, 23)))
    for past in ([], [future]):
        learned = ensemble.learn(past, panel, settings)
        assert learned.weights.tolist() == pytest.approx([0.1, 0.2, 0.2, 0.5])
        assert learned.spread == 1


def test_only_weeks_that_ended_are_scored(panel, settings):
    made = [ensemble.MemberForecast(panel.weeks[-1] - timedelta(weeks=back), panel.locations, np.zeros((4, 5, 4, 23))) for back in (5, 1)]
    quantiles, outcome, weight, dates = ensemble.known_scores(made, panel, settings)
    assert outcome.size == 4 * 5 + 2 * 5
    assert quantiles.shape == (4, 30, 23)
    assert dates == pytest.approx(1 + 0.5 ** (1 / 26))
    assert weight[:10] == pytest.approx(outcome[:10] ** 3)


@pytest.mark.parametrize(("width", "low", "high"), [(0.05, 1.3, 1.61), (0.2, 0.69, 0.8)])
def test_the_spread_is_mended(width, low, high):
    from scipy.special import ndtri

    outcome = np.random.default_rng(0).normal(0, 0.1, 4000)
    assert low < ensemble.best_spread(np.broadcast_to(width * ndtri(LEVELS), (4000, 23)), outcome, np.ones(4000)) < high


def test_combination_by_hand():
    quantiles = np.stack([np.broadcast_to(base + np.arange(23.0), (1, 1, 23)) for base in (0.0, 10, 20, 30)])
    found = ensemble.combine(quantiles, ensemble.Combination(np.array([0.5, 0.5, 0, 0]), 2.0))[0, 0]
    assert found[11] == 16
    assert found[0] == 16 - 22
    assert found[-1] == 16 + 22
