"""The page says what the record says; every section is drawn."""

import json
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from carefolio.command import DISCLAIMER
from retraining.dashboard import SECTIONS
from retraining.names import FAULT_TITLES


def show(folder, section):
    """Draw the page with one section open."""
    st.cache_data.clear()
    st.cache_resource.clear()

    def script(folder: str) -> None:
        from pathlib import Path

        from retraining.dashboard import main

        main(Path(folder))

    app = AppTest.from_function(script, kwargs={"folder": str(folder)}, default_timeout=90)
    app.query_params["section"] = section
    return app.run()


def texts(app):
    return " ".join(str(element.value) for kind in (app.caption, app.success, app.warning, app.error, app.info, app.markdown, app.subheader)
                    for element in kind)


@pytest.fixture(scope="module")
def reported(twin_run, twin_state, settings, protocol, planted, tmp_path_factory):
    """Folder of a run with its reports."""
    from carefolio.evidence import DataRecord
    from carefolio.reporting import write_reports
    from retraining import evaluate, policies, report
    from retraining.replay import replay_store

    out = tmp_path_factory.mktemp("reported")
    policies.serve_batches(twin_state, settings, replay_store(twin_run), out / "policies", progress=lambda done, total: None)
    predictions, counts = policies.read_predictions(out / "policies")
    metrics = evaluate.policies(predictions, counts, settings, protocol.modification_protocol) | evaluate.cycles(twin_run, settings)
    faults = {"unit_change": [planted("unit_change")] and report.describe_fault(twin_run, "unit_change")}
    (out / "reports").mkdir()
    (out / "reports" / "timeline.json").write_text(json.dumps({"replay": report.describe(twin_state), "planted": faults}))
    (out / "durations.json").write_text("{}")
    write_reports(out, settings, project="retraining", packages=[], command="retraining run", metrics=metrics, figures={}, card=False,
                  data=[DataRecord(name="diabetes130", origin="synthetic", sha256="0" * 64, rows=5000)])
    return out


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_drawn_and_says_that_it_is_research(section, reported):
    app = show(reported, section)
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    assert DISCLAIMER in texts(app)
    assert "Synthetic data" in texts(app)
    assert app.subheader


def test_a_planted_fault_is_named_as_one(reported):
    shown = texts(show(reported, "Planted faults"))
    assert FAULT_TITLES["unit_change"] in shown
    assert "the data are real otherwise" in shown
    assert "los_days" in shown


def test_the_decision_shows_every_gate(reported, twin_state):
    app = show(reported, "Decisions")
    first = next(cycle for cycle in twin_state.closed if "gate" in cycle["steps"])
    assert len(app.table[0].value) == len(first["steps"]["gate"]["gates"]) == 8


def test_a_damaged_timeline_is_one_message(reported, tmp_path):
    shutil.copytree(reported, tmp_path / "run")
    (tmp_path / "run" / "reports" / "timeline.json").write_text("{")
    app = show(tmp_path / "run", "Timeline")
    assert "timeline.json is not JSON" in app.error[0].value


def test_without_a_run_the_page_says_how_to_make_one(tmp_path):
    assert "retraining run --quick" in show(tmp_path, "Timeline").error[0].value
