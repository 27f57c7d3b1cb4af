"""The figures of the leaflets, drawn from what `evaluate.evaluate` gives."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio import plots
from carefolio.evidence import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIGURES = {
    "leaflet_retrieval.png": "Share of questions whose first passage is a right one, with 95 % intervals, by words (BM25), by meaning "
                             "(embeddings) and by both: as asked, with slips of the keyboard, worded as a patient might, without titles.",
    "leaflet_grades.png": "Reading grade of the passages' sentences before, and of the leaflets after simplification and selection; the "
                          "limit is grade 6.",
}
"""File names and what each figure shows, in words."""
PARTS = {"test": "as asked", "test_patient": "as a patient asks", "test_typos": "with typing slips", "without_title": "titles not searched"}
METHODS = {"bm25": "BM25 (words)", "dense": "embeddings (meaning)", "hybrid": "both"}
SCORE = "success_at_1"


def draw(metrics: dict[str, Metric], curves: dict[str, Any], folder: Path) -> dict[str, str]:
    """Draw every figure of the part.

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
        File name to a description in words.
    """
    drawn = {"leaflet_retrieval.png": _retrieval(metrics), "leaflet_grades.png": _grades(curves["leaflets"])}
    for file, axes in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: FIGURES[file] for file in drawn}


def _retrieval(metrics: dict[str, Metric]) -> "Axes":
    axes = plots.new_axes(width=7.0, height=4.0)
    places = np.arange(len(PARTS))[::-1].astype(float)
    for offset, (method, label) in zip((0.22, 0.0, -0.22), METHODS.items(), strict=True):
        found = [metrics[f"medquad.test.{method}_without_title.{SCORE}" if part == "without_title" else f"medquad.{part}.{method}.{SCORE}"]
                 for part in PARTS]
        value = np.array([point.value for point in found])
        low = np.array([point.value if point.low is None else point.low for point in found])
        high = np.array([point.value if point.high is None else point.high for point in found])
        number = list(METHODS).index(method)
        axes.errorbar(100 * value, places + offset, xerr=100 * np.vstack([np.maximum(value - low, 0), np.maximum(high - value, 0)]),
                      fmt=plots.MARKERS[number], color=plots.PALETTE[plots.SERIES[number]], label=label, capsize=2, markersize=6)
    axes.set_yticks(places, list(PARTS.values()))
    axes.set_xlim(0, 100)
    axes.set_xlabel("questions whose first passage is right, %")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    return axes


def _grades(grades: dict[str, Any]) -> "Axes":
    axes = plots.new_axes(width=7.0, height=3.6)
    edges = np.array(grades["grade_edges"], dtype=float)
    for name, label, colour in (("grades_before", "sentences of the passages", "grey"), ("grades_after", "leaflets", "blue")):
        counts = np.array(grades[name], dtype=float)
        axes.bar(edges[:-1], counts, width=np.diff(edges), align="edge", color=plots.PALETTE[colour], alpha=0.65,
                 label=f"{label} (n = {int(counts.sum())})")
    axes.axvline(6, color=plots.PALETTE["vermilion"], linestyle="--", linewidth=1.2, label="limit")
    axes.set_xlim(0, 24)
    axes.set_xlabel("Flesch-Kincaid reading grade")
    axes.set_ylabel("questions")
    axes.legend(frameon=False)
    return axes
