"""Logistic regression on one or two parameters with an offset, by Newton's method."""

import numpy as np

from carefolio.metrics._validation import FloatArray

_MAX_STEPS = 100
_TOLERANCE = 1e-10


def check_overlap(y: FloatArray, logit: FloatArray) -> None:
    """Refuse data for which no finite slope exists.

    Parameters
    ----------
    y, logit : ndarray, shape (n,)
        Outcome and its only covariate.

    Raises
    ------
    ValueError
        If the covariate is constant, or one class lies wholly on one side of the other.
    """
    if logit.min() == logit.max():
        raise ValueError("y_prob must hold at least two distinct values for a slope; got one value in every row. "
                         "Look at the model: it predicts the same for everybody.")
    events, others = logit[y == 1], logit[y == 0]
    if events.min() >= others.max() or others.min() >= events.max():
        raise ValueError("y_prob separates the classes completely, so the slope is infinite; expected some overlap. "
                         "Use more rows, and check for leakage of the outcome.")


def fit_logistic(design: FloatArray, y: FloatArray, weight: FloatArray, *, offset: FloatArray, start: FloatArray) -> FloatArray:
    """Maximise the weighted likelihood by Newton steps, halved where they would lose likelihood.

    Parameters
    ----------
    design : ndarray, shape (n, k)
        Covariates.
    y, weight, offset : ndarray, shape (n,)
        Outcome, row weights and the part of the log odds that is fixed.
    start : ndarray, shape (k,)
        First parameters.

    Returns
    -------
    ndarray, shape (k,)
        Fitted parameters.

    Raises
    ------
    ValueError
        If the steps do not converge.
    """
    weight = weight / weight.sum()
    beta, loss = start, _loss(offset + design @ start, y, weight)
    for _ in range(_MAX_STEPS):
        step = _newton_step(design, offset + design @ beta, y, weight)
        new_loss = _loss(offset + design @ (beta + step), y, weight)
        while new_loss > loss + 1e-12 and np.abs(step).max() > _TOLERANCE:
            step = step / 2
            new_loss = _loss(offset + design @ (beta + step), y, weight)
        beta, loss = beta + step, new_loss
        if np.abs(step).max() <= _TOLERANCE * (1 + np.abs(beta).max()):
            return beta
    raise ValueError(f"logistic recalibration did not converge in {_MAX_STEPS} steps; last parameters {beta.tolist()}. "
                     "Look for probabilities of 0 or 1 that the outcome contradicts.")


def _newton_step(design: FloatArray, linear: FloatArray, y: FloatArray, weight: FloatArray) -> FloatArray:
    prob = np.exp(-np.logaddexp(0, -linear))
    gradient = design.T @ (weight * (y - prob))
    curvature = weight * np.maximum(prob * (1 - prob), 1e-12)
    return np.linalg.solve(design.T @ (design * curvature[:, None]), gradient)


def _loss(linear: FloatArray, y: FloatArray, weight: FloatArray) -> float:
    return float(weight @ (np.logaddexp(0, linear) - y * linear))
