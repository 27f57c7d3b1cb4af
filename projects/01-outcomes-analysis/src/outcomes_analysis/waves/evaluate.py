"""Metrics, curves and tables of the waves."""

from typing import Any

import numpy as np
import polars as pl

from carefolio.evidence import Metric, metric
from outcomes_analysis.waves import describe, places
from outcomes_analysis.waves.analysis import Analysis, analyse, make_tables
from outcomes_analysis.waves.settings import WavesSettings

WEEK = "Sunday to Saturday, named by its Saturday; days after the last Saturday are left out"
FATALITY_NOTE = ("Deaths over the reported cases of some weeks before. It is not an infection fatality ratio: most of its movement is "
                 "testing and reporting.")
REPRODUCTION_NOTE = ("By date of report, one to two weeks after infection; the interval covers the noise of reporting, not the choice of "
                     "the generation time.")
LARGEST = 60


def evaluate(covid: pl.DataFrame, population: pl.DataFrame, settings: WavesSettings, *,
             seed: int) -> tuple[dict[str, Metric], dict[str, Any], dict[str, pl.DataFrame]]:
    """Describe the waves of all countries.

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
    metrics : dict of str to Metric
        ``covid19.world.*`` and ``covid19.<country>.*`` for the comparison countries.
    curves : dict
        JSON-ready results of the comparison countries, and one row a country for the world.
    tables : dict of str to polars.DataFrame
        Results of all countries, see `analysis.make_tables`.

    Raises
    ------
    SchemaError
        If a series has a gap, or a table lacks a column.
    """
    analysis = analyse(covid, population, settings, seed=seed)
    tables = make_tables(analysis)
    compared = [name for name in settings.comparison_countries if name in analysis.weekly.countries]
    entries = {name: describe.country_entry(analysis, analysis.weekly.countries.index(name), settings) for name in compared}
    metrics = _world_metrics(analysis)
    for entry in entries.values():
        metrics |= _country_metrics(entry, analysis.weekly.weeks.size, settings)
    return metrics, _curves(analysis, tables, entries, settings), tables


def _world_metrics(analysis: Analysis) -> dict[str, Metric]:
    weekly, falls, artefacts = analysis.weekly, analysis.weekly.corrections, analysis.artefacts
    countries = len(weekly.countries)
    values: dict[str, float] = {
        "data.countries": countries, "data.series": analysis.daily.n_series, "data.weeks": weekly.weeks.size,
        "data.negative_corrections": falls.height,
        "data.without_population": int((~np.isfinite(analysis.population)).sum()),
        "reporting.weekly_only_share": float(np.mean([since is not None for since in artefacts["weekly_only_since"].values()])),
        "reporting.single_day_dumps": artefacts["dumps"].height, "reporting.stale_runs": artefacts["stale"].height,
        "reporting.missed_weeks": int(analysis.dynamics["missed"].sum()),
    }
    for measure in ("cases", "deaths"):
        own = falls.filter(pl.col("measure") == measure)
        values |= {f"data.negative_corrections_{measure}": own.height, f"data.negative_corrections_{measure}_size": int(own["size"].sum()),
                   f"data.series_drops_{measure}": analysis.daily.series_drops[measure]}
    rules = dict(falls.group_by("rule").len().iter_rows())
    values |= {f"data.corrections_from_{rule}": rules.get(rule, 0) for rule in ("latest_days", "dip", "all_earlier")}
    for name, found in analysis.waves.items():
        numbers = [len(waves) for waves in found]
        quartiles = dict(zip(("first_quartile", "median", "third_quartile"), np.quantile(numbers, [0.25, 0.5, 0.75]), strict=True))
        values |= {f"waves_{name}_prominence.{quantile}": float(value) for quantile, value in quartiles.items()}
    return {f"covid19.world.{name}": metric(value, n=countries, higher_is_better=None) for name, value in values.items()}


def _country_metrics(entry: dict[str, Any], n_weeks: int, settings: WavesSettings) -> dict[str, Metric]:
    prefix, found = f"covid19.{entry['slug']}", {}
    plain = {"waves.count": len(entry["waves"]), "lagged.lag_weeks": entry["fatality"]["lag_weeks"]}
    if entry["population"] is not None:
        plain["cumulative.deaths_per_100k"] = entry["deaths"] / entry["population"] * 1e5
        plain["cumulative.cases_per_100k"] = entry["cases"] / entry["population"] * 1e5
    if entry["waves"]:
        plain["waves.highest_peak_per_100k"] = max(wave["peak_per_100k"] for wave in entry["waves"])
    found = {f"{prefix}.{name}": metric(value, n=n_weeks, higher_is_better=None) for name, value in plain.items()}
    ratio, rise = entry["fatality"]["overall"], entry["steepest_rise"]
    if ratio:
        found[f"{prefix}.lagged.case_fatality"] = Metric(**ratio, level=settings.level, n=entry["cases"], higher_is_better=None)
    if rise:
        for name, at in (("reproduction_number", rise), ("reproduction_number_short_generation", rise["short"])):
            bounds = {key: at[key] for key in ("value", "low", "high")}
            found[f"{prefix}.steepest_rise.{name}"] = Metric(**bounds, level=settings.level, n=n_weeks, higher_is_better=None)
    return found


def _curves(analysis: Analysis, tables: dict[str, pl.DataFrame], entries: dict[str, Any], settings: WavesSettings) -> dict[str, Any]:
    weekly = analysis.weekly
    missing = [name for name in settings.comparison_countries if name not in entries]
    return {
        "week": WEEK, "weeks": [str(week) for week in weekly.weeks], "level": settings.level,
        "first_day": str(analysis.daily.dates[0]), "last_day": str(analysis.daily.dates[-1]),
        "notes": {"fatality": FATALITY_NOTE, "reproduction": REPRODUCTION_NOTE},
        "generation_time_days": {"early": settings.generation_time_mean_days, "short": settings.short_generation_time_mean_days},
        "coverage": places.coverage(weekly.countries, analysis.population, analysis.daily.not_countries) | {"not_in_the_data": missing},
        "countries": entries, "world": _world_columns(tables["covid19_world"]),
        "corrections": _columns(_notable(weekly.corrections, "size", entries)),
        "dumps": _columns(_notable(analysis.artefacts["dumps"], "count", entries)),
        "stale": _columns(analysis.artefacts["stale"].filter(pl.col("country").is_in(list(entries)) | pl.col("to_the_end"))),
        "examples": describe.artefact_examples(analysis, list(entries)),
        "short_generation": _short_generation(analysis, list(entries), settings),
    }


def _notable(table: pl.DataFrame, by: str, entries: dict[str, Any]) -> pl.DataFrame:
    """Keep the largest of the world and of the comparison countries."""
    own = table.filter(pl.col("country").is_in(list(entries))).sort(by, descending=True).head(LARGEST)
    kept = pl.concat([table.sort(by, descending=True).head(LARGEST), own]).unique()
    return kept.sort(by, "country", "date", descending=[True, False, False])


def _short_generation(analysis: Analysis, compared: list[str], settings: WavesSettings) -> dict[str, Any]:
    """Compare the week of the steepest rise since Omicron under the two generation times."""
    first = int(np.searchsorted(analysis.weekly.weeks, np.datetime64(settings.short_generation_time_from)))
    found: dict[str, Any] = {"from": settings.short_generation_time_from, "countries": [], "week": [], "early": [], "short": []}
    for name in compared:
        rise = describe.steepest_rise(analysis, analysis.weekly.countries.index(name), first=first)
        if rise:
            for key, value in (("countries", name), ("week", rise["week"]), ("early", rise["value"]), ("short", rise["short"]["value"])):
                found[key].append(value)
    return found


def _world_columns(table: pl.DataFrame) -> dict[str, list[Any]]:
    rounded = table.with_columns(pl.selectors.float().round_sig_figs(4)).drop("lag_estimated")
    return _columns(rounded)


def _columns(table: pl.DataFrame) -> dict[str, list[Any]]:
    """Write a table as lists by column; dates as ISO text, shares to four digits."""
    return table.with_columns(pl.selectors.date().dt.to_string("%Y-%m-%d"),
                              pl.selectors.float().round_sig_figs(4)).to_dict(as_series=False)
