"""The command as a scheduler and a person use it: outcomes, exit codes, files for a job, and a run from nothing to its reports."""

import json

import pytest
from click.testing import CliRunner

from carefolio.evidence import is_synthetic, read_evidence
from retraining.cli import main
from retraining.names import FAULT_TITLES


@pytest.fixture
def invoke(twin_only, small_config, protocol, tmp_path):
    """Call the command where only the twin can be had."""
    rules = tmp_path / "protocol.yaml"
    rules.write_text(protocol.model_dump_json(), encoding="utf-8")

    def _call(*arguments, exit_code=0, rules_too=True):
        options = ["--config", str(small_config), "--out", str(tmp_path / "run")]
        options += ["--protocol", str(rules)] if rules_too else []
        result = CliRunner().invoke(main, [*map(str, arguments), *options], env=twin_only | {"RETRAINING_APPROVER": None})
        assert result.exit_code == exit_code, result.output
        return result
    return _call


@pytest.mark.slow
def test_a_scheduler_runs_cycles_and_a_person_approves(invoke, tmp_path):
    waiting = invoke("cycle", "--summary", tmp_path / "summary.md", "--outcome", tmp_path / "outcome.json")
    assert "a person has to approve: the first model is approved by a person" in waiting.stdout
    assert json.loads((tmp_path / "outcome.json").read_text())["waiting"] is True
    assert "a person has to approve: `retraining approve`" in invoke("status", rules_too=False).stdout
    assert "may not approve" in invoke("approve", "--approver", "Eve", "--role", "visitor", exit_code=3).output
    assert "batch 4: promoted" in invoke("approve", "--approver", "Ada", "--role", "model owner").stdout
    assert "batch 5: receive" in invoke("step").output
    outcome = invoke("cycle", "--summary", tmp_path / "summary.md", "--outcome", tmp_path / "outcome.json")
    assert json.loads((tmp_path / "outcome.json").read_text())["outcome"] in outcome.stdout.replace(" ", "_")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8").count("## Batch") == 2
    assert "batch 5:" in invoke("status", rules_too=False).stdout
    broken = tmp_path / "broken.csv"
    broken.write_text("encounter_id\n1\n")
    assert "columns are missing" in invoke("cycle", "--batch", broken, exit_code=6).output


def test_the_protocol_is_printed_and_checked(tmp_path):
    runner = CliRunner()
    printed = runner.invoke(main, ["protocol"])
    assert "description_of_modifications:" in printed.stdout
    path = tmp_path / "mine.yaml"
    path.write_text(printed.stdout, encoding="utf-8")
    assert "8 gates" in runner.invoke(main, ["protocol", "--check", "--protocol", str(path)]).stdout
    path.write_text(printed.stdout.replace("  gates:", "  gates:\n    hope: {margin: 1, limit: 1}", 1), encoding="utf-8")
    refused = runner.invoke(main, ["protocol", "--check", "--protocol", str(path)])
    assert (refused.exit_code, "hope" in refused.output) == (3, True)


@pytest.mark.slow
def test_reports_of_a_run_on_the_twin_are_written_and_marked_as_synthetic(twin_run, settings, protocol, planted, monkeypatch):
    from retraining import pipeline
    from retraining.data import RECORD
    from retraining.policies import serve_batches
    from retraining.replay import replay_store
    from retraining.state import fold

    monkeypatch.setattr("retraining.protocol.load_protocol", lambda path=None: protocol)
    for fault in FAULT_TITLES:
        planted(fault)
    provenance = {"name": "diabetes130", "origin": "synthetic", "sha256": "0" * 64, "rows": 5000, "licence": "none"}
    (twin_run / "incoming" / RECORD).write_text(json.dumps({"provenance": provenance, "rows": 5000, "batches": 7, "sha256": {}}))
    from retraining.cycle import open_journal

    state = fold(open_journal(replay_store(twin_run)))
    serve_batches(state, settings, replay_store(twin_run), twin_run / "policies", progress=lambda done, total: None)
    pipeline.evaluate_stage(settings, twin_run)
    pipeline.report_stage(settings, twin_run, command="retraining run", to_repository=True)
    evidence = read_evidence(twin_run / "reports" / "evidence.json")
    assert is_synthetic(evidence)
    assert {figure.file for figure in evidence.figures} >= {"figures/by_batch.png", "figures/gain.png", "figures/drift.png"}
    assert "Made on synthetic data" in (twin_run / "reports" / "model_card.md").read_text(encoding="utf-8")
    timeline = json.loads((twin_run / "reports" / "timeline.json").read_text(encoding="utf-8"))
    assert set(timeline["planted"]) == set(FAULT_TITLES)
    assert timeline["planted"]["gates_open"][0]["gates_open"]
