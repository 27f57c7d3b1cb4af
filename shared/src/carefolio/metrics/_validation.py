"""The one check of the arrays that every metric of a binary outcome takes."""

from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]


def as_vector(values: npt.ArrayLike, *, name: str) -> FloatArray:
    """Read a 1-D array of finite numbers.

    Parameters
    ----------
    values : array-like, shape (n,)
        Numbers or booleans.
    name : str
        What the error calls it.

    Returns
    -------
    ndarray of float64, shape (n,)
        The numbers.

    Raises
    ------
    ValueError
        If it is not numeric, not 1-D, empty, or holds NaN or infinity.
    """
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers only; got {error}. Drop or fill missing rows and encode text first.") from None
    if array.ndim != 1:
        raise ValueError(f"{name} must be 1-D; got shape {array.shape}. Pass one column, such as y_prob[:, 1].")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one row; got none. Look at the filter that made it.")
    if not np.isfinite(array).all():
        row = int(np.flatnonzero(~np.isfinite(array))[0])
        raise ValueError(f"{name} must be finite; got {array[row]} at row {row}. Drop or fill missing rows first.")
    return array


def as_outcome(y_true: npt.ArrayLike) -> FloatArray:
    """Read a binary outcome.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1, or booleans.

    Returns
    -------
    ndarray of float64, shape (n,)
        0.0 and 1.0.

    Raises
    ------
    ValueError
        If another value occurs.
    """
    y = as_vector(y_true, name="y_true")
    wrong = (y != 0) & (y != 1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"y_true must hold 0 and 1 only; got {y[row]:g} at row {row}. Encode the event as 1.")
    return y


def as_weight(sample_weight: npt.ArrayLike | None, n: int) -> FloatArray:
    """Read row weights.

    Parameters
    ----------
    sample_weight : array-like, shape (n,), or None
        None means 1 for every row.
    n : int
        Number of rows.

    Returns
    -------
    ndarray of float64, shape (n,)
        The weights.

    Raises
    ------
    ValueError
        If the length differs, a weight is negative, or all are zero.
    """
    if sample_weight is None:
        return np.ones(n)
    weight = as_vector(sample_weight, name="sample_weight")
    _check_length(weight, n, name="sample_weight")
    if weight.min() < 0:
        row = int(np.argmin(weight))
        raise ValueError(f"sample_weight must not be negative; got {weight[row]:g} at row {row}. Use 0 to leave a row out.")
    if weight.sum() == 0:
        raise ValueError(f"sample_weight must have a positive sum; got 0 over {n} rows. Look at how the weights are made.")
    return weight


def check_binary(
    y_true: npt.ArrayLike, scores: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None, *, name: str = "y_prob"
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Check outcome, scores and weights, and leave out the rows of weight zero.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        0 or 1.
    scores : array-like, shape (n,)
        Probabilities where ``name`` is ``"y_prob"``, else any finite score.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.
    name : str, default "y_prob"
        ``"y_prob"`` asks for values in [0, 1].

    Returns
    -------
    tuple of ndarray
        Outcome, scores and weights of the rows of positive weight.

    Raises
    ------
    ValueError
        If a value, a length or a weight is wrong, or only one class has weight.
    """
    y = as_outcome(y_true)
    score = as_vector(scores, name=name)
    _check_length(score, y.size, name=name)
    if name == "y_prob":
        _check_probability(score)
    weight = as_weight(sample_weight, y.size)
    if sample_weight is not None and weight.min() == 0:
        kept = weight > 0
        y, score, weight = y[kept], score[kept], weight[kept]
    if y.min() == y.max():
        raise ValueError(f"y_true must hold both classes; got only {y[0]:g} in {y.size} rows of positive weight. "
                         "Use more rows or a coarser group.")
    return y, score, weight


def check_fraction(value: float, *, name: str, closed: bool = False) -> float:
    """Check a number that must lie between 0 and 1.

    Parameters
    ----------
    value : float
        The number.
    name : str
        What the error calls it.
    closed : bool, default False
        Whether 1 itself is allowed.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ValueError
        If it lies outside.
    """
    if not (0 < value < 1 or (closed and value == 1)):
        raise ValueError(f"{name} must lie in (0, 1{']' if closed else ')'}; got {value}. Pass a fraction, such as 0.1 for 10 %.")
    return float(value)


def group_codes(groups: npt.ArrayLike, n: int | None = None, *, name: str = "groups") -> tuple[npt.NDArray[np.int32], list[Any]]:
    """Number the groups in the order of their sorted labels.

    Parameters
    ----------
    groups : array-like, shape (n,)
        A label for each row: whole numbers, text or dates, none missing.
    n : int, optional
        Number of rows that is expected.
    name : str, default "groups"
        What the error calls it.

    Returns
    -------
    codes : ndarray of int32, shape (n,)
        For each row the index of its label.
    labels : list
        The sorted distinct labels as Python values.

    Raises
    ------
    ValueError
        If a label is missing, labels cannot be compared, or the length differs.
    """
    array = np.asarray(groups)
    if array.ndim != 1 or array.size == 0:
        raise ValueError(f"{name} must be 1-D with at least one row; got shape {array.shape}. Pass one label a row.")
    if n is not None:
        _check_length(array, n, name=name)
    labels, codes = _number_text(array, name) if array.dtype.kind in "OUT" else _number_values(array)
    missing = [label for label in labels if label is None or label != label]
    if missing:
        raise ValueError(f"{name} must have a label in every row; got {missing[0]}. Give rows without one a label of their own.")
    return codes, labels


def _number_values(array: npt.NDArray[Any]) -> tuple[list[Any], npt.NDArray[np.int32]]:
    labels, codes = np.unique(array, return_inverse=True)
    return labels.tolist(), codes.astype(np.int32)


def _number_text(array: npt.NDArray[Any], name: str) -> tuple[list[Any], npt.NDArray[np.int32]]:
    values = array.tolist()
    try:
        labels = sorted(set(values))
    except TypeError as error:
        raise ValueError(f"{name} must have comparable labels, none missing; got {error}. Turn them into text first.") from None
    index = {label: code for code, label in enumerate(labels)}
    return labels, np.fromiter((index[value] for value in values), dtype=np.int32, count=len(values))


def _check_length(array: npt.NDArray[Any], n: int, *, name: str) -> None:
    if array.size != n:
        raise ValueError(f"{name} must have as many rows as y_true, {n}; got {array.size}. Select both with the same rows.")


def _check_probability(y_prob: FloatArray) -> None:
    for word, row in (("min", int(np.argmin(y_prob))), ("max", int(np.argmax(y_prob)))):
        if not 0 <= y_prob[row] <= 1:
            raise ValueError(f"y_prob must lie in [0, 1]; got {word} {y_prob[row]:.6g} at row {row}. Pass probabilities, not logits.")
