import polars as pl
import pytest

from carefolio.datasets.flusight import load_flusight_admissions, load_flusight_forecasts
from carefolio.metrics.forecast import to_matrix, wis_of_each
from carefolio.testing import requires_real_data
from outcomes_analysis.forecast.names import season_of
from outcomes_analysis.forecast.revision import first_published
from outcomes_analysis.forecast.scores import TARGET


@requires_real_data("flusight")
@pytest.mark.parametrize(("model", "expected"), [
    ("FluSight-baseline", [85.05, 263.13, 175.16]), ("FluSight-ensemble", [62.09, 177.43, 115.40])])
def test_the_official_models_score_what_is_known(model, expected):
    truth = load_flusight_admissions().frame.select("location", pl.col("week_ending").alias("target_end_date"), "admissions").drop_nulls()
    rows = load_flusight_forecasts(model).frame.filter(pl.col("horizon") >= 0).join(truth, on=["location", "target_end_date"])
    keys, quantiles, levels = to_matrix(rows, by=[*TARGET, "admissions"])
    wis = wis_of_each(keys["admissions"].to_numpy(), quantiles, quantile_levels=levels)
    season = pl.col("reference_date").map_elements(season_of, return_dtype=pl.String)
    scores = keys.with_columns(season.alias("season"), pl.Series("wis", wis))
    found = scores.group_by("season").agg(pl.col("wis").mean(), pl.len()).sort("season")
    assert found["wis"].to_list() == pytest.approx(expected, abs=0.005)
    assert found["len"].to_list() == [6354, 5724, 5936]


@requires_real_data("flusight")
def test_the_last_week_was_first_published_lower_than_it_is_known_today():
    published = first_published(load_flusight_forecasts("FluSight-baseline").frame)
    both = published.join(load_flusight_admissions().frame, on=["location", "week_ending"]).drop_nulls("admissions")
    assert both.height == 85 * 53
    assert 1.0 < both["admissions"].sum() / both["published"].sum() < 1.2
