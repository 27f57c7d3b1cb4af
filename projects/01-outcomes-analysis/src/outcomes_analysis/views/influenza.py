"""The section on influenza: scores by season, week and horizon, the tile map of states, and the forecasts of one state."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.charts import PLAIN, SeriesStyle
from carefolio.dashboard import metric_card
from carefolio.shown_run import choose_view
from carefolio.views import number_with_interval, percent_with_interval, show_table
from outcomes_analysis.forecast.names import BASELINE, COMPARED, ENSEMBLE, OWN, season_part
from outcomes_analysis.views import charts as own_charts
from outcomes_analysis.views import influenza_state
from outcomes_analysis.views.results import Results, flat, listed, offer_csv
from outcomes_analysis.views.words import day_in_words

ALL = "all"
FIRST_PUBLISHED = "carefolio_first_published"
REFERENCES = {BASELINE: "FluSight-baseline", ENSEMBLE: "FluSight-ensemble"}
SCORES = {"wis": "WIS, admissions (lower is better)", "relative_wis_to_baseline": "WIS relative to FluSight-baseline (below 1 is better)",
          "coverage_50": "share of targets inside the 50 % interval", "coverage_95": "share of targets inside the 95 % interval"}
NOMINAL = {"coverage_50": 0.5, "coverage_95": 0.95, "relative_wis_to_baseline": 1.0}
FLATTERY = ("**What these scores are not.** Forecasts are scored on today's revised counts, and ours were also made from them. The "
            "official forecasts "
            "had to work with what was first published. That flatters ours; a forecast made in the week itself would score worse.")


def show_influenza(results: Results) -> None:
    """Show one view of the forecasts.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("What comes next?")
    st.caption("Weekly influenza admissions of each state, forecast for the running week and three more, on identical targets with the "
               "official "
               "FluSight models. WIS, the weighted interval score, is the error of a whole forecast distribution; lower is better.")
    results.part("forecast")
    st.warning(FLATTERY, icon=":material/balance:")
    choose_view(VIEWS, results, key="influenza")


def styles(models: Mapping[str, str]) -> dict[str, SeriesStyle]:
    """Give each model the same style on every chart.

    Parameters
    ----------
    models : mapping of str to str
        Key to title.

    Returns
    -------
    dict of str to SeriesStyle
        By title.
    """
    ordered = [*COMPARED, *[name for name in models if name not in COMPARED]]
    return own_charts.style_of([models[name] for name in ordered if name in models], PLAIN)


def _season(results: Results) -> str:
    seasons = [ALL, *results.part("forecast")["seasons"]]
    return st.segmented_control("Season", seasons, format_func=lambda name: "all seasons" if name == ALL else name, default=ALL,
                                required=True,
                                key="season", persist_state="session") or ALL


def _scores(results: Results) -> None:
    curves, season = results.part("forecast"), _season(results)
    name = f"flusight.{season_part(season)}.{OWN}"
    cards = [("WIS relative to the baseline", f"{name}.relative_wis_to_baseline", ".3f", "Below 1 is better."),
             ("WIS relative to the ensemble", f"{name}.relative_wis_to_ensemble", ".3f", "Below 1 is better."),
             ("50 % intervals hold", f"{name}.coverage_50", ".1%", "50 % is right."),
             ("95 % intervals hold", f"{name}.coverage_95", ".1%", "95 % is right.")]
    for column, (label, identifier, number_format, explanation) in zip(st.columns(4), cards, strict=True):
        with column:
            metric_card(label, results.evidence.metrics.get(identifier), number_format, explanation=explanation)
    rows = [row for row in curves["by_season"] if row["season"] == season]
    score = st.selectbox("Score", list(SCORES), format_func=SCORES.__getitem__, key="score", persist_state="session")
    data = [{"label": curves["models"][row["model"]]} | row[score] for row in rows if row[score] is not None]
    formats: dict[str, Any] = {"number_format": ".1%", "axis_format": ".0%"} if "coverage" in score else {"number_format": ".2f"}
    reference = {"nominal": NOMINAL[score]} if score in NOMINAL else None
    st.altair_chart(charts.interval_chart(data, title=SCORES[score], references=reference, **formats), alt=f"{SCORES[score]} by model")
    st.caption(f"Bars are {100 * curves.get('level', 0.95):.0f} % intervals over reference weeks: weeks are drawn again, not states, since "
               f"the states of a week err together.")
    if FIRST_PUBLISHED in curves["models"]:
        st.caption(f"“{curves['models'][FIRST_PUBLISHED]}” is the same model with the last week as it was first published put back: a part "
                   f"of what today's counts flatter, though not all of it.")
    listed([_score_row(curves["models"], row) for row in rows], f"influenza-scores-{season}", raw=[flat(row) for row in rows])


def _score_row(models: Mapping[str, str], row: Mapping[str, Any]) -> dict[str, str]:
    relative = row["relative_wis_to_baseline"]
    return {"Model": models[row["model"]], "WIS": number_with_interval(**row["wis"], digits=1),
            "To the baseline": "–" if relative is None else number_with_interval(**relative, digits=2),
            "In 95 %": percent_with_interval(**row["coverage_95"], digits=0)}


def _weeks(results: Results) -> None:
    curves, season = results.part("forecast"), _season(results)
    rows = [row for row in curves["by_week"] if season in (ALL, row["season"])]
    shown = [name for name in COMPARED if name in curves["models"]]
    style = {curves["models"][name]: styles(curves["models"])[curves["models"][name]] for name in shown}
    seasons = sorted({row["season"] for row in rows})
    for each in seasons:
        data = [{"series": curves["models"][name], "x": row["reference_date"], "y": row["wis"][name]} for row in rows
                if row["season"] == each
                for name in shown]
        st.markdown(f"**WIS by reference week, season {each}**")
        st.altair_chart(own_charts.lines_chart(data, x_title="reference date (Saturday)", y_title="mean WIS, admissions", styles=style,
                                               dates=True,
                                               points=True, height=320 if len(seasons) > 1 else 400), alt=f"WIS by week, season {each}")
    st.caption("A mean over states and horizons of the forecasts made in the week; weeks of high activity weigh most.")
    listed([{"Week": day_in_words(row["reference_date"])} | {curves["models"][name]: f"{row['wis'][name]:,.1f}" for name in shown}
            for row in rows[-12:]],
           f"influenza-weeks-{season}", raw=[{"season": row["season"], "reference_date": row["reference_date"], "n": row["n"]}
                                             | row["wis"] for row in rows])
    st.caption("The last twelve weeks; the file holds all.")


def _horizons(results: Results) -> None:
    curves, season = results.part("forecast"), _season(results)
    rows = [row for row in curves["by_horizon"] if row["season"] == season]
    data = [{"series": curves["models"][row["model"]], "x": row["horizon"], "y": row["wis"]["value"], "low": row["wis"]["low"],
             "high": row["wis"]["high"]}
            for row in rows]
    style = {name: value for name, value in styles(curves["models"]).items() if name in {row["series"] for row in data}}
    st.altair_chart(own_charts.lines_chart(data, x_title="horizon, weeks after the running one", y_title="mean WIS, admissions",
                                           styles=style, points=True,
                                           height=380), alt="WIS by horizon and model")
    st.caption("Bands are 95 % intervals over reference weeks. They overlap because weeks differ far more than models; the ratios below "
               "compare the models on the same weeks.")
    own = [row for row in rows if row["model"] == OWN]
    listed([{"Weeks ahead": str(row["horizon"]), "WIS": number_with_interval(**row["wis"], digits=1)}
            | {f"To {title}": number_with_interval(**row[f"relative_wis_to_{key}"], digits=2) for key, title in REFERENCES.items()}
            for row in own],
           f"influenza-horizons-{season}", raw=[flat(row) for row in rows])


def _states(results: Results) -> None:
    curves = results.part("forecast")
    against = st.segmented_control("Beside", list(REFERENCES), format_func=REFERENCES.__getitem__, default=BASELINE, required=True,
                                   key="against",
                                   persist_state="session") or BASELINE
    key = f"relative_wis_to_{against}"
    rows = [{"abbreviation": row["abbreviation"], "name": row["name"]} | row[key] for row in curves["by_location"]]
    st.altair_chart(own_charts.tile_chart(rows, title=f"WIS relative to {REFERENCES[against]}", spread=0.5),
                    alt=f"WIS relative to {REFERENCES[against]} by state")
    better = sum(row["high"] < 1 for row in rows)
    worse = sum(row["low"] > 1 for row in rows)
    st.caption(f"All seasons. Below 1 (blue) is better, above 1 (orange) worse. The interval lies below 1 in {better} of {len(rows)} "
               f"places, above 1 in {worse}.")
    ordered: Sequence[Mapping[str, Any]] = sorted(rows, key=lambda row: row["value"])
    with st.expander("All places, best first"):
        bounds = {row["name"]: number_with_interval(row["value"], row["low"], row["high"], digits=2) for row in ordered}
        show_table([{"State": name, f"To {REFERENCES[against]}": text} for name, text in bounds.items()])
    offer_csv(ordered, f"influenza-states-{against}")


def _intervals(results: Results) -> None:
    curves = results.part("forecast")
    found, shown = curves["calibration"], [name for name in COMPARED if name in curves["calibration"]["models"]]
    points = {curves["models"][name]: (found["interval_levels"], found["models"][name]["inside"]) for name in shown}
    st.markdown("**Do the intervals hold what they say?**")
    st.altair_chart(charts.curves_chart(points, x_title="nominal level of the interval", y_title="share of targets inside",
                                        styles=styles(curves["models"]),
                                        diagonal=True), alt="Coverage of central intervals by nominal level")
    st.caption("On the diagonal, intervals hold what they say; below it they are too narrow.")
    listed([{"Level": f"{100 * level:.0f} %"} | {name: f"{100 * inside[i]:.1f} %" for name, (_, inside) in points.items()}
            for i, level in enumerate(found["interval_levels"])], "influenza-coverage")
    _weights(curves)


def _weights(curves: Mapping[str, Any]) -> None:
    st.markdown("**What the forecast is made of**")
    members = list(curves["weights"][0]["weights"]) if curves["weights"] else []
    rows = [{"series": curves["models"].get(name, name.replace("_", " ")), "x": row["reference_date"], "y": row["weights"][name]}
            for row in curves["weights"] for name in members]
    names = list(dict.fromkeys(row["series"] for row in rows))
    st.altair_chart(own_charts.lines_chart(rows, x_title="reference date", y_title="weight in the mixture", dates=True, shares=True,
                                           styles=own_charts.style_of(names, PLAIN), height=320), alt="Weights of the members over time")
    st.caption("Weights of the members, learnt week by week from the forecasts that could already be scored.")


VIEWS = {"Scores": _scores, "By week": _weeks, "By horizon": _horizons, "States": _states, "Forecasts": influenza_state.show_state,
         "Intervals": _intervals}
