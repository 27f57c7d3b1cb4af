"""What the results sections show: curves of a run, measured and predicted."""

from pathlib import Path
from typing import Any

import altair as alt
import streamlit as st

from carefolio.artefacts import read_json
from carefolio.charts import LABELS, bars_chart, rows_chart, series_colour, series_dash, series_shape, styles_for
from carefolio.dashboard import metric_card
from carefolio.exceptions import ArtefactError
from carefolio.shown_run import ShownRun, read_shown_run
from carefolio.views import metrics_csv, offer, show_table
from container_scaling.config import PROJECT
from container_scaling.figures import NAMES, counted

MEASURED, PREDICTED = "measured", "predicted"


def read_results(folder: Path) -> ShownRun:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    ShownRun
        The record.
    """
    return read_shown_run(folder, command="scaling", package=PROJECT)


def read_curves(folder: Path) -> dict[str, Any]:
    """Read what a run has drawn.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    dict
        As `container_scaling.evaluate` writes it.

    Raises
    ------
    ArtefactError
        If there is none.
    """
    path = folder / "reports" / "curves.json"
    if not path.is_file():
        raise ArtefactError(f"{path} is missing. Make it with `scaling run --quick` and open it with `scaling dashboard --out "
                            "outputs/container_scaling/quick`, or restore the committed reports.")
    found: dict[str, Any] = read_json(path)
    return found


def show_overview(folder: Path) -> None:
    """Show the leading numbers, and throughput by replicas, workers and against the peer.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("What does one replica carry, and two?")
    results, curves = read_results(folder), read_curves(folder)
    found = results.evidence.metrics
    cards = (("One replica", "readmission.replicas_1.measured.throughput", ",.0f", "At saturation, one process on one core."),
             ("Over mlflow models serve", "readmission.one_replica.carefolio_over_mlflow.throughput_ratio", ".1f",
              "How many times as many requests a second, same model, same core, named columns."),
             ("95 % at overload, ms", "readmission.overload.measured.latency_p95_ms", ",.0f",
              "Time of the requests that are accepted when more come than can be answered."))
    for column, (label, name, form, explained) in zip(st.columns(3), cards, strict=True):
        with column:
            metric_card(label, found.get(name), form, explanation=explained)
    rows = [{"label": f"{counted(point)}, {series}" + ("" if point["own_cores"] else " (cores shared with the load)"),
             "value": point["measured" if series == MEASURED else "model"], "warned": series == PREDICTED}
            for point in curves["saturation"] for series in (MEASURED, PREDICTED)]
    st.altair_chart(bars_chart(rows, title="requests a second at saturation", number_format=",.0f"),
                    alt="Requests a second at saturation by replicas and workers, measured and predicted")
    if curves.get("peer"):
        rows = [{"label": NAMES[point["name"]], "value": point["throughput"], "warned": False} for point in curves["peer"]]
        st.altair_chart(bars_chart(rows, title="requests a second, one process on one core", number_format=",.0f"),
                        alt="Requests a second of this service and of MLflow's server")
    st.caption(f"On {results.evidence.environment.machine}. Predicted is what the queueing model said before the load.")
    offer("All numbers as CSV", metrics_csv(results.evidence), "scaling-metrics.csv", "text/csv")


def show_load(folder: Path) -> None:
    """Show time against load, measured and predicted, and batches.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("How long does an answer take as the load rises?")
    curves = read_curves(folder)
    rows = [{"x": point["rate"], "y": point["measured_ms"], "series": "95 %, measured"} for point in curves["load"]]
    rows += [{"x": point["rate"], "y": point["median_ms"], "series": "half, measured"} for point in curves["load"]]
    rows += [{"x": point["rate"], "y": point["model_ms"], "series": "95 %, predicted"} for point in curves["load"] if point["model_ms"]]
    st.altair_chart(lines_chart(rows, x="requests a second to one replica", y="ms to answer", log=True),
                    alt="Time to answer against requests a second, measured and predicted")
    st.subheader("Is it worth sending many at once?")
    rows = [{"x": point["size"], "y": point["rows_per_second"], "series": "patients a second"} for point in curves["batches"]]
    st.altair_chart(lines_chart(rows, x="patients in a batch", y="patients a second"), alt="Patients a second by size of a batch")
    show_table([{"patients in a batch": str(point["size"]), "patients a second": f"{point['rows_per_second']:,.0f}",
                 "95 % of batches within": f"{point['p95_ms']:,.1f} ms"} for point in curves["batches"]])


def show_overload(folder: Path) -> None:
    """Show what becomes of requests, times and memory past saturation.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("What happens when too much comes?")
    results, soak = read_results(folder), read_curves(folder)["soak"]
    name = "readmission.overload.measured"
    cards = (("Refused", "refused_share", ".0%", "Share that got 429 with Retry-After at once."),
             ("Failed", "failed", ",.0f", "Requests with any other answer, or none."),
             ("Memory, end over start", "memory_growth", ".2f", "1 is no growth."))
    for column, (label, key, form, explained) in zip(st.columns(3), cards, strict=True):
        with column:
            metric_card(label, results.evidence.metrics.get(f"{name}.{key}"), form, explanation=explained)
    rows = [{"x": second, "y": value, "series": series} for series, key in (("answered", "accepted"), ("refused with 429", "refused"))
            for second, value in zip(soak["second"], soak[key], strict=True)]
    st.altair_chart(lines_chart(rows, x="seconds", y="requests a second"), alt="Answered and refused requests over time")
    rows = [{"x": second, "y": value, "series": "95 % of the answered"} for second, value in zip(soak["second"], soak["p95_ms"],
    strict=True)]
    st.altair_chart(lines_chart(rows, x="seconds", y="ms to answer"), alt="Time of the answered requests over time")
    rows = [{"x": second, "y": value, "series": "memory"} for second, value in zip(soak["memory_s"], soak["memory_mb"], strict=True)]
    st.altair_chart(lines_chart(rows, x="seconds", y="MB"), alt="Memory of the service over time")


def lines_chart(rows: list[dict[str, Any]], *, x: str, y: str, log: bool = False) -> alt.Chart:
    """Draw named series as lines with points.

    Parameters
    ----------
    rows : list of dict
        ``x``, ``y`` and ``series``.
    x, y : str
        Titles with units.
    log : bool, default False
        A logarithmic vertical axis.

    Returns
    -------
    altair.Chart
        Responsive in width.
    """
    styles = styles_for(list(dict.fromkeys(row["series"] for row in rows)))
    legend = alt.Legend(orient="top", title=None, labelFontSize=12, columns=2, labelLimit=280)
    scale = alt.Scale(type="log") if log else alt.Scale(zero=True)
    tooltip = [alt.Tooltip("series:N", title="series"), alt.Tooltip("x:Q", title=x, format=",.1f"), alt.Tooltip("y:Q", title=y,
    format=",.2f")]
    return rows_chart(rows).mark_line(point=alt.OverlayMarkDef(size=45)).encode(
        x=alt.X("x:Q", title=x, axis=alt.Axis(tickCount=6, **LABELS)), y=alt.Y("y:Q", title=y, scale=scale, axis=alt.Axis(tickCount=6,
        **LABELS)),
        color=series_colour(styles, legend=legend), strokeDash=series_dash(styles), shape=series_shape(styles),
        tooltip=tooltip).properties(height=420)
