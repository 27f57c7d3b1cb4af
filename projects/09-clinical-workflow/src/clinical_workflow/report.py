"""Turn the results into what is committed: evidence, curves, figures and model card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio import plots
from carefolio.artefacts import read_json, write_json
from carefolio.evidence import DataRecord, Evidence, Metric
from carefolio.reporting import write_reports
from clinical_workflow.config import PROJECT, WorkflowSettings
from clinical_workflow.simulation.figures import draw_simulation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PACKAGES = ["fastapi", "fhir.resources", "httpx", "joserfc", "numpy", "oauthlib", "requests-oauthlib", "simpy"]
WHOLE = 30
"""Charts that are published; a run of fewer is not."""
FIGURES = {"mapping.png": "Diagnoses, drug orders and measured values of the published synthetic charts that models can and cannot read.",
           "latency.png": "Latency of each decision support service under load, median and 95th percentile, in milliseconds."}
LABELS = {"conditions_exact": "Diagnoses by category", "conditions_group": "Diagnoses by group alone",
          "conditions_none": "Diagnoses not mapped", "orders_coded": "Orders with an RxNorm code", "orders_uncoded": "Orders without one",
          "readings_read": "HbA1c, glucose, eGFR in a known unit", "readings_unread": "HbA1c, glucose, eGFR not read"}
LOST = ("conditions_none", "orders_uncoded", "readings_unread")
"""Counts of what a model cannot use."""


def build_report(out: Path, settings: WorkflowSettings, *, command: str, measured: Mapping[str, Metric]) -> Evidence:
    """Write ``reports`` of a run: figures first, evidence last.

    Parameters
    ----------
    out : Path
        Folder of the run, with the results of the other stages.
    settings : WorkflowSettings
        Goes into the evidence.
    command : str
        The command that was given.
    measured : mapping of str to Metric
        Metrics that are measured apart, such as the latency, by evidence id.

    Returns
    -------
    Evidence
        The record that was written to ``<out>/reports/evidence.json``.
    """
    metrics = {name: Metric(**value) for name, value in read_json(out / "evaluate" / "metrics.json").items()} | dict(measured)
    curves, coverage = (read_json(out / "evaluate" / f"{name}.json") for name in ("simulation", "coverage"))
    reports = out / "reports"
    figures = draw_charts(metrics, coverage["counts"], reports / "figures") | draw_simulation(curves, reports / "figures")
    write_json(reports / "simulation.json", curves)
    write_json(reports / "coverage.json", coverage)
    return write_reports(out, settings, project=PROJECT, packages=PACKAGES, command=command, metrics=metrics, figures=figures,
                         data=[DataRecord(**read_json(out / "data" / "data.json"))], card=has_latency(metrics))


def has_latency(metrics: Mapping[str, Metric]) -> bool:
    """Say whether the benchmark of the services has been measured, which the card quotes.

    Parameters
    ----------
    metrics : mapping of str to Metric
        By evidence id.

    Returns
    -------
    bool
        True if it has.
    """
    return any(name.startswith("service.load.") for name in metrics)


def draw_charts(metrics: Mapping[str, Metric], counts: Mapping[str, int], folder: Path) -> dict[str, str]:
    """Draw what is not simulated.

    Parameters
    ----------
    metrics : mapping of str to Metric
        By evidence id.
    counts : mapping of str to int
        What could be read and what not, by name.
    folder : Path
        Destination.

    Returns
    -------
    dict of str to str
        File name to a description in words.
    """
    drawn: dict[str, Axes] = {"mapping.png": _mapping(counts)}
    if has_latency(metrics):
        drawn["latency.png"] = _latency(metrics)
    for file, axes in drawn.items():
        plots.save_figure(axes, folder / file)
    return {file: FIGURES[file] for file in drawn}


def _mapping(counts: Mapping[str, int]) -> Axes:
    return plots.plot_bars(list(LABELS.values()), [counts.get(name, 0) for name in LABELS], xlabel="in the published synthetic charts",
                           emphasis=[name in LOST for name in LABELS], number_format="{:,.0f}")


def _latency(metrics: Mapping[str, Metric]) -> Axes:
    rows = {name.split(".")[2]: (metrics[name].value, metrics[name.replace("p50", "p95")].value)
            for name in metrics if name.startswith("service.load.") and name.endswith("latency_p50_ms")}
    labels = [f"{service.replace('_', ' ')}, {part}" for service in rows for part in ("median", "95th percentile")]
    values = [value for pair in rows.values() for value in pair]
    return plots.plot_bars(labels, values, xlabel="milliseconds (lower is better)", number_format="{:.0f}",
                           emphasis=[part.endswith("percentile") for part in labels])
