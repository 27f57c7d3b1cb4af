"""What the summaries were worth: overlap beside published systems and the transcript itself, by section, time and cost."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.evidence import Metric
from carefolio.views import NBSP, bounds, number_with_interval, with_interval
from notes_summarizer.views.results import STYLES, Results, listed

PARTS = {("mts_dialog", "test"): "MTS-Dialog, both tests", ("mts_dialog", "validation"): "MTS-Dialog, validation",
         ("mts_dialog", "test1"): "MTS-Dialog, test1", ("mts_dialog", "test2"): "MTS-Dialog, test2",
         ("aci_bench", "test1"): "ACI-Bench, test1"}
"""Data set and part, in words; in the order of the choice."""
SCORES = {"rouge1": "ROUGE-1", "rouge2": "ROUGE-2", "rouge_l": "ROUGE-L", "rouge_lsum": "ROUGE-L by line", "bertscore_f1": "BERTScore F1"}
REFERENCE = "reference"
COSTS = {"latency_p50_s": ("Seconds, median", 2), "latency_p95_s": ("Seconds, 95th percentile", 2),
         "cpu_seconds": ("Processor seconds", 2), "input_tokens": ("Tokens read", 0), "output_tokens": ("Tokens written", 0),
         "cost_usd": ("US dollars", 4), "failed_attempts": ("Failed attempts", 2), "failed": ("Share without an answer", 3)}


def choose_part(results: Results) -> tuple[str, str]:
    """Let the reader choose a data set and part.

    Parameters
    ----------
    results : Results
        The run.

    Returns
    -------
    data_set, part : str
        One that was judged.
    """
    found = {(part["data_set"], part["part"]): part["n"] for part in results.part("summaries")["parts"]}
    options = {f"{data_set}.{part}": f"{title} (n = {found[data_set, part]:,})" for (data_set, part), title in PARTS.items()
               if (data_set, part) in found}
    chosen = st.selectbox("Conversations", list(options), format_func=options.__getitem__, key="part", persist_state="session")
    data_set, _, part = str(chosen).partition(".")
    return data_set, part


def systems(results: Results, *, people: bool = False) -> dict[str, str]:
    """List the systems that were judged.

    Parameters
    ----------
    results : Results
        The run.
    people : bool, default False
        Count the notes that people wrote as one.

    Returns
    -------
    dict of str to str
        Name to words.
    """
    found: Mapping[str, str] = results.part("summaries")["systems"]
    return {name: words for name, words in found.items() if people or name != REFERENCE}


def show_overlap(results: Results) -> None:
    """Show ROUGE and BERTScore of every system beside published figures.

    Parameters
    ----------
    results : Results
        The run.
    """
    data_set, part = choose_part(results)
    published = [line for line in results.part("summaries")["published"] if (line["data_set"], line["part"]) == (data_set, part)]
    own = {words: _scores(results, f"{data_set}.{part}.{name}") for name, words in systems(results).items()}
    titles = {kind: title for kind, title in SCORES.items() if any(kind in scores for scores in own.values())}
    kind = str(st.segmented_control("Score", list(titles), default="rouge1", required=True, format_func=titles.__getitem__,
                                    key=f"score-{data_set}", persist_state="session"))
    others = [line for line in published if kind in line["scores"]]
    rows = [{"label": words} | bounds(scores[kind]) for words, scores in own.items() if kind in scores]
    rows += [{"label": f"{line['model']} (published)", **dict.fromkeys(("value", "low", "high"), line["scores"][kind])} for line in others]
    st.altair_chart(charts.interval_chart(rows, title=f"{titles[kind]}, higher is better"), alt=f"{titles[kind]} by system with intervals")
    table = [{"System": words, titles[kind]: with_interval(scores[kind])} for words, scores in own.items() if kind in scores]
    table += [{"System": f"{line['model']} (published)", titles[kind]: f"{line['scores'][kind]:.3f}"} for line in others]
    listed(table, f"overlap-{data_set}-{part}", raw=_raw(own, published))
    _explain(results, data_set, kind, published)


def _scores(results: Results, prefix: str) -> dict[str, Metric]:
    metrics = results.evidence.metrics
    return {kind: metrics[f"{prefix}.{kind}"] for kind in SCORES if f"{prefix}.{kind}" in metrics}


def _raw(own: Mapping[str, Mapping[str, Metric]], published: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """List all scores, those that are not shown too."""
    rows = [{"system": words, "metric": kind, "value": metric.value, "low": metric.low, "high": metric.high, "n": metric.n, "source": ""}
            for words, scores in own.items() for kind, metric in scores.items()]
    return rows + [{"system": line["model"], "metric": kind, "value": value, "low": None, "high": None, "n": line["n"],
                    "source": line["source"]} for line in published for kind, value in line["scores"].items()]


def _explain(results: Results, data_set: str, kind: str, published: list[dict[str, Any]]) -> None:
    curves = results.part("summaries")
    sources = "; ".join(dict.fromkeys(line["source"] for line in published))
    said = f"Published: {sources}." if sources else "Nothing is published for this part by the same rules."
    st.caption(f"In brackets: {100 * curves['level']:.0f} % intervals from a bootstrap over conversations. The transcript itself is the "
               f"floor: what one gets for doing nothing. {said}")
    if kind == "bertscore_f1":
        cut = ", ".join(f"{100 * row['cut']:.0f} % of those of {curves['systems'].get(row['system'], row['system'])}"
                        for row in curves["bertscore"]["share_cut"] if row["data_set"] == data_set and row["cut"])
        st.caption(f"By {curves['bertscore']['model']}; not comparable with another checkpoint."
                   + (f" It reads the beginning of a long text only; cut were {cut}." if cut else ""))
    for line in curves["floor"]:
        if (line["data_set"], line["metric"]) == (data_set, kind):
            st.caption(f"The transcript itself scores {line['own']:.3f} here and {line['published']:.3f} as published: both count alike.")


def show_sections(results: Results) -> None:
    """Show ROUGE-1 by section of the note.

    Parameters
    ----------
    results : Results
        The run.
    """
    words, found = results.part("summaries")["systems"], results.part("summaries")["by_header"]
    if not found:
        st.info("No section has enough cases in this run.")
        return
    rows = [{"label": f"{row['header']} (n{NBSP}={NBSP}{row['n']})", "series": words[row["system"]], **row["rouge1"]} for row in found]
    st.altair_chart(charts.interval_chart(rows, title="ROUGE-1, higher is better", styles=STYLES, row_height=34),
                    alt="ROUGE-1 by section of the note and system")
    st.caption("MTS-Dialog, both tests; sections with few cases have no figure. Sections differ more than systems do: a short one is "
               "either met or missed.")
    table = [{"Section": row["header"], "System": words[row["system"]], "ROUGE-1": number_with_interval(**row["rouge1"])} for row in found]
    listed(table, "sections", raw=[{"section": row["header"], "n": row["n"], "system": row["system"], **row["rouge1"]} for row in found])


def show_costs(results: Results) -> None:
    """Show time, tokens and cost of every system.

    Parameters
    ----------
    results : Results
        The run.
    """
    data_set, part = choose_part(results)
    metrics = results.evidence.metrics
    found = {words: {kind: metrics[f"{data_set}.{part}.{name}.{kind}"] for kind in COSTS if f"{data_set}.{part}.{name}.{kind}" in metrics}
             for name, words in systems(results).items() if f"{data_set}.{part}.{name}.latency_p50_s" in metrics}
    rows = [{"label": words} | bounds(kinds["latency_p50_s"]) for words, kinds in found.items()]
    st.altair_chart(charts.interval_chart(rows, title="seconds a conversation, median, lower is better", number_format=".2f"),
                    alt="Median seconds by system")
    table = [{"A conversation": label} | {words: with_interval(kinds[kind], digits=digits) if kind in kinds else "not counted"
                                          for words, kinds in found.items()} for kind, (label, digits) in COSTS.items()]
    listed(table, f"costs-{data_set}-{part}", raw=[{"system": words, "metric": kind, "value": one.value, "low": one.low, "high": one.high}
                                                   for words, kinds in found.items() for kind, one in kinds.items()])
    st.caption(f"Measured on {results.evidence.environment.machine}, one conversation after the other: identifiers taken out, every "
               "request, identifiers put back. Tokens as the provider counts them.")
