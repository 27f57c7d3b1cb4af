"""What the same model would seem to reach if rows leaked: the inflated scores of three common mistakes, made on purpose.

Nothing here feeds the served model. `carefolio.splits` refuses each mistake; this module goes round it to show the size of
the error, for the article and for teaching.
"""

from collections.abc import Callable, Mapping
from typing import Any

import lightgbm as lgb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.evidence import Metric, metric
from carefolio.metrics.discrimination import average_precision, roc_auc
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
    """Score the same LightGBM under an honest split and under each leak.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `readmission.data.prepare`.
    settings : ReadmissionSettings
        Seed and test fraction.
    parameters : mapping
        LightGBM's parameters.
    rounds : int
        Boosting rounds.

    Returns
    -------
    dict of str to Metric
        ``all_encounters.leak.<mistake>.roc_auc`` and ``.average_precision``; points without intervals, because a leaked
        score estimates nothing.
    """
    rows = table.filter(pl.col("all_encounters").is_not_null())
    found = {}
    for name, cut in _cuts().items():
        X_train, y_train, X_test, y_test = cut(rows, settings)
        score = _fit(X_train, y_train, parameters, rounds, settings.seed).predict(X_test)
        for label, function in (("roc_auc", roc_auc), ("average_precision", average_precision)):
            found[f"all_encounters.leak.{name}.{label}"] = metric(function(y_test, score), n=len(y_test), higher_is_better=True)
    return found


def _cuts() -> dict[str, Callable[[pl.DataFrame, ReadmissionSettings], Parts]]:
    return {"honest": split_by_patient, "row_split": split_by_row, "future_stays": count_future_stays, "smote_before_split": smote_first}


def _matrix(rows: pl.DataFrame) -> tuple[Matrix, Labels]:
    return to_matrix(rows, fit_categories(rows)), rows[TARGET].to_numpy()


def _fit(X: Matrix, y: Labels, parameters: Mapping[str, Any], rounds: int, seed: int) -> Any:
    data = lgb.Dataset(X, y, categorical_feature=CODES, params={"verbose": -1})
    return lgb.train(fixed_parameters(seed) | dict(parameters), data, num_boost_round=rounds)


def split_by_patient(rows: pl.DataFrame, settings: ReadmissionSettings) -> Parts:
    """Cut as the project does.

    Parameters
    ----------
    rows : polars.DataFrame
        Primary cohort.
    settings : ReadmissionSettings
        Not used; every cut takes it.

    Returns
    -------
    tuple
        ``X_train, y_train, X_test, y_test``.
    """
    return _cut(*_matrix(rows), (rows["all_encounters"] == "test").to_numpy())


def split_by_row(rows: pl.DataFrame, settings: ReadmissionSettings) -> Parts:
    """Draw test rows without regard to patients.

    Parameters
    ----------
    rows : polars.DataFrame
        Primary cohort.
    settings : ReadmissionSettings
        Seed and test fraction.

    Returns
    -------
    tuple
        ``X_train, y_train, X_test, y_test``.
    """
    return _cut(*_matrix(rows), _random_rows(rows.height, settings))


def count_future_stays(rows: pl.DataFrame, settings: ReadmissionSettings) -> Parts:
    """Split by patient, with one more feature: how many stays of the patient are still to come.

    Parameters
    ----------
    rows : polars.DataFrame
        Primary cohort.
    settings : ReadmissionSettings
        Not used; every cut takes it.

    Returns
    -------
    tuple
        ``X_train, y_train, X_test, y_test``.
    """
    X, y = _matrix(rows)
    future = rows.select(pl.len().over(PATIENT) - 1 - pl.int_range(pl.len()).over(PATIENT)).to_numpy().astype(np.float32)
    return _cut(np.hstack([X, future]), y, (rows["all_encounters"] == "test").to_numpy())


def smote_first(rows: pl.DataFrame, settings: ReadmissionSettings) -> Parts:
    """Oversample with SMOTE, then draw test rows, so that copies of training rows are judged.

    Parameters
    ----------
    rows : polars.DataFrame
        Primary cohort.
    settings : ReadmissionSettings
        Seed and test fraction.

    Returns
    -------
    tuple
        ``X_train, y_train, X_test, y_test``.
    """
    from imblearn.over_sampling import SMOTE

    X, y = _matrix(rows)
    X, y = SMOTE(random_state=settings.seed).fit_resample(np.nan_to_num(X, nan=NOT_KNOWN), y)
    X[:, CODES] = np.round(X[:, CODES])
    return _cut(X, y, _random_rows(len(y), settings))


def _random_rows(n: int, settings: ReadmissionSettings) -> NDArray[np.bool_]:
    return np.random.default_rng(settings.seed).random(n) < settings.data.test_fraction


def _cut(X: Matrix, y: Labels, test: NDArray[Any]) -> Parts:
    return X[~test], y[~test], X[test], y[test]
