"""The whole analysis of the series once, as arrays: what `evaluate` and `summary` write down."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from outcomes_analysis.waves import compare, places, reporting, reproduction
from outcomes_analysis.waves.fatality import fatality_of
from outcomes_analysis.waves.settings import WavesSettings
from outcomes_analysis.waves.wave_detection import Wave, waves_of
from outcomes_analysis.waves.weekly import DailyCounts, WeeklyCounts, per_100_000, sum_provinces, weekly_counts

Array = npt.NDArray[np.float64]
SENSITIVITY = {"half": 0.5, "chosen": 1.0, "double": 2.0}
"""Factors on the prominence of a wave."""


@dataclass(frozen=True)
class Analysis:
    """Results of every country, in the order of ``weekly.countries``.

    Attributes
    ----------
    daily : DailyCounts
        Cumulative counts as published.
    weekly : WeeklyCounts
        Repaired and raw weekly counts.
    population : ndarray, shape (n_countries,)
        People, with the territories that the counts hold.
    rates : dict of str to ndarray, shape (n_countries, n_weeks)
        Cases and deaths per 100,000, repaired (``cases``, ``deaths``) and raw (``cases_raw``, ``deaths_raw``).
    waves : dict of str to list of list of Wave
        Waves by factor on the prominence (``half``, ``chosen``, ``double``) and country.
    artefacts : dict
        Result of `reporting.find_artefacts`.
    dynamics, dynamics_short : dict
        Results of `reproduction.dynamics` for the early generation time and for Omicron's.
    fatality : list of dict
        Result of `fatality.fatality_of` by country.
    """

    daily: DailyCounts
    weekly: WeeklyCounts
    population: Array
    rates: dict[str, Array]
    waves: dict[str, list[list[Wave]]]
    artefacts: dict[str, Any]
    dynamics: dict[str, Any]
    dynamics_short: dict[str, Any]
    fatality: list[dict[str, Any]]


def analyse(covid: pl.DataFrame, population: pl.DataFrame, settings: WavesSettings, *, seed: int) -> Analysis:
    """Run every step of the analysis on all countries of a table.

    Parameters
    ----------
    covid : polars.DataFrame
        ``province, country, latitude, longitude, date, confirmed, deaths``: cumulative counts, one row a province and day.
    population : polars.DataFrame
        ``location, m49, population``.
    settings : WavesSettings
        Settings.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Analysis
        Results by country.

    Raises
    ------
    SchemaError
        If a series has a gap, or a table lacks a column.
    """
    daily = sum_provinces(covid)
    weekly = weekly_counts(daily, recent_days=settings.recent_days)
    people = places.find_population(daily.countries, population)
    rates = {name: per_100_000(getattr(weekly, name), people) for name in ("cases", "deaths", "cases_raw", "deaths_raw")}
    waves = {name: [waves_of(rate, settings, prominence_factor=factor) for rate in rates["cases"]] for name, factor in SENSITIVITY.items()}
    found = [fatality_of(cases, deaths, own, settings, seed=seed)
             for cases, deaths, own in zip(weekly.cases, weekly.deaths, waves["chosen"], strict=True)]
    return Analysis(daily, weekly, people, rates, waves, reporting.find_artefacts(daily, weekly, settings),
                    reproduction.dynamics(weekly.cases, settings),
                    reproduction.dynamics(weekly.cases, settings, short_generation=True), found)


def make_tables(analysis: Analysis) -> dict[str, pl.DataFrame]:
    """Write the results of all countries as tables.

    Parameters
    ----------
    analysis : Analysis
        Results.

    Returns
    -------
    dict of str to polars.DataFrame
        ``covid19_weekly`` (country and week), ``covid19_waves`` (country and wave), ``covid19_world`` (country), ``covid19_corrections``,
        ``covid19_dumps``, ``covid19_stale`` and ``covid19_latest_week``.
    """
    weekly = _weekly_table(analysis)
    return {"covid19_weekly": weekly, "covid19_waves": _waves_table(analysis), "covid19_world": _world_table(analysis),
            "covid19_corrections": analysis.weekly.corrections, "covid19_dumps": analysis.artefacts["dumps"],
            "covid19_stale": analysis.artefacts["stale"], "covid19_latest_week": compare.latest_week(weekly)}


def _weekly_table(analysis: Analysis) -> pl.DataFrame:
    counts, n_weeks = analysis.weekly, analysis.weekly.weeks.size
    columns: dict[str, Any] = {"country": np.repeat(np.asarray(counts.countries, dtype=object), n_weeks).tolist(),
                               "week_ending": np.tile(counts.weeks, len(counts.countries))}
    columns |= {name: getattr(counts, name).ravel() for name in ("cases", "deaths", "cases_raw", "deaths_raw")}
    columns |= {f"{name}_per_100k": analysis.rates[name].ravel() for name in ("cases", "deaths")}
    for name, key in (("r", "reproduction"), ("growth", "growth")):
        band = analysis.dynamics[key]
        columns |= {name: band.value.ravel(), f"{name}_low": band.low.ravel(), f"{name}_high": band.high.ravel()}
    columns["days_without_report"] = analysis.artefacts["zero_days"].ravel()
    columns["missed_reports"] = analysis.dynamics["missed"].ravel()
    return pl.DataFrame(columns).with_columns(pl.col("week_ending").cast(pl.Date), pl.selectors.float().fill_nan(None))


def _waves_table(analysis: Analysis) -> pl.DataFrame:
    rows = []
    for i, country in enumerate(analysis.weekly.countries):
        for number, (wave, ratio) in enumerate(zip(analysis.waves["chosen"][i], analysis.fatality[i]["by_wave"], strict=True), 1):
            rows.append((country, number, *wave_dates(wave, analysis), wave.peak_rate, wave.total,
                         int(analysis.weekly.cases[i, wave.start:wave.end + 1].sum()), wave.ongoing,
                         *((ratio.value, ratio.low, ratio.high) if ratio else (None, None, None))))
    schema = {"country": pl.String, "wave": pl.Int64, "start": pl.Date, "peak": pl.Date, "end": pl.Date, "peak_per_100k": pl.Float64,
              "total_per_100k": pl.Float64, "cases": pl.Int64, "ongoing": pl.Boolean, "case_fatality": pl.Float64,
              "case_fatality_low": pl.Float64, "case_fatality_high": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def wave_dates(wave: Wave, analysis: Analysis) -> tuple[date, date, date]:
    """Give a wave's first, peak and last week.

    Parameters
    ----------
    wave : Wave
        A wave of the analysis.
    analysis : Analysis
        Holds the weeks.

    Returns
    -------
    tuple of date
        Three Saturdays.
    """
    start, peak, end = (analysis.weekly.weeks[place].astype(date) for place in (wave.start, wave.peak, wave.end))
    return start, peak, end


def _world_table(analysis: Analysis) -> pl.DataFrame:
    counts, overall = analysis.weekly, [found["overall"] for found in analysis.fatality]
    numbers = dict(counts.corrections.group_by("country").len().iter_rows())
    ratios = {part: pl.Series([getattr(ratio, name) if ratio else None for ratio in overall], dtype=pl.Float64)
              for part, name in (("case_fatality", "value"), ("case_fatality_low", "low"), ("case_fatality_high", "high"))}
    since = [analysis.artefacts["weekly_only_since"][country] for country in counts.countries]
    extras: dict[str, Any] = {
        "lag_weeks": [found["lag"].weeks for found in analysis.fatality],
        "lag_estimated": [found["lag"].estimated for found in analysis.fatality],
        **ratios,
        "negative_corrections": [numbers.get(country, 0) for country in counts.countries],
        "weekly_only_since": pl.Series(since, dtype=pl.Date),
    }
    weekly = {"cases": counts.cases, "deaths": counts.deaths, "cases_per_100k": analysis.rates["cases"],
              "deaths_per_100k": analysis.rates["deaths"]}
    return compare.world_table(counts.countries, analysis.population, (analysis.daily.latitude, analysis.daily.longitude),
                               weekly, analysis.waves["chosen"], extras)
