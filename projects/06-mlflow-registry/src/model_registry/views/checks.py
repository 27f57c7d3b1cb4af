"""What was measured of server and registry, apart from the models: writers, outage, changes of the champion, runs made again."""

import streamlit as st

from carefolio.evidence import Metric
from carefolio.views import show_table, with_interval
from model_registry.views.results import Results

CHECKS: dict[str, dict[str, str]] = {
    "Parallel writers on one server": {
        "writers.sqlite.server.parallel": "Writers at once, SQLite", "writers.sqlite.server.values": "Values written, SQLite",
        "writers.sqlite.server.lost": "Values lost, SQLite", "writers.sqlite.server.values_per_second": "Values a second, SQLite",
        "writers.postgresql.server.parallel": "Writers at once, PostgreSQL",
        "writers.postgresql.server.values": "Values written, PostgreSQL", "writers.postgresql.server.lost": "Values lost, PostgreSQL",
        "writers.postgresql.server.values_per_second": "Values a second, PostgreSQL"},
    "A server that is killed while they write": {
        "outage.sqlite.server.values": "Values written", "outage.sqlite.server.lost": "Values lost",
        "outage.sqlite.server.double": "Values stored twice"},
    "The alias changes while clients ask": {
        "serving.alias_changes.readmission.changes": "Changes of the champion",
        "serving.alias_changes.readmission.requests": "Requests", "serving.alias_changes.readmission.failed": "Requests that failed",
        "serving.alias_changes.readmission.wrong_version": "Answers that were not of the version they name",
        "serving.alias_changes.readmission.longest_wait_s": "Longest wait for the new champion, seconds"},
    "The challenger against the champion, on the same patients": {
        "readmission.test.challenger_minus_champion.roc_auc": "Readmission: lead in AUROC",
        "survival.test.challenger_minus_champion.uno_c": "Survival: lead in Uno's C"},
    "The run made again from its record": {
        "readmission.made_again.search.compared": "Readmission: values compared",
        "readmission.made_again.search.largest_difference": "Readmission: largest difference",
        "survival.made_again.search.compared": "Survival: values compared",
        "survival.made_again.search.largest_difference": "Survival: largest difference"},
    "The search on one process and on one a core": {
        "readmission.engine.local.seconds": "In this process, seconds", "readmission.engine.dask.seconds": "On Dask, seconds",
        "readmission.engine.local_against_dask.largest_difference": "Largest difference of any value"},
}
"""Heading -> evidence id -> what it is."""


def show_checks(results: Results) -> None:
    """Show what the benchmarks measured, as far as they were run.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Does the registry hold what it promises?")
    metrics = results.run.evidence.metrics
    shown = {heading: [{"Measure": label, "Value": written(metrics[key])} for key, label in checks.items() if key in metrics]
             for heading, checks in CHECKS.items()}
    if not any(shown.values()):
        st.info("This run was not put to these tests; `registry run` and then the scripts in the chapter's folder benchmarks do it.")
        return
    for heading, rows in shown.items():
        if rows:
            st.markdown(f"**{heading}**")
            show_table(rows, hide_header=True)
    st.caption("Measured with real processes on the loopback address of one machine: MLflow, PostgreSQL, this chapter's API.")


def written(metric: Metric) -> str:
    """Write a count as a count, and a measurement with its interval.

    Parameters
    ----------
    metric : Metric
        What was measured.

    Returns
    -------
    str
        Such as ``"1,000"``, ``"3.2"`` or ``"0.0041 (0.0020 to 0.0063)"``.
    """
    if metric.low is not None:
        return with_interval(metric, digits=4)
    return f"{metric.value:,.0f}" if metric.value == int(metric.value) else f"{metric.value:,.3g}"
