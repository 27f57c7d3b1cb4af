"""The section that holds every system of a task against the others, against the best baseline and against what is published."""

from pathlib import Path

import streamlit as st

from carefolio import charts
from carefolio.evidence import Metric
from carefolio.runs import read_packaged_toml
from carefolio.views import NBSP, bounds, percent, percent_with_interval, with_interval
from text_classifier.config import PROJECT
from text_classifier.figures import PUBLISHED, published_score
from text_classifier.views.results import (
    SCORE_NAMES,
    SHARES,
    Results,
    capital,
    choose_task,
    in_words,
    kind_of,
    lead_of,
    listed,
    read_results,
    verdict,
)

EXPLAINED = {
    "accuracy": "Share of right answers.",
    "macro_f1": "Mean over the labels of the harmonic mean of precision and recall: a rare label counts as much as a frequent one.",
    "log_loss": "Penalty for confident wrong answers; in nats a text. Guessing all labels alike costs the logarithm of their number.",
    "calibration_error": "Mean distance between stated confidence and share right, over groups of equal size. 0 is perfect.",
    "coverage_95": f"Share of texts that are answered if only those above a confidence are, at which 95{NBSP}% were right on validation. "
                   f"The rest goes to a person. 0 means that no confidence reached 95{NBSP}% there.",
}
AXES = {"macro_f1": "macro F1", "coverage_95": "coverage"}
"""Names that fit below a chart on a phone, where they differ."""
LEADS = ("accuracy", "macro_f1")
"""Scores that leads are measured in."""


def show_compare(folder: Path) -> None:
    """Show scores with intervals, leads over the best baseline and the published figure.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("Which system is best, and by how much?")
    results = read_results(folder)
    task = choose_task(results)
    score = str(st.pills("Score", list(SCORE_NAMES), default=PUBLISHED[task][0], required=True, format_func=SCORE_NAMES.__getitem__,
                         key=f"score-{task}", persist_state="session"))
    _scores(results, task, score)
    _leads(results, task, score if score in LEADS else PUBLISHED[task][0])


def _scores(results: Results, task: str, score: str) -> None:
    found = {system: results.metric(f"{task}.test.{system}.{score}") for system in results.part(task)["systems"]}
    better = "higher" if next(iter(found.values())).higher_is_better else "lower"
    shares, published = score in SHARES, _published(task, score)
    title = f"{AXES.get(score, SCORE_NAMES[score].lower())}, {better} is better"
    rows = [{"label": f"{in_words(system)}{' (baseline)' if kind_of(system) == 'baseline' else ''}"} | bounds(one)
            for system, one in found.items()]
    chart = charts.interval_chart(rows, title=title, references=published, number_format=".1%" if shares else ".3f",
                                  axis_format=".0%" if shares else ".2f", row_height=64)
    st.altair_chart(chart, alt=f"{title}, on the test part, with intervals, by system")
    table = [{"System": capital(in_words(system)), "Kind": kind_of(system), SCORE_NAMES[score]: _write(one, shares=shares)}
             for system, one in found.items()]
    table += [{"System": f"Published: {label}", "Kind": "published", SCORE_NAMES[score]: percent(value) if shares else f"{value:.3f}"}
              for label, value in published.items()]
    raw = [{"system": system, "metric": kind} | results.metric(f"{task}.test.{system}.{kind}").model_dump()
           for kind in SCORE_NAMES for system in found]
    listed(table, f"scores-{task}", raw=raw)
    _explain(results, task, score)


def _published(task: str, score: str) -> dict[str, float]:
    """Give the published figure by its label; nothing if it is of another score."""
    own, label, _ = PUBLISHED[task]
    return {label: published_score(task)} if own == score else {}


def _write(one: Metric, *, shares: bool) -> str:
    return percent_with_interval(one.value, one.low, one.high) if shares else with_interval(one)


def _explain(results: Results, task: str, score: str) -> None:
    evidence = results.evidence
    level = evidence.config["evaluation"]["level"]
    said = (f"On the test part. {EXPLAINED[score]} In brackets: {100 * level:.0f}{NBSP}% intervals by the bootstrap; a tuned system is the "
            "mean of its seeds.")
    if _published(task, score):
        reference = read_packaged_toml(PROJECT, "references.toml")[PUBLISHED[task][2]]
        said += (f" Dashed line: the published figure, {reference['value']} ({reference['cohort']}; {reference['source']}). Here there are "
                 f"{len(results.part(task)['labels'])} labels.")
    else:
        said += " Nothing published is at hand for this score."
    st.caption(said)
    if score == "coverage_95":
        kept = {in_words(system): one for system in results.part(task)["systems"]
                if (one := evidence.metrics.get(f"{task}.test.{system}.precision_95")) is not None}
        if kept:
            st.caption("Share right among the texts that were answered, on the test part: "
                       + "; ".join(f"{words} {percent(one.value)}" for words, one in kept.items()) + ".")


def _leads(results: Results, task: str, score: str) -> None:
    baseline = results.part(task)["baseline"]
    st.markdown(f"**Lead over the best baseline, {in_words(baseline)}**")
    tuned = [system for system in results.part(task)["systems"] if kind_of(system) == "tuned"]
    found = {system: lead for system in tuned if (lead := lead_of(results, task, system, score)) is not None}
    if not found:
        st.info("This run compared no tuned system with the best baseline of this task.")
        return
    title = f"difference in {SCORE_NAMES[score].lower().replace('f1', 'F1')}, above 0 is better"
    rows = [{"label": in_words(system)} | bounds(lead) for system, lead in found.items()]
    st.altair_chart(charts.interval_chart(rows, title=title, references={"no difference": 0.0}, number_format="+.3f", axis_format="+.2f"),
                    alt=f"{title}, with intervals, by tuned system; a dashed line marks 0")
    listed([{"System": capital(in_words(system)), "Difference": with_interval(lead), "Verdict": verdict(lead)}
            for system, lead in found.items()], f"leads-{task}-{score}",
           raw=[{"system": system, "baseline": baseline, "metric": score} | lead.model_dump() for system, lead in found.items()])
    st.caption("Both systems are judged on the same replicates, so what makes a text hard for both cancels out. The dashed line marks 0.")
