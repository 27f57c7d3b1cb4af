"""Fit every model on training patients and predict the patients held out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.artefacts import atomic_path, read_json, write_json
from readmission.config import ReadmissionSettings
from readmission.data import COHORTS, GROUPS, PART, TARGET
from readmission.features import ENCOUNTER, PATIENT
from readmission.model import (
    Floats,
    ReadmissionModel,
    fit_calibration,
    fit_categories,
    fit_lace,
    fit_logistic,
    to_matrix,
    train_booster,
)
from readmission.tuning import cross_validate, patient_folds, search


def train(table: pl.DataFrame, settings: ReadmissionSettings, *, training: dict[str, Any],
          progress: Callable[[str], Any]) -> tuple[ReadmissionModel, pl.DataFrame, dict[str, Any]]:
    """Tune and fit on the primary cohort, refit for the two others, predict every test part.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `readmission.data.prepare`.
    settings : ReadmissionSettings
        Search and seed.
    training : dict
        What the manifest says of the origin of the training rows.
    progress : callable
        Gets a title and returns a context manager around that step.

    Returns
    -------
    model : ReadmissionModel
        The model to serve.
    predictions : polars.DataFrame
        One row a cohort and test encounter: ``cohort``, ids, target, groups, and a column for each of `MODELS`.
    record : dict
        Parameters, rounds, out-of-fold AUROC of each trial.
    """
    rows = training_rows(table, "all_encounters")
    y, patients = rows[TARGET].to_numpy(), rows[PATIENT].to_numpy()
    folds = patient_folds(y, patients, folds=settings.tuning.folds, seed=settings.seed)
    with progress("tune"):
        found = search(to_matrix(rows, fit_categories(rows)), y, folds, settings.tuning, seed=settings.seed)
    tuned = found["parameters"], found["rounds"]
    with progress("fit"):
        model = fit_lightgbm(rows, np.ones(len(y), dtype=bool), tuned, settings, margin=found["margin"], training=training)
        predictions = [predict_all(table, rows, model, "all_encounters")]
        for cohort in COHORTS[1:]:
            rows = training_rows(table, cohort)
            judged = rows[cohort].is_not_null().to_numpy()
            refitted = fit_lightgbm(rows, judged, tuned, settings, margin=None, training=training)
            predictions.append(predict_all(table, rows, refitted, cohort))
    record = {"parameters": found["parameters"], "rounds": found["rounds"], "out_of_fold_auroc": found["value"], "trials": found["trials"]}
    return model, pl.concat(predictions), record


def training_rows(table: pl.DataFrame, cohort: str) -> pl.DataFrame:
    """Give the rows a cohort's model learns from.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `readmission.data.prepare`.
    cohort : str
        One of `COHORTS`.

    Returns
    -------
    polars.DataFrame
        The cohort's training part; for ``one_encounter`` all stays of its training patients, because more stays teach more
        and none belongs to a test patient.
    """
    return table.filter(pl.col(PART if cohort == "one_encounter" else cohort) == "train")


def fit_lightgbm(rows: pl.DataFrame, judged: NDArray[np.bool_], tuned: tuple[dict[str, Any], int], settings: ReadmissionSettings, *,
                 margin: Floats | None, training: dict[str, Any]) -> ReadmissionModel:
    """Fit one booster on all training rows and calibrate it on out-of-fold margins.

    Parameters
    ----------
    rows : polars.DataFrame
        Training rows.
    judged : ndarray of shape (n,)
        Which rows are of the kind that the model will judge; calibration uses only these.
    tuned : tuple
        Parameters and rounds.
    settings : ReadmissionSettings
        Folds and seed.
    margin : ndarray of shape (n,), optional
        Out-of-fold margins of these parameters; computed if not given.
    training : dict
        Goes into the manifest.

    Returns
    -------
    ReadmissionModel
        The fitted model.
    """
    parameters, rounds = tuned
    categories = fit_categories(rows)
    X, y = to_matrix(rows, categories), rows[TARGET].to_numpy()
    if margin is None:
        folds = patient_folds(y, rows[PATIENT].to_numpy(), folds=settings.tuning.folds, seed=settings.seed)
        margin, _ = cross_validate(X, y, folds, parameters, settings.tuning, seed=settings.seed)
    calibration = fit_calibration(y[judged], margin[judged])
    booster = train_booster(X, y, parameters, rounds=rounds, seed=settings.seed)
    return ReadmissionModel(booster, calibration, categories, training | {"parameters": parameters, "rounds": rounds, "rows": len(y)})


def predict_all(table: pl.DataFrame, rows: pl.DataFrame, model: ReadmissionModel, cohort: str) -> pl.DataFrame:
    """Predict a cohort's test part with every model.

    Parameters
    ----------
    table : polars.DataFrame
        All rows.
    rows : polars.DataFrame
        The cohort's training rows, on which the simpler models are fitted here.
    model : ReadmissionModel
        The cohort's LightGBM.
    cohort : str
        One of `COHORTS`.

    Returns
    -------
    polars.DataFrame
        See `train`.
    """
    test = table.filter(pl.col(cohort) == "test")
    y = rows[TARGET].to_numpy()
    columns = {
        "prevalence": np.full(test.height, y.mean()),
        "lace": fit_lace(rows, y).predict_proba(test)[:, 1],
        "logistic": fit_logistic(rows, y).predict_proba(test)[:, 1],
        "lightgbm": model.predict(test),
    }
    keys = [pl.lit(cohort).alias("cohort"), ENCOUNTER, PATIENT, TARGET, *GROUPS]
    return test.select(keys).with_columns(pl.Series(name, values) for name, values in columns.items())


def save(model: ReadmissionModel, predictions: pl.DataFrame, record: dict[str, Any], out: Path) -> None:
    """Write model, predictions and record; the record goes last.

    Parameters
    ----------
    model : ReadmissionModel
        The served model.
    predictions : polars.DataFrame
        Test predictions.
    record : dict
        Result of `train`.
    out : Path
        Folder of the run.
    """
    (out / "train" / "train.json").unlink(missing_ok=True)
    model.save(out / "artefacts")
    with atomic_path(out / "train" / "predictions.parquet") as path:
        predictions.write_parquet(path)
    write_json(out / "train" / "train.json", record)


def load_predictions(out: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Read what `save` wrote.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    predictions : polars.DataFrame
        Test predictions.
    record : dict
        Result of `train`.
    """
    record = read_json(out / "train" / "train.json")
    return pl.read_parquet(out / "train" / "predictions.parquet"), record
