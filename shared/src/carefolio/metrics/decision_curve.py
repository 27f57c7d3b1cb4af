"""Net benefit: what acting on a prediction is worth once false alarms are weighed against missed events."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from carefolio.metrics._ranking import rank
from carefolio.metrics._validation import FloatArray, as_vector, check_binary, check_fraction

_RESERVED = ("risk_threshold", "treat_all", "treat_none")


def net_benefit(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, risk_threshold: float, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Net benefit of treating every row whose probability is at least the threshold.

    ``TP / n - FP / n * t / (1 - t)``: the threshold ``t`` is the risk at which treating and not treating are equally good.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1.
    risk_threshold : float
        In (0, 1).
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In true positives a row, at most the prevalence; higher is better, 0 is treating nobody.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or the threshold lies outside (0, 1).

    References
    ----------
    Vickers AJ, Elkin EB. Medical Decision Making 2006;26:565-574.
    """
    thresholds = np.array([check_fraction(risk_threshold, name="risk_threshold")])
    return float(_curve(*check_binary(y_true, y_prob, sample_weight), thresholds)[0])


def net_benefit_treat_all(y_true: npt.ArrayLike, *, risk_threshold: float, sample_weight: npt.ArrayLike | None = None) -> float:
    """Net benefit of treating everybody, ``prevalence - (1 - prevalence) * t / (1 - t)``.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    risk_threshold : float
        In (0, 1).
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In true positives a row; higher is better, 0 is treating nobody.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or the threshold lies outside (0, 1).
    """
    everybody = np.ones(as_vector(y_true, name="y_true").size)
    return net_benefit(y_true, everybody, risk_threshold=risk_threshold, sample_weight=sample_weight)


def decision_curve(
    y_true: npt.ArrayLike, y_probs: Mapping[str, npt.ArrayLike], *, risk_thresholds: npt.ArrayLike,
    sample_weight: npt.ArrayLike | None = None,
) -> dict[str, FloatArray]:
    """Net benefit of several models over a range of thresholds; each model is sorted once.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_probs : mapping of str to array-like, shape (n,)
        Probability of 1 by model.
    risk_thresholds : array-like, shape (k,)
        Each in (0, 1).
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    dict of str to ndarray, shape (k,)
        ``"risk_threshold"``, one entry a model, ``"treat_all"`` and ``"treat_none"``.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, a threshold lies outside (0, 1), or a model takes a reserved name.
    """
    thresholds = as_vector(risk_thresholds, name="risk_thresholds")
    for threshold in thresholds:
        check_fraction(threshold, name="risk_thresholds")
    taken = [name for name in y_probs if name in _RESERVED]
    if taken:
        raise ValueError(f"y_probs must not name a model {taken[0]!r}; {', '.join(_RESERVED)} are reserved. Rename the model.")
    everybody = np.ones(as_vector(y_true, name="y_true").size)
    curves = {name: _curve(*check_binary(y_true, prob, sample_weight), thresholds)
              for name, prob in {**y_probs, "treat_all": everybody}.items()}
    return {"risk_threshold": thresholds, **curves, "treat_none": np.zeros(thresholds.size)}


def _curve(y: FloatArray, prob: FloatArray, weight: FloatArray, thresholds: FloatArray) -> FloatArray:
    ranking = rank(y, prob, weight)
    n_flagged = np.searchsorted(-ranking.threshold, -thresholds, side="right")
    true = np.append(0.0, ranking.true_positives)[n_flagged]
    false = np.append(0.0, ranking.false_positives)[n_flagged]
    total = ranking.true_positives[-1] + ranking.false_positives[-1]
    return (true - false * thresholds / (1 - thresholds)) / total
