"""From the long table of admissions to what was known at a reference date, on a scale where places and seasons are alike.

The scale is the fourth root of weekly admissions per 100,000 plus a small constant: it steadies the variance of counts, and turns
growth into changes of like size in small and large states.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.exceptions import SchemaError
from outcomes_analysis.forecast.settings import ForecastSettings
from outcomes_analysis.forecast.tiles import REGIONS

Floats = NDArray[np.float64]
NATIONAL = "US"
WEEK = timedelta(days=7)
COLUMNS = {"week_ending": pl.Date, "location": pl.String, "abbreviation": pl.String, "population": None, "admissions": None}


@dataclass(frozen=True)
class Panel:
    """Weekly series of all places up to a week.

    Attributes
    ----------
    weeks : list of date
        Saturdays without a gap, oldest first.
    locations : list of str
        FIPS codes, and ``US``.
    population : ndarray of shape (n_locations,)
        Persons.
    regions : ndarray of int, shape (n_locations,)
        Health region; 0 where there is none.
    observed : ndarray of bool, shape (n_weeks, n_locations)
        Whether the week was reported.
    level : ndarray of shape (n_weeks, n_locations)
        Transformed admissions; a week that was not reported repeats the one before it, and weeks before the first report repeat that.
    rate_offset : float
        The constant of the transformation.
    """

    weeks: list[date]
    locations: list[str]
    population: Floats
    regions: NDArray[np.int64]
    observed: NDArray[np.bool_]
    level: Floats
    rate_offset: float

    def outcome(self, week: date, locations: list[str]) -> Floats:
        """Look up what happened in a week.

        Parameters
        ----------
        week : date
            A Saturday.
        locations : list of str
            Places.

        Returns
        -------
        ndarray of shape (n_locations,)
            Transformed admissions; NaN where the week is not known or was not reported.
        """
        values = np.full(len(locations), np.nan)
        row = (week - self.weeks[0]).days // 7
        if 0 <= row < len(self.weeks):
            column = {name: i for i, name in enumerate(self.locations)}
            for i, name in enumerate(locations):
                if name in column and self.observed[row, column[name]]:
                    values[i] = self.level[row, column[name]]
        return values


def to_scale(admissions: Floats, population: Floats, rate_offset: float) -> Floats:
    """Transform admissions a week.

    Parameters
    ----------
    admissions, population : ndarray
        Counts and persons, of shapes that fit each other.
    rate_offset : float
        Admissions per 100,000 that are added first.

    Returns
    -------
    ndarray
        Fourth root of the rate.
    """
    return np.asarray((admissions / population * 1e5 + rate_offset) ** 0.25)


def from_scale(level: Floats, population: Floats, rate_offset: float) -> Floats:
    """Turn transformed values back into admissions a week.

    Parameters
    ----------
    level, population : ndarray
        Transformed values and persons, of shapes that fit each other.
    rate_offset : float
        The constant that was added.

    Returns
    -------
    ndarray
        Admissions, at least 0.
    """
    return np.asarray(np.maximum(np.maximum(level, 0) ** 4 - rate_offset, 0) * population / 1e5)


def check_admissions(admissions: pl.DataFrame) -> pl.DataFrame:
    """Check the table of weekly admissions.

    Parameters
    ----------
    admissions : polars.DataFrame
        ``week_ending``, ``location``, ``abbreviation``, ``population``, ``admissions``; a week that is absent counts as not reported.

    Returns
    -------
    polars.DataFrame
        The same rows, sorted by place and week.

    Raises
    ------
    SchemaError
        If a column is missing, a week occurs twice, a date is not a Saturday, a count is negative, or a place has no value at all.
    """
    missing = [name for name in COLUMNS if name not in admissions.columns]
    if missing:
        raise SchemaError(f"admissions must have the columns {list(COLUMNS)}; missing {missing}. Use load_flusight_admissions.")
    twice = admissions.filter(admissions.select("location", "week_ending").is_duplicated())
    days = admissions.filter(pl.col("week_ending").dt.weekday() != 6)
    negative = admissions.filter(pl.col("admissions") < 0)
    for rows, what in ((twice, "have each week of a place once"), (days, "end weeks on Saturdays"), (negative, "hold no negative count")):
        if not rows.is_empty():
            row = rows.row(0, named=True)
            raise SchemaError(f"admissions must {what}; got {row['location']} {row['week_ending']}: {row['admissions']}. Correct it.")
    silent = admissions.group_by("location").agg(pl.col("admissions").count()).filter(pl.col("admissions") == 0)["location"].sort()
    if len(silent):
        raise SchemaError(f"every place must have a reported week; {silent[0]!r} has none. Leave it out of the table.")
    return admissions.sort("location", "week_ending")


def known_at(admissions: pl.DataFrame, reference_date: date, settings: ForecastSettings) -> Panel:
    """Build the panel of what was known at a reference date: weeks that ended seven days before it or earlier.

    Parameters
    ----------
    admissions : polars.DataFrame
        Result of `check_admissions`.
    reference_date : date
        A Saturday.
    settings : ForecastSettings
        ``rate_offset``; a place silent for the last ``max_gap_weeks`` is left out; fewer than ``minimum_weeks`` weeks are an error.

    Returns
    -------
    Panel
        Everything a forecast of that date may use.

    Raises
    ------
    SchemaError
        If too few weeks are known.
    """
    last = reference_date - WEEK
    known = admissions.filter(pl.col("week_ending") <= last)
    first = known["week_ending"].min()
    n_weeks = (last - first).days // 7 + 1 if isinstance(first, date) else 0
    if n_weeks < settings.minimum_weeks:
        raise SchemaError(f"reference date {reference_date}: {settings.minimum_weeks} weeks must be known before it; got {n_weeks}. "
                          "Choose a later date.")
    weeks = [last - WEEK * back for back in range(n_weeks - 1, -1, -1)]
    wide = (pl.DataFrame({"week_ending": weeks}).join(known.pivot("location", index="week_ending", values="admissions"), on="week_ending",
                                                      how="left").sort("week_ending").drop("week_ending"))
    alive = [name for name in sorted(wide.columns) if wide[name].tail(settings.max_gap_weeks).count()]
    places = {row["location"]: row for row in known.unique("location").iter_rows(named=True)}
    return _panel(weeks, wide.select(alive).to_numpy().astype(np.float64), [places[name] for name in alive], settings)


def _panel(weeks: list[date], counts: Floats, places: list[Mapping[str, object]], settings: ForecastSettings) -> Panel:
    population = np.array([place["population"] for place in places], dtype=np.float64)
    observed = np.isfinite(counts)
    level = to_scale(counts, population, settings.rate_offset)
    level[0] = level[observed.argmax(axis=0), np.arange(len(places))]
    for week in range(1, len(weeks)):
        level[week] = np.where(observed[week], level[week], level[week - 1])
    regions = np.array([REGIONS.get(str(place["abbreviation"]), 0) for place in places], dtype=np.int64)
    return Panel(weeks, [str(place["location"]) for place in places], population, regions, observed, level, settings.rate_offset)
