"""Time series: small multiples, bands, marked spans. One figure a function, in the look of `carefolio.plots`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from carefolio.plots import PALETTE, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def new_grid(count: int, *, columns: int = 3, width: float = 7.2, row_height: float = 1.7, share_y: bool = False) -> "list[Axes]":
    """Open a figure of small multiples in the house's plain look.

    Parameters
    ----------
    count : int
        Number of axes, at least 1; places left over stay empty.
    columns : int, default 3
        Axes side by side.
    width, row_height : float
        Size of the figure, and of one row, in inches.
    share_y : bool, default False
        Give all axes one vertical scale.

    Returns
    -------
    list of matplotlib.axes.Axes
        Row by row; all share the horizontal axis.

    Raises
    ------
    ValueError
        If ``count`` or ``columns`` is below 1.
    """
    from matplotlib.figure import Figure

    if count < 1 or columns < 1:
        raise ValueError(f"count and columns must be at least 1; got {count} and {columns}. Draw nothing where there is nothing.")
    rows = -(-count // columns)
    figure = Figure(figsize=(width, row_height * rows + 0.5), layout="constrained")
    grid = figure.subplots(rows, columns, sharex=True, sharey=share_y, squeeze=False).ravel().tolist()
    for i, axes in enumerate(grid):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="both", color="#E5E7EB", linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(labelsize=8)
        axes.set_visible(i < count)
        if i < count <= i + columns:
            axes.tick_params(labelbottom=True)
    return list(grid[:count])


def plot_band(x: ArrayLike, values: ArrayLike, low: ArrayLike, high: ArrayLike, *, label: str | None = None, colour: str = "blue",
              reference: float | None = None, axes: "Axes | None" = None) -> "Axes":
    """Draw a series with its interval as a band; weeks without an estimate leave a hole.

    Parameters
    ----------
    x : array-like of shape (n,)
        Dates (datetime64) or numbers.
    values, low, high : array-like of shape (n,)
        Estimate and limits; NaN where there is none.
    label : str, optional
        Name in a legend.
    colour : str, default "blue"
        Name in `carefolio.plots.PALETTE`.
    reference : float, optional
        Where to draw a dashed horizontal line, such as 1 for a reproduction number.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.
    """
    axes = axes if axes is not None else new_axes()
    places = np.asarray(x)
    axes.fill_between(places, np.asarray(low, dtype=float), np.asarray(high, dtype=float), color=PALETTE[colour], alpha=0.22, linewidth=0)
    axes.plot(places, np.asarray(values, dtype=float), color=PALETTE[colour], linewidth=1.4, label=label)
    if reference is not None:
        axes.axhline(reference, color=PALETTE["grey"], linestyle="--", linewidth=1)
    if np.issubdtype(places.dtype, np.datetime64):
        date_axis(axes)
    return axes


def mark_spans(axes: "Axes", starts: Sequence[object], stops: Sequence[object], labels: Sequence[str] | None = None) -> "Axes":
    """Shade spans of time, every second one darker, so that neighbours are told apart.

    Parameters
    ----------
    axes : Axes
        Where to draw.
    starts, stops : sequence
        First and last date of each span.
    labels : sequence of str, optional
        Written at the top of each span, such as its number.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.
    """
    for i, (start, stop) in enumerate(zip(starts, stops, strict=True)):
        first: Any = np.datetime64(str(start))
        last: Any = np.datetime64(str(stop))
        axes.axvspan(first, last, color=PALETTE["orange"], alpha=0.32 if i % 2 else 0.16, linewidth=0)
        if labels is not None:
            axes.annotate(labels[i], (first + (last - first) / 2, 1), (0, -2), xycoords=("data", "axes fraction"),
                          textcoords="offset points", ha="center", va="top", fontsize=7.5, color="#374151")
    return axes


def date_axis(axes: "Axes", *, years: bool = True) -> "Axes":
    """Label a time axis by years with marks at the quarters, or by whatever suits a short span.

    Parameters
    ----------
    axes : Axes
        Axes whose horizontal axis is dates.
    years : bool, default True
        One label a year; False chooses labels for a span of weeks to months.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes.
    """
    import matplotlib.dates

    dates: Any = matplotlib.dates

    if years:
        axes.xaxis.set_major_locator(dates.YearLocator())
        axes.xaxis.set_major_formatter(dates.DateFormatter("%Y"))
        axes.xaxis.set_minor_locator(dates.MonthLocator(bymonth=(4, 7, 10)))
    else:
        locator = dates.AutoDateLocator(minticks=3, maxticks=6)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    return axes


def plot_fan(x: ArrayLike, quantiles: ArrayLike, *, quantile_levels: Sequence[float], colour: str = "blue", label: str | None = None,
             axes: "Axes | None" = None) -> "Axes":
    """Draw a forecast as nested central intervals, darker towards the median.

    Parameters
    ----------
    x : array-like of shape (n_weeks,)
        Dates or numbers.
    quantiles : array-like of shape (n_weeks, n_levels)
        Predicted quantiles, rising along a row.
    quantile_levels : sequence of float
        Rising and symmetric around 0.5, with it.
    colour : str
        Name in `carefolio.plots.PALETTE`.
    label : str, optional
        Name of the median in the legend; the intervals are not listed.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.

    Raises
    ------
    ValueError
        If the shapes differ or the levels are not symmetric around a median.
    """
    x, quantiles, levels = np.asarray(x), np.asarray(quantiles, dtype=float), np.asarray(quantile_levels, dtype=float)
    if quantiles.shape != (x.size, levels.size):
        raise ValueError(f"quantiles must have shape {(x.size, levels.size)}, a row a week; got {quantiles.shape}. Transpose them.")
    if levels.size % 2 == 0 or np.abs(levels + levels[::-1] - 1).max() > 1e-9:
        raise ValueError(f"quantile_levels must be symmetric around 0.5 and hold it; got {levels.tolist()}. Drop those without a partner.")
    axes = axes if axes is not None else new_axes()
    half = levels.size // 2
    for k in range(half):
        axes.fill_between(x, quantiles[:, k], quantiles[:, levels.size - 1 - k], color=PALETTE[colour], alpha=0.45 / half, linewidth=0)
    axes.plot(x, quantiles[:, half], color=PALETTE[colour], linewidth=1.6, label=label)
    return axes
