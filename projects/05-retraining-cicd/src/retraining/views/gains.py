"""The sections on what it is for: whether retraining helps on these data, and what the protocol allows."""

import streamlit as st

from carefolio import charts
from carefolio.dashboard import download_table
from carefolio.shown_run import ShownRun
from carefolio.views import show_table, with_interval
from retraining.gates import TITLES as GATE_TITLES
from retraining.policies import POLICIES, TITLES
from retraining.protocol import load_protocol

MEASURES = {"roc_auc": "AUROC", "calibration_intercept": "Calibration intercept", "calibration_slope": "Calibration slope",
            "net_benefit": "Net benefit"}


def show_gains(run: ShownRun) -> None:
    """Compare the policies.

    Parameters
    ----------
    run : ShownRun
        The run.
    """
    import polars as pl

    st.subheader("Does retraining help on these data?")
    metrics = run.evidence.metrics
    name = str(st.selectbox("Measure", list(MEASURES), format_func=MEASURES.__getitem__, key="measure"))
    batches = sorted({key.partition(".")[0] for key in metrics if key.startswith("batch_") and ".judged." in key})
    rows = [{"label": f"Batch {int(batch.rpartition('_')[2])}", "series": TITLES[policy], **_bounds(run, f"{batch}.judged.{policy}.{name}")}
            for batch in batches for policy in POLICIES]
    st.altair_chart(charts.interval_chart(rows, title=f"{MEASURES[name]} on patients who judge", row_height=30),
                    alt="Policies batch by batch")
    together = "later_batches.judged"
    show_table([{"Policy": TITLES[policy], "AUROC": with_interval(run.metric(f"{together}.{policy}.roc_auc")),
                 "Against never": "–" if policy == "never" else with_interval(run.metric(f"{together}.{policy}_minus_never.roc_auc"))}
                for policy in POLICIES])
    show_table([{"Policy": TITLES[policy],
                 "Calibration intercept": with_interval(run.metric(f"{together}.{policy}.calibration_intercept"), digits=2),
                 "Models taught": f"{run.metric(f'{together}.{policy}.models_taught').value:.0f}"} for policy in POLICIES])
    st.caption("All batches after the first model together. Intervals draw patients; differences are on the same draws.")
    download_table(pl.DataFrame(rows), "policies")


def _bounds(run: ShownRun, name: str) -> dict[str, float | None]:
    found = run.metric(name)
    return {"value": found.value, "low": found.low, "high": found.high}


def show_protocol(run: ShownRun) -> None:
    """Show the protocol that comes with the chapter.

    Parameters
    ----------
    run : ShownRun
        The run.
    """
    protocol = load_protocol()
    rules = protocol.modification_protocol
    st.subheader("What may change, and who allows it?")
    st.caption(f"{protocol.name}, version {protocol.version}, sha256 {protocol.sha256()[:16]}. {protocol.purpose}")
    st.markdown("**Description of modifications**")
    show_table([{"May change": one.what, "Because": one.why} for one in protocol.description_of_modifications.may_change])
    st.markdown("Stays: " + "; ".join(protocol.description_of_modifications.stays) + ".")
    st.markdown("**Modification protocol: the gates**")
    show_table([{"Gate": GATE_TITLES[name], "Margin": f"{rule.margin:g}", "Limit": f"{rule.limit:g}"}
                for name, rule in rules.gates.items()])
    automatic = rules.approval.automatic
    st.markdown(f"Approved by {' or '.join(rules.approval.roles)}; without a person while at most {automatic.largest_reclassified:.0%} of "
                f"the judging encounters change sides at a risk of {rules.risk_threshold:.0%}, and no more than {automatic.in_a_row} times "
                "in a row.")
    st.markdown("**Impact assessment**")
    show_table([{"Risk": one.risk, "Harm": one.harm, "Controlled by": ", ".join(one.controls).replace("_", " ")}
                for one in protocol.impact_assessment])
