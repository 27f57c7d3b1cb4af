"""The figures of the chapter, drawn from what `evaluate` keeps."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio import plots
from carefolio.datasets.idrid import GRADES

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_grader(curves: dict[str, Any], folder: Path) -> dict[str, str]:
    """Draw the figures of the grader.

    Parameters
    ----------
    curves : dict
        As `retinopathy.evaluate.draw` gives it.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    drawn = {
        "confusion.png": (_confusion(curves), "Right grades against decided grades on the test part: each row is one right grade, shares "
                                              "of its photographs."),
        "referral.png": (_referral(curves), "Sensitivity against one minus specificity of referral on the test part, with the point that "
                                            "was chosen out of fold and the bounds of the pivotal trial of IDx-DR."),
        "abstention.png": (_abstention(curves), "Share of right grades among those given, if only the most probable are given."),
        "reliability.png": (_reliability(curves), "Observed against predicted share of referable photographs of the test part in bins of "
                                                  "like size, with intervals and the diagonal."),
        "sizes.png": (_sizes(curves), "Agreement of grades and area under the curve of referral on the test part, by the pixels across "
                                      "the field that a photograph was first reduced to, with intervals."),
    }
    for file, (axes, _) in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: said for file, (_, said) in drawn.items()}


def _confusion(curves: dict[str, Any]) -> "Axes":
    counts = np.array(curves["confusion"], dtype=float)
    totals = counts.sum(axis=1)
    axes = plots.new_axes(width=6.2, height=4.6)
    axes.grid(visible=False)
    shares = counts / np.maximum(totals[:, None], 1)
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.argwhere(counts > 0):
        axes.text(column, row, f"{int(counts[row, column])}", ha="center", va="center", fontsize=9,
                  color="white" if shares[row, column] > 0.55 else "black")
    names = [f"{grade} {name}" for grade, name in enumerate(GRADES)]
    axes.set_xticks(range(len(names)), [str(grade) for grade in range(len(names))])
    axes.set_yticks(range(len(names)), [f"{name} ({int(total)})" for name, total in zip(names, totals, strict=True)])
    axes.set(xlabel="decided grade", ylabel="right grade (photographs)")
    axes.figure.colorbar(image, ax=axes, label="share of the row", shrink=0.8)
    return axes


def _referral(curves: dict[str, Any]) -> "Axes":
    axes, point = plots.new_axes(width=5.4, height=4.6), curves["operating_point"]
    least_sensitivity, least_specificity = curves["bounds"]
    axes.plot(curves["roc"]["false_positive_rate"], curves["roc"]["true_positive_rate"], color=plots.PALETTE["blue"], label="grader")
    axes.plot(1 - point["specificity"], point["sensitivity"], "o", color=plots.PALETTE["vermilion"], label="threshold chosen out of fold")
    axes.plot([0, 1 - least_specificity, 1 - least_specificity], [least_sensitivity, least_sensitivity, 1], linestyle="--", linewidth=1.2,
              color=plots.PALETTE["grey"], label="bounds of the IDx-DR trial (not clinical evidence)")
    axes.set(xlabel="1 - specificity", ylabel="sensitivity", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(frameon=False, loc="lower right")
    return axes


def _reliability(curves: dict[str, Any]) -> "Axes":
    axes = plots.plot_calibration(**curves["calibration"], label="test part")
    axes.set(xlabel="predicted probability of a referable grade", ylabel="observed share")
    return axes


def _sizes(curves: dict[str, Any]) -> "Axes":
    axes, sizes = plots.new_axes(width=6.4, height=4.2), curves["sizes"]
    order = np.argsort(sizes["pixels"])
    pixels = np.array(sizes["pixels"])[order]
    drawn = (("roc_auc", "area under the curve, referral", "blue", "o", 0.985),
             ("quadratic_weighted_kappa", "quadratic weighted kappa, grades", "vermilion", "s", 1.015))
    for score, label, colour, marker, aside in drawn:
        value, low, high = np.array(sizes[score])[order].T
        axes.errorbar(pixels * aside, value, yerr=np.vstack([value - low, high - value]).clip(min=0), color=plots.PALETTE[colour],
                      marker=marker, capsize=3, label=label)
    axes.set_xscale("log", base=2)
    axes.set_xticks(pixels, [str(one) for one in pixels])
    axes.minorticks_off()
    axes.set(xlabel="pixels across the field", ylabel="score on the test part", ylim=(0, 1.02))
    axes.legend(frameon=False, loc="lower right")
    return axes


def _abstention(curves: dict[str, Any]) -> "Axes":
    axes, points = plots.new_axes(width=6.0, height=3.8), curves["abstention"]
    axes.plot(100 * np.array(points["coverage"]), 100 * np.array(points["accuracy"]), color=plots.PALETTE["blue"])
    axes.set(xlabel="photographs graded, most probable grade first, %", ylabel="right among them, %", xlim=(0, 100), ylim=(0, 103))
    return axes
