"""The one check of the arrays that every score of quantile forecasts takes."""

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import FloatArray, as_vector

_TOLERANCE = 1e-9


def check_quantiles(
    y_true: npt.ArrayLike, quantiles: npt.ArrayLike, quantile_levels: npt.ArrayLike, *, symmetric: bool = False,
    scan: bool = True,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Read outcomes, quantiles and their levels.

    Parameters
    ----------
    y_true : array-like, shape (n_forecasts,)
        Outcome.
    quantiles : array-like, shape (n_forecasts, n_levels)
        Predicted quantiles.
    quantile_levels : array-like, shape (n_levels,)
        Levels.
    symmetric : bool, default False
        Whether the levels must come in pairs around a median.
    scan : bool, default True
        Whether to look for values that are not finite and for quantiles that cross.

    Returns
    -------
    tuple of ndarray
        Outcomes, quantiles and levels as float64.

    Raises
    ------
    ValueError
        If a shape, a value, the levels or the order of the quantiles is wrong.
    """
    y, levels = as_vector(y_true, name="y_true"), _check_levels(quantile_levels, symmetric)
    try:
        q = np.asarray(quantiles, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"quantiles must be a rectangle of numbers; got {error}. Give every forecast all levels.") from None
    if q.shape != (y.size, levels.size):
        raise ValueError(f"quantiles must have shape (n_forecasts, n_levels) = {(y.size, levels.size)}; got {q.shape}. "
                         "Give one row a forecast; see to_matrix.")
    if scan:
        _scan(q, levels)
    return y, q, levels


def _scan(q: FloatArray, levels: FloatArray) -> None:
    if not np.isfinite(q).all():
        row, column = np.argwhere(~np.isfinite(q))[0]
        raise ValueError(f"quantiles must be finite; got {q[row, column]} at row {row}, level {levels[column]:g}. Drop that forecast.")
    crossing = q[:, 1:] < q[:, :-1]
    if crossing.any():
        row, column = np.argwhere(crossing)[0]
        raise ValueError(f"quantiles must not cross; got {q[row, column]:g} at level {levels[column]:g} above {q[row, column + 1]:g} at "
                         f"level {levels[column + 1]:g} in row {row}. Sort each row if that is meant.")


def _check_levels(quantile_levels: npt.ArrayLike, symmetric: bool) -> FloatArray:
    levels = as_vector(quantile_levels, name="quantile_levels")
    if levels.min() <= 0 or levels.max() >= 1:
        raise ValueError(f"quantile_levels must lie in (0, 1); got {levels.min():g} to {levels.max():g}. Pass 0.025, not 2.5 %.")
    if (np.diff(levels) <= 0).any():
        raise ValueError(f"quantile_levels must rise; got {levels.tolist()}. Sort levels and columns together.")
    if symmetric and (levels.size % 2 == 0 or np.abs(levels + levels[::-1] - 1).max() > _TOLERANCE):
        raise ValueError(f"quantile_levels must be symmetric around 0.5 and hold it; got {levels.tolist()}. "
                         "Use pairs such as 0.1 and 0.9 with the median, or quantile_loss.")
    return levels


def find_level(levels: FloatArray, wanted: float) -> int:
    """Find the column of a level.

    Parameters
    ----------
    levels : ndarray of float64, shape (n_levels,)
        Levels.
    wanted : float
        The level looked for.

    Returns
    -------
    int
        Its position.

    Raises
    ------
    ValueError
        If it is not there.
    """
    found = np.flatnonzero(np.abs(levels - wanted) < _TOLERANCE)
    if found.size == 0:
        raise ValueError(f"quantile_levels must hold {wanted:g} for this interval; got {levels.tolist()}. Choose another level.")
    return int(found[0])
