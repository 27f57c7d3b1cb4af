"""Names and populations of countries: what the JHU file calls a place, what the United Nations call it, and what people type."""

import difflib
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from carefolio.exceptions import ConfigError, SchemaError
from carefolio.runs import read_packaged_toml


@cache
def read_places() -> dict[str, Any]:
    """Read the chapter's table of names.

    Returns
    -------
    dict
        Tables ``not_countries``, ``population``, ``notes`` and ``aliases`` of ``places.toml``.
    """
    return read_packaged_toml("outcomes_analysis.waves", "places.toml")


def split_entries(entries: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    """Part the entries of the file's country column into countries and others.

    Parameters
    ----------
    entries : sequence of str
        Distinct entries.

    Returns
    -------
    countries : list of str
        In the given order.
    others : dict of str to str
        Entries that are no country (ships, sports events, Antarctica) and why.
    """
    reasons: dict[str, str] = read_places()["not_countries"]
    return [entry for entry in entries if entry not in reasons], {entry: reasons[entry] for entry in entries if entry in reasons}


def find_population(countries: Sequence[str], population: pl.DataFrame) -> npt.NDArray[np.float64]:
    """Look up how many people live in each country, its territories included.

    Parameters
    ----------
    countries : sequence of str
        Names as JHU writes them.
    population : polars.DataFrame
        ``location`` (the UN's name), ``m49`` and ``population``, one row a place.

    Returns
    -------
    ndarray of float, shape (n_countries,)
        People; NaN where one of the country's UN names is not in the table.

    Raises
    ------
    SchemaError
        If a column is missing or a place stands twice.
    """
    missing = [name for name in ("location", "population") if name not in population.columns]
    if missing:
        raise SchemaError(f"population must have the columns location, m49 and population; {missing[0]!r} is missing. Load it with "
                          "carefolio.datasets.world_population.")
    twice = population.filter(pl.col("location").is_duplicated())["location"]
    if twice.len():
        raise SchemaError(f"population must hold each location once; {twice[0]!r} stands more than once. Keep one year and both sexes.")
    people = dict(population.select("location", "population").iter_rows())
    names: dict[str, list[str]] = read_places()["population"]
    parts = [names.get(country, [country]) for country in countries]
    return np.array([sum(float(people.get(name, np.nan)) for name in members) for members in parts], dtype=np.float64)


def resolve_country(name: str, known: Sequence[str]) -> str:
    """Find the country that a person means.

    Parameters
    ----------
    name : str
        JHU's name, the UN's, or a common one such as "USA", in any case.
    known : sequence of str
        JHU's names that there is data for.

    Returns
    -------
    str
        JHU's name.

    Raises
    ------
    ConfigError
        If no country has that name; the closest names are suggested.
    """
    places = read_places()
    united_nations = {members[0]: country for country, members in places["population"].items()}
    candidates = places["aliases"] | united_nations | {country: country for country in known}
    spellings = {spelling.casefold(): country for spelling, country in candidates.items() if country in known}
    wanted = name.strip().casefold()
    if wanted in spellings:
        return str(spellings[wanted])
    reason = places["not_countries"].get(name.strip())
    if reason:
        raise ConfigError(f"{name.strip()!r} is no country ({reason}), so it is in no table. Choose a country.")
    close = list(dict.fromkeys(spellings[spelling] for spelling in difflib.get_close_matches(wanted, spellings, n=4, cutoff=0.6)))
    hint = f"Known are, for example, {', '.join(known[:4])}."
    if close:
        hint = f"Did you mean {' or '.join(repr(country) for country in close)}?"
    raise ConfigError(f"no country is called {name.strip()!r} among the {len(known)} of the data. {hint}")


def coverage(countries: Sequence[str], people: npt.NDArray[np.float64], others: dict[str, str]) -> dict[str, Any]:
    """Say which entries of the file have a population, which do not, and which are no country.

    Parameters
    ----------
    countries : sequence of str
        Names as JHU writes them.
    people : ndarray of float, shape (n_countries,)
        Result of `find_population`.
    others : dict of str to str
        Entries that are no country, and why.

    Returns
    -------
    dict
        ``with_population`` (number), ``without_population`` (names; they have counts, but no rates and no waves), ``not_countries``
        and ``notes`` (by name).
    """
    without = [country for country, number in zip(countries, people, strict=True) if not np.isfinite(number)]
    notes = {name: note for name, note in read_places()["notes"].items() if name in countries}
    return {"with_population": len(countries) - len(without), "without_population": without, "not_countries": others, "notes": notes}
