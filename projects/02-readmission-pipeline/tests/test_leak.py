"""The leaks are real, they inflate, and `carefolio.splits` refuses each of them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from carefolio.config import project_home
from carefolio.evidence import read_evidence
from carefolio.exceptions import LeakageError
from carefolio.splits import check_no_group_overlap, check_no_target_in_features, check_resampling_after_split
from readmission.config import FOLDER
from readmission.data import TARGET
from readmission.features import FEATURES, PATIENT
from readmission.names import LEAK_TITLES as TITLES


def _scores(reports: Path) -> dict[str, float]:
    metrics = read_evidence(reports / "evidence.json").metrics
    return {name: metrics[f"all_encounters.leak.{name}.roc_auc"].value for name in TITLES}


def test_smote_before_the_split_inflates_the_score(small_run: Path) -> None:
    found = _scores(small_run / "reports")
    assert found["smote_before_split"] > found["honest"] + 0.1, found


def test_committed_evidence_shows_the_inflation_on_real_data() -> None:
    found = _scores(project_home(FOLDER) / "reports")
    assert found["smote_before_split"] > found["honest"] + 0.1, found
    assert found["future_stays"] > found["honest"] + 0.02, found


def test_a_split_by_row_is_refused(small_run: Path) -> None:
    table = pl.read_parquet(small_run / "data" / "table.parquet")
    parts = np.where(np.random.default_rng(0).random(table.height) < 0.2, "test", "train")
    with pytest.raises(LeakageError, match="patient"):
        check_no_group_overlap(table[PATIENT].to_numpy(), parts)


def test_a_feature_that_tells_the_target_is_refused(small_run: Path) -> None:
    table = pl.read_parquet(small_run / "data" / "table.parquet")
    planted = table.select(*FEATURES, (pl.col(TARGET) * 2 + 1).alias("days_until_return_known"))
    with pytest.raises(LeakageError, match="days_until_return_known"):
        check_no_target_in_features(planted, table[TARGET].to_numpy())
    check_no_target_in_features(table.select(FEATURES), table[TARGET].to_numpy())


def test_oversampling_before_the_split_is_refused(small_run: Path) -> None:
    table = pl.read_parquet(small_run / "data" / "table.parquet")
    ids = table["encounter_id"].to_numpy()
    copies = np.concatenate([ids, ids[table[TARGET].to_numpy() == 1]])
    test = np.random.default_rng(0).random(copies.size) < 0.2
    with pytest.raises(LeakageError):
        check_resampling_after_split(copies[~test], ids)
