"""The section on decisions: what acting above a risk threshold gains and costs."""

from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.views import percent, percent_with_interval
from readmission.names import MODEL_NAMES
from readmission.views.results import PRIMARY, STYLES, Results

RULES = ("lightgbm", "lace", "treat_all", "treat_none")
NAMES = {name: MODEL_NAMES.get(name, name.replace("_", " ")) for name in RULES}
WORKLOAD = {"lightgbm": "LightGBM", "lace": "LACE-like score"}


def show_decisions(results: Results) -> None:
    """Show the decision curve with a threshold to choose, and the workload at fixed shares.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Is it worth acting on?")
    _threshold(results)
    st.markdown("**If a team can follow up only so many**")
    st.table(_workload(results), border="horizontal", hide_index=True)
    st.caption("Discharges with the highest risks are flagged until the share is reached. In brackets: 95 % intervals.")


@st.fragment
def _threshold(results: Results) -> None:
    thresholds = results.curves["risk_thresholds"]
    low, high = 100 * thresholds[0], 100 * thresholds[-1]
    chosen = st.slider("Risk threshold: act on patients whose risk is at least", low, high, 15.0, 100 * (thresholds[1] - thresholds[0]),
                       format="%.1f %%", key="threshold", persist_state="session")
    place = min(range(len(thresholds)), key=lambda i: abs(thresholds[i] - chosen / 100))
    benefits = {name: results.curves["net_benefit"][key] for key, name in NAMES.items()}
    st.markdown(in_words(results, place))
    flagged = results.curves["flagged"]
    shown = {"Sensitivity": "sensitivity", "Specificity": "specificity", "Precision": "precision", "Flagged share": "flagged_fraction"}
    with st.container(horizontal=True):
        for label, name in shown.items():
            value = flagged["lightgbm"][place][name]
            st.metric(label, "–" if value is None else percent(value), border=True)
    band = results.curves["net_benefit_band"]
    st.altair_chart(charts.decision_chart(thresholds, benefits, band, chosen=thresholds[place], styles=STYLES),
                    alt="Net benefit over risk thresholds")
    st.table([{"Rule": name, "Net benefit per 1,000": f"{1000 * values[place]:.1f}"} for name, values in benefits.items()],
             border="horizontal", hide_index=True)
    st.caption("Net benefit counts a rightly flagged patient as 1 and a needlessly flagged one as the odds of the threshold; the band is "
               "its 95 % interval. Choosing a threshold says how many needless follow-ups one return prevented would be worth.")


def in_words(results: Results, place: int) -> str:
    """Say what a threshold means for 1,000 discharges.

    Parameters
    ----------
    results : Results
        The run.
    place : int
        Index of the threshold among ``risk_thresholds``.

    Returns
    -------
    str
        A few sentences in Markdown.
    """
    threshold = results.curves["risk_thresholds"][place]
    counts = per_thousand(results.curves["flagged"]["lightgbm"][place], results.metric(f"{PRIMARY}.test.outcome.prevalence").value)
    worth = (1 - threshold) / threshold
    return (f"At **{percent(threshold)}**, of 1,000 discharges **{counts['flagged']:,} would be flagged**: {counts['found']:,} who do "
            f"return within 30 days and {counts['needless']:,} who do not. {counts['missed']:,} returns would be missed. The threshold "
            f"says that finding one return is worth {worth:.1f} needless follow-ups.")


def per_thousand(point: dict[str, Any], prevalence: float) -> dict[str, int]:
    """Turn shares into counts of 1,000 discharges.

    Parameters
    ----------
    point : dict
        ``sensitivity`` and ``flagged_fraction`` at a threshold.
    prevalence : float
        Share of discharges that are followed by a return.

    Returns
    -------
    dict of str to int
        ``flagged``, ``found``, ``needless`` and ``missed``; flagged is found plus needless.
    """
    returns, flagged = round(1000 * prevalence), round(1000 * point["flagged_fraction"])
    found = round(1000 * prevalence * point["sensitivity"])
    return {"flagged": flagged, "found": found, "needless": flagged - found, "missed": returns - found}


def _workload(results: Results) -> list[dict[str, str]]:
    rows = []
    for share in results.evidence.config["evaluation"]["flagged_fractions"]:
        for model, title in WORKLOAD.items():
            ids = [f"{PRIMARY}.test.{model}.{name}_at_top_{100 * share:.0f}_percent" for name in ("sensitivity", "precision")]
            found = [results.metric(name) for name in ids]
            written = [percent_with_interval(metric.value, metric.low, metric.high) for metric in found]
            rows.append({"Flag the top": percent(share, digits=0), "By": title, "Returns found": written[0], "Precision": written[1]})
    return rows
