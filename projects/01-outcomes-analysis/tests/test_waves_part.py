"""The part as a whole, on the synthetic twin: results, tables, figures and one country's report."""

import json
import tomllib
from datetime import date

import numpy as np
import polars as pl
import pytest

from carefolio.datasets.covid19_jhu_twin import make_covid19_jhu_twin
from carefolio.evidence import METRIC_ID
from carefolio.exceptions import ConfigError, SchemaError
from outcomes_analysis.waves import compare, describe
from outcomes_analysis.waves.evaluate import evaluate
from outcomes_analysis.waves.figures import FIGURES, draw
from outcomes_analysis.waves.settings import WavesSettings
from outcomes_analysis.waves.summary import country_summary

SETTINGS = WavesSettings(**tomllib.loads("""
comparison_countries = ["US", "France", "Germany", "Italy", "New Zealand"]
recent_days = 7
smoothing_weeks = 3
prominence = 0.06
distance_weeks = 6
edge_share = 0.1
minimum_peak_per_100k = 1.0
weekly_zero_days = 5
weekly_share = 0.9
weekly_minimum_weeks = 8
weekly_minimum_count = 20
dump_share = 0.5
dump_window_days = 29
dump_minimum_count = 100
stale_weeks = 8
stale_minimum_total = 100
max_lag_weeks = 6
default_lag_weeks = 2
fixed_lag_weeks = [1, 2, 3, 4]
minimum_correlation = 0.3
block_weeks = 13
wave_block_weeks = 4
replicates = 50
level = 0.95
dispersion_weeks = 13
minimum_weekly_cases = 50
missed_share = 0.25
generation_time_mean_days = 5.2
generation_time_sd_days = 1.72
short_generation_time_mean_days = 3.0
short_generation_time_sd_days = 1.0
short_generation_time_from = "2022-01-01"
prior_shape = 1.0
prior_scale = 5.0
align_deaths_per_100k = 1.0
"""))
COVID = make_covid19_jhu_twin(0)
PEOPLE = {"Australia": 26, "Brazil": 209, "Canada": 38, "Germany": 84, "India": 1403, "Italy": 60, "Japan": 126, "Mexico": 127,
          "Republic of Korea": 52, "South Africa": 61, "United States of America": 339, "American Samoa": 0.05, "Guam": 0.16,
          "Northern Mariana Islands": 0.05, "Puerto Rico": 3.3, "United States Virgin Islands": 0.09}
POPULATION = pl.DataFrame({"location": list(PEOPLE), "population": [int(1e6 * value) for value in PEOPLE.values()]}).with_row_index("m49")


@pytest.fixture(scope="module")
def results():
    return evaluate(COVID, POPULATION, SETTINGS, seed=0)


def test_metrics_have_ids_of_the_evidence_and_match_the_curves(results):
    metrics, curves, _ = results
    assert all(METRIC_ID.fullmatch(name) for name in metrics)
    assert metrics["covid19.world.data.countries"].value == 14
    assert metrics["covid19.world.data.series"].value == 18
    assert metrics["covid19.world.data.weeks"].value == len(curves["weeks"]) == 163
    assert metrics["covid19.germany.waves.count"].value == len(curves["countries"]["Germany"]["waves"])
    ratio = metrics["covid19.germany.lagged.case_fatality"]
    assert 0 < ratio.low < ratio.value < ratio.high < 0.1
    rise = metrics["covid19.us.steepest_rise.reproduction_number"]
    assert 1 < rise.low < rise.value < rise.high
    assert metrics["covid19.us.steepest_rise.reproduction_number_short_generation"].value < rise.value


def test_the_planted_lag_corrections_and_weekly_reports_are_found(results):
    _, curves, tables = results
    assert curves["countries"]["Italy"]["fatality"]["lag_weeks"] == 3
    assert (date(2021, 5, 20), "cases") in tables["covid19_corrections"].filter(pl.col("country") == "France")["date", "measure"].rows()
    assert curves["countries"]["US"]["weekly_only_since"].startswith("2022-06")
    assert curves["countries"]["Italy"]["weekly_only_since"] is None


def test_places_left_out_and_without_a_population_are_listed(results):
    metrics, curves, tables = results
    covered = curves["coverage"]
    assert list(covered["not_countries"]) == ["Winter Olympics 2022"]
    assert covered["not_in_the_data"] == ["New Zealand"]
    assert set(covered["without_population"]) == {"France", "Sweden", "United Kingdom"}
    assert metrics["covid19.world.data.without_population"].value == 3
    assert curves["countries"]["France"]["population"] is None
    assert "covid19.france.cumulative.deaths_per_100k" not in metrics
    world = tables["covid19_world"].filter(pl.col("country") == "Sweden")
    assert world["cases"][0] > 0
    assert world["deaths_per_100k"][0] is None
    assert world["deaths_rank"][0] is None


def test_tables_keep_every_case_of_the_file(results):
    _, curves, tables = results
    last = date.fromisoformat(curves["weeks"][-1])
    published = COVID.filter((pl.col("date") == last) & (pl.col("country") != "Winter Olympics 2022"))
    weekly = tables["covid19_weekly"]
    for name, column in (("cases", "confirmed"), ("deaths", "deaths")):
        assert weekly[name].sum() == weekly[f"{name}_raw"].sum() == published[column].sum()
        assert weekly[name].min() >= 0
    assert weekly.height == 14 * 163
    assert tables["covid19_latest_week"].height == 14
    assert sorted(tables["covid19_world"]["deaths_rank"].drop_nulls()) == list(range(1, 12))


def test_curves_are_json_and_small(results):
    text = json.dumps(results[1], allow_nan=False, indent=1)
    assert len(text) < 300_000


def test_the_same_seed_gives_the_same_result(results):
    assert evaluate(COVID, POPULATION, SETTINGS, seed=0)[1] == results[1]


def test_every_figure_is_drawn_and_described(results, tmp_path):
    metrics, curves, _ = results
    assert draw(metrics, curves, tmp_path) == FIGURES
    assert all((tmp_path / file).stat().st_size > 10_000 for file in FIGURES)


def test_figures_without_data_are_left_out(results, tmp_path):
    metrics, curves, _ = results
    nothing = curves | {"countries": {}, "examples": {"correction": None, "weekly_only": None, "dump": None}}
    assert list(draw(metrics, nothing, tmp_path)) == ["world_map.png"]


def test_a_country_report_says_the_same_as_the_curves(results):
    summary = country_summary(COVID, POPULATION, "USA", SETTINGS)
    assert summary["country"] == "US"
    assert summary["entry"] == results[1]["countries"]["US"]
    assert summary["weekly"].drop("country").equals(
        results[2]["covid19_weekly"].filter(pl.col("country") == "US").drop("country"))
    assert "territories" in summary["note"]


def test_a_span_of_dates_cuts_the_lists_and_the_waves():
    whole = country_summary(COVID, POPULATION, "Germany", SETTINGS)
    part = country_summary(COVID, POPULATION, "Germany", SETTINGS, first=date(2021, 1, 1), last=date(2021, 3, 31))
    assert part["weeks"] == [week for week in whole["weeks"] if "2021-01-01" <= week <= "2021-03-31"]
    assert len(part["entry"]["r"]) == len(part["weeks"]) == part["weekly"].height == 13
    start = whole["weeks"].index(part["weeks"][0])
    assert part["entry"]["cases_per_100k"] == whole["entry"]["cases_per_100k"][start:start + 13]
    assert part["totals"]["cases"] == part["weekly"]["cases"].sum()
    assert all(wave["end"] >= "2021-01-02" and wave["start"] <= "2021-03-27" for wave in part["entry"]["waves"])
    assert part["entry"]["fatality"] == whole["entry"]["fatality"]


def test_a_span_without_a_week_is_an_error():
    with pytest.raises(ConfigError, match="Germany: no week ends between 2025-01-01 and the end; the data reach from 2020-01-25 to"):
        country_summary(COVID, POPULATION, "Germany", SETTINGS, first=date(2025, 1, 1))


def test_an_unknown_country_and_an_empty_table_are_errors():
    with pytest.raises(ConfigError, match="Did you mean 'Germany'"):
        country_summary(COVID, POPULATION, "Germani", SETTINGS)
    with pytest.raises(ConfigError, match="hold no row"):
        country_summary(COVID.clear(), POPULATION, "Germany", SETTINGS)


def test_a_gap_stops_the_country_it_is_in_and_no_other():
    gap = COVID.filter((pl.col("country") != "Italy") | (pl.col("date") != date(2021, 6, 1)))
    with pytest.raises(SchemaError, match=r"Italy: .* 1 days are missing \(2021-06-01\)"):
        country_summary(gap, POPULATION, "Italy", SETTINGS)
    assert country_summary(gap, POPULATION, "Germany", SETTINGS)["country"] == "Germany"
    with pytest.raises(SchemaError, match="Italy"):
        evaluate(gap, POPULATION, SETTINGS, seed=0)


def test_aligned_series_begin_where_deaths_reach_the_threshold():
    deaths = np.array([[0.0, 0.5, 0.6, 1.0], [2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0]])
    aligned, first = compare.align([[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 9, 9]], deaths.cumsum(axis=1), threshold=1.0)
    assert first.tolist() == [2, 0, -1]
    assert aligned[0, :2].tolist() == [3, 4]
    assert np.isnan(aligned[0, 2:]).all()
    assert aligned[1].tolist() == [5, 6, 7, 8]
    assert np.isnan(aligned[2]).all()


@pytest.mark.parametrize(("country", "slug"), [("Korea, South", "korea_south"), ("Cote d'Ivoire", "cote_d_ivoire"), ("Taiwan*", "taiwan")])
def test_a_country_becomes_a_piece_of_an_id(country, slug):
    assert describe.slug(country) == slug


def test_numbers_are_rounded_to_significant_digits():
    assert describe.numbers([123456, 0.00123456, np.nan, np.inf, 0]) == [123500.0, 0.001235, None, None, 0.0]
