"""The figures of the simulation, drawn from what `results.simulate` keeps; every one says that it is simulated."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio import plots

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ARM_NAMES = {
    "first_come": "no model: in order of discharge", "lace_alert": "alert by LACE", "lightgbm_alert": "alert by the model",
    "lightgbm_list": "list sorted by the model", "graders": "graders read all", "model_alone": "model refers alone",
    "model_then_grader": "model, then grader",
}
FULL_PERCENT = 97
"""Use of follow-up capacity from which on the team counts as full."""
LABEL = "simulated, not measured on patients"
GROUP_NAMES = {"AfricanAmerican": "African American", "Caucasian": "Caucasian"}


def draw_simulation(curves: dict[str, Any], folder: Path) -> dict[str, str]:
    """Draw the figures.

    Parameters
    ----------
    curves : dict
        As `results.Simulation` holds them.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    drawn = {
        "simulation_ward.png": (_arms(curves["ward"], WARD_PANELS), "Simulated ward over a year, four ways to choose whom to follow up: "
                                "readmissions avoided, nursing time and follow-up capacity used, with intervals over simulated years."),
        "simulation_fatigue.png": (_fatigue(curves["fatigue"]), "Simulated readmissions avoided and nursing time saved by the share of "
                                   "discharges that raise an alert, with nurses who tire of alerts and with nurses who do not."),
        "simulation_clinic.png": (_arms(curves["clinic"], CLINIC_PANELS), "Simulated screening clinic over a year, graders, model alone "
                                  "and model then grader: missed referable eyes, load of the eye doctor and grading time, with intervals."),
        "simulation_groups.png": (_groups(curves["groups"]), "Simulated share of coming readmissions that the team followed up after an "
                                  "alert of the model, by race, sex and age, with intervals."),
        "simulation_one_way.png": (_tornado(curves["one_way"]), "One-way sensitivity analyses of the simulation: how far each input moves "
                                   "readmissions avoided, load of the eye doctor and missed eyes over its range."),
        "simulation_two_way.png": (_grids(curves["two_way"]), "Two-way sensitivity analyses of the simulation, as grids."),
        "simulation_threshold.png": (_threshold(curves["by_threshold"]), "Simulated missed eyes against load of the eye doctor at "
                                     "thresholds of the retinopathy model, referring alone and with a grader behind it."),
    }
    for file, (axes, _) in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: said for file, (_, said) in drawn.items()}


WARD_PANELS = (("readmissions_avoided_per_1000", "readmissions avoided\nper 1,000 discharges", "{:.1f}"),
               ("nurse_minutes_per_day", "nurse minutes a day,\nalerts and follow-ups", "{:.0f}"),
               ("capacity_used_percent", "follow-up capacity\nused, %", "{:.0f}"))
CLINIC_PANELS = (("missed_referable_per_1000", "missed referable eyes\nper 1,000 photographs", "{:.1f}"),
                 ("eye_doctor_load_percent", "load of the eye doctor,\n% of capacity", "{:.0f}"),
                 ("wait_days", "days from photograph\nto eye doctor", "{:.1f}"),
                 ("grader_minutes_per_100", "grader minutes\nper 100 photographs", "{:.0f}"))


def _panels(count: int, *, width: float, height: float) -> "list[Axes]":
    """Open panels side by side with the house's look."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(1, count)))
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="both", color="#E5E7EB", linewidth=0.8)
        axes.set_axisbelow(True)
    figure.suptitle(LABEL, fontsize=9, color=plots.PALETTE["grey"], x=0.995, ha="right")
    return panels


def _arms(arms: Mapping[str, Mapping[str, Mapping[str, float]]], panels: Sequence[tuple[str, str, str]]) -> "Axes":
    drawn = _panels(len(panels), width=2.2 + 2.7 * len(panels), height=0.62 * len(arms) + 1.4)
    places = np.arange(len(arms))
    for axes, (measure, title, form) in zip(drawn, panels, strict=True):
        found = [arm[measure] for arm in arms.values()]
        value = np.array([one["value"] for one in found])
        error = np.abs(np.array([[one["low"], one["high"]] for one in found]).T - value)
        for place, one, colour in zip(places, value, plots.SERIES, strict=False):
            axes.errorbar(one, place, xerr=error[:, [place]], fmt="o", color=plots.PALETTE[colour], capsize=3)
            axes.annotate(form.format(one), (one, place), (0, 6), textcoords="offset points", ha="center", fontsize=9)
        axes.set_yticks(places, [ARM_NAMES[arm] for arm in arms] if axes is drawn[0] else [""] * len(arms))
        axes.set(xlabel=title, ylim=(len(arms) - 0.5, -0.7))
        axes.margins(x=0.1)
        if min(one["low"] for one in found) >= 0:
            axes.set_xlim(left=-0.04 * axes.get_xlim()[1])
        axes.grid(visible=False, axis="y")
    return drawn[0]


def _fatigue(curve: Mapping[str, Any]) -> "Axes":
    left, right = _panels(2, width=10.4, height=4.2)
    share = 100 * np.array(curve["flagged_share"])
    for name, label, colour, marker in (("avoided_without_fatigue", "nurses who do not tire", "grey", "s"),
                                        ("avoided", "nurses who tire", "blue", "o")):
        left.plot(share, curve[name]["value"], color=plots.PALETTE[colour], marker=marker, markersize=5, label=label)
    _band(left, share, curve["avoided"])
    best = int(np.argmax(curve["avoided"]["value"]))
    left.axvline(share[best], color=plots.PALETTE["vermilion"], linestyle="--", linewidth=1.2, label="most avoided")
    full = np.flatnonzero(np.array(curve["capacity_used_percent"]["value"]) >= FULL_PERCENT)
    if len(full):
        left.axvspan(share[full[0]], share[-1], color=plots.PALETTE["grey"], alpha=0.1, linewidth=0, label="team has no time left")
    right.plot(share, curve["net_nurse_minutes_per_day"]["value"], color=plots.PALETTE["blue"], marker="o", markersize=5)
    _band(right, share, curve["net_nurse_minutes_per_day"])
    right.axhline(0, color=plots.PALETTE["vermilion"], linestyle="--", linewidth=1.2, label="below: costs more than it saves")
    left.set(xlabel="discharges that raise an alert, %", ylabel="readmissions avoided per 1,000 discharges", ylim=(0, None))
    right.set(xlabel="discharges that raise an alert, %", ylabel="nurse minutes saved a day, net")
    for axes in (left, right):
        axes.legend(frameon=False)
        above = axes.secondary_xaxis("top", functions=_per_shift(share, np.array(curve["alerts_per_shift"])))
        above.set_xlabel("alerts per nurse and shift", fontsize=9)
        above.spines["top"].set_visible(False)
    return left


def _per_shift(share: Any, alerts: Any) -> Any:
    """Turn percent flagged into alerts per shift and back; they are proportional."""
    each = float(alerts[-1] / share[-1])
    return lambda percent: percent * each, lambda number: number / each


def _band(axes: "Axes", x: Any, curve: Mapping[str, Sequence[float]]) -> None:
    axes.fill_between(x, curve["low"], curve["high"], color=plots.PALETTE["blue"], alpha=0.15, linewidth=0)


def _groups(groups: Sequence[Mapping[str, Any]]) -> "Axes":
    axes = plots.new_axes(width=6.8, height=0.42 * len(groups) + 1.1)
    labels = [f"{GROUP_NAMES.get(one['group'], one['group'])} ({one['attribute'].replace('_group', '')})" for one in groups]
    value, low, high = (np.array([one[name] for one in groups]) for name in ("value", "low", "high"))
    error = np.vstack([value - low, high - value])
    axes.errorbar(value, np.arange(len(groups)), xerr=error, fmt="o", color=plots.PALETTE["blue"], capsize=3)
    axes.set_yticks(np.arange(len(groups)), labels)
    axes.set(xlabel="coming readmissions followed up after an alert, %", ylim=(len(groups) - 0.5, -0.5))
    axes.set_xlim(left=0)
    axes.grid(visible=False, axis="y")
    axes.set_title(LABEL, fontsize=9, color=plots.PALETTE["grey"], loc="right")
    return axes


def _tornado(questions: Sequence[Mapping[str, Any]]) -> "Axes":
    from matplotlib.figure import Figure

    heights = [len(question["bars"]) + 2.4 for question in questions]
    figure = Figure(figsize=(10.4, 0.34 * sum(heights)), layout="constrained")
    panels = list(np.atleast_1d(figure.subplots(len(questions), 1, height_ratios=heights)))
    for axes, question in zip(panels, questions, strict=True):
        _bars(axes, question)
    panels[0].legend(frameon=False, loc="lower right")
    figure.suptitle(LABEL, fontsize=9, color=plots.PALETTE["grey"], x=0.995, ha="right")
    return panels[0]


def _bars(axes: "Axes", question: Mapping[str, Any]) -> None:
    base, bars = question["base"], question["bars"]
    for side, colour in (("at_low", "sky"), ("at_high", "blue")):
        axes.barh(range(len(bars)), [bar[side] - base for bar in bars], left=base, color=plots.PALETTE[colour], height=0.62,
                  label=f"input at the {side.removeprefix('at_')} end of its range")
    axes.set_yticks(range(len(bars)), [f"{bar['label']} ({bar['low']:,.4g} to {bar['high']:,.4g})" for bar in bars], fontsize=8.5)
    axes.axvline(base, color="#111827", linewidth=1.0)
    axes.set_ylim(len(bars) - 0.4, -0.6)
    axes.set_title(question["title"], fontsize=9.5, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="x", color="#E5E7EB", linewidth=0.8)
    axes.set_axisbelow(True)


def _grids(questions: Sequence[Mapping[str, Any]]) -> "Axes":
    panels = _panels(len(questions), width=4.2 * len(questions), height=4.3)
    for axes, question in zip(panels, questions, strict=True):
        grid = np.array(question["grid"])
        signed = grid.min() < 0 < grid.max()
        limit = float(np.abs(grid).max())
        axes.grid(visible=False)
        image = axes.imshow(grid, origin="lower", aspect="auto", cmap="RdBu" if signed else "Blues", vmin=-limit if signed else None,
                            vmax=limit if signed else None)
        for row, column in np.ndindex(grid.shape):
            axes.text(column, row, f"{grid[row, column]:.3g}" if limit < 100 else f"{grid[row, column]:.0f}", ha="center", va="center",
                      fontsize=8, color="white" if _dark(image, float(grid[row, column])) else "black")
        axes.set_xticks(range(grid.shape[1]), [f"{one:.3g}" for one in question["x"]["values"]])
        axes.set_yticks(range(grid.shape[0]), [f"{one:.3g}" for one in question["y"]["values"]])
        axes.set_xlabel(_wrapped(question["x"]["label"]), fontsize=9)
        axes.set_ylabel(_wrapped(question["y"]["label"]), fontsize=9)
        axes.set_title(_wrapped(question["title"]), fontsize=9.5, loc="left")
    return panels[0]


def _wrapped(words: str) -> str:
    from textwrap import fill

    return fill(words, 38)


def _dark(image: Any, value: float) -> bool:
    red, green, blue, _ = image.cmap(image.norm(value))
    return bool(0.3 * red + 0.59 * green + 0.11 * blue < 0.5)


def _threshold(points: Sequence[Mapping[str, Any]]) -> "Axes":
    axes = plots.new_axes(width=6.4, height=4.4)
    for arm, colour, marker in (("model_alone", "blue", "o"), ("model_then_grader", "orange", "s")):
        load = [point[arm]["eye_doctor_load_percent"] for point in points]
        missed = [point[arm]["missed_referable_per_1000"] for point in points]
        axes.plot(load, missed, color=plots.PALETTE[colour], marker=marker, markersize=5, label=ARM_NAMES[arm])
        for place in (0, len(points) - 1):
            axes.annotate(f"{points[place]['threshold']:.2f}", (load[place], missed[place]), (6, 5), textcoords="offset points",
                          fontsize=8, color=plots.PALETTE["grey"])
    axes.axvline(100, color=plots.PALETTE["vermilion"], linestyle="--", linewidth=1.2, label="more than the eye doctor can see")
    axes.set(xlabel="load of the eye doctor, % of capacity", ylabel="missed referable eyes per 1,000 photographs")
    axes.set_ylim(bottom=0)
    axes.margins(x=0.1)
    axes.legend(frameon=False, title="numbers at the ends: threshold of the model", title_fontsize=8.5)
    axes.set_title(LABEL, fontsize=9, color=plots.PALETTE["grey"], loc="right")
    return axes
