"""Countries side by side: aligned at the same point of the epidemic, ranked, and in their latest week."""

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from outcomes_analysis.waves.wave_detection import Wave

Array = npt.NDArray[np.float64]


def align(series: npt.ArrayLike, cumulative_deaths: npt.ArrayLike, *, threshold: float = 1.0) -> tuple[Array, npt.NDArray[np.int64]]:
    """Shift weekly series so that week 0 is the first in which cumulative deaths per 100,000 reached a threshold.

    Parameters
    ----------
    series : array-like, shape (n_countries, n_weeks)
        What is to be compared.
    cumulative_deaths : array-like, shape (n_countries, n_weeks)
        Cumulative deaths per 100,000.
    threshold : float, default 1
        Deaths per 100,000.

    Returns
    -------
    aligned : ndarray of float, shape (n_countries, n_weeks)
        Column k is k weeks after that week; NaN past the end, and for a country that never reached it.
    first : ndarray of int, shape (n_countries,)
        That week's index; -1 where it was never reached.
    """
    values, reached = np.asarray(series, dtype=np.float64), np.asarray(cumulative_deaths) >= threshold
    first = np.where(reached.any(axis=1), reached.argmax(axis=1), -1)
    columns = np.arange(values.shape[1]) + first[:, None]
    inside = (columns < values.shape[1]) & (first[:, None] >= 0)
    rows = np.arange(len(values))[:, None]
    return np.where(inside, values[rows, np.where(inside, columns, 0)], np.nan), first


def world_table(countries: list[str], population: Array, points: tuple[Array, Array], weekly: dict[str, Any], waves: list[list[Wave]],
                extras: dict[str, Any]) -> pl.DataFrame:
    """Put every country on one row.

    Parameters
    ----------
    countries : list of str
        Names.
    population : ndarray, shape (n_countries,)
        People; NaN where not known.
    points : pair of ndarray, shape (n_countries,)
        Latitude and longitude in degrees.
    weekly : dict of str to ndarray, shape (n_countries, n_weeks)
        ``cases`` and ``deaths`` (repaired counts), ``cases_per_100k`` and ``deaths_per_100k``.
    waves : list of list of Wave
        Waves of each country.
    extras : dict of str to list or polars.Series
        Further columns.

    Returns
    -------
    polars.DataFrame
        ``country, population, latitude, longitude, cases, deaths, cases_per_100k, deaths_per_100k, deaths_rank`` (1 = most deaths per
        100,000; empty without a population), ``peak_cases_per_100k`` and ``peak_deaths_per_100k`` (largest single week), ``waves``, and the
        extras.
    """
    totals = {name: values.sum(axis=1) for name, values in weekly.items()}
    frame = pl.DataFrame({
        "country": countries, "population": population, "latitude": points[0], "longitude": points[1],
        **{name: totals[name].astype(np.int64) for name in ("cases", "deaths")},
        **{name: totals[name] for name in ("cases_per_100k", "deaths_per_100k")},
        **{f"peak_{name}": weekly[name].max(axis=1) for name in ("cases_per_100k", "deaths_per_100k")},
        "waves": [len(found) for found in waves], **extras,
    }).with_columns(pl.selectors.float().fill_nan(None)).with_columns(pl.col("population").cast(pl.Int64))
    rank = pl.col("deaths_per_100k").rank("min", descending=True).cast(pl.Int64).alias("deaths_rank")
    return frame.with_columns(rank).select(*frame.columns[:8], "deaths_rank", *frame.columns[8:])


def latest_week(weekly: pl.DataFrame) -> pl.DataFrame:
    """Take the last week of each country beside the one before.

    Parameters
    ----------
    weekly : polars.DataFrame
        ``country, week_ending, cases_per_100k, deaths_per_100k`` and further columns, sorted by country and week.

    Returns
    -------
    polars.DataFrame
        The last row of each country with ``cases_per_100k_before``, the week before's.
    """
    before = pl.col("cases_per_100k").shift(1).over("country").alias("cases_per_100k_before")
    return weekly.with_columns(before).filter(pl.col("week_ending") == pl.col("week_ending").max())
