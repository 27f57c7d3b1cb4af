"""Pictures of the forecasts for article and reports."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from carefolio.evidence import Metric
from carefolio.plots import MARKERS, PALETTE, new_axes, save_figure
from carefolio.plots_series import new_grid, plot_fan
from outcomes_analysis.forecast.evaluate import FAN_LEVELS
from outcomes_analysis.forecast.names import ALL, BASELINE, COMPARED, ENSEMBLE, FIRST_PUBLISHED, HORIZONS, MEMBERS, MODELS, OWN
from outcomes_analysis.forecast.panel import NATIONAL
from outcomes_analysis.forecast.tiles import TILES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {OWN: "blue", FIRST_PUBLISHED: "sky", ENSEMBLE: "orange", BASELINE: "grey"}
STYLES = {OWN: "-", ENSEMBLE: (0, (5, 2)), BASELINE: (0, (1, 1))}
SHAPES = {OWN: "o", FIRST_PUBLISHED: "D", ENSEMBLE: "s", BASELINE: "^"}
FIGURES = {
    "wis_by_season.png": "Mean WIS by season, 95 % intervals: carefolio on today's and first published data, and both official models.",
    "wis_by_week.png": "Mean weighted interval score of the three models by reference week, one panel a season.",
    "coverage.png": "Observed share of outcomes inside each central interval against its nominal share, for the three models.",
    "horizon.png": "Score relative to FluSight-baseline by horizon, with 95 % intervals, for carefolio and FluSight-ensemble.",
    "fan_us.png": "Weekly influenza admissions in the United States in the latest season, with forecast fans from several reference dates.",
    "states_map.png": "Tile map of the states with the score of carefolio relative to FluSight-ensemble; below 1 is better.",
    "weights.png": "Learned weights of the four members by reference date.",
}
"""File names and what each figure shows, in words."""
_FANS = 6


def draw(metrics: dict[str, Metric], curves: dict[str, Any], tables: dict[str, pl.DataFrame], folder: Path) -> dict[str, str]:
    """Draw every figure of the forecast part.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id; not needed here, every part draws with the same arguments.
    curves : dict
        Second result of `outcomes_analysis.forecast.evaluate.evaluate`.
    tables : dict of str to polars.DataFrame
        Third result of it.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    figures = {
        "wis_by_season.png": _by_season(curves), "wis_by_week.png": _by_week(curves), "coverage.png": _coverage(curves["calibration"]),
        "horizon.png": _horizon(curves["by_horizon"]), "fan_us.png": _fans(tables, curves["seasons"][-1]),
        "states_map.png": _map(curves["by_location"]), "weights.png": _weights(curves["weights"]),
    }
    for file, axes in figures.items():
        save_figure(axes, folder / file)
    return {file: FIGURES[file] for file in figures}


def _by_season(curves: dict[str, Any]) -> "Axes":
    axes = new_axes(height=3.8)
    places = np.arange(len(curves["seasons"]))
    shown = [name for name in (OWN, FIRST_PUBLISHED, ENSEMBLE, BASELINE) if name in curves["models"]]
    for shift, model in zip(np.linspace(-0.33, 0.33, len(shown)), shown, strict=True):
        points = [point["wis"] for point in curves["by_season"] if point["model"] == model and point["season"] != ALL]
        values, low, high = (np.array([point[name] for point in points]) for name in ("value", "low", "high"))
        axes.errorbar(places + shift, values, yerr=np.clip([values - low, high - values], 0, None), fmt=SHAPES[model], capsize=3,
                      color=PALETTE[COLOURS[model]], label=MODELS[model])
        for place, value in zip(places + shift, values, strict=True):
            axes.annotate(f"{value:.0f}", (place, value), (5, 0), textcoords="offset points", va="center", fontsize=8.5)
    axes.set_xticks(places, curves["seasons"])
    axes.set(xlabel="season", ylabel="mean WIS, admissions a week\n(lower is better)", ylim=(0, None), xlim=(-0.5, len(places) - 0.4))
    axes.grid(visible=False, axis="x")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
    return axes


def _by_week(curves: dict[str, Any]) -> "Axes":
    grid = new_grid(len(curves["seasons"]), columns=1, width=6.4, row_height=1.9)
    for axes, season in zip(grid, curves["seasons"], strict=True):
        points = [point for point in curves["by_week"] if point["season"] == season]
        days = [date.fromisoformat(point["reference_date"]) for point in points]
        start = days[0].year if days[0].month >= 8 else days[0].year - 1
        shifted = [day.replace(year=2000 + day.year - start) for day in days]
        for model in reversed(COMPARED):
            axes.plot(np.array(shifted), [point["wis"][model] for point in points], color=PALETTE[COLOURS[model]], linestyle=STYLES[model],
                      marker=SHAPES[model], markersize=3, label=MODELS[model])
        axes.set_title(season, fontsize=9, loc="left")
        axes.set_ylim(0, None)
        _month_axis(axes)
    grid[len(grid) // 2].set_ylabel("mean WIS, admissions a week (lower is better)")
    grid[-1].set_xlabel("reference date")
    grid[0].legend(frameon=False, fontsize=8)
    return grid[0]


def _month_axis(axes: "Axes") -> None:
    import matplotlib.dates

    dates: Any = matplotlib.dates
    axes.xaxis.set_major_locator(dates.MonthLocator())
    axes.xaxis.set_major_formatter(dates.DateFormatter("%b"))


def _coverage(calibration: dict[str, Any]) -> "Axes":
    axes = new_axes(width=5.0, height=4.6)
    axes.plot([0, 1], [0, 1], color="black", linewidth=1, label="as it should be")
    for model in COMPARED:
        axes.plot(calibration["interval_levels"], calibration["models"][model]["inside"], color=PALETTE[COLOURS[model]],
                  linestyle=STYLES[model], marker=SHAPES[model], markersize=5, label=MODELS[model])
    axes.set(xlabel="nominal share of the central interval", ylabel="outcomes inside it", xlim=(0, 1), ylim=(0, 1), aspect="equal")
    axes.legend(frameon=False, loc="upper left")
    return axes


def _horizon(points: list[dict[str, Any]]) -> "Axes":
    axes = new_axes(height=3.8)
    axes.axhline(1, color=PALETTE["grey"], linestyle=":", linewidth=1.4, label=MODELS[BASELINE])
    for shift, model in ((-0.08, OWN), (0.08, ENSEMBLE)):
        found = [p["relative_wis_to_baseline"] for p in points if p["season"] == ALL and p["model"] == model]
        values, low, high = (np.array([point[name] for point in found]) for name in ("value", "low", "high"))
        axes.errorbar(np.array(HORIZONS) + shift, values, yerr=np.clip([values - low, high - values], 0, None), capsize=3,
                      fmt=SHAPES[model], color=PALETTE[COLOURS[model]], label=MODELS[model])
    axes.set_xticks(HORIZONS)
    axes.set(xlabel="horizon, weeks after the reference date", ylabel="WIS relative to FluSight-baseline\n(lower is better)")
    axes.grid(visible=False, axis="x")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return axes


def _fans(tables: dict[str, pl.DataFrame], season: str) -> "Axes":
    from matplotlib.ticker import FuncFormatter

    rows = tables["forecasts"].filter((pl.col("model") == OWN) & (pl.col("season") == season) & (pl.col("location") == NATIONAL))
    days = rows["reference_date"].unique().sort().to_list()
    shown = days[1::max(1, len(days) // _FANS)]
    truth = tables["truth"].filter((pl.col("location") == NATIONAL) & pl.col("week_ending").is_between(
        days[0] - pl.duration(weeks=4), days[-1] + pl.duration(weeks=3))).sort("week_ending")
    axes = new_axes(width=6.8, height=4.0)
    axes.plot(truth["week_ending"].to_numpy(), truth["admissions"].to_numpy(), color="black", marker="o", markersize=3, linewidth=1,
              label="reported, as known today")
    for i, day in enumerate(shown):
        fan = rows.filter(pl.col("reference_date") == day).sort("horizon")
        plot_fan(fan["target_end_date"].to_numpy(), fan.select(f"q{round(level * 1000):03d}" for level in FAN_LEVELS).to_numpy(),
                 quantile_levels=FAN_LEVELS, colour=("blue", "vermilion")[i % 2], axes=axes,
                 label="forecast: median with 50, 80, 95 % intervals" if i == 0 else None)
    _month_axis(axes)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.set(xlabel=f"week ending, season {season}", ylabel="admissions a week, United States", ylim=(0, None))
    axes.legend(frameon=False, fontsize=9)
    return axes


def _map(points: list[dict[str, Any]]) -> "Axes":
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import TwoSlopeNorm
    from matplotlib.patches import Rectangle

    axes = new_axes(width=6.8, height=5.2)
    axes.set_axis_off()
    scale = ScalarMappable(TwoSlopeNorm(1.0, vmin=0.6, vmax=1.4), "PuOr_r")
    for point in points:
        if point["abbreviation"] not in TILES:
            continue
        row, column = TILES[point["abbreviation"]]
        ratio = point["relative_wis_to_ensemble"]["value"]
        colour = scale.to_rgba(ratio)
        ink = "white" if np.dot(colour[:3], (0.299, 0.587, 0.114)) < 0.5 else "black"
        axes.add_patch(Rectangle((column, -row), 0.94, 0.94, facecolor=colour, edgecolor="#6B7280", linewidth=0.6))
        axes.text(column + 0.47, -row + 0.62, point["abbreviation"], ha="center", va="center", fontsize=9, fontweight="bold", color=ink)
        axes.text(column + 0.47, -row + 0.28, f"{ratio:.2f}", ha="center", va="center", fontsize=8, color=ink)
    axes.set(xlim=(-0.1, 11.1), ylim=(-7.1, 1.0), aspect="equal")
    axes.figure.colorbar(scale, ax=axes, orientation="horizontal", shrink=0.6, pad=0.02, extend="both",
                         label="WIS relative to FluSight-ensemble (below 1: better)")
    return axes


def _weights(points: list[dict[str, Any]]) -> "Axes":
    axes = new_axes(width=6.8, height=3.8)
    days = np.array([point["reference_date"] for point in points], dtype="datetime64[D]")
    breaks = np.flatnonzero(np.diff(days) > np.timedelta64(60, "D")) + 1
    for member, colour, marker in zip(MEMBERS, ("grey", "orange", "green", "blue"), MARKERS, strict=False):
        values = np.array([point["weights"][member] for point in points])
        for i, part in enumerate(np.split(np.arange(len(days)), breaks)):
            axes.plot(days[part], values[part], color=PALETTE[colour], marker=marker, markersize=3, linewidth=1.2,
                      label=MODELS[member].removeprefix("member: ") if i == 0 else None)
    axes.set(xlabel="reference date", ylabel="weight in the average", ylim=(0, None))
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4)
    return axes
