"""Encoding, calibration, saving; and that the model learns what the twin holds."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score

from readmission.explain import LABELS, contributions, importance, top_reasons
from readmission.features import CATEGORICAL, FEATURES
from readmission.model import RARE, Calibration, fit_calibration, fit_categories, load_model, to_matrix
from readmission.train import load_predictions


@pytest.fixture(scope="module")
def table(small_run: Path) -> pl.DataFrame:
    return pl.read_parquet(small_run / "data" / "table.parquet")


def test_rare_and_unseen_categories_become_not_known(table: pl.DataFrame) -> None:
    categories = fit_categories(table)
    assert all(len(table.filter(pl.col(column) == value)) >= RARE for column in ("payer", "specialty") for value in categories[column])
    strange = table.head(1).with_columns(pl.lit("never seen").alias("payer"))
    assert np.isnan(to_matrix(strange, categories)[0, FEATURES.index("payer")])


def test_matrix_places_each_category_at_its_index(table: pl.DataFrame) -> None:
    categories = fit_categories(table)
    X = to_matrix(table, categories)
    assert X.shape == (table.height, len(FEATURES))
    assert X.dtype == np.float32
    column = FEATURES.index("discharge_to")
    for i in range(50):
        value = table["discharge_to"][i]
        expected = categories["discharge_to"].index(value) if value in categories["discharge_to"] else None
        assert (expected is None and np.isnan(X[i, column])) or X[i, column] == expected


def test_calibration_recovers_a_known_distortion() -> None:
    rng = np.random.default_rng(0)
    log_odds = rng.normal(-2, 1, 200_000)
    y = rng.random(log_odds.size) < 1 / (1 + np.exp(-log_odds))
    fitted = fit_calibration(y, (log_odds + 0.7) / 1.3)
    assert (fitted.slope, fitted.intercept) == (pytest.approx(1.3, abs=0.02), pytest.approx(-0.7, abs=0.02))
    assert Calibration(0.0, 1.0).apply(np.array([0.0]))[0] == 0.5


def test_a_saved_model_predicts_the_same(small_run: Path, table: pl.DataFrame) -> None:
    predictions, _ = load_predictions(small_run)
    primary = predictions.filter(pl.col("cohort") == "all_encounters")
    rows = primary.select("encounter_id").join(table, on="encounter_id", how="left", maintain_order="left")
    again = load_model(small_run / "artefacts").predict(rows)
    np.testing.assert_allclose(again, primary["lightgbm"].to_numpy(), atol=1e-12)


def test_every_model_but_prevalence_ranks_the_twin_better_than_chance(small_run: Path) -> None:
    predictions, _ = load_predictions(small_run)
    primary = predictions.filter(pl.col("cohort") == "all_encounters")
    y = primary["returned_within_30_days"]
    found = {name: roc_auc_score(y, primary[name]) for name in ("lace", "logistic", "lightgbm")}
    assert min(found.values()) > 0.52, found
    assert primary["prevalence"].n_unique() == 1


def test_contributions_add_up_to_the_log_odds(small_run: Path, table: pl.DataFrame) -> None:
    model = load_model(small_run / "artefacts")
    rows = table.head(200)
    risk = model.predict(rows)
    parts = contributions(model, to_matrix(rows, model.categories))
    np.testing.assert_allclose(parts.sum(axis=1), np.log(risk / (1 - risk)), atol=1e-6)


def test_reasons_are_the_largest_contributions_in_words(small_run: Path, table: pl.DataFrame) -> None:
    model = load_model(small_run / "artefacts")
    row = table.row(0, named=True)
    part = contributions(model, to_matrix(table.head(1), model.categories))[0]
    reasons = top_reasons(row, part, n=3)
    sizes = [abs(reason["log_odds"]) for reason in reasons]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(np.abs(part[:-1]).max(), abs=1e-4)
    assert set(LABELS) == set(FEATURES)


def test_importance_ranks_all_features(small_run: Path, table: pl.DataFrame) -> None:
    sizes = importance(load_model(small_run / "artefacts"), table.head(300))
    assert set(sizes) == set(FEATURES)
    assert list(sizes.values()) == sorted(sizes.values(), reverse=True)
    assert set(CATEGORICAL) <= set(sizes)
