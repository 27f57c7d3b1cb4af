"""One figure a function: arrays in, Axes out. Colours are those of Okabe and Ito, told apart by colour-blind readers."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from numpy.typing import ArrayLike

from carefolio.artefacts import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

PALETTE = {
    "blue": "#0072B2", "orange": "#E69F00", "green": "#009E73", "vermilion": "#D55E00",
    "sky": "#56B4E9", "purple": "#CC79A7", "yellow": "#F0E442", "grey": "#6B7280",
}
SERIES = ("blue", "orange", "green", "purple", "vermilion", "sky")
MARKERS = ("o", "s", "^", "D", "v", "P")


def new_axes(*, width: float = 6.4, height: float = 4.2) -> "Axes":
    """Open a figure that is not tied to a screen, with the house's plain look.

    Parameters
    ----------
    width, height : float
        Size in inches.

    Returns
    -------
    matplotlib.axes.Axes
        Empty axes; its figure is ``axes.figure``.
    """
    from matplotlib.figure import Figure

    axes = Figure(figsize=(width, height), layout="constrained").subplots()
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="both", color="#E5E7EB", linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def save_figure(axes: "Axes", path: Path) -> Path:
    """Write a figure as PNG, whole or not at all, with no date in it.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Any axes of the figure.
    path : Path
        Destination, ending in ``.png``.

    Returns
    -------
    Path
        The destination.
    """
    figure = cast("Figure", axes.get_figure(root=True))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=150, metadata={"Software": None})
    return path


def plot_cohort_flow(labels: Sequence[str], counts: Sequence[int], notes: Sequence[str] | None = None, *,
                     axes: "Axes | None" = None) -> "Axes":
    """Draw how many rows each exclusion leaves, as boxes from top to bottom.

    Parameters
    ----------
    labels : sequence of str
        What stands in each box, in order.
    counts : sequence of int
        Rows left at each step; the difference to the step before is written on the arrow.
    notes : sequence of str, optional
        A second line for each box.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.
    """
    from matplotlib.patches import FancyBboxPatch

    axes = axes if axes is not None else new_axes(width=4.6, height=1.25 * len(labels))
    axes.set_axis_off()
    axes.set(xlim=(-1, 1), ylim=(-len(labels) + 0.6, 0.4))
    for i, (label, count) in enumerate(zip(labels, counts, strict=True)):
        note = f", {notes[i]}" if notes else ""
        axes.add_patch(FancyBboxPatch((-0.92, -i - 0.24), 1.84, 0.48, boxstyle="round,pad=0.03", mutation_aspect=2,
                                      facecolor="#EFF6FF", edgecolor=PALETTE["blue"]))
        axes.text(0, -i + 0.1, label, ha="center", va="center", fontsize=11, fontweight="bold")
        axes.text(0, -i - 0.11, f"{count:,} rows{note}", ha="center", va="center", fontsize=11)
        if i:
            axes.annotate("", (0, -i + 0.3), (0, -i + 0.7), arrowprops={"arrowstyle": "-|>", "color": PALETTE["grey"]})
            axes.text(0.06, -i + 0.5, f"{counts[i - 1] - count:,} rows excluded", ha="left", va="center", color="#B04A00", fontsize=10)
    return axes


def plot_calibration(predicted: ArrayLike, observed: ArrayLike, low: ArrayLike, high: ArrayLike, *, label: str = "model",
                     axes: "Axes | None" = None) -> "Axes":
    """Draw observed against predicted risk by bins, with intervals and the diagonal.

    Parameters
    ----------
    predicted, observed, low, high : array-like of shape (n_bins,)
        Mean predicted risk, observed share, and its interval, all in [0, 1].
    label : str
        Name in the legend.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes; points above the diagonal are risks stated too low.
    """
    axes = axes if axes is not None else new_axes(width=5.0, height=4.6)
    predicted, observed = np.asarray(predicted), np.asarray(observed)
    error = np.vstack([observed - np.asarray(low), np.asarray(high) - observed]).clip(min=0)
    limit = float(max(predicted.max(), np.asarray(high).max())) * 1.08
    axes.plot([0, limit], [0, limit], color=PALETTE["grey"], linestyle="--", label="perfect calibration")
    axes.errorbar(predicted, observed, yerr=error, color=PALETTE["blue"], marker="o", capsize=3, label=label)
    axes.set(xlabel="predicted risk", ylabel="observed share", xlim=(0, limit), ylim=(0, limit), aspect="equal")
    _percent_axes(axes.xaxis, axes.yaxis)
    axes.yaxis.set_major_locator(axes.xaxis.get_major_locator())
    axes.legend(frameon=False, loc="upper left")
    return axes


def plot_decision_curve(risk_thresholds: ArrayLike, net_benefits: Mapping[str, ArrayLike], *,
                        band: tuple[ArrayLike, ArrayLike] | None = None, axes: "Axes | None" = None) -> "Axes":
    """Draw net benefit over risk thresholds (Vickers and Elkin, Med Decis Making 2006;26:565-74).

    Parameters
    ----------
    risk_thresholds : array-like of shape (n,)
        Risk at which one would act, in (0, 1).
    net_benefits : mapping of str to array-like of shape (n,)
        One curve a name; the first is drawn strongest. ``treat all`` and ``treat none`` are drawn as references.
    band : pair of array-like of shape (n,), optional
        Interval around the first curve.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes; higher is better.
    """
    axes = axes if axes is not None else new_axes()
    references: dict[str, Any] = {"treat all": ":", "treat none": "-"}
    series = iter(zip(SERIES, ("-", (0, (6, 2)), "-.", (0, (2, 1)), "--", (0, (1, 1))), strict=True))
    for i, (name, values) in enumerate(net_benefits.items()):
        colour, line = ("grey", references[name]) if name in references else next(series)
        width = 1.2 if name in references else 2.4 if i == 0 else 1.8
        axes.plot(risk_thresholds, values, label=name, color=PALETTE[colour], linestyle=line, linewidth=width)
    if band is not None:
        axes.fill_between(np.asarray(risk_thresholds), *band, color=PALETTE[SERIES[0]], alpha=0.15, linewidth=0)
    judged = np.concatenate([np.asarray(values) for name, values in net_benefits.items() if name not in references])
    axes.set(xlabel="risk threshold", ylabel="net benefit per patient", ylim=(-0.1 * judged.max(), judged.max() * 1.1))
    axes.margins(x=0.01)
    _percent_axes(axes.xaxis)
    axes.legend(frameon=False)
    return axes


def _percent_axes(*lines: "Axis") -> None:
    from matplotlib.ticker import PercentFormatter

    for line in lines:
        line.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=" %"))


def plot_intervals(labels: Sequence[str], values: ArrayLike, low: ArrayLike, high: ArrayLike, *, xlabel: str,
                   references: Mapping[str, float] | None = None, axes: "Axes | None" = None) -> "Axes":
    """Draw values with intervals, one a line (models, subgroups).

    Parameters
    ----------
    labels : sequence of str
        Top to bottom.
    values, low, high : array-like of shape (n,)
        Estimate and interval; NaN leaves a line empty.
    xlabel : str
        What is measured, with its unit and direction.
    references : mapping of str to float, optional
        Vertical lines, by name.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.
    """
    axes = axes if axes is not None else new_axes(height=0.46 * len(labels) + (1.3 if references else 0.9))
    values = np.asarray(values, dtype=float)
    error = np.vstack([values - np.asarray(low, dtype=float), np.asarray(high, dtype=float) - values])
    places = np.arange(len(labels))
    axes.errorbar(values, places, xerr=np.clip(error, 0, None), fmt="o", color=PALETTE["blue"], capsize=3)
    for value, place in zip(values, places, strict=True):
        if np.isfinite(value):
            axes.annotate(f"{value:.3f}", (value, place), (0, 5), textcoords="offset points", ha="center", fontsize=9,
                          bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.6})
    for (name, value), style in zip((references or {}).items(), ("--", ":", "-."), strict=False):
        axes.axvline(value, color=PALETTE["vermilion"], linestyle=style, linewidth=1.2, label=name)
    axes.set_yticks(places, labels)
    axes.set_ylim(len(labels) - 0.5, -0.7)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(xlabel)
    if references:
        axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return axes


def plot_bars(labels: Sequence[str], values: ArrayLike, *, xlabel: str, emphasis: Sequence[bool] | None = None,
              number_format: str = "{:.3f}", start: float = 0.0, axes: "Axes | None" = None) -> "Axes":
    """Draw horizontal bars with their numbers.

    Parameters
    ----------
    labels : sequence of str
        Top to bottom.
    values : array-like of shape (n,)
        Length of each bar.
    xlabel : str
        What is measured.
    emphasis : sequence of bool, optional
        Bars drawn in the warning colour.
    number_format : str
        How the number at the end of a bar is written.
    start : float
        Where the axis starts.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.
    """
    axes = axes if axes is not None else new_axes(height=0.36 * len(labels) + 0.8)
    values = np.asarray(values, dtype=float)
    warned: Any = emphasis if emphasis is not None else [False] * len(values)
    bars = axes.barh(labels, values, color=[PALETTE["vermilion"] if flag else PALETTE["blue"] for flag in warned])
    written = axes.bar_label(bars, labels=[number_format.format(value) for value in values], padding=4, fontsize=9)
    for text in written:
        text.set_bbox({"facecolor": "white", "edgecolor": "none", "pad": 1.0})
    axes.set_ylim(len(labels) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.set(xlabel=xlabel, xlim=(start, start + (values.max() - start) * 1.16))
    return axes


def plot_lines(x: ArrayLike, series: Mapping[str, ArrayLike], *, xlabel: str, ylabel: str, axes: "Axes | None" = None) -> "Axes":
    """Draw named curves with markers.

    Parameters
    ----------
    x : array-like of shape (n,)
        Shared horizontal values.
    series : mapping of str to array-like of shape (n,)
        At most six curves.
    xlabel, ylabel : str
        Axis titles with units.
    axes : Axes, optional
        Where to draw.

    Returns
    -------
    matplotlib.axes.Axes
        The drawn axes.
    """
    axes = axes if axes is not None else new_axes()
    for (name, values), colour, marker in zip(series.items(), SERIES, MARKERS, strict=False):
        axes.plot(np.asarray(x), np.asarray(values), label=name, color=PALETTE[colour], marker=marker, markersize=5)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    axes.legend(frameon=False)
    return axes
