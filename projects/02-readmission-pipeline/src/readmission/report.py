"""Turn the results into what is committed: evidence, curves, figures and model card."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio import plots
from carefolio.artefacts import read_json, sha256_file, write_json
from carefolio.evidence import ArtefactRecord, DataRecord, Evidence, Metric, SplitRecord
from carefolio.reporting import write_reports
from readmission.config import PROJECT, ReadmissionSettings
from readmission.data import GROUPS
from readmission.explain import LABELS
from readmission.model import MANIFEST_FILE, MODEL_FILE
from readmission.names import GROUP_VALUES, LEAK_TITLES, MODEL_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PACKAGES = ["lightgbm", "numba", "numpy", "optuna", "polars", "pycomorb", "scikit-learn"]
PRIMARY = "all_encounters.test"
FIGURES = {
    "cohort_flow.png": "Boxes from all encounters in the file to the primary cohort, with the rows that each exclusion drops.",
    "models.png": "AUROC with 95 % intervals of LightGBM, logistic regression and the LACE-like score on held-out patients.",
    "calibration.png": "Observed share of returns against predicted risk in ten equal groups, with the diagonal.",
    "decision_curve.png": "Net benefit over risk thresholds: LightGBM, logistic regression, the LACE-like score, treat all, treat none.",
    "subgroups.png": "AUROC with 95 % intervals by race, sex and age group.",
    "importance.png": "Mean absolute SHAP contribution of the fifteen strongest features.",
    "leaks.png": "AUROC of the same model under an honest split and under three kinds of leakage.",
}
"""File names and what each figure shows, in words."""


def build_report(out: Path, settings: ReadmissionSettings, *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : ReadmissionSettings
        Goes into the evidence.
    command : str
        The command that was given.
    measured : mapping of str to Metric
        Metrics that are measured apart (bulk scoring, latency), by evidence id.

    Returns
    -------
    Evidence
        The record that was written to ``<out>/reports/evidence.json``.
    """
    data, curves = read_json(out / "data" / "data.json"), read_json(out / "evaluate" / "curves.json")
    metrics = {name: Metric(**value) for name, value in read_json(out / "evaluate" / "metrics.json").items()}
    reports = out / "reports"
    figures = draw_figures(metrics, curves, data["flow"], reports / "figures")
    write_json(reports / "curves.json", curves | {"flow": data["flow"]})
    return write_reports(
        out, settings, project=PROJECT, packages=PACKAGES, command=command, figures=figures, split=SplitRecord(**data["split"]),
        metrics=metrics | flow_metrics(data["flow"]) | dict(measured),
        data=[DataRecord(**{name: data["provenance"][name] for name in ("name", "origin", "sha256", "rows")})],
        artefacts=[ArtefactRecord(file=f"artefacts/{name}", sha256=sha256_file(out / "artefacts" / name))
                   for name in (MODEL_FILE, MANIFEST_FILE)])


def flow_metrics(flow: list[dict[str, Any]]) -> dict[str, Metric]:
    """Give the cohort flow as metrics, so that documents can quote it.

    Parameters
    ----------
    flow : list of dict
        Steps with ``encounters`` and ``patients``.

    Returns
    -------
    dict of str to Metric
        ``all_encounters.flow.step_<i>.encounters`` and ``.patients``.
    """
    return {f"all_encounters.flow.step_{i}.{unit}": Metric(value=step[unit], n=step["encounters"], higher_is_better=None)
            for i, step in enumerate(flow) for unit in ("encounters", "patients")}


def draw_figures(metrics: dict[str, Metric], curves: dict[str, Any], flow: list[dict[str, Any]], folder: Path) -> dict[str, str]:
    """Draw every figure.

    Parameters
    ----------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        Result of `readmission.evaluate.curves` and its companions.
    flow : list of dict
        The cohort flow.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    figures = {
        "cohort_flow.png": _flow(flow), "models.png": _models(metrics), "calibration.png": _calibration(curves),
        "decision_curve.png": _decision(curves), "subgroups.png": _subgroups(curves["subgroups"], metrics),
        "importance.png": _importance(curves["importance"]), "leaks.png": _leaks(metrics),
    }
    for file, axes in figures.items():
        plots.save_figure(axes, folder / file)
    return {file: FIGURES[file] for file in figures}


def _flow(flow: list[dict[str, Any]]) -> "Axes":
    return plots.plot_cohort_flow([step["label"] for step in flow], [step["encounters"] for step in flow],
                                  [f"{step['patients']:,} patients" for step in flow])


def _models(metrics: dict[str, Metric]) -> "Axes":
    names = ("lightgbm", "logistic", "lace")
    found = [metrics[f"{PRIMARY}.{name}.roc_auc"] for name in names]
    low, high = ([float("nan") if (bound := getattr(m, name)) is None else bound for m in found] for name in ("low", "high"))
    return plots.plot_intervals([MODEL_NAMES[name] for name in names], [m.value for m in found], low, high,
                                xlabel="AUROC on held-out patients, 95 % interval (higher is better)")


def _calibration(curves: dict[str, Any]) -> "Axes":
    points = curves["calibration"]
    return plots.plot_calibration(points["mean_predicted"], points["observed"], points["low"], points["high"], label="LightGBM")


def _decision(curves: dict[str, Any]) -> "Axes":
    benefits = {MODEL_NAMES.get(name, name.replace("_", " ")): values for name, values in curves["net_benefit"].items()}
    band = curves["net_benefit_band"]
    return plots.plot_decision_curve(curves["risk_thresholds"], benefits, band=(band["low"], band["high"]))


def _subgroups(members: list[dict[str, Any]], metrics: dict[str, Metric]) -> "Axes":
    shown = [member for member in members if member["roc_auc"] is not None]
    shown.sort(key=lambda member: (GROUPS.index(member["group"]), member["value"] != "under 50", member["value"]))
    labels = [f"{GROUP_VALUES.get(member['value'], member['value'])}  (n = {member['rows']:,})" for member in shown]
    columns = [[member["roc_auc"][name] for member in shown] for name in ("value", "low", "high")]
    return plots.plot_intervals(labels, *columns, xlabel="AUROC on held-out patients, 95 % interval",
                                references={"all patients": metrics[f"{PRIMARY}.lightgbm.roc_auc"].value})


def _importance(sizes: dict[str, float]) -> "Axes":
    top = list(sizes.items())[:15]
    return plots.plot_bars([LABELS[name] for name, _ in top], [size for _, size in top], xlabel="mean absolute contribution, log-odds")


def _leaks(metrics: dict[str, Metric]) -> "Axes":
    values = [metrics[f"all_encounters.leak.{name}.roc_auc"].value for name in LEAK_TITLES]
    return plots.plot_bars(list(LEAK_TITLES.values()), values, xlabel="AUROC that one would report",
                           emphasis=[name != "honest" for name in LEAK_TITLES], start=0.5)
