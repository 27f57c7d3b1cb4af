"""What the analysis says, as plain lists and numbers ready for JSON: by country, and examples of artefacts."""

import math
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from carefolio.uncertainty import Interval
from outcomes_analysis.waves.analysis import Analysis, wave_dates
from outcomes_analysis.waves.compare import align
from outcomes_analysis.waves.settings import WavesSettings
from outcomes_analysis.waves.weekly import per_100_000, repair_cumulative, to_weeks

EXAMPLE_DAYS = 84


def slug(country: str) -> str:
    """Turn a country's name into a piece of a metric's id.

    Parameters
    ----------
    country : str
        For example "Korea, South".

    Returns
    -------
    str
        For example "korea_south".
    """
    return "_".join("".join(letter if letter.isascii() and letter.isalnum() else " " for letter in country.casefold()).split())


def numbers(values: npt.ArrayLike, *, digits: int = 4) -> list[float | None]:
    """Round to significant digits; NaN becomes None.

    Parameters
    ----------
    values : array-like, shape (n,)
        Numbers.
    digits : int, default 4
        Significant digits.

    Returns
    -------
    list of float or None
        Ready for JSON.
    """
    return [None if not math.isfinite(value) else float(f"{value:.{digits}g}") for value in np.asarray(values, dtype=np.float64).tolist()]


def interval(estimate: Interval | None) -> dict[str, float] | None:
    """Write an estimate with its limits.

    Parameters
    ----------
    estimate : Interval or None
        An estimate.

    Returns
    -------
    dict or None
        ``value``, ``low`` and ``high``.
    """
    return None if estimate is None else {name: float(f"{getattr(estimate, name):.5g}") for name in ("value", "low", "high")}


def steepest_week(analysis: Analysis, i: int, *, first: int = 0) -> int | None:
    """Find the week of the steepest rise that lasted: of all pairs of weeks in a row, the pair whose smaller lower limit is highest.

    One week alone may be high because reports of the week before were late; two in a row are not.

    Parameters
    ----------
    analysis : Analysis
        Results.
    i : int
        Country.
    first : int, default 0
        Index of the first week to look at.

    Returns
    -------
    int or None
        Index of the week of the pair with the smaller lower limit of the reproduction number; None without two estimates in a row.
    """
    low = analysis.dynamics["reproduction"].low[i, first:]
    pairs = np.minimum(low[:-1], low[1:])
    if not np.isfinite(pairs).any():
        return None
    k = int(np.nanargmax(pairs))
    return first + k + int(low[k + 1] < low[k])


def steepest_rise(analysis: Analysis, i: int, *, first: int = 0) -> dict[str, Any] | None:
    """Give the reproduction number in the week of the steepest rise.

    Parameters
    ----------
    analysis : Analysis
        Results.
    i : int
        Country.
    first : int, default 0
        Index of the first week to look at.

    Returns
    -------
    dict or None
        ``week``, ``value``, ``low`` and ``high`` for the early generation time, and ``short`` with the same three for Omicron's.
    """
    k = steepest_week(analysis, i, first=first)
    if k is None:
        return None
    bands = (found["reproduction"] for found in (analysis.dynamics, analysis.dynamics_short))
    early, short = ({name: numbers([getattr(found, name)[i, k]])[0] for name in ("value", "low", "high")} for found in bands)
    return {"week": str(analysis.weekly.weeks[k]), **early, "short": short}


def country_entry(analysis: Analysis, i: int, settings: WavesSettings) -> dict[str, Any]:
    """Describe one country.

    Parameters
    ----------
    analysis : Analysis
        Results.
    i : int
        Country.
    settings : WavesSettings
        ``align_deaths_per_100k``.

    Returns
    -------
    dict
        Counts and rates; weekly lists (``cases_per_100k, deaths_per_100k, r, r_low, r_high, growth, growth_half_width``) have one entry a
        week of the analysis, ``raw_per_100k`` holds only the weeks that the repair changed; ``steepest_rise``, ``waves``,
        ``waves_by_prominence``, ``fatality``, ``aligned_from``, ``weekly_only_since`` and ``missed_weeks``.
    """
    weekly, country = analysis.weekly, analysis.weekly.countries[i]
    since = analysis.artefacts["weekly_only_since"][country]
    first = int(align(analysis.rates["deaths"][i:i + 1], analysis.rates["deaths"][i:i + 1].cumsum(axis=1),
                      threshold=settings.align_deaths_per_100k)[1][0])
    fatality = analysis.fatality[i]
    people = analysis.population[i]
    return {
        "slug": slug(country), "population": int(people) if np.isfinite(people) else None,
        "cases": int(weekly.cases[i].sum()), "deaths": int(weekly.deaths[i].sum()),
        "cases_per_100k": numbers(analysis.rates["cases"][i]), "deaths_per_100k": numbers(analysis.rates["deaths"][i], digits=3),
        "raw_per_100k": {name: _where_different(analysis, i, name) for name in ("cases", "deaths")},
        **_dynamics(analysis, i),
        "steepest_rise": steepest_rise(analysis, i), "waves": wave_entries(analysis, i),
        "waves_by_prominence": {name: len(found[i]) for name, found in analysis.waves.items()},
        "fatality": {"lag_weeks": fatality["lag"].weeks, "lag_estimated": fatality["lag"].estimated,
                     "correlations": numbers(fatality["lag"].correlations, digits=3), "overall": interval(fatality["overall"]),
                     "by_lag": {str(lag): interval(found) for lag, found in fatality["by_lag"].items()}},
        "aligned_from": str(weekly.weeks[first]) if first >= 0 else None, "weekly_only_since": str(since) if since else None,
        "missed_weeks": [str(week) for week in weekly.weeks[analysis.dynamics["missed"][i]]],
    }


def _dynamics(analysis: Analysis, i: int) -> dict[str, list[float | None]]:
    reproduction, growth = analysis.dynamics["reproduction"], analysis.dynamics["growth"]
    series = {"r": reproduction.value, "r_low": reproduction.low, "r_high": reproduction.high, "growth": growth.value,
              "growth_half_width": growth.high - growth.value}
    return {name: numbers(values[i], digits=3) for name, values in series.items()}


def _where_different(analysis: Analysis, i: int, measure: str) -> dict[str, list[Any]]:
    raw, repaired = getattr(analysis.weekly, f"{measure}_raw")[i], getattr(analysis.weekly, measure)[i]
    places = np.flatnonzero(raw != repaired)
    return {"week": places.tolist(), "raw": numbers(analysis.rates[f"{measure}_raw"][i, places])}


def wave_entries(analysis: Analysis, i: int) -> list[dict[str, Any]]:
    """Describe one country's waves.

    Parameters
    ----------
    analysis : Analysis
        Results.
    i : int
        Country.

    Returns
    -------
    list of dict
        ``start``, ``peak``, ``end``, ``peak_per_100k``, ``total_per_100k``, ``cases``, ``ongoing`` and ``fatality``.
    """
    entries = []
    for wave, ratio in zip(analysis.waves["chosen"][i], analysis.fatality[i]["by_wave"], strict=True):
        start, peak, end = (str(day) for day in wave_dates(wave, analysis))
        entries.append({"start": start, "peak": peak, "end": end, "peak_per_100k": numbers([wave.peak_rate])[0],
                        "total_per_100k": numbers([wave.total])[0], "cases": int(analysis.weekly.cases[i, wave.start:wave.end + 1].sum()),
                        "ongoing": wave.ongoing, "fatality": interval(ratio)})
    return entries


def artefact_examples(analysis: Analysis, countries: list[str]) -> dict[str, Any]:
    """Choose telling artefacts: the largest correction, a turn to weekly reports, and the largest dump.

    Parameters
    ----------
    analysis : Analysis
        Results.
    countries : list of str
        Where the first two are looked for; the dump is looked for everywhere.

    Returns
    -------
    dict
        ``correction`` (weekly: ``weeks, raw, repaired, backward_minimum`` per 100,000), ``weekly_only`` and ``dump`` (daily: ``dates,
        new``), each with ``country`` and ``date``; None where there is none.
    """
    of_cases = pl.col("measure") == "cases"
    falls = analysis.weekly.corrections.filter(pl.col("country").is_in(countries) & of_cases).sort("size", descending=True)
    turned = {name: day for name, day in analysis.artefacts["weekly_only_since"].items() if day and name in countries}
    dumps = analysis.artefacts["dumps"].filter(of_cases).sort("count", descending=True)
    largest = max(turned, key=lambda name: analysis.daily.cases[analysis.daily.countries.index(name), -1]) if turned else None
    return {"correction": _correction_example(analysis, falls.row(0, named=True)) if falls.height else None,
            "weekly_only": _daily_example(analysis, largest, turned[largest]) if largest else None,
            "dump": _daily_example(analysis, dumps["country"][0], dumps["date"][0]) if dumps.height else None}


def _correction_example(analysis: Analysis, fall: dict[str, Any]) -> dict[str, Any]:
    i = analysis.weekly.countries.index(fall["country"])
    last = int(np.flatnonzero(analysis.daily.dates == analysis.weekly.weeks[-1])[0]) + 1
    cumulative, dates = analysis.daily.cases[i, :last], analysis.daily.dates[:last]
    minimum, weeks = to_weeks(repair_cumulative(cumulative, recent_days=last)[0], dates)
    near = np.abs((weeks - np.datetime64(fall["date"])).astype(int)) <= EXAMPLE_DAYS
    rates = {"raw": analysis.rates["cases_raw"][i], "repaired": analysis.rates["cases"][i],
             "backward_minimum": per_100_000(minimum[None], analysis.population[i:i + 1])[0]}
    return {"country": fall["country"], "date": str(fall["date"]), "size": fall["size"], "rule": fall["rule"],
            "weeks": [str(week) for week in weeks[near]], **{name: numbers(values[near]) for name, values in rates.items()}}


def _daily_example(analysis: Analysis, country: str, day: date) -> dict[str, Any]:
    i = analysis.daily.countries.index(country)
    near = np.abs((analysis.daily.dates - np.datetime64(day)).astype(int)) <= EXAMPLE_DAYS // 2
    new = np.diff(analysis.daily.cases[i], prepend=0)[near]
    first = max(day - timedelta(days=EXAMPLE_DAYS // 2), analysis.daily.dates[0].astype(date))
    return {"country": country, "date": str(day), "first_day": str(first), "new": new.tolist()}
