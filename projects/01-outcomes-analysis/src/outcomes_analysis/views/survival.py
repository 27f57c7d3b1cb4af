"""The section on SUPPORT2: who dies and when, by disease group, and the views on models and data."""

from typing import Any

import streamlit as st

from carefolio.charts import PLAIN
from carefolio.shown_run import choose_view
from carefolio.views import number_with_interval, percent
from outcomes_analysis.views import charts, survival_data, survival_models
from outcomes_analysis.views.results import Results, flat, listed, offer_csv

ALL = "All patients"
DEFAULT_GROUPS = ("CHF", "COPD", "Lung Cancer", "Coma")


def show_survival(results: Results) -> None:
    """Show one view of the survival part.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Who dies, and when?")
    cohort = results.part("survival")["cohort"]
    st.caption(f"SUPPORT2: {cohort['patients']:,} seriously ill adults in five hospitals of the United States, 1989 to 1994. "
               "What held for them need not hold today.")
    choose_view(VIEWS, results, key="survival")


def _curves(results: Results) -> None:
    found = results.part("survival")["kaplan_meier"]
    summaries = found["groups"] | {ALL: found["all"]}
    names = list(summaries)
    default = [name for name in DEFAULT_GROUPS if name in summaries] or names[:4]
    chosen = st.multiselect("Disease groups", names, default, key="groups", persist_state="session", placeholder="Choose at least one")
    if not chosen:
        st.info("No disease group is chosen, so there is nothing to draw. Choose at least one above.")
        return
    styles = charts.style_of(names[:-1], PLAIN) | {ALL: PLAIN[6]}
    rows = [{"series": name, "x": time, "y": alive, "low": low, "high": high} for name in chosen
            for time, alive, low, high in zip(*(summaries[name]["curve"][key] for key in ("time", "survival", "low", "high")), strict=True)]
    st.altair_chart(charts.lines_chart(rows, x_title="days since study entry", y_title="share alive",
                                       styles={name: styles[name] for name in chosen},
                                       steps=True, shares=True), alt="Kaplan-Meier curves by disease group")
    st.caption("Kaplan-Meier estimates with 95 % bands. Patients still alive when the follow-up ended are taken out at that day.")
    offer_csv([{"group": row["series"], "day": row["x"], "alive": row["y"], "low": row["low"], "high": row["high"]} for row in rows],
              "survival-curves")
    st.markdown("**Still followed on the day**")
    times = [time for time in found["all"]["at_risk"]["times"] if time in (0, 180, 365, 1095, 1825)]
    listed([{"Group": name} | {f"day {time:,}": f"{count:,}" for time, count in zip(*summaries[name]["at_risk"].values(), strict=True)
                               if time in times} for name in chosen], "survival-at-risk",
           raw=[{"group": name} | dict(zip([f"day_{time}" for time in summaries[name]["at_risk"]["times"]],
                                           summaries[name]["at_risk"]["count"],
                                           strict=True)) for name in chosen])
    st.markdown("**In numbers**")
    listed([_summary_row(name, summaries[name]) for name in chosen], "survival-groups",
           raw=[flat({"group": name} | {key: summaries[name][key] for key in ("n", "deaths", "dead_at_horizon", "median_days")})
                for name in chosen])
    test = found["log_rank"]
    st.caption(f"Median survival in days with its 95 % interval. The log-rank test over all {test['degrees_of_freedom'] + 1} groups gives "
               f"{_p_value(test['minus_log10_p'])}: the groups do differ." if test["minus_log10_p"] > 3 else
               f"Median survival in days with its 95 % interval. Log-rank test over all groups: {_p_value(test['minus_log10_p'])}.")


def _summary_row(name: str, summary: dict[str, Any]) -> dict[str, str]:
    median = summary["median_days"]
    text = "not reached" if median["value"] is None else number_with_interval(median["value"], median["low"], median["high"], digits=0)
    return {"Group": name, "Patients": f"{summary['n']:,}", "Dead by day 180": percent(summary["dead_at_horizon"]), "Median, days": text}


def _p_value(minus_log10: float) -> str:
    return f"p below 10^-{int(minus_log10)}" if minus_log10 > 3 else f"p = {10 ** -minus_log10:.3f}"


VIEWS = {
    "Survival curves": _curves, "Models": survival_models.show_models, "Calibration": survival_models.show_calibration,
    "Decisions": survival_models.show_decisions, "Subgroups": survival_models.show_subgroups, "Hazard ratios": survival_data.show_hazards,
    "Patients": survival_data.show_patients, "Data defect": survival_data.show_defect,
}
