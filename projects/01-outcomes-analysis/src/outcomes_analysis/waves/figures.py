"""The figures of the waves, each from the curves alone."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio import plots, plots_series
from carefolio.evidence import Metric
from carefolio.plots import PALETTE

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Curves = dict[str, Any]
SHOWN = {"US": "United States", "Korea, South": "South Korea", "Taiwan*": "Taiwan", "Burma": "Myanmar"}
LABELLED = ("US", "Brazil", "Peru", "Russia", "India", "China", "South Africa", "United Kingdom", "Australia", "Japan", "Mexico", "Iran",
            "Indonesia", "Argentina")
FIGURES = {
    "waves.png": "Weekly COVID-19 cases per 100,000 people in each comparison country, 2020 to 2023, with the detected waves shaded and "
                 "numbered.",
    "artefacts.png": "Three reporting artefacts: a withdrawal of cases with the raw series, the repair and the backward minimum; a country "
                     "turning to weekly reports; the cases of many weeks put on a single day.",
    "reproduction_number.png": "Instantaneous reproduction number by week in six countries with its 95 % interval and a line at 1.",
    "fatality.png": "Lagged case fatality ratio by wave in each comparison country with 95 % intervals, and how little the ratio of the "
                    "whole series changes with lags of one to four weeks.",
    "comparison.png": "Comparison countries ranked by cumulative reported COVID-19 deaths per 100,000 people.",
    "world_map.png": "World map of bubbles at each country's place: area shows reported deaths, colour deaths per 100,000 people.",
}
"""File names and what each figure shows, in words."""


def draw(metrics: dict[str, Metric], curves: Curves, folder: Path) -> dict[str, str]:
    """Draw every figure of the waves.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Second result of `evaluate.evaluate`.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to what the figure shows in words; a figure for which the data hold nothing is left out.
    """
    drawings: dict[str, Callable[[Curves], Axes | None]] = {
        "waves.png": _waves, "artefacts.png": _artefacts, "reproduction_number.png": _reproduction, "fatality.png": _fatality,
        "comparison.png": _comparison, "world_map.png": _world_map}
    drawn = {}
    for file, drawing in drawings.items():
        axes = drawing(curves)
        if axes is not None:
            plots.save_figure(axes, folder / file)
            drawn[file] = FIGURES[file]
    return drawn


def _name(country: str) -> str:
    return SHOWN.get(country, country)


def _days(texts: list[str]) -> Any:
    return np.array(texts, dtype="datetime64[D]")


def _waves(curves: Curves) -> "Axes | None":
    countries, weeks = curves["countries"], _days(curves["weeks"])
    if not countries:
        return None
    grid = plots_series.new_grid(len(countries), columns=2, row_height=1.35, width=7.2)
    for axes, (country, entry) in zip(grid, countries.items(), strict=True):
        values = np.array(entry["cases_per_100k"], dtype=float)
        axes.plot(weeks, values, color=PALETTE["blue"], linewidth=1.2)
        spans = entry["waves"]
        plots_series.mark_spans(axes, [wave["start"] for wave in spans], [wave["end"] for wave in spans],
                                [str(number) for number in range(1, len(spans) + 1)])
        axes.set_title(_name(country), fontsize=10, loc="left")
        _root_scale(axes, float(np.nanmax(np.append(values, 1))))
        plots_series.date_axis(axes)
    grid[0].figure.supylabel("reported cases per 100,000 people and week (square-root scale)", fontsize=9)
    return grid[0]


def _root_scale(axes: "Axes", largest: float) -> None:
    axes.set_yscale("function", functions=(lambda value: np.sqrt(np.clip(value, 0, None)), np.square))
    axes.set_ylim(0, largest * 1.35)
    round_numbers = np.outer(10.0 ** np.arange(5), [1, 2, 5]).ravel()
    top = float(round_numbers[round_numbers <= 1.05 * max(largest, 1)].max())
    axes.set_yticks([0.0, top / 10, top])
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.4g}")


def _artefacts(curves: Curves) -> "Axes | None":
    drawings = {"correction": _correction, "weekly_only": _daily_bars, "dump": _daily_bars}
    titles = {"correction": "Cases withdrawn", "weekly_only": "From daily to weekly reports", "dump": "Many weeks' cases on one day"}
    examples = {name: example for name, example in curves["examples"].items() if example}
    if not examples:
        return None
    from matplotlib.figure import Figure

    grid = Figure(figsize=(6.8, 2.5 * len(examples)), layout="constrained").subplots(len(examples), 1, squeeze=False).ravel()
    for axes, (name, example) in zip(grid, examples.items(), strict=True):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="y", color="#E5E7EB", linewidth=0.8)
        axes.set_axisbelow(True)
        drawings[name](axes, example)
        axes.set_title(f"{titles[name]}: {_name(example['country'])}, {example['date']}", fontsize=10, loc="left")
        plots_series.date_axis(axes, years=False)
    first: Axes = grid[0]
    return first


def _correction(axes: "Axes", example: dict[str, Any]) -> None:
    weeks = _days(example["weeks"])
    styles = {"raw": ("as published", "vermilion", "-", "o"), "repaired": ("repaired here", "blue", "-", "s"),
              "backward_minimum": ("backward minimum", "grey", ":", None)}
    for name, (label, colour, line, marker) in styles.items():
        values = np.array(example[name], dtype=float)
        axes.plot(weeks, values, label=label, color=PALETTE[colour], linestyle=line, marker=marker, markersize=3, linewidth=1.4)
    axes.axhline(0, color="#111827", linewidth=0.8)
    axes.set_ylabel("cases per 100,000\nand week", fontsize=9)
    axes.legend(frameon=False, fontsize=8, ncols=1)


def _daily_bars(axes: "Axes", example: dict[str, Any]) -> None:
    new = np.array(example["new"], dtype=float) / 1000
    days = np.datetime64(example["first_day"]) + np.arange(new.size)
    axes.bar(days, new, width=0.9, color=PALETTE["blue"])
    axes.axvline(np.datetime64(example["date"]), color=PALETTE["vermilion"], linestyle="--", linewidth=1)  # type: ignore[arg-type]
    axes.set_ylabel("new cases a day,\nthousands", fontsize=9)


def _reproduction(curves: Curves) -> "Axes | None":
    chosen = [name for name in ("US", "United Kingdom", "Germany", "India", "Brazil", "South Africa") if name in curves["countries"]]
    weeks = _days(curves["weeks"])
    if not chosen:
        return None
    grid = plots_series.new_grid(len(chosen), columns=2, row_height=1.8, width=7.2, share_y=True)
    for axes, country in zip(grid, chosen, strict=True):
        entry = curves["countries"][country]
        series = [np.array(entry[name], dtype=float) for name in ("r", "r_low", "r_high")]
        plots_series.plot_band(weeks, *series, reference=1, axes=axes)
        axes.set_title(_name(country), fontsize=10, loc="left")
        axes.set(xlim=(weeks[0], weeks[-1]), ylim=(0, 3))
    figure = grid[0].figure
    figure.supylabel("instantaneous reproduction number, by date of report", fontsize=9)
    mean = curves["generation_time_days"]["early"]
    figure.supxlabel(f"band: {curves['level']:.0%} interval, cut off at 3; generation time of {mean:g} days throughout", fontsize=8.5)
    return grid[0]


def _fatality(curves: Curves) -> "Axes | None":
    chosen = {name: entry for name, entry in curves["countries"].items() if entry["fatality"]["overall"]}
    if not chosen:
        return None
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 0.42 * len(chosen) + 1.5), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.5, 1))
    for row, entry in enumerate(chosen.values()):
        ratios = [wave["fatality"] for wave in entry["waves"]]
        for number, ratio in enumerate(ratios):
            if ratio:
                order = number / (len(ratios) - 1) if len(ratios) > 1 else 0.5
                _whisker(left, ratio, row + 0.64 * (order - 0.5), order)
        overall = entry["fatality"]["overall"]
        for (lag, ratio), marker, colour in zip(entry["fatality"]["by_lag"].items(), plots.MARKERS, plots.SERIES, strict=False):
            if ratio:
                right.plot(100 * (ratio["value"] / overall["value"] - 1), row, marker=marker, color=PALETTE[colour], markersize=5,
                           linestyle="none", label=f"lag {lag} week{'s' * (lag != '1')}" if row == 0 else None)
    for axes, title in ((left, "by wave, first (light, top) to last (dark)"), (right, "whole series, at fixed lags")):
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(axis="x", color="#E5E7EB", linewidth=0.8)
        axes.set_title(title, fontsize=9.5, loc="left")
    left.set(xscale="log", xlabel="deaths per 100 reported cases")
    left.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    right.axvline(0, color=PALETTE["grey"], linestyle="--", linewidth=1)
    right.set(xlabel="change vs. estimated lag, %")
    left.set_yticks(range(len(chosen)), [_name(name) for name in chosen])
    left.set_ylim(len(chosen) - 0.4, -0.6)
    right.margins(x=0.12)
    figure.legend(*right.get_legend_handles_labels(), frameon=False, fontsize=8.5, loc="outside lower right", ncols=4)
    axes_left: Axes = left
    return axes_left


def _whisker(axes: "Axes", ratio: dict[str, float], place: float, shade: float) -> None:
    from matplotlib.colors import to_rgb

    light, dark = np.array(to_rgb(PALETTE["sky"])), np.array(to_rgb("#08306B"))
    colour = tuple(float(part) for part in light + (dark - light) * shade)
    axes.plot([100 * ratio["low"], 100 * ratio["high"]], [place, place], color=colour, linewidth=1.3)
    axes.plot(100 * ratio["value"], place, marker="o", markersize=3.4, color=colour)


def _comparison(curves: Curves) -> "Axes | None":
    rates = {name: entry["deaths"] / entry["population"] * 1e5 for name, entry in curves["countries"].items() if entry["population"]}
    if not rates:
        return None
    ranks = dict(zip(curves["world"]["country"], curves["world"]["deaths_rank"], strict=True))
    ordered = sorted(rates, key=rates.__getitem__, reverse=True)
    ranked = sum(rank is not None for rank in ranks.values())
    labels = [f"{_name(name)} ({ranks[name]})" for name in ordered]
    return plots.plot_bars(labels, [rates[name] for name in ordered], number_format="{:.0f}",
                           xlabel=f"reported deaths per 100,000 (in brackets: rank of {ranked})")


def _world_map(curves: Curves) -> "Axes | None":
    world = {name: np.array(values, dtype=object if name == "country" else float) for name, values in curves["world"].items()
             if name in ("country", "latitude", "longitude", "deaths", "deaths_per_100k")}
    shown = np.isfinite(world["deaths_per_100k"]) & np.isfinite(world["latitude"]) & (world["deaths"] > 0)
    if not shown.any():
        return None
    x, y, deaths, rate = (world[name][shown] for name in ("longitude", "latitude", "deaths", "deaths_per_100k"))
    axes = plots.new_axes(width=7.2, height=4.1)
    order = np.argsort(-deaths)
    points = axes.scatter(x[order], y[order], s=4 + 900 * deaths[order] / deaths.max(),
                          c=rate[order], cmap="cividis_r", edgecolors="#374151", linewidths=0.5, alpha=0.85, vmin=0)
    _label_places(axes, world["country"][shown], x, y, deaths)
    axes.set(xlim=(-180, 180), ylim=(-60, 80), xticks=range(-180, 181, 60), yticks=range(-60, 81, 20), aspect=1.25)
    axes.set_xticklabels([_degrees(value, "W", "E") for value in range(-180, 181, 60)], fontsize=8)
    axes.set_yticklabels([_degrees(value, "S", "N") for value in range(-60, 81, 20)], fontsize=8)
    bar = axes.figure.colorbar(points, ax=axes, orientation="horizontal", fraction=0.05, pad=0.02, aspect=40)
    bar.set_label(f"reported deaths per 100,000 people (colour) and in number (area; largest {deaths.max():,.0f})", fontsize=9)
    return axes


def _label_places(axes: "Axes", countries: Any, x: Any, y: Any, deaths: Any) -> None:
    from matplotlib.patheffects import withStroke

    for country, longitude, latitude, number in zip(countries, x, y, deaths, strict=True):
        if country in LABELLED:
            radius = np.sqrt((4 + 900 * number / deaths.max()) / np.pi)
            axes.annotate(_name(country), (longitude, latitude), (0, radius + 2), textcoords="offset points", fontsize=7.5, va="bottom",
                          ha="right" if country == "United Kingdom" else "center",
                          path_effects=[withStroke(linewidth=2, foreground="white")])


def _degrees(value: int, negative: str, positive: str) -> str:
    return f"{abs(value)}°{'' if value in (0, 180, -180) else negative if value < 0 else positive}"
