"""A synthetic twin of the COVID-19 series, for machines that cannot get the real ones.

Names and places are real; every count is generated. Assumed are a few waves a country, fewer reports on weekends, deaths that
follow cases by three weeks in a share that falls over time, and the flaws of the real files: a correction that lowers the
cumulative count, a backlog reported on one day, and countries that come to report once a week. Results on the twin show that
code runs. They say nothing about the pandemic.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import polars as pl

Vector = np.ndarray[Any, np.dtype[Any]]

FIRST_DAY, LAST_DAY = date(2020, 1, 22), date(2023, 3, 9)
SERIES: tuple[tuple[str, str | None, float | None, float | None, float], ...] = (
    ("Australia", "New South Wales", -33.9, 151.2, 8.0), ("Australia", "Victoria", -37.8, 145.0, 6.0),
    ("Brazil", None, -14.2, -51.9, 200.0), ("Canada", "Ontario", 51.3, -85.3, 15.0),
    ("Canada", "Repatriated Travellers", None, None, 0.0), ("France", None, 46.2, 2.2, 65.0),
    ("France", "Reunion", -21.1, 55.2, 0.9), ("Germany", None, 51.2, 10.5, 80.0), ("India", None, 20.6, 79.0, 1400.0),
    ("Italy", None, 41.9, 12.6, 60.0), ("Japan", None, 36.2, 138.3, 125.0), ("Korea, South", None, 35.9, 127.8, 50.0),
    ("Mexico", None, 23.6, -102.6, 125.0), ("South Africa", None, -30.6, 22.9, 60.0), ("Sweden", None, 60.1, 18.6, 10.0),
    ("US", None, 40.0, -100.0, 330.0), ("United Kingdom", None, 55.4, -3.4, 67.0), ("Winter Olympics 2022", None, 39.9, 116.4, 0.01))
"""Country, province, latitude, longitude, and a round number of millions of people; sorted as the loader sorts."""
WEEKLY_FROM = {"Sweden": date(2021, 7, 5), "Germany": date(2022, 11, 1), "US": date(2022, 6, 1)}
"""Countries that report once a week from this day on."""
CORRECTED = {"France": date(2021, 5, 20), "India": date(2021, 8, 9)}
"""Countries whose cumulative cases fall by a tenth of the last four weeks' cases on this day."""
BACKLOG = {"Mexico": date(2020, 10, 5), "Brazil": date(2021, 9, 18)}
"""Countries that report a third of the last four weeks' cases and deaths once more, as a backlog, on this day."""
DEATH_DELAY_DAYS = 21


def make_covid19_jhu_twin(random_state: int) -> pl.DataFrame:
    """Generate daily cumulative counts with the schema of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        One row a series and day, sorted by country, province and date.
    """
    import polars as pl

    rng = np.random.default_rng(random_state)
    days = pl.date_range(FIRST_DAY, LAST_DAY, "1d", eager=True)
    counts = [_series(country, millions, len(days), rng) for country, _, _, _, millions in SERIES]
    places = pl.DataFrame([(row[1], row[0], row[2], row[3]) for row in SERIES], orient="row",
                          schema={"province": pl.String, "country": pl.String, "latitude": pl.Float64, "longitude": pl.Float64})
    series, day = np.divmod(np.arange(len(SERIES) * len(days)), len(days))
    return places[series].with_columns(days.gather(day).alias("date"),
                                       pl.Series("confirmed", np.concatenate([cases for cases, _ in counts])),
                                       pl.Series("deaths", np.concatenate([deaths for _, deaths in counts])))


def _series(country: str, millions: float, n_days: int, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Generate the cumulative cases and deaths of one series."""
    expected = _waves(n_days, rng) * millions * 10
    expected[: rng.integers(20, 60)] = 0
    cases = _reported(country, _noisy_counts(expected, rng))
    delayed = np.concatenate([np.zeros(DEATH_DELAY_DAYS), expected[:-DEATH_DELAY_DAYS]])
    deaths = _reported(country, _noisy_counts(delayed * np.linspace(0.025, 0.002, n_days), rng))
    if country in BACKLOG:
        day = _day(BACKLOG[country])
        for daily in (cases, deaths):
            daily[day] += daily[day - 28 : day].sum() // 3
    if country in CORRECTED:
        day = _day(CORRECTED[country])
        cases[day] = -(cases[day - 28 : day].sum() // 10)
    return np.cumsum(cases), np.cumsum(deaths)


def _waves(n_days: int, rng: np.random.Generator) -> Vector:
    """Give expected daily cases per 100,000 people: seven waves, the sixth by far the largest."""
    days = np.arange(n_days)
    centres = np.array([75, 290, 370, 460, 580, 740, 930]) + rng.normal(0, 15, 7)
    heights = np.array([5, 20, 25, 20, 25, 200, 50]) * np.exp(rng.normal(0, 0.4, 7))
    widths = rng.uniform(18, 35, 7)
    return 0.3 + (heights * np.exp(-0.5 * ((days[:, None] - centres) / widths) ** 2)).sum(axis=1)


def _noisy_counts(expected: Vector, rng: np.random.Generator) -> Vector:
    weekday = (np.arange(len(expected)) + FIRST_DAY.weekday()) % 7
    factor = np.array([0.9, 1.15, 1.15, 1.15, 1.15, 0.85, 0.65])[weekday]
    return rng.poisson(expected * factor * np.exp(rng.normal(0, 0.1, len(expected)))).astype(np.int64)


def _reported(country: str, daily: Vector) -> Vector:
    """Move each week's counts to its Wednesday once the country reports weekly."""
    if country not in WEEKLY_FROM:
        return daily
    weekday = (np.arange(len(daily)) + FIRST_DAY.weekday()) % 7
    weekly, start, waiting = daily.copy(), _day(WEEKLY_FROM[country]), np.int64(0)
    for day in range(start, len(daily)):
        waiting += daily[day]
        weekly[day] = waiting if weekday[day] == 2 else 0
        waiting = np.int64(0) if weekday[day] == 2 else waiting
    return weekly


def _day(when: date) -> int:
    return (when - FIRST_DAY).days
