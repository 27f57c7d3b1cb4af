"""Charts that fit a phone as well as a desk: rows in, Altair chart out. The committed PNG figures are drawn by `carefolio.plots`."""

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt

from carefolio.plots import PALETTE, SERIES

Rows = Sequence[Mapping[str, Any]]
Chart = alt.LayerChart | alt.FacetChart
WRAPPED = "split(datum.label, '\\n')"
INK = "#31333F"
TWO_NAMES = 38
"""Letters of two names of a legend that fit beside each other on a phone."""
LABELS: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK}


@dataclass(frozen=True)
class SeriesStyle:
    """How a series is told apart without its colour too: hexadecimal colour, dash pattern in pixels, shape of a point."""

    colour: str
    dash: tuple[int, ...] = (1, 0)
    shape: str = "circle"


Styles = Mapping[str, SeriesStyle]
REFERENCES: Styles = {"treat all": SeriesStyle(PALETTE["grey"], (1, 3)), "treat none": SeriesStyle(PALETTE["grey"], (1, 0))}
COLOURS = (*(PALETTE[name] for name in SERIES), "#000000", PALETTE["grey"])
DASHES = ((1, 0), (8, 3), (3, 2), (10, 3, 2, 3), (5, 5), (2, 4), (14, 3), (6, 2, 1, 2))
SHAPES = ("circle", "square", "triangle-up", "diamond", "triangle-down", "cross", "triangle-right", "triangle-left")
PLAIN = tuple(SeriesStyle(colour, dash, shape) for colour, dash, shape in zip(COLOURS, DASHES, SHAPES, strict=True))
"""Eight series that can be told apart with any kind of colour vision, and by dashes and shapes without colour."""


def styles_for(names: Sequence[str], fixed: Styles | None = None) -> dict[str, SeriesStyle]:
    """Give each series a style: its fixed one, or the next that is free.

    Parameters
    ----------
    names : sequence of str
        Series in order.
    fixed : mapping of str to SeriesStyle, optional
        Styles that stay the same on every chart of a page.

    Returns
    -------
    dict of str to SeriesStyle
        By name; colours come back after eight series.
    """
    known = {**REFERENCES, **(fixed or {})}
    taken = {known[name].colour for name in names if name in known}
    free = [style for style in PLAIN if style.colour not in taken] or list(PLAIN)
    rest = [name for name in names if name not in known]
    given = {name: free[i % len(free)] for i, name in enumerate(rest)}
    return {name: known[name] if name in known else given[name] for name in names}


def rows_chart(rows: Rows) -> alt.Chart:
    """Start a chart that carries its own data.

    Parameters
    ----------
    rows : sequence of mapping
        Plain values, dates as ISO text.

    Returns
    -------
    altair.Chart
        Without a mark.
    """
    data: Any = alt.Data
    return alt.Chart(data(values=list(rows)))


def series_colour(styles: Styles, *, legend: alt.Legend | None = None) -> alt.Color:
    """Encode the field ``series`` by colour.

    Parameters
    ----------
    styles : mapping of str to SeriesStyle
        By series, in the order of the legend.
    legend : altair.Legend, optional
        None hides it.

    Returns
    -------
    altair.Color
        The channel.
    """
    return alt.Color("series:N", scale=alt.Scale(domain=list(styles), range=[style.colour for style in styles.values()]), legend=legend)


def series_dash(styles: Styles, *, legend: alt.Legend | None = None) -> alt.StrokeDash:
    """Encode the field ``series`` by dashes.

    Parameters
    ----------
    styles : mapping of str to SeriesStyle
        By series, in the order of the legend.
    legend : altair.Legend, optional
        None hides it.

    Returns
    -------
    altair.StrokeDash
        The channel.
    """
    scale = alt.Scale(domain=list(styles), range=[list(style.dash) for style in styles.values()])
    return alt.StrokeDash("series:N", scale=scale, legend=legend)


def series_shape(styles: Styles, *, legend: alt.Legend | None = None) -> alt.Shape:
    """Encode the field ``series`` by the shape of points.

    Parameters
    ----------
    styles : mapping of str to SeriesStyle
        By series, in the order of the legend.
    legend : altair.Legend, optional
        None hides it.

    Returns
    -------
    altair.Shape
        The channel.
    """
    return alt.Shape("series:N", scale=alt.Scale(domain=list(styles), range=[style.shape for style in styles.values()]), legend=legend)


def legend_above(names: Sequence[str], *, lines: bool = False) -> alt.Legend:
    """Make a legend above the chart, two names a row where a phone has room for them, none of them cut off.

    Parameters
    ----------
    names : sequence of str
        What it lists.
    lines : bool, default False
        Long symbols, on which dashes can be seen.

    Returns
    -------
    altair.Legend
        Without a title.
    """
    symbols: dict[str, Any] = {"symbolSize": 500, "symbolType": "stroke"} if lines else {"symbolSize": 90}
    columns = 2 if sum(sorted(len(name) for name in names)[-2:]) <= TWO_NAMES else 1
    return alt.Legend(title=None, orient="top", columns=columns, labelLimit=0, labelFontSize=12, labelColor=INK, symbolStrokeWidth=2.5,
                      **symbols)


def percent_axis(**options: Any) -> alt.Axis:
    """Make an axis of shares that is written in per cent.

    Parameters
    ----------
    **options : Any
        Further options of the axis.

    Returns
    -------
    altair.Axis
        The axis.
    """
    return alt.Axis(labelExpr="round(100 * datum.value) + ' %'", **({"tickCount": 6} | LABELS | options))


def interval_chart(rows: Rows, *, title: str, styles: Styles | None = None, references: Mapping[str, float] | None = None,
                   number_format: str = ".3f", axis_format: str = ".2f", row_height: int = 54) -> Chart:
    """Draw values with intervals, one a line.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``value``, ``low`` and ``high``, top to bottom; ``series`` tells models apart within a label.
    title : str
        What is measured, with its unit and direction.
    styles : mapping of str to SeriesStyle, optional
        Of the series.
    references : mapping of str to float, optional
        Vertical lines; their names go into the tooltip.
    number_format, axis_format : str
        d3 formats of the numbers beside the points and along the axis.
    row_height : int, default 54
        Pixels for each row.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    data = [dict(row) | {"label": wrap(row["label"]), "series": row.get("series", "")} for row in rows]
    style = styles_for(list(dict.fromkeys(row["series"] for row in data)), styles)
    several = len(style) > 1
    place: dict[str, Any] = {"y": alt.Y("label:N", sort=None, title=None, axis=_wrapped_axis())}
    place |= {"yOffset": alt.YOffset("series:N", sort=list(style))} if several else {}
    legend = legend_above(list(style)) if several else None
    colour = series_colour(style, legend=legend)
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=26),
              axis=alt.Axis(format=axis_format, tickCount=5, **LABELS))
    base = rows_chart(data).encode(**place)
    rules = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", scale=alt.Scale(zero=False)), x2="high:Q", color=colour)
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, color=colour, shape=series_shape(style, legend=legend), tooltip=_interval_tooltip(number_format))
    halo = base.mark_text(dy=-10, fontSize=11, stroke="white", strokeWidth=4).encode(x=x, text=alt.Text("value:Q", format=number_format))
    texts = base.mark_text(dy=-10, fontSize=11).encode(x=x, text=alt.Text("value:Q", format=number_format))
    marks = [_reference(references, number_format)] if references else []
    return alt.layer(*marks, rules, halo, texts, points, height=row_height * len(data) + 60)


def _reference(references: Mapping[str, float], number_format: str) -> alt.Chart:
    data = [{"name": name, "value": value} for name, value in references.items()]
    tooltip = [alt.Tooltip("name:N", title="line"), alt.Tooltip("value:Q", format=number_format)]
    return rows_chart(data).mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 3], strokeWidth=1.5).encode(x="value:Q", tooltip=tooltip)


def _interval_tooltip(number_format: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("label:N", title="group"), alt.Tooltip("series:N", title="model"),
            *[alt.Tooltip(f"{name}:Q", format=number_format) for name in ("value", "low", "high")]]


def _wrapped_axis() -> alt.Axis:
    return alt.Axis(labelExpr=WRAPPED, labelLimit=0, labelOverlap=False, labelFontSize=12, labelColor=INK, ticks=False, domain=False,
                    grid=False)


def wrap(label: str, *, width: int = 20) -> str:
    """Break a label so that it leaves room for the chart on a phone.

    Parameters
    ----------
    label : str
        In words; its own line breaks are kept.
    width : int, default 20
        Letters a line.

    Returns
    -------
    str
        With line breaks.
    """
    return "\n".join(part for line in label.splitlines() for part in textwrap.wrap(line, width))


def curves_chart(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x_title: str, y_title: str, styles: Styles | None = None,
                 diagonal: bool = False, y_limit: float = 1.0) -> Chart:
    """Draw curves of shares over shares, such as ROC or precision-recall curves.

    Parameters
    ----------
    curves : mapping of str to pair of sequences
        Name to horizontal and vertical values, all in [0, 1].
    x_title, y_title : str
        Axis titles.
    styles : mapping of str to SeriesStyle, optional
        Of the curves.
    diagonal : bool, default False
        Draw the line from corner to corner.
    y_limit : float, default 1
        Top of the vertical axis.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    rows = [{"series": name, "x": x, "y": y} for name, (xs, ys) in curves.items() for x, y in zip(xs, ys, strict=True)]
    style, legend = styles_for(list(curves), styles), legend_above(list(curves), lines=True)
    lines = rows_chart(rows).mark_line(strokeWidth=2, clip=True).encode(
        x=_share("x", x_title), y=_share("y", y_title, limit=y_limit), color=series_colour(style, legend=legend),
        strokeDash=series_dash(style, legend=legend), order=alt.Order("x:Q"))
    ends = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    chance = rows_chart(ends).mark_line(color=PALETTE["grey"], strokeDash=[2, 3], strokeWidth=1.2).encode(x="x:Q", y="y:Q")
    return alt.layer(*([chance] if diagonal else []), lines, height=420)


def _share(field: str, title: str, *, limit: float = 1.0) -> Any:
    channel = alt.X if field == "x" else alt.Y
    return channel(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, limit], nice=False), axis=percent_axis())


def calibration_chart(points: Mapping[str, Mapping[str, Sequence[float]]], *, y_title: str, count_title: str,
                      x_title: str = "predicted risk", styles: Styles | None = None) -> Chart:
    """Draw observed against predicted risk.

    Parameters
    ----------
    points : mapping of str to mapping
        By model: ``mean_predicted``, ``observed``, ``low``, ``high`` and ``count`` of groups of equal size.
    y_title, count_title : str
        What the observed share and the counts are of.
    x_title : str, default "predicted risk"
        What was predicted.
    styles : mapping of str to SeriesStyle, optional
        Of the models.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    names = ("mean_predicted", "observed", "low", "high", "count")
    rows = [{"series": model} | dict(zip(names, values, strict=True))
            for model, groups in points.items() for values in zip(*(groups[name] for name in names), strict=True)]
    limit = min(1.05 * max(max(row["high"], row["mean_predicted"]) for row in rows), 1.05)
    scale = alt.Scale(domain=[0, limit], nice=False)
    style = styles_for(list(points), styles)
    legend = legend_above(list(style)) if len(style) > 1 else None
    colour = series_colour(style, legend=legend)
    y = alt.Y("observed:Q", title=y_title, scale=scale, axis=percent_axis())
    base = rows_chart(rows).encode(x=alt.X("mean_predicted:Q", title=x_title, scale=scale, axis=percent_axis()), color=colour)
    tooltip = [alt.Tooltip("series:N", title="model"), *[alt.Tooltip(f"{name}:Q", format=".1%") for name in names[:-1]],
               alt.Tooltip("count:Q", title=count_title, format=",")]
    ends: Rows = [{"x": 0, "y": 0}, {"x": limit, "y": limit}]
    diagonal = rows_chart(ends).mark_line(color=PALETTE["grey"], strokeDash=[5, 3]).encode(x="x:Q", y="y:Q")
    bars = base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(y=y, shape=series_shape(style, legend=legend), tooltip=tooltip)
    return alt.layer(diagonal, bars, dots, height=480)


def decision_chart(risk_thresholds: Sequence[float], benefits: Mapping[str, Sequence[float]], band: Mapping[str, Sequence[float]],
                   *, chosen: float, styles: Styles | None = None) -> Chart:
    """Draw net benefit over risk thresholds, with the chosen one marked.

    Parameters
    ----------
    risk_thresholds : sequence of float
        In (0, 1).
    benefits : mapping of str to sequence of float
        Net benefit of each rule, per patient.
    band : mapping of str to sequence of float
        ``low`` and ``high`` of the first rule.
    chosen : float
        The threshold to mark.
    styles : mapping of str to SeriesStyle, optional
        Of the rules.

    Returns
    -------
    altair.LayerChart
        Net benefit per 1,000 patients; responsive in width.
    """
    style, legend = styles_for(list(benefits), styles), legend_above(list(benefits), lines=True)
    top = 1100 * max(max(values) for values in benefits.values())
    scale = alt.Scale(domain=[-0.12 * top, top], nice=False)
    rows = [{"series": name, "x": x, "y": 1000 * value} for name, values in benefits.items()
            for x, value in zip(risk_thresholds, values, strict=True)]
    edges = [{"x": x, "low": 1000 * low, "high": 1000 * high}
             for x, low, high in zip(risk_thresholds, band["low"], band["high"], strict=True)]
    x = alt.X("x:Q", title="risk threshold", axis=percent_axis(), scale=alt.Scale(domain=[0, max(risk_thresholds)], nice=False))
    y = alt.Y("y:Q", title="net benefit per 1,000 patients", scale=scale, axis=alt.Axis(tickCount=6, **LABELS))
    area = rows_chart(edges).mark_area(color=style[next(iter(benefits))].colour, opacity=0.15, clip=True).encode(
        x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    lines = rows_chart(rows).mark_line(strokeWidth=2, clip=True).encode(
        x=x, y=y, color=series_colour(style, legend=legend), strokeDash=series_dash(style, legend=legend))
    rule = rows_chart([{"x": chosen}]).mark_rule(color=PALETTE["vermilion"], strokeWidth=2).encode(x="x:Q")
    return alt.layer(area, lines, rule, height=430)


def bars_chart(rows: Rows, *, title: str, start: float = 0.0, number_format: str = ".3f",
               ticks: Sequence[float] | None = None) -> Chart:
    """Draw horizontal bars with their numbers; warned or raising ones are vermilion, others blue.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``value`` and ``warned``, top to bottom.
    title : str
        What is measured.
    start : float, default 0
        Where bars start.
    number_format : str
        d3 format of the number at the end of a bar.
    ticks : sequence of float, optional
        Numbers along the axis; chosen to fit by default.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    values = [row["value"] for row in rows]
    reach = max(abs(value - start) for value in values) or 1.0
    low = start - 1.4 * reach if min(values) < start else start
    high = start + 1.4 * reach if max(values) > start else start
    marks: dict[str, Any] = {"tickCount": 5} if ticks is None else {"values": list(ticks)}
    data = [dict(row) | {"label": wrap(row["label"]), "start": start} for row in rows]
    scale = alt.Scale(domain=[low, high], nice=False)
    base = rows_chart(data).encode(y=alt.Y("label:N", sort=None, title=None, axis=_wrapped_axis()))
    colour = alt.condition("datum.warned", alt.value(PALETTE["vermilion"]), alt.value(PALETTE["blue"]))
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(**marks, **LABELS))
    bars = base.mark_bar(height={"band": 0.62}).encode(x=x, x2="start:Q", color=colour)
    number = alt.Text("value:Q", format=number_format)
    right = base.transform_filter("datum.value >= datum.start").mark_text(align="left", dx=5, fontSize=12).encode(x="value:Q", text=number)
    left = base.transform_filter("datum.value < datum.start").mark_text(align="right", dx=-5, fontSize=12).encode(x="value:Q", text=number)
    return alt.layer(bars, right, left, height=54 * len(data) + 60)
