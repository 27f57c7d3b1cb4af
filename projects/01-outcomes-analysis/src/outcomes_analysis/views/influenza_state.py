"""One state's forecasts over its admissions, as a fan of intervals."""

from datetime import timedelta

import polars as pl
import streamlit as st

from outcomes_analysis.views.charts import fan_chart
from outcomes_analysis.views.results import Results, listed
from outcomes_analysis.views.tables import find_table
from outcomes_analysis.views.words import day_in_words

TRUTH = ("location", "abbreviation", "location_name", "week_ending", "admissions")
FORECASTS = ("model", "reference_date", "horizon", "target_end_date", "location", "q025", "q250", "q500", "q750", "q975")
BOUNDS = {"low_95": "q025", "low_50": "q250", "median": "q500", "high_50": "q750", "high_95": "q975"}
BEFORE, AFTER = timedelta(weeks=16), timedelta(weeks=6)
NATION = "US"


def show_state(results: Results) -> None:
    """Show admissions and forecast of a state on a date.

    Parameters
    ----------
    results : Results
        The run.
    """
    truth = find_table(results, "forecast", "truth", TRUTH)
    forecasts = find_table(results, "forecast", "forecasts", FORECASTS)
    if truth is None or forecasts is None:
        st.info("The forecasts of the single weeks are too large to be committed, and this machine holds no run that made them. Make them "
                "with `outcomes run --part forecast`, or a smaller run with `outcomes run --quick --part forecast` and open it with "
                "`outcomes dashboard --out outputs/outcomes_analysis/quick`. The other views need no tables.", icon=":material/download:")
        return
    models = results.part("forecast")["models"]
    names = dict(truth.select("location", "location_name").unique().sort("location_name").iter_rows())
    here = set(forecasts["location"].unique().to_list())
    places = sorted((code for code in names if code in here), key=lambda code: (code != NATION, names[code]))
    left, right = st.columns(2)
    place = left.selectbox("State", places, format_func=names.__getitem__, key="state", persist_state="session")
    known = [name for name in models if name in set(forecasts["model"].unique().to_list())]
    model = right.selectbox("Model", known, format_func=models.__getitem__, key="model", persist_state="session")
    own = forecasts.filter((pl.col("location") == place) & (pl.col("model") == model))
    dates = own["reference_date"].unique().sort().to_list()
    if not dates:
        st.info(f"{models[model]} made no forecast for {names[place]}. Choose another model or state.")
        return
    day = st.select_slider("Reference date", dates, dates[len(dates) // 2], format_func=lambda date: f"{date:%d %b %Y}",
                           key="reference-date",
                           persist_state="session") if len(dates) > 1 else dates[0]
    fan = own.filter(pl.col("reference_date") == day).sort("target_end_date")
    seen = truth.filter((pl.col("location") == place) & pl.col("week_ending").is_between(day - BEFORE, day + AFTER)).sort("week_ending")
    st.altair_chart(fan_chart(
        [{"x": week.isoformat(), "y": count, "later": week >= day} for week, count in seen.select("week_ending", "admissions").iter_rows()],
        [{"x": row["target_end_date"].isoformat()} | {name: row[column] for name, column in BOUNDS.items()} for row in fan.to_dicts()],
        reference_date=day.isoformat(), y_title="influenza admissions a week"), alt=f"Admissions and forecast of {names[place]} on {day}")
    st.caption("Squares: median of the forecast, with its 50 and 95 % intervals. Filled dots: counted before the forecast; open dots: "
               "counted later. The dashed line is the reference date, which ends the running week; its count was not yet known.")
    later = dict(seen.select("week_ending", "admissions").iter_rows())
    listed([{"Week ending": day_in_words(row["target_end_date"]), "Median": f"{row['q500']:,.0f}",
             "95 % interval": f"{row['q025']:,.0f} to {row['q975']:,.0f}",
             "Counted": "–" if later.get(row["target_end_date"]) is None else f"{later[row['target_end_date']]:,.0f}"}
            for row in fan.to_dicts()],
           "influenza-forecast", raw=[row | {"admissions": later.get(row["target_end_date"])} for row in fan.to_dicts()])
