"""Judge a model on held-out patients: every metric with an interval that draws patients."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio import uncertainty
from carefolio.evidence import Metric, metric
from carefolio.metrics import calibration, discrimination
from carefolio.metrics.survival import integrated_brier_score, uno_c
from model_registry.config import EvaluationSettings
from model_registry.data import PATIENT
from model_registry.model import TARGET
from model_registry.names import RANKED_BY, SERVED
from model_registry.survival import EVENT, TIME
from model_registry.tracking.models import Model

PROBABILITY: dict[str, tuple[Callable[..., float], bool | None]] = {
    "roc_auc": (discrimination.roc_auc, True), "average_precision": (discrimination.average_precision, True),
    "brier_score": (calibration.brier_score, False), "calibration_slope": (calibration.calibration_slope, None),
    "calibration_intercept": (calibration.calibration_intercept, None),
}
HAPPENED = {"readmission": TARGET, "survival": EVENT}
GROUPS = ("race", "sex", "age_group")
FLAGGED = 0.20
Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Score = Callable[[Rows, Floats], float]
"""Takes places of rows and their weights; gives the primary metric of a model on them."""


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
    options = bootstrap_options(rows, settings, seed=seed)
    found = {"readmission": judge_risks, "survival": judge_survival}[experiment](model, rows, options)
    found |= subgroup_gaps(experiment, model, rows, settings, seed=seed)
    return {f"{experiment}.test.{name if '.' in name else f'{SERVED[experiment]}.{name}'}": value for name, value in found.items()}


def bootstrap_options(rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> dict[str, Any]:
    """Say how patients are drawn.

    Parameters
    ----------
    rows : polars.DataFrame
        Rows with their patient.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict
        As `carefolio.uncertainty.bootstrap_values` takes it.
    """
    return {"groups": rows[PATIENT].to_numpy(), "n_replicates": settings.replicates, "level": settings.level, "random_state": seed}


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
        ``uno_c`` and ``integrated_brier_score``, up to the last of the model's days, and the share of patients whose death was seen.
    """
    event, time = rows[EVENT].to_numpy(), rows[TIME].to_numpy()
    times, probability = np.asarray(model.times_days), np.clip(model.predict(rows), 0, 1)
    risk = 1 - probability.mean(axis=1)

    def _all(weights: Floats) -> Floats:
        ranked = uno_c(event, time, risk, tau=float(times[-1]), sample_weight=weights)
        error = integrated_brier_score(event, time, probability, times, sample_weight=weights)
        return np.array([ranked, error, np.average(event, weights=weights)])

    ranked, error, died = uncertainty.bootstrap_values(_all, **options)
    return {"uno_c": metric(ranked, higher_is_better=True), "integrated_brier_score": metric(error, higher_is_better=False),
            "outcome.prevalence": metric(died, higher_is_better=None)}


def score_of(experiment: str, model: Any, rows: pl.DataFrame) -> Score:
    """Prepare the primary metric of a model.

    Parameters
    ----------
    experiment : str
        ``readmission`` (AUROC) or ``survival`` (Uno's C up to the last of the model's days).
    model : ReadmissionModel or SurvivalModel
        The model.
    rows : polars.DataFrame
        Test rows.

    Returns
    -------
    callable
        A `Score`.
    """
    if experiment == "readmission":
        y, risk = rows[TARGET].to_numpy(), model.predict(rows)
        return lambda chosen, weights: discrimination.roc_auc(y[chosen], risk[chosen], sample_weight=weights)
    event, time, tau = rows[EVENT].to_numpy(), rows[TIME].to_numpy(), float(model.times_days[-1])
    dying = 1 - model.predict(rows).mean(axis=1)
    return lambda chosen, weights: uno_c(event[chosen], time[chosen], dying[chosen], tau=tau, sample_weight=weights)


def subgroup_gaps(experiment: str, model: Model, rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure the largest difference in the primary metric between groups.

    Parameters
    ----------
    experiment : str
        ``readmission`` or ``survival``.
    model : ReadmissionModel or SurvivalModel
        The model.
    rows : polars.DataFrame
        Test rows with the columns of `GROUPS`.
    settings : EvaluationSettings
        Replicates and level, and the number of events below which a group is left out.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``<group>_<metric>_gap``; a grouping with fewer than two groups of enough events has none.
    """
    score, happened, gaps = score_of(experiment, model, rows), rows[HAPPENED[experiment]].to_numpy(), {}
    for column in GROUPS:
        values = rows[column].to_numpy()
        members = [np.flatnonzero(values == value) for value in rows[column].drop_nulls().unique().sort()]
        large = [places for places in members if settings.minimum_positives <= happened[places].sum() < len(places)]
        if len(large) < 2:
            continue
        kept = np.sort(np.concatenate(large))

        def _gap(weights: Floats, large: list[Rows] = large, kept: Rows = kept) -> Floats:
            found = [score(places, weights[np.searchsorted(kept, places)]) for places in large]
            return np.array([max(found) - min(found)])

        drawn = bootstrap_options(rows[kept], settings, seed=seed)
        gaps[f"{column}_{RANKED_BY[experiment]}_gap"] = metric(uncertainty.bootstrap_values(_gap, **drawn)[0], higher_is_better=False)
    return gaps


def measure_lead(experiment: str, first: Model, second: Model, rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> Metric:
    """Measure by how much a model ranks better than another, both on the same draws of patients.

    Parameters
    ----------
    experiment : str
        ``readmission`` or ``survival``.
    first, second : ReadmissionModel or SurvivalModel
        The models.
    rows : polars.DataFrame
        Test rows.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Metric
        The primary metric of the first less that of the second; an interval without 0 tells them apart.
    """
    leading, trailing = (score_of(experiment, model, rows) for model in (first, second))
    everybody = np.arange(rows.height)

    def _lead(weights: Floats) -> Floats:
        return np.array([leading(everybody, weights) - trailing(everybody, weights)])

    return metric(uncertainty.bootstrap_values(_lead, **bootstrap_options(rows, settings, seed=seed))[0], higher_is_better=True)
