"""From what the network sees to grades: a logistic regression for each step of the scale.

A head says how probable it is that the grade is at least so high: at least 1, 2, 3 and 4 for retinopathy, at least 1 and 2 for oedema. The
steps are learnt apart and then kept from rising with the grade.

Reference: Frank E, Hall M. A simple approach to ordinal classification. ECML 2001. doi:10.1007/3-540-44795-4_13
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Grades = npt.NDArray[np.int64]
N_GRADES, N_RISKS = 5, 3
"""Of retinopathy, and of oedema."""
STEPS = (("dr", 1), ("dr", 2), ("dr", 3), ("dr", 4), ("dme", 1), ("dme", 2))
"""What each head asks: whether grade or risk is at least so high."""
DR, DME = slice(0, 4), slice(4, 6)
"""Places of the heads for retinopathy and for oedema."""
REFERABLE_STEP = 1
"""Place of the head that asks for a grade of 2 and more."""


@dataclass(frozen=True)
class Heads:
    """Six linear layers on standardised features.

    Attributes
    ----------
    mean, scale : ndarray of float64, shape (d,)
        Of the features in train.
    weight : ndarray of float64, shape (d, 6)
        One column a head, as `STEPS` has them.
    bias : ndarray of float64, shape (6,)
        Of the heads.
    """

    mean: FloatArray
    scale: FloatArray
    weight: FloatArray
    bias: FloatArray


def steps_of(grades: Grades, risks: Grades) -> npt.NDArray[np.bool_]:
    """Turn grades and risks into the answers to `STEPS`.

    Parameters
    ----------
    grades, risks : ndarray of int, shape (n,)
        0 to 4, and 0 to 2.

    Returns
    -------
    ndarray of bool, shape (n, 6)
        Whether each is at least so high.
    """
    return np.stack([{"dr": grades, "dme": risks}[scale] >= least for scale, least in STEPS], axis=1)


def fit_heads(features: npt.NDArray[np.float32], grades: Grades, risks: Grades, *, strength: float) -> Heads:
    """Fit the six heads; every view of a photograph is a row, and each photograph counts the same.

    Parameters
    ----------
    features : ndarray of float32, shape (n, views, d)
        What the network saw.
    grades, risks : ndarray of int, shape (n,)
        Of the photographs.
    strength : float
        Inverse regularisation.

    Returns
    -------
    Heads
        Ready to be asked.
    """
    from sklearn.linear_model import LogisticRegression

    n, views, d = features.shape
    rows = features.reshape(n * views, d).astype(np.float64)
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    standard, answers = (rows - mean) / scale, np.repeat(steps_of(grades, risks), views, axis=0)
    weight, bias = np.zeros((d, len(STEPS))), np.zeros(len(STEPS))
    for place, answer in enumerate(answers.T):
        if answer.all() or not answer.any():  # a step that train does not show is as rare as its size allows to say
            bias[place] = math.copysign(math.log(2 * n + 1), 1 if answer.all() else -1)
            continue
        model = LogisticRegression(C=strength / views, max_iter=500, tol=1e-5).fit(standard, answer)
        weight[:, place], bias[place] = model.coef_[0], float(model.intercept_[0])
    return Heads(mean, scale, weight, bias)


def ask_heads(heads: Heads, features: npt.NDArray[np.float32]) -> FloatArray:
    """Give the probabilities of the steps.

    Parameters
    ----------
    heads : Heads
        Fitted.
    features : ndarray of float32, shape (n, d)
        What the network saw.

    Returns
    -------
    ndarray of float64, shape (n, 6)
        Never rising from one step of a scale to the next.
    """
    logits = (features - heads.mean) / heads.scale @ heads.weight + heads.bias
    found = 1 / (1 + np.exp(-logits))
    return np.concatenate([np.minimum.accumulate(found[:, DR], axis=1), np.minimum.accumulate(found[:, DME], axis=1)], axis=1)


def out_of_fold(features: npt.NDArray[np.float32], grades: Grades, risks: Grades, folds: Grades, *, strength: float) -> FloatArray:
    """Ask about each photograph heads that have not seen its fold.

    Parameters
    ----------
    features : ndarray of float32, shape (n, views, d)
        What the network saw; asked are the first views, the photographs as they are.
    grades, risks, folds : ndarray of int, shape (n,)
        Of the photographs.
    strength : float
        Inverse regularisation.

    Returns
    -------
    ndarray of float64, shape (n, 6)
        Probabilities of the steps.
    """
    found = np.zeros((len(grades), len(STEPS)))
    for fold in np.unique(folds):
        here = folds == fold
        found[here] = ask_heads(fit_heads(features[~here], grades[~here], risks[~here], strength=strength), features[here, 0])
    return found


def step_loss(probabilities: FloatArray, grades: Grades, risks: Grades) -> float:
    """Give the mean log loss of the six heads.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n, 6)
        Of the steps.
    grades, risks : ndarray of int, shape (n,)
        Right ones.

    Returns
    -------
    float
        In nats; lower is better.
    """
    answers, kept = steps_of(grades, risks), probabilities.clip(1e-9, 1 - 1e-9)
    return float(-np.where(answers, np.log(kept), np.log(1 - kept)).mean())


def answer_all(features: npt.NDArray[np.float32], grades: Grades, risks: Grades, folds: Grades, *,
               strengths: Sequence[float]) -> tuple[FloatArray, dict[float, float]]:
    """Answer for all photographs with the strength that loses least out of fold: train out of fold, the others from all of train.

    Parameters
    ----------
    features : ndarray of float32, shape (n, views, d)
        What the network saw.
    grades, risks, folds : ndarray of int, shape (n,)
        Of the photographs; a fold below 0 trains nothing.
    strengths : sequence of float
        Inverse regularisations to choose from.

    Returns
    -------
    answers : ndarray of float64, shape (n, 6)
        Probabilities of the steps.
    losses : dict of float to float
        Out of fold, by strength.
    """
    learns = folds >= 0
    own = features[learns], grades[learns], risks[learns]
    tried = {strength: out_of_fold(*own, folds[learns], strength=strength) for strength in strengths}
    losses = {strength: step_loss(found, *own[1:]) for strength, found in tried.items()}
    strength = min(losses, key=lambda one: losses[one])
    answers = ask_heads(fit_heads(*own, strength=strength), features[:, 0])
    answers[learns] = tried[strength]
    return answers, losses


def tempered(steps: FloatArray, temperature: float) -> FloatArray:
    """Make probabilities more cautious, or bolder, without changing their order.

    Parameters
    ----------
    steps : ndarray of float64, shape (n, k)
        Probabilities.
    temperature : float
        By which their logits are divided; above 1 is more cautious.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Probabilities.

    Notes
    -----
    Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML 2017.
    """
    from scipy.special import expit, logit

    return np.asarray(expit(logit(steps) / temperature))


def grade_probabilities(steps: FloatArray) -> FloatArray:
    """Turn the probabilities of the steps of one scale into those of its grades.

    Parameters
    ----------
    steps : ndarray of float64, shape (n, k)
        Probability of at least 1 to at least k, never rising.

    Returns
    -------
    ndarray of float64, shape (n, k + 1)
        Probability of each grade, rows summing to 1.
    """
    rows = len(steps)
    padded = np.concatenate([np.ones((rows, 1)), steps, np.zeros((rows, 1))], axis=1)
    return padded[:, :-1] - padded[:, 1:]


def decide_grade(steps: FloatArray) -> Grades:
    """Choose the most probable grade; the lower one where two are alike.

    Parameters
    ----------
    steps : ndarray of float64, shape (n, k)
        Probability of at least 1 to at least k, never rising.

    Returns
    -------
    ndarray of int, shape (n,)
        0 to k.
    """
    return grade_probabilities(steps).argmax(axis=1)


def nearest_expected(steps: FloatArray) -> Grades:
    """Choose the grade nearest to the expected one, with which decided grades are compared out of fold.

    Parameters
    ----------
    steps : ndarray of float64, shape (n, k)
        Probability of at least 1 to at least k.

    Returns
    -------
    ndarray of int, shape (n,)
        0 to k.
    """
    return np.asarray(np.floor(steps.sum(axis=1) + 0.5), dtype=np.int64)
