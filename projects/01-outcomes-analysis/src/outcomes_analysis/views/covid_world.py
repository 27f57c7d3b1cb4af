"""The world at once: a map of bubbles and a ranking."""

from typing import Any

import streamlit as st

from carefolio import charts
from outcomes_analysis.views.charts import world_chart
from outcomes_analysis.views.results import Results, columns_to_rows, offer_csv

MEASURES = {"deaths_per_100k": "Deaths per 100,000", "cases_per_100k": "Cases per 100,000",
            "peak_cases_per_100k": "Highest week, cases per 100,000",
            "case_fatality": "Lagged case fatality, %", "waves": "Number of waves", "negative_corrections": "Corrections of the counts"}
TOP = 15


def show_map(results: Results, chosen: list[str]) -> None:
    """Show every country as a bubble.

    Parameters
    ----------
    results : Results
        The run.
    chosen : list of str
        Countries of the filter; the map shows all.
    """
    rows, measure, missing = _measured(results, "map-measure")
    size = "deaths" if measure in ("deaths_per_100k", "case_fatality") else "cases"
    placed = [{"country": row["country"], "latitude": row["latitude"], "longitude": row["longitude"], "value": row["shown"],
               "size": row[size]}
              for row in rows if row["latitude"] is not None]
    st.altair_chart(world_chart(placed, colour_title=MEASURES[measure].lower(), size_title=f"reported {size}"),
                    alt=f"World map: {MEASURES[measure]}")
    st.caption("Each country is a bubble at its own place, on an equal-earth projection; coastlines are not drawn. The larger a bubble, "
               f"the more {size} were reported. Totals of the whole series."
               + (f" Without a value, so not drawn: {', '.join(missing)}." if missing else ""))
    offer_csv(columns_to_rows(results.part("waves")["world"]), "covid19-world")


def show_ranking(results: Results, chosen: list[str]) -> None:
    """Show the countries with the largest values, and where the chosen ones stand.

    Parameters
    ----------
    results : Results
        The run.
    chosen : list of str
        Countries of the filter.
    """
    rows, measure, missing = _measured(results, "rank-measure")
    ordered = sorted(rows, key=lambda row: -row["shown"])
    ranks = {row["country"]: place for place, row in enumerate(ordered, 1)}
    shown = [row for row in ordered if ranks[row["country"]] <= TOP or row["country"] in chosen]
    bars = [{"label": f"{ranks[row['country']]}. {row['country']}" + (" ●" if row["country"] in chosen else ""), "value": row["shown"],
             "warned": row["country"] in chosen} for row in shown]
    number_format = ",.0f" if measure not in ("case_fatality", "deaths_per_100k") else ",.1f"
    st.altair_chart(charts.bars_chart(bars, title=f"{MEASURES[measure].lower()}, whole series", number_format=number_format),
                    alt=f"Ranking of countries: {MEASURES[measure]}")
    st.caption(f"The {TOP} largest of {len(ordered)} countries, and the chosen ones (●). A rank compares what was reported: testing, "
               f"registration of deaths and reporting differ by country." + (f" Without a value: {', '.join(missing)}." if missing else ""))
    offer_csv([{"rank": ranks[row["country"]], "country": row["country"], measure: row[measure]} for row in ordered], "covid19-ranking")


def _measured(results: Results, key: str) -> tuple[list[dict[str, Any]], str, list[str]]:
    measure = st.selectbox("Measure", list(MEASURES), format_func=MEASURES.__getitem__, key=key, persist_state="session")
    rows = columns_to_rows(results.part("waves")["world"])
    factor = 100 if measure == "case_fatality" else 1
    found = [row | {"shown": factor * row[measure]} for row in rows if row[measure] is not None]
    return found, measure, [row["country"] for row in rows if row[measure] is None]
