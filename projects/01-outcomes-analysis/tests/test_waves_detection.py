"""Waves on constructed series: as many as were put there, where they were put."""

from itertools import pairwise

import numpy as np
import pytest

from outcomes_analysis.waves.wave_detection import find_waves, smooth

WEEKS = np.arange(120)


def bump(centre, height, width=5.0):
    return height * np.exp(-0.5 * ((WEEKS - centre) / width) ** 2)


def test_a_moving_mean_is_over_the_weeks_there_are():
    assert smooth([3.0, 6.0, 0.0, 3.0], weeks=3).tolist() == [4.5, 3.0, 3.0, 1.5]
    assert smooth([[1.0, 2.0]], weeks=1).tolist() == [[1.0, 2.0]]


def test_three_waves_of_different_size_are_found_at_their_peaks():
    rate = bump(20, 40) + bump(60, 200) + bump(95, 1500)
    waves = find_waves(rate, prominence=0.06)
    assert [wave.peak for wave in waves] == [20, 60, 95]
    assert all(before.end < after.start for before, after in pairwise(waves))
    assert [wave.ongoing for wave in waves] == [False, False, False]


def test_a_wave_reaches_to_a_tenth_of_its_peak():
    [wave] = find_waves(bump(50, 100), smoothing_weeks=1, edge_share=0.1)
    assert (wave.start, wave.peak, wave.end) == (40, 50, 60)  # exp(-x²/50) is 0.135 at 10 weeks and 0.089 at 11
    assert wave.total == pytest.approx(bump(50, 100)[40:61].sum())
    assert wave.peak_rate == 100


def test_overlapping_waves_meet_at_the_lowest_week_and_share_none():
    rate = bump(40, 100) + bump(60, 100)
    first, second = find_waves(rate, smoothing_weeks=1, edge_share=0.0)
    assert (first.end, second.start) == (50, 51)
    assert (first.start, second.end) == (0, 119)
    assert first.total + second.total == pytest.approx(rate.sum())


def test_a_small_ripple_needs_a_small_prominence():
    rate = bump(40, 900, 8) + bump(80, 9, 4)
    assert len(find_waves(rate, prominence=0.2)) == 1
    assert len(find_waves(rate, prominence=0.05)) == 2
    assert len(find_waves(rate, prominence=0.05, minimum_peak=20)) == 1


def test_a_wave_that_is_still_rising_is_found_and_marked():
    waves = find_waves(bump(30, 100) + np.exp((WEEKS - 110) / 2.0))
    assert [wave.ongoing for wave in waves] == [False, True]


def test_scaling_the_series_changes_no_date():
    rate = bump(20, 40) + bump(60, 200)
    a, b = find_waves(rate), find_waves(rate * 37)
    assert [(wave.start, wave.peak, wave.end) for wave in a] == [(wave.start, wave.peak, wave.end) for wave in b]


def test_nothing_has_no_wave_and_negative_counts_are_refused():
    assert find_waves(np.zeros(30)) == []
    assert find_waves(np.zeros(0)) == []
    with pytest.raises(ValueError, match=r"got -1.0 in week 2. Repair the series first"):
        find_waves([1.0, 2.0, -1.0])
