"""How well a score tells events from non-events: ranking, classification at a threshold, and the work that follows from it.

Weights are frequency weights throughout: a row of weight 2 counts as two equal rows.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carefolio.metrics._ranking import rank, thin
from carefolio.metrics._validation import FloatArray, check_binary, check_fraction


@dataclass(frozen=True)
class Classification:
    """What a risk threshold does; every field is a fraction in [0, 1].

    Attributes
    ----------
    sensitivity, specificity : float
        Flagged share of the events, unflagged share of the non-events.
    precision : float
        Share of events among the flagged (positive predictive value); NaN where nobody is flagged.
    negative_predictive_value : float
        Share of non-events among the unflagged; NaN where everybody is flagged.
    flagged_fraction : float
        Share of all rows that is flagged.
    """

    sensitivity: float
    specificity: float
    precision: float
    negative_predictive_value: float
    flagged_fraction: float


@dataclass(frozen=True)
class Workload:
    """What it takes to act on the highest scores.

    Attributes
    ----------
    flagged_fraction : float
        Share of rows that is flagged, as asked for.
    threshold : float
        Lowest score among the flagged.
    sensitivity, precision : float
        Share of events that is flagged, share of the flagged that are events.
    lift : float
        Precision over prevalence; 1 is chance.
    number_needed_to_flag : float
        Rows flagged for each event found, ``1 / precision``; infinite where none is found.
    """

    flagged_fraction: float
    threshold: float
    sensitivity: float
    precision: float
    lift: float
    number_needed_to_flag: float


@dataclass(frozen=True)
class RocPoints:
    """Points of a receiver operating characteristic curve, from (0, 0) to (1, 1).

    Attributes
    ----------
    false_positive_rate, true_positive_rate, threshold : ndarray, shape (k,)
        One entry a point; the threshold of the first point is infinite.
    """

    false_positive_rate: FloatArray
    true_positive_rate: FloatArray
    threshold: FloatArray


@dataclass(frozen=True)
class PrecisionRecallPoints:
    """Points of a precision-recall curve, from the highest score down to the first that reaches full recall.

    Attributes
    ----------
    recall, precision, threshold : ndarray, shape (k,)
        One entry a point, recall ascending.
    """

    recall: FloatArray
    precision: FloatArray
    threshold: FloatArray


def roc_auc(y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Chance that an event scores above a non-event, ties counting one half (AUROC, C statistic).

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_score : array-like, shape (n,)
        Any finite score, higher for higher risk.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1], higher is better, 0.5 is chance.

    Raises
    ------
    ValueError
        If an array is malformed or only one class has weight.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29-36.
    """
    ranking = rank(*check_binary(y_true, y_score, sample_weight, name="y_score"))
    true, false = ranking.true_positives, ranking.false_positives
    area = np.sum(np.diff(false, prepend=0.0) * (true + np.append(0.0, true[:-1]))) / 2
    return float(area / (true[-1] * false[-1]))


def average_precision(y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Precision averaged over the gains in recall, ``sum((R_k - R_{k-1}) * P_k)`` over the distinct scores.

    Nothing is interpolated and tied rows enter together, as in scikit-learn.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_score : array-like, shape (n,)
        Any finite score, higher for higher risk.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In (0, 1], higher is better; the prevalence is chance.

    Raises
    ------
    ValueError
        If an array is malformed or only one class has weight.
    """
    ranking = rank(*check_binary(y_true, y_score, sample_weight, name="y_score"))
    true = ranking.true_positives
    precision = true / (true + ranking.false_positives)
    return float(np.sum(np.diff(true, prepend=0.0) * precision) / true[-1])


def log_loss(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean negative log-likelihood in nats.

    Probabilities are moved at most 2.2e-16 away from 0 and 1, so that one certain error gives a large finite loss.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        At least 0, lower is better.

    Raises
    ------
    ValueError
        If an array is malformed or only one class has weight.
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    epsilon = float(np.finfo(np.float64).eps)
    likelihood = np.clip(np.where(y == 1, prob, 1 - prob), epsilon, 1 - epsilon)
    return float(-np.average(np.log(likelihood), weights=weight))


def classification_at(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, risk_threshold: float, sample_weight: npt.ArrayLike | None = None
) -> Classification:
    """Flag every row whose probability is at least the threshold, and count.

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
    Classification
        Sensitivity, specificity, precision, negative predictive value and the flagged fraction.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or the threshold lies outside (0, 1).
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    flagged = prob >= check_fraction(risk_threshold, name="risk_threshold")
    true_positive, false_positive = float(weight @ (flagged * y)), float(weight @ (flagged * (1 - y)))
    events, non_events = float(weight @ y), float(weight @ (1 - y))
    n_flagged, total = true_positive + false_positive, events + non_events
    return Classification(
        sensitivity=true_positive / events,
        specificity=1 - false_positive / non_events,
        precision=true_positive / n_flagged if flagged.any() else math.nan,
        negative_predictive_value=math.nan if flagged.all() else (non_events - false_positive) / (total - n_flagged),
        flagged_fraction=n_flagged / total,
    )


def workload(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, flagged_fraction: float, sample_weight: npt.ArrayLike | None = None
) -> Workload:
    """Flag the highest scores up to a capacity, such as the top 10 %.

    Where scores tie at the cut, the places that are left are shared among the tied rows alike: the result is the mean over all
    orders of the tied rows, it does not depend on the order of the input, and exactly ``flagged_fraction`` is flagged.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_score : array-like, shape (n,)
        Any finite score, higher for higher risk.
    flagged_fraction : float
        Share of rows that can be acted on, in (0, 1].
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    Workload
        Threshold, sensitivity, precision, lift and number needed to flag.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or the fraction lies outside (0, 1].
    """
    ranking = rank(*check_binary(y_true, y_score, sample_weight, name="y_score"))
    flagged = np.append(0.0, ranking.true_positives + ranking.false_positives)
    found = np.append(0.0, ranking.true_positives)
    capacity = check_fraction(flagged_fraction, name="flagged_fraction", closed=True) * flagged[-1]
    cut = min(int(np.searchsorted(flagged, capacity * (1 - 1e-12))), flagged.size - 1)
    events = float(np.interp(capacity, flagged, found))
    precision = events / float(capacity)
    return Workload(
        flagged_fraction=float(flagged_fraction),
        threshold=float(ranking.threshold[cut - 1]),
        sensitivity=events / float(found[-1]),
        precision=precision,
        lift=precision * float(flagged[-1] / found[-1]),
        number_needed_to_flag=1 / precision if precision > 0 else math.inf,
    )


def roc_points(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, n_points: int = 200, sample_weight: npt.ArrayLike | None = None
) -> RocPoints:
    """Trace a receiver operating characteristic curve with few points, evenly spread along it.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_score : array-like, shape (n,)
        Any finite score, higher for higher risk.
    n_points : int, default 200
        Most points to return, at least 2.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    RocPoints
        Every point lies on the full curve.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or ``n_points`` is below 2.
    """
    ranking = rank(*check_binary(y_true, y_score, sample_weight, name="y_score"))
    true = np.append(0.0, ranking.true_positives) / ranking.true_positives[-1]
    false = np.append(0.0, ranking.false_positives) / ranking.false_positives[-1]
    kept = thin(true + false, n_points)
    return RocPoints(false[kept], true[kept], np.append(np.inf, ranking.threshold)[kept])


def precision_recall_points(
    y_true: npt.ArrayLike, y_score: npt.ArrayLike, *, n_points: int = 200, sample_weight: npt.ArrayLike | None = None
) -> PrecisionRecallPoints:
    """Trace a precision-recall curve with few points, evenly spread in recall.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_score : array-like, shape (n,)
        Any finite score, higher for higher risk.
    n_points : int, default 200
        Most points to return, at least 2.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    PrecisionRecallPoints
        Every point lies on the full curve.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or ``n_points`` is below 2.
    """
    ranking = rank(*check_binary(y_true, y_score, sample_weight, name="y_score"))
    true = ranking.true_positives
    kept = thin(true / true[-1], n_points)
    precision = true / (true + ranking.false_positives)
    return PrecisionRecallPoints((true / true[-1])[kept], precision[kept], ranking.threshold[kept])
