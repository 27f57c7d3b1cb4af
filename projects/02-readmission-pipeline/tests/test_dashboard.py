"""The dashboard shows what the record says, the model's own risk, and a message where something is missing or wrong."""

import csv
import io
import shutil
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from carefolio.artefacts import read_json
from carefolio.command import DISCLAIMER
from carefolio.config import project_home
from carefolio.datasets.diabetes130 import column_types
from carefolio.evidence import read_evidence
from carefolio.views import metrics_csv, percent
from readmission.config import FOLDER
from readmission.dashboard import SECTIONS
from readmission.features import build_features
from readmission.model import MODEL_FILE, load_model
from readmission.schemas import PatientStay
from readmission.views import decisions, downloads, pages, results, what_if

COMMITTED = project_home(FOLDER)


def draw(folder: "Path") -> None:
    from readmission.dashboard import main

    main(folder)


def open_section(folder: Path, section: str) -> AppTest:
    app = AppTest.from_function(draw, args=(folder,), default_timeout=60)
    app.query_params["section"] = section
    app.run()
    assert not app.exception
    return app


@pytest.fixture(scope="module")
def record() -> Any:
    """The committed record."""
    return read_evidence(COMMITTED / "reports" / "evidence.json")


@pytest.fixture(scope="module")
def curves() -> dict[str, Any]:
    """The committed curves."""
    found: dict[str, Any] = read_json(COMMITTED / "reports" / "curves.json")
    return found


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_the_committed_run_draws(section: str) -> None:
    app = open_section(COMMITTED, section)
    assert not app.error
    assert not app.warning
    assert len(app.subheader) >= 1
    assert app.caption[0].value == DISCLAIMER


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_of_a_synthetic_run_draws_under_a_banner(section: str, small_run: Path) -> None:
    app = open_section(small_run, section)
    assert not app.error
    assert app.warning[0].value.startswith("Synthetic data")


def test_headline_is_the_one_in_the_evidence(record: Any) -> None:
    app = open_section(COMMITTED, "Overview")
    auroc = record.metrics["all_encounters.test.lightgbm.roc_auc"]
    assert app.metric[0].label == "AUROC"
    assert app.metric[0].value == f"{auroc.value:.3f}"
    assert f"{auroc.low:.3f} to {auroc.high:.3f}" in app.caption[1].value


def test_cohort_choice_changes_the_table(record: Any) -> None:
    app = open_section(COMMITTED, "Performance")
    app.selectbox(key="cohort").set_value("one_encounter").run()
    shown = app.table[0].value.iloc[0]
    assert shown["Model"] == "LightGBM"
    assert shown["AUROC"].startswith(f"{record.metrics['one_encounter.test.lightgbm.roc_auc'].value:.3f} (")


def test_threshold_slider_changes_words_and_numbers(curves: dict[str, Any]) -> None:
    app = open_section(COMMITTED, "Decisions")
    before = next(block.value for block in app.markdown if "of 1,000 discharges" in block.value)
    app.slider(key="threshold").set_value(20.0).run()
    after = next(block.value for block in app.markdown if "of 1,000 discharges" in block.value)
    place = curves["risk_thresholds"].index(0.2)
    assert before != after
    assert f"{round(1000 * curves['flagged']['lightgbm'][place]['flagged_fraction']):,} would be flagged" in after
    assert app.metric[0].value == percent(curves["flagged"]["lightgbm"][place]["sensitivity"])
    assert app.table[0].value.iloc[0, 1] == f"{1000 * curves['net_benefit']['lightgbm'][place]:.1f}"


def test_counts_of_a_thousand_add_up() -> None:
    counts = decisions.per_thousand({"sensitivity": 0.5, "flagged_fraction": 0.25}, prevalence=0.12)
    assert counts == {"flagged": 250, "found": 60, "needless": 190, "missed": 60}


def test_small_subgroups_are_listed_without_a_figure(small_run: Path, curves: dict[str, Any]) -> None:
    found = read_json(small_run / "reports" / "curves.json")["subgroups"]
    small = [member for member in found if member["roc_auc"] is None]
    app = open_section(small_run, "Subgroups")
    assert len(app.table[0].value) == len(found) - len(small)
    if small:
        assert all(f"{member['rows']:,} discharges" in app.info[0].value for member in small)
    assert {member["group"] for member in curves["subgroups"]} == set(results.GROUPS)


def test_subgroup_metric_can_be_chosen(curves: dict[str, Any]) -> None:
    app = open_section(COMMITTED, "Subgroups")
    app.selectbox(key="subgroup").set_value("observed_minus_predicted").run()
    assert not app.exception
    women = next(member for member in curves["subgroups"] if member["value"] == "Female")
    row = app.table[0].value.set_index("Group").loc["Women"]
    assert row.iloc[1].startswith(percent(women["observed_minus_predicted"]["value"]))


def columnar_risk(encounter: dict[str, Any], earlier: list[dict[str, Any]]) -> float:
    """The risk by the other way: the columnar features and the model's table interface."""
    now, before = PatientStay.model_validate({"encounter": encounter, "earlier_encounters": earlier}).columns()
    rows = [stay | {"encounter_id": i + 1, "patient_nbr": 1, "race": None, "weight": None} for i, stay in enumerate([*before, now])]
    types = column_types()
    frame = pl.DataFrame([{name: row.get(name, "NO") for name in types} for row in rows], schema=types)
    return float(load_model(COMMITTED / "artefacts").predict(build_features(frame))[-1])


def encounter_of(stay: dict[str, Any]) -> dict[str, Any]:
    return stay | what_if.medication_summary(stay)


def test_what_if_gives_the_models_risk() -> None:
    app = open_section(COMMITTED, "What-if")
    app.button[0].click().run()
    assert not app.exception
    assert app.metric[0].value == percent(columnar_risk(encounter_of(what_if.DEFAULTS), []))


def test_what_if_takes_changed_values_and_an_earlier_stay() -> None:
    app = open_section(COMMITTED, "What-if")
    app.number_input(key="n_earlier").set_value(1).run()
    app.number_input(key="stay-number_inpatient").set_value(4)
    app.checkbox(key="earlier-0-returned").check()
    app.button[0].click().run()
    assert not app.exception
    earlier = encounter_of(what_if.EARLIER_DEFAULTS) | {"returned_within_30_days": True}
    assert app.metric[0].value == percent(columnar_risk(encounter_of(what_if.DEFAULTS | {"number_inpatient": 4}), [earlier]))


def test_what_if_explains_a_wrong_code_without_a_traceback() -> None:
    app = open_section(COMMITTED, "What-if")
    app.text_input(key="stay-diag_1").set_value("heart failure")
    app.button[0].click().run()
    assert not app.exception
    assert not app.metric
    assert "Main diagnosis" in app.warning[0].value
    assert "heart failure" in app.warning[0].value


def test_what_if_refuses_an_altered_model(tmp_path: Path) -> None:
    for name in ("reports", "artefacts"):
        shutil.copytree(COMMITTED / name, tmp_path / name)
    with (tmp_path / "artefacts" / MODEL_FILE).open("a", encoding="utf-8") as file:
        file.write("\n")
    app = open_section(tmp_path, "What-if")
    app.button[0].click().run()
    assert not app.exception
    assert "SHA-256" in app.error[0].value


def test_missing_results_say_which_command_makes_them(tmp_path: Path) -> None:
    app = open_section(tmp_path, "Overview")
    assert "readmission run --quick" in app.error[0].value
    assert not app.tabs


@pytest.mark.parametrize("section", ["Overview", "Downloads"])
def test_a_missing_figure_is_named(section: str, tmp_path: Path) -> None:
    shutil.copytree(COMMITTED / "reports", tmp_path / "reports")
    (tmp_path / "reports" / "figures" / "cohort_flow.png").unlink()
    assert "cohort_flow.png is missing" in open_section(tmp_path, section).error[0].value


def test_risk_is_placed_among_the_held_out_discharges() -> None:
    curves = {"risk_thresholds": [0.1, 0.2, 0.3],
              "flagged": {"lightgbm": [{"flagged_fraction": share} for share in (0.6, 0.2, 0.1)]}}
    assert what_if.where_it_stands(0.15, curves) == f"higher than in {percent(0.6, digits=0)} of held-out discharges."
    assert what_if.where_it_stands(0.05, curves).startswith("lower than in 60.0")
    assert what_if.where_it_stands(0.5, curves).startswith("among the highest 10.0")


def test_published_figures_that_are_no_auroc_are_left_out() -> None:
    references = {"one": {"value": "0.67", "cohort": "All", "source": "A"}, "two": {"value": "0.66", "cohort": "As one", "source": "B"},
                  "count": {"value": "490", "cohort": "All", "source": "A"}}
    rows = pages.published_rows(references)
    assert [(row["AUROC"], row["Cohort and split"]) for row in rows] == [("0.67", "All"), ("0.66", "All")]


def test_downloads_hold_every_metric_and_subgroup(record: Any, curves: dict[str, Any]) -> None:
    run = results.Results(record, COMMITTED, "readmission", {}, {}, curves, {})
    metrics = list(csv.DictReader(io.StringIO(metrics_csv(run.evidence).decode())))
    assert {row["id"]: float(row["value"]) for row in metrics} == {name: metric.value for name, metric in record.metrics.items()}
    groups = list(csv.DictReader(io.StringIO(downloads.subgroups_csv(run).decode())))
    assert [row["value"] for row in groups] == [member["value"] for member in curves["subgroups"]]
