"""Charts that fit a phone as well as a desk: rows in, Altair chart out. The committed PNG figures are drawn by `carefolio.plots`."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt

from carefolio.plots import PALETTE

Rows = Sequence[Mapping[str, Any]]
COLOURS = {"LightGBM": PALETTE["blue"], "logistic regression": PALETTE["orange"], "LACE-like score": PALETTE["green"],
           "treat all": PALETTE["grey"], "treat none": PALETTE["grey"]}
DASHES = {"LightGBM": [1, 0], "logistic regression": [8, 3], "LACE-like score": [3, 2], "treat all": [1, 3], "treat none": [1, 0]}
WRAPPED = "split(datum.label, '\\n')"


def interval_chart(rows: Rows, *, title: str, references: Mapping[str, float] | None = None, number_format: str = ".3f",
                   axis_format: str = ".2f") -> alt.LayerChart:
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
    y = alt.Y("label:N", sort=None, title=None, axis=_wrapped_axis())
    lines = {"y": y, "color": _colour(series, legend=len(series) > 1)} | ({"yOffset": alt.YOffset("series:N", sort=series)} if len(series) > 1 else {})
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=26), axis=alt.Axis(format=axis_format, tickCount=5))
    base = alt.Chart(alt.Data(values=data))
    rules = base.mark_rule(strokeWidth=2.5).encode(x=alt.X("low:Q", scale=alt.Scale(zero=False)), x2="high:Q", **lines)
    points = base.mark_point(filled=True, size=70, opacity=1).encode(x=x, tooltip=_interval_tooltip(number_format), **lines)
    texts = base.mark_text(dy=-10, fontSize=11).encode(x=x, y=y, text=alt.Text("value:Q", format=number_format),
                                                       **{key: value for key, value in lines.items() if key == "yOffset"})
    marks = [_reference(references, number_format)] if references else []
    return alt.layer(*marks, rules, points, texts).properties(height=46 * len(data) + 20)


def _reference(references: Mapping[str, float], number_format: str) -> alt.Chart:
    data = alt.Data(values=[{"name": name, "value": value} for name, value in references.items()])
    tooltip = [alt.Tooltip("name:N", title="line"), alt.Tooltip("value:Q", format=number_format)]
    return alt.Chart(data).mark_rule(color=PALETTE["vermilion"], strokeDash=[5, 3], strokeWidth=1.5).encode(x="value:Q", tooltip=tooltip)


def _interval_tooltip(number_format: str) -> list[alt.Tooltip]:
    return [alt.Tooltip("label:N", title="group"), alt.Tooltip("series:N", title="model"),
            *[alt.Tooltip(f"{name}:Q", format=number_format) for name in ("value", "low", "high")]]


def _wrapped_axis() -> alt.Axis:
    return alt.Axis(labelExpr=WRAPPED, labelLimit=0, labelFontSize=12, ticks=False, domain=False, grid=False)


def wrap(label: str, *, width: int = 20) -> str:
    """Break a label so that it leaves room for the chart on a phone.

    Parameters
    ----------
    label : str
        In words.
    width : int, default 20
        Letters a line.

    Returns
    -------
    str
        With line breaks.
    """
    return "\n".join(textwrap.wrap(label, width))


def _colour(names: Sequence[str], *, legend: bool = True) -> alt.Color:
    scale = alt.Scale(domain=list(names), range=[COLOURS[name] for name in names])
    return alt.Color("series:N", scale=scale, legend=_legend() if legend else None)


def _legend() -> alt.Legend:
    return alt.Legend(title=None, orient="top", columns=2, labelLimit=0, labelFontSize=12, symbolSize=220, symbolStrokeWidth=2.5)


def curves_chart(curves: Mapping[str, tuple[Sequence[float], Sequence[float]]], *, x_title: str, y_title: str, diagonal: bool = False,
                 y_limit: float = 1.0) -> alt.LayerChart:
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
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=[DASHES[name] for name in names]), legend=_legend())
    lines = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2, clip=True).encode(
        x=x, y=y, color=_colour(names), strokeDash=dash, order=alt.Order("x:Q"))
    ends = alt.Data(values=[{"x": 0, "y": 0}, {"x": 1, "y": 1}])
    chance = alt.Chart(ends).mark_line(color=PALETTE["grey"], strokeDash=[2, 3], strokeWidth=1.2).encode(x="x:Q", y="y:Q")
    return alt.layer(*([chance] if diagonal else []), lines).properties(height=330)


def _share(field: str, title: str, *, limit: float = 1.0) -> Any:
    channel = alt.X if field == "x" else alt.Y
    return channel(f"{field}:Q", title=title, scale=alt.Scale(domain=[0, limit], nice=False), axis=_percent_axis())


def _percent_axis(**options: Any) -> alt.Axis:
    return alt.Axis(labelExpr="round(100 * datum.value) + ' %'", labelFontSize=12, titleFontSize=12, tickCount=6, **options)


def calibration_chart(points: Mapping[str, Sequence[float]]) -> alt.LayerChart:
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
    base = alt.Chart(alt.Data(values=rows)).encode(x=x)
    tooltip = [alt.Tooltip(f"{name}:Q", format=".1%") for name in names[:-1]] + [alt.Tooltip("count:Q", title="discharges", format=",")]
    ends = alt.Data(values=[{"x": 0, "y": 0}, {"x": limit, "y": limit}])
    diagonal = alt.Chart(ends).mark_line(color=PALETTE["grey"], strokeDash=[5, 3]).encode(x="x:Q", y="y:Q")
    bars = base.mark_rule(color=PALETTE["blue"], strokeWidth=2).encode(y=alt.Y("low:Q", scale=scale), y2="high:Q")
    dots = base.mark_point(color=PALETTE["blue"], filled=True, size=80, opacity=1).encode(y=y, tooltip=tooltip)
    return alt.layer(diagonal, bars, dots).properties(height=380)


def decision_chart(risk_thresholds: Sequence[float], benefits: Mapping[str, Sequence[float]], band: Mapping[str, Sequence[float]],
                   *, chosen: float) -> alt.LayerChart:
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
    y = alt.Y("y:Q", title="net benefit per 1,000 patients", scale=scale, axis=alt.Axis(labelFontSize=12, titleFontSize=12, tickCount=6))
    dash = alt.StrokeDash("series:N", scale=alt.Scale(domain=names, range=[DASHES[name] for name in names]), legend=_legend())
    area = alt.Chart(alt.Data(values=edges)).mark_area(color=PALETTE["blue"], opacity=0.15, clip=True).encode(
        x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q")
    lines = alt.Chart(alt.Data(values=rows)).mark_line(strokeWidth=2, clip=True).encode(x=x, y=y, color=_colour(names), strokeDash=dash)
    rule = alt.Chart(alt.Data(values=[{"x": chosen}])).mark_rule(color=PALETTE["vermilion"], strokeWidth=2).encode(x="x:Q")
    return alt.layer(area, lines, rule).properties(height=360)


def bars_chart(rows: Rows, *, title: str, start: float = 0.0, number_format: str = ".3f") -> alt.LayerChart:
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

    Returns
    -------
    altair.LayerChart
        Responsive in width.
    """
    values = [row["value"] for row in rows]
    reach = max(abs(value - start) for value in values) or 1.0
    low = start - 1.35 * reach if min(values) < start else start
    data = [dict(row) | {"label": wrap(row["label"]), "start": start} for row in rows]
    scale = alt.Scale(domain=[low, start + 1.35 * reach], nice=False)
    base = alt.Chart(alt.Data(values=data)).encode(y=alt.Y("label:N", sort=None, title=None, axis=_wrapped_axis()))
    colour = alt.condition("datum.warned", alt.value(PALETTE["vermilion"]), alt.value(PALETTE["blue"]))
    x = alt.X("value:Q", title=title, scale=scale, axis=alt.Axis(tickCount=5, labelFontSize=12, titleFontSize=12))
    bars = base.mark_bar(height={"band": 0.62}).encode(x=x, x2="start:Q", color=colour)
    number = alt.Text("value:Q", format=number_format)
    right = base.transform_filter("datum.value >= datum.start").mark_text(align="left", dx=5, fontSize=12).encode(x="value:Q", text=number)
    left = base.transform_filter("datum.value < datum.start").mark_text(align="right", dx=-5, fontSize=12).encode(x="value:Q", text=number)
    return alt.layer(bars, right, left).properties(height=46 * len(data) + 20)
