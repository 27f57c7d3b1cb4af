import pytest

from carefolio import charts
from carefolio.charts import PLAIN, SeriesStyle


def scale_of(chart, channel):
    """Domain and range of a channel, wherever among the layers it stands."""
    layers = [layer["encoding"][channel] for layer in chart.to_dict()["layer"] if channel in layer.get("encoding", {})]
    scale = next(found["scale"] for found in layers if "scale" in found)
    return dict(zip(scale["domain"], scale["range"], strict=True))


def test_styles_differ_in_colour_dash_and_shape():
    for values in ([style.colour for style in PLAIN], [style.dash for style in PLAIN], [style.shape for style in PLAIN]):
        assert len(set(values)) == len(PLAIN) == 8


def test_a_fixed_style_is_kept_and_not_given_twice():
    fixed = {"model": SeriesStyle(PLAIN[1].colour, (1, 0))}
    found = charts.styles_for(["other", "model", "treat all"], fixed)
    assert list(found) == ["other", "model", "treat all"]
    assert found["model"] == fixed["model"]
    assert found["other"] == PLAIN[0]
    assert charts.styles_for(["a", "b"], fixed)["b"] == PLAIN[1]
    assert charts.styles_for(["a", "model"], fixed)["a"].colour != fixed["model"].colour


def test_more_series_than_styles_start_again():
    found = charts.styles_for([str(i) for i in range(len(PLAIN) + 1)])
    assert found[str(len(PLAIN))] == PLAIN[0]


def test_intervals_tell_series_apart_without_colour():
    rows = [{"label": "all", "series": name, "value": 0.7, "low": 0.6, "high": 0.8} for name in ("a", "b")]
    chart = charts.interval_chart(rows, title="AUROC", references={"chance": 0.5})
    assert scale_of(chart, "shape") == {"a": PLAIN[0].shape, "b": PLAIN[1].shape}
    assert chart.to_dict()["height"] == 54 * 2 + 60
    assert len(chart.to_dict()["layer"]) == 5


def test_curves_tell_series_apart_by_dashes():
    chart = charts.curves_chart({"a": ([0, 1], [0, 1]), "b": ([0, 1], [0, 0.5])}, x_title="x", y_title="y", diagonal=True)
    assert scale_of(chart, "strokeDash") == {"a": list(PLAIN[0].dash), "b": list(PLAIN[1].dash)}


def test_calibration_of_two_models_shares_one_scale():
    points = {"mean_predicted": [0.1, 0.4], "observed": [0.1, 0.5], "low": [0.0, 0.4], "high": [0.2, 0.6], "count": [10, 10]}
    chart = charts.calibration_chart({"a": points, "b": points}, y_title="deaths", count_title="patients").to_dict()
    limits = {layer["encoding"]["x"]["scale"]["domain"][1] for layer in chart["layer"] if "scale" in layer["encoding"]["x"]}
    assert list(limits) == [pytest.approx(1.05 * 0.6)]


def test_decision_band_has_the_colour_of_the_first_rule():
    style = {"model": SeriesStyle("#123456")}
    chart = charts.decision_chart([0.1, 0.2], {"model": [0.1, 0.05], "treat all": [0.1, 0.0]}, {"low": [0.0, 0.0], "high": [0.2, 0.1]},
                                  chosen=0.1, styles=style)
    assert chart.to_dict()["layer"][0]["mark"]["color"] == "#123456"
    assert scale_of(chart, "strokeDash")["treat all"] == [1, 3]


def test_bars_reach_past_their_numbers():
    chart = charts.bars_chart([{"label": "up", "value": 2.0, "warned": True}, {"label": "down", "value": -1.0, "warned": False}], title="x")
    assert chart.to_dict()["layer"][0]["encoding"]["x"]["scale"]["domain"] == [pytest.approx(-2.8), pytest.approx(2.8)]


def test_long_names_get_a_line_each_in_the_legend():
    assert charts.legend_above(["short", "names"]).to_dict()["columns"] == 2
    assert charts.legend_above(["a rather long name of a model", "and another one"]).to_dict()["columns"] == 1


def test_labels_are_wrapped_for_a_phone():
    assert charts.wrap("a label that is too long for one line") == "a label that is too\nlong for one line"
    assert charts.wrap("Women\nn = 10") == "Women\nn = 10"
