"""The sections on what happened: timeline, drift, decisions gate by gate, planted faults."""

from typing import Any

import altair as alt
import streamlit as st

from carefolio import charts
from carefolio.dashboard import download_table, metric_card
from carefolio.shown_run import ShownRun
from carefolio.views import number_with_interval, percent, show_table
from retraining.gates import TITLES as GATE_TITLES
from retraining.names import FAULT_TITLES
from retraining.views.timeline import SIGNS, Cycle, decided, label, read_timeline, sentence

SHOWN_FEATURES = 14
BOUNDS = ("value", "low", "high")
CAUGHT_BY = {"rejected": "caught before it did anything", "rolled_back": "caught after deployment, and taken back"}


def show_timeline(run: ShownRun) -> None:
    """Show what each batch came to.

    Parameters
    ----------
    run : ShownRun
        The run.
    """
    st.subheader("What became of each batch?")
    cycles = read_timeline(run)["replay"]
    metrics = run.evidence.metrics
    first, second, third = st.columns(3)
    with first:
        metric_card("AUROC in later batches, by the protocol", metrics.get("later_batches.judged.protocol.roc_auc"))
    with second:
        metric_card("Replacements of the first model", metrics.get("cycles.replay.protocol.promoted"), ".0f")
    with third:
        metric_card("Gain in AUROC over never retraining", metrics.get("later_batches.judged.protocol_minus_never.roc_auc"))
    show_table([{"Batch": str(cycle["batch"]), "Outcome": f"{SIGNS[cycle['outcome']]}, release {cycle['release']}", "Why": _why(cycle)}
                for cycle in cycles])
    st.caption("A batch is a tenth of the encounters or so, in the order of their ids, which stands in for time. Its outcomes become known "
               "when the next batch arrives.")


def _why(cycle: Cycle) -> str:
    by = f" Approved by {cycle['approved_by']}." if cycle["approved_by"] else ""
    return sentence(cycle["reason"]) + by


def show_drift(run: ShownRun) -> None:
    """Show drift over batches.

    Parameters
    ----------
    run : ShownRun
        The run.
    """
    import polars as pl

    st.subheader("What has drifted?")
    cycles = [cycle for cycle in read_timeline(run)["replay"] if cycle["drift"]]
    if not cycles:
        st.info("No batch has arrived after the first model.")
        return
    largest = {name: max(cycle["drift"]["features"][name] for cycle in cycles) for name in cycles[0]["drift"]["features"]}
    names = sorted(largest, key=lambda name: -largest[name])
    rows = [{"feature": name.replace("_", " "), "batch": cycle["batch"], "index": cycle["drift"]["features"][name]}
            for name in names[:SHOWN_FEATURES] for cycle in cycles]
    st.altair_chart(drift_chart(rows, [name.replace("_", " ") for name in names[:SHOWN_FEATURES]]), alt="Drift of features by batch")
    st.caption("Population stability index against the rows that taught the model in place: up to 0.1 little change, above 0.25 a large "
               "one, by custom. Codes of payer, specialty and discharge changed over the years; the protocol counts measured columns only.")
    show_table([{"Batch": str(cycle["batch"]), "Predicted risk": f"{cycle['drift']['prediction']:.2f}",
                 "Told apart by a classifier (AUROC)": number_with_interval(*(cycle["drift"]["two_sample"][key] for key in BOUNDS),
                                                                            digits=2)}
                for cycle in cycles])
    download_table(pl.DataFrame([{"batch": cycle["batch"], **cycle["drift"]["features"]} for cycle in cycles]), "drift")


def drift_chart(rows: charts.Rows, names: list[str]) -> charts.Chart:
    """Draw a heat map of drift.

    Parameters
    ----------
    rows : sequence of mapping
        ``feature``, ``batch`` and ``index``.
    names : list of str
        Features, top to bottom.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    place: dict[str, Any] = {"x": alt.X("batch:O", title="batch", axis=alt.Axis(labelAngle=0, **charts.LABELS)),
             "y": alt.Y("feature:N", sort=names, title=None, axis=alt.Axis(labelLimit=150, **charts.LABELS))}
    base = charts.rows_chart(rows).encode(**place)
    cells = base.mark_rect().encode(color=alt.Color("index:Q", scale=alt.Scale(scheme="blues", domain=[0, 1], clamp=True), legend=None),
                                    tooltip=["feature:N", "batch:O", alt.Tooltip("index:Q", format=".3f")])
    texts = base.mark_text(fontSize=11).encode(text=alt.Text("index:Q", format=".2f"),
                                               color=alt.condition("datum.index > 0.55", alt.value("white"), alt.value(charts.INK)))
    return alt.layer(cells, texts, height=26 * len(names) + 40)


def show_decision(run: ShownRun) -> None:
    """Show a decision gate by gate.

    Parameters
    ----------
    run : ShownRun
        The run.
    """
    st.subheader("Why was it decided so?")
    timeline = read_timeline(run)
    replayed = decided(timeline["replay"])
    cycles = [*replayed, *decided([cycle for found in timeline["planted"].values() for cycle in found])]
    chosen = st.selectbox("Decision", range(len(cycles)), index=len(replayed) - 1, format_func=lambda place: label(cycles[place]),
                          key="decision")
    show_gates(cycles[chosen])


def show_gates(cycle: Cycle) -> None:
    """Show the gates of one decision.

    Parameters
    ----------
    cycle : mapping
        An entry of the timeline.
    """
    judged, decision = cycle["judged"], cycle["decision"]
    if cycle["planted"]:
        opened = " Every gate was set wide open, to see what the watch is for." if cycle.get("gates_open") else ""
        st.warning(f"Planted fault: {FAULT_TITLES[cycle['planted']]}. The data are real otherwise.{opened}")
    st.markdown(f"**{label(cycle)}.** {sentence(cycle['reason'])}")
    st.markdown(f"A challenger was called for because: {'; '.join(decision['reasons'])}. Taught by batches "
                f"{', '.join(map(str, cycle['taught']['batches']))} ({cycle['taught']['rows']:,} encounters of patients who teach); "
                f"judged on batch {judged['judged_on']} ({judged['encounters']:,} encounters, {judged['returns']:,} returns, of patients "
                "who judge).")
    show_table([{"Gate": f"{'✓' if gate['passed'] else '✗'} {GATE_TITLES[gate['gate']]}",
                 "Challenger, champion": f"{gate['challenger']['value']:.3f}, {gate['champion']['value']:.3f} (limit {gate['limit']:g})",
                 "Difference": f"{number_with_interval(*(gate['difference'][key] for key in BOUNDS), digits=4)}, margin {gate['margin']:g}"}
                for gate in cycle["gates"]])
    st.caption("The worse end of the interval of the difference must keep the margin, and the challenger itself the limit. Both models "
               "were judged on the same draws of patients. The first model stands against itself: only limits count.")
    asked = cycle["asked"]
    if asked:
        why = f" A person was asked because: {'; '.join(asked['reasons'])}." if asked["reasons"] else ""
        st.markdown(f"{percent(judged['reclassified'])} of the judging encounters change sides at the threshold.{why} "
                    f"Approved by {cycle['approved_by'] or 'nobody'}.")
    if cycle["smoke"]:
        st.markdown(f"Smoke test: {cycle['smoke']['words']}.")
    if cycle["watch"]:
        st.markdown(f"Watch, on batch {cycle['watch']['on']}: {cycle['watch']['words']}.")


def show_faults(run: ShownRun) -> None:
    """Show the planted faults and what caught them.

    Parameters
    ----------
    run : ShownRun
        The run.
    """
    st.subheader("Would a fault be caught?")
    st.markdown("Each fault was planted into a copy of the run; the data are real otherwise.")
    for fault, cycles in read_timeline(run)["planted"].items():
        last = cycles[-1]
        with st.container(border=True):
            st.markdown(f"**{FAULT_TITLES[fault]}** · {SIGNS[last['outcome']]}, "
                        f"{CAUGHT_BY.get(last['outcome'], 'not caught')}")
            for cycle in cycles:
                st.markdown(f"Batch {cycle['batch']}: {sentence(cycle['reason'])}")
