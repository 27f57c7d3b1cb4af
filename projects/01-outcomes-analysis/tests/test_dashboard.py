"""The dashboard shows what the record says, filters act, and what is missing or broken gives a message in its own section."""

import csv
import io
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from carefolio.artefacts import read_json, write_json
from carefolio.command import DISCLAIMER
from carefolio.config import project_home
from carefolio.evidence import Metric, read_evidence
from carefolio.exceptions import ArtefactError, DataUnavailableError
from carefolio.views import number_with_interval
from outcomes_analysis.config import FOLDER
from outcomes_analysis.dashboard import SECTIONS
from outcomes_analysis.views import covid, covid_data, downloads, influenza, overview, survival, survival_models, tables
from outcomes_analysis.views.results import Results, read_results

COMMITTED = project_home(FOLDER)
VIEWS = [("Overview", None, None), *[("Survival", "survival", name) for name in survival.VIEWS],
         *[("COVID-19", "covid", name) for name in covid.VIEWS], *[("Influenza", "influenza", name) for name in influenza.VIEWS],
         ("Downloads", None, None)]
"""Section, key of its choice, and view."""


def draw(folder: "Path") -> None:
    from outcomes_analysis.dashboard import main

    main(folder)


def open_view(folder: Path, section: str, key: str | None = None, view: str | None = None) -> AppTest:
    app = AppTest.from_function(draw, args=(folder,), default_timeout=60)
    app.query_params["section"] = section
    if key and view:
        app.query_params[key] = view
    app.run()
    assert not app.exception
    return app


def said(app: AppTest) -> str:
    return "\n".join(block.value for kind in (app.markdown, app.caption, app.info, app.warning, app.error) for block in kind)


def charts(app: AppTest) -> list[Any]:
    return list(app.get("arrow_vega_lite_chart")) + list(app.get("vega_lite_chart"))


def copy_run(source: Path, to: Path) -> Path:
    shutil.copytree(source / "reports", to / "reports")
    shutil.copytree(source / "tables", to / "tables")
    return to


@pytest.fixture(autouse=True)
def _nothing_to_build_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the dashboard shows in a test must not depend on data that this machine has."""
    monkeypatch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", str(tmp_path / "cache"))


@pytest.mark.parametrize(("section", "key", "view"), VIEWS)
def test_every_view_of_the_committed_run_draws(section: str, key: str | None, view: str | None) -> None:
    app = open_view(COMMITTED, section, key, view)
    assert not app.error
    assert len(app.subheader) >= 1
    assert app.caption[0].value == DISCLAIMER
    assert app.success[0].value.startswith("Real data: ")


@pytest.mark.parametrize(("section", "key", "view"), VIEWS)
def test_every_view_of_a_small_run_draws_under_a_banner(section: str, key: str | None, view: str | None, small_run: Path) -> None:
    app = open_view(small_run, section, key, view)
    assert not app.error
    assert app.warning[0].value.startswith("Synthetic data")


def test_sections_and_names_are_the_promised_ones() -> None:
    assert list(SECTIONS) == ["Overview", "Survival", "COVID-19", "Influenza", "Downloads"]


def test_headline_is_the_one_in_the_evidence(small_run: Path) -> None:
    app, record = open_view(small_run, "Overview"), read_evidence(small_run / "reports" / "evidence.json")
    primary = read_json(small_run / "reports" / "survival.json")["search"]["primary"]
    auroc = record.metrics[f"support2.out_of_fold.{primary}.roc_auc"]
    assert app.metric[0].value == f"{auroc.value:.3f}"
    assert f"{auroc.low:.3f} to {auroc.high:.3f}" in app.caption[1].value
    relative = record.metrics["flusight.all_seasons.carefolio.relative_wis_to_baseline"]
    assert f"{relative.value:.3f}" in [card.value for card in app.metric]


def test_groups_can_be_chosen_and_none_is_a_message(small_run: Path) -> None:
    app = open_view(small_run, "Survival", "survival", "Survival curves")
    app.multiselect(key="groups").set_value(["Coma", survival.ALL]).run()
    assert not app.exception
    assert app.table[0].value["Group"].tolist() == ["Coma", survival.ALL]
    app.multiselect(key="groups").set_value([]).run()
    assert not app.exception
    assert "No disease group is chosen" in app.info[0].value
    assert not charts(app)


def test_threshold_slider_changes_words_and_numbers(small_run: Path) -> None:
    curves = read_json(small_run / "reports" / "survival.json")
    app = open_view(small_run, "Survival", "survival", "Decisions")
    app.slider(key="threshold").set_value(30.0).run()
    assert not app.exception
    place = min(range(len(curves["risk_thresholds"])), key=lambda i: abs(curves["risk_thresholds"][i] - 0.3))
    assert f"At **{100 * curves['risk_thresholds'][place]:.1f}" in said(app)
    assert app.table[0].value.iloc[0, 1] == f"{1000 * curves['net_benefit'][curves['search']['primary']][place]:.1f}"


def test_net_benefit_is_put_in_words() -> None:
    text = survival_models.net_benefit_in_words(0.2, {"cox": 0.30, "support_model": 0.31, "treat_all": 0.25, "treat_none": 0.0}, "cox")
    assert "worth 4.0 needless ones" in text
    assert "**50.0 more** patients rightly reached than acting for everybody" in text
    assert "**10.0 fewer** than following the SUPPORT model" in text


@pytest.mark.parametrize(("low", "high", "words"), [(0.01, 0.03, "better"), (-0.03, -0.01, "worse"), (-0.01, 0.02, "no difference")])
def test_a_lead_is_called_one_only_when_its_interval_excludes_zero(low: float, high: float, words: str) -> None:
    assert words in overview.lead_in_words(Metric(value=(low + high) / 2, low=low, high=high, level=0.95, n=10, higher_is_better=True))


def test_subgroups_change_with_the_group(small_run: Path) -> None:
    app = open_view(small_run, "Survival", "survival", "Subgroups")
    app.selectbox(key="group").set_value("age_group").run()
    members = [row for row in read_json(small_run / "reports" / "survival.json")["subgroups"] if row["group"] == "age_group"]
    assert len(app.table[0].value) == len(members)


def test_countries_and_weeks_filter_the_series(small_run: Path) -> None:
    run, weeks = read_results(small_run), read_json(small_run / "reports" / "waves.json")["weeks"]
    first, last = date.fromisoformat(weeks[10]), date.fromisoformat(weeks[19])
    frame = covid_data.weekly_series(run, ["US", "Brazil"], first=first, last=last)
    assert frame["country"].unique(maintain_order=True).to_list() == ["US", "Brazil"]
    assert frame["week_ending"].min() == first
    assert frame["week_ending"].max() == last
    assert frame.height == 20
    app = open_view(small_run, "COVID-19", "covid", "Waves")
    app.multiselect(key="countries").set_value(["Germany"]).run()
    assert set(app.table[0].value["Country"]) == {"Germany"}


def test_series_of_the_reports_and_of_the_table_are_the_same(small_run: Path) -> None:
    run = read_results(small_run)
    table = covid_data._from_table(run, "US")
    entry = covid_data._from_entry(run.part("waves"), "US")
    for name in ("cases_per_100k", "cases_raw_per_100k", "r", "growth_low"):
        a, b = entry[name].fill_null(-1.0), table[name].fill_null(-1.0)
        assert ((a - b).abs() <= 0.01 * b.abs() + 0.01).all(), name


@pytest.mark.parametrize("measure", covid.MEASURES)
def test_every_measure_draws_on_either_axis(measure: str, small_run: Path) -> None:
    app = open_view(small_run, "COVID-19", "covid", "Curves")
    app.toggle(key="log").set_value(True).run()
    app.selectbox(key="measure").set_value(measure).run()
    assert not app.exception
    assert len(charts(app)) == 1


@pytest.mark.parametrize("view", ["Curves", "Waves", "Fatality", "Reporting"])
def test_no_country_is_a_message_and_no_exception(view: str, small_run: Path) -> None:
    app = open_view(small_run, "COVID-19", "covid", view)
    app.multiselect(key="countries").set_value([]).run()
    assert not app.exception
    assert "No country is chosen" in app.info[0].value


@pytest.mark.parametrize("view", ["World map", "Ranking"])
def test_the_world_needs_no_country(view: str, small_run: Path) -> None:
    app = open_view(small_run, "COVID-19", "covid", view)
    app.multiselect(key="countries").set_value([]).run()
    assert not app.exception
    assert len(charts(app)) == 1


def test_weeks_without_a_wave_are_a_message(small_run: Path) -> None:
    app = open_view(small_run, "COVID-19", "covid", "Waves")
    first = app.slider(key="weeks").value[0]
    app.slider(key="weeks").set_value((first, first)).run()
    assert not app.exception
    assert "No wave of" in app.info[0].value


def test_a_country_without_tables_names_the_commands(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run / "reports", tmp_path / "reports")
    run = read_results(tmp_path)
    other = next(name for name in run.part("waves")["world"]["country"] if name not in run.part("waves")["countries"])
    with pytest.raises(DataUnavailableError, match="carefolio data fetch covid19_jhu"):
        covid_data.waves_of(run, [other])
    app = open_view(tmp_path, "COVID-19", "covid", "Curves")
    app.multiselect(key="countries").set_value(["US", other]).run()
    assert not app.exception
    assert "carefolio data fetch covid19_jhu" in app.info[0].value


def test_season_changes_the_scores(small_run: Path) -> None:
    curves = read_json(small_run / "reports" / "forecast.json")
    app = open_view(small_run, "Influenza", "influenza", "Scores")
    season = curves["seasons"][-1]
    app.segmented_control(key="season").set_value(season).run()
    own = next(row for row in curves["by_season"] if row["season"] == season and row["model"] == "carefolio")
    assert app.table[0].value.iloc[0]["WIS"] == number_with_interval(**own["wis"], digits=1)


@pytest.mark.parametrize("view", influenza.VIEWS)
def test_every_view_of_influenza_says_that_revised_counts_flatter(view: str, small_run: Path) -> None:
    assert "That flatters ours" in said(open_view(small_run, "Influenza", "influenza", view))


def test_state_and_date_choose_the_forecast(small_run: Path) -> None:
    forecasts = pl.read_parquet(small_run / "tables" / "forecasts.parquet")
    app = open_view(small_run, "Influenza", "influenza", "Forecasts")
    day = forecasts["reference_date"].max()
    app.selectbox(key="state").set_value("06").run()
    app.select_slider(key="reference-date").set_value(day).run()
    assert not app.exception
    chosen = forecasts.filter(pl.col("location") == "06", pl.col("reference_date") == day, pl.col("model") == "carefolio").sort("horizon")
    assert app.table[0].value["Median"].tolist() == [f"{value:,.0f}" for value in chosen["q500"]]


def test_without_tables_the_state_view_says_how_to_make_them(small_run: Path, tmp_path: Path) -> None:
    shutil.copytree(small_run / "reports", tmp_path / "reports")
    app = open_view(tmp_path, "Influenza", "influenza", "Forecasts")
    assert "outcomes run --part forecast" in app.info[0].value
    assert not app.error


def test_missing_results_say_which_command_makes_them(tmp_path: Path) -> None:
    app = open_view(tmp_path, "Overview")
    assert "outcomes run --quick" in app.error[0].value
    assert not app.tabs


@pytest.mark.parametrize(("part", "section"), [("survival", "Survival"), ("waves", "COVID-19"), ("forecast", "Influenza")])
def test_a_part_left_out_is_named_and_the_others_work(part: str, section: str, small_run: Path, tmp_path: Path) -> None:
    run = copy_run(small_run, tmp_path)
    (run / "reports" / f"{part}.json").unlink()
    assert f"outcomes run --part {part}" in open_view(run, section).error[0].value
    for other in SECTIONS:
        app = open_view(run, other)
        assert bool(app.error) == (other == section)
    assert f"outcomes run --part {part}" in said(open_view(run, "Overview"))


def test_a_broken_part_is_named(small_run: Path, tmp_path: Path) -> None:
    run = copy_run(small_run, tmp_path)
    path = run / "reports" / "survival.json"
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")
    assert "survival.json is not valid JSON" in open_view(run, "Survival").error[0].value
    waves = read_json(run / "reports" / "waves.json")
    del waves["world"]
    write_json(run / "reports" / "waves.json", waves)
    assert "has no 'world'" in open_view(run, "COVID-19").error[0].value
    assert not open_view(run, "Influenza").error


def test_a_truncated_table_is_named(small_run: Path, tmp_path: Path) -> None:
    run = copy_run(small_run, tmp_path)
    path = run / "tables" / "forecasts.parquet"
    path.write_bytes(path.read_bytes()[:200])
    app = open_view(run, "Influenza", "influenza", "Forecasts")
    assert "forecasts.parquet cannot be read" in app.error[0].value
    with pytest.raises(ArtefactError, match="has no column 'wind'"):
        tables.find_table(read_results(run), "forecast", "truth", ["location", "wind"])


def test_a_missing_figure_is_named(small_run: Path, tmp_path: Path) -> None:
    run = copy_run(small_run, tmp_path)
    next((run / "reports" / "figures").glob("*.png")).unlink()
    assert ".png is missing" in open_view(run, "Downloads").error[0].value


def test_nothing_is_built_from_real_data_for_a_synthetic_run(small_run: Path) -> None:
    assert tables.build_covid_tables(read_results(small_run)) is None


def test_downloads_hold_every_row(small_run: Path) -> None:
    run: Results = read_results(small_run)
    for part, offered in downloads.TABLES.items():
        for name, (_, rows) in offered.items():
            found = rows(run.part(part))
            assert not found or len(list(csv.DictReader(io.StringIO(downloads.to_csv(found).decode())))) == len(found), name
    world = list(csv.DictReader(io.StringIO(downloads.to_csv(downloads.TABLES["waves"]["covid19-world"][1](run.part("waves"))).decode())))
    assert [row["country"] for row in world] == run.part("waves")["world"]["country"]
    seasons = list(csv.DictReader(io.StringIO(downloads.to_csv(downloads.TABLES["forecast"]["influenza-seasons"][1](
        run.part("forecast"))).decode())))
    assert {row["model"] for row in seasons} == set(run.part("forecast")["models"])
    assert all({"wis", "wis_low", "wis_high"} <= set(row) for row in seasons)
