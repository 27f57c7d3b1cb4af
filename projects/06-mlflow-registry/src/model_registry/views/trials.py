"""The trials of a search as a chart: each trial's value in their order, and the best so far as a line."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import altair as alt

from carefolio import charts

SERIES = ("trial", "best so far")
FEW = 8
"""Trials of which each gets its number on the axis, on a phone too."""


def trials_chart(board: Sequence[Mapping[str, Any]], *, title: str) -> charts.Chart:
    """Draw the trials.

    Parameters
    ----------
    board : sequence of mapping
        ``trial`` and ``value`` of each, in any order.
    title : str
        What is measured.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    ordered = sorted(board, key=lambda row: row["trial"])
    rows = [{"trial": row["trial"], "value": row["value"], "best": best, "series": SERIES[0]}
            for row, best in zip(ordered, accumulate((row["value"] for row in ordered), max), strict=True)]
    styles = charts.styles_for(SERIES)
    legend = charts.legend_above(SERIES)
    ticks = sorted({1, *range(4, len(rows) + 1, 4)}) if len(rows) > FEW else list(range(1, len(rows) + 1))
    x = alt.X("trial:Q", title="trial", scale=alt.Scale(domain=[0.5, len(rows) + 0.5], nice=False),
              axis=alt.Axis(values=ticks, format="d", grid=False, **charts.LABELS))
    scale = alt.Scale(zero=False, padding=12)
    line = charts.rows_chart([row | {"series": SERIES[1]} for row in rows]).mark_line(interpolate="step-after", strokeWidth=2).encode(
        x=x, y=alt.Y("best:Q", title=title, scale=scale, axis=alt.Axis(format=".3f", tickCount=6, **charts.LABELS)),
        color=charts.series_colour(styles, legend=legend))
    points = charts.rows_chart(rows).mark_point(filled=True, size=70, opacity=1).encode(
        x=x, y=alt.Y("value:Q", scale=scale), color=charts.series_colour(styles, legend=legend),
        tooltip=[alt.Tooltip("trial:Q"), alt.Tooltip("value:Q", format=".4f")])
    return alt.layer(line, points, height=320)


def shortened(value: Any) -> Any:
    """Cut a number to what can be told apart on a page.

    Parameters
    ----------
    value : Any
        A parameter or a value.

    Returns
    -------
    Any
        Floats with four digits that count; all else as it is.
    """
    return float(f"{value:.4g}") if isinstance(value, float) else value
