"""The figures of the chapter, drawn from what `evaluate` keeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio import plots, plots_series
from carefolio.evidence import Metric
from carefolio.runs import read_packaged_toml
from text_classifier.config import PROJECT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TASKS = {"headers": "section of the note (MTS-Dialog)", "decisions": "yes, no or maybe (PubMedQA)", "specialties": "specialty (MTSamples)"}
"""Tasks in words."""
SYSTEMS = {"majority": "most frequent label", "tfidf_lr": "word counts + linear layer", "embeddings_lr": "frozen embeddings + linear layer",
           "minilm_full": "MiniLM, all weights", "minilm_lora": "MiniLM, adapters", "smollm2_full": "SmolLM2, all weights",
           "smollm2_lora": "SmolLM2, adapters", "together": "word counts and all tuned models"}
"""Systems in words."""
PUBLISHED = {"headers": ("accuracy", "best published, accuracy", "mts_headers_best_accuracy"),
             "decisions": ("accuracy", "BioBERT, accuracy", "biobert_pubmedqa_accuracy"),
             "specialties": ("macro_f1", "published, macro F1", "mtsamples_macro_f1")}
"""What each task's score is held against: name of the score, label, and key in `references.toml`."""


def published_score(task: str) -> float:
    """Read the figure that a task's score is held against.

    Parameters
    ----------
    task : str
        Name of the task.

    Returns
    -------
    float
        In [0, 1], from `references.toml`, where it stands as a share or in percent.
    """
    value = read_packaged_toml(PROJECT, "references.toml")[PUBLISHED[task][2]]["value"]
    return float(value.removesuffix("%")) / 100 if value.endswith("%") else float(value)


def draw_task(task: str, curves: dict[str, Any], folder: Path) -> dict[str, str]:
    """Draw the figures of one task.

    Parameters
    ----------
    task : str
        Name of the task.
    curves : dict
        As `text_classifier.curves.draw` gives it.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    best, baseline = (SYSTEMS.get(curves[name], curves[name]) for name in ("best", "baseline"))
    drawn = {
        f"{task}_confusion.png": (_confusion(curves), f"Right labels against answers of {best} on the test part, {TASKS[task]}: each row "
                                                      "is one right label, shares of its texts."),
        f"{task}_risk_coverage.png": (_risk_coverage(curves), f"Share of wrong answers among those given, if only the most confident are "
                                                              f"given: {best} and {baseline}, {TASKS[task]}."),
    }
    for file, (axes, _) in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: said for file, (_, said) in drawn.items()}


def draw_tasks(metrics: dict[str, Metric], curves: dict[str, dict[str, Any]], folder: Path) -> dict[str, str]:
    """Draw the figures that hold all tasks.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict of str to dict
        By task.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    drawn = {"scores.png": (_scores(metrics, curves), "Accuracy (macro F1 for specialties) on the test parts with 95 % intervals, "
                                                      "baselines above tuned models, beside the published figure.")}
    learning: list[dict[str, float]] = next((one["curve"] for one in curves.values() if one["curve"]), [])
    if len(learning) > 1:
        drawn["learning_curve.png"] = (_learning(learning), "Accuracy on the test part by the number of texts that were learnt from.")
    for file, (axes, _) in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: said for file, (_, said) in drawn.items()}


def _scores(metrics: dict[str, Metric], curves: dict[str, dict[str, Any]]) -> "Axes":
    grid = plots_series.new_grid(len(curves), columns=1, width=7.2, row_height=2.5)
    for axes, (task, own) in zip(grid, curves.items(), strict=True):
        score, label, _ = PUBLISHED[task]
        published = published_score(task)
        found = [metrics[f"{task}.test.{system}.{score}"] for system in own["systems"]]
        plots.plot_intervals([SYSTEMS.get(system, system) for system in own["systems"]], [one.value for one in found],
                             [one.value if one.low is None else one.low for one in found],
                             [one.value if one.high is None else one.high for one in found],
                             xlabel="", references={label: published}, axes=axes)
        axes.set_title(f"{TASKS[task]}, {score.replace('macro_f1', 'macro F1')} (n = {own['counts']['test']})", loc="left", fontsize=10)
        axes.set_xlim(-0.02, 1.02)
        if legend := axes.get_legend():
            legend.remove()
        left = published > 0.7  # where there is room
        axes.annotate(label, (published, 1.0), (-4 if left else 4, -3), xycoords=("data", "axes fraction"), textcoords="offset points",
                      fontsize=8, va="top", ha="right" if left else "left", color=plots.PALETTE["vermilion"])
    return grid[0]


def _confusion(curves: dict[str, Any]) -> "Axes":
    labels = curves["labels"]
    counts = np.array(curves["confusion"][curves["best"]], dtype=float)
    shown = counts.sum(axis=1) > 0
    rows = [f"{label} ({int(total)})" for label, total, keep in zip(labels, counts.sum(axis=1), shown, strict=True) if keep]
    shares = counts[shown] / counts[shown].sum(axis=1, keepdims=True)
    size = max(4.0, 0.24 * len(labels) + 2.4)
    axes = plots.new_axes(width=size + 0.8, height=size)
    axes.grid(visible=False)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    small = 7 if len(labels) > 12 else 9
    axes.set_xticks(range(len(labels)), labels, rotation=90, fontsize=small)
    axes.set_yticks(range(len(rows)), rows, fontsize=small)
    axes.set(xlabel="answer", ylabel="right label (texts)")
    axes.figure.colorbar(image, ax=axes, label="share of the row", shrink=0.7)
    return axes


def _risk_coverage(curves: dict[str, Any]) -> "Axes":
    axes = plots.new_axes(width=6.4, height=3.6)
    for place, (name, points) in enumerate(curves["risk_coverage"].items()):
        axes.plot(100 * np.array(points["coverage"]), 100 * np.array(points["risk"]), color=plots.PALETTE[plots.SERIES[place]],
                  linestyle=("-", "--")[place % 2], label=SYSTEMS.get(name, name))
    axes.axhline(5, color=plots.PALETTE["vermilion"], linestyle=":", linewidth=1.2, label="5 % wrong")
    axes.set(xlabel="texts answered, most confident first, %", ylabel="wrong among them, %", xlim=(0, 100))
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False)
    return axes


def _learning(points: list[dict[str, float]]) -> "Axes":
    return plots.plot_lines([one["texts"] for one in points], {"MiniLM, all weights": [one["accuracy"] for one in points]},
                            xlabel="texts learnt from", ylabel="accuracy on test")
