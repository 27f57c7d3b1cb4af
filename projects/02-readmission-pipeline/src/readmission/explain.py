"""Why a risk is what it is: exact TreeSHAP contributions (Lundberg et al., Nature Machine Intelligence 2020;2:56-67) from LightGBM."""

from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from readmission.features import FEATURES
from readmission.model import Floats, ReadmissionModel, to_matrix

LABELS = {
    "age_years": "age", "los_days": "length of stay", "lab_procedures": "laboratory tests", "procedures": "other procedures",
    "medications": "medications given", "outpatient_visits_1y": "outpatient visits, year before",
    "emergency_visits_1y": "emergency visits, year before", "inpatient_stays_1y": "hospital stays, year before",
    "diagnoses": "number of diagnoses", "visits_1y": "all visits, year before", "drugs_taken": "diabetes drugs taken",
    "drugs_increased": "diabetes drugs increased", "drugs_decreased": "diabetes drugs decreased", "charlson_index": "Charlson index",
    "elixhauser_count": "Elixhauser comorbidities", "earlier_stays": "earlier stays on file", "earlier_returns": "earlier 30-day returns",
    "last_stay_returned": "last stay ended in a 30-day return", "earlier_bed_days": "bed days of earlier stays",
    "last_los_days": "length of the last stay", "last_medications": "medications at the last stay",
    "last_lab_procedures": "laboratory tests at the last stay", "last_inpatient_stays_1y": "hospital stays before the last stay",
    "last_emergency_visits_1y": "emergency visits before the last stay", "same_group_as_last": "same diagnosis group as last stay",
    "gender": "sex", "admission_type": "type of admission", "admission_source": "source of admission", "discharge_to": "discharged to",
    "payer": "payer", "specialty": "admitting specialty", "glucose": "glucose test", "a1c": "HbA1c test",
    "medication_change": "change of diabetes medication", "diabetes_medication": "any diabetes medication", "insulin": "insulin",
    "metformin": "metformin", "diagnosis_group_1": "main diagnosis", "diagnosis_group_2": "second diagnosis",
    "diagnosis_group_3": "third diagnosis", "last_discharge_to": "discharged to after the last stay",
}


def contributions(model: ReadmissionModel, X: NDArray[np.float32], *, num_threads: int = 0) -> Floats:
    """Split each prediction among the features.

    Parameters
    ----------
    model : ReadmissionModel
        The model.
    X : ndarray of shape (n, len(FEATURES))
        Result of `readmission.model.to_matrix`.
    num_threads : int, default 0
        Threads for LightGBM; 0 is its own choice, 1 the fastest for one row on a busy machine.

    Returns
    -------
    ndarray of shape (n, len(FEATURES) + 1)
        Log-odds after calibration; the last column is the baseline. A row sums to the log-odds of its risk; positive raises it.
    """
    found: Floats = np.asarray(model.booster.predict(X, pred_contrib=True, num_threads=num_threads)) * model.calibration.slope
    found[:, -1] += model.calibration.intercept
    return found


def importance(model: ReadmissionModel, features: pl.DataFrame) -> dict[str, float]:
    """Rank features by their mean absolute contribution.

    Parameters
    ----------
    model : ReadmissionModel
        The model.
    features : polars.DataFrame
        Rows to average over.

    Returns
    -------
    dict of str to float
        Feature to mean absolute log-odds, largest first.
    """
    sizes = np.abs(contributions(model, to_matrix(features, model.categories))[:, :-1]).mean(axis=0)
    return {FEATURES[i]: round(float(sizes[i]), 6) for i in np.argsort(-sizes)}


def top_reasons(row: dict[str, Any], contribution: Floats, *, n: int = 5) -> list[dict[str, Any]]:
    """Name what moved one prediction most.

    Parameters
    ----------
    row : dict
        Feature values.
    contribution : ndarray of shape (len(FEATURES) + 1,)
        A row of `contributions`.
    n : int
        How many reasons.

    Returns
    -------
    list of dict
        ``feature``, ``label``, ``value``, ``log_odds`` (positive raises the risk), strongest first.
    """
    order = np.argsort(-np.abs(contribution[:-1]))[:n]
    return [{"feature": FEATURES[i], "label": LABELS[FEATURES[i]], "value": row[FEATURES[i]], "log_odds": round(float(contribution[i]), 4)}
            for i in order]
