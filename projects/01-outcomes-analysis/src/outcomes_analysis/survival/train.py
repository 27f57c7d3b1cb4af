"""Nested cross-validation over all patients: out-of-fold predictions of every model, and of the peers, for every patient."""

import json
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import AbstractContextManager
from multiprocessing import get_context
from typing import Any

import numpy as np
import polars as pl

from carefolio.metrics.survival import kaplan_meier, survival_at
from outcomes_analysis.survival.cohort import EVENT, FOLD, GROUPS, PATIENT, TARGET, TIME
from outcomes_analysis.survival.models import MODELS
from outcomes_analysis.survival.preprocess import Floats
from outcomes_analysis.survival.search import VARIANTS, Fitted, Task, run_task
from outcomes_analysis.survival.settings import SurvivalSettings

BLENDED = ("random_forest", "discrete_time")
BLEND = "blend"
"""Mean survival of the two models that do not take hazards to be proportional; it has nothing to tune."""
CANDIDATES = (*MODELS, BLEND)
SURVIVAL = "_survival"
Progress = Callable[[str], AbstractContextManager[Any]]


def train(table: pl.DataFrame, settings: SurvivalSettings, *, seed: int, progress: Progress) -> pl.DataFrame:
    """Predict every patient by models that never saw them.

    In each outer fold every model is searched on an inner validation part of the training patients, refitted on all of them and
    applied to the fold. The model called primary is the candidate with the highest mean inner AUROC: the outer folds have no say.

    Parameters
    ----------
    table : polars.DataFrame
        Result of `cohort.prepare`.
    settings : SurvivalSettings
        Sizes, candidates, workers.
    seed : int
        Seed of the inner parts and models.
    progress : callable
        Gives a context manager for a titled step.

    Returns
    -------
    polars.DataFrame
        One row a patient: identifiers, fold, outcome, audit groups, phase; for each model the probability of death by the horizon
        under its name and the survival at ``times_days`` under ``<model>_survival``; the peers ``support_model`` (null where the
        table has no estimate), ``physiology_score`` and ``physiology_score_recalibrated``; ``kaplan_meier_survival`` of the
        training patients; ``primary`` and, as JSON, ``inner_auroc`` and ``parameters`` of the row's fold.

    Raises
    ------
    ValueError
        If the horizon is not one of the times.
    """
    if settings.horizon_days not in settings.times_days:
        raise ValueError(f"times_days must hold horizon_days, {settings.horizon_days}; got {settings.times_days}. Add it.")
    folds = sorted(table[FOLD].unique().to_list())
    tasks = [Task(model, fold, table.filter(pl.col(FOLD) != fold), table.filter(pl.col(FOLD) == fold), settings, seed)
             for model in (*MODELS, *VARIANTS) for fold in folds]
    with progress("survival models"):
        fitted = list(run_tasks(tasks, workers=settings.workers))
    parts = [_fold_frame(table, fold, [result for result in fitted if result.fold == fold], settings) for fold in folds]
    predictions = pl.concat(parts).sort(PATIENT)
    return predictions.with_columns(pl.lit(choose_primary(predictions)).alias("primary"))


def run_tasks(tasks: list[Task], *, workers: int) -> Iterable[Fitted]:
    """Run the tasks, slow ones first, in this process or in several.

    Parameters
    ----------
    tasks : list of Task
        What to fit.
    workers : int
        1 stays in this process.

    Yields
    ------
    Fitted
        In the order in which they end.
    """
    from rich.console import Console
    from rich.progress import track

    slow = ("gradient_boosting", "random_forest")
    ordered = sorted(tasks, key=lambda task: task.model not in slow)
    console = Console(stderr=True)
    if workers == 1:
        yield from map(run_task, track(ordered, description="survival models", transient=True, console=console))
        return
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(run_task, task) for task in ordered]
        for future in track(as_completed(futures), total=len(futures), description="survival models", transient=True, console=console):
            yield future.result()


def choose_primary(predictions: pl.DataFrame) -> str:
    """Name the candidate with the highest mean inner AUROC.

    Parameters
    ----------
    predictions : polars.DataFrame
        With ``inner_auroc``.

    Returns
    -------
    str
        One of `CANDIDATES`; the first of equals.
    """
    scores = [json.loads(text) for text in predictions["inner_auroc"].unique().sort()]
    return max(CANDIDATES, key=lambda model: float(np.mean([score[model] for score in scores])))


def _fold_frame(table: pl.DataFrame, fold: str, fitted: list[Fitted], settings: SurvivalSettings) -> pl.DataFrame:
    learn, test = table.filter(pl.col(FOLD) != fold), table.filter(pl.col(FOLD) == fold)
    survival = {result.model: result.survival for result in fitted}
    survival[BLEND] = np.mean([survival[name] for name in BLENDED], axis=0)
    curve = kaplan_meier(learn[EVENT].to_numpy(), learn[TIME].to_numpy())
    reference = np.tile(survival_at(curve, settings.times_days), (test.height, 1))
    horizon = settings.times_days.index(settings.horizon_days)
    columns = [pl.Series(name, 1 - values[:, horizon]) for name, values in survival.items()]
    curves = [_series(name, values) for name, values in {**survival, "kaplan_meier": reference}.items()]
    inner = _inner_auroc(learn, fitted)
    identity = test.select(PATIENT, FOLD, EVENT, TIME, TARGET, *GROUPS, "phase", (1 - pl.col("num_surv6m")).alias("support_model"),
                           (1 - pl.col("num_surv2m")).alias("support_model_two_months"),
                           pl.col("num_sps").alias("physiology_score"))
    parameters = {result.model: result.parameters for result in fitted}
    return identity.with_columns(
        pl.Series("physiology_score_recalibrated", recalibrate(learn, test)), *columns, *curves,
        pl.lit(json.dumps(inner, sort_keys=True)).alias("inner_auroc"), pl.lit(json.dumps(parameters, sort_keys=True)).alias("parameters"))


def _series(name: str, values: Floats) -> pl.Series:
    return pl.Series(name + SURVIVAL, values.tolist(), dtype=pl.List(pl.Float64))


def _inner_auroc(learn: pl.DataFrame, fitted: list[Fitted]) -> dict[str, float]:
    from sklearn.metrics import roc_auc_score

    risks = {result.model: result.inner_risk for result in fitted}
    risks[BLEND] = np.mean([risks[name] for name in BLENDED], axis=0)
    dead = dict(zip(learn[PATIENT].to_list(), learn[TARGET].to_list(), strict=True))
    outcome = [dead[patient] for patient in fitted[0].inner_patients.tolist()]
    return {model: round(float(roc_auc_score(outcome, risk)), 6) for model, risk in risks.items()}


def recalibrate(learn: pl.DataFrame, test: pl.DataFrame) -> Floats:
    """Turn the physiology score, which is no probability, into one: logistic regression of death on the score alone.

    Parameters
    ----------
    learn, test : polars.DataFrame
        Training and test rows of a fold; a missing score takes the training median.

    Returns
    -------
    ndarray, shape (n_test,)
        Probability of death by the horizon.
    """
    from sklearn.linear_model import LogisticRegression

    median = learn["num_sps"].median()
    score, other = (rows.select(pl.col("num_sps").fill_null(median)).to_numpy() for rows in (learn, test))
    return np.asarray(LogisticRegression().fit(score, learn[TARGET].to_numpy()).predict_proba(other)[:, 1])
