"""Weekly counts: provinces, repair of falls, conservation, gaps and names."""

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from carefolio.exceptions import ConfigError, SchemaError
from outcomes_analysis.waves import places
from outcomes_analysis.waves.weekly import check_days, find_gaps, per_100_000, repair_cumulative, sum_provinces, to_weeks, weekly_counts

FIRST = date(2021, 1, 3)  # a Sunday


def series(country, cases, *, deaths=None, province=None, first=FIRST, latitude=10.0, longitude=20.0):
    n = len(cases)
    return pl.DataFrame({
        "province": [province] * n, "country": [country] * n, "latitude": [latitude] * n, "longitude": [longitude] * n,
        "date": [first + timedelta(days=i) for i in range(n)], "confirmed": list(cases), "deaths": list(deaths or [0] * n)},
        schema_overrides={"province": pl.String, "latitude": pl.Float64, "longitude": pl.Float64})


def test_a_fall_that_the_last_week_explains_is_taken_from_the_latest_days():
    repaired, falls = repair_cumulative([10, 20, 90, 95, 40, 50])
    assert repaired.tolist() == [10, 20, 40, 40, 40, 50]
    assert falls == [(4, 55, 55 / 95, "latest_days")]


def test_a_fall_larger_than_the_last_week_scales_all_earlier_counts():
    published = [*range(100, 1100, 100), 500, 600]
    repaired, falls = repair_cumulative(published, recent_days=2)
    assert repaired.tolist() == [*range(50, 550, 50), 500, 600]
    assert [(day, size, rule) for day, size, _, rule in falls] == [(10, 500, "all_earlier")]


def test_a_dip_that_is_made_good_is_filled():
    repaired, falls = repair_cumulative([1000, 1001, 1002, 600, 700, 1005, 1006], recent_days=2)
    assert repaired.tolist() == [1000, 1001, 1002, 1002, 1002, 1005, 1006]
    assert [rule for *_, rule in falls] == ["dip"]


def test_a_second_fall_inside_a_dip_is_counted_too():
    repaired, falls = repair_cumulative([1000, 1000, 1000, 1001, 700, 600, 1002, 1003], recent_days=3)
    assert repaired.tolist() == [1000, 1000, 1000, 1001, 1001, 1001, 1002, 1003]
    assert [(day, size, rule) for day, size, _, rule in falls] == [(4, 301, "dip"), (5, 100, "dip")]


def test_with_a_long_look_back_the_repair_is_the_backward_minimum():
    rng = np.random.default_rng(3)
    published = np.cumsum(rng.integers(-30, 60, size=200)).clip(0)
    repaired, _ = repair_cumulative(published, recent_days=200)
    assert repaired.tolist() == np.minimum.accumulate(published[::-1])[::-1].tolist()


@pytest.mark.parametrize("seed", range(20))
def test_a_repaired_count_never_falls_and_keeps_its_total(seed):
    rng = np.random.default_rng(seed)
    published = np.cumsum(rng.poisson(50, size=150) - rng.binomial(1, 0.1, size=150) * rng.integers(0, 900, size=150)).clip(0)
    repaired, falls = repair_cumulative(published)
    assert (np.diff(repaired) >= 0).all()
    assert repaired[0] >= 0
    assert repaired[-1] == published[-1]
    assert len(falls) == (np.diff(published) < 0).sum()


def test_a_repair_must_look_back_a_day():
    with pytest.raises(ValueError, match="recent_days must be at least 1; got 0"):
        repair_cumulative([1, 2], recent_days=0)


def test_weeks_end_on_saturday_and_the_partial_week_is_dropped():
    dates = np.datetime64("2021-01-01") + np.arange(18)  # Friday to Monday
    weekly, weeks = to_weeks(np.arange(1, 19), dates)
    assert [str(week) for week in weeks] == ["2021-01-02", "2021-01-09", "2021-01-16"]
    assert weekly.tolist() == [2, 7, 7]


def test_days_without_a_saturday_are_an_error():
    with pytest.raises(SchemaError, match="from 2021-01-03 to 2021-01-07 hold no end of a week"):
        to_weeks(np.arange(5), np.datetime64("2021-01-03") + np.arange(5))


def test_weekly_sums_equal_the_published_count_of_the_last_saturday():
    cases = np.cumsum(np.full(40, 30))
    cases[20:] -= 400
    daily = sum_provinces(series("Italy", cases.tolist(), deaths=np.arange(40).tolist()))
    weekly = weekly_counts(daily, recent_days=7)
    last = int(np.flatnonzero(daily.dates == weekly.weeks[-1])[0])
    assert weekly.cases.sum() == weekly.cases_raw.sum() == cases[last]
    assert weekly.deaths.sum() == last
    assert (weekly.cases >= 0).all()
    assert (weekly.cases_raw < 0).any()
    assert weekly.corrections.rows() == [("Italy", "cases", FIRST + timedelta(days=20), 370, 370 / 600, "all_earlier")]


def test_a_fall_after_the_last_saturday_is_not_looked_at():
    weekly = weekly_counts(sum_provinces(series("Italy", [*range(10, 150, 10), 20, 30])), recent_days=7)
    assert weekly.corrections.is_empty()
    assert weekly.cases.sum() == 140


def test_provinces_add_up_and_entries_that_are_no_country_are_listed():
    covid = pl.concat([
        series("France", [1] * 8), series("France", [2] * 8, province="Reunion", latitude=-21.0),
        series("Canada", [5] * 8, province="Ontario", latitude=50.0, longitude=-80.0),
        series("Canada", [6] * 8, province="Grand Princess", latitude=0.0, longitude=0.0),
        series("MS Zaandam", [9] * 8), series("Summer Olympics 2020", [7] * 8)])
    daily = sum_provinces(covid.sample(fraction=1, shuffle=True, seed=1))
    assert daily.countries == ["Canada", "France"]
    assert daily.cases[:, 0].tolist() == [11, 3]
    assert sorted(daily.not_countries) == ["MS Zaandam", "Summer Olympics 2020"]
    assert daily.n_series == 6
    assert daily.latitude.tolist() == [50.0, 10.0]


def test_a_fall_that_another_province_hides_is_counted_by_series():
    covid = pl.concat([series("China", [5, *[3] * 6], province="Unknown"), series("China", [1, *[3] * 6], province="Hubei")])
    daily = sum_provinces(covid)
    assert daily.series_drops == {"cases": 1, "deaths": 0}
    assert weekly_counts(daily, recent_days=7).corrections.is_empty()


def test_only_ships_is_an_error():
    with pytest.raises(SchemaError, match="no country, only MS Zaandam"):
        sum_provinces(series("MS Zaandam", [1] * 8))


def test_a_gap_is_named_with_its_days():
    covid = pl.concat([series("Italy", [1] * 20), series("Spain", [1] * 20, province="Canarias")])
    gap = (pl.col("country") == "Spain") & pl.col("date").is_in([date(2021, 1, 9), date(2021, 1, 10)])
    with pytest.raises(SchemaError, match=r"Canarias Spain: .* 2 days are missing \(2021-01-09, 2021-01-10\)"):
        check_days(covid.filter(~gap))
    assert find_gaps(covid.filter(~gap))["date"].to_list() == [date(2021, 1, 9), date(2021, 1, 10)]


def test_an_empty_count_is_a_gap_and_a_repeated_day_is_an_error():
    covid = series("Italy", [1] * 20)
    emptied = covid.with_columns(pl.when(pl.col("date") == date(2021, 1, 5)).then(None).otherwise(pl.col("deaths")).alias("deaths"))
    with pytest.raises(SchemaError, match=r"1 days are missing \(2021-01-05\)"):
        check_days(emptied)
    with pytest.raises(SchemaError, match="Italy: each day must stand once in a series; 2021-01-03 stands more than once"):
        check_days(pl.concat([covid, covid.head(1)]))


def test_a_table_without_rows_or_columns_is_an_error():
    with pytest.raises(SchemaError, match="hold no row"):
        check_days(series("Italy", [1]).clear())
    with pytest.raises(SchemaError, match="'deaths' is missing"):
        check_days(series("Italy", [1] * 8).drop("deaths"))


def test_rates_are_per_100_000_and_empty_without_a_population():
    rates = per_100_000([[5, 10], [5, 10]], [1e6, np.nan])
    assert rates[0].tolist() == [0.5, 1.0]
    assert np.isnan(rates[1]).all()


def population(**people):
    return pl.DataFrame({"location": list(people), "m49": list(range(len(people))), "population": list(people.values())})


def test_populations_are_found_under_the_un_name_with_the_territories():
    people = population(**{"Denmark": 100, "Faroe Islands": 5, "Greenland": 6, "Viet Nam": 70, "Micronesia": 1, "Italy": 60,
                           "Micronesia (Fed. States of)": 2})
    assert places.find_population(["Denmark", "Vietnam", "Micronesia", "Italy"], people).tolist() == [111, 70, 2, 60]


def test_a_country_without_a_population_is_listed_not_dropped():
    numbers = places.find_population(["Italy", "Denmark"], population(Italy=60, Denmark=100))
    covered = places.coverage(["Italy", "Denmark"], numbers, {"MS Zaandam": "cruise ship"})
    assert covered["with_population"] == 1
    assert covered["without_population"] == ["Denmark"]
    assert covered["not_countries"] == {"MS Zaandam": "cruise ship"}


def test_a_population_table_with_a_repeated_place_or_no_column_is_refused():
    twice = pl.concat([population(Italy=60), population(Italy=61)])
    with pytest.raises(SchemaError, match="'Italy' stands more than once"):
        places.find_population(["Italy"], twice)
    with pytest.raises(SchemaError, match="'population' is missing"):
        places.find_population(["Italy"], twice.drop("population"))


@pytest.mark.parametrize(("typed", "country"), [
    ("USA", "US"), ("united states of america", "US"), (" germany ", "Germany"), ("UK", "United Kingdom"), ("South Korea", "Korea, South"),
    ("Republic of Korea", "Korea, South"), ("Taiwan", "Taiwan*"), ("Viet Nam", "Vietnam"), ("Türkiye", "Turkey"),
    ("Côte d'Ivoire", "Cote d'Ivoire"),
])
def test_common_names_are_understood(typed, country):
    known = ["Cote d'Ivoire", "Germany", "Korea, South", "Taiwan*", "Turkey", "US", "United Kingdom", "Vietnam"]
    assert places.resolve_country(typed, known) == country


@pytest.mark.parametrize(("typed", "message"), [
    ("Germny", "no country is called 'Germny' among the 2 of the data. Did you mean 'Germany'?"),
    ("Atlantis", "Known are, for example, Germany, US"),
    ("Diamond Princess", r"is no country \(cruise ship\)"),
    ("UK", "no country is called 'UK'"),
])
def test_an_unknown_country_is_an_error_with_suggestions(typed, message):
    with pytest.raises(ConfigError, match=message):
        places.resolve_country(typed, ["Germany", "US"])
