"""The verbs on drawn retinas: what a run leaves behind, and that it is called synthetic."""

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from carefolio.artefacts import read_json, sha256_file
from carefolio.evidence import Evidence, is_synthetic, read_evidence
from retinopathy.cli import main
from retinopathy.predictor import MODEL_FILE, RECORD_FILE, RetinaPredictor
from retinopathy.train import read_strength

SMALL = """
[preparation]
side = 96
small_side = 32
[split]
max_rows = 40
[features]
views = 2
[heads]
strengths = [0.01, 0.1]
[evaluation]
replicates = 20
"""
Command = Callable[[list[str]], Result]


@pytest.fixture(scope="module")
def invoke(twin_only: dict[str, str | None]) -> Command:
    """Call the command as a user would, where only twins can be had."""
    return lambda arguments: CliRunner().invoke(main, arguments, env=twin_only)


@pytest.fixture(scope="module")
def folder(invoke: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run."""
    out = tmp_path_factory.mktemp("run")
    config = tmp_path_factory.mktemp("config") / "small.toml"
    config.write_text(SMALL, encoding="utf-8")
    result = invoke(["run", "--config", str(config), "--out", str(out)])
    assert result.exit_code == 0, result.output
    return out


@pytest.fixture(scope="module")
def evidence(folder: Path) -> Evidence:
    return read_evidence(folder / "reports" / "evidence.json")


def test_a_run_on_drawn_retinas_says_so(evidence):
    assert is_synthetic(evidence)
    assert {record.name for record in evidence.data} == {"idrid", "retinamnist"}


def test_the_grader_is_judged_out_of_fold_on_the_test_and_as_other_cameras_see(evidence):
    for part in ("out_of_fold", "test", "altered"):
        own = evidence.metrics[f"idrid.{part}.grader.quadratic_weighted_kappa"]
        assert own.low <= own.value <= own.high
    altered, plain = (evidence.metrics[f"idrid.{part}.grader.accuracy"] for part in ("altered", "test"))
    assert altered.n == plain.n, "one view of each is altered here"


def test_drawn_spots_are_seen(evidence):
    assert evidence.metrics["idrid.test.grader.roc_auc"].value > 0.8


def test_the_benchmark_is_the_mean_of_three_seeds(evidence):
    mean, low, high = (evidence.metrics[f"retinamnist.test.linear.{name}"].value
                       for name in ("accuracy", "lowest_seed_accuracy", "highest_seed_accuracy"))
    assert low <= mean <= high


def test_figures_are_drawn_and_described(folder, evidence):
    assert {figure.file for figure in evidence.figures} == {f"figures/{name}.png" for name in ("confusion", "referral", "abstention")}
    assert all((folder / "reports" / figure.file).stat().st_size > 5000 and len(figure.alt) > 40 for figure in evidence.figures)


def test_the_grader_of_the_run_grades_at_once(folder, evidence, retinas):
    predictor = RetinaPredictor.open(folder / "artefacts")
    assert predictor.record["data"]["origin"] == "synthetic"
    assert predictor.grade(retinas[3]).gradable
    assert {one.file: one.sha256 for one in evidence.artefacts} == {
        f"artefacts/{name}": sha256_file(folder / "artefacts" / name) for name in (MODEL_FILE, RECORD_FILE)}


def test_no_photograph_is_kept_beside_the_features(folder):
    table = pl.read_parquet(folder / "features" / "photographs.parquet")
    assert "image" not in table.columns
    assert set(table.filter(part="train")["fold"]) == {0, 1, 2, 3, 4}


def test_the_strength_is_the_one_of_the_lowest_loss_out_of_fold(folder):
    losses = read_json(folder / "train" / "idrid.json")["losses"]
    assert losses[str(read_strength(folder))] == min(losses.values())


def test_stages_ask_for_the_one_before(invoke, tmp_path):
    result = invoke(["train", "--quick", "--out", str(tmp_path)])
    assert result.exit_code == 8
    assert "data.json" in result.output
