"""The verbs on twins: what a run leaves behind, what it refuses, and that a part without data leaves the others standing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from carefolio.artefacts import read_json
from carefolio.evidence import is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError, DataUnavailableError
from carefolio.model_card import card_problems
from carefolio.parts import refuse_missing_parts
from outcomes_analysis import data
from outcomes_analysis.cli import main

Command = Callable[[list[str]], Result]


def test_a_run_writes_evidence_figures_card_and_what_the_dashboard_reads(small_run: Path) -> None:
    evidence = read_evidence(small_run / "reports" / "evidence.json")
    assert is_synthetic(evidence)
    assert {record.name: record.origin for record in evidence.data} == {
        "support2": "package", "covid19_jhu": "synthetic", "world_population": "package", "flusight": "synthetic",
        "flusight_baseline": "synthetic", "flusight_ensemble": "synthetic"}
    assert evidence.split is not None
    assert set(evidence.split.parts) == {"fold_1", "fold_2"}
    for figure in evidence.figures:
        assert (small_run / "reports" / figure.file).stat().st_size > 5_000
        assert len(figure.alt) > 30
    written = {path.name for path in (small_run / "reports").glob("*.json")}
    assert written == {"evidence.json", "survival.json", "waves.json", "forecast.json"}
    assert pl.read_parquet(small_run / "tables" / "covid19_weekly.parquet").height > 100


def test_what_is_committed_stays_small_and_holds_no_patient(small_run: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in (small_run / "reports").glob("*.json")}
    assert {name: size for name, size in sizes.items() if size > 600_000} == {}
    text = (small_run / "reports" / "survival.json").read_text(encoding="utf-8")
    assert '"pid"' not in text


def test_the_card_has_no_blank(small_run: Path) -> None:
    path = small_run / "reports" / "model_card.md"
    assert card_problems(path.read_text(encoding="utf-8"), file=path) == []


def test_every_metric_of_quality_has_an_interval(small_run: Path) -> None:
    metrics = read_evidence(small_run / "reports" / "evidence.json").metrics
    judged = [name for name, metric in metrics.items() if metric.higher_is_better is not None and ".local." not in name]
    assert len(judged) > 30
    assert [name for name in judged if metrics[name].low is None] == []


def test_results_on_twins_are_never_published(small_config: Path, small_run: Path, twin_only: dict, tmp_path: Path) -> None:
    home = tmp_path / "projects" / "01-outcomes-analysis"
    home.mkdir(parents=True)
    shutil.copytree(small_run, tmp_path / "outputs" / "outcomes_analysis" / "full")
    result = CliRunner().invoke(main, ["report", "--config", str(small_config)], env={**twin_only, "CAREFOLIO_HOME": str(tmp_path)})
    assert result.exit_code == 0, result.output
    assert list(home.iterdir()) == []


def test_one_part_can_be_run_alone(small_config: Path, invoke: Command, tmp_path: Path) -> None:
    result = invoke(["run", "--config", str(small_config), "--out", str(tmp_path), "--part", "waves"])
    assert result.exit_code == 0, result.output
    evidence = read_evidence(tmp_path / "reports" / "evidence.json")
    assert {name.split(".")[0] for name in evidence.metrics if ".local." not in name} == {"covid19"}
    assert not (tmp_path / "reports" / "model_card.md").exists()


def test_a_part_without_data_is_named_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, invoke: Command,
                                                           small_config: Path) -> None:
    def _fail() -> None:
        raise DataUnavailableError("support2/support2.pickle is not available: planted. Connect to the network.")

    monkeypatch.setitem(data.LOADERS, "support2", _fail)
    result = invoke(["run", "--config", str(small_config), "--out", str(tmp_path), "--part", "survival", "--part", "waves"])
    assert result.exit_code == DataUnavailableError.exit_code
    errors = [line for line in result.output.splitlines() if line.startswith("error: ")]
    assert errors == ["error: survival was left out: support2/support2.pickle is not available: planted. Connect to the network."]
    assert (tmp_path / "reports" / "waves.json").is_file(), "the part with data was reported"
    assert not (tmp_path / "reports" / "survival.json").exists()
    with pytest.raises(DataUnavailableError, match="survival was left out"):
        refuse_missing_parts(tmp_path)


def test_no_part_at_all_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, invoke: Command, small_config: Path) -> None:
    def _fail() -> None:
        raise DataUnavailableError("planted")

    monkeypatch.setitem(data.LOADERS, "support2", _fail)
    result = invoke(["data", "--config", str(small_config), "--out", str(tmp_path), "--part", "survival"])
    assert result.exit_code == DataUnavailableError.exit_code
    assert "no part can be run: survival: planted" in result.output
    assert not (tmp_path / "data" / "data.json").exists()


def test_made_up_admissions_are_never_scored_against_real_forecasts(monkeypatch: pytest.MonkeyPatch) -> None:
    from carefolio.datasets.flusight_twin import make_flusight_forecasts_twin
    from carefolio.datasets.provenance import LoadedData, Provenance

    def _real_looking(**_: object) -> LoadedData:
        frame = make_flusight_forecasts_twin("FluSight-baseline", 1)
        return LoadedData(frame, Provenance("flusight_baseline", "mirror", "0" * 64, frame.height, "none"))

    monkeypatch.setenv("CAREFOLIO_OFFLINE", "1")
    monkeypatch.delenv("CAREFOLIO_DATA_DIR", raising=False)
    monkeypatch.setenv("CAREFOLIO_CACHE_DIR", "nowhere")
    monkeypatch.setitem(data.LOADERS, "flusight_baseline", _real_looking)
    loaded = data.load_part("forecast", seed=0)
    assert {found.provenance.origin for found in loaded.values()} == {"synthetic"}


@pytest.mark.parametrize(("verb", "missing"), [("train", "data.json"), ("evaluate", "data.json"), ("report", "data.json")])
def test_a_stage_before_its_input_says_which_step_is_missing(verb: str, missing: str, small_config: Path, invoke: Command,
                                                             tmp_path: Path) -> None:
    result = invoke([verb, "--config", str(small_config), "--out", str(tmp_path)])
    assert result.exit_code == ArtefactError.exit_code
    assert f"{missing} is missing" in result.output


def test_a_misspelt_setting_is_named(invoke: Command, tmp_path: Path) -> None:
    config = tmp_path / "wrong.toml"
    config.write_text("[forecast]\nreplicate = 3\n", encoding="utf-8")
    result = invoke(["data", "--config", str(config), "--out", str(tmp_path)])
    assert result.exit_code == 3
    assert "forecast.replicate" in result.output


def test_two_runs_give_the_same_numbers(small_run: Path, small_config: Path, invoke: Command, tmp_path: Path) -> None:
    shutil.copytree(small_run, tmp_path / "again")
    result = invoke(["evaluate", "--config", str(small_config), "--out", str(tmp_path / "again")])
    assert result.exit_code == 0, result.output
    for part in ("survival", "waves", "forecast"):
        first, second = (read_json(folder / "evaluate" / f"{part}.json") for folder in (small_run, tmp_path / "again"))
        assert json.dumps(first) == json.dumps(second)
