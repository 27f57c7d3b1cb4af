from contextlib import nullcontext
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from carefolio.datasets.flusight import QUANTILE_LEVELS
from carefolio.exceptions import ConfigError, SchemaError
from outcomes_analysis.forecast import evaluate, figures, revision, scores, states, train
from outcomes_analysis.forecast.names import MEMBERS
from outcomes_analysis.forecast.settings import ForecastSettings

FIRST = date(2022, 9, 3)
DATES = [date(2024, 1, 6) + timedelta(weeks=2 * i) for i in range(6)] + [date(2024, 12, 7) + timedelta(weeks=i) for i in range(4)]
PLACES = {"01": ("AL", "Alabama", 5_000_000), "13": ("GA", "Georgia", 11_000_000), "15": ("HI", "Hawaii", 1_400_000),
          "US": ("US", "US", 330_000_000)}
WEEKS = 124


@pytest.fixture(scope="module")
def settings():
    return ForecastSettings.model_validate({
        "rate_offset": 0.1, "max_gap_weeks": 6, "minimum_weeks": 20, "warm_up_start": date(2023, 10, 7), "warm_up_end": date(2023, 12, 30),
        "warm_up_every_weeks": 4, "max_reference_dates": 0, "check_first_published": False, "ridge_weeks": 20, "neighbours": 30,
        "analogue_season_weight": 0.1, "prior_weeks": 5, "half_life_weeks": 26, "history_dates": 60, "weight_floor": 0.1,
        "prior_weights": dict.fromkeys(MEMBERS, 0.25), "replicates": 50, "level": 0.95, "block_weeks": 4,
        "boosting": {"levels": [0.1, 0.5, 0.9], "rounds": 5, "learning_rate": 0.3, "num_leaves": 4, "min_data_in_leaf": 5,
                     "feature_fraction": 0.8, "bagging_fraction": 0.8, "lambda_l2": 1.0}})


@pytest.fixture(scope="module")
def admissions():
    generator = np.random.default_rng(1)
    course = 1 + 9 * np.exp(-((np.arange(WEEKS) % 52 - 17) / 5) ** 2)
    return pl.concat([pl.DataFrame({
        "week_ending": [FIRST + timedelta(weeks=week) for week in range(WEEKS)], "location": [code] * WEEKS,
        "abbreviation": [short] * WEEKS, "location_name": [name] * WEEKS, "population": [people] * WEEKS,
        "admissions": generator.poisson(course * people / 1e5 * generator.gamma(200, 1 / 200, WEEKS)).astype(float)})
        for code, (short, name, people) in PLACES.items()])


def run(admissions, settings, dates=DATES, **options):
    return train.train(admissions, settings, reference_dates=dates, seed=0, progress=lambda title: nullcontext(), **options)


@pytest.fixture(scope="module")
def trained(admissions, settings):
    return run(admissions, settings)


@pytest.fixture(scope="module")
def official(admissions):
    """The last count with a fixed relative spread, as an official file."""
    from scipy.special import ndtri

    last = admissions.select("location", (pl.col("week_ending") + timedelta(weeks=1)).alias("reference_date"), "admissions")
    rows = last.filter(pl.col("reference_date").is_in(DATES)).join(pl.DataFrame({"horizon": np.arange(-1, 4, dtype=np.int32)}), how="cross")
    factors = np.exp(0.3 * ndtri(np.array(QUANTILE_LEVELS)))
    rows = rows.join(pl.DataFrame({"quantile_level": QUANTILE_LEVELS, "factor": factors}), how="cross")
    target = pl.col("reference_date") + pl.duration(weeks=pl.col("horizon"))
    return rows.select("reference_date", "horizon", target.alias("target_end_date"), "location", "quantile_level",
                       (pl.col("admissions") * pl.col("factor")).alias("value"))


def test_every_date_place_horizon_and_level_is_forecast(trained):
    forecasts, weights = trained
    assert forecasts.height == 5 * len(DATES) * 4 * 4 * 23
    assert set(forecasts["model"]) == {"carefolio", *MEMBERS}
    assert forecasts["value"].min() >= 0
    assert forecasts["value"].is_finite().all()
    assert forecasts.filter(pl.col("target_end_date") != pl.col("reference_date") + pl.duration(weeks=pl.col("horizon"))).is_empty()
    assert weights["reference_date"].to_list() == DATES
    np.testing.assert_allclose(weights.select(MEMBERS).sum_horizontal(), 1)


def test_no_forecast_sees_a_week_that_had_not_ended_seven_days_before(admissions, settings, trained):
    """A change planted in the week of date k is unknown at k and known at k + 7 days; weights, scaling and all members included."""
    day = DATES[3]
    planted = admissions.with_columns(pl.when(pl.col("week_ending") >= day).then(pl.col("admissions") * 3 + 500)
                                      .otherwise("admissions").alias("admissions"))
    forecasts, weights = run(planted, settings)
    before, after = pl.col("reference_date") <= day, pl.col("reference_date") > day
    assert forecasts.filter(before).equals(trained[0].filter(before))
    assert weights.filter(before).equals(trained[1].filter(before))
    for model in forecasts["model"].unique():
        changed = forecasts.filter(after, pl.col("model") == model)
        assert not changed.equals(trained[0].filter(after, pl.col("model") == model)), model


def test_a_later_last_date_changes_no_earlier_forecast(admissions, settings, trained):
    forecasts, _ = run(admissions.filter(pl.col("week_ending") < DATES[4]), settings, DATES[:5])
    assert forecasts.equals(trained[0].filter(pl.col("reference_date") <= DATES[4]))


def test_a_stopped_run_goes_on_and_other_settings_start_anew(admissions, settings, trained, tmp_path):
    run(admissions, settings, DATES[:2], cache=tmp_path)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert len(kept) == 2 + 4
    again, _ = run(admissions, settings, DATES[:3], cache=tmp_path)
    assert again.equals(trained[0].filter(pl.col("reference_date") <= DATES[2]))
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir() if path.name in kept} == kept
    run(admissions, settings.model_copy(update={"neighbours": 25}), DATES[:1], cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 7 + 5


def test_reference_dates_that_are_no_saturdays_or_none_are_refused(admissions, settings):
    with pytest.raises(ConfigError, match="must be Saturdays, at least one; got 2024-01-07"):
        run(admissions, settings, [date(2024, 1, 7)])
    with pytest.raises(ConfigError, match="got none"):
        run(admissions, settings, [])


def test_dates_of_the_official_models_can_be_thinned(official, settings):
    assert train.reference_dates(official, settings) == DATES
    assert train.reference_dates(official, settings.model_copy(update={"max_reference_dates": 3})) == [DATES[0], DATES[4], DATES[-1]]


def test_the_last_week_is_put_back_as_first_published(admissions, official):
    early = official.with_columns(pl.col("value") * 0.8)
    published = revision.first_published(early)
    known = pl.col("week_ending") == DATES[5] - timedelta(weeks=1)
    replaced = revision.as_published(admissions, published, DATES[5])
    assert replaced.filter(~known).equals(admissions.filter(~known))
    first, today = replaced.filter(known)["admissions"].to_numpy(), admissions.filter(known)["admissions"].to_numpy()
    np.testing.assert_allclose(first, today, rtol=0.02)
    np.testing.assert_allclose(revision.as_published(admissions, published, DATES[1]).filter(
        pl.col("week_ending") == DATES[1] - timedelta(weeks=1))["admissions"].to_numpy(), 0.8 * admissions.filter(
        pl.col("week_ending") == DATES[1] - timedelta(weeks=1))["admissions"].to_numpy())


def test_first_published_is_a_model_of_its_own_and_changes_no_other(admissions, settings, trained, official):
    wanted = settings.model_copy(update={"check_first_published": True})
    forecasts, _ = run(admissions, wanted, DATES[:3], baseline=official.with_columns(pl.col("value") * 0.8))
    first = pl.col("model") == "carefolio_first_published"
    assert forecasts.filter(~first).equals(trained[0].filter(pl.col("reference_date") <= DATES[2]))
    assert forecasts.filter(first)["value"].mean() < forecasts.filter(pl.col("model") == "carefolio")["value"].mean()


@pytest.fixture(scope="module")
def judged(admissions, settings, trained, official):
    ensemble = official.with_columns(pl.col("value") * 1.02)
    return evaluate.evaluate(admissions, *trained, official, ensemble, settings, seed=0)


def test_scores_are_means_over_the_same_targets(admissions, judged):
    metrics, curves, tables = judged
    assert curves["seasons"] == ["2023-24", "2024-25"]
    known = tables["scores"].filter(pl.col("model") == "baseline").height
    assert curves["targets"] == known < len(DATES) * 4 * 4
    means = tables["scores"].group_by("season", "model").agg(pl.col("wis", "inside_50").mean(), pl.len())
    for row in means.iter_rows(named=True):
        found = metrics[f"flusight.season_{row['season'].replace('-', '_')}.{row['model']}.wis"]
        assert found.value == pytest.approx(row["wis"])
        assert found.n == row["len"]
    ratio = metrics["flusight.all_seasons.carefolio.relative_wis_to_baseline"]
    wis = {model: metrics[f"flusight.all_seasons.{model}.wis"].value for model in ("carefolio", "baseline")}
    assert ratio.value == pytest.approx(wis["carefolio"] / wis["baseline"])
    assert ratio.low < ratio.value < ratio.high


def test_curves_hold_what_figures_and_dashboard_read(judged):
    _, curves, _ = judged
    assert len(curves["by_season"]) == 3 * 7
    assert len(curves["by_horizon"]) == 3 * 4 * 3
    assert len(curves["by_week"]) == len(DATES)
    assert [point["name"] for point in curves["by_location"]] == ["Alabama", "Georgia", "Hawaii", "US"]
    parts = {(p["season"], p["model"]): p["dispersion"] + p["underprediction"] + p["overprediction"] for p in curves["decomposition"]}
    for point in curves["by_season"]:
        if point["season"] != "all":
            assert parts[point["season"], point["model"]] == pytest.approx(point["wis"]["value"], abs=1e-3)
    inside = curves["calibration"]["models"]["carefolio"]["inside"]
    assert inside == sorted(inside)
    assert curves["calibration"]["interval_levels"][-1] == 0.98
    baseline = next(p for p in curves["by_season"] if (p["season"], p["model"]) == ("all", "baseline"))
    assert baseline["relative_wis_to_baseline"] is None


def test_unreported_outcomes_are_left_out_for_every_model(admissions, trained, official):
    hole = admissions.with_columns(pl.when((pl.col("location") == "15") & (pl.col("week_ending") == DATES[0])).then(None)
                                   .otherwise("admissions").alias("admissions"))
    full, less = (scores.score(table, trained[0], official, official) for table in (admissions, hole))
    assert full.targets.height - less.targets.height == 1
    part = scores.score(admissions, trained[0], official, official.filter(pl.col("location") != "15"))
    assert "15" not in part.targets["location"]
    assert part.n_dropped == full.targets.height // 4
    with pytest.raises(SchemaError, match="share targets"):
        scores.score(admissions.filter(pl.col("week_ending") < DATES[0]), trained[0], official, official)


def test_blocks_do_not_cross_seasons(admissions, trained, official):
    scored = scores.score(admissions, trained[0], official, official)
    blocks = evaluate._blocks(scored, np.ones(scored.targets.height, bool), 4)
    assert blocks.tolist() == [0, 0, 1, 1, 2, 2, 1000, 1000, 1000, 1000][:len(blocks)]


@pytest.mark.parametrize("name", ["Georgia", "ga", "13", " GEORGIA "])
def test_a_state_is_found_by_name_abbreviation_or_code(judged, name):
    found = states.state_summary(judged[2], name)
    assert (found["location"], found["name"], found["abbreviation"]) == ("13", "Georgia", "GA")
    assert found["reference_date"] == DATES[-1]
    assert [row["horizon"] for row in found["forecast"]] == [0, 1, 2, 3]
    assert found["forecast"][0]["q025"] < found["forecast"][0]["q500"] < found["forecast"][0]["q975"]
    assert [row["season"] for row in found["scores"]] == ["2023-24", "2024-25"]
    assert found["scores"][0]["relative_wis_to_baseline"] == pytest.approx(
        found["scores"][0]["wis"]["carefolio"] / found["scores"][0]["wis"]["baseline"])


def test_an_unknown_state_is_refused_with_suggestions(judged):
    with pytest.raises(ConfigError, match=r"got 'Goergia'\. Did you mean 'Georgia'"):
        states.state_summary(judged[2], "Goergia")
    with pytest.raises(ConfigError, match="for example, 'Texas', 'TX' and '48'"):
        states.state_summary(judged[2], "zzzz")


def test_a_state_without_a_forecast_is_refused(judged):
    tables = judged[2] | {"forecasts": judged[2]["forecasts"].filter(pl.col("location") != "13")}
    with pytest.raises(ConfigError, match="Georgia has no forecast"):
        states.state_summary(tables, "GA")


def test_every_figure_is_drawn_and_described(judged, tmp_path):
    described = figures.draw(*judged, tmp_path)
    assert sorted(described) == sorted(path.name for path in tmp_path.iterdir())
    assert all(path.stat().st_size > 5000 for path in tmp_path.iterdir())
    assert all(len(text) > 40 for text in described.values())
