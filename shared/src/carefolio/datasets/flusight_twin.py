"""A synthetic twin of the FluSight tables, for machines that cannot get the real ones.

Codes and names of the places are real; populations and admissions are made up. Assumed is one wave a winter, around New Year,
earlier or later by place. The forecasts of both models follow a naive rule on the twin's own admissions: the last value known,
for the ensemble with half of the last change, and a normal distribution of the square root. Results on the twin show that code
runs. They say nothing about influenza or about the hub's models.
"""

from __future__ import annotations

from datetime import date, timedelta
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.flusight import HORIZONS, NAME, QUANTILE_LEVELS, Model

if TYPE_CHECKING:
    import polars as pl

Vector = np.ndarray[Any, np.dtype[Any]]

FIRST_WEEK, N_WEEKS = date(2022, 2, 5), 231
STATES = (
    ("01", "AL", "Alabama"), ("02", "AK", "Alaska"), ("04", "AZ", "Arizona"), ("05", "AR", "Arkansas"), ("06", "CA", "California"),
    ("08", "CO", "Colorado"), ("09", "CT", "Connecticut"), ("10", "DE", "Delaware"), ("11", "DC", "District of Columbia"),
    ("12", "FL", "Florida"), ("13", "GA", "Georgia"), ("15", "HI", "Hawaii"), ("16", "ID", "Idaho"), ("17", "IL", "Illinois"),
    ("18", "IN", "Indiana"), ("19", "IA", "Iowa"), ("20", "KS", "Kansas"), ("21", "KY", "Kentucky"), ("22", "LA", "Louisiana"),
    ("23", "ME", "Maine"), ("24", "MD", "Maryland"), ("25", "MA", "Massachusetts"), ("26", "MI", "Michigan"), ("27", "MN", "Minnesota"),
    ("28", "MS", "Mississippi"), ("29", "MO", "Missouri"), ("30", "MT", "Montana"), ("31", "NE", "Nebraska"), ("32", "NV", "Nevada"),
    ("33", "NH", "New Hampshire"), ("34", "NJ", "New Jersey"), ("35", "NM", "New Mexico"), ("36", "NY", "New York"),
    ("37", "NC", "North Carolina"), ("38", "ND", "North Dakota"), ("39", "OH", "Ohio"), ("40", "OK", "Oklahoma"), ("41", "OR", "Oregon"),
    ("42", "PA", "Pennsylvania"), ("44", "RI", "Rhode Island"), ("45", "SC", "South Carolina"), ("46", "SD", "South Dakota"),
    ("47", "TN", "Tennessee"), ("48", "TX", "Texas"), ("49", "UT", "Utah"), ("50", "VT", "Vermont"), ("51", "VA", "Virginia"),
    ("53", "WA", "Washington"), ("54", "WV", "West Virginia"), ("55", "WI", "Wisconsin"), ("56", "WY", "Wyoming"),
    ("72", "PR", "Puerto Rico"))
NOT_REPORTED = {"54": (date(2024, 5, 18), date(2024, 9, 14)), "56": (date(2024, 6, 1), date(2024, 9, 28))}
"""First and last of the weeks, 18 in each place, without a report."""
KNOWN_BEFORE_WEEKS = 2
"""The last week whose admissions a forecast may use ends this many weeks before the reference date."""


def make_flusight_admissions_twin(random_state: int) -> pl.DataFrame:
    """Generate weekly admissions with the schema of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        52 places and their sum ``US``, 231 weeks each, sorted by place and week; a missing report counts 0 in the sum.
    """
    import polars as pl

    counts, population = _admissions(random_state)
    places = [*STATES, ("US", "US", "US")]
    weeks = pl.date_range(FIRST_WEEK, FIRST_WEEK + timedelta(weeks=N_WEEKS - 1), "1w", eager=True)
    place, week = np.divmod(np.arange(counts.size), N_WEEKS)
    fips, abbreviation, name = (pl.Series([entry[part] for entry in places]) for part in range(3))
    return pl.DataFrame({
        "week_ending": weeks.gather(week), "location": fips.gather(place), "location_name": name.gather(place),
        "abbreviation": abbreviation.gather(place), "population": pl.Series(population).gather(place),
        "admissions": pl.Series(counts.ravel(), nan_to_null=True)})


def make_flusight_forecasts_twin(model: Model, random_state: int) -> pl.DataFrame:
    """Generate forecasts of the twin's admissions, at the reference dates of the real files.

    Parameters
    ----------
    model : {"FluSight-baseline", "FluSight-ensemble"}
        The ensemble has no horizon -1 after its first season, as in the real file.
    random_state : int
        Seed of the admissions that are forecast.

    Returns
    -------
    polars.DataFrame
        Sorted by reference date, horizon, place and quantile level; quantiles do not cross.
    """
    import polars as pl

    counts, _ = _admissions(random_state)
    known = np.where(np.isnan(counts), 0.0, counts)
    dates = [date.fromisoformat(part) for part in find_dataset(NAME).file(f"{model}_wk_inc_flu_hosp_quantiles.parquet").parts]
    keys = [(day, horizon) for day in dates for horizon in HORIZONS if model == "FluSight-baseline" or horizon >= 0 or day.year < 2024]
    values = np.stack([_quantiles(known, day, horizon, 0.5 * (model == "FluSight-ensemble")) for day, horizon in keys])
    places = pl.Series([fips for fips, _, _ in STATES] + ["US"])
    forecast, place, level = (index.ravel() for index in np.indices(values.shape))
    made = pl.DataFrame({"reference_date": [day for day, _ in keys], "horizon": pl.Series([horizon for _, horizon in keys], dtype=pl.Int32),
                         "target_end_date": [day + timedelta(weeks=horizon) for day, horizon in keys]})
    return made[forecast].with_columns(places.gather(place).alias("location"), pl.Series("quantile_level", QUANTILE_LEVELS).gather(level),
                                       pl.Series("value", values.ravel()))


def _admissions(random_state: int) -> tuple[Vector, Vector]:
    """Give weekly admissions, shape (53, weeks), NaN where not reported, and the populations; the last row is the whole country."""
    rng = np.random.default_rng(random_state)
    n = len(STATES)
    population = 500_000 * (1 + 7 * np.arange(n) % 24)
    weeks = np.arange(N_WEEKS)
    centres = (47 + 52.2 * np.arange(-1, 5)) + rng.normal(0, 1.5, 6) + rng.normal(0, 1.5, (n, 6))
    heights = rng.uniform(3, 12, 6) * np.exp(rng.normal(0, 0.2, (n, 6)))
    rate = 0.15 + (heights[:, None] * np.exp(-0.5 * ((weeks[:, None] - centres[:, None]) / 3.5) ** 2)).sum(axis=2)
    counts = rng.poisson(rate * population[:, None] / 100_000 * np.exp(rng.normal(0, 0.08, (n, N_WEEKS)))).astype(float)
    for row, (fips, _, _) in enumerate(STATES):
        if fips in NOT_REPORTED:
            first, last = (_week(day) for day in NOT_REPORTED[fips])
            counts[row, first : last + 1] = np.nan
    return np.vstack([counts, np.nansum(counts, axis=0)]), np.append(population, population.sum())


def _quantiles(known: Vector, reference: date, horizon: int, trend: float) -> Vector:
    """Forecast one week for all places, shape (53, 23)."""
    last = _week(reference) - KNOWN_BEFORE_WEEKS
    steps = horizon + KNOWN_BEFORE_WEEKS
    middle = np.sqrt(np.maximum(known[:, last] + trend * steps * (known[:, last] - known[:, last - 1]), 0))
    spread = (0.4 + 0.08 * middle) * np.sqrt(steps)
    z = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])
    return np.round(np.maximum(middle[:, None] + spread[:, None] * z, 0) ** 2, 3)


def _week(day: date) -> int:
    return (day - FIRST_WEEK).days // 7
