"""A system's answers against the right ones: scores with intervals, and its lead over a baseline on the same replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from carefolio.evidence import Metric, metric
from carefolio.metrics import classification as multiclass
from carefolio.metrics.selective import selective_at, threshold_for_precision
from carefolio.uncertainty import bootstrap_values
from text_classifier.config import EvaluationSettings
from text_classifier.features import TEST, VALID
from text_classifier.predictions import Predicted

if TYPE_CHECKING:
    import polars as pl

Weights = npt.NDArray[np.float64]
SCORES: dict[str, bool] = {"accuracy": True, "macro_f1": True, "log_loss": False, "brier_score": False, "calibration_error": False,
                           "coverage_95": True}
"""What every system is judged by, and whether higher is better."""
LEADS = ("accuracy", "macro_f1")
"""Scores in which systems are held against each other."""


@dataclass(frozen=True)
class Judged:
    """A system's answers for one part of a task.

    Attributes
    ----------
    truth : ndarray of str, shape (n,)
        Right labels.
    units : ndarray of str, shape (n,)
        What is resampled.
    labels : list of str
        Columns of the probabilities.
    probabilities : list of ndarray, each of shape (n, k)
        One a seed.
    thresholds : list of float
        Confidence from which a seed answers by itself, from validation; infinite if none reaches the precision.
    """

    truth: npt.NDArray[np.str_]
    units: npt.NDArray[np.str_]
    labels: list[str]
    probabilities: list[npt.NDArray[np.float64]]
    thresholds: list[float]

    @property
    def answers(self) -> list[npt.NDArray[np.str_]]:
        """Give the most probable label of each text.

        Returns
        -------
        list of ndarray of str, each of shape (n,)
            One a seed.
        """
        return [np.asarray(self.labels)[one.argmax(axis=1)] for one in self.probabilities]


def judge(examples: pl.DataFrame, kept: Sequence[Predicted], settings: EvaluationSettings) -> Judged:
    """Join a system's test answers to the right ones, with thresholds from validation.

    Parameters
    ----------
    examples : polars.DataFrame
        Table of the task.
    kept : sequence of Predicted
        One a seed.
    settings : EvaluationSettings
        The precision that an answer by itself must have.

    Returns
    -------
    Judged
        Of the test part.
    """
    rows = kept[0].of_part(TEST)[0]
    places = {row: (label, unit) for row, label, unit in examples.select("row", "label", "unit").iter_rows()}
    truth, units = (np.array([places[row][place] for row in rows]) for place in (0, 1))
    labels = list(kept[0].labels)
    thresholds = []
    for one in kept:
        valid_rows, probabilities = one.of_part(VALID)
        answers = np.asarray(labels)[probabilities.argmax(axis=1)]
        thresholds.append(threshold_for_precision(np.array([places[row][0] for row in valid_rows]), answers, probabilities.max(axis=1),
                                                  precision=settings.precision))
    return Judged(truth, units, labels, [one.of_part(TEST)[1] for one in kept], thresholds)


def scores_of(judged: Judged, weights: Weights) -> list[float]:
    """Compute the scores of `SCORES`, each the mean of the seeds.

    Parameters
    ----------
    judged : Judged
        Answers.
    weights : ndarray, shape (n,)
        Weight of each text.

    Returns
    -------
    list of float
        In the order of `SCORES`.
    """
    rows = []
    for answers, probabilities, threshold in zip(judged.answers, judged.probabilities, judged.thresholds, strict=True):
        confidence = probabilities.max(axis=1)
        rows.append([
            float(weights @ (answers == judged.truth) / weights.sum()), multiclass.macro_f1(judged.truth, answers, sample_weight=weights),
            multiclass.multiclass_log_loss(judged.truth, probabilities, labels=judged.labels, sample_weight=weights),
            multiclass.multiclass_brier_score(judged.truth, probabilities, labels=judged.labels, sample_weight=weights),
            multiclass.top_label_calibration_error(judged.truth, probabilities, labels=judged.labels, sample_weight=weights),
            float(weights @ (confidence >= threshold) / weights.sum())])
    return [float(value) for value in np.mean(rows, axis=0)]


def score_all(task: str, judged: Mapping[str, Judged], leads: Sequence[tuple[str, str]], settings: EvaluationSettings, *,
              seed: int) -> dict[str, Metric]:
    """Score every system, and the lead of some over others, on the same replicates.

    Parameters
    ----------
    task : str
        Name of the task.
    judged : mapping of str to Judged
        Answers for the same texts, by system.
    leads : sequence of (str, str)
        Pairs of systems; the lead of the first over the second is given in the scores of `LEADS`.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``<task>.test.<system>.<score>`` and ``<task>.test.<first>_minus_<second>.<score>`` with intervals over units; ``precision_95``,
        without one, only where a seed answers something by itself.
    """
    scores, compared = list(SCORES), [list(SCORES).index(name) for name in LEADS]

    def _all(weights: Weights) -> npt.NDArray[np.float64]:
        rows = {system: np.array(scores_of(one, weights)) for system, one in judged.items()}
        return np.concatenate([*rows.values(), *((rows[first] - rows[second])[compared] for first, second in leads)])

    ids = [f"{task}.test.{system}.{name}" for system in judged for name in scores]
    ids += [f"{task}.test.{first}_minus_{second}.{name}" for first, second in leads for name in LEADS]
    units = next(iter(judged.values())).units
    intervals = bootstrap_values(_all, groups=units, n_replicates=settings.replicates, level=settings.level, random_state=seed)
    found = {one: metric(interval, higher_is_better=SCORES[one.rsplit(".", 1)[1]]) for one, interval in zip(ids, intervals, strict=True)}
    for system, one in judged.items():
        found |= _precision(f"{task}.test.{system}.precision_95", one)
    return found


def across_seeds(task: str, judged: Mapping[str, Judged]) -> dict[str, Metric]:
    """Give what the chance of the training does: accuracy of the worst and of the best seed, which no interval over texts holds.

    Parameters
    ----------
    task : str
        Name of the task.
    judged : mapping of str to Judged
        Answers by system.

    Returns
    -------
    dict of str to Metric
        ``<task>.test.<system>.seeds``, ``lowest_seed_accuracy`` and ``highest_seed_accuracy`` of the systems with more than one seed.
    """
    found: dict[str, Metric] = {}
    for system, one in judged.items():
        own = [float(np.mean(answers == one.truth)) for answers in one.answers]
        if len(own) > 1:
            found |= {f"{task}.test.{system}.{name}": metric(value, n=len(one.truth), higher_is_better=True)
                      for name, value in (("seeds", len(own)), ("lowest_seed_accuracy", min(own)), ("highest_seed_accuracy", max(own)))}
    return found


def _precision(name: str, judged: Judged) -> dict[str, Metric]:
    """Give the share of right answers among those given alone, where a seed gives any."""
    chosen = [selective_at(judged.truth, answers, probabilities.max(axis=1), threshold=threshold)
              for answers, probabilities, threshold in zip(judged.answers, judged.probabilities, judged.thresholds, strict=True)]
    reached = [one.precision for one in chosen if one.coverage > 0]
    return {name: metric(float(np.mean(reached)), n=len(judged.truth), higher_is_better=True)} if reached else {}


def by_source(task: str, examples: pl.DataFrame, judged: Judged, system: str, settings: EvaluationSettings, *,
              seed: int) -> dict[str, Metric]:
    """Score accuracy on each of the publisher's test parts, where there are several.

    Parameters
    ----------
    task : str
        Name of the task.
    examples : polars.DataFrame
        Table of the task.
    judged : Judged
        Answers for the test part.
    system : str
        Name of the system.
    settings : EvaluationSettings
        Replicates and level.
    seed : int
        Of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``<task>.<source>.<system>.accuracy``.
    """
    sources = examples.filter(part=TEST)["source"].to_numpy()
    found = {}
    for source in sorted(set(sources)) if len(set(sources)) > 1 else ():
        here = sources == source
        correct = np.mean([answers[here] == judged.truth[here] for answers in judged.answers], axis=0)
        interval, = bootstrap_values(partial(_mean, correct), groups=judged.units[here], n_replicates=settings.replicates,
                                     level=settings.level, random_state=seed)
        found[f"{task}.{source}.{system}.accuracy"] = metric(interval, higher_is_better=True)
    return found


def _mean(values: Weights, weights: Weights) -> list[float]:
    return [float(weights @ values / weights.sum())]


def accuracy_of(examples: pl.DataFrame, predicted: Predicted, part: str = VALID) -> float:
    """Give the share of right answers of one seed.

    Parameters
    ----------
    examples : polars.DataFrame
        Table of the task.
    predicted : Predicted
        Answers.
    part : str, default "valid"
        Part that is judged.

    Returns
    -------
    float
        In [0, 1].
    """
    rows, probabilities = predicted.of_part(part)
    right = dict(examples.select("row", "label").iter_rows())
    return float(np.mean([right[row] == predicted.labels[place] for row, place in zip(rows, probabilities.argmax(axis=1), strict=True)]))
