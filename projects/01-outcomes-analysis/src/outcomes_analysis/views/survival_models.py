"""Views on the survival models: ranking, calibration, decisions and subgroups, beside the study's own estimate."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.charts import PLAIN, SeriesStyle
from carefolio.views import NBSP, number_with_interval, percent, percent_with_interval, with_interval
from outcomes_analysis.survival.figures import NAMES
from outcomes_analysis.views.charts import lines_chart, style_of
from outcomes_analysis.views.results import GREY, Results, flat, listed
from outcomes_analysis.views.words import in_words

OUT_OF_FOLD = "support2.out_of_fold"
PEER = "support_model"
MEASURES = {"Brier score": "brier_score", "Calibration slope": "calibration_slope", "Calibration intercept": "calibration_intercept"}
GROUPS = {"sex": "Sex", "race": "Race", "age_group": "Age", "disease_group": "Disease group"}
SUBGROUP_METRICS = {"roc_auc": "AUROC", "observed_minus_predicted": "Observed minus predicted"}


def styles_of_models(primary: str) -> dict[str, SeriesStyle]:
    """Give the models that are drawn together the same styles on every chart.

    Parameters
    ----------
    primary : str
        Key of the primary model.

    Returns
    -------
    dict of str to SeriesStyle
        By name shown to people.
    """
    others = [name for name in NAMES if name not in (primary, PEER, "physiology_score")]
    return {NAMES[name]: style for name, style in style_of([primary, PEER, "physiology_score", *others], PLAIN).items()}


def show_models(results: Results) -> None:
    """Show AUROC, lead over the SUPPORT model, Uno's C and Brier score by model.

    Parameters
    ----------
    results : Results
        The run.
    """
    curves = results.part("survival")
    primary = curves["search"]["primary"]
    rows = sorted(curves["auroc"], key=lambda row: -row["value"])
    peer = next(row["value"] for row in rows if row["model"] == PEER)
    st.markdown(f"**Ranking of patients by risk of death within 180 days.** Chosen before the test, on inner folds: {NAMES[primary]}.")
    st.altair_chart(charts.interval_chart([row | {"label": NAMES[row["model"]]} for row in rows], title="AUROC, higher is better",
                                          references={"SUPPORT model": peer}), alt="AUROC by model with 95 % intervals")
    st.caption("The dashed line is the SUPPORT model's own estimate for the same patients. All new models predict patients they have not "
               "seen; the "
               "SUPPORT model was derived on the first phase of this very study, which flatters it. Bars are 95 % intervals over patients.")
    listed([{"Model": NAMES[row["model"]], "AUROC above SUPPORT": _signed(row["lead"]), "Uno's C": _metric(results, row["model"], "uno_c"),
             "Brier score": _metric(results, row["model"], "brier_score")} for row in rows], "survival-models",
           raw=[flat({"model": row["model"], "roc_auc": {key: row[key] for key in ("value", "low", "high")}})
                | flat({"lead": row["lead"] or dict.fromkeys(("value", "low", "high"))}) for row in rows])
    st.caption("An interval of the difference that holds 0 shows no difference. Uno's C weighs for censoring; for the Brier score lower is "
               "better.")
    _over_time(curves)


def _signed(lead: Mapping[str, float] | None) -> str:
    return "–" if lead is None else f"{lead['value']:+.3f} ({lead['low']:+.3f} to {lead['high']:+.3f})"


def _metric(results: Results, model: str, name: str) -> str:
    found = results.evidence.metrics.get(f"{OUT_OF_FOLD}.{model}.{name}")
    return "–" if found is None else with_interval(found).replace(NBSP, " ")


def _over_time(curves: Mapping[str, Any]) -> None:
    if "brier" not in curves:
        return
    brier, primary = curves["brier"], curves["search"]["primary"]
    shown = [name for name in (primary, "cox", "random_forest", "kaplan_meier") if name in brier["models"]]
    rows = [{"series": NAMES[name], "x": time, "y": value} | ({"low": low, "high": high} if name == primary else {})
            for name in dict.fromkeys(shown)
            for time, value, low, high in zip(brier["times"], brier["models"][name], brier["band"]["low"], brier["band"]["high"],
                                              strict=True)]
    styles = {name: style for name, style in (styles_of_models(primary) | {NAMES["kaplan_meier"]: GREY}).items()
              if name in {NAMES[key] for key in shown}}
    st.markdown("**Error of the predicted survival over three years**")
    st.altair_chart(lines_chart(rows, x_title="days since study entry", y_title="Brier score, lower is better", styles=styles, height=360),
                    alt="Brier score over time by model")
    st.caption("The band is the 95 % interval of the primary model; Kaplan-Meier knows nothing of the single patient.")


def show_calibration(results: Results) -> None:
    """Show whether the stated risks are the observed ones.

    Parameters
    ----------
    results : Results
        The run.
    """
    curves = results.part("survival")
    primary = curves["search"]["primary"]
    points = {NAMES[name]: curves["calibration"][name] for name in (primary, PEER)}
    st.markdown("**Observed against predicted risk of death within 180 days**")
    styles = {name: style for name, style in styles_of_models(primary).items() if name in points}
    st.altair_chart(charts.calibration_chart(points, y_title="observed share of deaths", count_title="patients", styles=styles),
                    alt="Observed share of deaths against predicted risk")
    st.caption("Ten groups of equal size by predicted risk; bars are 95 % intervals. Above the line, risks are stated too low.")
    models = [name for name in curves["calibration"] if name in (primary, PEER, "physiology_score")]
    listed([{"Measure": label} | {NAMES[name]: _metric(results, name, measure) for name in models}
            for label, measure in MEASURES.items()], "survival-calibration",
           raw=[{"model": name} | row for name in models for row in _points(curves["calibration"][name])])
    st.caption("Slope 1 and intercept 0 are right. The physiology score is no probability; it was turned into one for these patients, so "
               "its calibration is right by construction.")


def _points(groups: Mapping[str, list[float]]) -> list[dict[str, float]]:
    return [dict(zip(groups, values, strict=True)) for values in zip(*groups.values(), strict=True)]


def show_decisions(results: Results) -> None:
    """Show the decision curve with a threshold to choose.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.markdown("**Is it worth acting on?** Suppose that a talk about goals of care is offered to patients whose risk of dying within 180 "
                "days is high enough.")
    _threshold(results)


@st.fragment
def _threshold(results: Results) -> None:
    curves = results.part("survival")
    thresholds, primary = curves["risk_thresholds"], curves["search"]["primary"]
    low, high, step = (round(100 * value, 1) for value in (thresholds[0], thresholds[-1], thresholds[1] - thresholds[0]))
    chosen = st.slider("Risk threshold: act on patients whose risk is at least", low, high, 50.0, step, format="%.1f %%", key="threshold",
                       persist_state="session")
    place = min(range(len(thresholds)), key=lambda i: abs(thresholds[i] - chosen / 100))
    names = [name for name in (primary, PEER, "physiology_score", "treat_all", "treat_none") if name in curves["net_benefit"]]
    benefits = {NAMES.get(name, name.replace("_", " ")): curves["net_benefit"][name] for name in names}
    st.markdown(net_benefit_in_words(thresholds[place], {name: curves["net_benefit"][name][place] for name in names}, primary))
    st.altair_chart(charts.decision_chart(thresholds, benefits, curves["net_benefit_band"], chosen=thresholds[place],
                                          styles=styles_of_models(primary)), alt="Net benefit over risk thresholds")
    listed([{"Rule": name, "Net benefit per 1,000": f"{1000 * values[place]:.1f}"} for name, values in benefits.items()],
           "survival-net-benefit",
           raw=[{"risk_threshold": threshold} | {name: curves["net_benefit"][name][i] for name in names} for i,
                threshold in enumerate(thresholds)])
    st.caption("Net benefit counts a patient rightly acted on as 1 and one needlessly acted on as the odds of the threshold; the band is "
               "the 95 % interval of the primary model.")


def net_benefit_in_words(threshold: float, benefits: Mapping[str, float], primary: str) -> str:
    """Say what a threshold means and what following the model gains.

    Parameters
    ----------
    threshold : float
        In (0, 1).
    benefits : mapping of str to float
        Net benefit per patient by rule, with ``treat_all`` and ``treat_none``.
    primary : str
        Key of the primary model.

    Returns
    -------
    str
        A few sentences in Markdown.
    """
    worth = (1 - threshold) / threshold
    ratio = f"{worth:.1f} needless ones" if worth >= 1 else f"only {worth:.2f} of a needless one"
    default = max(benefits["treat_all"], benefits["treat_none"])
    simple = "acting for everybody" if benefits["treat_all"] >= benefits["treat_none"] else "acting for nobody"
    gain, beside = (_more_or_less(1000 * (benefits[primary] - other)) for other in (default, benefits[PEER]))
    return (f"At **{percent(threshold)}**, one talk with a patient who does die is taken to be worth {ratio}. For every 1,000 patients, "
            f"following "
            f"the model is worth **{gain}** patients rightly reached than {simple}, and **{beside}** than following the SUPPORT model, "
            f"with no more talks held needlessly.")


def _more_or_less(difference: float) -> str:
    return f"{abs(difference):.1f} {'more' if difference >= 0 else 'fewer'}"


def show_subgroups(results: Results) -> None:
    """Show ranking and calibration by sex, race, age and disease.

    Parameters
    ----------
    results : Results
        The run.
    """
    curves = results.part("survival")
    group = st.selectbox("Group by", list(GROUPS), format_func=GROUPS.__getitem__, key="group", persist_state="session")
    metric = st.selectbox("Metric", list(SUBGROUP_METRICS), format_func=SUBGROUP_METRICS.__getitem__, key="metric", persist_state="session")
    members = [member for member in curves["subgroups"] if member["group"] == group]
    shown = [member for member in members if member[metric] is not None]
    if shown:
        _subgroup_chart(curves, shown, metric)
    listed([_subgroup_row(member, metric) for member in members], f"survival-subgroups-{group}",
           raw=[_raw_member(member) for member in members])
    gap = results.evidence.metrics.get(f"{OUT_OF_FOLD}.{curves['search']['primary']}.{group}_roc_auc_gap")
    if gap:
        st.caption(f"Largest gap in AUROC between groups: {with_interval(gap)}. Chance alone makes a gap, so the interval never reaches 0. "
                   f"A dash marks a group with too few deaths or survivors to judge.")


def _subgroup_chart(curves: Mapping[str, Any], shown: list[dict[str, Any]], metric: str) -> None:
    primary = NAMES[curves["search"]["primary"]]
    rows = [{"label": f"{in_words(member['value'])}\nn = {member['rows']:,}", "series": primary} | member[metric] for member in shown]
    styles = {name: style for name, style in styles_of_models(curves["search"]["primary"]).items() if name in (primary, NAMES[PEER])}
    if metric == "roc_auc":
        rows = [row for row, member in zip(rows, shown, strict=True) for row in
                (row, row | {"series": NAMES[PEER]} | member["roc_auc_support_model"])]
        chart = charts.interval_chart(rows, title="AUROC, higher is better", styles=styles)
    else:
        chart = charts.interval_chart(rows, title="observed minus predicted share of deaths", references={"right": 0.0},
                                      number_format=".1%", axis_format=".0%")
    st.altair_chart(chart, alt=f"{SUBGROUP_METRICS[metric]} by subgroup")
    st.caption("Bars are 95 % intervals over patients." if metric == "roc_auc" else
               "Above 0 (dashed), risks are stated too low. Bars are 95 % intervals.")


def _subgroup_row(member: Mapping[str, Any], metric: str) -> dict[str, str]:
    found = member[metric]
    text = "–" if found is None else number_with_interval(**found) if metric == "roc_auc" else percent_with_interval(**found)
    return {"Group": in_words(member["value"]), "Deaths": f"{member['events']:,} of {member['rows']:,}", SUBGROUP_METRICS[metric]: text}


def _raw_member(member: Mapping[str, Any]) -> dict[str, Any]:
    names = ("group", "value", "rows", "events", "roc_auc", "roc_auc_support_model", "observed_minus_predicted")
    return flat({name: member[name] for name in names})
