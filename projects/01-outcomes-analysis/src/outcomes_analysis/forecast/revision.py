"""What was known at the time: the last week as it was first published, in place of today's revised count.

The median of FluSight-baseline is the last reported count, so its file holds each place's last week as first published. Putting that
back takes away part of the advantage of forecasting with today's data; the weeks before it stay as revised later.
"""

from datetime import date, timedelta

import polars as pl

from outcomes_analysis.forecast.panel import WEEK

_SETTLED = timedelta(weeks=4)
_DATES = 26
_MINIMUM = 4


def first_published(baseline: pl.DataFrame) -> pl.DataFrame:
    """Read the last reported week of each reference date from the official baseline.

    Parameters
    ----------
    baseline : polars.DataFrame
        Forecasts of FluSight-baseline.

    Returns
    -------
    polars.DataFrame
        ``reference_date``, ``week_ending``, ``location``, ``published``.
    """
    medians = baseline.filter((pl.col("horizon") == 0) & ((pl.col("quantile_level") - 0.5).abs() < 1e-9))
    return medians.select("reference_date", (pl.col("reference_date") - WEEK).alias("week_ending"), "location",
                          pl.col("value").alias("published"))


def as_published(admissions: pl.DataFrame, published: pl.DataFrame, reference_date: date) -> pl.DataFrame:
    """Replace the last known week by what was first published, raised by the usual revision of earlier dates.

    Parameters
    ----------
    admissions : polars.DataFrame
        Result of `check_admissions`.
    published : polars.DataFrame
        Result of `first_published`.
    reference_date : date
        A Saturday.

    Returns
    -------
    polars.DataFrame
        The same rows. The factor is each place's median ratio of settled to first published counts over up to 26 dates that lie four
        weeks or more back; 1 where there are fewer than four.
    """
    past = published.filter(pl.col("reference_date") <= reference_date - _SETTLED).join(admissions, on=["location", "week_ending"])
    ratios = past.sort("reference_date").group_by("location").agg(
        ((pl.col("admissions") + 1) / (pl.col("published") + 1)).tail(_DATES).median().alias("factor"), pl.len().alias("dates"))
    factor = pl.when(pl.col("dates") >= _MINIMUM).then("factor").otherwise(1.0).fill_null(1.0)
    now = published.filter(pl.col("reference_date") == reference_date).join(ratios, on="location", how="left")
    now = now.select("location", "week_ending", (pl.col("published") * factor).alias("first"))
    replaced = admissions.join(now, on=["location", "week_ending"], how="left", maintain_order="left")
    return replaced.with_columns(pl.coalesce("first", "admissions").alias("admissions")).drop("first")
