"""Calibrated trees: the same to the digit twice, read back only if their bytes are the sealed ones, and folds of whole patients."""

import numpy as np
import polars as pl
import pytest

from carefolio.boosted import (
    MANIFEST_FILE,
    TREES_FILE,
    BoostedSettings,
    fit_boosted,
    group_folds,
    load_boosted,
)
from carefolio.exceptions import ArtefactError
from carefolio.metrics.calibration import calibration_intercept, calibration_slope
from carefolio.metrics.discrimination import roc_auc

pytest.importorskip("lightgbm", reason="lightgbm is not installed; a chapter that fits trees depends on it")

SETTINGS = BoostedSettings({"learning_rate": 0.1, "num_leaves": 8, "min_child_samples": 20}, folds=3, max_rounds=60,
                           early_stopping_rounds=10, threads=1, seed=0)


@pytest.fixture(scope="module")
def table():
    rng = np.random.default_rng(0)
    n = 3000
    number, code = rng.normal(size=n), rng.choice(["a", "b", "c"], n)
    risk = 1 / (1 + np.exp(-(-1.5 + number + (code == "b"))))
    frame = pl.DataFrame({"number": number, "code": pl.Series(code).set(pl.Series(rng.uniform(size=n) < 0.05), None)})
    return frame, (rng.uniform(size=n) < risk).astype(int), np.arange(n) // 3


@pytest.fixture(scope="module")
def model(table):
    frame, y, groups = table
    return fit_boosted(frame, y, groups, features=["number", "code"], settings=SETTINGS, training={"rows": 3000})


def test_a_patient_stands_in_one_fold_and_every_row_is_left_out_once():
    groups = np.repeat(np.arange(100), 3)
    folds = group_folds(groups, folds=4, seed=1)
    assert sorted(np.concatenate([valid for _, valid in folds]).tolist()) == list(range(300))
    assert all(not set(groups[train]) & set(groups[valid]) for train, valid in folds)
    assert {len(valid) for _, valid in folds} == {75}


def test_it_ranks_and_is_calibrated(model, table):
    frame, y, _ = table
    risk = model.predict(frame)
    assert roc_auc(y, risk) > 0.75
    assert abs(calibration_intercept(y, risk)) < 0.1
    assert model.training == {"rows": 3000, "rounds": model.booster.num_trees()}


def test_the_same_rows_give_the_same_model(model, table, tmp_path):
    frame, y, groups = table
    again = fit_boosted(frame, y, groups, features=["number", "code"], settings=SETTINGS, training={"rows": 3000})
    assert again.save(tmp_path / "again") == model.save(tmp_path / "first")


def test_a_kept_model_predicts_the_same(model, table, tmp_path):
    sha256 = model.save(tmp_path)
    loaded = load_boosted(tmp_path, sha256=sha256)
    assert np.array_equal(loaded.predict(table[0]), model.predict(table[0]))
    assert loaded.features == ("number", "code")


@pytest.mark.parametrize("name", [TREES_FILE, MANIFEST_FILE])
def test_altered_bytes_are_not_read(model, tmp_path, name):
    sha256 = model.save(tmp_path)
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-40])
    with pytest.raises(ArtefactError, match=f"{name} must have SHA-256"):
        load_boosted(tmp_path, sha256=sha256)
    (tmp_path / name).unlink()
    with pytest.raises(ArtefactError, match="got no file"):
        load_boosted(tmp_path, sha256=sha256)


def test_recalibration_moves_the_level_and_not_the_ranking(model, table):
    frame, y, _ = table
    rare = np.where(np.random.default_rng(1).uniform(size=y.size) < 0.5, 0, y)
    moved = model.recalibrated(frame, rare)
    assert abs(calibration_intercept(rare, moved.predict(frame))) < 1e-6
    assert calibration_slope(rare, moved.predict(frame)) == pytest.approx(1, abs=1e-4)
    assert np.array_equal(np.argsort(moved.predict(frame), kind="stable"), np.argsort(model.predict(frame), kind="stable"))
