"""The verbs from data to reports on made-up charts, the published list, and the dashboard of such a run."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from streamlit.testing.v1 import AppTest

from carefolio.exceptions import DataIntegrityError, DataUnavailableError
from clinical_workflow.cli import main
from clinical_workflow.config import STATE_VARIABLE
from clinical_workflow.data import listed_files, load_bundles

from .hospital_examples import NOW

SMALL = """
[data]
made_up_patients = 5
[simulation]
replications = 2
scenario_replications = 1
flagged_shares = [0.05, 0.15, 0.30]
false_positive_rates = [0.10, 0.20]
grid_steps = 2
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory, twin_only):
    folder = tmp_path_factory.mktemp("run")
    (folder / "small.toml").write_text(SMALL, encoding="utf-8")
    done = CliRunner(env=twin_only).invoke(main, ["run", "--config", str(folder / "small.toml"), "--out", str(folder / "out")])
    assert done.exit_code == 0, done.output
    return folder / "out"


def test_a_run_on_made_up_charts_says_so_and_stays_out_of_the_repository(run):
    evidence = json.loads((run / "reports" / "evidence.json").read_text(encoding="utf-8"))
    assert [one["origin"] for one in evidence["data"]] == ["synthetic"]
    assert evidence["metrics"]["synthea_fhir_r4.all.charts.read"]["value"] == 5
    assert evidence["metrics"]["synthea_fhir_r4.all.mapping.conditions_mapped"]["value"] == 1
    assert evidence["metrics"]["synthea_fhir_r4.all.charts.stays_in_scope"]["value"] > 5
    assert all((run / "reports" / one["file"]).stat().st_size > 5000 for one in evidence["figures"])


def test_the_dashboard_shows_a_run(run, monkeypatch, tmp_path):
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    script = "from pathlib import Path\nfrom clinical_workflow.dashboard import main\nmain(Path({!r}))"
    for name in ("Overview", "Patient", "Monitor", "Mapping", "Simulation", "Governance"):
        app = AppTest.from_string(script.format(str(run)), default_timeout=120)
        app.query_params["section"] = name
        app.run()
        assert not app.exception, name
        assert not app.error, name


def test_the_published_list_names_thirty_files_once():
    listed = listed_files()
    assert len(listed) == 30
    assert len({sha256 for _, sha256 in listed.values()}) == 30


def test_charts_that_cannot_be_had_or_are_altered_are_said(monkeypatch, twin_only, tmp_path):
    for name, value in twin_only.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    with pytest.raises(DataUnavailableError, match="OFFLINE"):
        load_bundles()
    made_up = load_bundles(allow_made_up=True, made_up=5, now=NOW)
    assert (made_up.origin, len(made_up.content)) == ("synthetic", 5)
    monkeypatch.setenv("CAREFOLIO_DATA_DIR", str(tmp_path))
    name = next(iter(listed_files()))
    Path(tmp_path / "synthea_fhir_r4").mkdir()
    (tmp_path / "synthea_fhir_r4" / name).write_text("{}", encoding="utf-8")
    with pytest.raises(DataIntegrityError, match="SHA-256"):
        load_bundles(limit=1)


def test_the_switch_and_the_monitor_from_the_command_line(monkeypatch, tmp_path):
    monkeypatch.setenv(STATE_VARIABLE, str(tmp_path))
    off = CliRunner().invoke(main, ["switch", "off"])
    assert off.exit_code == 0 and off.output.count(" off") == 4
    refused = CliRunner().invoke(main, ["switch", "show", "--service", "readmission-risk"])
    assert refused.exit_code == 3 and "0 calls in shadow mode" in refused.stderr
    unknown = CliRunner().invoke(main, ["switch", "off", "--service", "mind-reading"])
    assert unknown.exit_code == 3
    assert "readmission-risk: off, 0 calls" in CliRunner().invoke(main, ["monitor"]).output
