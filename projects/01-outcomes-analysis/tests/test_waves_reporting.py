"""Artefacts of reporting: planted ones are found, honest series are left alone."""

from datetime import date

import numpy as np

from outcomes_analysis.waves.reporting import find_dumps, find_stale, weekly_only_since, zero_days

DATES = np.datetime64("2021-01-03") + np.arange(7 * 20)  # Sundays first
WEEKS = DATES[6::7]


def weekly_reporter(first_week):
    new = np.full(140, 10)
    for week in range(first_week, 20):
        new[7 * week:7 * week + 7] = [0, 0, 0, 70, 0, 0, 0]
    return np.cumsum(new)


def test_days_without_a_report_are_counted_by_week():
    assert zero_days(weekly_reporter(18), DATES).tolist() == [0] * 18 + [6, 6]


def test_the_turn_to_weekly_reports_is_dated():
    cumulative = weekly_reporter(8)
    since = weekly_only_since(zero_days(cumulative, DATES), np.full(20, 70), WEEKS)
    assert since == date(2021, 3, 6)


def test_a_country_that_turns_back_or_reports_daily_is_not_weekly_only():
    new = np.diff(weekly_reporter(4), prepend=0)
    new[-28:] = 10
    assert weekly_only_since(zero_days(np.cumsum(new), DATES), np.full(20, 70), WEEKS) is None
    assert weekly_only_since(zero_days(weekly_reporter(20), DATES), np.full(20, 70), WEEKS) is None


def test_weeks_with_few_cases_are_not_judged():
    assert weekly_only_since(np.full(20, 6), np.full(20, 3), WEEKS) is None


def test_a_day_that_holds_most_of_a_month_is_a_dump():
    new = np.full(140, 10)
    new[70] = 500
    [(day, count, share)] = find_dumps(np.cumsum(new), DATES)
    assert (day, count) == (DATES[70].astype(date), 500)
    assert share == 500 / (500 + 28 * 10)


def test_weekly_reports_small_counts_and_short_series_are_no_dumps():
    assert find_dumps(weekly_reporter(0), DATES) == []
    assert find_dumps(np.cumsum(np.where(np.arange(140) == 70, 99, 0)), DATES) == []
    assert find_dumps(np.arange(20) * 1000, DATES[:20]) == []


def test_a_series_that_stands_still_is_found_with_its_end():
    weekly = np.r_[np.full(5, 40), np.zeros(8), 3, np.zeros(6)].astype(int)
    assert find_stale(weekly, WEEKS, minimum_weeks=6) == [
        (WEEKS[5].astype(date), WEEKS[12].astype(date), 8, False), (WEEKS[14].astype(date), WEEKS[19].astype(date), 6, True)]


def test_a_series_that_has_not_begun_is_not_stale():
    assert find_stale(np.r_[np.zeros(15), np.full(5, 40)], WEEKS) == []
