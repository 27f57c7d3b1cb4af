from datetime import date, timedelta

import polars as pl
import pytest

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.flusight import MODELS, validate_flusight_admissions, validate_flusight_forecasts
from carefolio.datasets.flusight_twin import NOT_REPORTED, make_flusight_admissions_twin, make_flusight_forecasts_twin


@pytest.fixture(scope="module")
def admissions():
    return make_flusight_admissions_twin(0)


def test_the_twin_passes_the_schema_and_has_the_shape_of_the_real_table(admissions):
    assert validate_flusight_admissions(admissions).height == 53 * 231
    assert (admissions["week_ending"].min(), admissions["week_ending"].max()) == (date(2022, 2, 5), date(2026, 7, 4))
    assert admissions["location"].n_unique() == admissions["abbreviation"].n_unique() == 53
    assert admissions.equals(admissions.sort("location", "week_ending"))


def test_the_same_seed_gives_the_same_table_and_another_seed_another(admissions):
    assert make_flusight_admissions_twin(0).equals(admissions)
    assert not make_flusight_admissions_twin(1).equals(admissions)


def test_the_country_is_the_sum_of_its_states(admissions):
    states = admissions.filter(pl.col("location") != "US").group_by("week_ending").agg(pl.col("admissions", "population").sum())
    both = admissions.filter(pl.col("location") == "US").join(states, on="week_ending")
    assert both["admissions"].equals(both["admissions_right"])
    assert both["population"].equals(both["population_right"])


def test_missing_weeks_lie_in_the_summer_of_2024(admissions):
    missing = admissions.filter(pl.col("admissions").is_null())
    assert missing.height == 36
    assert missing["location"].unique().sort().to_list() == sorted(NOT_REPORTED)
    assert missing["week_ending"].is_between(date(2024, 5, 1), date(2024, 10, 31)).all()


def test_waves_come_in_winter(admissions):
    country = admissions.filter(pl.col("location") == "US")
    winter = country["week_ending"].dt.month().is_in([12, 1])
    summer = country["week_ending"].dt.month().is_in([6, 7, 8])
    assert country.filter(winter)["admissions"].mean() > 10 * country.filter(summer)["admissions"].mean()


@pytest.mark.parametrize(("model", "horizons"), [("FluSight-baseline", 5), ("FluSight-ensemble", 4)])
def test_forecasts_have_the_dates_of_the_real_files_and_do_not_cross(model, horizons):
    frame = validate_flusight_forecasts(make_flusight_forecasts_twin(model, 0))
    assert tuple(frame["reference_date"].unique().sort().cast(pl.String)) == find_dataset("flusight").files[2].parts
    assert frame.filter(pl.col("reference_date") == date(2025, 12, 6))["horizon"].n_unique() == horizons
    assert frame.equals(frame.sort("reference_date", "horizon", "location", "quantile_level"))
    crossing = frame.select((pl.col("value").diff() < 0).over("reference_date", "horizon", "location")).to_series()
    assert crossing.sum() == 0


def test_forecasts_use_nothing_from_the_week_before_the_reference_date_on(admissions):
    frame = make_flusight_forecasts_twin("FluSight-baseline", 0)
    middle = frame.filter(pl.col("quantile_level") == 0.5).with_columns(known=pl.col("reference_date") - timedelta(weeks=2))
    both = middle.join(admissions, left_on=["location", "known"], right_on=["location", "week_ending"])
    assert both.height == middle.height
    assert (both["value"] - both["admissions"]).abs().max() < 0.001


@pytest.mark.parametrize("model", sorted(MODELS))
def test_forecasts_of_one_seed_are_the_same_each_time(model):
    assert make_flusight_forecasts_twin(model, 2).equals(make_flusight_forecasts_twin(model, 2))
    assert not make_flusight_forecasts_twin(model, 2).equals(make_flusight_forecasts_twin(model, 3))
