"""The figures of the survival part, drawn from what `evaluate.evaluate` gives."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio import plots, plots_survival
from carefolio.evidence import Metric

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMES = {"cox": "Cox, splines", "random_forest": "random survival forest", "gradient_boosting": "gradient boosting, Cox loss",
         "discrete_time": "gradient boosting, discrete time", "blend": "blend of forest and discrete time",
         "discrete_time_as_published": "discrete time, as published", "discrete_time_with_support": "discrete time + SUPPORT estimates",
         "support_model": "SUPPORT model (surv6m)", "physiology_score": "physiology score (sps)",
         "kaplan_meier": "Kaplan-Meier, no covariates"}
"""Names of models and peers shown to people."""
FIGURES = {
    "kaplan_meier.png": "Share of patients alive over five years by disease group: Kaplan-Meier curves, the numbers at risk below.",
    "hazard_ratios.png": "Hazard ratios of death with 95 % intervals of ten covariates; open markers are ratios that change over time.",
    "auc.png": "AUROC for death within 180 days with 95 % intervals: the models, two variants, the SUPPORT model and the physiology score.",
    "calibration.png": "Observed share of deaths within 180 days against predicted risk, in ten groups: the primary model and its peers.",
    "decision_curve.png": "Net benefit over risk thresholds: the primary model with its band, the SUPPORT model, the physiology score, "
                          "treat all and treat none.",
    "brier_over_time.png": "Brier score over three years for each model and for Kaplan-Meier without covariates; lower is better.",
    "missingness.png": "Share of missing values by column.",
    "subgroups.png": "AUROC of the primary model with 95 % intervals by sex, age, race and disease group, the SUPPORT model beside it.",
    "realignment.png": "Mean bilirubin by disease group: phase I, and phase II as published and realigned.",
}
"""File names and what each figure shows, in words."""
YEARS = 365.25


def draw(metrics: dict[str, Metric], curves: dict[str, Any], folder: Path) -> dict[str, str]:
    """Draw every figure of the part.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Result of `evaluate.evaluate`.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    drawn = {"kaplan_meier.png": _kaplan_meier(curves["kaplan_meier"]), "hazard_ratios.png": _hazard_ratios(curves["cox"]),
             "auc.png": _auroc(curves["auroc"], metrics), "calibration.png": _calibration(curves["calibration"]),
             "decision_curve.png": _decision(curves), "brier_over_time.png": _brier(curves["brier"], curves["search"]["primary"]),
             "missingness.png": _missingness(curves["missingness"]), "subgroups.png": _subgroups(curves["subgroups"]),
             "realignment.png": _realignment(curves["realignment"]["check"])}
    for file, axes in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: FIGURES[file] for file in drawn}


def _kaplan_meier(found: dict[str, Any]) -> "Axes":
    groups = found["groups"]
    days = next(iter(groups.values()))["at_risk"]["times"]
    shown = [place for place, day in enumerate(days) if day != 90]
    curves = {name: plots_survival.DrawnCurve([day / YEARS for day in group["curve"]["time"]], group["curve"]["survival"],
                                              at_risk=[group["at_risk"]["count"][place] for place in shown])
              for name, group in groups.items()}
    times = [days[place] / YEARS for place in shown]
    axes = plots_survival.plot_kaplan_meier(curves, at_risk_times=times, unit="years", horizon=180 / YEARS,
                                            axes=plots.new_axes(width=7.6, height=6.4))
    axes.set_xticks(times, ["½" if day == 180 else f"{day / 365:.0f}" for day in (days[place] for place in shown)])
    axes.set_xlim(0, 5.1)
    return axes


def _hazard_ratios(found: dict[str, Any]) -> "Axes":
    rows = found["rows"]
    columns = [[row["hazard_ratio"][name] for row in rows] for name in ("value", "low", "high")]
    return plots_survival.plot_hazard_ratios([row["name"] for row in rows], *columns,
                                             marked=[not row["schoenfeld"]["proportional"] for row in rows])


def _auroc(rows: list[dict[str, Any]], metrics: dict[str, Metric]) -> "Axes":
    peer = metrics["support2.out_of_fold.support_model.roc_auc"].value
    ordered = sorted(rows, key=lambda row: -row["value"])
    columns = [[row[name] for row in ordered] for name in ("value", "low", "high")]
    return plots.plot_intervals([NAMES[row["model"]] for row in ordered], *columns,
                                xlabel="AUROC, death within 180 days, 95 % interval (higher is better)", references={"SUPPORT model": peer},
                                axes=plots.new_axes(width=7.2, height=0.46 * len(rows) + 1.3))


def _calibration(found: dict[str, Any]) -> "Axes":
    return plots_survival.plot_calibrations({NAMES[name]: points for name, points in found.items()})


def _decision(curves: dict[str, Any]) -> "Axes":
    benefits = {NAMES.get(name, name.replace("_", " ")): values for name, values in curves["net_benefit"].items()}
    band = curves["net_benefit_band"]
    return plots.plot_decision_curve(curves["risk_thresholds"], benefits, band=(band["low"], band["high"]))


def _brier(found: dict[str, Any], primary: str) -> "Axes":
    ordered = sorted(found["models"].items(), key=lambda entry: (entry[0] == "kaplan_meier", entry[0] != primary))
    axes = plots.plot_lines(found["times"], {NAMES[name]: values for name, values in ordered},
                            xlabel="days since study entry (logarithmic)", ylabel="Brier score (lower is better)",
                            axes=plots.new_axes(width=7.0, height=4.6))
    band, peer = found["band"], found["support_model"]
    axes.fill_between(found["times"], band["low"], band["high"], color=plots.PALETTE["blue"], alpha=0.15, linewidth=0)
    axes.plot(peer["times"], peer["values"], linestyle="none", marker="*", markersize=13, color="black",
              label="SUPPORT model, at 60 and 180 days")
    axes.set_xscale("log")
    axes.set_xticks([5, 10, 30, 60, 180, 365, 1095], ["5", "10", "30", "60", "180", "365", "1095"])
    axes.minorticks_off()
    axes.legend(frameon=False, fontsize=9)
    return axes


def _missingness(rows: list[dict[str, Any]]) -> "Axes":
    from matplotlib.ticker import PercentFormatter

    shown = [row for row in rows if row["share"] > 0.0005]
    axes = plots.plot_bars([row["name"] for row in shown], [row["share"] for row in shown], xlabel="share of patients without a value",
                           number_format="{:.1%}", axes=plots.new_axes(width=7.0, height=0.34 * len(shown) + 0.9))
    axes.xaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0, symbol=" %"))
    return axes


def _subgroups(members: list[dict[str, Any]]) -> "Axes":
    order = ["sex", "age_group", "race", "disease_group"]
    ages = ["under 50", "50 to 64", "65 to 79", "80 and over"]
    shown = sorted((member for member in members if member["roc_auc"] is not None),
                   key=lambda m: (order.index(m["group"]), ages.index(m["value"]) if m["value"] in ages else 0, m["value"]))
    labels = [f"{'age ' if member['group'] == 'age_group' else ''}{member['value']}  (n = {member['rows']:,})" for member in shown]
    columns = [[member["roc_auc"][name] for member in shown] for name in ("value", "low", "high")]
    axes = plots.plot_intervals(labels, *columns, xlabel="AUROC, death within 180 days, 95 % interval",
                                axes=plots.new_axes(width=6.8, height=0.42 * len(shown) + 1.4))
    axes.plot([member["roc_auc_support_model"]["value"] for member in shown], range(len(shown)), linestyle="none", marker="D", markersize=6,
              color=plots.PALETTE["vermilion"], markerfacecolor="white", label="SUPPORT model")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    return axes


def _realignment(rows: list[dict[str, Any]]) -> "Axes":
    shown = [row for row in rows if row["column"] == "num_bili"]
    axes = plots.new_axes(width=6.8, height=0.42 * len(shown) + 1.4)
    styles = {"phase_one": ("phase I", "o", "blue", 12), "phase_two_published": ("phase II, as published", "s", "vermilion", 8),
              "phase_two_realigned": ("phase II, realigned", "D", "green", 7)}
    for name, (label, marker, colour, size) in styles.items():
        axes.plot([row[name] for row in shown], range(len(shown)), linestyle="none", marker=marker, markersize=size, label=label,
                  color=plots.PALETTE[colour], markerfacecolor=plots.PALETTE[colour] if marker == "D" else "none", markeredgewidth=2)
    axes.set_yticks(range(len(shown)), [row["group"] for row in shown])
    axes.set_ylim(len(shown) - 0.5, -0.6)
    axes.set_xlim(left=0)
    axes.set_xlabel("mean bilirubin (mg/dl)")
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3)
    return axes
