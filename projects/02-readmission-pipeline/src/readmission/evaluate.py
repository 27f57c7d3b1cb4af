"""Judge the held-out patients: every metric with a patient-cluster interval, curves for figures and dashboard."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio import uncertainty
from carefolio.artefacts import write_json
from carefolio.evidence import Metric, metric
from carefolio.metrics import calibration, decision_curve, discrimination, fairness
from readmission.config import EvaluationSettings
from readmission.data import COHORTS, GROUPS, TARGET
from readmission.features import PATIENT
from readmission.model import MODELS

SERVED = "lightgbm"
PEER = "lace"
THRESHOLD_GRID = np.round(np.arange(0.02, 0.401, 0.005), 3)
SCALAR: dict[str, tuple[Callable[..., float], bool | None]] = {
    "brier_score": (calibration.brier_score, False),
    "log_loss": (discrimination.log_loss, False),
    "calibration_slope": (calibration.calibration_slope, None),
    "calibration_intercept": (calibration.calibration_intercept, None),
    "expected_calibration_error": (calibration.expected_calibration_error, False),
}
Rows = NDArray[Any]


def evaluate(predictions: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Compute all metrics of all cohorts, and the curves of the primary one.

    Parameters
    ----------
    predictions : polars.DataFrame
        Result of `readmission.train.train`.
    settings : EvaluationSettings
        Replicates, thresholds, operating points.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Aggregated points for figures and dashboard; no row of any patient.
    """
    metrics: dict[str, Metric] = {}
    for cohort in COHORTS:
        rows = predictions.filter(pl.col("cohort") == cohort)
        metrics |= ranking(rows, cohort, settings, seed=seed) | probabilities(rows, cohort, settings, seed=seed)
    primary = predictions.filter(pl.col("cohort") == COHORTS[0])
    subgroup_metrics, subgroups = by_subgroup(primary, settings, seed=seed)
    metrics |= operating_points(primary, settings, seed=seed) | benefits(primary, settings, seed=seed) | subgroup_metrics
    return metrics, curves(primary, settings, seed=seed) | {"subgroups": subgroups}


def _bootstrap(settings: EvaluationSettings, rows: pl.DataFrame, seed: int, *, curve: bool = False) -> dict[str, Any]:
    replicates = settings.curve_replicates if curve else settings.replicates
    return {"groups": rows[PATIENT].to_numpy(), "n_replicates": replicates, "level": settings.level, "random_state": seed}


def ranking(rows: pl.DataFrame, cohort: str, settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure AUROC and average precision of every model, and the served model's lead over each peer on the same replicates.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions of one cohort.
    cohort : str
        Its name.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        Ids ``<cohort>.test.<model>.roc_auc`` and so on; differences under ``lightgbm_minus_<model>``.
    """
    scores = {name: rows[name].to_numpy() for name in MODELS}
    peers = [(SERVED, name) for name in MODELS if name not in (SERVED, "prevalence")]
    found = uncertainty.bootstrap_rank_metrics(rows[TARGET].to_numpy(), scores, differences=peers, **_bootstrap(settings, rows, seed))
    return {f"{cohort}.test.{model.replace(' - ', '_minus_')}.{name}": metric(interval, higher_is_better=True)
            for model, intervals in found.items() for name, interval in intervals.items()}


def probabilities(rows: pl.DataFrame, cohort: str, settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Score calibration and probabilities of the models that state a risk.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions of one cohort.
    cohort : str
        Its name.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        One entry a model and metric of `SCALAR`, and the cohort's prevalence.
    """
    y, options = rows[TARGET].to_numpy(), _bootstrap(settings, rows, seed, curve=True)
    found = {f"{cohort}.test.{model}.{name}": metric(uncertainty.bootstrap_interval(function, y, rows[model].to_numpy(), **options),
                                                    higher_is_better=better)
             for model in MODELS if model != "prevalence" for name, (function, better) in SCALAR.items()}
    share = uncertainty.bootstrap_values(lambda weights: np.array([np.average(y, weights=weights)]), **options)[0]
    return found | {f"{cohort}.test.outcome.prevalence": metric(share, higher_is_better=None)}


def operating_points(rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure what flagging the highest risks finds and costs.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions of the primary cohort.
    settings : EvaluationSettings
        ``flagged_fractions``.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        Sensitivity and precision at each share, of the served model and of LACE.
    """
    y = rows[TARGET].to_numpy()
    found: dict[str, Metric] = {}
    for model in (SERVED, PEER):
        score = rows[model].to_numpy()
        for share in settings.flagged_fractions:
            def _at_cut(weights: Rows, score: Rows = score, share: float = share) -> Rows:
                result = discrimination.workload(y, score, flagged_fraction=share, sample_weight=weights)
                return np.array([result.sensitivity, result.precision])

            intervals = uncertainty.bootstrap_values(_at_cut, **_bootstrap(settings, rows, seed, curve=True))
            for name, interval in zip(("sensitivity", "precision"), intervals, strict=True):
                found[f"all_encounters.test.{model}.{name}_at_top_{share * 100:.0f}_percent"] = metric(interval, higher_is_better=True)
    return found


def benefits(rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> dict[str, Metric]:
    """Measure net benefit at each risk threshold, and the lead over LACE and over flagging everybody or nobody.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions of the primary cohort.
    settings : EvaluationSettings
        ``risk_thresholds``.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        Net benefit per patient.
    """
    y = rows[TARGET].to_numpy()
    found: dict[str, Metric] = {}
    for threshold in settings.risk_thresholds:
        def _benefit(weights: Rows, threshold: float = threshold) -> Rows:
            served, peer = (decision_curve.net_benefit(y, rows[name].to_numpy(), risk_threshold=threshold, sample_weight=weights)
                            for name in (SERVED, PEER))
            default = max(0.0, decision_curve.net_benefit_treat_all(y, risk_threshold=threshold, sample_weight=weights))
            return np.array([served, served - peer, served - default])

        intervals = uncertainty.bootstrap_values(_benefit, **_bootstrap(settings, rows, seed, curve=True))
        names = (SERVED, f"{SERVED}_minus_{PEER}", f"{SERVED}_minus_default")
        found |= {f"all_encounters.test.{name}.net_benefit_at_{threshold * 100:.0f}_percent": metric(interval, higher_is_better=True)
                  for name, interval in zip(names, intervals, strict=True)}
    return found


def by_subgroup(rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> tuple[dict[str, Metric], list[dict[str, Any]]]:
    """Measure AUROC, calibration in the large and sensitivity at the top 20 % by race, sex and age, and the largest AUROC gaps.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions of the primary cohort.
    settings : EvaluationSettings
        ``minimum_positives``: a smaller group is listed without a figure.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        The gaps, under ``all_encounters.test.lightgbm.<group>_roc_auc_gap``.
    table : list of dict
        One entry a subgroup: name, rows, events, and the three metrics with intervals, or None.
    """
    threshold = float(np.quantile(rows[SERVED].to_numpy(), 0.8))
    metrics, table = {}, []
    for column in GROUPS:
        members = [_subgroup(rows, column, str(value), threshold, settings, seed) for value in rows[column].unique().sort()]
        table += members
        large = [member["value"] for member in members if member["roc_auc"] is not None]
        if len(large) < 2:
            continue
        kept = rows.filter(pl.col(column).is_in(large))
        metrics[f"all_encounters.test.{SERVED}.{column}_roc_auc_gap"] = metric(_gap(kept, column, settings, seed), higher_is_better=False)
    return metrics, table


def _subgroup(rows: pl.DataFrame, column: str, value: str, threshold: float, settings: EvaluationSettings, seed: int) -> dict[str, Any]:
    part = rows.filter(pl.col(column) == value)
    y, prob = part[TARGET].to_numpy(), part[SERVED].to_numpy()
    member: dict[str, Any] = {"group": column, "value": value, "rows": part.height, "events": int(y.sum()), "roc_auc": None,
                              "observed_minus_predicted": None, "sensitivity": None}
    if min(y.sum(), len(y) - y.sum()) < settings.minimum_positives:
        return member

    def _values(weights: Rows) -> Rows:
        flagged = np.average(prob >= threshold, weights=weights * y)
        return np.array([discrimination.roc_auc(y, prob, sample_weight=weights), np.average(y - prob, weights=weights), flagged])

    intervals = uncertainty.bootstrap_values(_values, **_bootstrap(settings, part, seed, curve=True))
    names = ("roc_auc", "observed_minus_predicted", "sensitivity")
    return member | {name: {"value": i.value, "low": i.low, "high": i.high} for name, i in zip(names, intervals, strict=True)}


def _gap(rows: pl.DataFrame, column: str, settings: EvaluationSettings, seed: int) -> uncertainty.Interval:
    y, prob, groups = rows[TARGET].to_numpy(), rows[SERVED].to_numpy(), rows[column].to_numpy()

    def _gap_of(weights: Rows) -> Rows:
        values = fairness.group_metric(discrimination.roc_auc, y, prob, groups=groups, sample_weight=weights, minimum_positives=1)
        return np.array([fairness.largest_gap(values).gap])

    return uncertainty.bootstrap_values(_gap_of, **_bootstrap(settings, rows, seed, curve=True))[0]


def curves(rows: pl.DataFrame, settings: EvaluationSettings, *, seed: int) -> dict[str, Any]:
    """List the points of the calibration, ROC, precision-recall and decision curves of the primary cohort.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions of the primary cohort.
    settings : EvaluationSettings
        Replicates of the band around the decision curve.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        Lists of numbers, ready for JSON.
    """
    y = rows[TARGET].to_numpy()
    probs = {name: rows[name].to_numpy() for name in MODELS if name != "prevalence"}
    bins = calibration.calibration_curve(y, probs[SERVED], n_bins=10)
    decision = decision_curve.decision_curve(y, dict(reversed(probs.items())), risk_thresholds=THRESHOLD_GRID)
    served = {SERVED: probs[SERVED]}

    def _band(weights: Rows) -> Rows:
        return np.asarray(decision_curve.decision_curve(y, served, risk_thresholds=THRESHOLD_GRID, sample_weight=weights)[SERVED])

    intervals = uncertainty.bootstrap_values(_band, **_bootstrap(settings, rows, seed, curve=True))
    flagged = {name: [_flagged(y, prob, threshold) for threshold in THRESHOLD_GRID] for name, prob in probs.items()}
    return {
        "calibration": {name: _list(getattr(bins, name)) for name in ("mean_predicted", "observed", "low", "high", "count")},
        "roc": {name: _points(discrimination.roc_points(y, prob, n_points=200)) for name, prob in probs.items()},
        "precision_recall": {name: _points(discrimination.precision_recall_points(y, prob, n_points=200)) for name, prob in probs.items()},
        "risk_thresholds": _list(THRESHOLD_GRID),
        "net_benefit": {name: _list(values) for name, values in decision.items() if name != "risk_threshold"},
        "net_benefit_band": {"low": [i.low for i in intervals], "high": [i.high for i in intervals]},
        "flagged": flagged,
    }


def _flagged(y: Rows, prob: Rows, threshold: float) -> dict[str, float | None]:
    found = discrimination.classification_at(y, prob, risk_threshold=threshold)
    return {name: None if np.isnan(value) else float(value) for name, value in vars(found).items()}


def _points(points: Any) -> dict[str, list[float]]:
    return {name: _list(values) for name, values in vars(points).items() if name != "threshold"}


def _list(values: Any) -> list[float]:
    return [round(float(value), 6) for value in values]


def save(metrics: Mapping[str, Metric], curve_points: dict[str, Any], out: Path) -> None:
    """Write the result of `evaluate`.

    Parameters
    ----------
    metrics : mapping
        Metrics by id.
    curve_points : dict
        Curves.
    out : Path
        Folder of the run.
    """
    (out / "evaluate" / "metrics.json").unlink(missing_ok=True)
    write_json(out / "evaluate" / "curves.json", curve_points)
    write_json(out / "evaluate" / "metrics.json", {name: value.model_dump() for name, value in metrics.items()})
