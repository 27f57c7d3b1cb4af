"""What a run has measured: what of the published charts can be read, how fast the services answer, and the simulation."""

from collections.abc import Callable
from pathlib import Path

import streamlit as st

from carefolio.dashboard import metric_card
from carefolio.shown_run import ShownRun, choose_view, read_shown_run
from carefolio.views import inline_image, offer, percent, show_table, to_csv, with_interval
from clinical_workflow.config import PROJECT
from clinical_workflow.data import WHAT_IT_IS
from clinical_workflow.evaluate import COHORT

TITLES = {"coverage": "the published charts", "simulation": "the simulation"}
KEYS = {"coverage": ("counts", "unmapped", "charts"), "simulation": ("level", "inputs", "ward", "clinic")}
CARDS = {f"{COHORT}.all.mapping.conditions_mapped": ("Diagnoses mapped", ".1%", "Share of the charts' diagnoses that the models can read."),
         f"{COHORT}.all.mapping.orders_coded": ("Orders with a code", ".1%", "Share of drug orders that carry an RxNorm code."),
         f"{COHORT}.all.charts.read": ("Charts read", ".0f",
                                       "Published synthetic charts that went through; none may make the reader fail.")}
FIGURES = {"Ward": "simulation_ward.png", "Alert fatigue": "simulation_fatigue.png", "Clinic": "simulation_clinic.png",
           "Subgroups": "simulation_groups.png", "Sensitivity": "simulation_one_way.png", "Two inputs": "simulation_two_way.png",
           "Threshold": "simulation_threshold.png"}


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
    return read_shown_run(folder, command="workflow", package=PROJECT, titles=TITLES, keys=KEYS)


def show_overview(folder: Path) -> None:
    """Show the leading figures, and the latency of the services.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("What reaches the bedside, and how fast?")
    results = read_results(folder)
    for column, (name, (label, form, explained)) in zip(st.columns(3), CARDS.items(), strict=True):
        with column:
            metric_card(label, results.evidence.metrics.get(name), form, explanation=explained)
    rows = [{"Service": name.split(".")[2].replace("_", " "), "Median": f"{results.metric(name).value:.0f} ms",
             "95th percentile": f"{results.metric(name.replace('p50', 'p95')).value:.0f} ms", "Calls": f"{results.metric(name).n:,}"}
            for name in results.evidence.metrics if name.startswith("service.load.") and name.endswith("latency_p50_ms")]
    if rows:
        st.markdown("**Decision support under load**")
        show_table(rows)
    st.caption(f"{WHAT_IT_IS} Latency is that of the machine named below.")
    offer("Results as CSV", to_csv([{"metric": name} | one.model_dump() for name, one in results.evidence.metrics.items()]),
          "workflow-metrics.csv", "text/csv")


def show_mapping(folder: Path) -> None:
    """Show what could be mapped, and the codes that could not.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("What of a chart can the models read?")
    results = read_results(folder)
    shares = {name: metric for name, metric in results.evidence.metrics.items() if name.startswith(f"{COHORT}.all.mapping.")}
    show_table([{"Share": name.rpartition(".")[2].replace("_", " "), "Value, 95 % interval over patients": with_interval(one),
                 "Of": f"{one.n:,}"} for name, one in shares.items()])
    coverage = results.part("coverage")
    if coverage["unmapped"]:
        st.markdown("**Diagnoses without a category**")
        show_table([{"Code": one["code"], "System": one["system"], "Words": one["display"], "Times": str(one["count"])}
                    for one in coverage["unmapped"]])
    with st.expander("All counts"):
        show_table([{"Count": name.replace("_", " "), "Number": f"{value:,}"} for name, value in coverage["counts"].items()])
    unread = results.evidence.metrics.get(f"{COHORT}.all.charts.flaws")
    st.caption(f"{WHAT_IT_IS} Flawed resources: {unread.value:.0f}." if unread else WHAT_IT_IS)


def show_simulation(folder: Path) -> None:
    """Show the figures of the simulation.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("What could it do in a year? A simulation")
    st.warning("Simulated, from published or assumed effects and the models' measured operating points. Nobody was treated.",
               icon=":material/science:")
    results = read_results(folder)
    views: dict[str, Callable[[ShownRun], None]] = {name: _figure(file) for name, file in FIGURES.items()} | {"Inputs": _inputs}
    choose_view(views, results, key="simulated")


def _figure(file: str) -> Callable[[ShownRun], None]:
    def _show(results: ShownRun) -> None:
        alt = next((one.alt for one in results.evidence.figures if one.file == f"figures/{file}"), "Simulation")
        st.image(inline_image(results.file(f"figures/{file}")), caption=alt)

    return _show


def _inputs(results: ShownRun) -> None:
    inputs = results.part("simulation")["inputs"]
    show_table([{"Input": str(one.get("label", name)), "Value": f"{one['value']:g} {one.get('unit', '')}", "Kind": str(one.get("kind", "")),
                 "Source": str(one.get("source", ""))} for name, one in inputs.items()])
    st.caption(f"Intervals are percentiles over simulated years, {percent(results.part('simulation')['level'], digits=0)}.")
