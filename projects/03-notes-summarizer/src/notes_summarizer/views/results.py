"""What the results sections show: the record of one run and what each part of it drew; a part that is missing says so."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import streamlit as st

from carefolio import views
from carefolio.charts import SeriesStyle
from carefolio.dashboard import metric_card
from carefolio.plots import PALETTE
from carefolio.shown_run import ShownRun, read_shown_run
from notes_summarizer.config import PROJECT

TITLES = {"summaries": "Summaries", "leaflets": "Leaflets"}
"""Parts of a run, in words."""
KEYS = {
    "summaries": ("systems", "parts", "published", "published_error_rates", "definitions", "bertscore", "failures", "floor", "by_header",
                  "meter", "level"),
    "leaflets": ("counts", "refusal", "leaflets"),
}
"""What ``reports/<part>.json`` must hold."""
STYLES = {"the transcript itself": SeriesStyle(PALETTE["grey"], (1, 3), "square"),
          "extractive rules": SeriesStyle(PALETTE["orange"], (8, 3), "triangle-up"),
          "local model": SeriesStyle(PALETTE["blue"], (1, 0), "circle")}
"""By system; the same as on the committed figures."""

Results = ShownRun
"""One run: its record and the folder that holds it."""
listed = partial(views.listed, "notes")
"""Show a table with a button that gives it as CSV."""


def read_results(folder: Path) -> Results:
    """Read a run, again only when its record has changed.

    Parameters
    ----------
    folder : Path
        Holds ``reports``.

    Returns
    -------
    Results
        The record.
    """
    return read_shown_run(folder, command="notes", package=PROJECT, titles=TITLES, keys=KEYS)


def show_cards(results: Results, cards: Sequence[tuple[str, str, str, str]]) -> None:
    """Show numbers with their intervals beside each other.

    Parameters
    ----------
    results : Results
        The run.
    cards : sequence of (str, str, str, str)
        Label, id of the metric, format and explanation of each.
    """
    for column, (label, identifier, number_format, explanation) in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            metric_card(label, results.evidence.metrics.get(identifier), number_format, explanation=explanation)
