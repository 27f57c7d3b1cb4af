"""The page says what the record says, shows the live registry where there is one, and draws the lineage."""

import json
import shutil

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from carefolio.command import DISCLAIMER
from carefolio.config import project_home
from carefolio.evidence import read_evidence
from model_registry.dashboard import SECTIONS
from model_registry.lineage import to_dot, trace
from model_registry.names import FOLDER
from model_registry.tracking import aliases
from model_registry.views.checks import CHECKS


def show(folder, section):
    """Draw the page with one section open, as somebody who comes later does: nothing is remembered."""
    st.cache_data.clear()

    def script(folder: str) -> None:
        from pathlib import Path

        from model_registry.dashboard import main

        main(Path(folder))

    app = AppTest.from_function(script, kwargs={"folder": str(folder)}, default_timeout=90)
    app.query_params["section"] = section
    return app.run()


def texts(app):
    return " ".join(str(element.value) for kind in (app.caption, app.success, app.warning, app.error, app.info, app.markdown, app.subheader)
                    for element in kind)


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_is_drawn_and_says_that_it_is_research(section, first_run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", first_run.address)
    app = show(first_run.out, section)
    assert not app.exception
    assert not app.error, [element.value for element in app.error]
    assert DISCLAIMER in texts(app)
    assert "Synthetic data" in texts(app)
    assert app.subheader


def test_the_cards_say_what_the_record_says(first_run):
    metrics = read_evidence(first_run.out / "reports" / "evidence.json").metrics
    shown = {element.label: element.value for element in show(first_run.out, "Overview").metric}
    assert shown["Readmission within 30 days: AUROC"] == f"{metrics['readmission.test.lightgbm.roc_auc'].value:.3f}"
    assert shown["Survival of seriously ill patients: Uno's C"] == f"{metrics['survival.test.hazards.uno_c'].value:.3f}"


def test_versions_of_a_registry_that_answers_are_listed(first_run, monkeypatch):
    version = aliases.register(first_run.address, "readmission", first_run.run_id())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", first_run.address)
    app = show(first_run.out, "Versions")
    assert not app.exception
    assert version.sha256[:12] in app.table[0].value.to_string()
    assert f"registry reproduce {version.run_id}" in app.code[0].value


def test_checks_are_shown_as_far_as_they_were_made(first_run, tmp_path):
    assert "was not put to these tests" in texts(show(first_run.out, "Checks"))
    shutil.copytree(first_run.out / "reports", tmp_path / "reports")
    path = tmp_path / "reports" / "evidence.json"
    evidence = json.loads(path.read_text())
    measured = {"value": 1000.0, "n": 1000, "higher_is_better": None}
    evidence["metrics"] |= {"writers.sqlite.server.values": measured, "writers.sqlite.server.lost": measured | {"value": 0.0}}
    path.write_text(json.dumps(evidence))
    shown = show(tmp_path, "Checks").table[0].value.to_string()
    assert "Values written, SQLite" in shown
    assert "1,000" in shown


def test_every_check_is_one_that_a_benchmark_measures():
    sources = "".join(path.read_text() for path in (project_home(FOLDER) / "benchmarks").glob("*.py"))
    for key in (key for keys in CHECKS.values() for key in keys):
        assert key.rpartition(".")[2] in sources or "_minus_" in key, key


def test_without_a_registry_the_page_says_how_to_start_one(first_run, monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("model_registry.places.answers", lambda address: False)
    monkeypatch.setattr("model_registry.places.outputs", lambda: tmp_path)
    assert "registry up" in texts(show(first_run.out, "Versions"))


def test_a_page_without_a_run_says_how_to_make_one(tmp_path):
    app = show(tmp_path, "Overview")
    assert not app.exception
    assert "registry run" in texts(app)


def test_the_lineage_leads_from_the_alias_to_the_bytes_of_the_file(first_run):
    version = aliases.register(first_run.address, "readmission", first_run.run_id())
    search = json.loads((first_run.out / "reports" / "registry.json").read_text())["readmission"]
    lineage = trace("readmission", search, read_evidence(first_run.out / "reports" / "evidence.json"), [version])
    made_of: dict[str, set[str]] = {}
    for start, end in lineage.edges:
        made_of.setdefault(end, set()).add(start)
    reached, waiting = set(), [f"version {version.version}"]
    while waiting:
        key = waiting.pop()
        reached.add(key)
        waiting += made_of.get(key, ())
    assert {"file", "split", "table", "commit", "environment", "search", "model"} < reached
    text = " ".join(line for node in lineage.nodes for line in node.lines)
    assert search["data"]["provenance"]["sha256"][:12] in text
    dot = to_dot(lineage)
    assert dot.count("->") == len(lineage.edges)
    assert '"search" -> "model"' in dot


def test_a_quote_in_a_name_cannot_leave_its_label():
    from model_registry.lineage import Lineage, Node

    assert '\\"' in to_dot(Lineage((Node('a"b', "run", ('c"d',)),), ()))
