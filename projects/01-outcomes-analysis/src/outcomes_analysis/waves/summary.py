"""One country's report: everything the analysis knows of it, for a span of weeks."""

from datetime import date
from typing import Any

import numpy as np
import polars as pl

from carefolio.exceptions import ConfigError
from outcomes_analysis.waves import describe, places
from outcomes_analysis.waves.analysis import analyse, make_tables
from outcomes_analysis.waves.settings import WavesSettings

WEEKLY = ("cases_per_100k", "deaths_per_100k", "r", "r_low", "r_high", "growth", "growth_half_width")
"""Lists of a country's entry with one number a week."""


def country_summary(covid: pl.DataFrame, population: pl.DataFrame, country: str, settings: WavesSettings, *, first: date | None = None,
                    last: date | None = None, seed: int = 0) -> dict[str, Any]:
    """Describe one country.

    Parameters
    ----------
    covid : polars.DataFrame
        Cumulative counts of all countries, one row a province and day.
    population : polars.DataFrame
        ``location, m49, population``.
    country : str
        JHU's name, the UN's, or a common one such as "USA".
    settings : WavesSettings
        Settings.
    first, last : date, optional
        Weeks that end in this span are listed; by default all. Fatality, waves and intervals always rest on the whole series.
    seed : int, default 0
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``country``, ``note`` (or None), ``weeks`` (Saturdays), ``entry`` (as in the curves of `evaluate`, weekly lists cut to the span and
        waves that overlap it), ``totals`` (cases and deaths in the span, and per 100,000), ``weekly`` (polars.DataFrame), ``corrections``,
        ``dumps`` and ``stale`` (lists of dict).

    Raises
    ------
    ConfigError
        If the country is not known (close names are suggested), or no week ends in the span.
    SchemaError
        If the series has a gap; its days are named.
    """
    if covid.is_empty():
        raise ConfigError("the counts hold no row, so there is no country to choose. Run the data step, or widen the filter.")
    known, _ = places.split_entries(covid["country"].unique().sort().to_list())
    name = places.resolve_country(country, known)
    analysis = analyse(covid.filter(pl.col("country") == name), population, settings, seed=seed)
    weeks = analysis.weekly.weeks
    inside = (weeks >= np.datetime64(first or date.min)) & (weeks <= np.datetime64(last or date.max))
    if not inside.any():
        raise ConfigError(f"{name}: no week ends between {first or 'the start'} and {last or 'the end'}; the data reach from {weeks[0]} to "
                          f"{weeks[-1]}. Choose dates within.")
    tables = make_tables(analysis)
    span = pl.col("week_ending").is_between(pl.lit(weeks[inside][0].astype(date)), pl.lit(weeks[inside][-1].astype(date)))
    weekly = tables["covid19_weekly"].filter(span)
    days = {"covid19_corrections": "date", "covid19_dumps": "date", "covid19_stale": "last_week"}
    begin, end = first or date.min, last or date.max
    listed = {table.removeprefix("covid19_"): tables[table].filter(pl.col(day).is_between(begin, end)).to_dicts()
              for table, day in days.items()}
    totals = {measure: weekly[measure].sum() for measure in ("cases", "deaths", "cases_per_100k", "deaths_per_100k")}
    return {"country": name, "note": places.read_places()["notes"].get(name), "weeks": [str(week) for week in weeks[inside]],
            "entry": _cut(describe.country_entry(analysis, 0, settings), weeks, inside), "totals": totals, "weekly": weekly, **listed}


def _cut(entry: dict[str, Any], weeks: Any, inside: Any) -> dict[str, Any]:
    places_kept = np.flatnonzero(inside)
    start, stop = int(places_kept[0]), int(places_kept[-1]) + 1
    cut = entry | {name: entry[name][start:stop] for name in WEEKLY}
    cut["raw_per_100k"] = {
        measure: {"week": [week - start for week in found["week"] if start <= week < stop],
                  "raw": [raw for week, raw in zip(found["week"], found["raw"], strict=True) if start <= week < stop]}
        for measure, found in entry["raw_per_100k"].items()}
    first, last = str(weeks[start]), str(weeks[stop - 1])
    cut["waves"] = [wave for wave in entry["waves"] if wave["start"] <= last and wave["end"] >= first]
    return cut
