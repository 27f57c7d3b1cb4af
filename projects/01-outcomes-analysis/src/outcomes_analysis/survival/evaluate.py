"""Bring description, hazard ratios and scores together: metrics by evidence id, and the points that figures and dashboard draw.

The peer has an advantage: the SUPPORT model was derived on phase I, 4,301 of these very patients, while every model here predicts
patients that it never saw. The scores are therefore given for the two phases apart as well.
"""

import json
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from carefolio import uncertainty
from carefolio.evidence import Metric, metric
from carefolio.metrics import calibration, decision_curve
from outcomes_analysis.survival import cox, describe, scores
from outcomes_analysis.survival.cohort import CATEGORIES, DISEASE, LABELS, NUMBERS, PUBLISHED, TARGET
from outcomes_analysis.survival.search import VARIANTS
from outcomes_analysis.survival.settings import SurvivalSettings
from outcomes_analysis.survival.train import CANDIDATES

THRESHOLD_GRID = np.round(np.arange(0.05, 0.951, 0.025), 3)
Floats = npt.NDArray[np.float64]
PROOF = ("num_bili", "num_alb", "num_hrt")


def evaluate(predictions: pl.DataFrame, table: pl.DataFrame, settings: SurvivalSettings, *, record: dict[str, Any],
             seed: int) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Describe the patients, fit the readable Cox model and judge the predictions.

    Parameters
    ----------
    predictions : polars.DataFrame
        Result of `train.train`.
    table : polars.DataFrame
        Result of `cohort.prepare`.
    settings : SurvivalSettings
        Replicates, level, thresholds.
    record : dict
        Record of `cohort.prepare`; its ``realignment`` and ``excluded`` are passed on.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Aggregates for figures and dashboard; no row of any patient.
    """
    rows = predictions.filter(pl.col(scores.PEER).is_not_null())
    survival, hazards = describe.by_disease(table, level=settings.level), cox.fit_cox_table(table, level=settings.level)
    brier_metrics, brier = scores.brier_over_time(rows, settings, seed=seed)
    subgroup_metrics, subgroups = scores.by_subgroup(rows, settings, seed=seed)
    metrics = scores.ranking(rows, settings, seed=seed) | scores.concordance(rows, settings, seed=seed)
    metrics |= scores.probabilities(rows, settings, seed=seed) | brier_metrics | scores.benefits(rows, settings, seed=seed)
    metrics |= subgroup_metrics | by_phase(rows, settings, seed=seed) | descriptive_metrics(survival, hazards, settings)
    metrics |= realignment_metrics(record["realignment"], table.height) | glucose_gaps(table, settings, seed=seed)
    return metrics, {
        "cohort": {"patients": table.height, "compared": rows.height, "features": {name: LABELS[name] for name in (*NUMBERS, *CATEGORIES)},
                   "excluded": {LABELS[name]: reason for name, reason in record["excluded"].items()}},
        "realignment": record["realignment"] | {"check": realignment_check(table)},
        "table_one": describe.table_one(table), "missingness": describe.missingness(table), "kaplan_meier": survival, "cox": hazards,
        "search": search_summary(predictions), "auroc": auroc_rows(metrics), "brier": brier, "subgroups": subgroups,
        **decision_curves(rows, settings, seed=seed)}


def by_phase(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> dict[str, Metric]:
    """Measure AUROC in each phase of the study: the SUPPORT model was derived on the first and validated on the second.

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
        Ids ``support2_phase_one.out_of_fold...`` and ``support2_phase_two.out_of_fold...``.
    """
    primary = str(rows["primary"][0])
    found: dict[str, Metric] = {}
    for number, name in ((1, "one"), (2, "two")):
        part = rows.filter(pl.col("phase") == number)
        models = tuple(dict.fromkeys((primary, "discrete_time", "discrete_time_as_published")))
        found |= scores.ranking(part, settings, seed=seed, prefix=f"support2_phase_{name}.out_of_fold", models=models)
    return found


def descriptive_metrics(survival: dict[str, Any], hazards: dict[str, Any], settings: SurvivalSettings) -> dict[str, Metric]:
    """Give what documents quote of the description as metrics.

    Parameters
    ----------
    survival : dict
        Result of `describe.by_disease`.
    hazards : dict
        Result of `cox.fit_cox_table`.
    settings : SurvivalSettings
        Level.

    Returns
    -------
    dict of str to Metric
        ``support2.cohort.<group>.patients``, ``deaths``, ``dead_at_horizon``, ``median_survival_days`` (where reached) and
        ``support2.cox.<covariate>.hazard_ratio``.
    """
    found: dict[str, Metric] = {}
    for name, summary in {"all": survival["all"], **survival["groups"]}.items():
        prefix, n = f"support2.cohort.{identifier(name)}", summary["n"]
        for measure, value in (("patients", n), ("deaths", summary["deaths"]), ("dead_at_horizon", summary["dead_at_horizon"])):
            found[f"{prefix}.{measure}"] = Metric(value=value, n=n, higher_is_better=None)
        median = summary["median_days"]
        if all(median[part] is not None for part in ("value", "low", "high")):
            found[f"{prefix}.median_survival_days"] = Metric(**median, level=settings.level, n=n, higher_is_better=True)
    for row in hazards["rows"]:
        found[f"support2.cox.{row['covariate']}.hazard_ratio"] = Metric(**row["hazard_ratio"], level=settings.level, n=hazards["n"],
                                                                       higher_is_better=None)
    return found


def identifier(name: str) -> str:
    """Turn a label into a piece of a metric's id.

    Parameters
    ----------
    name : str
        For example ``"MOSF w/Malig"``.

    Returns
    -------
    str
        For example ``"mosf_w_malig"``.
    """
    return "_".join("".join(letter if letter.isalnum() else " " for letter in name.lower()).split())


def realignment_metrics(realignment: dict[str, Any], n: int) -> dict[str, Metric]:
    """Give the realignment's counts as metrics.

    Parameters
    ----------
    realignment : dict
        From the record of `cohort.prepare`.
    n : int
        Rows of the table.

    Returns
    -------
    dict of str to Metric
        ``support2.realignment.physiology.<measure>``.
    """
    names = ("phase_two", "moved", "lost", "jumps", "correlation_published", "correlation_realigned")
    return {f"support2.realignment.physiology.{name}": Metric(value=realignment[name], n=n, higher_is_better=None) for name in names}


def glucose_gaps(table: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> dict[str, Metric]:
    """Compare glucose in phase II between patients with and without diabetes, as published and realigned.

    Neither column enters the physiology score or the realignment, so that this checks the realignment from outside.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.
    settings : SurvivalSettings
        Replicates and level.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``support2.realignment.physiology.glucose_gap_published`` and ``..._realigned``: difference of the means in mg/dl.
    """
    found = {}
    for name, column in (("published", "num_glucose" + PUBLISHED), ("realigned", "num_glucose")):
        rows = table.filter((pl.col("phase") == 2) & pl.col(column).is_not_null())
        glucose, diabetic = rows[column].to_numpy(), (rows["fac_diabetes"].cast(pl.String) == "1").to_numpy()

        def _gap(weights: Floats, glucose: Floats = glucose, diabetic: npt.NDArray[np.bool_] = diabetic) -> list[float]:
            inside, outside = (np.average(glucose[part], weights=weights[part]) for part in (diabetic, ~diabetic))
            return [float(inside - outside)]

        gap = uncertainty.bootstrap_values(_gap, groups=rows["pid"].to_numpy(), n_replicates=settings.replicates, level=settings.level,
                                           random_state=seed)[0]
        found[f"support2.realignment.physiology.glucose_gap_{name}"] = metric(gap, higher_is_better=None)
    return found


def realignment_check(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Compare laboratory means by disease group in phase I with those of phase II, as published and realigned.

    The realignment used the physiology score alone, so that disease groups are an independent check.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.

    Returns
    -------
    list of dict
        ``column``, ``name``, ``group``, ``phase_one``, ``phase_two_published``, ``phase_two_realigned`` (means).
    """
    found = []
    for column in PROOF:
        for group in table[DISEASE].cast(pl.String).unique().sort():
            rows = table.filter(pl.col(DISEASE).cast(pl.String) == group)
            one, two = rows.filter(pl.col("phase") == 1), rows.filter(pl.col("phase") == 2)
            found.append({"column": column, "name": LABELS[column], "group": group, "phase_one": _mean(one[column]),
                          "phase_two_published": _mean(two[column + PUBLISHED]), "phase_two_realigned": _mean(two[column])})
    return found


def _mean(values: pl.Series) -> float | None:
    known = values.drop_nulls().to_numpy()
    return round(float(known.mean()), 4) if known.size else None


def search_summary(predictions: pl.DataFrame) -> dict[str, Any]:
    """Tell how the primary model was chosen, and with which parameters each fold was fitted.

    Parameters
    ----------
    predictions : polars.DataFrame
        Result of `train.train`.

    Returns
    -------
    dict
        ``primary``, ``inner_auroc`` (model to its mean over folds) and ``parameters`` (fold to model to parameters).
    """
    folds = predictions.unique("fold", maintain_order=True).sort("fold")
    inner = [json.loads(text) for text in folds["inner_auroc"]]
    return {"primary": str(predictions["primary"][0]),
            "inner_auroc": {name: round(float(np.mean([scored[name] for scored in inner])), 6) for name in (*CANDIDATES, *VARIANTS)},
            "parameters": {fold: json.loads(text) for fold, text in folds.select("fold", "parameters").iter_rows()}}


def auroc_rows(metrics: dict[str, Metric]) -> list[dict[str, Any]]:
    """List AUROC and its lead over the SUPPORT model, for the figure.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id.

    Returns
    -------
    list of dict
        ``model``, ``value``, ``low``, ``high``, and ``lead`` (``value``, ``low``, ``high``) or None for the peers.
    """
    def _points(name: str) -> dict[str, float | None]:
        found = metrics[f"{scores.PREFIX}.{name}.roc_auc"]
        return {"value": found.value, "low": found.low, "high": found.high}

    models = (*CANDIDATES, *VARIANTS)
    return [{"model": name, **_points(name), "lead": _points(f"{name}_minus_{scores.PEER}") if name in models else None}
            for name in (*models, scores.PEER, scores.SCORE)]


def decision_curves(rows: pl.DataFrame, settings: SurvivalSettings, *, seed: int) -> dict[str, Any]:
    """List calibration points and net benefit curves of the primary model and its peers.

    Parameters
    ----------
    rows : polars.DataFrame
        Predictions with the SUPPORT model's estimate.
    settings : SurvivalSettings
        Replicates of the band.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``calibration`` (model to ``mean_predicted``, ``observed``, ``low``, ``high``, ``count``), ``risk_thresholds``,
        ``net_benefit`` (model to values, ``treat_all`` and ``treat_none`` too) and ``net_benefit_band`` (``low``, ``high``).
    """
    y, primary = rows[TARGET].to_numpy(), str(rows["primary"][0])
    probs = {name: rows[scores.PROBABILITIES[name]].to_numpy() for name in (primary, scores.PEER, scores.SCORE)}
    bins = {name: calibration.calibration_curve(y, prob, n_bins=10) for name, prob in probs.items()}
    found = decision_curve.decision_curve(y, probs, risk_thresholds=THRESHOLD_GRID)

    def _band(weights: scores.Rows) -> scores.Rows:
        return np.asarray(decision_curve.decision_curve(y, {primary: probs[primary]}, risk_thresholds=THRESHOLD_GRID,
                                                        sample_weight=weights)[primary])

    intervals = uncertainty.bootstrap_values(_band, **scores.bootstrap_options(settings, rows, seed, curve=True))
    names = ("mean_predicted", "observed", "low", "high", "count")
    return {"calibration": {model: {name: scores.listed(getattr(points, name)) for name in names} for model, points in bins.items()},
            "risk_thresholds": scores.listed(THRESHOLD_GRID),
            "net_benefit": {name: scores.listed(values) for name, values in found.items() if name != "risk_threshold"},
            "net_benefit_band": {"low": scores.listed(i.low for i in intervals), "high": scores.listed(i.high for i in intervals)}}
