import json
import math
import subprocess
from types import SimpleNamespace

import pytest
from pydantic import ValidationError

from carefolio.evidence import (
    DataRecord,
    Environment,
    Evidence,
    Metric,
    environment,
    git_commit,
    is_synthetic,
    metric,
    read_evidence,
    refuse_synthetic,
    utc_now,
    write_evidence,
)
from carefolio.exceptions import EvidenceError


def make_evidence(origin="mirror", **changes):
    values = {
        "project": "demo", "commit": "abc1234", "command": "demo run", "created": "2026-01-31T12:00:00Z", "seed": 0, "config": {"folds": 5},
        "data": [DataRecord(name="toy", origin=origin, sha256="0" * 64, rows=12345)],
        "environment": Environment(python="3.11.0", packages={}, machine="Linux x86_64, 2 cores, 24 GB"), "durations_s": {"data": 1.5},
        "metrics": {"all.test.model.roc_auc": Metric(value=0.68, low=0.66, high=0.7, level=0.95, n=100, higher_is_better=True)},
        "figures": [], "artefacts": [],
    }
    return Evidence(**(values | changes))


def test_a_record_survives_writing_and_reading(tmp_path):
    evidence = make_evidence()
    path = write_evidence(tmp_path / "reports" / "evidence.json", evidence)
    assert read_evidence(path) == evidence
    assert list(json.loads(path.read_text())) == ["schema", "project", "commit", "command", "created", "seed", "config", "data", "split",
                                                  "environment", "durations_s", "metrics", "figures", "artefacts"]


def test_an_estimate_with_interval_becomes_a_metric():
    estimate = SimpleNamespace(value=0.7, low=0.6, high=0.8, level=0.95, n=50)
    assert metric(estimate, higher_is_better=True) == Metric(value=0.7, low=0.6, high=0.8, level=0.95, n=50, higher_is_better=True)
    assert metric(3, n=7, higher_is_better=None) == Metric(value=3.0, n=7, higher_is_better=None)


@pytest.mark.parametrize(("value", "n", "said"), [
    (math.nan, 5, "finite"), (math.inf, 5, "finite"), (0.5, None, "pass n="),
    (SimpleNamespace(value=0.5, low=0.4, high=None, level=0.95), 5, "go together"),
    (SimpleNamespace(value=0.5, low=0.6, high=0.4, level=0.95), 5, "must not exceed"),
    (SimpleNamespace(value=0.5, low=math.nan, high=0.6, level=0.95), 5, "finite"),
])
def test_a_bad_metric_is_refused_in_one_line(value, n, said):
    with pytest.raises(EvidenceError, match=said) as caught:
        metric(value, n=n, higher_is_better=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("changes", [
    {"metrics": {"roc_auc": Metric(value=1, n=1, higher_is_better=True)}},
    {"metrics": {"All.test.model.roc_auc": Metric(value=1, n=1, higher_is_better=True)}},
    {"created": "2026-01-31T12:00:00+00:00"}, {"config": {"x": math.nan}}, {"durations_s": {"data": math.inf}}, {"unknown": 1},
])
def test_a_malformed_record_is_refused(changes):
    with pytest.raises(ValidationError):
        make_evidence(**changes)


@pytest.mark.parametrize(("content", "said"), [
    ("{", "not a run record"), ('{"schema": 2}', "not a run record"), (b"\xff\xfe", "not a run record"), (None, "missing"),
])
def test_a_bad_file_gives_one_line_with_its_name(tmp_path, content, said):
    path = tmp_path / "evidence.json"
    if content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(EvidenceError, match=said) as caught:
        read_evidence(path)
    assert "evidence.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_synthetic_results_stay_out_of_committed_folders(tmp_path):
    evidence = make_evidence(origin="synthetic")
    assert is_synthetic(evidence)
    assert not is_synthetic(make_evidence())
    reports = tmp_path / "projects" / "02-demo" / "reports"
    for destination in (reports, reports / "figures" / "a.png", reports.with_name("artefacts") / "model.onnx"):
        with pytest.raises(EvidenceError, match="synthetic twin"):
            refuse_synthetic(evidence, destination)
    with pytest.raises(EvidenceError):
        write_evidence(reports / "evidence.json", evidence)
    assert not reports.exists()
    assert write_evidence(tmp_path / "outputs" / "evidence.json", evidence).is_file()
    assert write_evidence(reports / "evidence.json", make_evidence()).is_file()


def test_environment_names_versions_and_no_host():
    import platform

    described = environment(["pydantic", "click"])
    assert list(described.packages) == ["click", "pydantic"]
    assert "core" in described.machine
    assert platform.node() not in described.machine
    with pytest.raises(EvidenceError, match="no-such-package"):
        environment(["no-such-package"])


def test_commit_is_dirty_only_outside_reports_and_artefacts(tmp_path):
    def git(*arguments):
        identity = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/dev/null"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    assert git_commit(tmp_path) == "unknown"
    git("init")
    assert git_commit(tmp_path) == "unknown"
    reports = tmp_path / "projects" / "02-demo" / "reports"
    reports.mkdir(parents=True)
    (reports / "evidence.json").write_text("{}")
    (tmp_path / "code.py").write_text("a = 1\n")
    git("add", ".")
    git("commit", "-m", "first")
    clean = git_commit(tmp_path)
    (reports / "evidence.json").write_text("{ }")
    (reports.parent / "artefacts").mkdir()
    (reports.parent / "artefacts" / "model.txt").write_text("tree")
    assert git_commit(reports) == clean
    assert len(clean) >= 7
    (tmp_path / "code.py").write_text("a = 2\n")
    assert git_commit(tmp_path) == f"{clean}-dirty"


def test_time_is_in_the_form_of_the_record():
    assert make_evidence(created=utc_now()).created.endswith("Z")
