"""Figures of survival analysis in the style of ``carefolio.plots``: arrays in, Axes out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from carefolio.plots import MARKERS, PALETTE, SERIES, new_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES: tuple[Any, ...] = ("-", (0, (6, 2)), "-.", (0, (2, 1)), "--", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 3)))
COLOURS = (*(PALETTE[name] for name in SERIES), "#000000", PALETTE["grey"])


@dataclass(frozen=True)
class DrawnCurve:
    """One survival curve to draw.

    Attributes
    ----------
    time, survival : array-like, shape (k,)
        Steps, from time 0 with survival 1.
    low, high : array-like, shape (k,), or None
        Interval; NaN where unknown.
    at_risk : sequence of int
        Number under observation at the times of the table below the figure.
    """

    time: ArrayLike
    survival: ArrayLike
    low: ArrayLike | None = None
    high: ArrayLike | None = None
    at_risk: Sequence[int] = ()


def plot_kaplan_meier(curves: Mapping[str, DrawnCurve], *, at_risk_times: Sequence[float] = (), unit: str = "days",
                      horizon: float | None = None, axes: "Axes | None" = None) -> "Axes":
    """Draw survival curves as steps, each named at the table of the numbers at risk below.

    Parameters
    ----------
    curves : mapping of str to DrawnCurve
        At most eight, by name; told apart by colour and line.
    at_risk_times : sequence of float
        Times of the table; empty draws no table.
    unit : str
        Unit of time, for the axis.
    horizon : float, optional
        Marks one time by a vertical line.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes; higher is longer survival.

    Raises
    ------
    ValueError
        If there are more than eight curves, or a table row has another length than its times.
    """
    if len(curves) > len(COLOURS):
        raise ValueError(f"curves must be at most {len(COLOURS)} to be told apart; got {len(curves)}. Draw fewer groups at a time.")
    axes = axes if axes is not None else new_axes(height=4.4 + 0.24 * len(curves) * bool(at_risk_times))
    for (name, curve), colour, line in zip(curves.items(), COLOURS, LINES, strict=False):
        axes.step(np.asarray(curve.time), np.asarray(curve.survival), where="post", label=name, color=colour, linestyle=line)
        if curve.low is not None and curve.high is not None:
            low, high = np.asarray(curve.low, dtype=float), np.asarray(curve.high, dtype=float)
            axes.fill_between(np.asarray(curve.time), low, high, step="post", color=colour, alpha=0.12, linewidth=0)
    if horizon is not None:
        axes.axvline(horizon, color=PALETTE["grey"], linewidth=1, linestyle=":")
    axes.set(xlabel=f"{unit} since study entry", ylabel="share alive", ylim=(0, 1.02))
    axes.set_xlim(left=0)
    _percent(axes.yaxis)
    axes.legend(frameon=False, ncols=2 if len(curves) > 3 else 1)
    if at_risk_times:
        _at_risk_table(axes, curves, at_risk_times)
    return axes


def _at_risk_table(axes: "Axes", curves: Mapping[str, DrawnCurve], times: Sequence[float]) -> None:
    axes.set_xticks(list(times))
    place, below = axes.get_xaxis_transform(), "offset points"
    axes.annotate("number at risk", (0, 0), (-8, -50), xycoords=place, textcoords=below, ha="right", fontsize=9, fontweight="bold")
    for row, (name, curve) in enumerate(curves.items()):
        if len(curve.at_risk) != len(times):
            raise ValueError(f"at_risk of {name!r} must have one number for each of {len(times)} times; got {len(curve.at_risk)}. "
                             "Count at the same times.")
        down, colour = -64 - 13 * row, COLOURS[row]
        axes.annotate(name, (0, 0), (-26, down), xycoords=place, textcoords=below, ha="right", va="center", fontsize=8.5)
        axes.annotate("■", (0, 0), (-23, down), xycoords=place, textcoords=below, ha="left", va="center", fontsize=8, color=colour)
        for time, count in zip(times, curve.at_risk, strict=True):
            axes.annotate(f"{count:,}", (time, 0), (0, down), xycoords=place, textcoords=below, ha="center", va="center", fontsize=8.5,
                          annotation_clip=False)


def plot_hazard_ratios(labels: Sequence[str], values: ArrayLike, low: ArrayLike, high: ArrayLike, *,
                       marked: Sequence[bool] | None = None, axes: "Axes | None" = None) -> "Axes":
    """Draw hazard ratios with intervals on a logarithmic axis, the number written beside each.

    Parameters
    ----------
    labels : sequence of str
        Covariates, top to bottom.
    values, low, high : array-like, shape (n,)
        Ratios and intervals, above 0.
    marked : sequence of bool, optional
        Ratios that change over time: drawn with an open marker and an asterisk.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes; right of 1 is a higher hazard.
    """
    from matplotlib.ticker import FuncFormatter, NullFormatter

    axes = axes if axes is not None else new_axes(width=7.6, height=0.42 * len(labels) + 1.2)
    value, lower, upper = (np.asarray(numbers, dtype=float) for numbers in (values, low, high))
    flags = list(marked) if marked is not None else [False] * len(labels)
    for place, flag in enumerate(flags):
        axes.errorbar(value[place], place, xerr=[[value[place] - lower[place]], [upper[place] - value[place]]], fmt="o", capsize=3,
                      color=PALETTE["blue"], markerfacecolor="white" if flag else PALETTE["blue"])
        axes.annotate(f"{value[place]:.2f} ({lower[place]:.2f} to {upper[place]:.2f}){' *' if flag else ''}", (1.02, place),
                      xycoords=axes.get_yaxis_transform(), va="center", fontsize=9, annotation_clip=False)
    axes.axvline(1, color=PALETTE["grey"], linewidth=1.2, linestyle="--")
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    ticks = [tick for tick in (0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 8) if lower.min() * 0.95 <= tick <= upper.max() * 1.05]
    axes.set_xticks(ticks)
    axes.set_yticks(range(len(labels)), list(labels))
    axes.set_ylim(len(labels) - 0.5, -0.6)
    axes.grid(visible=False, axis="y")
    note = "\n* open marker: the ratio changes over time" if any(flags) else ""
    axes.set_xlabel(f"hazard ratio of death, 95 % interval (above 1: dies sooner){note}")
    return axes


def plot_calibrations(curves: Mapping[str, Mapping[str, ArrayLike]], *, axes: "Axes | None" = None) -> "Axes":
    """Draw observed against predicted risk of several models, with intervals and the diagonal.

    Parameters
    ----------
    curves : mapping of str to mapping
        By model ``mean_predicted``, ``observed``, ``low`` and ``high``, each of shape (n_bins,); at most six.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes; points above the diagonal are risks stated too low.
    """
    axes = axes if axes is not None else new_axes(width=5.4, height=5.0)
    axes.plot([0, 1], [0, 1], color=PALETTE["grey"], linestyle="--", label="perfect calibration")
    for (name, points), colour, marker, line in zip(curves.items(), SERIES, MARKERS, LINES, strict=False):
        observed = np.asarray(points["observed"], dtype=float)
        error = np.vstack([observed - np.asarray(points["low"]), np.asarray(points["high"]) - observed]).clip(min=0)
        axes.errorbar(np.asarray(points["mean_predicted"]), observed, yerr=error, color=PALETTE[colour], marker=marker, linestyle=line,
                      capsize=2.5, label=name)
    axes.set(xlabel="predicted risk", ylabel="observed share", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    _percent(axes.xaxis)
    _percent(axes.yaxis)
    axes.legend(frameon=False, loc="upper left")
    return axes


def _percent(line: Any) -> None:
    from matplotlib.ticker import PercentFormatter

    line.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=" %"))
