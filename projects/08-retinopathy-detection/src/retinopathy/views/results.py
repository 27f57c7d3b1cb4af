"""What the results sections show: the record of one run, its scores, and what each threshold would give."""

from pathlib import Path

import numpy as np
import streamlit as st

from carefolio import charts
from carefolio.dashboard import metric_card
from carefolio.shown_run import ShownRun, read_shown_run
from carefolio.views import NBSP, offer, percent, show_table, to_csv
from retinopathy.config import PROJECT

TITLES = {"idrid": "the photographs (IDRiD)"}
KEYS = {"idrid": ("confusion", "roc", "operating_point", "abstention", "calibration", "sizes", "promise", "bounds")}
PARTS = {"test.grader": "test part", "altered.grader": "test part, as other cameras would have taken it",
         "out_of_fold.grader": "train part, out of fold", "test.frozen": "test part, heads on the frozen network",
         "test.int8": "test part, in int8"}
"""What is judged on what, in words."""
CARDS = {"quadratic_weighted_kappa": ("Agreement of grades", ".3f", "Quadratic weighted kappa: being two grades off costs four times one."),
         "roc_auc": ("Area, referral", ".3f", "Probability that a referable eye is ranked above one that is not."),
         "sensitivity": ("Sensitivity", ".1%", "Share of referable eyes that are referred, at the threshold chosen out of fold."),
         "specificity": ("Specificity", ".1%", "Share of other eyes that are not."),
         "set_coverage": ("Promise kept", ".1%", "Share of sets of grades that hold the right one."),
         "answered_alone": ("Answered alone", ".1%", "Share of photographs whose set holds one grade.")}
NO_EVIDENCE = "Not clinical evidence: one data set, one camera, few photographs."


def read_results(folder: Path) -> ShownRun:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    ShownRun
        The record.
    """
    return read_shown_run(folder, command="retinopathy", package=PROJECT, titles=TITLES, keys=KEYS)


def show_overview(folder: Path) -> None:
    """Show the leading scores with their intervals, and every score by what it was judged on.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("How good is the grader?")
    results = read_results(folder)
    for names in (list(CARDS)[:3], list(CARDS)[3:]):
        for column, name in zip(st.columns(3), names, strict=True):
            label, form, explained = CARDS[name]
            with column:
                metric_card(label, results.evidence.metrics.get(f"idrid.test.grader.{name}"), form, explanation=explained)
    st.caption(f"On the test part. {NO_EVIDENCE}")
    score = str(st.pills("Score", list(CARDS), default="quadratic_weighted_kappa", required=True, format_func=lambda name: CARDS[name][0],
                         key="score", persist_state="session"))
    found = {words: results.evidence.metrics.get(f"idrid.{part}.{score}") for part, words in PARTS.items()}
    rows = [{"label": words, "value": one.value, "low": one.low, "high": one.high} for words, one in found.items() if one is not None]
    st.altair_chart(charts.interval_chart(rows, title=f"{CARDS[score][0].lower()}, with 95{NBSP}% intervals", row_height=64),
                    alt=f"{CARDS[score][0]} on the test part, on altered photographs, out of fold, of the frozen and of the int8 network")
    offer("Scores as CSV", to_csv([{"metric": name} | one.model_dump() for name, one in results.evidence.metrics.items()]),
          "retinopathy-metrics.csv", "text/csv")


def show_threshold(folder: Path) -> None:
    """Let the reader move the threshold for referral and see what it gives on the test part.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("From which probability should a patient be referred?")
    results = read_results(folder)
    curves = results.part("idrid")
    point, roc = curves["operating_point"], curves["roc"]
    start = float(np.clip(round(point["threshold"], 2), 0.01, 0.99))
    chosen = st.slider("Threshold of the probability of grade 2 and more", 0.01, 0.99, start, 0.01, key="threshold",
                       persist_state="session")
    at = int(np.searchsorted(-np.array(roc["threshold"]), -chosen, side="right") - 1)
    sensitivity, specificity = roc["true_positive_rate"][at], 1 - roc["false_positive_rate"][at]
    least_sensitivity, least_specificity = curves["bounds"]
    for column, (label, value, least) in zip(st.columns(2), (("Sensitivity", sensitivity, least_sensitivity),
                                                             ("Specificity", specificity, least_specificity)), strict=True):
        with column:
            st.metric(label, percent(value), delta=f"{100 * (value - least):+.1f} points to the bound {percent(least)}", border=True)
    st.altair_chart(charts.curves_chart({"grader": (roc["false_positive_rate"], roc["true_positive_rate"])}, x_title="1 - specificity",
                                        y_title="sensitivity", diagonal=True), alt="Sensitivity against one minus specificity")
    st.caption(f"The threshold that was chosen out of fold is {point['threshold']:.2f}; moving it here, on the test part, is a look and no "
               f"choice. The bounds are those set before the trial of IDx-DR. {NO_EVIDENCE}")


def show_failures(folder: Path) -> None:
    """Show the photographs of the test part whose grade was wrong, the worst first.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("Where was it wrong?")
    path = folder / "tables" / "idrid_errors.parquet"
    if not path.is_file():
        st.info("Photographs are not part of the repository. Make the gallery with `retinopathy run`, then open this page with "
                "`retinopathy dashboard --out outputs/retinopathy/full`.")
        return
    import polars as pl

    off = (pl.col("decided") - pl.col("dr_grade")).abs()
    table = pl.read_parquet(path).with_columns(off=off).sort("off", "name", descending=[True, False])
    st.caption(f"{table.height} photographs, the farthest off first.")
    for rows in table.head(12).iter_slices(3):
        for column, row in zip(st.columns(3), rows.iter_rows(named=True), strict=False):
            with column:
                st.image(row["image"], caption=f"{row['name']}: right {row['dr_grade']}, decided {row['decided']} "
                                               f"(referable {row['referable']:.0%})")
    show_table([{"Photograph": row["name"], "Right": str(row["dr_grade"]), "Decided": str(row["decided"]),
                 "Referable": percent(row["referable"])} for row in table.iter_rows(named=True)])
