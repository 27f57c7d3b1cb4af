"""Pictures of the evaluation for article and reports."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.evidence import Metric
from carefolio.plots import PALETTE, new_axes, save_figure
from carefolio.plots_series import new_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = (("mts_dialog", "validation", "MTS-Dialog validation"), ("mts_dialog", "test", "MTS-Dialog test1 and test2"),
          ("aci_bench", "test1", "ACI-Bench test1"))
COLOURS = {"raw_transcript": "grey", "extractive": "orange", "local": "blue", "reference": "green"}
SHAPES = {"raw_transcript": "s", "extractive": "^", "local": "o", "reference": "D"}
KINDS = {
    "number": "number changed", "unit": "unit changed", "drug_swapped": "drug swapped", "drug_added": "drug added",
    "negation_added": "negation added", "negation_removed": "negation removed", "side": "side swapped",
    "unit_spelling": "unit spelled otherwise", "number_in_words": "number in words", "order": "sentences reordered",
    "brand_or_generic": "brand for generic name",
}
"""Kinds of planted changes, in words."""
FIGURES = {
    "rouge.png": "ROUGE-1 of every system with 95 % intervals, beside published models and the transcript itself, one panel a part.",
    "faithfulness.png": "Share of sentences without a finding against share of facts left out, one point a system and part with intervals.",
    "meter.png": "Share of planted errors that the rules find, and of harmless rewordings that they take for errors, by kind.",
}
"""File names and what each figure shows, in words."""


def draw(metrics: dict[str, Metric], curves: dict[str, Any], folder: Path) -> dict[str, str]:
    """Draw every figure of the evaluation.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Second result of `notes_summarizer.evaluation.evaluate.evaluate`.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    figures = {"rouge.png": _rouge(metrics, curves), "faithfulness.png": _faithfulness(metrics, curves),
               "meter.png": _meter(curves["meter"]["points"])}
    for file, axes in figures.items():
        save_figure(axes, folder / file)
    return {file: FIGURES[file] for file in figures}


def _rouge(metrics: dict[str, Metric], curves: dict[str, Any]) -> "Axes":
    sizes = {(part["data_set"], part["part"]): part["n"] for part in curves["parts"]}
    panels = [panel for panel in PANELS if panel[:2] in sizes]
    systems = [name for name in curves["systems"] if name != "reference"]
    grid = new_grid(len(panels), columns=1, width=7.0, row_height=1.75)
    for axes, (data_set, part, title) in zip(grid, panels, strict=True):
        published = [line for line in curves["published"] if (line["data_set"], line["part"]) == (data_set, part) and not line["system"]]
        labels = [line["model"] for line in published] + [curves["systems"][name] for name in systems]
        for place, line in enumerate(published):
            _mark(axes, line["scores"]["rouge1"], place, colour="vermilion", shape="x")
        for place, system in enumerate(systems, start=len(published)):
            _mark(axes, metrics[f"{data_set}.{part}.{system}.rouge1"], place, colour=_colour(system), shape=_shape(system))
        axes.set_yticks(range(len(labels)), labels)
        axes.set_ylim(len(labels) - 0.5, -0.6)
        axes.grid(visible=False, axis="y")
        axes.set_title(f"{title} (n = {sizes[data_set, part]})", fontsize=9, loc="left")
    highest = max(value.high or value.value for name, value in metrics.items() if name.endswith(".rouge1") and "_minus_" not in name)
    grid[-1].set_xlim(0, max(0.62, highest + 0.08))
    grid[-1].set_xlabel("ROUGE-1, higher is better; crosses: as published")
    return grid[0]


def _mark(axes: "Axes", value: Metric | float, place: float, *, colour: str, shape: str) -> None:
    """Draw one value with its interval if it has one, and write it beside."""
    point = value if isinstance(value, float) else value.value
    if isinstance(value, Metric) and value.low is not None and value.high is not None:
        axes.plot([value.low, value.high], [place, place], color=PALETTE[colour], linewidth=1.4)
    axes.plot([point], [place], marker=shape, color=PALETTE[colour], markersize=6, linestyle="none")
    end = value.high if isinstance(value, Metric) and value.high is not None else point
    axes.annotate(f"{point:.3f}", (end, place), (6, 0), textcoords="offset points", va="center", fontsize=8.5)


def _faithfulness(metrics: dict[str, Metric], curves: dict[str, Any]) -> "Axes":
    axes = new_axes(width=6.4, height=4.4)
    fills = {"mts_dialog.test": ("full", "MTS-Dialog test1 and test2"), "aci_bench.test1": ("none", "ACI-Bench test1")}
    for part, (fill, _) in fills.items():
        for system in curves["systems"]:
            kept, left = (metrics.get(f"{part}.{system}.{name}") for name in ("faithfulness", "omission"))
            if kept is not None and left is not None:
                axes.errorbar(left.value, kept.value, xerr=_arms(left), yerr=_arms(kept), fmt=_shape(system), fillstyle=fill, markersize=8,
                              color=PALETTE[_colour(system)], elinewidth=1.1, capsize=2)
    for system in curves["systems"]:
        if system != "reference":
            axes.plot([], [], _shape(system), color=PALETTE[_colour(system)], label=curves["systems"][system], markersize=8)
    for fill, title in fills.values():
        axes.plot([], [], "o", color="black", fillstyle=fill, label=title, markersize=7)
    for part, style in (("mts_dialog.test", "--"), ("aci_bench.test1", ":")):
        human = metrics.get(f"{part}.reference.faithfulness")
        if human is not None:
            axes.axhline(human.value, color=PALETTE["green"], linestyle=style, linewidth=1.2,
                         label=f"notes by people, {fills[part][1].split()[0]}")
    axes.set(xlabel="facts of reference and conversation that the note leaves out (lower is better)", xlim=(-0.03, 1.03),
             ylabel="sentences without a finding\n(higher is better)")
    axes.legend(frameon=False, fontsize=8.5, loc="upper center", bbox_to_anchor=(0.45, -0.14), ncols=3)
    return axes


def _arms(value: Metric) -> list[list[float]]:
    """Give the lengths of both arms of an interval."""
    low, high = (value.value if bound is None else bound for bound in (value.low, value.high))
    return [[max(value.value - low, 0.0)], [max(high - value.value, 0.0)]]


def _meter(points: list[dict[str, Any]]) -> "Axes":
    from matplotlib.ticker import PercentFormatter

    shown = [point for kind in KINDS for point in points if point["kind"] == kind]
    axes = new_axes(width=6.8, height=0.38 * len(shown) + 1.3)
    for place, point in enumerate(shown):
        colour = "blue" if point["group"] == "planted" else "orange"
        axes.plot([point["low"], point["high"]], [place, place], color=PALETTE[colour], linewidth=1.6)
        axes.plot([point["value"]], [place], "o" if point["group"] == "planted" else "s", color=PALETTE[colour], markersize=6)
    axes.plot([], [], "o", color=PALETTE["blue"], label="planted error found (more is better)")
    axes.plot([], [], "s", color=PALETTE["orange"], label="harmless change flagged (less is better)")
    axes.set_yticks(range(len(shown)), [f"{KINDS[point['kind']]} (n = {point['n']})" for point in shown])
    axes.set_ylim(len(shown) - 0.5, -0.6)
    axes.set(xlabel="share of changed notes with a new finding, 95 % interval", xlim=(-0.02, 1.02))
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=" %"))
    axes.grid(visible=False, axis="y")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.35, 1.0), ncols=2, fontsize=9)
    return axes


def _colour(system: str) -> str:
    return COLOURS.get(system, "purple")


def _shape(system: str) -> str:
    return SHAPES.get(system, "v")
