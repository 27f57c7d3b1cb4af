"""The verbs on twins: what a run leaves behind, what it refuses, and that it goes on where it was stopped."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from carefolio.artefacts import read_json
from carefolio.evidence import is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError
from carefolio.model_card import card_problems
from notes_summarizer.cli import main

Command = Callable[[list[str]], Result]


def test_a_run_writes_evidence_figures_card_and_what_the_dashboard_reads(small_run: Path) -> None:
    evidence = read_evidence(small_run / "reports" / "evidence.json")
    assert is_synthetic(evidence)
    assert {record.name: record.origin for record in evidence.data} == dict.fromkeys(("mts_dialog", "aci_bench", "medquad"), "synthetic")
    for figure in evidence.figures:
        assert (small_run / "reports" / figure.file).stat().st_size > 5_000
        assert len(figure.alt) > 30
    assert {path.name for path in (small_run / "reports").glob("*.json")} == {"evidence.json", "summaries.json", "leaflets.json"}


def test_every_system_wrote_for_every_case(small_run: Path) -> None:
    cases, candidates = (pl.read_parquet(small_run / "train" / f"{name}.parquet") for name in ("cases", "candidates"))
    assert set(candidates["system"]) == {"raw_transcript", "extractive", "local"}
    assert candidates.height == 3 * cases.height
    assert candidates.filter(pl.col("system") == "extractive", pl.col("candidate") == "").height == 0


def test_what_is_committed_stays_small_and_holds_no_text_of_the_data(small_run: Path) -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (small_run / "reports").glob("*.json")}
    assert {name: len(text) for name, text in texts.items() if len(text) > 600_000} == {}
    cases = pl.read_parquet(small_run / "train" / "cases.parquet")
    assert [name for name, text in texts.items() for source in cases["source"] if source[:60] in text] == []


def test_the_card_has_no_blank(small_run: Path) -> None:
    path = small_run / "reports" / "model_card.md"
    assert card_problems(path.read_text(encoding="utf-8"), file=path) == []


def test_every_metric_of_quality_has_an_interval(small_run: Path) -> None:
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    judged = [name for name, metric in metrics.items() if name.rpartition(".")[2] in ("rouge1", "rouge2", "bertscore_f1", "faithfulness")]
    assert len(judged) > 20
    assert [name for name in judged if metrics[name].low is None] == []


def test_results_on_twins_are_never_published(small_config: Path, small_run: Path, twin_only: dict, tmp_path: Path) -> None:
    home = tmp_path / "projects" / "03-notes-summarizer"
    home.mkdir(parents=True)
    shutil.copytree(small_run, tmp_path / "outputs" / "notes_summarizer" / "full")
    result = CliRunner().invoke(main, ["report", "--config", str(small_config)], env={**twin_only, "CAREFOLIO_HOME": str(tmp_path)})
    assert result.exit_code == 0, result.output
    assert list(home.iterdir()) == []


def test_one_part_can_be_run_alone(small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke(["run", "--config", str(small_config), "--out", str(tmp_path), "--part", "leaflets"])
    assert result.exit_code == 0, result.output
    evidence = read_evidence(tmp_path / "reports" / "evidence.json")
    assert "medquad" in {name.split(".")[0] for name in evidence.metrics}
    assert "mts_dialog" not in {name.split(".")[0] for name in evidence.metrics}


def test_without_the_local_model_the_other_system_is_judged(small_run: Path, small_config: Path, invoke: Command, tmp_path: Path,
                                                            monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(environment: object) -> Path:
        raise ArtefactError("the local model is not installed: planted")

    monkeypatch.setattr("notes_summarizer.providers.local.find_model", missing)
    result = invoke(["run", "--config", str(small_config), "--out", str(tmp_path), "--part", "summaries"])
    assert result.exit_code == 0, result.output
    assert "local is left out: the local model is not installed: planted" in result.output
    names = read_json(tmp_path / "reports" / "evidence.json")["metrics"]
    assert any(".extractive." in name for name in names)
    assert not any(name.startswith("mts_dialog") and ".local." in name for name in names)


@pytest.mark.parametrize(("verb", "needed"), [("train", "data"), ("evaluate", "data"), ("report", "data")])
def test_a_stage_says_what_it_needs(verb: str, needed: str, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke([verb, "--config", str(small_config), "--out", str(tmp_path)])
    assert result.exit_code == ArtefactError.exit_code
    assert needed in result.output
