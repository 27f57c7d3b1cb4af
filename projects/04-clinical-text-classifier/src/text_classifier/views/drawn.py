"""Charts that this page alone draws: a confusion matrix, and lines by epoch or by number of texts."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from carefolio.charts import (
    INK,
    LABELS,
    Chart,
    Rows,
    SeriesStyle,
    legend_above,
    rows_chart,
    series_colour,
    series_dash,
    series_shape,
    styles_for,
)

FEW_LABELS = 9
"""Up to so many labels a cell has room for its number on a phone."""
NAMED_LABELS = 20
"""Up to so many labels their names fit below the chart on a phone; more are numbered."""


def confusion_chart(labels: Sequence[str], counts: Sequence[Sequence[int]]) -> Chart:
    """Draw right labels against answers.

    Parameters
    ----------
    labels : sequence of str, length k
        In the order of rows and columns; many are numbered along the bottom.
    counts : sequence of sequence of int, shape (k, k)
        Texts, by right label and answer; a label without texts has no row.

    Returns
    -------
    altair.LayerChart
        Responsive in width; cells hold the number of texts where there are few labels.
    """
    named = len(labels) <= NAMED_LABELS
    along = list(labels) if named else [str(place + 1) for place in range(len(labels))]
    down = list(labels) if named else [f"{place + 1}  {label}" for place, label in enumerate(labels)]
    rows = [{"down": down[line], "along": along[place], "right": labels[line], "of": sum(own), "answer": labels[place], "texts": count,
             "share": count / sum(own)} for line, own in enumerate(counts) if sum(own) for place, count in enumerate(own)]
    axis: dict[str, Any] = {"labelFontSize": 11, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal", "titleFontSize": 13,
                            "ticks": False, "domain": False}
    base = rows_chart(rows).encode(
        x=alt.X("along:N", sort=along, title="answer", axis=alt.Axis(labelAngle=-90 if named else 0, labelLimit=110, labelOverlap=not named,
                                                                     **axis)),
        y=alt.Y("down:N", sort=None, title=None, axis=alt.Axis(labelLimit=130, labelOverlap=False, **axis)))
    scale = alt.Scale(domain=[0, 1], range=["#F4F6F9", "#0072B2"])
    legend = alt.Legend(title="share of the row", orient="top", format=".0%", gradientLength=160, titleFontWeight="normal", titleLimit=0)
    tiles = base.mark_rect(stroke="#FFFFFF", strokeWidth=1).encode(
        color=alt.Color("share:Q", scale=scale, legend=legend),
        tooltip=[alt.Tooltip("right:N", title="right label"), alt.Tooltip("answer:N"), alt.Tooltip("texts:Q"),
                 alt.Tooltip("of:Q", title="texts of the label"), alt.Tooltip("share:Q", title="share of the row", format=".1%")])
    ink = alt.condition("datum.share > 0.55", alt.value("#FFFFFF"), alt.value(INK))
    numbers = base.transform_filter("datum.texts > 0").mark_text(fontSize=11).encode(text="texts:Q", color=ink)
    shown = len({row["down"] for row in rows})
    marks = [tiles, numbers] if len(labels) <= FEW_LABELS else [tiles]
    return alt.layer(*marks, height=max(22, 34 - len(labels)) * shown + 190)


def lines_chart(rows: Rows, *, x_title: str, y_title: str, styles: Mapping[str, SeriesStyle] | None = None, whole: bool = False,
                number_format: str = ".3f", axis_format: str = ".2f") -> Chart:
    """Draw lines with points.

    Parameters
    ----------
    rows : sequence of mapping
        ``x``, ``y`` and ``series``.
    x_title, y_title : str
        What the axes are, with unit and direction.
    styles : mapping of str to SeriesStyle, optional
        Of the series.
    whole : bool, default False
        Mark each whole number along the horizontal axis, as for epochs.
    number_format, axis_format : str
        d3 formats of the numbers on pointing and along the vertical axis.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    style = styles_for(list(dict.fromkeys(row["series"] for row in rows)), styles)
    legend = legend_above(list(style), lines=True) if len(style) > 1 else None
    places = sorted({row["x"] for row in rows})
    marks: dict[str, Any] = {"values": places[::max(1, len(places) // 8)], "format": "d"} if whole else {"tickCount": 5, "format": ",d"}
    base = rows_chart(rows).encode(
        x=alt.X("x:Q", title=x_title, scale=alt.Scale(zero=False, nice=False, padding=14), axis=alt.Axis(**marks, **LABELS)),
        y=alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=False, padding=12), axis=alt.Axis(tickCount=6, format=axis_format, **LABELS)),
        color=series_colour(style, legend=legend))
    lines = base.mark_line(strokeWidth=2).encode(strokeDash=series_dash(style, legend=legend))
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        shape=series_shape(style, legend=None),
        tooltip=[alt.Tooltip("series:N", title="line"), alt.Tooltip("x:Q", title=x_title, format=",d"),
                 alt.Tooltip("y:Q", title=y_title, format=number_format)])
    return alt.layer(lines, points, height=400).resolve_scale(shape="independent")
