"""How well passages are found, questions refused and leaflets written."""

from typing import Any

import altair as alt
import streamlit as st

from carefolio import charts
from carefolio.evidence import Metric
from carefolio.views import bounds, percent_with_interval, with_interval
from notes_summarizer.views.results import Results, listed

METHODS = {"hybrid": "both together", "dense": "by meaning", "bm25": "by words"}
WORDINGS = {("test", ""): "as published", ("test_lower_case", ""): "in lower case", ("test_typos", ""): "with slips of the keyboard",
            ("test_patient", ""): "as a patient asks", ("test", "_without_title"): "titles not searched"}
"""Part of a metric's id and end of its model, in words."""
SCORES = {"recall_at_1": "Recall at 1", "recall_at_5": "Recall at 5", "recall_at_10": "Recall at 10", "success_at_1": "First one right",
          "success_at_5": "One right in 5", "mrr": "Reciprocal rank", "ndcg_at_10": "nDCG at 10"}
REFUSALS = {"medquad.test.refusal.recall_left_out": "Refused, of questions whose topic was taken out of the index",
            "medquad.test_patient.refusal.recall_left_out": "The same, as a patient asks",
            "written.test.refusal.recall_elsewhere": "Refused, of questions of daily life",
            "medquad.test.refusal.false_refusals": "Refused by mistake, of questions with an answer",
            "medquad.test_patient.refusal.false_refusals": "The same, as a patient asks",
            "medquad.test.refusal.false_alarms": "Taken for an emergency or a personal case by mistake",
            "written.seen.refusal.recall_emergency": "Emergencies sent to help (rules were written with these in sight)",
            "written.seen.refusal.recall_personal": "Personal questions sent to a clinician (the same)"}
LEAFLETS = {"reading_grade": ("Reading grade of the leaflet", 1), "source_grade": ("Reading grade of the pages' sentences", 1),
            "within_grade": ("Share at grade 6 or below", 3), "refused": ("Share refused", 3),
            "refused_no_sentences": ("Share refused because the pages have only a list of medical terms", 3),
            "refused_too_hard": ("Share refused because the pages are too hard", 3), "words": ("Words", 0), "sentences": ("Sentences", 1),
            "cited_passages": ("Passages cited", 1), "share_reworded": ("Share of sentences in plainer words", 3),
            "share_put_back": ("Share of rewordings that a check put back", 3)}


def show_retrieval(results: Results) -> None:
    """Show recall by method and wording.

    Parameters
    ----------
    results : Results
        The run.
    """
    counts, metrics = results.part("leaflets")["counts"], results.evidence.metrics
    rows = [{"label": words, "series": title} | bounds(metrics[f"medquad.{part}.{method}{end}.recall_at_5"])
            for (part, end), words in WORDINGS.items() for method, title in METHODS.items()
            if f"medquad.{part}.{method}{end}.recall_at_5" in metrics]
    st.altair_chart(charts.interval_chart(rows, title="recall at 5, higher is better", row_height=38),
                    alt="Recall at 5 by method and wording")
    shown = {title: {score: metrics[f"medquad.test.{method}.{score}"] for score in SCORES} for method, title in METHODS.items()}
    table = [{"Score": words} | {title: with_interval(scores[score]) for title, scores in shown.items()}
             for score, words in SCORES.items()]
    listed(table, "retrieval", raw=_raw(shown))
    st.caption(f"{counts['test']:,} of MedQuAD's own questions, about topics kept for the test, and {counts['passages']:,} passages. Right "
               "is every passage of every answer to that exact question. Intervals resample topics. Questions and answers come from the "
               "same pages, which flatters every method.")


def _raw(shown: dict[str, dict[str, Metric]]) -> list[dict[str, Any]]:
    return [{"method": title, "metric": score, "value": metric.value, "low": metric.low, "high": metric.high, "n": metric.n}
            for title, scores in shown.items() for score, metric in scores.items()]


def show_refusals(results: Results) -> None:
    """Show how often a question is refused, rightly or not.

    Parameters
    ----------
    results : Results
        The run.
    """
    grid = results.part("leaflets")["refusal"]
    found = {title: results.evidence.metrics[name] for name, title in REFUSALS.items() if name in results.evidence.metrics}
    listed([{"What": title, "Share": percent_with_interval(one.value, one.low, one.high), "n": f"{one.n:,}"}
            for title, one in found.items()], "refusals")
    st.caption("A topic may stand in MedQuAD under a second name, so some answers that count as wrong here are right.")
    st.markdown("**Where the threshold comes from**")
    curves = {"refused, topic taken out": (grid["threshold"], grid["recall_left_out"]),
              "refused by mistake": (grid["threshold"], grid["false_refusals"])}
    st.altair_chart(charts.curves_chart(curves, x_title="least relevance of the best passage", y_title="share refused"),
                    alt="Share refused by threshold")
    st.caption(f"On the development half: the highest threshold that refuses no more than 5 % by mistake is {grid['chosen']:.2f}; "
               f"{grid['used']:.2f} is used.")


def show_leaflets(results: Results) -> None:
    """Show what was measured on whole leaflets.

    Parameters
    ----------
    results : Results
        The run.
    """
    grades, metrics = results.part("leaflets")["leaflets"], results.evidence.metrics
    st.markdown("**Reading grade, before and after**")
    st.altair_chart(_grades_chart(grades), alt="Reading grades of pages and leaflets")
    st.caption("Flesch-Kincaid grade of the sentences that were to choose from, and of the leaflet.")
    found = [(*words, metrics[f"medquad.test.leaflet.{name}"]) for name, words in LEAFLETS.items()
             if f"medquad.test.leaflet.{name}" in metrics]
    listed([{"Leaflets": label, "Mean": with_interval(one, digits=digits), "n": f"{one.n:,}"} for label, digits, one in found], "leaflets")


def _grades_chart(grades: dict[str, Any]) -> charts.Chart:
    names = {"grades_before": "pages", "grades_after": "leaflets"}
    last = max(place for name in names for place, count in enumerate(grades[name]) if count or not place)
    rows = [{"grade": f"{grades['grade_edges'][place]:.0f}", "series": title, "questions": grades[name][place]}
            for name, title in names.items() for place in range(last + 1) if grades["grade_edges"][place] >= 0]
    styles = charts.styles_for(list(names.values()))
    bars = charts.rows_chart(rows).mark_bar().encode(
        x=alt.X("grade:O", sort=None, title="reading grade", axis=alt.Axis(labelAngle=0, labelOverlap=True, **charts.LABELS)),
        y=alt.Y("questions:Q", title="questions", axis=alt.Axis(tickMinStep=1, **charts.LABELS)),
        xOffset=alt.XOffset("series:N", sort=None), color=charts.series_colour(styles, legend=charts.legend_above(list(styles))))
    return alt.layer(bars, height=320)
