from datetime import timedelta

import polars as pl
import pytest

from carefolio.datasets.covid19_jhu import validate_covid19_jhu
from carefolio.datasets.covid19_jhu_twin import BACKLOG, CORRECTED, LAST_DAY, WEEKLY_FROM, make_covid19_jhu_twin


@pytest.fixture(scope="module")
def daily():
    """The twin with daily differences."""
    twin = make_covid19_jhu_twin(0)
    return twin.with_columns(pl.col("confirmed", "deaths").diff().over("country", "province").name.prefix("new_"))


def of(daily, country):
    return daily.filter(pl.col("country") == country, pl.col("province").is_null())


def test_the_twin_passes_the_schema_and_is_sorted_as_the_real_table():
    twin = make_covid19_jhu_twin(0)
    assert validate_covid19_jhu(twin).height == 18 * 1_143
    assert twin.equals(twin.sort("country", "province", "date", nulls_last=False))


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    assert make_covid19_jhu_twin(1).equals(make_covid19_jhu_twin(1))
    assert not make_covid19_jhu_twin(1).equals(make_covid19_jhu_twin(2))


def test_the_cumulative_count_falls_on_the_planted_days_and_on_no_other(daily):
    falls = daily.filter(pl.col("new_confirmed") < 0)
    assert dict(falls.select("country", "date").iter_rows()) == CORRECTED
    assert daily["new_deaths"].min() == 0


@pytest.mark.parametrize("country", sorted(WEEKLY_FROM))
def test_some_countries_report_once_a_week(daily, country):
    late = of(daily, country).filter(pl.col("date").is_between(WEEKLY_FROM[country] + timedelta(days=7), LAST_DAY))
    assert late.filter(pl.col("new_confirmed") > 0)["date"].dt.weekday().unique().to_list() == [3]
    early = of(daily, country).filter(pl.col("date") < WEEKLY_FROM[country], pl.col("new_confirmed") > 0)
    assert early["date"].dt.weekday().n_unique() == 7


@pytest.mark.parametrize("country", sorted(BACKLOG))
def test_a_backlog_stands_out(daily, country):
    rows = of(daily, country)
    day = rows.filter(pl.col("date") == BACKLOG[country])["new_confirmed"].item()
    before = rows.filter(pl.col("date").is_between(BACKLOG[country] - timedelta(days=14), BACKLOG[country], closed="left"))
    assert day > 3 * before["new_confirmed"].max()


def test_deaths_are_a_small_share_of_cases_and_one_series_has_no_place(daily):
    last = daily.filter(pl.col("date") == LAST_DAY, pl.col("confirmed") > 0)
    assert (last["deaths"] / last["confirmed"]).is_between(0.005, 0.03).all()
    assert daily.filter(pl.col("latitude").is_null())["province"].unique().to_list() == ["Repatriated Travellers"]
