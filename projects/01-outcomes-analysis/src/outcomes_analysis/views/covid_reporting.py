"""Artefacts of reporting, shown and not hidden: corrections, turns to weekly reports, dumps on one day, series that went silent."""

from datetime import date, timedelta
from typing import Any

import streamlit as st

from carefolio.charts import PLAIN, SeriesStyle
from carefolio.plots import PALETTE
from carefolio.views import percent
from outcomes_analysis.views.charts import daily_chart, lines_chart
from outcomes_analysis.views.covid_data import RAW, weekly_series
from outcomes_analysis.views.results import Results, columns_to_rows, listed
from outcomes_analysis.views.words import day_in_words, in_words

AS_PUBLISHED, REPAIRED, MINIMUM = "as published", "repaired", "simple repair (backward minimum)"
SERIES = {AS_PUBLISHED: "raw", REPAIRED: "repaired", MINIMUM: "backward_minimum"}
STYLES = {AS_PUBLISHED: SeriesStyle(PALETTE["vermilion"], (3, 2), "square"), REPAIRED: PLAIN[0],
          MINIMUM: SeriesStyle(PALETTE["grey"], (8, 3), "diamond")}
MEASURES = {"cases_per_100k": "Cases", "deaths_per_100k": "Deaths"}


def show_reporting(results: Results, chosen: list[str], span: tuple[date, date]) -> None:
    """Show what the counts of some countries looked like before and after the repair, and what else is odd in them.

    Parameters
    ----------
    results : Results
        The run.
    chosen : list of str
        Countries of the filter.
    span : tuple of date
        First and last day.
    """
    _raw_and_repaired(results, chosen, span)
    curves = results.part("waves")
    listed_in = {name: [row for row in columns_to_rows(curves[name]) if row["country"] in chosen]
                 for name in ("corrections", "dumps", "stale")}
    first, last = (day.isoformat() for day in span)
    falls = [row for row in listed_in["corrections"] if first <= row["date"] <= last]
    dumps = [row for row in listed_in["dumps"] if first <= row["date"] <= last]
    _corrections(falls, chosen)
    _dumps(dumps)
    _silent(listed_in["stale"])
    _examples(curves["examples"])


def _raw_and_repaired(results: Results, chosen: list[str], span: tuple[date, date]) -> None:
    left, right = st.columns(2)
    entries = results.part("waves")["countries"]
    repaired = [len(entries[name]["raw_per_100k"]["cases"]["week"]) if name in entries else 0 for name in chosen]
    country = left.selectbox("Country", chosen, repaired.index(max(repaired)), key="raw-country")
    measure = right.selectbox("Counts", list(MEASURES), format_func=MEASURES.__getitem__, key="raw-measure", persist_state="session")
    frame = weekly_series(results, [country], first=span[0], last=span[1])
    rows = [{"series": series, "x": week.isoformat(), "y": value} for series, column in ((AS_PUBLISHED, RAW[measure]), (REPAIRED, measure))
            for week, value in zip(frame["week_ending"], frame[column], strict=True)]
    if frame[measure].null_count() == frame.height:
        st.info(f"{country} has no population on file, or no week in the span, so there is no rate to draw.")
        return
    st.altair_chart(lines_chart(rows, x_title="week ending", y_title=f"new {MEASURES[measure].lower()} a week per 100,000",
                                styles={name: STYLES[name] for name in (AS_PUBLISHED, REPAIRED)}, dates=True, reference=0.0, height=360),
                    alt=f"{country}: weekly counts as published and repaired")
    changed = frame.filter(frame[RAW[measure]].ne_missing(frame[measure])).height
    st.caption(f"The repair changed {changed:,} of {frame.height:,} weeks. Both series add up to the same published total; below 0, an "
               "authority took back more than it added.")


def _corrections(rows: list[dict[str, Any]], chosen: list[str]) -> None:
    st.markdown("**Corrections: a cumulative count fell**")
    if not rows:
        st.markdown(f"None of note for {', '.join(chosen)} in these weeks.")
        return
    listed([{"Country": row["country"], "Day": day_in_words(row["date"]), "Repair": in_words(row["rule"]),
             "Count": f"{row['measure']}: {row['size']:,} less ({percent(row['share'], digits=2)})"} for row in rows[:12]],
           "covid19-corrections", raw=rows)
    st.caption(f"The {min(len(rows), 12)} largest of {len(rows)}; the file holds all of them.")


def _dumps(rows: list[dict[str, Any]]) -> None:
    if rows:
        st.markdown("**One day with more than half of what four weeks hold**")
        listed([{"Country": row["country"], "Day": day_in_words(row["date"]), "Count": f"{row['count']:,} {row['measure']}",
                 "Share of four weeks": percent(row["share"], digits=0)} for row in rows[:12]], "covid19-dumps", raw=rows)


def _silent(rows: list[dict[str, Any]]) -> None:
    if rows:
        st.markdown("**Weeks on end without any new count**")
        ends = ["the end" if row["to_the_end"] else day_in_words(row["last_week"]) for row in rows]
        listed([{"Country": row["country"], "Count": row["measure"], "Weeks": f"{row['weeks']}",
                 "From – to": f"{day_in_words(row['first_week'])} – {end}"} for row, end in zip(rows[:12], ends, strict=False)],
               "covid19-silent", raw=rows)


def _examples(examples: dict[str, Any]) -> None:
    with st.expander("Three telling examples", expanded=False):
        fall = examples["correction"]
        if fall:
            st.markdown(f"**{fall['country']}, {fall['date']}**: {fall['size']:,} cases were taken back. Nobody knows the days they had "
                        "been counted on.")
            rows = [{"series": name, "x": week, "y": value} for name, key in SERIES.items()
                    for week, value in zip(fall["weeks"], fall[key], strict=True)]
            st.altair_chart(lines_chart(rows, x_title="week ending", y_title="new cases a week per 100,000", styles=STYLES, dates=True,
                                        height=320), alt="A correction and two ways to repair it")
            st.caption("The simple repair wipes out the weeks before the correction; the one used here scales earlier counts down alike.")
        for key, words in (("weekly_only", "from here on, reports came about once a week"), ("dump", "one day holds what belongs to many")):
            if examples[key]:
                _daily(examples[key], words)


def _daily(example: dict[str, Any], words: str) -> None:
    first = date.fromisoformat(example["first_day"])
    days = [(first + timedelta(days=place)).isoformat() for place in range(len(example["new"]))]
    st.markdown(f"**{example['country']}, {example['date']}**: {words}.")
    st.altair_chart(daily_chart(days, example["new"], y_title="new cases a day, as published", marked=example["date"]),
                    alt=f"{example['country']}: new cases a day around {example['date']}")
