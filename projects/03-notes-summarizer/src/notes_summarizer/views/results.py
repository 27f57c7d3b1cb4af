"""What the results sections show: the record of one run and what each part of it drew; a part that is missing says so."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.charts import SeriesStyle
from carefolio.dashboard import metric_card
from carefolio.evidence import Metric
from carefolio.plots import PALETTE
from carefolio.shown_run import ShownRun, read_shown_run
from carefolio.views import offer, show_table, to_csv
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


def bounds(metric: Metric) -> dict[str, float]:
    """Give value and interval as a chart takes them.

    Parameters
    ----------
    metric : Metric
        Of the evidence.

    Returns
    -------
    dict of str to float
        ``value``, ``low`` and ``high``; the bounds are the value where there is no interval.
    """
    return {"value": metric.value, "low": metric.value if metric.low is None else metric.low,
            "high": metric.value if metric.high is None else metric.high}


def listed(rows: Sequence[Mapping[str, Any]], name: str, *, raw: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Show a table with a button that gives it as CSV.

    Parameters
    ----------
    rows : sequence of mapping
        As they are to be read.
    name : str
        Name of the file without its ending, unique on the page.
    raw : sequence of mapping, optional
        Plain numbers for the file; default the rows as shown.
    """
    show_table(rows)
    offer("Table (CSV)", to_csv(raw if raw is not None else rows), f"notes-{name}.csv", "text/csv")


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
