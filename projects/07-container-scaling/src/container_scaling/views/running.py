"""A running stack, seen through the metrics that its services publish."""

import time
from pathlib import Path

import streamlit as st

from carefolio.exceptions import CarefolioError, ProviderError
from carefolio.views import show_problem, show_table
from container_scaling.live import Snapshot, bucket_quantile, parse, read_text, together

EXAMPLE = "http://127.0.0.1:8000"


def show_live(folder: Path) -> None:
    """Ask replicas for their metrics and show them; asked again, also what happened in between.

    Parameters
    ----------
    folder : Path
        Not needed; a running stack has no run.
    """
    st.subheader("What is a running stack doing now?")
    given = st.text_input("Addresses of replicas, with spaces between them", EXAMPLE, key="addresses",
                          help="`readmission serve --no-auth` listens on port 8000; the replicas of a stack are reached from its network.")
    if not st.button("Ask", key="ask", icon=":material/refresh:"):
        st.info("Nothing is asked until you press the button. Start a service with `readmission serve --no-auth`, or a stack with "
                "`scaling stack up`.")
        return
    try:
        snapshots = {address: parse(read_text(address)) for address in given.split()}
    except CarefolioError as error:
        show_problem(error)
        return
    if not snapshots:
        show_problem(ProviderError("no address was given; expected one such as http://127.0.0.1:8000."))
        return
    total, now = together(snapshots.values()), time.monotonic()
    _show_totals(total, now)
    show_table([{"replica": address, "answered": f"{one.requests:,.0f}", "waiting": f"{one.waiting:,.0f}", "refused": f"{one.refused:,.0f}",
                 "memory": f"{one.memory_mb:,.0f} MB"} for address, one in snapshots.items()])
    show_table([{"status": status, "answers": f"{count:,.0f}"} for status, count in total.answered.items()] or [{"status": "none yet",
    "answers": "0"}])


def _show_totals(total: Snapshot, now: float) -> None:
    before = st.session_state.get("snapshot")
    st.session_state["snapshot"] = (now, total.requests)
    rate = "ask again" if before is None or now <= before[0] else f"{max(0.0, total.requests - before[1]) / (now - before[0]):,.1f} / s"
    p95 = bucket_quantile(total.buckets, 0.95)
    cards = {"Requests a second": rate, "95 % answered within": "–" if p95 is None else f"{1000 * p95:,.1f} ms",
             "Waiting": f"{total.waiting:,.0f}"}
    for column, (label, value) in zip(st.columns(3), cards.items(), strict=True):
        with column:
            st.metric(label, value, border=True)
