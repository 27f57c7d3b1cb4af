"""The verbs on drawn retinas: what a run leaves behind, and that it is called synthetic."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from carefolio.artefacts import read_json, sha256_file
from carefolio.evidence import Evidence, is_synthetic, read_evidence
from retinopathy.choosing import FROZEN, GRADER, TUNED, read_steps
from retinopathy.cli import main
from retinopathy.predictor import MODEL_FILES, RECORD_FILE, RetinaPredictor


@pytest.fixture(scope="module")
def evidence(small_run: Path) -> Evidence:
    return read_evidence(small_run / "reports" / "evidence.json")


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
    mean, low, high = (evidence.metrics[f"retinamnist.test.tuned.{name}"].value
                       for name in ("accuracy", "lowest_seed_accuracy", "highest_seed_accuracy"))
    assert low <= mean <= high


def test_figures_are_drawn_and_described(small_run, evidence):
    assert {figure.file for figure in evidence.figures} == {f"figures/{name}.png" for name in
                                                         ("confusion", "referral", "abstention", "reliability", "sizes")}
    assert all((small_run / "reports" / figure.file).stat().st_size > 5000 and len(figure.alt) > 40 for figure in evidence.figures)


def test_the_grader_of_the_run_grades_at_once(small_run, evidence, retinas):
    predictor = RetinaPredictor.open(small_run / "artefacts")
    assert predictor.record["data"]["origin"] == "synthetic"
    assert predictor.grade(retinas[3]).gradable
    assert {one.file: one.sha256 for one in evidence.artefacts} == {
        f"artefacts/{name}": sha256_file(small_run / "artefacts" / name) for name in (*MODEL_FILES.values(), RECORD_FILE)}


def test_no_photograph_is_kept_beside_the_features(small_run):
    table = pl.read_parquet(small_run / "features" / "photographs.parquet")
    assert "image" not in table.columns
    assert set(table.filter(part="train")["fold"]) == {0, 1, 2, 3}


def test_the_strength_is_the_one_of_the_lowest_loss_out_of_fold(small_run):
    kept = read_json(small_run / "train" / "idrid.json")
    assert kept["losses"][str(kept["strength"])] == min(kept["losses"].values())


def test_the_grader_is_the_candidate_that_loses_less_out_of_fold(small_run, evidence):
    kept, steps = read_json(small_run / "train" / "idrid.json")["kept"], read_steps(small_run)
    losses = {name: evidence.metrics[f"idrid.out_of_fold.{name}.log_loss"].value for name in (FROZEN, TUNED)}
    assert kept == min(losses, key=lambda name: losses[name])
    np.testing.assert_array_equal(steps[GRADER], steps[kept])


def test_stages_ask_for_the_one_before(twin_only, tmp_path):
    result = CliRunner().invoke(main, ["train", "--quick", "--out", str(tmp_path)], env=twin_only)
    assert result.exit_code == 8
    assert "data.json" in result.output
