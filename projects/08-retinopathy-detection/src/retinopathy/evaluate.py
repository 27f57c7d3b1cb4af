"""Judge the grader on photographs that trained and chose nothing: grades, referral, oedema, promise, abstention, and other cameras.

The threshold for referral and that of the sets of grades come from predictions out of fold on the train part. The test part is asked
once a run. Intervals resample photographs: the data set names no patients.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import read_json
from carefolio.evidence import Metric, metric
from carefolio.metrics.calibration import brier_score, calibration_curve, expected_calibration_error
from carefolio.metrics.conformal import grade_sets, mean_set_size, set_coverage
from carefolio.metrics.discrimination import average_precision, classification_at, roc_auc, roc_points
from carefolio.metrics.ordinal import mean_absolute_error, quadratic_weighted_kappa
from carefolio.parts import read_record, write_results
from carefolio.uncertainty import bootstrap_values
from retinopathy.benchmark import evaluate_benchmark
from retinopathy.choosing import FROZEN, GRADER, TUNED, Answers, Chosen, choose, loss_of, read_answers, read_steps, read_wanted
from retinopathy.config import EvaluationSettings, RetinopathySettings
from retinopathy.exported import compare_exports, prepare_test
from retinopathy.exporting import ARTEFACTS
from retinopathy.features import HELD_OUT, TEST
from retinopathy.heads import DME, DR, N_GRADES, N_RISKS, REFERABLE_STEP, nearest_expected
from retinopathy.sanity import compare_maps
from retinopathy.seeing import PHOTOGRAPHS, kept_photographs
from retinopathy.sizes import read_sizes
from retinopathy.train import read_grader

if TYPE_CHECKING:
    import polars as pl

Step = Callable[[str], AbstractContextManager[Any]]
Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
SCORES: dict[str, bool | None] = {
    "quadratic_weighted_kappa": True, "accuracy": True, "mean_absolute_error": False, "roc_auc": True, "average_precision": True,
    "brier_score": False, "calibration_error": False, "sensitivity": True, "specificity": True, "dme_roc_auc": True,
    "set_coverage": None, "set_size": False, "answered_alone": True}
"""What a grader is judged by, and whether higher is better. Areas, precision, Brier score, sensitivity and specificity are of referral."""

RELIABILITY_BINS = 6
SHOWN_BY_SIZE = ("quadratic_weighted_kappa", "accuracy", "roc_auc")


def evaluate_parts(settings: RetinopathySettings, out: Path, *, step: Step) -> None:
    """Evaluate what a run has trained.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    step : callable
        Gives a context manager for a titled step.
    """
    for part in read_record(out)["parts"]:
        with step(f"evaluate {part}"):
            found, curves = (evaluate_grader if part == PHOTOGRAPHS else evaluate_benchmark)(settings, out)
            write_results(out, part, found, curves, {"idrid_errors": wrong(settings, out)} if part == PHOTOGRAPHS else {})


def evaluate_grader(settings: RetinopathySettings, out: Path) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Judge the grader out of fold, on the test part, and on the test part as other cameras would have taken it.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    metrics : dict of str to Metric
        ``idrid.<part>.<system>.<score>`` for ``out_of_fold``, ``test`` and, for the grader, ``altered``.
    curves : dict
        What the figures draw.
    """
    limits, metrics = settings.evaluation, dict[str, Metric]()
    for system in (FROZEN, TUNED):
        parts = read_answers(out, system)
        chosen = choose(parts["out_of_fold"], limits)
        metrics |= _chosen(f"idrid.out_of_fold.{system}", parts["out_of_fold"], chosen)
        for name, answers in parts.items():
            metrics |= judge(f"idrid.{name}.{system}", answers, chosen, limits, groups=np.arange(len(answers.grades)), seed=settings.seed)
    kept = read_json(out / "train" / "idrid.json")["kept"]
    metrics |= {name.replace(f".{kept}.", f".{GRADER}."): one for name, one in metrics.items() if f".{kept}." in name}
    parts = read_answers(out, GRADER)
    chosen = choose(parts["out_of_fold"], limits)
    altered, photographs = _altered(out, parts["test"])
    metrics |= judge(f"idrid.altered.{GRADER}", altered, chosen, limits, groups=photographs, seed=settings.seed)
    smaller, sizes = judge_sizes(settings, out)
    metrics |= smaller | _judge_network(settings, out, parts["test"], chosen)
    return metrics, draw(parts["test"], chosen, limits) | {"sizes": sizes}


def _chosen(name: str, answers: Answers, chosen: Chosen) -> dict[str, Metric]:
    """Say what was chosen out of fold, what it loses there, and how the other way to decide a grade does."""
    answers = answers.tempered(chosen.temperature)
    other, n = nearest_expected(answers.steps[:, DR]), len(answers.grades)
    kappa = quadratic_weighted_kappa(answers.grades, other, n_grades=N_GRADES)
    return {f"{name}.log_loss": metric(loss_of(answers), n=n, higher_is_better=False),
            f"{name}.referral_threshold": metric(chosen.referral, n=n, higher_is_better=None),
            f"{name}.temperature": metric(chosen.temperature, n=n, higher_is_better=None),
            f"{name}.nearest_expected_kappa": metric(kappa, n=n, higher_is_better=True),
            f"{name}.nearest_expected_accuracy": metric(float((other == answers.grades).mean()), n=n, higher_is_better=True)}


def _judge_network(settings: RetinopathySettings, out: Path, test: Answers, chosen: Chosen) -> dict[str, Metric]:
    """Hold the exported files against the network, and its maps against those of a network in disorder."""
    prepared, grader = prepare_test(settings, out), read_grader(settings, out)
    metrics, exported = compare_exports(grader, out / ARTEFACTS, prepared, temperature=chosen.temperature, seed=settings.seed)
    return (metrics | compare_maps(grader, prepared, settings.evaluation, seed=settings.seed)
            | judge("idrid.test.int8", replace(test, steps=exported["int8"]), chosen, settings.evaluation,
                    groups=np.arange(len(prepared)), seed=settings.seed))


def judge_sizes(settings: RetinopathySettings, out: Path) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Judge the heads on photographs that were first made small.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    metrics : dict of str to Metric
        ``idrid.test.at_<pixels>.<score>``.
    curves : dict
        ``pixels``, and value, low and high of each score of `SHOWN_BY_SIZE`.
    """
    grades, risks, folds = read_wanted(out)
    learns, metrics, answers = folds != HELD_OUT, dict[str, Metric](), read_sizes(settings, out)
    for pixels, steps in answers.items():
        train, test = (Answers(grades[here], risks[here], steps[here]) for here in (learns, ~learns))
        metrics |= judge(f"idrid.test.at_{pixels}", test, choose(train, settings.evaluation), settings.evaluation,
                         groups=np.arange(len(test.grades)), seed=settings.seed)
    drawn = {score: [[metrics[f"idrid.test.at_{pixels}.{score}"].value, metrics[f"idrid.test.at_{pixels}.{score}"].low,
                      metrics[f"idrid.test.at_{pixels}.{score}"].high] for pixels in answers] for score in SHOWN_BY_SIZE}
    return metrics, {"pixels": list(answers), **drawn}


def _altered(out: Path, test: Answers) -> tuple[Answers, Whole]:
    """Give the answers to the test photographs as other cameras would have taken them, with the photograph of each row."""
    steps = read_steps(out)["altered"]
    photographs, views = steps.shape[:2]
    repeat = partial(np.repeat, repeats=views)
    answers = Answers(repeat(test.grades), repeat(test.risks), steps.reshape(-1, steps.shape[2]))
    return answers, repeat(np.arange(photographs))


def judge(name: str, answers: Answers, chosen: Chosen, settings: EvaluationSettings, *, groups: Whole, seed: int) -> dict[str, Metric]:
    """Score answers, all scores on the same replicates.

    Parameters
    ----------
    name : str
        Beginning of the ids.
    answers : Answers
        Right grades, and probabilities as the network gives them.
    chosen : Chosen
        Thresholds.
    settings : EvaluationSettings
        Replicates and level.
    groups : ndarray of int, shape (n,)
        Photograph of each row; what is resampled.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        One a score of `SCORES`.
    """
    scored = partial(scores_of, answers.tempered(chosen.temperature), chosen)
    intervals = bootstrap_values(scored, groups=groups, n_replicates=settings.replicates, level=settings.level, random_state=seed)
    return {f"{name}.{score}": metric(interval, higher_is_better=better)
            for (score, better), interval in zip(SCORES.items(), intervals, strict=True)}


def scores_of(answers: Answers, chosen: Chosen, weights: Floats) -> list[float]:
    """Compute the scores of `SCORES`.

    Parameters
    ----------
    answers : Answers
        Right grades and probabilities.
    chosen : Chosen
        Thresholds.
    weights : ndarray, shape (n,)
        Weight of each row.

    Returns
    -------
    list of float
        In the order of `SCORES`.
    """
    decided, referral = answers.decided, answers.steps[:, REFERABLE_STEP]
    sets = grade_sets(answers.probabilities, threshold=chosen.sets)
    at = classification_at(answers.referable, referral, risk_threshold=chosen.referral, sample_weight=weights)
    total = weights.sum()
    return [
        quadratic_weighted_kappa(answers.grades, decided, n_grades=N_GRADES, sample_weight=weights),
        float(weights @ (decided == answers.grades) / total),
        mean_absolute_error(answers.grades, decided, n_grades=N_GRADES, sample_weight=weights),
        roc_auc(answers.referable, referral, sample_weight=weights), average_precision(answers.referable, referral, sample_weight=weights),
        brier_score(answers.referable, referral, sample_weight=weights),
        expected_calibration_error(answers.referable, referral, sample_weight=weights), at.sensitivity, at.specificity,
        roc_auc(np.asarray(answers.risks == N_RISKS - 1, dtype=np.int64), answers.steps[:, DME][:, -1], sample_weight=weights),
        set_coverage(sets, answers.grades, sample_weight=weights), mean_set_size(sets, sample_weight=weights),
        float(weights @ (sets.sum(axis=1) == 1) / total)]


def draw(answers: Answers, chosen: Chosen, settings: EvaluationSettings) -> dict[str, Any]:
    """Gather what the figures draw.

    Parameters
    ----------
    answers : Answers
        On the test part.
    chosen : Chosen
        Thresholds.
    settings : EvaluationSettings
        Bounds and promise.

    Returns
    -------
    dict
        ``confusion``, ``roc``, ``abstention`` and the thresholds; numbers and lists alone.
    """
    answers = answers.tempered(chosen.temperature)
    decided, referral = answers.decided, answers.steps[:, REFERABLE_STEP]
    confusion = np.zeros((N_GRADES, N_GRADES), dtype=int)
    np.add.at(confusion, (answers.grades, decided), 1)
    curve = roc_points(answers.referable, referral)
    at = classification_at(answers.referable, referral, risk_threshold=chosen.referral)
    sure = np.argsort(-answers.probabilities.max(axis=1), kind="stable")
    right = (decided == answers.grades)[sure]
    answered = np.arange(1, len(right) + 1)
    return {"confusion": confusion.tolist(),
            "roc": {"false_positive_rate": curve.false_positive_rate.tolist(), "true_positive_rate": curve.true_positive_rate.tolist(),
                    "threshold": np.minimum(curve.threshold, 1.0).tolist()},
            "operating_point": {"threshold": chosen.referral, "sensitivity": at.sensitivity, "specificity": at.specificity},
            "abstention": {"coverage": (answered / len(right)).tolist(), "accuracy": (right.cumsum() / answered).tolist()},
            "calibration": _reliability(answers), "promise": settings.coverage,
            "bounds": [settings.least_sensitivity, settings.least_specificity]}


def _reliability(answers: Answers) -> dict[str, list[float]]:
    """Give the predicted and the observed share of referable photographs in bins of like size."""
    found = calibration_curve(answers.referable, answers.steps[:, REFERABLE_STEP], n_bins=RELIABILITY_BINS)
    return {"predicted": found.mean_predicted.tolist(), "observed": found.observed.tolist(), "low": found.low.tolist(),
            "high": found.high.tolist()}


def wrong(settings: RetinopathySettings, out: Path) -> pl.DataFrame:
    """Gather the photographs of the test part whose grade was wrong; they stay out of the repository.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    polars.DataFrame
        ``name``, ``dr_grade``, ``decided``, ``referable`` and ``image``.
    """
    import polars as pl

    parts = read_answers(out, GRADER)
    answers = parts["test"].tempered(choose(parts["out_of_fold"], settings.evaluation).temperature)
    table = kept_photographs(out).filter(part=TEST).with_columns(decided=pl.Series(answers.decided, dtype=pl.Int8),
                                                                 referable=pl.Series(answers.steps[:, REFERABLE_STEP]))
    return table.filter(pl.col("decided") != pl.col("dr_grade")).select("name", "dr_grade", "decided", "referable", "image")
