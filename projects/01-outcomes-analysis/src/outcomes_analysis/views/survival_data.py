"""Views on the patients of SUPPORT2: hazard ratios, table one, missing values, and the defect of the published table."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.charts import PLAIN
from carefolio.views import number_with_interval, percent, with_interval
from outcomes_analysis.views.results import Results, flat, listed
from outcomes_analysis.views.words import in_words

STEADY, CHANGING = "ratio steady over time", "ratio changes over time"
PHASES = {"phase_one": "phase I", "phase_two_published": "phase II, as published", "phase_two_realigned": "phase II, realigned"}
MISSING = {"share": "All", "share_alive": "Alive", "share_dead": "Died"}


def show_hazards(results: Results) -> None:
    """Show the hazard ratios of the readable Cox model with the check of its assumption.

    Parameters
    ----------
    results : Results
        The run.
    """
    cox = results.part("survival")["cox"]
    st.markdown(f"**A Cox model that can be read**, with its own baseline for each {cox['stratified_by']}: {cox['n']:,} patients, "
                f"{cox['events']:,} deaths. A ratio above 1 is a higher hazard of death.")
    rows = [{"label": row["name"], "series": STEADY if row["schoenfeld"]["proportional"] else CHANGING} | row["hazard_ratio"]
            for row in cox["rows"]]
    styles = {name: style for name, style in zip((STEADY, CHANGING), PLAIN[:2], strict=True) if name in {row["series"] for row in rows}}
    st.altair_chart(charts.interval_chart(rows, title="hazard ratio of death, 95 % interval", styles=styles, references={"no effect": 1.0},
                                          number_format=".2f"), alt="Hazard ratios with 95 % intervals")
    changing = sum(row["series"] == CHANGING for row in rows)
    st.caption(f"{changing} of {len(rows)} covariates fail the test on scaled Schoenfeld residuals (squares): their ratio is not constant, "
               f"so the number is an average, and the ratios by period below say more." if changing else
               "No covariate fails the test on scaled Schoenfeld residuals, so that each ratio may be read as constant over time.")
    periods = [_period(period) for period in cox["rows"][0]["periods"]]
    listed([{"Covariate": row["name"]} | {name: number_with_interval(*(period[key] for key in ("value", "low", "high")), digits=2)
                                          for name, period in zip(periods, row["periods"], strict=True)} for row in cox["rows"]],
           "survival-hazard-ratios", raw=[_raw_hazard(row) for row in cox["rows"]])
    st.caption("Ratios describe who died; they are no effects of a treatment.")


def _period(period: Mapping[str, Any]) -> str:
    return f"after day {period['from_day']}" if period["to_day"] is None else f"days {period['from_day'] + 1} to {period['to_day']}"


def _raw_hazard(row: Mapping[str, Any]) -> dict[str, Any]:
    found = flat({"covariate": row["covariate"], "hazard_ratio": row["hazard_ratio"]})
    found |= {"schoenfeld_statistic": row["schoenfeld"]["statistic"], "schoenfeld_p": row["schoenfeld"]["p_value"]}
    for i, period in enumerate(row["periods"], 1):
        found |= flat({f"period_{i}": {key: period[key] for key in ("value", "low", "high")}})
    return found


def show_patients(results: Results) -> None:
    """Show table one and the missing values.

    Parameters
    ----------
    results : Results
        The run.
    """
    curves = results.part("survival")
    st.markdown("**Who they are: those alive on day 180 and those who died by then**")
    rows = curves["table_one"]
    listed([{"": f"– {in_words(row['level'])}" if row["level"] and not _first(rows, i) else _named(row), "Alive": row["alive"],
             "Died": row["dead"],
             "SMD": "" if row["smd"] is None else f"{row['smd']:.2f}"} for i, row in enumerate(rows)], "survival-table-one", raw=rows)
    st.caption("Median with quartiles, mean with standard deviation, or number with per cent. SMD: standardised mean difference; above 0.1 "
               "is usually called a difference.")
    st.markdown("**What is missing**")
    missing = [row for row in curves["missingness"] if row["missing"]]
    st.altair_chart(charts.bars_chart([{"label": row["name"], "value": 100 * row["share"], "warned": row["share"] > 0.5}
                                       for row in missing],
                                      title="patients without a value, %", number_format=".1f"), alt="Missing values by column")
    st.caption("After the realignment. More than half is missing where the bar is vermilion. Models impute inside each fold.")
    listed([{"Column": row["name"]} | {label: percent(row[name]) for name, label in MISSING.items()} for row in missing],
           "survival-missing",
           raw=curves["missingness"])
    with st.expander("Columns that the models may not see"):
        listed([{"Column": name, "Why": reason} for name, reason in curves["cohort"]["excluded"].items()], "survival-excluded")


def _first(rows: list[dict[str, Any]], i: int) -> bool:
    return i == 0 or rows[i - 1]["name"] != rows[i]["name"]


def _named(row: Mapping[str, Any]) -> str:
    name = row["name"] if row["name"] != "n" else "patients"
    return f"{name[:1].upper()}{name[1:]}" + (f": {in_words(row['level'])}" if row["level"] else "")


def show_defect(results: Results) -> None:
    """Show the displacement in the published table and what undoing it gives.

    Parameters
    ----------
    results : Results
        The run.
    """
    found = results.part("survival")["realignment"]
    st.markdown(f"**The published table is out of step.** In phase II of the study, {found['phase_two']:,} patients, "
                f"{len(found['columns'])} columns "
                "of physiology stand beside the wrong patients: the values of a patient stand some rows further down. Nothing in the file "
                "says so.")
    for column, (label, value, explanation) in zip(st.columns(4), [
            ("Patients put right", f"{found['moved']:,}", "Their physiology came from another row."),
            ("Values lost", f"{found['lost']:,}", "Patients whose physiology has fallen off the end of the table."),
            ("Agreement as published", f"{found['correlation_published']:.2f}",
             "Correlation, in phase II, of the recorded physiology score with the one that the row's physiology implies."),
            ("Agreement realigned", f"{found['correlation_realigned']:.2f}", "The same after the realignment."),
    ], strict=True):
        column.metric(label, value, help=explanation, border=True)
    st.markdown("The realignment uses no outcome: it only asks which displacement makes the recorded physiology score agree with the "
                "physiology. "
                "Disease groups had no part in it, so they are an independent check: means by group should look like those of phase I.")
    gaps = [results.metric(f"support2.realignment.physiology.glucose_gap_{name}") for name in ("published", "realigned")]
    st.markdown("Glucose enters neither the score nor the realignment. With diabetes it is higher than without, in phase II, by "
                f"{with_interval(gaps[0], digits=0)} mg/dl as published and by {with_interval(gaps[1], digits=0)} mg/dl realigned.")
    _check(found["check"])


def _check(rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(row["name"] for row in rows))
    chosen = st.selectbox("Measurement", names, key="measurement", persist_state="session")
    shown = [row for row in rows if row["name"] == chosen]
    data = [{"label": row["group"], "series": label, "value": row[key], "low": row[key], "high": row[key]}
            for row in shown for key, label in PHASES.items() if row[key] is not None]
    styles = dict(zip(PHASES.values(), (PLAIN[6], PLAIN[4], PLAIN[0]), strict=True))
    st.altair_chart(charts.interval_chart(data, title=f"mean {chosen}", styles=styles, number_format=".2f", row_height=30),
                    alt=f"Mean {chosen} by group and phase")
    listed([{"Group": row["group"]} | {label: "–" if row[key] is None else f"{row[key]:.2f}" for key, label in PHASES.items()}
            for row in shown],
           "survival-defect", raw=rows)
