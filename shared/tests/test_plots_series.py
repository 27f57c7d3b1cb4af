"""Time-series plots: what is drawn is what was given."""

import numpy as np
import pytest

from carefolio.plots import PALETTE, save_figure
from carefolio.plots_series import date_axis, mark_spans, new_grid, plot_band, plot_fan

WEEKS = np.datetime64("2022-01-01") + 7 * np.arange(6)


def test_a_grid_has_as_many_visible_axes_as_asked_for():
    grid = new_grid(5, columns=2)
    assert len(grid) == 5
    figure = grid[0].figure
    assert [axes.get_visible() for axes in figure.axes] == [True] * 5 + [False]
    assert grid[0].get_shared_x_axes().joined(grid[0], grid[4])
    assert not grid[0].get_shared_y_axes().joined(grid[0], grid[1])


def test_the_lowest_axes_of_each_column_keep_their_date_labels():
    grid = new_grid(5, columns=2)
    assert [axes.xaxis.get_tick_params()["labelbottom"] for axes in grid] == [False, False, False, True, True]


def test_a_grid_of_nothing_is_refused():
    with pytest.raises(ValueError, match="count and columns must be at least 1; got 0"):
        new_grid(0)


def test_a_band_reaches_from_low_to_high_and_leaves_holes():
    values = np.array([1.0, 2.0, np.nan, 2.0, 1.5, 1.0])
    axes = plot_band(WEEKS, values, values - 0.5, values + 0.5, reference=1, colour="green")
    [line, reference] = axes.lines
    assert line.get_color() == PALETTE["green"]
    assert np.isnan(line.get_ydata()[2])
    assert set(reference.get_ydata()) == {1}
    paths = axes.collections[0].get_paths()
    heights = np.concatenate([path.vertices[:, 1] for path in paths])
    assert (heights.min(), heights.max()) == (0.5, 2.5)


def test_spans_stand_where_they_were_put(tmp_path):
    axes = plot_band(WEEKS, np.ones(6), np.ones(6), np.ones(6))
    mark_spans(axes, ["2022-01-01", "2022-01-22"], ["2022-01-15", "2022-02-05"], ["1", "2"])
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    assert len(axes.patches) == 2
    assert save_figure(axes, tmp_path / "spans.png").stat().st_size > 1000


def test_a_short_span_is_labelled_by_more_than_its_year():
    axes = date_axis(plot_band(WEEKS, np.ones(6), np.ones(6), np.ones(6)), years=False)
    axes.figure.canvas.draw()
    assert len([tick for tick in axes.get_xticklabels() if tick.get_text()]) >= 3


def test_fan_nests_its_intervals_and_refuses_what_it_cannot_draw():
    levels, weeks = [0.1, 0.25, 0.5, 0.75, 0.9], np.arange(4)
    quantiles = weeks[:, None] + np.array([-3, -1, 0, 1, 3.0])
    axes = plot_fan(weeks, quantiles, quantile_levels=levels, label="median")
    widths = [np.ptp(collection.get_paths()[0].vertices[:, 1]) for collection in axes.collections]
    assert widths == [9, 5]
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), weeks)
    with pytest.raises(ValueError, match=r"shape \(4, 5\), a row a week; got \(5, 4\)"):
        plot_fan(weeks, quantiles.T, quantile_levels=levels)
    with pytest.raises(ValueError, match=r"symmetric around 0\.5"):
        plot_fan(weeks, quantiles[:, :4], quantile_levels=levels[:4])
