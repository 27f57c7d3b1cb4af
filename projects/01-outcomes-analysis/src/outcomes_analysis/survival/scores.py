"""What the out-of-fold predictions are worth: every number with an interval from a bootstrap of patients.

All comparisons stand on the patients for whom the SUPPORT model's estimate exists. Uno's C, up to the last of the times, ranks by
the area under the predicted survival curve, the SUPPORT model by its six-month estimate.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio import uncertainty
from carefolio.evidence import Metric, metric
from carefolio.metrics import calibration, decision_curve, discrimination, fairness, survival
from outcomes_analysis.survival.cohort import EVENT, GROUPS, PATIENT, TARGET, TIME
from outcomes_analysis.survival.search import VARIANTS
from outcomes_analysis.survival.settings import SurvivalSettings
from outcomes_analysis.survival.train import CANDIDATES, SURVIVAL

PEER, SCORE = "support_model", "physiology_score"
PREFIX = "support2.out_of_fold"
PROBABILITIES = {**{name: name for name in (*CANDIDATES, PEER)}, SCORE: "physiology_score_recalibrated"}
"""Model to the column that holds its probability of death by the horizon."""
SCALAR: dict[str, tuple[Callable[..., float], bool | None]] = {
    "brier_score": (calibration.brier_score, False),
    "calibration_slope": (calibration.calibration_slope, None),
    "calibration_intercept": (calibration.calibration_intercept, None),
    "expected_calibration_error": (calibration.expected_calibration_error, False),
}
Rows = NDArray[Any]


def bootstrap_options(settings: SurvivalSettings, rows: pl.DataFrame, seed: int, *, curve: bool = False) -> dict[str, Any]:
    """Give the arguments that all bootstraps share.

    Parameters
    ----------
    settings : SurvivalSettings
        Replicates and level.
    rows : polars.DataFrame
        Predictions.
    seed : int
        Seed.
    curve : bool
        Whether the smaller number of replicates is enough.

    Returns
    -------
    dict
        ``groups``, ``n_replicates``, ``level`` and ``random_state``.
    """
    replicates = settings.curve_replicates if curve else settings.replicates
    return {"groups": rows[PATIENT].to_numpy(), "n_replicates": replicates, "level": settings.level, "random_state": seed}


def ranking(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int, prefix: str = PREFIX,
            models: tuple[str, ...] = (*CANDIDATES, *VARIANTS)) -> dict[str, Metric]:
    """Measure AUROC and average precision at the horizon, and each model's lead over the SUPPORT model on the same replicates.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.
    prefix : str
        Start of the evidence ids.
    models : tuple of str
        Columns to judge beside the peers.

    Returns
    -------
    dict of str to Metric
        By evidence id; a difference stands under ``<model>_minus_support_model``.
    """
    scores = {name: rows[name].to_numpy() for name in (*models, PEER)}
    scores[SCORE] = rows[SCORE].fill_null(rows[SCORE].median()).to_numpy()
    options = bootstrap_options(settings, rows, seed)
    found = uncertainty.bootstrap_rank_metrics(rows[TARGET].to_numpy(), scores, differences=[(name, PEER) for name in models], **options)
    return {f"{prefix}.{name.replace(' - ', '_minus_')}.{measure}": metric(interval, higher_is_better=True)
            for name, intervals in found.items() for measure, interval in intervals.items()}


def concordance(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> dict[str, Metric]:
    """Measure Uno's C up to the last time, and each model's lead over the SUPPORT model.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        Times, replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``<model>.uno_c``.
    """
    times = np.asarray(settings.times_days, dtype=float)
    risks = {name: -np.trapezoid(survival_matrix(rows, name), times, axis=1) for name in CANDIDATES}
    risks |= {PEER: rows[PEER].to_numpy(), SCORE: rows[SCORE].fill_null(rows[SCORE].median()).to_numpy()}
    of_weights = survival.concordance_of_weights(rows[EVENT].to_numpy(), rows[TIME].to_numpy(), risks, tau=float(times[-1]))

    def _with_leads(weights: Rows) -> Rows:
        values = of_weights(weights)
        return np.concatenate([values, values[: len(CANDIDATES)] - values[len(CANDIDATES)]])

    names = [*risks, *(f"{name}_minus_{PEER}" for name in CANDIDATES)]
    intervals = uncertainty.bootstrap_values(_with_leads, **bootstrap_options(settings, rows, seed))
    return {f"{PREFIX}.{name}.uno_c": metric(interval, higher_is_better=True) for name, interval in zip(names, intervals, strict=True)}


def probabilities(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> dict[str, Metric]:
    """Score the probabilities of death by the horizon.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        One entry a model and metric of `SCALAR`, the lead in Brier score, and the share that died.
    """
    y, options = rows[TARGET].to_numpy(), bootstrap_options(settings, rows, seed, curve=True)
    probs = {model: rows[column].to_numpy() for model, column in PROBABILITIES.items()}
    found = {f"{PREFIX}.{model}.{name}": metric(uncertainty.bootstrap_interval(function, y, prob, **options), higher_is_better=better)
             for model, prob in probs.items() for name, (function, better) in SCALAR.items()}
    leads = {f"{PREFIX}.{model}_minus_{PEER}.brier_score": metric(
        uncertainty.bootstrap_difference(calibration.brier_score, y, probs[model], probs[PEER], **options), higher_is_better=False)
        for model in CANDIDATES}
    share = uncertainty.bootstrap_values(lambda weights: np.array([np.average(y, weights=weights)]), **options)[0]
    return found | leads | {f"{PREFIX}.outcome.prevalence": metric(share, higher_is_better=None)}


def brier_over_time(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Measure the censored Brier score at each time and its integral, against the Kaplan-Meier curve of the training patients.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        Times, replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        ``<model>.integrated_brier_score``, and the lead over ``kaplan_meier``.
    curves : dict
        ``times``, ``models`` (model to values), ``band`` (``low`` and ``high`` of the primary model), and ``support_model``
        (``times``, ``values``: at two months and at the horizon).
    """
    times, names = np.asarray(settings.times_days, dtype=float), (*CANDIDATES, "kaplan_meier")
    event, time = rows[EVENT].to_numpy(), rows[TIME].to_numpy().astype(float)
    predicted = np.hstack([survival_matrix(rows, name) for name in names])
    tiled, steps = np.tile(times, len(names)), np.diff(times)

    def _scores(weights: Rows) -> Rows:
        grid = survival.brier_score_censored(event, time, predicted, tiled, sample_weight=weights).reshape(len(names), -1)
        area = ((grid[:, 1:] + grid[:, :-1]) / 2 @ steps) / (times[-1] - times[0])
        return np.concatenate([area, area[:-1] - area[-1], grid.ravel()])

    found = uncertainty.bootstrap_values(_scores, **bootstrap_options(settings, rows, seed, curve=True))
    ids = [*names, *(f"{name}_minus_kaplan_meier" for name in CANDIDATES)]
    metrics = {f"{PREFIX}.{name}.integrated_brier_score": metric(interval, higher_is_better=False)
               for name, interval in zip(ids, found[: len(ids)], strict=True)}
    grid = dict(zip(names, np.array(found[len(ids):], dtype=object).reshape(len(names), -1), strict=True))
    band = grid[str(rows["primary"][0])]
    two_months, horizon = 60.0, float(settings.horizon_days)
    peer = np.column_stack([1 - rows["support_model_two_months"].to_numpy(), 1 - rows[PEER].to_numpy()])
    values = survival.brier_score_censored(event, time, peer, [two_months, horizon])
    return metrics, {"times": listed(times), "models": {name: listed([i.value for i in points]) for name, points in grid.items()},
                     "band": {"low": listed([i.low for i in band]), "high": listed([i.high for i in band])},
                     "support_model": {"times": [two_months, horizon], "values": listed(values)}}


def benefits(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> dict[str, Metric]:
    """Measure net benefit at each risk threshold, and the primary model's lead over the SUPPORT model and over acting for all or none.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        ``risk_thresholds``.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        Net benefit per patient, ``<model>.net_benefit_at_<percent>_percent``.
    """
    y, primary = rows[TARGET].to_numpy(), str(rows["primary"][0])
    models = (primary, PEER, SCORE)
    probs = [rows[PROBABILITIES[name]].to_numpy() for name in models]
    found: dict[str, Metric] = {}
    for threshold in settings.risk_thresholds:
        def _benefit(weights: Rows, threshold: float = threshold) -> Rows:
            values = [decision_curve.net_benefit(y, prob, risk_threshold=threshold, sample_weight=weights) for prob in probs]
            default = max(0.0, decision_curve.net_benefit_treat_all(y, risk_threshold=threshold, sample_weight=weights))
            return np.array([*values, values[0] - values[1], values[0] - default])

        intervals = uncertainty.bootstrap_values(_benefit, **bootstrap_options(settings, rows, seed, curve=True))
        names = (*models, f"{primary}_minus_{PEER}", f"{primary}_minus_default")
        found |= {f"{PREFIX}.{name}.net_benefit_at_{threshold * 100:.0f}_percent": metric(interval, higher_is_better=True)
                  for name, interval in zip(names, intervals, strict=True)}
    return found


def by_subgroup(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> tuple[dict[str, Metric], list[dict[str, Any]]]:
    """Measure the primary model and the SUPPORT model by sex, race, age and disease, and the primary model's largest AUROC gaps.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        ``minimum_positives``: a group with fewer deaths or survivors is listed without a figure.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        ``<primary>.<group>_roc_auc_gap``.
    table : list of dict
        ``group``, ``value``, ``rows``, ``events``, and ``roc_auc``, ``roc_auc_support_model``, ``observed_minus_predicted`` with
        ``value``, ``low`` and ``high``, or None.
    """
    primary = str(rows["primary"][0])
    metrics, table = {}, []
    for column in GROUPS:
        members = [_subgroup(rows, column, str(value), primary, settings, seed) for value in rows[column].unique().sort()]
        table += members
        large = [member["value"] for member in members if member["roc_auc"] is not None]
        if len(large) > 1:
            gap = _gap(rows.filter(pl.col(column).is_in(large)), column, primary, settings, seed)
            metrics[f"{PREFIX}.{primary}.{column}_roc_auc_gap"] = metric(gap, higher_is_better=False)
    return metrics, table


def _subgroup(rows: pl.DataFrame, column: str, value: str, primary: str, settings: SurvivalSettings, seed: int) -> dict[str, Any]:
    part = rows.filter(pl.col(column) == value)
    y, prob, peer = part[TARGET].to_numpy(), part[primary].to_numpy(), part[PEER].to_numpy()
    names = ("roc_auc", "roc_auc_support_model", "observed_minus_predicted")
    member: dict[str, Any] = {"group": column, "value": value, "rows": part.height, "events": int(y.sum()), **dict.fromkeys(names)}
    if min(y.sum(), len(y) - y.sum()) < settings.minimum_positives:
        return member

    def _values(weights: Rows) -> Rows:
        return np.array([discrimination.roc_auc(y, prob, sample_weight=weights), discrimination.roc_auc(y, peer, sample_weight=weights),
                         np.average(y - prob, weights=weights)])

    intervals = uncertainty.bootstrap_values(_values, **bootstrap_options(settings, part, seed, curve=True))
    return member | {name: {"value": round(i.value, 6), "low": round(i.low, 6), "high": round(i.high, 6)}
                     for name, i in zip(names, intervals, strict=True)}


def _gap(rows: pl.DataFrame, column: str, primary: str, settings: SurvivalSettings, seed: int) -> uncertainty.Interval:
    y, prob, groups = rows[TARGET].to_numpy(), rows[primary].to_numpy(), rows[column].to_numpy()

    def _gap_of(weights: Rows) -> Rows:
        values = fairness.group_metric(discrimination.roc_auc, y, prob, groups=groups, sample_weight=weights, minimum_positives=1)
        return np.array([fairness.largest_gap(values).gap])

    return uncertainty.bootstrap_values(_gap_of, **bootstrap_options(settings, rows, seed, curve=True))[0]


def survival_matrix(rows: pl.DataFrame, model: str) -> NDArray[np.float64]:
    """Give a model's predicted survival.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions.
    model : str
        Its name.

    Returns
    -------
    ndarray, shape (n, k)
        One column a time.
    """
    return np.array(rows[model + SURVIVAL].to_list(), dtype=np.float64)


def listed(values: Any) -> list[float]:
    """Round numbers for JSON.

    Parameters
    ----------
    values : sequence of float
        Numbers.

    Returns
    -------
    list of float
        To six decimals.
    """
    return [round(float(value), 6) for value in values]
