"""Selective prediction: answer the cases of high confidence and hand the others to a person.

The precision of a selection is the accuracy among the cases answered, its risk one minus that, its coverage the share of cases
answered. Cases are answered most confident first, and cases of equal confidence together. Weights are frequency weights throughout: a
row of weight 2 counts as two equal rows, a row of weight 0 as none.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carefolio.metrics._labels import check_labels
from carefolio.metrics._ranking import Ranking, rank, thin
from carefolio.metrics._validation import FloatArray, as_vector, check_fraction

_SLACK = 1e-12


@dataclass(frozen=True)
class Selection:
    """What a threshold of the confidence does.

    Attributes
    ----------
    coverage : float
        Share of cases that is answered, in [0, 1].
    precision : float
        Accuracy among the answered, in [0, 1]; NaN where none is.
    """

    coverage: float
    precision: float


@dataclass(frozen=True)
class RiskCoveragePoints:
    """Points of a risk-coverage curve, coverage ascending to 1.

    Attributes
    ----------
    coverage, risk, threshold : ndarray, shape (k,)
        Share of cases answered, share of wrong answers among them, and the lowest confidence among them.
    """

    coverage: FloatArray
    risk: FloatArray
    threshold: FloatArray


def coverage_at_precision(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, *, precision: float,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Largest share of cases that can be answered with at least this precision, most confident first.

    The threshold behind it is the best one for these very rows: on a test set it is a ceiling, and what can be promised is
    `selective_at` a threshold that `threshold_for_precision` took from validation rows.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        True and predicted labels.
    confidence : array-like, shape (n,)
        Any finite score of the prediction, higher for surer, such as the probability of the predicted label.
    precision : float
        Accuracy wanted among the answered, in (0, 1].
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1], higher is better; 0 where no threshold reaches the precision.

    Raises
    ------
    ValueError
        If an array is malformed or the precision lies outside (0, 1].

    References
    ----------
    El-Yaniv R, Wiener Y. On the foundations of noise-free selective classification. J Mach Learn Res 2010;11:1605-1641.
    """
    ranking = _rank(y_true, y_pred, confidence, sample_weight)
    place, answered = _last_reaching(ranking, precision), _answered(ranking)
    return 0.0 if place is None else float(answered[place] / answered[-1])


def threshold_for_precision(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, *, precision: float,
    sample_weight: npt.ArrayLike | None = None,
) -> float:
    """Lowest confidence at which the cases at or above it are answered with at least this precision.

    Choose it on validation rows and measure it on test rows with `selective_at`. A precision reached on few rows is easily missed on
    others: look at the coverage as well.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        True and predicted labels.
    confidence : array-like, shape (n,)
        Any finite score of the prediction, higher for surer.
    precision : float
        Accuracy wanted among the answered, in (0, 1].
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        A confidence that occurs; infinite where none reaches the precision, so that nothing is answered.

    Raises
    ------
    ValueError
        If an array is malformed or the precision lies outside (0, 1].
    """
    ranking = _rank(y_true, y_pred, confidence, sample_weight)
    place = _last_reaching(ranking, precision)
    return math.inf if place is None else float(ranking.threshold[place])


def selective_at(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, *, threshold: float,
    sample_weight: npt.ArrayLike | None = None,
) -> Selection:
    """Answer every case whose confidence is at least the threshold, and count.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        True and predicted labels.
    confidence : array-like, shape (n,)
        Any finite score of the prediction, higher for surer.
    threshold : float
        Lowest confidence that is answered; infinite for none.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    Selection
        Coverage and precision, both better when higher.

    Raises
    ------
    ValueError
        If an array is malformed or the threshold is NaN.
    """
    if math.isnan(threshold):
        raise ValueError("threshold must be a number; got nan. Take it from threshold_for_precision on validation rows.")
    correct, score, weight = _read(y_true, y_pred, confidence, sample_weight)
    answered = score >= threshold
    covered = float(weight @ answered)
    return Selection(coverage=covered / float(weight.sum()),
                     precision=float(weight @ (answered * correct)) / covered if covered else math.nan)


def risk_coverage_points(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, *, n_points: int = 200,
    sample_weight: npt.ArrayLike | None = None,
) -> RiskCoveragePoints:
    """Trace a risk-coverage curve with few points, evenly spread in coverage.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        True and predicted labels.
    confidence : array-like, shape (n,)
        Any finite score of the prediction, higher for surer.
    n_points : int, default 200
        Most points to return, at least 2.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    RiskCoveragePoints
        Every point lies on the full curve; the last answers all cases.

    Raises
    ------
    ValueError
        If an array is malformed or ``n_points`` is below 2.

    References
    ----------
    El-Yaniv R, Wiener Y. J Mach Learn Res 2010;11:1605-1641.
    """
    ranking = _rank(y_true, y_pred, confidence, sample_weight)
    answered = _answered(ranking)
    kept = thin(answered / answered[-1], n_points)
    return RiskCoveragePoints((answered / answered[-1])[kept], (ranking.false_positives / answered)[kept], ranking.threshold[kept])


def area_under_risk_coverage(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Risk averaged over coverage: the mean over cases of the risk when all at least as confident are answered (AURC).

    Nothing is interpolated and tied rows enter together.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        True and predicted labels.
    confidence : array-like, shape (n,)
        Any finite score of the prediction, higher for surer.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1], lower is better; a confidence that tells nothing gives the error rate.

    Raises
    ------
    ValueError
        If an array is malformed.

    References
    ----------
    Geifman Y, Uziel G, El-Yaniv R. Bias-reduced uncertainty estimation for deep neural classifiers. ICLR 2019.
    """
    ranking = _rank(y_true, y_pred, confidence, sample_weight)
    answered = _answered(ranking)
    return float(np.average(ranking.false_positives / answered, weights=np.diff(answered, prepend=0.0)))


def _read(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, sample_weight: npt.ArrayLike | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Whether each row is right, its confidence and its weight, of the rows of positive weight."""
    true, predicted, _, weight = check_labels(y_true, y_pred, sample_weight)
    score = as_vector(confidence, name="confidence")
    if score.size != true.size:
        raise ValueError(f"confidence must have as many rows as y_true, {true.size}; got {score.size}. Select both with the same rows.")
    kept = weight > 0
    return (true == predicted)[kept].astype(np.float64), score[kept], weight[kept]


def _rank(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, confidence: npt.ArrayLike, sample_weight: npt.ArrayLike | None
) -> Ranking:
    return rank(*_read(y_true, y_pred, confidence, sample_weight))


def _answered(ranking: Ranking) -> FloatArray:
    return ranking.true_positives + ranking.false_positives


def _last_reaching(ranking: Ranking, precision: float) -> int | None:
    """Place of the lowest threshold that reaches the precision."""
    wanted = check_fraction(precision, name="precision", closed=True)
    reached = np.flatnonzero(ranking.true_positives >= wanted * _answered(ranking) * (1 - _SLACK))
    return int(reached[-1]) if reached.size else None
