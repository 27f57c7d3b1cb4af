"""The forecast of one state: what is expected, and how the forecasts did there."""

import difflib
from typing import Any

import polars as pl

from carefolio.exceptions import ConfigError
from outcomes_analysis.forecast.names import COMPARED, OWN

HISTORY_WEEKS = 60


def find_state(truth: pl.DataFrame, state: str) -> str:
    """Find a place by name, abbreviation or FIPS code, whatever the case.

    Parameters
    ----------
    truth : polars.DataFrame
        Table ``truth`` of `outcomes_analysis.forecast.evaluate.evaluate`.
    state : str
        What was asked for; ``US`` is the nation.

    Returns
    -------
    str
        Its code in the data.

    Raises
    ------
    ConfigError
        If there is no such place.
    """
    known: dict[str, str] = {}
    for code, short, name in truth.select("location", "abbreviation", "location_name").unique().sort("location").iter_rows():
        known |= {text.casefold(): code for text in (code, short, name)}
    wanted = state.strip().casefold()
    if wanted in known:
        return known[wanted]
    names = {name.casefold(): name for name in truth["location_name"].unique().to_list()}
    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.5)
    hint = f"Did you mean {' or '.join(repr(names[name]) for name in near)}?" if near else "Known are, for example, 'Texas', 'TX' and '48'."
    raise ConfigError(f"state must be one of {len(names)} places of the data, by name, abbreviation or FIPS code; got {state!r}. {hint}")


def state_summary(tables: dict[str, pl.DataFrame], state: str) -> dict[str, Any]:
    """Gather everything a report about one state shows.

    Parameters
    ----------
    tables : dict of str to polars.DataFrame
        Third result of `outcomes_analysis.forecast.evaluate.evaluate`.
    state : str
        Name, abbreviation or FIPS code.

    Returns
    -------
    dict
        ``location``, ``abbreviation``, ``name``, ``population``, ``history`` (the last weeks), ``reference_date`` and ``forecast`` (the
        latest one, a row a horizon), ``scores`` (a row a season: WIS of the compared models, ratios and coverage of our own).

    Raises
    ------
    ConfigError
        If there is no such place, or no forecast of it.
    """
    location = find_state(tables["truth"], state)
    series = tables["truth"].filter(pl.col("location") == location).sort("week_ending")
    made = tables["forecasts"].filter((pl.col("location") == location) & (pl.col("model") == OWN))
    if made.is_empty():
        raise ConfigError(f"{series['location_name'][0]} has no forecast: it reported too few weeks before every reference date. "
                          "Choose another state.")
    latest = made.filter(pl.col("reference_date") == pl.col("reference_date").max()).sort("horizon")
    return {
        "location": location, "abbreviation": series["abbreviation"][0], "name": series["location_name"][0],
        "population": int(series["population"][0]), "history": series.tail(HISTORY_WEEKS).select("week_ending", "admissions").to_dicts(),
        "reference_date": latest["reference_date"][0], "forecast": latest.drop("model", "season", "reference_date", "location").to_dicts(),
        "scores": _scores(tables["scores"].filter(pl.col("location") == location)),
    }


def _scores(rows: pl.DataFrame) -> list[dict[str, Any]]:
    means = rows.group_by("season", "model").agg(pl.len().alias("n"), pl.col("wis", "inside_50", "inside_95").mean()).sort("season")
    found = []
    for (season,), part in means.partition_by("season", as_dict=True, maintain_order=True).items():
        by_model = {row["model"]: row for row in part.iter_rows(named=True)}
        own, wis = by_model[OWN], {model: by_model[model]["wis"] for model in COMPARED}
        ratios = {f"relative_wis_to_{model}": own["wis"] / wis[model] if wis[model] else None for model in COMPARED if model != OWN}
        found.append({"season": season, "n": own["n"], "wis": wis, **ratios, "coverage_50": own["inside_50"],
                      "coverage_95": own["inside_95"]})
    return found
