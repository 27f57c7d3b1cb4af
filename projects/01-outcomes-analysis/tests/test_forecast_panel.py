from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from carefolio.exceptions import SchemaError
from outcomes_analysis.forecast import features, panel, tiles
from outcomes_analysis.forecast.names import season_of, season_part
from outcomes_analysis.forecast.settings import ForecastSettings

FIRST = date(2021, 9, 4)
PLACES = {"01": ("AL", 5_000_000), "02": ("AK", 700_000), "13": ("GA", 11_000_000), "US": ("US", 330_000_000)}


@pytest.fixture
def settings():
    return ForecastSettings.model_validate({
        "rate_offset": 0.1, "max_gap_weeks": 6, "minimum_weeks": 20, "warm_up_start": date(2022, 8, 6), "warm_up_end": date(2022, 9, 3),
        "warm_up_every_weeks": 2, "max_reference_dates": 0, "check_first_published": False, "ridge_weeks": 20, "neighbours": 30,
        "analogue_season_weight": 0.1, "prior_weeks": 15, "half_life_weeks": 26, "history_dates": 60, "weight_floor": 0.1,
        "prior_weights": {"member_persistence": 0.1, "member_ridge": 0.2, "member_analogue": 0.2, "member_boosting": 0.5},
        "replicates": 50, "level": 0.95, "block_weeks": 4,
        "boosting": {"levels": [0.1, 0.5, 0.9], "rounds": 5, "learning_rate": 0.2, "num_leaves": 4, "min_data_in_leaf": 5,
                     "feature_fraction": 0.5, "bagging_fraction": 0.8, "lambda_l2": 1.0}})


def made_up(weeks=70, seed=0):
    generator = np.random.default_rng(seed)
    season = 1 + np.sin(np.arange(weeks) / 52 * 2 * np.pi) ** 2 * 8
    return pl.concat([pl.DataFrame({
        "week_ending": [FIRST + timedelta(weeks=week) for week in range(weeks)], "location": [code] * weeks,
        "location_name": [short] * weeks, "abbreviation": [short] * weeks, "population": [people] * weeks,
        "admissions": generator.poisson(season * people / 1e5).astype(float)}) for code, (short, people) in PLACES.items()])


def where(code, week):
    return (pl.col("location") == code) & (pl.col("week_ending") == FIRST + timedelta(weeks=week))


def spoiled(frame, code, week, value):
    return frame.with_columns(pl.when(where(code, week)).then(value).otherwise("admissions").alias("admissions"))


def test_scale_and_back():
    counts, people = np.array([0.0, 3, 500]), np.array([6e5, 6e5, 1e7])
    level = panel.to_scale(counts, people, 0.1)
    assert level[0] == pytest.approx(0.1**0.25)
    assert level[1] == pytest.approx(0.6**0.25)
    np.testing.assert_allclose(panel.from_scale(level, people, 0.1), counts, atol=1e-9)
    assert panel.from_scale(np.array([-1.0, 0.2]), np.array([1e6, 1e6]), 0.1).tolist() == [0, 0]


def test_only_weeks_that_ended_a_week_before_are_known(settings):
    known = panel.known_at(panel.check_admissions(made_up()), FIRST + timedelta(weeks=40), settings)
    assert known.weeks[0] == FIRST
    assert known.weeks[-1] == FIRST + timedelta(weeks=39)
    assert known.level.shape == (40, 4)
    assert known.locations == ["01", "02", "13", "US"]
    assert known.regions.tolist() == [4, 10, 4, 0]


@pytest.mark.parametrize("how", ["null", "absent"])
def test_a_gap_repeats_the_week_before_and_is_no_outcome(settings, how):
    frame = spoiled(made_up(), "01", 30, None) if how == "null" else made_up().filter(~where("01", 30))
    known = panel.known_at(panel.check_admissions(frame), FIRST + timedelta(weeks=40), settings)
    assert not known.observed[30, 0]
    assert known.level[30, 0] == known.level[29, 0]
    assert np.isnan(features.changes_ahead(known, 2)[28, 0])
    assert np.isnan(known.outcome(FIRST + timedelta(weeks=30), ["01"])[0])


def test_a_place_silent_for_long_is_left_out_and_one_that_starts_late_is_kept(settings):
    frame = made_up().with_columns(pl.when((pl.col("location") == "02") & (pl.col("week_ending") > FIRST + timedelta(weeks=30)))
                                   .then(None).otherwise("admissions").alias("admissions"))
    frame = frame.filter(~((pl.col("location") == "13") & (pl.col("week_ending") < FIRST + timedelta(weeks=10))))
    table = panel.check_admissions(frame)
    assert "02" in panel.known_at(table, FIRST + timedelta(weeks=36), settings).locations
    late = panel.known_at(table, FIRST + timedelta(weeks=40), settings)
    assert late.locations == ["01", "13", "US"]
    assert np.isfinite(late.level).all()
    assert not late.observed[:10, 1].any()


def test_outcomes_that_are_not_known_are_nan(settings):
    known = panel.known_at(panel.check_admissions(made_up()), FIRST + timedelta(weeks=40), settings)
    assert np.isnan(known.outcome(FIRST + timedelta(weeks=40), ["01"])[0])
    assert np.isnan(known.outcome(FIRST - timedelta(weeks=1), ["01"])[0])
    np.testing.assert_array_equal(known.outcome(FIRST + timedelta(weeks=39), ["US", "99"]), [known.level[39, 3], np.nan])


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda frame: pl.concat([frame, frame[3:4]]), "have each week of a place once; got 01 2021-09-25"),
    (lambda frame: frame.with_columns(pl.col("week_ending") + pl.duration(days=1)), "end weeks on Saturdays; got 01 2021-09-05"),
    (lambda frame: spoiled(frame, "13", 5, -4.0), "hold no negative count; got 13 2021-10-09: -4"),
    (lambda frame: frame.with_columns(pl.when(pl.col("location") == "02").then(None).otherwise("admissions").alias("admissions")),
     "every place must have a reported week; '02' has none"),
    (lambda frame: frame.drop("population"), r"missing \['population'\]"),
])
def test_a_malformed_table_is_refused(spoil, message):
    with pytest.raises(SchemaError, match=message):
        panel.check_admissions(spoil(made_up()))


def test_too_few_weeks_are_refused(settings):
    with pytest.raises(SchemaError, match="20 weeks must be known before it; got 9"):
        panel.known_at(panel.check_admissions(made_up()), FIRST + timedelta(weeks=9), settings)
    with pytest.raises(SchemaError, match="got 0"):
        panel.known_at(panel.check_admissions(made_up()), FIRST, settings)


def test_slope_and_lag_by_hand():
    line = (3.0 + 2 * np.arange(6))[:, None]
    np.testing.assert_allclose(features.slope(line, 4)[3:], 2)
    assert np.isnan(features.slope(line, 4)[:3]).all()
    np.testing.assert_array_equal(features.lagged(line, 2)[:, 0], [np.nan, np.nan, 3, 5, 7, 9])


def test_features_look_back_only(settings):
    table = panel.check_admissions(made_up())
    before = features.build_features(panel.known_at(table, FIRST + timedelta(weeks=40), settings))
    changed = panel.known_at(spoiled(table, "US", 39, 9e5), FIRST + timedelta(weeks=40), settings)
    after = features.build_features(changed)
    for name, values in before.items():
        np.testing.assert_array_equal(values[:39], after[name][:39], err_msg=name)
    assert not np.array_equal(before["nation"][39], after["nation"][39])


def test_features_by_hand(settings):
    known = panel.known_at(panel.check_admissions(made_up()), FIRST + timedelta(weeks=60), settings)
    found = features.build_features(known)
    level = known.level
    np.testing.assert_allclose(found["change_2"][50], level[49] - level[48])
    np.testing.assert_allclose(found["turn"][50], level[50] - 2 * level[49] + level[48])
    np.testing.assert_allclose(found["nation_change_1"][50], level[50, 3] - level[49, 3])
    np.testing.assert_allclose(found["region"][50, 0], level[50, [0, 2]].mean() - level[50, 0])
    np.testing.assert_allclose(found["rising"][50], np.mean(level[50, :3] > level[49, :3]))
    start = next(i for i, week in enumerate(known.weeks) if week >= date(2022, 8, 1))
    np.testing.assert_allclose(found["below_peak"][50], level[start:51].max(axis=0) - level[50])


def test_count_noise_is_that_of_a_poisson_count(settings):
    known = panel.known_at(panel.check_admissions(made_up()), FIRST + timedelta(weeks=60), settings)
    mean = panel.from_scale(known.level[50], known.population, 0.1)
    drawn = panel.to_scale(np.random.default_rng(0).poisson(mean, (20_000, 4)).astype(float), known.population, 0.1)
    np.testing.assert_allclose(features.count_noise(known)[50], drawn.std(axis=0), rtol=0.1)


def test_without_the_nation_its_course_is_the_mean_of_the_states(settings):
    frame = made_up().filter(pl.col("location") != "US")
    known = panel.known_at(panel.check_admissions(frame), FIRST + timedelta(weeks=40), settings)
    found = features.build_features(known)
    np.testing.assert_allclose(found["nation"][30], np.average(known.level[30], weights=known.population))


def test_the_calendar_is_that_of_the_target_week():
    found = features.calendar([date(2023, 12, 16)], 2)
    assert found["from_christmas"].tolist() == pytest.approx([5 / 7])
    assert found["season_week"].tolist() == pytest.approx([(date(2023, 12, 30) - date(2023, 8, 1)).days / 7])
    assert features.calendar([date(2024, 7, 6)], 0)["from_christmas"].tolist() == [-8]
    days = [date(2023, 10, 7), date(2023, 9, 2), date(2024, 5, 25), date(2024, 7, 27)]
    assert features.in_season(days).tolist() == [True, False, True, False]


def test_seasons_start_in_august():
    assert season_of(date(2024, 7, 31)) == "2023-24"
    assert season_of(date(2024, 8, 1)) == "2024-25"
    assert season_of(date(1999, 12, 1)) == "1999-00"
    assert season_part("2023-24") == "season_2023_24"
    assert season_part("all") == "all_seasons"


def test_every_state_has_a_tile_and_a_region_of_its_own():
    assert len(tiles.TILES) == len(set(tiles.TILES.values())) == 53
    assert set(tiles.TILES) - set(tiles.REGIONS) == {"US"}
    assert set(tiles.REGIONS.values()) == set(range(1, 11))


def test_settings_refuse_weights_that_do_not_add_up(settings):
    values = settings.model_dump()
    for weights in ({"member_ridge": 1.0}, dict.fromkeys(settings.prior_weights, 0.3)):
        with pytest.raises(ValueError, match="add up to 1"):
            ForecastSettings.model_validate(values | {"prior_weights": weights})
    with pytest.raises(ValueError, match="must rise"):
        ForecastSettings.model_validate(values | {"boosting": values["boosting"] | {"levels": [0.5, 0.1, 0.9]}})
