"""What is chosen out of fold on the train part: from where to refer, and which sets of grades keep the promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from carefolio.metrics.conformal import conformal_threshold, grade_scores
from carefolio.metrics.discrimination import roc_points
from retinopathy.config import REFERABLE, EvaluationSettings
from retinopathy.features import HELD_OUT, read_features
from retinopathy.heads import DR, REFERABLE_STEP, decide_grade, grade_probabilities, step_loss, tempered

Floats = npt.NDArray[np.float64]
Whole = npt.NDArray[np.int64]
FROZEN, TUNED, GRADER = "frozen", "tuned", "grader"
"""Heads on the frozen network, the tuned network, and the one of both that is kept because it loses less out of fold."""
TEMPERATURES = (0.25, 4.0)
"""Bounds of the search."""


@dataclass(frozen=True)
class Chosen:
    """What is chosen out of fold.

    Attributes
    ----------
    referral : float
        Probability of a referable grade from which a patient is referred.
    sets : float
        Threshold of the sets of grades.
    temperature : float
        By which logits are divided before all else.
    """

    referral: float
    sets: float
    temperature: float = 1.0


@dataclass(frozen=True)
class Answers:
    """Right grades and the grader's probabilities.

    Attributes
    ----------
    grades, risks : ndarray of int, shape (n,)
        Right ones.
    steps : ndarray of float64, shape (n, 6)
        Probabilities of the steps.
    """

    grades: Whole
    risks: Whole
    steps: Floats

    def tempered(self, temperature: float) -> Answers:
        """Divide all logits by a temperature.

        Parameters
        ----------
        temperature : float
            Above 1 is more cautious.

        Returns
        -------
        Answers
            To the same photographs.
        """
        return Answers(self.grades, self.risks, tempered(self.steps, temperature))

    @property
    def referable(self) -> Whole:
        """Say which photographs an eye doctor should see.

        Returns
        -------
        ndarray of int, shape (n,)
            0 or 1.
        """
        return np.asarray(self.grades >= REFERABLE, dtype=np.int64)

    @cached_property
    def decided(self) -> Whole:
        """Give the decided grades, once for all replicates of a bootstrap.

        Returns
        -------
        ndarray of int, shape (n,)
            0 to 4.
        """
        return decide_grade(self.steps[:, DR])

    @cached_property
    def probabilities(self) -> Floats:
        """Give the probability of each grade, once for all replicates of a bootstrap.

        Returns
        -------
        ndarray of float64, shape (n, 5)
            Rows sum to 1.
        """
        return grade_probabilities(self.steps[:, DR])


def read_wanted(out: Path) -> tuple[Whole, Whole, Whole]:
    """Read the right answers of a run, and which photographs learn.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    grades, risks, folds : ndarray of int, shape (n,)
        In the order of the photographs.
    """
    import polars as pl

    table = pl.read_parquet(out / "features" / "photographs.parquet")
    grades, risks, folds = (table[name].to_numpy().astype(np.int64) for name in ("dr_grade", "dme_risk", "fold"))
    return grades, risks, folds


def read_steps(out: Path) -> dict[str, npt.NDArray[np.float64]]:
    """Read what the graders of a run answered.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    dict of str to ndarray
        ``frozen``, ``tuned`` and ``grader``, shape (n, 6): out of fold on train; ``altered``, shape (n_test, views - 1, 6), of the grader.
    """
    return read_features(out / "train" / "idrid.npz")


def read_answers(out: Path, system: str) -> dict[str, Answers]:
    """Read what a system of a run answered.

    Parameters
    ----------
    out : Path
        Folder of the run, trained.
    system : {"frozen", "tuned", "grader"}
        Heads on the frozen network, the tuned network, or the one that is kept.

    Returns
    -------
    dict of str to Answers
        ``out_of_fold`` and ``test``.
    """
    grades, risks, folds = read_wanted(out)
    steps, learns = read_steps(out)[system], folds != HELD_OUT
    return {name: Answers(grades[here], risks[here], steps[here]) for name, here in (("out_of_fold", learns), ("test", ~learns))}


def best_temperature(answers: Answers) -> float:
    """Find the temperature that loses least.

    Parameters
    ----------
    answers : Answers
        Out of fold.

    Returns
    -------
    float
        Within `TEMPERATURES`.
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(lambda one: loss_of(answers.tempered(one)), bounds=TEMPERATURES, method="bounded")
    return float(found.x)


def loss_of(answers: Answers) -> float:
    """Give the mean log loss of the steps.

    Parameters
    ----------
    answers : Answers
        Right grades and probabilities.

    Returns
    -------
    float
        In nats; lower is better.
    """
    return step_loss(answers.steps, answers.grades, answers.risks)


def keep_one(candidates: Mapping[str, Answers]) -> str:
    """Name the candidate that loses least out of fold, each at its best temperature; the first one where two are alike.

    Parameters
    ----------
    candidates : mapping of str to Answers
        Out of fold, by name.

    Returns
    -------
    str
        One of the names.
    """
    return min(candidates, key=lambda name: loss_of(candidates[name].tempered(best_temperature(candidates[name]))))


def choose(answers: Answers, settings: EvaluationSettings) -> Chosen:
    """Choose the temperature that loses least, the threshold for referral that leaves most room above both bounds, and that of the sets.

    Parameters
    ----------
    answers : Answers
        Out of fold.
    settings : EvaluationSettings
        Bounds and promise.

    Returns
    -------
    Chosen
        Temperature, and thresholds of what it gives.
    """
    temperature = best_temperature(answers)
    answers = answers.tempered(temperature)
    curve = roc_points(answers.referable, answers.steps[:, REFERABLE_STEP])
    room = np.minimum(curve.true_positive_rate - settings.least_sensitivity, 1 - curve.false_positive_rate - settings.least_specificity)
    inner = np.flatnonzero((curve.threshold > 0) & (curve.threshold < 1))
    place = int(inner[room[inner].argmax()])
    scores = grade_scores(answers.probabilities)[np.arange(len(answers.grades)), answers.grades]
    return Chosen(float(curve.threshold[place]), conformal_threshold(scores, coverage=settings.coverage), temperature)
