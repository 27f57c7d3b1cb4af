"""The weekly series and waves behind the COVID-19 section: from the committed results, a run's tables, or data on this machine."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from carefolio.exceptions import DataUnavailableError
from outcomes_analysis.views.results import Results, columns_to_rows
from outcomes_analysis.views.tables import build_covid_tables, find_table

BANDS = {"cases_per_100k": None, "deaths_per_100k": None, "r": ("r_low", "r_high"), "growth": ("growth_low", "growth_high")}
"""Measure to the columns of its band."""
RAW = {"cases_per_100k": "cases_raw_per_100k", "deaths_per_100k": "deaths_raw_per_100k"}
WEEKLY = ("country", "week_ending", "cases_raw", "deaths_raw", "cases_per_100k", "deaths_per_100k", "r", "r_low", "r_high", "growth",
          "growth_low", "growth_high")
WAVES = ("country", "wave", "start", "peak", "end", "peak_per_100k", "total_per_100k", "cases", "ongoing", "case_fatality",
         "case_fatality_low", "case_fatality_high")
NUMBERS = (*BANDS, "r_low", "r_high", "growth_low", "growth_high", *RAW.values())
COLUMNS = {"country": pl.String, "week_ending": pl.Date, **dict.fromkeys(NUMBERS, pl.Float64)}


def weekly_series(results: Results, countries: Sequence[str], *, first: date, last: date) -> pl.DataFrame:
    """Give the weekly series of countries in a span.

    Parameters
    ----------
    results : Results
        The run.
    countries : sequence of str
        Names as JHU writes them.
    first, last : date
        Weeks that end in this span.

    Returns
    -------
    polars.DataFrame
        ``country``, ``week_ending``, the measures of `BANDS` with their bands, and the raw rates of `RAW`; in the order of the countries.

    Raises
    ------
    DataUnavailableError
        If a country is not among the committed ones and neither tables nor data are on this machine.
    """
    curves = results.part("waves")
    frames = [_from_entry(curves, name) if name in curves["countries"] else _from_table(results, name) for name in countries]
    frame = pl.concat(frames) if frames else pl.DataFrame(schema=COLUMNS)
    return frame.filter(pl.col("week_ending").is_between(first, last))


def _from_entry(curves: dict[str, Any], country: str) -> pl.DataFrame:
    entry = curves["countries"][country]
    columns: dict[str, Any] = {"country": [country] * len(curves["weeks"]),
                               "week_ending": [date.fromisoformat(week) for week in curves["weeks"]]}
    columns |= {name: entry[name] for name in ("cases_per_100k", "deaths_per_100k", "r", "r_low", "r_high", "growth")}
    for name, sign in (("growth_low", -1), ("growth_high", 1)):
        columns[name] = [None if value is None or half is None else value + sign * half
                         for value, half in zip(entry["growth"], entry["growth_half_width"], strict=True)]
    for measure, name in (("cases", "cases_raw_per_100k"), ("deaths", "deaths_raw_per_100k")):
        raw = list(entry[f"{measure}_per_100k"])
        for week, value in zip(*(entry["raw_per_100k"][measure][key] for key in ("week", "raw")), strict=True):
            raw[week] = value
        columns[name] = raw
    return pl.DataFrame(columns, schema=COLUMNS, strict=False)


def _from_table(results: Results, country: str) -> pl.DataFrame:
    population = {row["country"]: row["population"] for row in columns_to_rows(results.part("waves")["world"])}[country]
    rows = _table(results, "covid19_weekly", WEEKLY).filter(pl.col("country") == country)
    people = pl.lit(population, dtype=pl.Float64)
    raw = [(pl.col(f"{measure}_raw") / people * 1e5).alias(f"{measure}_raw_per_100k") for measure in ("cases", "deaths")]
    return rows.with_columns(raw).select(pl.col(name).cast(kind) for name, kind in COLUMNS.items())


def _table(results: Results, name: str, columns: Sequence[str]) -> pl.DataFrame:
    found = find_table(results, "waves", name, columns)
    if found is None:
        built = build_covid_tables(results)
        found = built[name] if built else None
    if found is None:
        shown = ", ".join(results.part("waves")["countries"])
        raise DataUnavailableError("The weekly series of this country are not on this machine. Bring the data with `carefolio data fetch "
                                   f"covid19_jhu`, or make the tables with `outcomes run --part waves`. Always there are: {shown}.")
    return found


def waves_of(results: Results, countries: Sequence[str]) -> list[dict[str, Any]]:
    """List the waves of countries.

    Parameters
    ----------
    results : Results
        The run.
    countries : sequence of str
        Names as JHU writes them.

    Returns
    -------
    list of dict
        As the table ``covid19_waves``, dates as ISO text.

    Raises
    ------
    DataUnavailableError
        As `weekly_series`.
    """
    curves, rows = results.part("waves"), []
    for country in countries:
        if country in curves["countries"]:
            rows += [_wave(country, number, wave) for number, wave in enumerate(curves["countries"][country]["waves"], 1)]
        else:
            own = _table(results, "covid19_waves", WAVES).filter(pl.col("country") == country).select(WAVES)
            rows += own.with_columns(pl.selectors.date().dt.to_string("%Y-%m-%d")).to_dicts()
    return rows


def _wave(country: str, number: int, wave: dict[str, Any]) -> dict[str, Any]:
    ratio = wave["fatality"] or dict.fromkeys(("value", "low", "high"))
    plain = {name: wave[name] for name in ("start", "peak", "end", "peak_per_100k", "total_per_100k", "cases", "ongoing")}
    return {"country": country, "wave": number, **plain, "case_fatality": ratio["value"], "case_fatality_low": ratio["low"],
            "case_fatality_high": ratio["high"]}
