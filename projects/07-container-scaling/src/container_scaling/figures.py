"""The figures of the report: numbers in, files out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.plots import PALETTE, new_axes, plot_bars, save_figure
from carefolio.plots_series import new_grid

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALTS = {
    "load_curve.png": "Time within which 95 % of requests are answered against the load on one replica: measured with interval, and as the "
                      "queueing model said beforehand.",
    "saturation.png": "Requests a second at saturation by number of replicas and workers, measured with interval, beside the prediction.",
    "batches.png": "Patients scored a second, and time of a batch, by number of patients in a batch.",
    "peer.png": "Requests a second of this service and of mlflow models serve with the same model, one process each.",
    "overload.png": "Accepted and refused requests a second, time of the accepted, and memory, during a load past saturation.",
    "demand.png": "Requests a second that a number of replicas can carry within the promise, by the queueing model.",
}
"""File names and what each shows, in words."""
NAMES = {"carefolio": "this service, raw record in", "mlflow": "mlflow models serve, named columns",
         "mlflow_tensor": "mlflow models serve, bare array"}


def draw_all(curves: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Draw what a run has measured.

    Parameters
    ----------
    curves : mapping
        As `container_scaling.evaluate` writes them.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File names and what each shows.
    """
    drawers: dict[str, tuple[str, Callable[[Any], Axes]]] = {
        "load_curve.png": ("load", _load), "saturation.png": ("saturation", _saturation), "batches.png": ("batches", _batches),
        "peer.png": ("peer", _peer), "overload.png": ("soak", _soak), "demand.png": ("demand", _demand)}
    made = {}
    for file, (key, draw) in drawers.items():
        if curves.get(key):
            save_figure(draw(curves[key]), folder / file)
            made[file] = ALTS[file]
    return made


def counted(point: Mapping[str, Any]) -> str:
    """Say how many replicas or workers a point is about.

    Parameters
    ----------
    point : mapping
        ``count`` and ``kind``.

    Returns
    -------
    str
        Such as ``"1 replica"``.
    """
    return f"{point['count']} {point['kind'].removesuffix('s') if point['count'] == 1 else point['kind']}"


def _load(points: list[dict[str, Any]]) -> Axes:
    axes, points = new_axes(), sorted(points, key=lambda point: float(point["rate"]))
    rate, measured = (np.array([point[key] for point in points]) for key in ("rate", "measured_ms"))
    error = np.array([[point["measured_ms"] - point["low_ms"], point["high_ms"] - point["measured_ms"]] for point in points]).T
    axes.errorbar(rate, measured, yerr=error, fmt="o", color=PALETTE["blue"], capsize=3, label="measured, 95 % of requests")
    axes.plot(rate, [point["median_ms"] for point in points], "s", color=PALETTE["sky"], markersize=5, label="measured, half of requests")
    said = [(point["rate"], point["model_ms"]) for point in points if point["model_ms"] is not None]
    axes.plot(*zip(*said, strict=True), color=PALETTE["vermilion"], linestyle="--", label="queueing model, 95 %")
    axes.set(xlabel="requests a second to one replica", ylabel="time to answer, ms", yscale="log")
    axes.legend(frameon=False, fontsize=8, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return axes


def _saturation(points: list[dict[str, Any]]) -> Axes:
    axes = new_axes()
    places = np.arange(len(points))
    error = np.array([[point["measured"] - point["low"], point["high"] - point["measured"]] for point in points]).T
    axes.bar(places - 0.2, [point["measured"] for point in points], 0.38, yerr=error, capsize=3, color=PALETTE["blue"], label="measured")
    axes.bar(places + 0.2, [point["model"] for point in points], 0.38, color=PALETTE["orange"], label="predicted")
    shared = "\n(cores shared\nwith the load)"
    labels = [f"{counted(point)}{'' if point['own_cores'] else shared}" for point in points]
    axes.set_xticks(places, labels)
    axes.set(ylabel="requests a second")
    axes.grid(visible=False, axis="x")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return axes


def _batches(points: list[dict[str, Any]]) -> Axes:
    left, right = new_grid(2, columns=2, width=7.2, row_height=2.8)
    sizes = [point["size"] for point in points]
    error = np.array([[point["rows_per_second"] - point["low"], point["high"] - point["rows_per_second"]] for point in points]).T
    left.errorbar(sizes, [point["rows_per_second"] for point in points], yerr=error, fmt="o-", color=PALETTE["blue"], capsize=3)
    right.plot(sizes, [point["p95_ms"] for point in points], "o-", color=PALETTE["green"])
    for axes, label in ((left, "patients a second"), (right, "95 % of batches answered within, ms")):
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set(xlabel="patients in a batch", ylabel=label)
        axes.set_ylim(bottom=0)
    return left


def _peer(points: list[dict[str, Any]]) -> Axes:
    return plot_bars([NAMES[point["name"]] for point in points], [point["throughput"] for point in points],
                     xlabel="requests a second", number_format="{:,.0f}")


def _soak(soak: dict[str, list[float]]) -> Axes:
    rates, times, memory = new_grid(3, columns=1, width=6.4, row_height=1.7)
    rates.stackplot(soak["second"], soak["accepted"], soak["refused"], labels=["answered", "refused with 429"],
                    colors=[PALETTE["blue"], PALETTE["orange"]], alpha=0.85)
    rates.set(ylabel="requests\na second")
    rates.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    rates.set_xlim(0, max(soak["second"]))
    times.plot(soak["second"], soak["p95_ms"], color=PALETTE["green"])
    times.axhline(500, color=PALETTE["vermilion"], linestyle="--", linewidth=1)
    times.set(ylabel="95 % within,\nms")
    memory.plot(soak["memory_s"], soak["memory_mb"], color=PALETTE["purple"])
    memory.set(xlabel="seconds", ylabel="memory, MB")
    for axes in (times, memory):
        axes.set_ylim(bottom=0)
    return rates


def _demand(points: list[dict[str, Any]]) -> Axes:
    axes = new_axes()
    axes.step([0, *(point["rate"] for point in points)], [1, *(point["replicas"] for point in points)], where="pre", color=PALETTE["blue"])
    axes.set(xlabel="requests a second", ylabel="replicas needed")
    axes.set_ylim(bottom=0)
    return axes
