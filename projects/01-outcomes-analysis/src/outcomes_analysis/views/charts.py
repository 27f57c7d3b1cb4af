"""Charts of this chapter alone: lines with bands over time, a world map of bubbles, a tile map of states, a fan of forecasts."""

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from carefolio.charts import (
    INK,
    LABELS,
    Chart,
    Rows,
    SeriesStyle,
    Styles,
    legend_above,
    percent_axis,
    rows_chart,
    series_colour,
    series_dash,
    series_shape,
)
from carefolio.plots import PALETTE
from outcomes_analysis.forecast.tiles import TILES

TILE_COLOURS = ("#6BAED6", "#F7F7F7", "#FDAE61")
"""Better than the reference, as good, worse: blue to orange, told apart with any kind of colour vision."""
MAP_LABELS: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 12, "labelColor": INK, "titleColor": INK, "titleFontWeight": "normal"}


def lines_chart(rows: Rows, *, x_title: str, y_title: str, styles: Styles, dates: bool = False, steps: bool = False, shares: bool = False,
                log: bool = False, limits: tuple[float, float] | None = None, reference: float | None = None, points: bool = False,
                height: int = 430) -> Chart:
    """Draw lines with bands.

    Parameters
    ----------
    rows : sequence of mapping
        ``series``, ``x`` (number or ISO date), ``y``, and ``low`` and ``high`` where there is a band; None breaks a line.
    x_title, y_title : str
        Axis titles with units.
    styles : mapping of str to SeriesStyle
        Of the series.
    dates : bool, default False
        The horizontal values are dates.
    steps : bool, default False
        Lines go in steps, as survival curves do.
    shares : bool, default False
        Vertical values are shares from 0 to 1, written in per cent.
    log : bool, default False
        Logarithmic vertical axis; values of 0 and below are left out.
    limits : tuple of float, optional
        Ends of the vertical axis; what lies beyond is cut off.
    reference : float, optional
        A horizontal line.
    points : bool, default False
        Mark each value.
    height : int, default 430
        In pixels.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    kept = [dict(row) for row in rows if not log or (row["y"] is not None and row["y"] > 0)]
    banded = [row for row in kept if row.get("low") is not None and row.get("high") is not None and (not log or row["low"] > 0)]
    x = alt.X("x:T" if dates else "x:Q", title=x_title, scale=alt.Scale(nice=False),
              axis=_time_axis() if dates else alt.Axis(tickCount=6, tickMinStep=1, format="~g", **LABELS))
    ends = (0, 1) if shares else limits
    scale = alt.Scale(type="log") if log else alt.Scale(domain=list(ends), nice=False) if ends else alt.Scale(zero=reference is None)
    y = alt.Y("y:Q", title=y_title, scale=scale, axis=percent_axis() if shares else alt.Axis(tickCount=6, **LABELS))
    legend = legend_above(list(styles), lines=True) if len(styles) > 1 else None
    interpolate: Any = "step-after" if steps else "linear"
    tooltip = [alt.Tooltip("series:N", title="series"), alt.Tooltip("x:T" if dates else "x:Q", title=x_title),
               *[alt.Tooltip(f"{name}:Q", title=title, format=".1%" if shares else ",.3~g") for name, title in
                 (("y", "value"), ("low", "low"), ("high", "high"))]]
    band = rows_chart(banded).mark_area(opacity=0.16, interpolate=interpolate, clip=True).encode(
        x=x, y=alt.Y("low:Q", scale=scale, title=y_title), y2="high:Q", color=series_colour(styles, legend=None), detail="series:N")
    lines = rows_chart(kept).mark_line(strokeWidth=2, interpolate=interpolate, clip=True).encode(
        x=x, y=y, color=series_colour(styles, legend=legend), strokeDash=series_dash(styles, legend=legend))
    near = rows_chart(kept).mark_point(opacity=1 if points else 0, filled=True, size=55, clip=True).encode(
        x=x, y=y, color=series_colour(styles, legend=None), shape=series_shape(styles, legend=None), tooltip=tooltip)
    rule = rows_chart([{"y": reference}]).mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 3], strokeWidth=1.5).encode(y="y:Q")
    layers = [*([band] if banded else []), lines, near, *([rule] if reference is not None else [])]
    # A legend of its own for the lines, or those of the points would be laid over it.
    return alt.layer(*layers, height=height).resolve_scale(color="independent", shape="independent", strokeDash="independent")


def _time_axis() -> alt.Axis:
    return alt.Axis(labelExpr="timeFormat(datum.value, month(datum.value) == 0 ? '%Y' : '%b')", tickCount=6, **LABELS, labelOverlap=True)


def world_chart(rows: Rows, *, colour_title: str, size_title: str, number_format: str = ",.3~g") -> Chart:
    """Draw countries as bubbles on an equal-earth projection; no coastline is drawn.

    Parameters
    ----------
    rows : sequence of mapping
        ``country``, ``latitude``, ``longitude`` (degrees), ``value`` (colour) and ``size``.
    colour_title, size_title : str
        What the colour and the area of a bubble mean, with units.
    number_format : str
        d3 format of the value.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    sphere = alt.Chart(alt.sphere()).mark_geoshape(fill="#F3F7FB", stroke="#9CA3AF")
    lines = alt.Chart(alt.graticule(step=[30, 30])).mark_geoshape(filled=False, stroke="#D1D5DB", strokeWidth=0.6)
    colour = alt.Color("value:Q", scale=alt.Scale(scheme="cividis", reverse=True),
                       legend=alt.Legend(title=colour_title, orient="bottom", gradientLength=220, titleLimit=0, format="~s", **MAP_LABELS))
    size = alt.Size("size:Q", scale=alt.Scale(type="sqrt", range=[12, 900]), legend=None)
    tooltip = [alt.Tooltip("country:N"), alt.Tooltip("value:Q", title=colour_title, format=number_format),
               alt.Tooltip("size:Q", title=size_title, format=",")]
    dots = rows_chart(rows).mark_circle(opacity=0.85, stroke=INK, strokeWidth=0.5).encode(
        longitude="longitude:Q", latitude="latitude:Q", color=colour, size=size, tooltip=tooltip,
        order=alt.Order("size:Q", sort="descending"))
    return alt.layer(sphere, lines, dots, height=400).project(type="equalEarth")


def tile_chart(rows: Rows, *, title: str, spread: float) -> Chart:
    """Draw states as tiles coloured around 1, with the number in each.

    Parameters
    ----------
    rows : sequence of mapping
        ``abbreviation``, ``name``, ``value``, ``low``, ``high``; a state that is on no tile is left out.
    title : str
        What is shown.
    spread : float
        Distance from 1 at which the colour is full.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    data = [dict(row) | dict(zip(("row", "column"), TILES[row["abbreviation"]], strict=True))
            for row in rows if row["abbreviation"] in TILES]
    hidden: Any = {"axis": None}
    base = rows_chart(data).encode(x=alt.X("column:O", **hidden), y=alt.Y("row:O", **hidden))
    scale = alt.Scale(domain=[1 - spread, 1, 1 + spread], range=list(TILE_COLOURS), clamp=True)
    legend = alt.Legend(title=title, orient="bottom", gradientLength=220, format=".2f", titleLimit=0, values=[1 - spread, 1, 1 + spread],
                        **MAP_LABELS)
    colour = alt.Color("value:Q", scale=scale, legend=legend)
    tooltip = [alt.Tooltip("name:N", title="state"), *[alt.Tooltip(f"{name}:Q", format=".3f") for name in ("value", "low", "high")]]
    tiles = base.mark_rect(stroke="#FFFFFF", strokeWidth=2, cornerRadius=3).encode(color=colour, tooltip=tooltip)
    names = base.mark_text(dy=-8, fontSize=11, fontWeight="bold", color="#111111").encode(text="abbreviation:N")
    numbers = base.mark_text(dy=8, fontSize=10, color="#111111").encode(text=alt.Text("value:Q", format=".2f"))
    return alt.layer(tiles, names, numbers, height=400)


def fan_chart(truth: Rows, fan: Rows, *, reference_date: str, y_title: str) -> Chart:
    """Draw what was counted and what had been forecast.

    Parameters
    ----------
    truth : sequence of mapping
        ``x`` (ISO date), ``y`` and ``later`` (counted after the forecast was made).
    fan : sequence of mapping
        ``x``, ``median`` and the bounds ``low_95``, ``low_50``, ``high_50``, ``high_95``.
    reference_date : str
        The Saturday of the forecast, as ISO text.
    y_title : str
        Axis title with units.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    blue = PALETTE["blue"]
    x = alt.X("x:T", title="week ending", scale=alt.Scale(nice=False),
              axis=alt.Axis(format="%d %b %y", tickCount=5, labelOverlap=True, **LABELS))
    y = alt.Y("y:Q", title=y_title, scale=alt.Scale(zero=True), axis=alt.Axis(tickCount=6, format="~s", **LABELS))
    tooltip = [alt.Tooltip("x:T", title="week ending"), *[alt.Tooltip(f"{name}:Q", format=",.0f") for name in
                                                          ("median", "low_50", "high_50", "low_95", "high_95")]]
    wide, narrow = (rows_chart(fan).mark_area(color=blue, opacity=opacity).encode(
        x=x, y=alt.Y(f"low_{part}:Q", title=y_title), y2=f"high_{part}:Q") for part, opacity in (("95", 0.16), ("50", 0.28)))
    middle = rows_chart(fan).mark_line(color=blue, strokeDash=[6, 3], strokeWidth=2).encode(x=x, y=alt.Y("median:Q", title=y_title))
    dots = rows_chart(fan).mark_point(color=blue, filled=True, size=60, opacity=1, shape="square").encode(
        x=x, y=alt.Y("median:Q", title=y_title), tooltip=tooltip)
    known = rows_chart(truth).mark_line(color=INK, strokeWidth=1.5).encode(x=x, y=y)
    counted = rows_chart(truth).mark_point(color=INK, size=45, opacity=1, strokeWidth=1.5).encode(
        x=x, y=y, fill=alt.condition("datum.later", alt.value("#FFFFFF"), alt.value(INK)),
        tooltip=[alt.Tooltip("x:T", title="week ending"), alt.Tooltip("y:Q", title="admissions", format=",.0f")])
    rule = rows_chart([{"x": reference_date}]).mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 3], strokeWidth=1.5).encode(x="x:T")
    return alt.layer(wide, narrow, known, middle, dots, counted, rule, height=420)


def daily_chart(days: Sequence[str], counts: Sequence[float], *, y_title: str, marked: str) -> Chart:
    """Draw daily counts as bars, with one day marked.

    Parameters
    ----------
    days : sequence of str
        ISO dates.
    counts : sequence of float
        New counts as published; below 0 where an authority took some back.
    y_title : str
        Axis title with units.
    marked : str
        The day of interest.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    rows: list[Mapping[str, Any]] = [{"x": day, "y": count, "marked": day == marked} for day, count in zip(days, counts, strict=True)]
    x = alt.X("x:T", title="day", axis=alt.Axis(format="%d %b %y", tickCount=5, labelOverlap=True, **LABELS))
    y = alt.Y("y:Q", title=y_title, axis=alt.Axis(tickCount=5, format="~s", **LABELS))
    colour = alt.condition("datum.marked", alt.value(PALETTE["vermilion"]), alt.value(PALETTE["blue"]))
    tooltip = [alt.Tooltip("x:T", title="day"), alt.Tooltip("y:Q", format=",")]
    bars = rows_chart(rows).mark_bar(width=3).encode(x=x, y=y, color=colour, tooltip=tooltip)
    named = rows_chart([row for row in rows if row["marked"]]).mark_text(dy=-8, fontSize=11, color=PALETTE["vermilion"]).encode(
        x=x, y=y, text=alt.Text("x:T", format="%d %b %Y"))
    return alt.layer(bars, named, height=300)


def style_of(names: Sequence[str], styles: Sequence[SeriesStyle]) -> dict[str, SeriesStyle]:
    """Give each name a style by its place.

    Parameters
    ----------
    names : sequence of str
        All names of a kind, so that a choice among them changes no colour.
    styles : sequence of SeriesStyle
        Styles, used again from the first where there are fewer.

    Returns
    -------
    dict of str to SeriesStyle
        By name.
    """
    return {name: styles[i % len(styles)] for i, name in enumerate(names)}
