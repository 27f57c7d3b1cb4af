"""The section on wrong answers: which labels are taken for which, how many are wrong if the unsure ones are left, stated against kept."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.charts import SeriesStyle
from carefolio.plots import PALETTE
from carefolio.runs import read_packaged_toml
from carefolio.shown_run import choose_view
from carefolio.views import NBSP, percent
from text_classifier.config import PROJECT
from text_classifier.errors_read import FILE, UNREAD
from text_classifier.views.drawn import FEW_LABELS, NAMED_LABELS, confusion_chart
from text_classifier.views.results import (
    BASELINE_STYLE,
    TUNED_STYLE,
    Results,
    capital,
    choose_task,
    in_words,
    label_in_words,
    listed,
    read_results,
)

LIMIT = f"5{NBSP}% wrong"
MOST_MIXED = 12
"""Confusions that are listed."""


def show_errors(folder: Path) -> None:
    """Show one view of the wrong answers.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("Where is it wrong, and does it know?")
    choose_view(VIEWS, read_results(folder), key="errors")


def show_confusion(results: Results) -> None:
    """Show right labels against answers of the best tuned system.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    curves = results.part(task)
    labels, counts = curves["labels"], curves["confusion"][curves["best"]]
    st.markdown(f"**{capital(in_words(curves['best']))}: right labels down the side, answers along the bottom**")
    st.altair_chart(confusion_chart(labels, counts), alt="Confusion matrix: right labels by row, answers by column")
    numbers = ("Cells hold numbers of texts." if len(labels) <= FEW_LABELS else
               "Point at a cell for its number of texts; the table below lists the most frequent mistakes.")
    if len(labels) > NAMED_LABELS:
        numbers += " Labels along the bottom go by the numbers that they have down the side."
    st.caption(f"First seed, test part. {numbers} Right answers lie on the diagonal.")
    mixed = most_mixed(labels, counts)
    if not mixed:
        st.success("Every answer on the test part is right.")
        return
    st.markdown("**Most frequent mistakes**")
    listed([{"Right label": label_in_words(row["right"]), "Answer": label_in_words(row["answer"]),
             "Texts": f"{row['texts']}{NBSP}of{NBSP}{row['of']}"} for row in mixed[:MOST_MIXED]], f"confusion-{task}", raw=mixed)


def most_mixed(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> list[dict[str, Any]]:
    """List the mistakes of a confusion matrix.

    Parameters
    ----------
    labels : sequence of str, length k
        In the order of rows and columns.
    counts : sequence of sequence of int, shape (k, k)
        Texts, by right label and answer.

    Returns
    -------
    list of dict
        ``right``, ``answer``, ``texts`` and ``of``, the texts of the right label; most texts first.
    """
    rows = [{"right": labels[i], "answer": labels[j], "texts": count, "of": sum(own)}
            for i, own in enumerate(counts) for j, count in enumerate(own) if i != j and count]
    return sorted(rows, key=lambda row: (-row["texts"], row["right"], row["answer"]))


def show_risk(results: Results) -> None:
    """Show how many answers are wrong if only the most confident are given.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    curves, metrics = results.part(task), results.evidence.metrics
    lines: dict[str, tuple[Sequence[float], Sequence[float]]] = {
        in_words(name): (points["coverage"], points["risk"]) for name, points in curves["risk_coverage"].items()}
    top = max(max(risk) for _, risk in lines.values())
    styles = _styles(curves) | {LIMIT: SeriesStyle(PALETTE["vermilion"], (1, 3))}
    chart = charts.curves_chart(lines | {LIMIT: ([0.0, 1.0], [0.05, 0.05])}, x_title="texts answered, most confident first",
                                y_title="wrong among them", styles=styles, y_limit=min(1.0, max(0.1, 1.1 * top)))
    st.altair_chart(chart, alt="Share wrong among the answers by share of texts that are answered")
    st.caption(f"First seed, test part. A line below the dotted one keeps at least 95{NBSP}% of its answers right; at the right end "
               "every text is answered.")
    table, raw = [], []
    for name in curves["systems"]:
        coverage, precision = (metrics.get(f"{task}.test.{name}.{kind}_95") for kind in ("coverage", "precision"))
        if coverage is None:
            continue
        seeds = [percent(value) if value is not None else "none" for value in curves["thresholds"][name]]
        table.append({"System": capital(in_words(name)), "Answers from confidence": ", ".join(dict.fromkeys(seeds)),
                      "Answered": percent(coverage.value), "Right among them": "–" if precision is None else percent(precision.value)})
        raw.append({"system": name, "thresholds": " ".join(map(str, curves["thresholds"][name])), "coverage": coverage.value,
                    "precision": None if precision is None else precision.value})
    st.markdown(f"**Promised 95{NBSP}% on validation; what became of it on the test part**")
    listed(table, f"risk-{task}", raw=raw)
    st.caption("One confidence a seed, set on validation. “none”: no confidence kept the promise there, so every text goes to a person.")


def show_reliability(results: Results) -> None:
    """Show the share right against the stated confidence.

    Parameters
    ----------
    results : Results
        The run.
    """
    task = choose_task(results)
    curves = results.part(task)
    points = {in_words(name): groups for name, groups in curves["reliability"].items()}
    st.altair_chart(charts.calibration_chart(points, x_title="stated confidence", y_title="share right", count_title="texts",
                                             styles=_styles(curves)), alt="Share right by stated confidence, with intervals")
    st.caption("First seed, test part: texts in groups of equal size by stated confidence, with 95 % intervals. On the dashed diagonal a "
               "stated 80 % is right in 80 of 100 texts; below it the system is too sure of itself. Temperatures are set on validation.")
    rows = [{"system": name, "texts": int(count), "stated": stated, "right": right, "low": low, "high": high}
            for name, one in curves["reliability"].items()
            for count, stated, right, low, high in zip(one["count"], one["mean_predicted"], one["observed"], one["low"], one["high"],
                                                       strict=True)]
    with st.expander("In numbers"):
        listed([{"System": capital(in_words(row["system"])), "Texts": f"{row['texts']:,}", "Stated": percent(row["stated"]),
                 "Right": f"{percent(row['right'])} ({100 * row['low']:.0f} to {100 * row['high']:.0f})"} for row in rows],
               f"reliability-{task}", raw=rows)


def show_read(results: Results) -> None:
    """Show the groups of the wrong answers that a person has read.

    Parameters
    ----------
    results : Results
        The run.
    """
    groups = {name: table["said"] for name, table in read_packaged_toml(PROJECT, FILE).items() if isinstance(table, dict)}
    groups[UNREAD] = "not read"
    found = {key.split(".")[-1]: one for key, one in results.evidence.metrics.items() if ".errors_read." in key}
    if not found:
        st.info("Nobody has read the wrong answers of this run: it is not the run whose errors were grouped.")
        return
    rows = [{"label": groups[name], "value": found[name].value, "warned": name == "plain"} for name in groups if name in found]
    st.altair_chart(charts.bars_chart(rows, title="share of the wrong answers", number_format=".0%", ticks=[0, 0.1, 0.2, 0.3, 0.4]),
                    alt="Share of the wrong answers by group")
    listed([{"Group": capital(row["label"]), "Share": percent(row["value"], digits=0)} for row in rows], "errors-read", raw=rows)
    st.caption(f"All {found['wrong'].value:.0f} wrong answers of MiniLM (all weights, seed 0) about the section of the note, on the test "
               "part, read by one person after training. A judgement, not a measurement.")


def _styles(curves: Mapping[str, Any]) -> dict[str, SeriesStyle]:
    return {in_words(curves["baseline"]): BASELINE_STYLE, in_words(curves["best"]): TUNED_STYLE}


VIEWS = {"Confusion": show_confusion, "Risk and coverage": show_risk, "Reliability": show_reliability, "Read by hand": show_read}
