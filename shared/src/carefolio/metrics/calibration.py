"""Whether predicted probabilities can be taken at their word.

Weights are frequency weights throughout: a row of weight 2 counts as two equal rows. Bins are quantile bins: a row's bin follows
from the share of weight below it plus half the weight tied with it, so tied rows are never split between bins.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from carefolio.metrics._binning import quantile_bins, wilson_interval
from carefolio.metrics._logistic import check_overlap, fit_logistic
from carefolio.metrics._validation import FloatArray, check_binary

_CLIP = 1e-9


@dataclass(frozen=True)
class BrierDecomposition:
    """Parts of a Brier score: ``brier_score == reliability - resolution + uncertainty + within_bin``.

    Attributes
    ----------
    reliability : float
        Weighted mean squared distance between mean prediction and observed rate of a bin; lower is better.
    resolution : float
        Weighted mean squared distance between a bin's observed rate and the prevalence; higher is better.
    uncertainty : float
        ``prevalence * (1 - prevalence)``, the Brier score of the prevalence itself.
    within_bin : float
        Variance of predictions within bins less twice their covariance with the outcome; it makes the sum exact.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bin: float


@dataclass(frozen=True)
class CalibrationCurve:
    """Observed against predicted risk, one entry a bin that holds rows, predicted risk ascending.

    Attributes
    ----------
    mean_predicted, observed : ndarray, shape (k,)
        Mean probability and observed rate.
    count : ndarray, shape (k,)
        Sum of weights: rows, where no weights are given.
    low, high : ndarray, shape (k,)
        Wilson interval of ``observed``; it takes rows for independent.
    """

    mean_predicted: FloatArray
    observed: FloatArray
    count: FloatArray
    low: FloatArray
    high: FloatArray


def calibration_slope(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Slope ``b`` of the logistic recalibration ``logit P(y = 1) = a + b * logit(y_prob)``, by maximum likelihood.

    Probabilities are clipped to [1e-9, 1 - 1e-9], because the logit of 0 and 1 is infinite.

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
        1 is ideal; below 1 the predictions are too extreme, above 1 too timid.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, all probabilities are equal, or they separate the classes.

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Van Calster B et al. BMC Medicine 2019;17:230.
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    logit = _logit(prob)
    check_overlap(y, logit)
    design = np.column_stack([np.ones(y.size), logit])
    return float(fit_logistic(design, y, weight, offset=np.zeros(y.size), start=np.array([0.0, 1.0]))[1])


def calibration_intercept(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Intercept ``a`` of ``logit P(y = 1) = a + logit(y_prob)``, the slope held at 1: calibration in the large.

    Probabilities are clipped to [1e-9, 1 - 1e-9], because the logit of 0 and 1 is infinite.

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
        In log odds; 0 is ideal, below 0 the risk is overestimated on average, above 0 underestimated.

    Raises
    ------
    ValueError
        If an array is malformed or only one class has weight.

    References
    ----------
    Cox DR. Biometrika 1958;45:562-565. Van Calster B et al. BMC Medicine 2019;17:230.
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    return float(fit_logistic(np.ones((y.size, 1)), y, weight, offset=_logit(prob), start=np.zeros(1))[0])


def expected_calibration_error(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, n_bins: int = 10, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Weighted mean over quantile bins of the distance between mean prediction and observed rate.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1.
    n_bins : int, default 10
        Number of quantile bins.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0, 1], lower is better. It grows with the number of bins by noise alone: compare only at equal bins and rows.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or ``n_bins`` is below 1.

    References
    ----------
    Naeini MP, Cooper GF, Hauskrecht M. AAAI 2015:2901-2907 (there with bins of equal width).
    """
    count, predicted, observed, _ = quantile_bins(*check_binary(y_true, y_prob, sample_weight), n_bins)
    return float(np.average(np.abs(predicted - observed), weights=count))


def brier_score(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Mean squared distance between probability and outcome.

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
        In [0, 1], lower is better.

    Raises
    ------
    ValueError
        If an array is malformed or only one class has weight.

    References
    ----------
    Brier GW. Monthly Weather Review 1950;78:1-3.
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    return float(np.average((prob - y) ** 2, weights=weight))


def brier_skill_score(y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Gain over predicting the prevalence of the same rows: ``1 - brier_score / (prevalence * (1 - prevalence))``.

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
        At most 1, higher is better; 0 is no gain.

    Raises
    ------
    ValueError
        If an array is malformed or only one class has weight.
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    prevalence = np.average(y, weights=weight)
    return float(1 - np.average((prob - y) ** 2, weights=weight) / (prevalence * (1 - prevalence)))


def brier_decomposition(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, n_bins: int = 10, sample_weight: npt.ArrayLike | None = None
) -> BrierDecomposition:
    """Split the Brier score into reliability, resolution, uncertainty and what happens within bins.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1.
    n_bins : int, default 10
        Number of quantile bins.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    BrierDecomposition
        Four parts whose signed sum is the Brier score.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, or ``n_bins`` is below 1.

    References
    ----------
    Murphy AH. J Appl Meteorol 1973;12:595-600. Stephenson DB et al. Weather and Forecasting 2008;23:752-757 (within bins).
    """
    y, prob, weight = check_binary(y_true, y_prob, sample_weight)
    count, predicted, observed, index = quantile_bins(y, prob, weight, n_bins)
    prevalence = float(np.average(y, weights=weight))
    spread = prob - predicted[index]
    return BrierDecomposition(
        reliability=float(np.average((predicted - observed) ** 2, weights=count)),
        resolution=float(np.average((observed - prevalence) ** 2, weights=count)),
        uncertainty=prevalence * (1 - prevalence),
        within_bin=float(np.average(spread**2 - 2 * spread * (y - observed[index]), weights=weight)),
    )


def calibration_curve(
    y_true: npt.ArrayLike, y_prob: npt.ArrayLike, *, n_bins: int = 10, level: float = 0.95,
    sample_weight: npt.ArrayLike | None = None,
) -> CalibrationCurve:
    """Observed rate against mean prediction in quantile bins, with Wilson intervals.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    y_prob : array-like, shape (n,)
        Probability of 1.
    n_bins : int, default 10
        Number of quantile bins.
    level : float, default 0.95
        Confidence level of the intervals, in (0, 1).
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    CalibrationCurve
        At most ``n_bins`` entries: fewer where many probabilities tie.

    Raises
    ------
    ValueError
        If an array is malformed, only one class has weight, ``n_bins`` is below 1, or ``level`` lies outside (0, 1).

    References
    ----------
    Wilson EB. J Am Stat Assoc 1927;22:209-212.
    """
    count, predicted, observed, _ = quantile_bins(*check_binary(y_true, y_prob, sample_weight), n_bins)
    return CalibrationCurve(predicted, observed, count, *wilson_interval(observed, count, level=level))


def _logit(prob: FloatArray) -> FloatArray:
    clipped = np.clip(prob, _CLIP, 1 - _CLIP)
    return np.log(clipped) - np.log1p(-clipped)
