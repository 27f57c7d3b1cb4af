"""Judge the grader on photographs that trained and chose nothing: grades, referral, oedema, promise, abstention, and other cameras.

The threshold for referral and that of the sets of grades come from predictions out of fold on the train part. The test part is asked
once a run. Intervals resample photographs: the data set names no patients.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.evidence import Metric, metric
from carefolio.metrics.calibration import brier_score, expected_calibration_error
from carefolio.metrics.conformal import grade_sets, mean_set_size, set_coverage
from carefolio.metrics.discrimination import average_precision, classification_at, roc_auc, roc_points
from carefolio.metrics.ordinal import mean_absolute_error, quadratic_weighted_kappa
from carefolio.parts import read_record, read_table, write_results
from carefolio.uncertainty import bootstrap_values
from retinopathy.choosing import Answers, Chosen, choose, read_answers
from retinopathy.config import EvaluationSettings, RetinopathySettings
from retinopathy.features import read_features
from retinopathy.heads import DME, N_GRADES, N_RISKS, REFERABLE_STEP, ask_heads
from retinopathy.train import read_heads

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
            found, curves = (evaluate_grader if part == "idrid" else evaluate_benchmark)(settings, out)
            write_results(out, part, found, curves, {"idrid_errors": wrong(out)} if part == "idrid" else {})


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
        ``idrid.<part>.grader.<score>`` for ``out_of_fold``, ``test`` and, with several views, ``altered``.
    curves : dict
        What the figures draw.
    """
    limits, (parts, learns) = settings.evaluation, read_answers(out)
    chosen = choose(parts["out_of_fold"], limits)
    altered = _altered(out, ~learns, parts["test"])
    metrics: dict[str, Metric] = {}
    for name, answers, photographs in (*((name, one, np.arange(len(one.grades))) for name, one in parts.items()), *altered):
        metrics |= judge(f"idrid.{name}.grader", answers, chosen, limits, groups=photographs, seed=settings.seed)
    metrics["idrid.out_of_fold.grader.referral_threshold"] = metric(chosen.referral, n=int(learns.sum()), higher_is_better=None)
    return metrics, draw(parts["test"], chosen, limits)


def _altered(out: Path, held_out: npt.NDArray[np.bool_], test: Answers) -> list[tuple[str, Answers, Whole]]:
    """Ask about the test photographs as other cameras would have taken them; nothing where there is one view of each."""
    seen = read_features(out / "features" / "idrid.npz")["seen"][held_out]
    views = seen.shape[1] - 1
    if not views:
        return []
    steps = ask_heads(read_heads(out), seen[:, 1:].reshape(len(seen) * views, -1))
    repeat = partial(np.repeat, repeats=views)
    return [("altered", Answers(repeat(test.grades), repeat(test.risks), steps), repeat(np.arange(len(seen))))]


def judge(name: str, answers: Answers, chosen: Chosen, settings: EvaluationSettings, *, groups: Whole, seed: int) -> dict[str, Metric]:
    """Score answers, all scores on the same replicates.

    Parameters
    ----------
    name : str
        Beginning of the ids.
    answers : Answers
        Right grades and probabilities.
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
    intervals = bootstrap_values(partial(scores_of, answers, chosen), groups=groups, n_replicates=settings.replicates,
                                 level=settings.level, random_state=seed)
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
            "promise": settings.coverage, "bounds": [settings.least_sensitivity, settings.least_specificity]}


def wrong(out: Path) -> pl.DataFrame:
    """Gather the photographs of the test part whose grade was wrong; they stay out of the repository.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    polars.DataFrame
        ``name``, ``dr_grade``, ``decided``, ``referable`` and ``image``.
    """
    import polars as pl

    answers = read_answers(out)[0]["test"]
    table = pl.read_parquet(out / "features" / "photographs.parquet").filter(part="test").with_columns(
        decided=pl.Series(answers.decided, dtype=pl.Int8), referable=pl.Series(answers.steps[:, REFERABLE_STEP]))
    pictures = read_table(out, "idrid").filter(part="test").select("name", "image")
    shown = table.filter(pl.col("decided") != pl.col("dr_grade")).select("name", "dr_grade", "decided", "referable")
    return shown.join(pictures, on="name")


def evaluate_benchmark(settings: RetinopathySettings, out: Path) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Judge the linear layers on the test part of the benchmark of 28 pixels: the mean of three trainings, and the worst and the best.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    metrics : dict of str to Metric
        ``retinamnist.test.linear.accuracy`` and ``roc_auc`` (mean of the grades, each against the others).
    curves : dict
        Nothing that is drawn yet.
    """
    import polars as pl

    table, limits = pl.read_parquet(out / "features" / "pictures.parquet"), settings.evaluation
    parts, grades = table["part"].cast(pl.String).to_numpy(), table["dr_grade"].to_numpy().astype(np.int64)
    test, rest = parts[parts != "train"] == "test", grades[parts != "train"]
    found = read_features(out / "train" / "retinamnist.npz")["probabilities"][:, test]
    truth = rest[test]

    def _scores(weights: Floats) -> list[float]:
        rows = [_benchmark_scores(one, truth, weights) for one in found]
        return [float(value) for value in np.mean(rows, axis=0)]

    intervals = bootstrap_values(_scores, groups=np.arange(len(truth)), n_replicates=limits.replicates, level=limits.level,
                                 random_state=settings.seed)
    metrics = {f"retinamnist.test.linear.{name}": metric(interval, higher_is_better=True)
               for name, interval in zip(("accuracy", "roc_auc"), intervals, strict=True)}
    own = [_benchmark_scores(one, truth, np.ones(len(truth))) for one in found]
    for place, name in enumerate(("accuracy", "roc_auc")):
        values = [row[place] for row in own]
        metrics |= {f"retinamnist.test.linear.{which}_seed_{name}": metric(value, n=len(truth), higher_is_better=True)
                    for which, value in (("lowest", min(values)), ("highest", max(values)))}
    return metrics, {}


def _benchmark_scores(probabilities: Floats, truth: Whole, weights: Floats) -> tuple[float, float]:
    areas = [roc_auc(np.asarray(truth == grade, dtype=np.int64), probabilities[:, grade], sample_weight=weights)
             for grade in range(N_GRADES) if weights[truth == grade].sum() > 0]
    return float(weights @ (probabilities.argmax(axis=1) == truth) / weights.sum()), float(np.mean(areas))
