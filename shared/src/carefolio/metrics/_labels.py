"""The one check of the arrays that every metric of several labels takes."""

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, as_weight, group_codes

Codes = npt.NDArray[np.int32]
Labels = Sequence[Hashable] | npt.NDArray[Any]

_TOLERANCE = 1e-5


def check_labels(
    y_true: npt.ArrayLike, y_pred: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
) -> tuple[Codes, Codes, list[Any], FloatArray]:
    """Number true and predicted labels alike.

    Parameters
    ----------
    y_true, y_pred : array-like, shape (n,)
        Labels, text or whole numbers, none missing.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    true, predicted : ndarray of int32, shape (n,)
        For each row the index of its label.
    labels : list
        The sorted labels that occur in either, as Python values.
    weight : ndarray of float64, shape (n,)
        Row weights.

    Raises
    ------
    ValueError
        If a label is missing, the two hold labels of different kinds, or a length or weight is wrong.
    """
    true, true_labels = group_codes(_as_given(y_true), name="y_true")
    predicted, predicted_labels = group_codes(_as_given(y_pred), true.size, name="y_pred")
    weight = as_weight(sample_weight, true.size)
    if true_labels != predicted_labels:
        try:
            labels = sorted(set(true_labels).union(predicted_labels))
        except TypeError:
            raise ValueError(f"y_true and y_pred must hold labels of one kind; got {true_labels[0]!r} and {predicted_labels[0]!r}. "
                             "Turn both into text first.") from None
        index = {label: code for code, label in enumerate(labels)}
        true = np.array([index[label] for label in true_labels], dtype=np.int32)[true]
        predicted = np.array([index[label] for label in predicted_labels], dtype=np.int32)[predicted]
        return true, predicted, labels, weight
    return true, predicted, true_labels, weight


def read_labels(labels: Labels) -> list[Any]:
    """Read a list of labels.

    Parameters
    ----------
    labels : sequence of str or of int, length k
        Distinct labels.

    Returns
    -------
    list
        The labels as Python values, in the order given.

    Raises
    ------
    ValueError
        If there is none, or one occurs twice.
    """
    found = [] if isinstance(labels, str) else [label.item() if isinstance(label, np.generic) else label for label in labels]
    if not found or len(set(found)) != len(found):
        raise ValueError(f"labels must hold at least one label, each once; got {labels!r:.80}. Pass a list in the order of the columns.")
    return found


def number_labels(values: npt.ArrayLike, labels: Labels, *, n: int | None = None, name: str = "y_true") -> Codes:
    """Give each row the place of its label in a list.

    Parameters
    ----------
    values : array-like, shape (n,)
        Labels, none missing.
    labels : sequence of str or of int, length k
        Distinct labels.
    n : int, optional
        Number of rows that is expected.
    name : str, default "y_true"
        What the error calls the values.

    Returns
    -------
    ndarray of int32, shape (n,)
        For each row the index of its label in ``labels``.

    Raises
    ------
    ValueError
        If a label is missing or not in the list, or the length differs.
    """
    wanted = read_labels(labels)
    codes, found = group_codes(_as_given(values), n, name=name)
    index = {label: place for place, label in enumerate(wanted)}
    places = np.array([index.get(label, -1) for label in found], dtype=np.int32)[codes]
    if places.min() < 0:
        row = int(np.argmin(places))
        raise ValueError(f"{name} must hold labels in labels only; got {found[codes[row]]!r} at row {row}, where labels begins "
                         f"{wanted[:3]!r}. Add it to labels, with its column, or leave the row out.")
    return places


def check_probabilities(
    y_true: npt.ArrayLike, probabilities: npt.ArrayLike, labels: Labels, sample_weight: npt.ArrayLike | None = None
) -> tuple[Codes, FloatArray, FloatArray]:
    """Check true labels, probabilities of every label and weights, and leave out the rows of weight zero.

    Parameters
    ----------
    y_true : array-like, shape (n,)
        Labels, none missing.
    probabilities : array-like, shape (n, k)
        Probability of each label, rows summing to 1.
    labels : sequence of str or of int, length k
        What each column stands for.
    sample_weight : array-like, shape (n,), optional
        Non-negative row weights.

    Returns
    -------
    tuple of ndarray
        Column of the true label, probabilities and weights of the rows of positive weight.

    Raises
    ------
    ValueError
        If a label, a shape, a probability or a weight is wrong.
    """
    true = number_labels(y_true, labels)
    matrix = as_matrix(probabilities, name="probabilities", shape=(true.size, len(labels)))
    check_simplex(matrix)
    weight = as_weight(sample_weight, true.size)
    if weight.min() == 0:
        kept = weight > 0
        true, matrix, weight = true[kept], matrix[kept], weight[kept]
    return true, matrix, weight


def as_matrix(values: npt.ArrayLike, *, name: str, shape: tuple[int, int] | None = None) -> FloatArray:
    """Read a 2-D array of finite numbers, one row a case and one column a label.

    Parameters
    ----------
    values : array-like, shape (n, k)
        Numbers.
    name : str
        What the error calls it.
    shape : tuple of int, optional
        Rows and columns that are expected.

    Returns
    -------
    ndarray of float64, shape (n, k)
        The numbers.

    Raises
    ------
    ValueError
        If it is not numeric, not 2-D, empty, of another shape, or holds NaN or infinity.
    """
    try:
        matrix = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} must hold numbers only, as many in every row; got {error}. Give every row all labels.") from None
    if matrix.ndim != 2 or matrix.size == 0 or (shape is not None and matrix.shape != shape):
        wanted = f"(n_rows, n_labels) = {shape}" if shape is not None else "(n_rows, n_labels), none empty"
        raise ValueError(f"{name} must have shape {wanted}; got {matrix.shape}. Give one row a case and one column a label.")
    if not np.isfinite(matrix).all():
        row, column = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"{name} must be finite; got {matrix[row, column]} at row {row}, column {column}. "
                         "Look at the model's output; clip a probability of 0 before its logarithm is taken.")
    return matrix


def check_simplex(probabilities: FloatArray) -> None:
    """Check that every row is a distribution over the labels.

    Parameters
    ----------
    probabilities : ndarray, shape (n, k)
        Finite numbers.

    Raises
    ------
    ValueError
        If one lies outside [0, 1], or a row's sum is further than 1e-5 from 1 (which float32 reaches).
    """
    for word, place in (("min", int(np.argmin(probabilities))), ("max", int(np.argmax(probabilities)))):
        row, column = divmod(place, probabilities.shape[1])
        if not -_TOLERANCE <= probabilities[row, column] <= 1 + _TOLERANCE:
            raise ValueError(f"probabilities must lie in [0, 1]; got {word} {probabilities[row, column]:.6g} at row {row}, "
                             f"column {column}. Pass probabilities, not logits.")
    off = np.abs(probabilities.sum(axis=1) - 1)
    row = int(np.argmax(off))
    if off[row] > _TOLERANCE:
        raise ValueError(f"probabilities must sum to 1 in every row; got {probabilities[row].sum():.6g} at row {row}. "
                         "Pass the softmax of all labels, not a part of them.")


def _as_given(values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Keep numpy from turning a list of text and NaN into text."""
    return values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
