"""A small run, from requests to evidence; a dead service and missing requests are named."""

import json

import pytest
from click.testing import CliRunner

from carefolio.evidence import read_evidence
from container_scaling.cli import main
from container_scaling.figures import ALTS

pytestmark = pytest.mark.slow


def test_a_small_run_measures_predicts_and_writes_evidence(small_run):
    evidence = read_evidence(small_run / "reports" / "evidence.json")
    assert evidence.data[0].origin == "synthetic", "and so it is never published"
    metrics = evidence.metrics
    assert metrics["readmission.overload.measured.failed"].value == 0
    assert metrics["readmission.replicas_1.measured.throughput"].value > 10
    measured, model = (metrics[f"readmission.replicas_1.{who}.throughput"].value for who in ("measured", "model"))
    assert metrics["readmission.replicas_1.model_error.throughput"].value == pytest.approx(model / measured - 1)
    assert metrics["readmission.calibration.replica.service_time_ms"].value < 100
    shown = {figure.file for figure in evidence.figures}
    assert shown == {f"figures/{name}" for name in ALTS if name != "peer.png"}
    for figure in shown:
        assert (small_run / "reports" / figure).stat().st_size > 8000


def test_plan_speaks_from_a_run(small_run):
    done = CliRunner().invoke(main, ["plan", "--out", str(small_run), "--hospitals", "100"])
    assert done.exit_code == 0, done.output
    assert "100" in done.output
    assert "Demand and prices are inputs" in done.output


def test_what_is_missing_is_named(tmp_path):
    for arguments in (["plan", "--out", str(tmp_path)], ["swarm", "--out", str(tmp_path)]):
        done = CliRunner().invoke(main, arguments)
        assert done.exit_code != 0
        assert "is missing" in done.output


def test_every_answer_came_from_the_service_in_the_overload(small_run):
    soak = json.loads((small_run / "reports" / "curves.json").read_text(encoding="utf-8"))["soak"]
    assert len(soak["second"]) == len(soak["accepted"]) == len(soak["refused"]) == len(soak["p95_ms"])
    assert min(soak["memory_mb"]) > 50
