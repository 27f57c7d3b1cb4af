"""What the rules say about the summaries' faithfulness, and how far these rules can be trusted."""

from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.evidence import Metric
from carefolio.views import NBSP, bounds, number_with_interval, percent_with_interval, with_interval
from notes_summarizer.evaluation.figures import KINDS as CHANGES
from notes_summarizer.views.results import Results, listed
from notes_summarizer.views.summaries import choose_part, systems

FINDINGS = {"number": "numbers", "term": "drugs and conditions", "negation": "negations", "laterality": "sides"}
HUMAN = {"roc_auc_wrong_fact": "AUROC of the share of flagged sentences, for a wrong fact",
         "sensitivity_wrong_fact": "Flagged, of those wrong",
         "specificity_wrong_fact": "Not flagged, of those right", "sensitivity_hallucination": "Flagged, of those with something invented",
         "pearson_precision": "Correlation with the share of right facts", "pearson_omission": "Correlation with the share left out"}
"""What was measured against scores that people gave, where their files are at hand."""


def show_faithfulness(results: Results) -> None:
    """Show the share of sentences without a finding and of facts left out.

    Parameters
    ----------
    results : Results
        The run.
    """
    data_set, part = choose_part(results)
    curves, metrics, shown = results.part("summaries"), results.evidence.metrics, systems(results, people=True)
    for kind, title in (("faithfulness", "sentences without a finding, higher is better"), ("omission", "facts left out, lower is better")):
        rows = [{"label": words} | bounds(metrics[f"{data_set}.{part}.{name}.{kind}"]) for name, words in shown.items()
                if f"{data_set}.{part}.{name}.{kind}" in metrics]
        st.markdown("**Does it say what was said?**" if kind == "faithfulness" else "**Does it leave anything out?**")
        st.altair_chart(charts.interval_chart(rows, title=title, number_format=".1%", axis_format=".0%"), alt=title)
        st.caption(curves["definitions"][kind])
    st.markdown("**Findings in 100 sentences**")
    judged = {name: words for name, words in shown.items() if f"{data_set}.{part}.{name}.number_findings_per_100_sentences" in metrics}
    table = [{"Finding": title} | {words: _number(metrics.get(f"{data_set}.{part}.{name}.{kind}_findings_per_100_sentences"))
                                   for name, words in judged.items()} for kind, title in FINDINGS.items()]
    listed(table, f"findings-{data_set}-{part}")
    st.caption("Notes that people wrote have findings too: they bound the rate of false alarms of the rules.")
    st.markdown("**Counted by clinicians elsewhere**")
    rates = curves["published_error_rates"]
    listed([{"What": row["what"], "Percent": f"{row['value']:.2f}", "n": f"{row['n']:,}"} for row in rates], "clinicians", raw=rates)
    st.caption(f"{'; '.join(dict.fromkeys(row['source'] for row in rates))}. Other notes, other models, other judges: no yardstick for the "
               "rules above.")


def _number(metric: Metric | None) -> str:
    return "" if metric is None else number_with_interval(metric.value, metric.low, metric.high, digits=1)


def show_meter(results: Results) -> None:
    """Show what share of planted errors the rules find, of harmless changes they take for errors, and how far they agree with people.

    Parameters
    ----------
    results : Results
        The run.
    """
    meter = results.part("summaries")["meter"]
    points: list[dict[str, Any]] = meter["points"]
    st.markdown(f"Errors were planted in {meter['documents']:,} notes that people wrote, one at a time, and harmless changes beside them. "
                "Rules that can be trusted find the first and keep quiet about the second.")
    for group, title, better in (("planted", "Planted errors", "share found, higher is better"),
                                 ("harmless", "Harmless changes", "share taken for an error, lower is better")):
        st.markdown(f"**{title}**")
        rows = [{"label": f"{CHANGES.get(point['kind'], point['kind'])} (n{NBSP}={NBSP}{point['n']})",
                 **{bound: point[bound] for bound in ("value", "low", "high")}} for point in points if point["group"] == group]
        st.altair_chart(charts.interval_chart(rows, title=better, number_format=".0%", axis_format=".0%"), alt=title)
    table = [{"Change": CHANGES.get(point["kind"], point["kind"]), "Kind": point["group"], "n": f"{point['n']:,}",
              "With a finding": percent_with_interval(point["value"], point["low"], point["high"])} for point in points]
    listed(table, "meter", raw=[{name: point[name] for name in ("group", "kind", "n", "value", "low", "high")} for point in points])
    st.caption("This says how the rules deal with these changes, not that they agree with a clinician: an error that a language model "
               "makes need not look like one of them.")
    _people(results)


def _people(results: Results) -> None:
    found = {title: results.evidence.metrics[f"meter.human_scores.rules.{name}"] for name, title in HUMAN.items()
             if f"meter.human_scores.rules.{name}" in results.evidence.metrics}
    if found:
        st.markdown("**Beside the judgement of people**")
        listed([{"Agreement": title, "Value": with_interval(one), "n": f"{one.n:,}"} for title, one in found.items()], "people")
        st.caption("Summaries of MTS-Dialog's validation part that annotators of its authors scored. They counted every fact; the rules "
                   "see numbers, drugs, conditions, negation and sides only.")
