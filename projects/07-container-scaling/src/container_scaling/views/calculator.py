"""The calculator: hospitals, promise and prices in, replicas and money out."""

from pathlib import Path

import streamlit as st

from carefolio.config import load_config
from carefolio.views import show_table
from container_scaling.config import PROJECT, ScalingSettings
from container_scaling.costs import demand_curve, size_for
from container_scaling.measurement import read_service_times
from container_scaling.views.results import lines_chart


def show_calculator(folder: Path) -> None:
    """Let the reader say what hospitals ask for, and see what it takes.

    Parameters
    ----------
    folder : Path
        Of the run whose service times are used.
    """
    st.subheader("How many replicas, and what do they cost?")
    service, settings = read_service_times(folder), load_config(ScalingSettings, PROJECT)
    plan, prices = settings.plan, settings.prices
    left, right = st.columns(2)
    with left:
        hospitals = st.number_input("Hospitals", 1, 100_000, 100, key="hospitals")
        discharges = st.number_input("Discharges a hospital and day", 1.0, 10_000.0, plan.discharges_per_hospital_day, key="discharges")
        calls = st.number_input("Calls a discharge", 1.0, 10_000.0, plan.calls_per_discharge, key="calls")
        burst = st.number_input("Busiest minute over the mean of its hour", 1.0, 1000.0, plan.burst, key="burst")
    with right:
        target = st.number_input("95 % answered within, ms", 1.0, 60_000.0, plan.target_ms, key="target")
        share = st.number_input("Processors that a replica reserves", 0.1, 8.0, prices.replica_processors, 0.1, key="share")
        processor = st.number_input(f"A processor an hour, {prices.currency}", 0.0001, 10.0, prices.processor_per_hour, 0.001,
        format="%.4f",
                                    key="processor")
        overhead = st.number_input("Overhead factor", 1.0, 10.0, prices.overhead, 0.1, key="overhead")
    plan = plan.model_copy(update={"discharges_per_hospital_day": discharges, "calls_per_discharge": calls, "burst": burst, "target_ms":
    target})
    prices = prices.model_copy(update={"replica_processors": share, "processor_per_hour": processor, "overhead": overhead})
    size = size_for(int(hospitals), service, plan, prices)
    for column, (label, value) in zip(st.columns(3), (("Replicas", f"{size.replicas:,}"), ("Busiest minute", f"{size.peak_rate:,.1f} / s"),
                                                      ("A month", f"{size.month:,.0f} {prices.currency}")), strict=True):
        with column:
            st.metric(label, value, border=True)
    show_table([{"what": "how busy the replicas are then", "value": f"{size.utilisation:.1%}"},
                {"what": "95 % answered within, by the model", "value": f"{size.p_ms:,.1f} ms"},
                {"what": "a thousand predictions", "value": f"{size.thousand_predictions:,.4f} {prices.currency}"}])
    curve = demand_curve(service, plan, most=12)
    st.altair_chart(lines_chart([{"x": count, "y": rate, "series": "within the promise"} for count, rate in curve], x="replicas",
                                y="requests a second"), alt="Requests a second that replicas carry within the promise")
    st.caption("Demand and prices are inputs, not findings: put your own in. At least two replicas are counted, so that one may fail.")
