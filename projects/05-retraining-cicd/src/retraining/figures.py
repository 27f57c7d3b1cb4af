"""The chapter's figures: policies by batch, their gain, drift as a heat map, and the gates of each decision on one scale."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio import plots
from carefolio.evidence import Metric
from carefolio.plots_series import new_grid
from retraining.performance import HIGHER_IS_BETTER
from retraining.policies import POLICIES, TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_FEATURES = 16
LARGEST_SHOWN = 1.0
REACH = 2.6
SHORT = {"roc_auc": "AUROC", "calibration_intercept": "calibration intercept", "calibration_slope": "calibration slope",
         "worst_subgroup_roc_auc": "worst subgroup", "net_benefit": "net benefit", "drift": "drift", "latency_p95_ms": "latency",
         "size_mb": "size"}
FIGURES = {
    "by_batch.png": "AUROC and calibration intercept of each policy in every batch that arrived, with intervals over patients.",
    "gain.png": "Difference in AUROC from never retraining, all later batches together, with intervals over patients.",
    "drift.png": "Population stability index of the features that drift most against the rows that taught the champion, batch by batch.",
    "gates.png": "Every gate of every decision: challenger less champion, in multiples of the margin, with intervals over patients.",
}
"""File names and what each figure shows, in words."""


def draw(metrics: Mapping[str, Metric], timeline: Sequence[Mapping[str, Any]], planted: Mapping[str, Sequence[Mapping[str, Any]]],
         folder: Path) -> dict[str, str]:
    """Draw all figures.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of the evidence.
    timeline : sequence of mapping
        The cycles, as `retraining.report.describe_cycle` gives them.
    planted : mapping of str to sequence of mapping
        The cycles of each planted fault; a challenger that was rejected stands among the decisions.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to what it shows; one without anything to show is left out.
    """
    drawn = {"by_batch.png": plot_by_batch(metrics), "gain.png": plot_gain(metrics)}
    drifted = [cycle for cycle in timeline if cycle["drift"]]
    if drifted:
        drawn["drift.png"] = plot_drift(drifted)
    refused = [cycle for cycles in planted.values() for cycle in cycles if cycle["outcome"] == "rejected"]
    decided = [cycle for cycle in [*timeline, *refused] if cycle["gates"] and cycle["release_before"]]
    if decided:
        drawn["gates.png"] = plot_gates(decided)
    for name, axes in drawn.items():
        plots.save_figure(axes, folder / name)
    return {name: FIGURES[name] for name in drawn}


def plot_by_batch(metrics: Mapping[str, Metric]) -> "Axes":
    """Draw AUROC and calibration intercept of each policy, batch by batch.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of the evidence.

    Returns
    -------
    matplotlib.axes.Axes
        The upper of two axes.
    """
    grid = new_grid(2, columns=1, width=7.2, row_height=2.5)
    batches = sorted({key.partition(".")[0] for key in metrics if key.startswith("batch_") and ".judged." in key})
    x = np.array([int(name.rpartition("_")[2]) for name in batches])
    for axes, name, label in ((grid[0], "roc_auc", "AUROC"), (grid[1], "calibration_intercept", "calibration intercept")):
        for place, policy in enumerate(POLICIES):
            found = [metrics[f"{batch}.judged.{policy}.{name}"] for batch in batches]
            value, low, high = (np.array([getattr(one, part) for one in found]) for part in ("value", "low", "high"))
            axes.errorbar(x + (place - 2) * 0.13, value, yerr=np.vstack([value - low, high - value]), fmt=plots.MARKERS[place],
                          color=plots.PALETTE[plots.SERIES[place]], markersize=5, elinewidth=1.1, label=TITLES[policy])
        axes.set_ylabel(label)
        axes.set_xticks(x)
    grid[1].axhline(0, color=plots.PALETTE["grey"], linestyle="--", linewidth=1)
    grid[1].set_xlabel("batch (order of encounters, a proxy for time)")
    grid[0].legend(frameon=False, ncols=2, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return grid[0]


def plot_gain(metrics: Mapping[str, Metric]) -> "Axes":
    """Draw what each policy gains over never retraining.

    Parameters
    ----------
    metrics : mapping of str to Metric
        Of the evidence.

    Returns
    -------
    matplotlib.axes.Axes
        One line a policy; right of 0 is better.
    """
    found = {name: metrics[f"later_batches.judged.{name}_minus_never.roc_auc"] for name in POLICIES[1:]}
    values, low, high = ([round(getattr(one, part), 4) + 0.0 for one in found.values()] for part in ("value", "low", "high"))
    axes = plots.plot_intervals([TITLES[name] for name in found], values, low, high, references={"never retrained": 0.0},
                                xlabel="difference in AUROC (higher is better)")
    axes.margins(x=0.15)
    axes.locator_params(axis="x", nbins=5)
    return axes


def plot_drift(timeline: Sequence[Mapping[str, Any]]) -> "Axes":
    """Draw the drift of features over batches as a heat map with its numbers.

    Parameters
    ----------
    timeline : sequence of mapping
        Cycles with ``drift``.

    Returns
    -------
    matplotlib.axes.Axes
        One row a feature, the one that drifts most on top.
    """
    largest = {name: max(cycle["drift"]["features"][name] for cycle in timeline) for name in timeline[0]["drift"]["features"]}
    names = sorted(largest, key=lambda name: -largest[name])[:SHOWN_FEATURES]
    values = np.array([[cycle["drift"]["features"][name] for cycle in timeline] for name in names])
    axes = plots.new_axes(width=7.2, height=0.32 * len(names) + 1.2)
    image = axes.imshow(np.minimum(values, LARGEST_SHOWN), cmap="Blues", vmin=0, vmax=LARGEST_SHOWN, aspect="auto")
    for (row, column), value in np.ndenumerate(values):
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8, color="white" if value > 0.55 else "#111827")
    axes.set_xticks(range(len(timeline)), [f"{cycle['batch']}" for cycle in timeline])
    axes.set_yticks(range(len(names)), [name.replace("_", " ") for name in names])
    axes.grid(visible=False)
    axes.set_xlabel("batch")
    bar = axes.figure.colorbar(image, ax=axes, fraction=0.05, pad=0.02, extend="max")
    bar.set_label("population stability index")
    return axes


def plot_gates(timeline: Sequence[Mapping[str, Any]]) -> "Axes":
    """Draw the gates of each decision on one scale: the difference in multiples of the margin, turned so that right is better.

    Parameters
    ----------
    timeline : sequence of mapping
        Cycles with ``gates``.

    Returns
    -------
    matplotlib.axes.Axes
        The first of the axes, one a decision; an interval that reaches left of -1 fails.
    """
    columns = min(3, len(timeline))
    grid = new_grid(len(timeline), columns=columns, width=7.6, row_height=2.6, share_y=True)
    for number, (axes, cycle) in enumerate(zip(grid, timeline, strict=True)):
        for place, gate in enumerate(cycle["gates"]):
            turn = (1 if HIGHER_IS_BETTER[gate["gate"]] else -1) / (gate["margin"] or 1.0)
            ends = sorted((gate["difference"]["low"] * turn, gate["difference"]["high"] * turn))
            colour = plots.PALETTE["blue" if gate["passed"] else "vermilion"]
            axes.plot(np.clip(ends, -REACH, REACH), [place, place], color=colour, linewidth=2)
            axes.plot(np.clip(gate["difference"]["value"] * turn, -REACH, REACH), place, "o" if gate["passed"] else "X", color=colour,
                      markersize=5)
        axes.axvline(-1, color=plots.PALETTE["vermilion"], linestyle="--", linewidth=1)
        axes.axvline(0, color=plots.PALETTE["grey"], linewidth=0.8)
        axes.set(xlim=(-1.08 * REACH, 1.08 * REACH), ylim=(len(cycle["gates"]) - 0.5, -0.5))
        fault = ", planted fault" if cycle["planted"] else ""
        axes.set_title(f"batch {cycle['batch']}{fault}: {cycle['outcome'].replace('_', ' ')}", fontsize=9)
        axes.set_yticks(range(len(cycle["gates"])), [SHORT[gate["gate"]] for gate in cycle["gates"]], fontsize=7.5)
        axes.set_xlabel("difference / margin" if number + columns >= len(timeline) else "", fontsize=8)
    return grid[0]
