"""The section on identifiers: what the firewall finds by type, what it takes without need, and what others reach."""

from pathlib import Path

import streamlit as st

from carefolio import charts
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError
from carefolio.privacy.policy import SAFE_HARBOR
from carefolio.runs import read_packaged_toml
from carefolio.views import NBSP, bounds, percent, percent_with_interval, show_table
from notes_summarizer.config import PROJECT
from notes_summarizer.views.results import Results, listed, read_results, show_cards

SETS = {"asq_phi": "ASQ-PHI, queries to a search", "presidio_synth": "Presidio-research, made-up sentences",
        "aci_bench": "ACI-Bench, names in visits and notes"}
"""Data sets that the firewall is measured on."""
RECALL = "phi_recall_"
SHORT = ("gpe", "iban", "id", "ip", "mrn", "nrp", "ssn", "url", "us", "zip")
LOOSER = "phi_recall_any_part"
MEASURE_IT = ("Measure it with `python shared/benchmarks/privacy_quality.py --json projects/03-notes-summarizer/reports/measured/"
              "privacy.json`, then run `notes report`.")
"""What to do where there is no measurement."""


def show_privacy(folder: Path) -> None:
    """Show what the firewall finds and what it takes without need.

    Parameters
    ----------
    folder : Path
        Of the run.

    Raises
    ------
    ArtefactError
        If there is no run, or the firewall was not measured for it.
    """
    st.subheader("Does it leak nobody?")
    results = read_results(folder)
    metrics = results.evidence.metrics
    sets = {name: title for name, title in SETS.items() if f"{name}.report.firewall.phi_recall" in metrics}
    if not sets:
        raise ArtefactError(f"This run holds no measurement of the firewall. {MEASURE_IT}")
    chosen = st.selectbox("Texts", list(sets), format_func=sets.__getitem__, key="privacy-set", persist_state="session")
    prefix = f"{chosen}.report.firewall"
    show_cards(results, [("Identifiers taken out", f"{prefix}.phi_recall", ".1%", "All letters and digits of it are gone."),
                         ("Of which at least a part", f"{prefix}.{LOOSER}", ".1%", "The looser count."),
                         ("Texts without any that lost something", f"{prefix}.over_redaction", ".1%", "Over-redaction."),
                         ("Milliseconds a text, median", f"{prefix}.latency_p50_ms", ".0f", "On the machine of the run.")])
    _by_type(results, prefix)
    if chosen == "asq_phi":
        _published(metrics[f"{prefix}.phi_recall"], metrics.get(f"{prefix}.over_redaction"))
    with st.expander("What is taken out, type by type"):
        show_table([{"HIPAA Safe Harbor": f"{rule.letter}. {rule.identifier}",
                     "In a prompt": ", ".join(f"[{kind}_1]" for kind in rule.types) or "–", "Note": rule.note} for rule in SAFE_HARBOR])


def _by_type(results: Results, prefix: str) -> None:
    found = {name.removeprefix(f"{prefix}.{RECALL}"): metric for name, metric in results.evidence.metrics.items()
             if name.startswith(f"{prefix}.{RECALL}") and name != f"{prefix}.{LOOSER}"}
    types = dict(sorted(found.items(), key=lambda item: -item[1].n))
    rows = [{"label": f"{in_words(kind)} (n{NBSP}={NBSP}{metric.n:,})"} | bounds(metric) for kind, metric in types.items()
            if metric.low is not None]
    st.markdown("**Taken out, by type of identifier**")
    if rows:
        st.altair_chart(charts.interval_chart(rows, title="recall, higher is better", number_format=".1%", axis_format=".0%"),
                        alt="Recall by type of identifier with intervals")
    table = [{"Type": in_words(kind), "n": f"{one.n:,}", "Taken out": percent_with_interval(one.value, one.low, one.high)}
             for kind, one in types.items()]
    listed(table, f"privacy-{prefix.partition('.')[0]}",
           raw=[{"type": kind, "n": one.n, "recall": one.value, "low": one.low, "high": one.high} for kind, one in types.items()])
    st.caption("Types as the data set names them; one with fewer than 20 identifiers has no interval. Rules were written on one half of "
               "each data set, and these figures are of the other.")


def in_words(kind: str) -> str:
    """Write a type of a data set for people.

    Parameters
    ----------
    kind : str
        Last piece of a metric's id, without ``phi_recall_``.

    Returns
    -------
    str
        For example ``"Street address"``.
    """
    words = " ".join(word.upper() if word in SHORT else word for word in kind.split("_"))
    return words[:1].upper() + words[1:]


def _published(recall: Metric, over_redaction: Metric | None) -> None:
    references = read_packaged_toml(PROJECT, "references.toml")
    theirs = {name: percent(float(references[f"comprehend_{name}"]["value"]), digits=2) for name in ("recall", "over_redaction")}
    ours = "" if over_redaction is None else percent_with_interval(over_redaction.value, over_redaction.low, over_redaction.high)
    st.markdown("**Beside a commercial service on the same kind of queries**")
    listed([{"Detector": "This firewall, the half kept for reporting", "Over-redaction": ours,
             "Taken out": percent_with_interval(recall.value, recall.low, recall.high)},
            {"Detector": "Amazon Comprehend Medical, all queries, threshold 0", "Over-redaction": theirs["over_redaction"],
             "Taken out": theirs["recall"]}], "privacy-published")
    st.caption(f"Published: {references['comprehend_recall']['source']}. Over-redaction: share of queries without identifiers that lost "
               "something.")
