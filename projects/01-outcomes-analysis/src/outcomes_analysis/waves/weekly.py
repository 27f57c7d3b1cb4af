"""From cumulative counts a day and province to new counts a week and country, with every downward correction repaired and listed.

A week runs from Sunday to Saturday, as in the epidemiological weeks of the CDC, and is named by its Saturday. Days after the last
Saturday are left out. The first week holds all that was counted up to its Saturday.

A cumulative count can fall when an authority takes cases back. The repair keeps the total after the fall and asks which days the
withdrawn cases had been counted on:

- ``latest_days``: the fall is no larger than what the days just before it added (a typing error, a dump taken back). The latest counts
  are withdrawn first: the backward cumulative minimum.
- ``dip``: larger, but the count is back where it was within those days. The low values were the error; they are raised.
- ``all_earlier``: larger, and it stays (duplicates removed, a new definition). Nobody knows the days, so all earlier counts are
  scaled down alike. The backward minimum would instead wipe out the weeks before the fall, up to several weeks at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from carefolio.exceptions import SchemaError
from outcomes_analysis.waves import places

Counts = npt.NDArray[np.int64]
Dates = npt.NDArray[np.datetime64]
COLUMNS = ("province", "country", "latitude", "longitude", "date", "confirmed", "deaths")
SATURDAY = 5


@dataclass(frozen=True)
class DailyCounts:
    """Cumulative counts of countries by day, as published.

    Attributes
    ----------
    countries : list of str
        Names as JHU writes them.
    dates : ndarray of datetime64[D], shape (n_days,)
        Consecutive days.
    cases, deaths : ndarray of int, shape (n_countries, n_days)
        Cumulative counts, provinces added up.
    latitude, longitude : ndarray of float, shape (n_countries,)
        Degrees; the mean of the provinces where the file has no point for the country.
    not_countries : dict of str to str
        Entries left out, and why.
    n_series : int
        Rows of the file behind the countries and the entries left out.
    series_drops : dict of str to int
        Number of days on which a province's cumulative count fell, by measure; a country's sum hides some of them.
    """

    countries: list[str]
    dates: Dates
    cases: Counts
    deaths: Counts
    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]
    not_countries: dict[str, str]
    n_series: int
    series_drops: dict[str, int]


@dataclass(frozen=True)
class WeeklyCounts:
    """New counts of countries by week.

    Attributes
    ----------
    countries : list of str
        Names as JHU writes them.
    weeks : ndarray of datetime64[D], shape (n_weeks,)
        The Saturday that ends each week.
    cases, deaths : ndarray of int, shape (n_countries, n_weeks)
        Repaired new counts, none below 0.
    cases_raw, deaths_raw : ndarray of int, shape (n_countries, n_weeks)
        New counts as published.
    corrections : polars.DataFrame
        Every fall of a country's cumulative count: ``country, measure, date, size, share`` (of the count before) and ``rule``.
    """

    countries: list[str]
    weeks: Dates
    cases: Counts
    deaths: Counts
    cases_raw: Counts
    deaths_raw: Counts
    corrections: pl.DataFrame


def find_gaps(covid: pl.DataFrame) -> pl.DataFrame:
    """List the days that a series lacks between the first and the last day of the table, or on which a count is empty.

    Parameters
    ----------
    covid : polars.DataFrame
        ``province, country, date, confirmed, deaths``.

    Returns
    -------
    polars.DataFrame
        ``country, province, date``, one row a missing day; empty if there is no gap.
    """
    key = ["country", "province"]
    whole = covid.drop_nulls(["confirmed", "deaths"])
    days = pl.DataFrame({"date": pl.date_range(covid["date"].min(), covid["date"].max(), eager=True)})  # type: ignore[arg-type]
    wanted = covid.select(key).unique().join(days, how="cross")
    return wanted.join(whole, on=[*key, "date"], how="anti", nulls_equal=True).select(*key, "date").sort(*key, "date")


def check_days(covid: pl.DataFrame) -> pl.DataFrame:
    """Sort the table by series and day, and refuse one with a gap.

    Parameters
    ----------
    covid : polars.DataFrame
        Cumulative counts, one row a province and day.

    Returns
    -------
    polars.DataFrame
        The same rows, sorted by country, province and date.

    Raises
    ------
    SchemaError
        If a column is missing, the table is empty, a day stands twice in a series, or a series lacks a day; the days are named.
    """
    missing = [name for name in COLUMNS if name not in covid.columns]
    if missing:
        raise SchemaError(f"the counts must have the columns {', '.join(COLUMNS)}; {missing[0]!r} is missing. Load them with "
                          "carefolio.datasets.covid19_jhu.")
    if covid.is_empty():
        raise SchemaError("the counts hold no row. Widen the filter of countries or dates.")
    ordered = covid.sort("country", "province", "date")
    n_series = ordered.select("country", "province").n_unique()
    dates = ordered["date"].to_numpy()
    span = int((dates.max() - dates.min()) // np.timedelta64(1, "D")) + 1
    expected = dates.min() + np.arange(span)
    whole = ordered.height == n_series * span and not ordered["confirmed"].has_nulls() and not ordered["deaths"].has_nulls()
    if whole and bool((dates.reshape(n_series, span) == expected).all()):
        return ordered
    _refuse_repeats(ordered)
    gaps = find_gaps(ordered)
    place = " ".join(str(part) for part in (gaps["province"][0], gaps["country"][0]) if part)
    of_place = gaps.filter((pl.col("country") == gaps["country"][0]) & pl.col("province").eq_missing(pl.lit(gaps["province"][0])))["date"]
    shown = ", ".join(str(day) for day in of_place[:5]) + (", ..." if of_place.len() > 5 else "")
    others = gaps.select("country", "province").n_unique() - 1
    raise SchemaError(f"{place}: the series must hold every day from {expected[0]} to {expected[-1]}; {of_place.len()} days are missing "
                      f"({shown}){f', and {others} other series have gaps too' if others else ''}. Fill them at the source or leave the "
                      "country out: a gap would count as a week without cases.")


def _refuse_repeats(ordered: pl.DataFrame) -> None:
    repeated = ordered.filter(ordered.select("country", "province", "date").is_duplicated())
    if repeated.height:
        row = repeated.row(0, named=True)
        raise SchemaError(f"{row['country']}: each day must stand once in a series; {row['date']} stands more than once. "
                          "Drop the repeated rows.")


def sum_provinces(covid: pl.DataFrame) -> DailyCounts:
    """Add provinces up to countries; ships, sports events and Antarctica are left out and listed.

    Parameters
    ----------
    covid : polars.DataFrame
        ``province, country, latitude, longitude, date, confirmed, deaths``: cumulative counts, one row a province and day.

    Returns
    -------
    DailyCounts
        Countries in alphabetical order.

    Raises
    ------
    SchemaError
        As `check_days`, or if no entry is a country.
    """
    ordered = check_days(covid)
    n_days = ordered["date"].n_unique()
    series = ordered[::n_days].select("country", "province", "latitude", "longitude")
    names = series["country"].unique(maintain_order=True).to_list()
    countries, others = places.split_entries(names)
    if not countries:
        raise SchemaError(f"the counts hold no country, only {', '.join(others)}. Choose a country.")
    starts = np.flatnonzero(np.r_[True, series["country"].to_numpy()[1:] != series["country"].to_numpy()[:-1]])
    kept = np.isin(names, countries)
    by_series = {name: ordered[name].to_numpy().astype(np.int64).reshape(-1, n_days) for name in ("confirmed", "deaths")}
    cases, deaths = (np.add.reduceat(values, starts, axis=0)[kept] for values in by_series.values())
    points = {row["country"]: row for row in _points(series).iter_rows(named=True)}
    latitude, longitude = (np.array([points[country][name] for country in countries], dtype=np.float64)
                           for name in ("latitude", "longitude"))
    drops = {measure: int((np.diff(by_series[name], axis=1) < 0).sum()) for measure, name in (("cases", "confirmed"), ("deaths", "deaths"))}
    dates = ordered["date"][:n_days].to_numpy().astype("datetime64[D]")
    return DailyCounts(countries, dates, cases, deaths, latitude, longitude, others, series.height, drops)


def _points(series: pl.DataFrame) -> pl.DataFrame:
    placed = (pl.col("latitude") != 0) | (pl.col("longitude") != 0)
    own = pl.col("province").is_null()
    return series.group_by("country").agg(
        *[pl.coalesce(pl.col(name).filter(own).first(), pl.col(name).filter(placed).mean()) for name in ("latitude", "longitude")])


def repair_cumulative(cumulative: npt.ArrayLike, *, recent_days: int = 7) -> tuple[Counts, list[tuple[int, int, float, str]]]:
    """Make a cumulative count rise only, keeping its last value.

    Parameters
    ----------
    cumulative : array-like of int, shape (n_days,)
        Cumulative count as published.
    recent_days : int, default 7
        Days before and after a fall within which its cause is sought; with at least ``n_days`` the repair is the backward
        cumulative minimum.

    Returns
    -------
    repaired : ndarray of int, shape (n_days,)
        Non-decreasing; its last value is the published one.
    falls : list of (int, int, float, str)
        For each fall its day, its size, the share of the count before that it is, and the rule that was used.

    Raises
    ------
    ValueError
        If ``recent_days`` is below 1.
    """
    if recent_days < 1:
        raise ValueError(f"recent_days must be at least 1; got {recent_days}. 7 looks a week back.")
    published = np.asarray(cumulative, dtype=np.int64)
    repaired, falls = published.copy(), []
    for day in np.flatnonzero(np.diff(published) < 0) + 1:
        before, size = repaired[day - 1], int(published[day - 1] - published[day])
        rule = "dip"
        if repaired[day] < before:
            rule = _repair_fall(repaired, int(day), recent_days)
        falls.append((int(day), size, size / max(int(published[day - 1]), 1), rule))
    return repaired, falls


def _repair_fall(values: Counts, day: int, recent_days: int) -> str:
    before, after = values[day - 1], values[day]
    recent = before - (values[day - 1 - recent_days] if day > recent_days else 0)
    if before - after <= recent:
        np.minimum(values[:day], after, out=values[:day])
        return "latest_days"
    back = np.flatnonzero(values[day:day + recent_days + 1] >= before)
    if back.size:
        np.maximum(values[day:day + back[0]], before, out=values[day:day + back[0]])
        return "dip"
    values[:day] = np.rint(values[:day] * (after / before)).astype(np.int64)
    return "all_earlier"


def to_weeks(cumulative: npt.ArrayLike, dates: Dates) -> tuple[Counts, Dates]:
    """Turn cumulative counts by day into new counts by week; days after the last Saturday are dropped.

    Parameters
    ----------
    cumulative : array-like of int, shape (..., n_days)
        Cumulative counts.
    dates : ndarray of datetime64[D], shape (n_days,)
        Consecutive days.

    Returns
    -------
    weekly : ndarray of int, shape (..., n_weeks)
        New counts; their sum is the cumulative count of the last Saturday.
    weeks : ndarray of datetime64[D], shape (n_weeks,)
        Saturdays.

    Raises
    ------
    SchemaError
        If the days hold no Saturday.
    """
    saturdays = _saturdays(dates)
    values = np.asarray(cumulative)[..., saturdays]
    return np.diff(values, axis=-1, prepend=0), dates[saturdays]


def _saturdays(dates: Dates) -> npt.NDArray[np.int64]:
    weekday = (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7
    saturdays = np.flatnonzero(weekday == SATURDAY)
    if not saturdays.size:
        raise SchemaError(f"the days from {dates[0]} to {dates[-1]} hold no end of a week (Saturday). Choose at least seven days.")
    return saturdays


def weekly_counts(daily: DailyCounts, *, recent_days: int) -> WeeklyCounts:
    """Repair the cumulative counts and take weekly differences.

    Parameters
    ----------
    daily : DailyCounts
        Cumulative counts.
    recent_days : int
        See `repair_cumulative`.

    Returns
    -------
    WeeklyCounts
        Repaired and raw counts; both add up to the published count of the last Saturday.
    """
    last = _saturdays(daily.dates)[-1] + 1
    dates, found, rows = daily.dates[:last], {}, []
    for measure in ("cases", "deaths"):
        published = getattr(daily, measure)[:, :last]
        repaired = published.copy()
        for i in np.flatnonzero((np.diff(published, axis=1) < 0).any(axis=1)):
            repaired[i], falls = repair_cumulative(published[i], recent_days=recent_days)
            rows += [(daily.countries[i], measure, dates[day].astype(date), size, share, rule) for day, size, share, rule in falls]
        found[measure], weeks = to_weeks(repaired, dates)
        found[f"{measure}_raw"], _ = to_weeks(published, dates)
    return WeeklyCounts(daily.countries, weeks, corrections=_corrections(rows), **found)


def _corrections(rows: Sequence[tuple[Any, ...]]) -> pl.DataFrame:
    schema = {"country": pl.String, "measure": pl.String, "date": pl.Date, "size": pl.Int64, "share": pl.Float64, "rule": pl.String}
    return pl.DataFrame(list(rows), schema=schema, orient="row").sort("country", "measure", "date")


def per_100_000(counts: npt.ArrayLike, people: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Give counts per 100,000 people.

    Parameters
    ----------
    counts : array-like, shape (n_countries, ...)
        Counts.
    people : array-like, shape (n_countries,)
        Population; NaN where it is not known.

    Returns
    -------
    ndarray of float, shape (n_countries, ...)
        Rates per 100,000; NaN where the population is not known.
    """
    values = np.asarray(counts, dtype=np.float64)
    return values / np.asarray(people, dtype=np.float64).reshape(-1, *[1] * (values.ndim - 1)) * 1e5
