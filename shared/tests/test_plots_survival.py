import numpy as np
import pytest

from carefolio.plots import save_figure
from carefolio.plots_survival import DrawnCurve, plot_calibrations, plot_hazard_ratios, plot_kaplan_meier

CURVE = DrawnCurve([0, 10, 20], [1, 0.6, 0.3], low=[1, 0.5, np.nan], high=[1, 0.7, np.nan], at_risk=[1200, 40, 7])


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_kaplan_meier_draws_steps_and_writes_the_numbers_at_risk_below(tmp_path):
    coma = DrawnCurve([0, 5], [1, 0.2], at_risk=[90, 3, 0])
    axes = plot_kaplan_meier({"CHF": CURVE, "Coma": coma}, at_risk_times=[0, 10, 20], horizon=15)
    assert axes.lines[0].get_drawstyle() == "steps-post"
    assert axes.get_xlabel() == "days since study entry"
    assert {"number at risk", "1,200", "40", "7", "90", "3", "0", "CHF", "Coma"} <= set(texts(axes))
    assert len({line.get_linestyle() for line in axes.lines[:2]}) == 2
    assert save_figure(axes, tmp_path / "km.png").stat().st_size > 5_000


def test_kaplan_meier_refuses_what_cannot_be_read():
    with pytest.raises(ValueError, match="curves must be at most 8 to be told apart; got 9"):
        plot_kaplan_meier({str(i): CURVE for i in range(9)})
    with pytest.raises(ValueError, match="at_risk of 'a' must have one number for each of 2 times; got 3"):
        plot_kaplan_meier({"a": CURVE}, at_risk_times=[0, 10])


def test_hazard_ratios_are_written_out_and_those_that_change_are_marked():
    axes = plot_hazard_ratios(["age", "sex"], [1.5, 0.8], [1.2, 0.6], [1.9, 1.1], marked=[False, True])
    assert texts(axes) == ["1.50 (1.20 to 1.90)", "0.80 (0.60 to 1.10) *"]
    assert axes.get_xscale() == "log"
    assert "changes over time" in axes.get_xlabel()
    assert [label.get_text() for label in axes.get_yticklabels()] == ["age", "sex"]
    assert "changes" not in plot_hazard_ratios(["age"], [1.5], [1.2], [1.9]).get_xlabel()


def test_calibration_of_several_models_has_a_marker_each_and_the_diagonal():
    points = {"mean_predicted": [0.1, 0.6], "observed": [0.2, 0.5], "low": [0.1, 0.4], "high": [0.3, 0.6]}
    axes = plot_calibrations({"a": points, "b": points})
    labels = axes.get_legend_handles_labels()[1]
    assert labels == ["perfect calibration", "a", "b"]
    assert axes.get_xlim() == axes.get_ylim() == (0, 1)
