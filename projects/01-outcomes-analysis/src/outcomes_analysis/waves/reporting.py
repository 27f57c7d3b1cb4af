"""Artefacts of reporting, shown rather than hidden: weekly-only reports, dumps on a single day, series that stand still.

None of these rules proves an artefact. A small place may truly have no case for months, and a dump may be a real outbreak; what is
listed is worth a look before a curve is believed.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from outcomes_analysis.waves.settings import WavesSettings
from outcomes_analysis.waves.weekly import Counts, DailyCounts, Dates, WeeklyCounts, to_weeks

STALE_SCHEMA = {"country": pl.String, "measure": pl.String, "first_week": pl.Date, "last_week": pl.Date, "weeks": pl.Int64,
                "to_the_end": pl.Boolean}
DUMP_SCHEMA = {"country": pl.String, "measure": pl.String, "date": pl.Date, "count": pl.Int64, "share": pl.Float64}


def zero_days(cumulative: npt.ArrayLike, dates: Dates) -> Counts:
    """Count the days of each week on which no new count was published.

    Parameters
    ----------
    cumulative : array-like of int, shape (..., n_days)
        Cumulative counts as published.
    dates : ndarray of datetime64[D], shape (n_days,)
        Consecutive days.

    Returns
    -------
    ndarray of int, shape (..., n_weeks)
        0 to 7 a week (Sunday to Saturday; the first week may be shorter).
    """
    unchanged = np.diff(np.asarray(cumulative), axis=-1, prepend=0) == 0
    return to_weeks(np.cumsum(unchanged, axis=-1), dates)[0]


def weekly_only_since(zeros: npt.ArrayLike, weekly: npt.ArrayLike, weeks: Dates, *, min_zero_days: int = 5, share: float = 0.9,
                      minimum_weeks: int = 8, minimum_count: int = 20) -> date | None:
    """Find the week from which a country reports about once a week, to the end of its series.

    Weeks with fewer than ``minimum_count`` new counts are not judged: in them empty days come by chance.

    Parameters
    ----------
    zeros : array-like of int, shape (n_weeks,)
        Result of `zero_days`.
    weekly : array-like of int, shape (n_weeks,)
        New counts of the same weeks.
    weeks : ndarray of datetime64[D], shape (n_weeks,)
        Saturdays.
    min_zero_days : int, default 5
        Days without a new count that make a week one of weekly reporting.
    share : float, default 0.9
        Least share of such weeks from the one sought to the end.
    minimum_weeks : int, default 8
        Least number of judged weeks from there to the end.
    minimum_count : int, default 20
        Least new count of a judged week.

    Returns
    -------
    date or None
        Saturday of the first such week; None if the country did not turn to weekly reports.
    """
    judged = np.flatnonzero(np.asarray(weekly) >= minimum_count)
    if judged.size < minimum_weeks:
        return None
    once = np.asarray(zeros)[judged] >= min_zero_days
    from_here = once[::-1].cumsum()[::-1] / np.arange(judged.size, 0, -1)
    enough = np.arange(judged.size) <= judged.size - minimum_weeks
    first = np.flatnonzero(once & enough & (from_here >= share))
    day: date | None = weeks[judged[first[0]]].astype(date) if first.size else None
    return day


def find_dumps(cumulative: npt.ArrayLike, dates: Dates, *, share: float = 0.5, window_days: int = 29,
               minimum_count: int = 100) -> list[tuple[date, int, float]]:
    """Find days that hold an implausible share of all that was counted around them.

    Parameters
    ----------
    cumulative : array-like of int, shape (n_days,)
        Cumulative counts as published.
    dates : ndarray of datetime64[D], shape (n_days,)
        Consecutive days.
    share : float, default 0.5
        Least share of the window's counts; once-a-week reports hold about a quarter of four weeks.
    window_days : int, default 29
        Days of the window, the day in its middle.
    minimum_count : int, default 100
        Least count of such a day.

    Returns
    -------
    list of (date, int, float)
        Day, count and share; the first and last half window of a series are not judged.
    """
    new = np.clip(np.diff(np.asarray(cumulative, dtype=np.int64), prepend=0), 0, None)
    half = window_days // 2
    if new.size < 2 * half + 1:
        return []
    total = np.convolve(new, np.ones(2 * half + 1, dtype=np.int64), mode="valid")
    middle = new[half:new.size - half]
    days = np.flatnonzero((middle >= minimum_count) & (middle >= share * total))
    return [(dates[day + half].astype(date), int(middle[day]), float(middle[day] / total[day])) for day in days]


def find_stale(weekly: npt.ArrayLike, weeks: Dates, *, minimum_weeks: int = 8,
               minimum_total: int = 100) -> list[tuple[date, date, int, bool]]:
    """Find runs of weeks without any new count after the series had begun in earnest.

    Parameters
    ----------
    weekly : array-like of int, shape (n_weeks,)
        New counts.
    weeks : ndarray of datetime64[D], shape (n_weeks,)
        Saturdays.
    minimum_weeks : int, default 8
        Least length of a run.
    minimum_total : int, default 100
        Cumulative count from which runs are looked for.

    Returns
    -------
    list of (date, date, int, bool)
        First and last week, number of weeks, and whether the run lasts to the end of the series.
    """
    values = np.asarray(weekly)
    still = (values == 0) & (np.cumsum(values) >= minimum_total)
    edges = np.flatnonzero(np.diff(np.r_[0, still.astype(np.int8), 0]))
    return [(weeks[start].astype(date), weeks[stop - 1].astype(date), int(stop - start), bool(stop == values.size))
            for start, stop in edges.reshape(-1, 2) if stop - start >= minimum_weeks]


def find_artefacts(daily: DailyCounts, weekly: WeeklyCounts, settings: WavesSettings) -> dict[str, Any]:
    """Look for all artefacts in all countries.

    Parameters
    ----------
    daily : DailyCounts
        Cumulative counts as published.
    weekly : WeeklyCounts
        Weekly counts of the same countries.
    settings : WavesSettings
        Thresholds.

    Returns
    -------
    dict
        ``weekly_only_since`` (by country, of cases), ``zero_days`` (ndarray, countries by weeks, of cases), and the tables ``dumps`` and
        ``stale``.
    """
    zeros = zero_days(daily.cases, daily.dates)
    since = [weekly_only_since(zeros[i], weekly.cases_raw[i], weekly.weeks, min_zero_days=settings.weekly_zero_days,
                               share=settings.weekly_share, minimum_weeks=settings.weekly_minimum_weeks,
                               minimum_count=settings.weekly_minimum_count) for i in range(len(daily.countries))]
    dumps, stale = [], []
    for measure in ("cases", "deaths"):
        for country, cumulative, new in zip(daily.countries, getattr(daily, measure), getattr(weekly, measure), strict=True):
            dumps += [(country, measure, *row) for row in find_dumps(
                cumulative, daily.dates, share=settings.dump_share, window_days=settings.dump_window_days,
                minimum_count=settings.dump_minimum_count)]
            stale += [(country, measure, *row) for row in find_stale(
                new, weekly.weeks, minimum_weeks=settings.stale_weeks, minimum_total=settings.stale_minimum_total)]
    return {"weekly_only_since": dict(zip(daily.countries, since, strict=True)), "zero_days": zeros, "dumps": _table(dumps, DUMP_SCHEMA),
            "stale": _table(stale, STALE_SCHEMA)}


def _table(rows: Sequence[tuple[Any, ...]], schema: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(list(rows), schema=schema, orient="row")
