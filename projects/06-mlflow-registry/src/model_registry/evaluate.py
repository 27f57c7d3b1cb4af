"""Judge a model on held-out patients: every metric with an interval that draws patients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio import uncertainty
from carefolio.evidence import Metric, metric
from carefolio.metrics import calibration, discrimination, fairness
from carefolio.metrics.survival import integrated_brier_score, uno_c
from model_registry.config import EvaluationSettings
from model_registry.data import PATIENT
from model_registry.model import TARGET
from model_registry.tracking.models import Model

SERVED = {"readmission": "lightgbm", "survival": "hazards"}
PRIMARY = {"readmission": "readmission.test.lightgbm.roc_auc", "survival": "survival.test.hazards.uno_c"}
"""The metric by which versions are ranked; higher is better for both."""
PROBABILITY: dict[str, tuple[Callable[..., float], bool | None]] = {
    "roc_auc": (discrimination.roc_auc, True), "average_precision": (discrimination.average_precision, True),
    "brier_score": (calibration.brier_score, False), "calibration_slope": (calibration.calibration_slope, None),
    "calibration_intercept": (calibration.calibration_intercept, None),
}
GROUPS = ("race", "sex", "age_group")
FLAGGED = 0.20
Floats = NDArray[np.float64]


def evaluate(experiment: str, model: Model, rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure a model on the test part.

    Parameters
    ----------
    experiment : str
        ``readmission`` or ``survival``.
    model : ReadmissionModel or SurvivalModel
        The model.
    rows : polars.DataFrame
        Test rows.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        By evidence id.
    """
    options = {"groups": rows[PATIENT].to_numpy(), "n_replicates": settings.replicates, "level": settings.level, "random_state": seed}
    prefix = f"{experiment}.test"
    found = judge_risks(model, rows, options) if experiment == "readmission" else judge_survival(model, rows, options)
    if experiment == "readmission":
        found |= subgroup_gaps(model, rows, options, minimum_positives=settings.minimum_positives)
    return {f"{prefix}.{name if '.' in name else f'{SERVED[experiment]}.{name}'}": value
            for name, value in found.items()}


def judge_risks(model: Any, rows: pl.DataFrame, options: dict[str, Any]) -> dict[str, Metric]:
    """Measure ranking and calibration of stated risks.

    Parameters
    ----------
    model : ReadmissionModel
        The model.
    rows : polars.DataFrame
        Test rows.
    options : dict
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        By name of `PROBABILITY`, the share of returns found among the highest fifth, and the prevalence.
    """
    y, risk = rows[TARGET].to_numpy(), model.predict(rows)
    found = {name: metric(uncertainty.bootstrap_interval(function, y, risk, **options), higher_is_better=better)
             for name, (function, better) in PROBABILITY.items()}

    def _shares(weights: Floats) -> Floats:
        found = discrimination.workload(y, risk, flagged_fraction=FLAGGED, sample_weight=weights)
        return np.array([found.sensitivity, np.average(y, weights=weights)])

    sensitivity, prevalence = uncertainty.bootstrap_values(_shares, **options)
    found["sensitivity_at_top_20_percent"] = metric(sensitivity, higher_is_better=True)
    found["outcome.prevalence"] = metric(prevalence, higher_is_better=None)
    return found


def subgroup_gaps(model: Any, rows: pl.DataFrame, options: dict[str, Any], *, minimum_positives: int) -> dict[str, Metric]:
    """Measure the largest difference in AUROC between groups.

    Parameters
    ----------
    model : ReadmissionModel
        The model.
    rows : polars.DataFrame
        Test rows with the columns of `GROUPS`.
    options : dict
        Of the bootstrap.
    minimum_positives : int
        A group with fewer returns is left out.

    Returns
    -------
    dict of str to Metric
        ``<group>_roc_auc_gap``; a grouping with fewer than two groups of enough returns has none.
    """
    y, risk, gaps = rows[TARGET].to_numpy(), model.predict(rows), {}
    for column in GROUPS:
        groups = rows[column].to_numpy()
        large = [value for value in sorted(set(groups)) if minimum_positives <= y[groups == value].sum() < (groups == value).sum()]
        kept = np.isin(groups, large)
        if len(large) < 2:
            continue

        def _gap(weights: Floats, kept: NDArray[np.bool_] = kept, groups: NDArray[Any] = groups) -> Floats:
            values = fairness.group_metric(discrimination.roc_auc, y[kept], risk[kept], groups=groups[kept], sample_weight=weights,
                                           minimum_positives=1)
            return np.array([fairness.largest_gap(values).gap])

        drawn = {**options, "groups": options["groups"][kept]}
        gaps[f"{column}_roc_auc_gap"] = metric(uncertainty.bootstrap_values(_gap, **drawn)[0], higher_is_better=False)
    return gaps


def judge_survival(model: Any, rows: pl.DataFrame, options: dict[str, Any]) -> dict[str, Metric]:
    """Measure ranking and error of stated probabilities of living.

    Parameters
    ----------
    model : SurvivalModel
        The model.
    rows : polars.DataFrame
        Test rows.
    options : dict
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``uno_c`` and ``integrated_brier_score``, up to the last of the model's days.
    """
    event, time = rows["event"].to_numpy(), rows["time"].to_numpy()
    times, probability = np.asarray(model.times_days), np.clip(model.predict(rows), 0, 1)
    risk = 1 - probability.mean(axis=1)

    def _both(weights: Floats) -> Floats:
        return np.array([uno_c(event, time, risk, tau=float(times[-1]), sample_weight=weights),
                         integrated_brier_score(event, time, probability, times, sample_weight=weights)])

    ranked, error = uncertainty.bootstrap_values(_both, **options)
    return {"uno_c": metric(ranked, higher_is_better=True), "integrated_brier_score": metric(error, higher_is_better=False)}
