"""Reports of a run: what is written, and what may go into the repository."""

import json
from pathlib import Path
from typing import Any

import pytest

from carefolio import reporting
from carefolio.config import Settings
from carefolio.evidence import DataRecord, Evidence, metric, read_evidence


class _Settings(Settings):
    seed: int = 3


def build(origin: str) -> Any:
    """Make a chapter's function that writes a report on data of some origin."""
    def _build(out: Path, settings: Any, *, command: str, measured: Any) -> Evidence:
        data = [DataRecord(name="some", origin=origin, sha256="0" * 64, rows=5)]
        return reporting.write_reports(out, settings, project="readmission", packages=["numpy"], command=command, data=data,
                                       metrics=measured | {"some.test.model.roc_auc": metric(0.7, n=5, higher_is_better=True)},
                                       figures={"some.png": "What it shows."}, card=False)

    return _build


def test_the_evidence_says_how_and_on_what_the_run_was_made(tmp_path):
    (tmp_path / "durations.json").write_text(json.dumps({"train": 2.0}))
    written = build("mirror")(tmp_path, _Settings(), command="some run", measured={})
    read = read_evidence(tmp_path / "reports" / "evidence.json")
    assert read == written
    assert (read.seed, read.command, read.durations_s, read.figures[0].file) == (3, "some run", {"train": 2.0}, "figures/some.png")
    assert read.metrics["some.test.model.roc_auc"].value == 0.7
    assert not (tmp_path / "reports" / "model_card.md").exists()


@pytest.mark.parametrize(("origin", "to_repository", "whole", "published"), [
    ("mirror", True, True, True), ("mirror", False, True, False), ("mirror", True, False, False), ("synthetic", True, True, False)])
def test_only_whole_runs_on_published_data_go_into_the_repository(origin, to_repository, whole, published, tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "durations.json").write_text("{}")
    home = tmp_path / "home"
    monkeypatch.setattr(reporting, "project_home", lambda folder: home / folder)
    monkeypatch.setattr(reporting, "measured_metrics", lambda folder: {})
    done = reporting.report_run(build(origin), _Settings(), tmp_path / "run", folder="01-some", command="some run",
                                to_repository=to_repository, whole=whole)
    assert done is published
    assert (home / "01-some" / "reports" / "evidence.json").is_file() is published
    assert (tmp_path / "run" / "reports" / "evidence.json").is_file()
