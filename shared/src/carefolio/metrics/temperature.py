"""Temperature scaling: one number, fitted on validation rows, that makes the confidence of a classifier agree with its accuracy.

Columns of ``logits`` and of ``probabilities`` stand in the order of ``labels``, whatever that order is.
"""

import numpy as np
import numpy.typing as npt

from carefolio.metrics._labels import Labels, as_matrix, check_simplex, number_labels
from carefolio.metrics._validation import FloatArray, as_weight

_TEMPERATURES = (0.05, 20.0)


def fit_temperature(
    logits: npt.ArrayLike, y_true: npt.ArrayLike, *, labels: Labels, sample_weight: npt.ArrayLike | None = None
) -> float:
    """Find the temperature ``T`` for which ``softmax(logits / T)`` has the lowest log loss.

    Use rows that neither trained nor test the model. The answers stay as they are: the order of the labels does not change.

    Parameters
    ----------
    logits : array-like, shape (n, k)
        A finite score for each label: logits, or logarithms of probabilities, which give the same temperature.
    y_true : array-like, shape (n,)
        True labels of the same rows.
    labels : sequence of str or of int, length k
        What each column stands for.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    float
        In [0.05, 20]; above 1 the model is too sure of itself, below 1 too timid. Where every answer is right none is best: a small one.

    Raises
    ------
    ValueError
        If an array is malformed or a label is not in ``labels``.

    References
    ----------
    Guo C, Pleiss G, Sun Y, Weinberger KQ. On calibration of modern neural networks. ICML 2017:1321-1330.
    """
    from scipy.optimize import minimize_scalar

    true = number_labels(y_true, labels)
    scores = as_matrix(logits, name="logits", shape=(true.size, len(labels)))
    weight = as_weight(sample_weight, true.size)
    below = scores - scores.max(axis=1, keepdims=True)
    of_true = below[np.arange(true.size), true]

    def _loss(log_temperature: float) -> float:
        scale = np.exp(-log_temperature)
        return float(np.average(np.log(np.exp(below * scale).sum(axis=1)) - of_true * scale, weights=weight))

    found = minimize_scalar(_loss, bounds=np.log(_TEMPERATURES), method="bounded", options={"xatol": 1e-7})
    return float(np.exp(found.x))


def apply_temperature(probabilities: npt.ArrayLike, temperature: float) -> FloatArray:
    """Soften or sharpen probabilities: raise them to ``1 / temperature`` and let each row sum to 1 again.

    Parameters
    ----------
    probabilities : array-like, shape (n, k)
        Probability of each label, rows summing to 1.
    temperature : float
        Above 0; 1 changes nothing, above 1 brings the probabilities closer together.

    Returns
    -------
    ndarray of float64, shape (n, k)
        Probabilities, the order of the labels kept.

    Raises
    ------
    ValueError
        If the array is malformed, a row does not sum to 1, or the temperature is not a positive number.
    """
    if not 0 < temperature < np.inf:
        raise ValueError(f"temperature must be a positive number; got {temperature}. Take it from fit_temperature on validation rows.")
    matrix = as_matrix(probabilities, name="probabilities")
    check_simplex(matrix)
    share = np.clip(matrix / matrix.max(axis=1, keepdims=True), 0, 1) ** (1 / temperature)
    return share / share.sum(axis=1, keepdims=True)
