"""What the same model would seem to reach if rows leaked: the scores of three common mistakes, made on purpose.

Nothing here feeds the served model. `carefolio.splits` refuses a patient on both sides and resampling before the split, and the
tests of the features rewrite the future; this module goes round them to show the size of the error, for the article and for teaching.
"""

from collections.abc import Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.evidence import Metric, metric
from carefolio.metrics.discrimination import average_precision, roc_auc
from carefolio.splits import patient_split
from readmission.config import ReadmissionSettings
from readmission.data import TARGET
from readmission.features import CATEGORICAL, FEATURES, PATIENT
from readmission.model import fit_categories, fixed_parameters, to_matrix

Matrix = NDArray[np.float32]
Labels = NDArray[Any]
Parts = tuple[Matrix, Labels, Matrix, Labels]

CODES = [FEATURES.index(column) for column in CATEGORICAL]
NOT_KNOWN = 99.0  # SMOTE takes no NaN


def inflated_scores(table: pl.DataFrame, settings: ReadmissionSettings, *, parameters: Mapping[str, Any], rounds: int) -> dict[str, Metric]:
    """Score the same LightGBM under honest splits and under each leak, on several random splits each.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `readmission.data.prepare`.
    settings : ReadmissionSettings
        Seed, test fraction and number of splits.
    parameters : mapping
        LightGBM's parameters.
    rounds : int
        Boosting rounds.

    Returns
    -------
    dict of str to Metric
        ``all_encounters.leak.<mistake>.roc_auc`` and ``.average_precision``: means over the splits, without intervals, because
        a leaked score estimates nothing.
    """
    rows = table.filter(pl.col("all_encounters").is_not_null())
    X, y = to_matrix(rows, fit_categories(rows)), rows[TARGET].to_numpy()
    found = {}
    for name, cut in CUTS.items():
        scores = []
        for seed in range(settings.seed, settings.seed + settings.evaluation.leak_splits):
            X_train, y_train, X_test, y_test = cut(X, y, rows[PATIENT], seed, settings.data.test_fraction)
            score = _fit(X_train, y_train, parameters, rounds, settings.seed).predict(X_test)
            scores.append((roc_auc(y_test, score), average_precision(y_test, score)))
        for label, value in zip(("roc_auc", "average_precision"), np.mean(scores, axis=0), strict=True):
            found[f"all_encounters.leak.{name}.{label}"] = metric(float(value), n=len(y_test), higher_is_better=True)
    return found


def _fit(X: Matrix, y: Labels, parameters: Mapping[str, Any], rounds: int, seed: int) -> lgb.Booster:
    data = lgb.Dataset(X, y, categorical_feature=CODES, params={"verbose": -1})
    return lgb.train(fixed_parameters(seed) | dict(parameters), data, num_boost_round=rounds)


def _split_by_patient(X: Matrix, y: Labels, patients: pl.Series, seed: int, test_fraction: float) -> Parts:
    """Cut as the project does."""
    return _cut(X, y, _random_patients(patients, seed, test_fraction))


def _split_by_row(X: Matrix, y: Labels, patients: pl.Series, seed: int, test_fraction: float) -> Parts:
    """Draw test rows without regard to patients."""
    return _cut(X, y, _random_rows(len(y), seed, test_fraction))


def _count_future_stays(X: Matrix, y: Labels, patients: pl.Series, seed: int, test_fraction: float) -> Parts:
    """Split by patient, with one more feature: how many stays of the patient are still to come."""
    stays = patients.to_frame(PATIENT)
    future = stays.select(pl.len().over(PATIENT) - 1 - pl.int_range(pl.len()).over(PATIENT)).to_numpy().astype(np.float32)
    return _cut(np.hstack([X, future]), y, _random_patients(patients, seed, test_fraction))


def _smote_first(X: Matrix, y: Labels, patients: pl.Series, seed: int, test_fraction: float) -> Parts:
    """Oversample with SMOTE, then draw test rows, so that relatives of training rows are judged."""
    from imblearn.over_sampling import SMOTE

    X, y = SMOTE(random_state=seed).fit_resample(np.nan_to_num(X, nan=NOT_KNOWN), y)
    X[:, CODES] = np.round(X[:, CODES])
    return _cut(X, y, _random_rows(len(y), seed, test_fraction))


CUTS = {"honest": _split_by_patient, "row_split": _split_by_row, "future_stays": _count_future_stays, "smote_before_split": _smote_first}
"""Each takes the primary cohort's matrix, target and patients, a seed and the share to hold out: ``X_train, y_train, X_test, y_test``."""


def _random_patients(patients: pl.Series, seed: int, test_fraction: float) -> NDArray[np.bool_]:
    fractions = {"train": 1 - test_fraction, "test": test_fraction}
    return patient_split(patients.to_numpy(), fractions=fractions, random_state=seed) == "test"


def _random_rows(n: int, seed: int, test_fraction: float) -> NDArray[np.bool_]:
    return np.random.default_rng(seed).random(n) < test_fraction


def _cut(X: Matrix, y: Labels, test: NDArray[Any]) -> Parts:
    return X[~test], y[~test], X[test], y[test]
