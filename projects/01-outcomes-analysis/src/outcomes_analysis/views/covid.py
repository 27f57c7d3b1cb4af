"""The section on COVID-19: filters, weekly curves, waves and fatality; map and artefacts have their own modules."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.charts import PLAIN
from carefolio.exceptions import DataUnavailableError
from carefolio.views import percent, percent_with_interval
from outcomes_analysis.views import covid_reporting, covid_world
from outcomes_analysis.views.charts import lines_chart
from outcomes_analysis.views.covid_data import BANDS, waves_of, weekly_series
from outcomes_analysis.views.results import Results, columns_to_rows, listed, offer_csv
from outcomes_analysis.views.words import day_in_words

DEFAULT = ("US", "Germany", "Brazil", "Korea, South")
MOST = 6
MEASURES = {"cases_per_100k": "New cases per 100,000", "deaths_per_100k": "New deaths per 100,000", "growth": "Growth rate",
            "r": "Reproduction number"}
AXES = {"cases_per_100k": "new cases a week per 100,000", "deaths_per_100k": "new deaths a week per 100,000",
        "growth": "growth rate per week", "r": "reproduction number"}
LIMITS = {"r": (0.0, 4.0), "growth": (-1.5, 1.5)}
"""Ends of the axis; the first weeks, with few cases, reach far beyond."""
EXPLAINED = {
    "cases_per_100k": "Counts as reported, with corrections repaired. They are not a sample, so they have no interval; their error lies in "
                      "testing and reporting.",
    "deaths_per_100k": "Deaths as reported, with corrections repaired. They are not a sample, so they have no interval.",
    "growth": "Growth of cases on the log scale, from each week and its two neighbours: 0.69 is a doubling a week. Bands are 95 % "
              "intervals.",
    "r": "How many people one case infects, by date of report. Bands are 95 % intervals of the noise of reporting. They do not cover the "
         "choice of the generation time: with Omicron's shorter one, values since 2022 lie closer to 1. The axis ends at 4; the first "
         "weeks, with few cases, reach further.",
}
Span = tuple[date, date]


def show_covid(results: Results) -> None:
    """Show the filters and one view of the waves.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("What did the waves look like?")
    curves = results.part("waves")
    weeks = [date.fromisoformat(week) for week in curves["weeks"]]
    names = sorted(columns_to_rows(curves["world"]), key=lambda row: -row["cases"])
    options = [*curves["countries"], *[row["country"] for row in names if row["country"] not in curves["countries"]]]
    default = [name for name in DEFAULT if name in curves["countries"]] or list(curves["countries"])[:3]
    chosen = st.multiselect("Countries", options, default, max_selections=MOST, key="countries", persist_state="session",
                            placeholder="Choose up to six")
    first, last = st.slider("Weeks that end between", weeks[0], weeks[-1], (weeks[0], weeks[-1]), timedelta(days=7), format="D MMM YY",
                            key="weeks",
                            persist_state="session")
    view = st.pills("Show", VIEWS, default=VIEWS[0], required=True, key="covid", bind="query-params", persist_state="session")
    if view in ("World map", "Ranking"):
        (covid_world.show_map if view == "World map" else covid_world.show_ranking)(results, chosen)
    elif not chosen:
        st.info("No country is chosen, so there is nothing to draw. Choose at least one above; the world map and the ranking need none.")
    else:
        _show_chosen(results, view or VIEWS[0], chosen, (first, last))


VIEWS = ["Curves", "Waves", "Fatality", "Reporting", "World map", "Ranking"]


def _show_chosen(results: Results, view: str, chosen: list[str], span: Span) -> None:
    show = {"Curves": _curves, "Waves": _waves, "Fatality": _fatality, "Reporting": covid_reporting.show_reporting}[view]
    try:
        show(results, chosen, span)
    except DataUnavailableError as error:
        st.info(str(error), icon=":material/download:")


def _curves(results: Results, chosen: list[str], span: Span) -> None:
    left, right = st.columns([3, 1], vertical_alignment="bottom")
    measure = left.selectbox("Measure", list(MEASURES), format_func=MEASURES.__getitem__, key="measure", persist_state="session")
    rate = BANDS[measure] is None
    log = right.toggle("Logarithmic axis", key="log", persist_state="session", disabled=not rate)
    frame = weekly_series(results, chosen, first=span[0], last=span[1])
    band = BANDS[measure]
    rows = [{"series": row["country"], "x": row["week_ending"].isoformat(), "y": row[measure]}
            | ({"low": row[band[0]], "high": row[band[1]]} if band else {}) for row in frame.to_dicts()]
    empty = [name for name in chosen if all(row["y"] is None for row in rows if row["series"] == name)]
    if len(empty) == len(chosen):
        st.info(f"There is no value of “{MEASURES[measure]}” for {', '.join(chosen)} in these weeks. Choose other weeks or countries.")
        return
    reference = {"r": 1.0, "growth": 0.0}.get(measure)
    styles = dict(zip(chosen, PLAIN, strict=False))
    st.altair_chart(lines_chart(rows, x_title="week ending", y_title=AXES[measure], styles=styles, dates=True, log=log and rate,
                                limits=LIMITS.get(measure), reference=reference), alt=f"{MEASURES[measure]} by week and country")
    level = f"{EXPLAINED[measure]} {'Weeks without a report are left out of the logarithm.' if log and rate else ''}"
    st.caption(level + (f" No value in these weeks: {', '.join(empty)}." if empty else ""))
    offer_csv(frame.to_dicts(), "covid19-weekly")
    if measure == "r":
        _generation_time(results.part("waves"), chosen)
    _notes(results, chosen)


def _generation_time(curves: dict[str, Any], chosen: list[str]) -> None:
    found, days = curves["short_generation"], curves["generation_time_days"]
    rows = [{"Country": row["countries"], "Week ending": day_in_words(row["week"]), f"{days['early']:g} days": f"{row['early']:.2f}",
             f"{days['short']:g} days": f"{row['short']:.2f}"}
            for row in columns_to_rows({name: values for name, values in found.items() if name != "from"}) if row["countries"] in chosen]
    if rows:
        st.markdown(f"**The steepest rise since {day_in_words(found['from'])} under two generation times**")
        listed(rows, "covid19-generation-time")


def _notes(results: Results, chosen: list[str]) -> None:
    notes = results.part("waves")["coverage"]["notes"]
    for name in chosen:
        if name in notes:
            st.caption(f"{name}: {notes[name]}.")


def _waves(results: Results, chosen: list[str], span: Span) -> None:
    first, last = (day.isoformat() for day in span)
    found = [wave for wave in waves_of(results, chosen) if wave["start"] <= last and wave["end"] >= first]
    if not found:
        st.info(f"No wave of {', '.join(chosen)} falls into these weeks. Choose other weeks or countries.")
        return
    st.markdown("**Waves of cases**, found as peaks that stand out on the square-root scale")
    listed([{"Country": wave["country"], "Peak, week": day_in_words(wave["peak"]), "From – to": _span(wave),
             "Peak per 100,000": "–" if wave["peak_per_100k"] is None else f"{wave['peak_per_100k']:,.0f}"} for wave in found],
           "covid19-waves", raw=found)
    st.caption("A wave is open where the series ends before it does.")
    entries = results.part("waves")["countries"]
    rows = [{"Country": name} | {label: str(entries[name]["waves_by_prominence"][key]) for key, label in
                                 (("half", "Half the prominence"), ("chosen", "As chosen"), ("double", "Twice"))} for name in chosen
            if name in entries]
    if rows:
        st.markdown("**How many waves there are depends on what counts as one**")
        listed(rows, "covid19-waves-sensitivity")


def _span(wave: dict[str, Any]) -> str:
    return f"{day_in_words(wave['start'])} – {'open' if wave['ongoing'] else day_in_words(wave['end'])}"


def _fatality(results: Results, chosen: list[str], span: Span) -> None:
    curves = results.part("waves")
    st.markdown("**Deaths over the cases reported some weeks before**")
    st.caption(curves["notes"]["fatality"])
    world = {row["country"]: row for row in columns_to_rows(curves["world"])}
    rows = [{"label": name, "value": 100 * world[name]["case_fatality"], "low": 100 * world[name]["case_fatality_low"],
             "high": 100 * world[name]["case_fatality_high"]} for name in chosen if world[name]["case_fatality"] is not None]
    if rows:
        st.altair_chart(charts.interval_chart(rows, title="lagged case fatality over the whole series, %", number_format=".2f",
                                              axis_format=".1f"),
                        alt="Lagged case fatality by country with 95 % intervals")
    listed([_fatality_row(name, world[name], curves["countries"].get(name)) for name in chosen], "covid19-fatality",
           raw=[{key: world[name][key] for key in ("country", "lag_weeks", "case_fatality", "case_fatality_low", "case_fatality_high")}
                for name in chosen])
    st.caption("Whole series, 95 % intervals from a bootstrap over blocks of weeks; the weeks chosen above apply to the waves below.")
    waves = [wave for wave in waves_of(results, chosen) if wave["case_fatality"] is not None and wave["peak"] >= span[0].isoformat()
             and wave["peak"] <= span[1].isoformat()]
    if waves:
        st.markdown("**By wave**")
        listed([{"Country": wave["country"], "Peak, week": day_in_words(wave["peak"]), "Lagged fatality": percent_with_interval(
            wave["case_fatality"], wave["case_fatality_low"], wave["case_fatality_high"], digits=2)} for wave in waves],
               "covid19-fatality-waves", raw=waves)


def _fatality_row(name: str, row: dict[str, Any], entry: dict[str, Any] | None) -> dict[str, str]:
    estimated = "" if entry is None or entry["fatality"]["lag_estimated"] else " (assumed)"
    at = {} if entry is None else {lag: found["value"] for lag, found in entry["fatality"]["by_lag"].items() if found}
    spread = "–" if not at else f"{percent(min(at.values()), digits=2)} to {percent(max(at.values()), digits=2)}"
    text = "–" if row["case_fatality"] is None else percent_with_interval(row["case_fatality"], row["case_fatality_low"],
                                                                          row["case_fatality_high"], digits=2)
    return {"Country": name, "Lag, weeks": f"{row['lag_weeks']}{estimated}", "Lagged fatality": text, "At lags of 1 to 4 weeks": spread}


