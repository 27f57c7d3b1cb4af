"""Charts that fit a phone as well as a desk: rows in, Altair chart out. The committed PNG figures are drawn by `carefolio.plots`."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from carefolio.plots import PALETTE

Rows = Sequence[Mapping[str, Any]]
Chart = alt.LayerChart | alt.FacetChart
COLOURS = {"LightGBM": PALETTE["blue"], "logistic regression": PALETTE["orange"], "LACE-like score": PALETTE["green"],
           "treat all": PALETTE["grey"], "treat none": PALETTE["grey"]}
DASHES = {"LightGBM": [1, 0], "logistic regression": [8, 3], "LACE-like score": [3, 2], "treat all": [1, 3], "treat none": [1, 0]}
WRAPPED = "split(datum.label, '\\n')"
INK = "#31333F"
LABELS: dict[str, Any] = {"labelFontSize": 12, "titleFontSize": 13, "titleFontWeight": "normal", "labelColor": INK, "titleColor": INK}


def _chart(rows: Rows) -> alt.Chart:
    data: Any = alt.Data
    return alt.Chart(data(values=list(rows)))


def interval_chart(rows: Rows, *, title: str, references: Mapping[str, float] | None = None, number_format: str = ".3f",
                   axis_format: str = ".2f") -> Chart:
    """Draw values with intervals, one a line.

    Parameters
    ----------
    rows : sequence of mapping
        ``label``, ``value``, ``low`` and ``high``, top to bottom; ``series`` tells models apart within a label.
    title : str
        What is measured.
    references : mapping of str to float, optional
        Vertical lines; their names go into the tooltip.
    number_format, axis_format : str
        d3 formats of the numbers beside the points and along the axis.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    data = [dict(row) | {"label": wrap(row["label"]), "series": row.get("series", "LightGBM")} for row in rows]
    series = list(dict.fromkeys(row["series"] for row in data))
    several = len(series) > 1
    place: dict[str, Any] = {"y": alt.Y("label:N", sort=None, title=None, axis=_wrapped_axis())}
    place |= {"yOffset": alt.YOffset("series:N", sort=series)} if several else {}
    colour = _colour(series, legend=_legend(symbolSize=90) if several else None)
    axis = alt.Axis(format=axis_format, tickCount=5, **LABELS)
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=26), axis=axis)
    base = _chart(data).encode(**place)
    rules = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", scale=alt.Scale(zero=False)), x2="high:Q", color=colour)
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, color=colour, tooltip=_interval_tooltip(number_format))
    halo = base.mark_text(dy=-10, fontSize=11, stroke="white", strokeWidth=4).encode(x=x, text=alt.Text("value:Q", format=number_format))
    texts = base.mark_text(dy=-10, fontSize=11).encode(x=x, text=alt.Text("value:Q", format=number_format))
    marks = [_reference(references, number_format)] if references else []
    return alt.layer(*marks, rules, halo, texts, points, height=54 * len(data) + 60)


def _reference(references: Mapping[str, float], number_format: str) -> alt.Chart:
    data = [{"name": name, "value": value} for name, value in references.items()]
    tooltip = [alt.Tooltip("name:N", title="line"), alt.Tooltip("value:Q", format=number_format)]
    return _chart(data).mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 3], strokeWidth=1.5).encode(x="value:Q", tooltip=tooltip)


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


def _colour(names: Sequence[str], *, legend: alt.Legend | None = None) -> alt.Color:
    return alt.Color("series:N", scale=alt.Scale(domain=list(names), range=[COLOURS[name] for name in names]), legend=legend)


def _dash(names: Sequence[str]) -> alt.StrokeDash:
    return alt.StrokeDash("series:N", scale=alt.Scale(domain=list(names), range=[DASHES[name] for name in names]), legend=_line_legend())


def _line_legend() -> alt.Legend:
    return _legend(symbolSize=500, symbolType="stroke")


def _legend(**options: Any) -> alt.Legend:
    return alt.Legend(title=None, orient="top", columns=2, labelLimit=0, labelFontSize=12, labelColor=INK, symbolStrokeWidth=2.5,
                      **options)


def curves_chart(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x_title: str, y_title: str, diagonal: bool = False,
                 y_limit: float = 1.0) -> Chart:
    """Draw ROC or precision-recall curves.

    Parameters
    ----------
    curves : mapping of str to pair of sequences
        Name to horizontal and vertical values, all in [0, 1].
    x_title, y_title : str
        Axis titles.
    diagonal : bool, default False
        Draw the line of a coin toss.
    y_limit : float, default 1
        Top of the vertical axis.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    rows = [{"series": name, "x": x, "y": y} for name, (xs, ys) in curves.items() for x, y in zip(xs, ys, strict=True)]
    x, y = _share("x", x_title), _share("y", y_title, limit=y_limit)
    names = list(curves)
    lines = _chart(rows).mark_line(strokeWidth=2, clip=True).encode(
        x=x, y=y, color=_colour(names, legend=_line_legend()), strokeDash=_dash(names), order=alt.Order("x:Q"))
    ends = [{"x": 0, "y": 0}, {"x": 1, "y": 1}]
    chance = _chart(ends).mark_line(color=PALETTE["grey"], strokeDash=[2, 3], strokeWidth=1.2).encode(x="x:Q", y="y:Q")
    return alt.layer(*([chance] if diagonal else []), lines, height=420)


def _share(field: str, title: str, *, limit: float = 1.0) -> Any:
    channel = alt.X if field == "x" else alt.Y
    return channel(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, limit], nice=False), axis=_percent_axis())


def _percent_axis(**options: Any) -> alt.Axis:
    return alt.Axis(labelExpr="round(100 * datum.value) + ' %'", tickCount=6, **LABELS, **options)


def calibration_chart(points: Mapping[str, Sequence[float]]) -> Chart:
    """Draw observed against predicted risk.

    Parameters
    ----------
    points : mapping of str to sequence
        ``mean_predicted``, ``observed``, ``low``, ``high`` and ``count`` by groups of equal size.

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    names = ("mean_predicted", "observed", "low", "high", "count")
    rows = [dict(zip(names, values, strict=True)) for values in zip(*(points[name] for name in names), strict=True)]
    limit = 1.05 * max(*points["high"], *points["mean_predicted"])
    scale = alt.Scale(domain=[0, limit], nice=False)
    x = alt.X("mean_predicted:Q", title="predicted risk", scale=scale, axis=_percent_axis())
    y = alt.Y("observed:Q", title="observed share of returns", scale=scale, axis=_percent_axis())
    base = _chart(rows).encode(x=x)
    tooltip = [alt.Tooltip(f"{name}:Q", format=".1%") for name in names[:-1]] + [alt.Tooltip("count:Q", title="discharges", format=",")]
    ends: Rows = [{"x": 0, "y": 0}, {"x": limit, "y": limit}]
    diagonal = _chart(ends).mark_line(color=PALETTE["grey"], strokeDash=[5, 3]).encode(x="x:Q", y="y:Q")
    bars = base.mark_rule(color=PALETTE["blue"], strokeWidth=2).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    dots = base.mark_point(color=PALETTE["blue"], filled=True, size=80, opacity=1).encode(y=y, tooltip=tooltip)
    return alt.layer(diagonal, bars, dots, height=480)


def decision_chart(risk_thresholds: Sequence[float], benefits: Mapping[str, Sequence[float]], band: Mapping[str, Sequence[float]],
                   *, chosen: float) -> Chart:
    """Draw net benefit over risk thresholds, with the chosen one marked.

    Parameters
    ----------
    risk_thresholds : sequence of float
        In (0, 1).
    benefits : mapping of str to sequence of float
        Net benefit of each rule, per patient.
    band : mapping of str to sequence of float
        ``low`` and ``high`` of LightGBM.
    chosen : float
        The threshold to mark.

    Returns
    -------
    altair.LayerChart
        Net benefit per 1,000 patients; responsive in width.
    """
    names = list(benefits)
    top = 1100 * max(max(values) for values in benefits.values())
    scale = alt.Scale(domain=[-0.12 * top, top], nice=False)
    rows = [{"series": name, "x": x, "y": 1000 * value} for name in names for x, value in zip(risk_thresholds, benefits[name], strict=True)]
    edges = [{"x": x, "low": 1000 * low, "high": 1000 * high}
             for x, low, high in zip(risk_thresholds, band["low"], band["high"], strict=True)]
    x = alt.X("x:Q", title="risk threshold", axis=_percent_axis(), scale=alt.Scale(domain=[0, max(risk_thresholds)], nice=False))
    y = alt.Y("y:Q", title="net benefit per 1,000 patients", scale=scale, axis=alt.Axis(tickCount=6, **LABELS))
    area = _chart(edges).mark_area(color=PALETTE["blue"], opacity=0.15, clip=True).encode(
        x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    lines = _chart(rows).mark_line(strokeWidth=2, clip=True).encode(
        x=x, y=y, color=_colour(names, legend=_line_legend()), strokeDash=_dash(names))
    rule = _chart([{"x": chosen}]).mark_rule(color=PALETTE["vermilion"], strokeWidth=2).encode(x="x:Q")
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
    base = _chart(data).encode(y=alt.Y("label:N", sort=None, title=None, axis=_wrapped_axis()))
    colour = alt.condition("datum.warned", alt.value(PALETTE["vermilion"]), alt.value(PALETTE["blue"]))
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(**marks, **LABELS))
    bars = base.mark_bar(height={"band": 0.62}).encode(x=x, x2="start:Q", color=colour)
    number = alt.Text("value:Q", format=number_format)
    right = base.transform_filter("datum.value >= datum.start").mark_text(align="left", dx=5, fontSize=12).encode(x="value:Q", text=number)
    left = base.transform_filter("datum.value < datum.start").mark_text(align="right", dx=-5, fontSize=12).encode(x="value:Q", text=number)
    return alt.layer(bars, right, left, height=54 * len(data) + 60)
