"""Sections that show measured results: overview, performance, calibration, subgroups, leakage."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from carefolio import charts
from carefolio.dashboard import metric_card
from carefolio.views import NBSP, ORIGINS, inline_image, percent, percent_with_interval, with_interval
from readmission.names import LEAK_TITLES
from readmission.views.results import COHORTS, GROUPS, MODELS, PRIMARY, STYLES, SUBGROUP_METRICS, Results, group_value

SPELLINGS = {"xgboost": "XGBoost", "lightgbm": "LightGBM", "tabpfn": "TabPFN", "lace": "LACE", "hospital": "HOSPITAL",
             "wasserman": "Wasserman", "cureus": "Cureus", "tabarena": "TabArena"}


def show_overview(results: Results) -> None:
    """Show the headline numbers, the models side by side, the data and the cohort.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Result on held-out patients")
    name = f"{PRIMARY}.test"
    cards = [("AUROC", f"{name}.lightgbm.roc_auc", "Chance that a discharge with a return gets a higher risk than one without."),
             ("Average precision", f"{name}.lightgbm.average_precision", "Mean precision; chance gives the prevalence."),
             ("AUROC above the LACE-like score", f"{name}.lightgbm_minus_lace.roc_auc", "Difference on the same patients and replicates."),
             ("Calibration slope", f"{name}.lightgbm.calibration_slope", "1 is right; below 1 the risks are spread too far.")]
    for column, (label, identifier, explanation) in zip(st.columns(4), cards, strict=True):
        with column:
            metric_card(label, results.metric(identifier), explanation=explanation)
    prevalence = results.metric(f"{name}.outcome.prevalence")
    st.markdown(f"Of {prevalence.n:,} discharges that the model has never seen, {percent(prevalence.value)} were followed by another "
                "stay within 30 days. LightGBM is set beside two peers on the same patients.")
    show_models(results, PRIMARY)
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader("Who is in it")
        st.image(inline_image(results.file("figures/cohort_flow.png")), width="stretch", alt="Cohort flow")
    with right:
        st.subheader("Where it comes from")
        st.table(_provenance(results), border="horizontal", hide_header=True, hide_index=True)


def _provenance(results: Results) -> list[dict[str, str]]:
    evidence = results.evidence
    rows = [(data.name, f"{ORIGINS[data.origin]}; {data.rows:,} rows") for data in evidence.data]
    rows += [(step["label"], f"{step['encounters']:,} stays of {step['patients']:,} patients") for step in results.curves["flow"]]
    if evidence.split:
        parts = ", ".join(f"{n:,} {part}" for part, n in sorted(evidence.split.parts.items()))
        rows.append(("Split", f"by {evidence.split.unit}: {parts}"))
    rows += [("Made by", f"{evidence.command}, {evidence.created[:10]}, seed {evidence.seed}"), ("Machine", evidence.environment.machine)]
    return [{"what": what, "value": value} for what, value in rows]


def show_models(results: Results, cohort: str) -> None:
    """Show AUROC and average precision of each model on one cohort.

    Parameters
    ----------
    results : Results
        The run.
    cohort : str
        One of `COHORTS`.
    """
    level = results.metric(f"{cohort}.test.lightgbm.roc_auc").level or 0.95
    st.table([{"Model": title} | {label: with_interval(results.metric(f"{cohort}.test.{name}.{metric}"))
                                  for label, metric in (("AUROC", "roc_auc"), ("Average precision", "average_precision"))}
              for name, title in MODELS.items()], border="horizontal", hide_index=True)
    st.caption(f"In brackets: {100 * level:.0f} % intervals from a bootstrap that draws patients, not rows. Higher is better.")


def show_performance(results: Results) -> None:
    """Show discrimination by model and cohort, the curves, and published figures.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("How well does it rank patients?")
    cohort = st.selectbox("Cohort", list(COHORTS), format_func=COHORTS.__getitem__, key="cohort", persist_state="session")
    show_models(results, cohort)
    _lead(results, cohort)
    rows = [{"label": COHORTS[key], "series": title} | _bounds(results.metric(f"{key}.test.{name}.roc_auc"))
            for key in COHORTS for name, title in MODELS.items()]
    st.markdown("**AUROC by cohort and model, with intervals**")
    st.altair_chart(charts.interval_chart(rows, title="AUROC, higher is better", styles=STYLES), alt="AUROC by cohort and model")
    left, right = st.columns(2, gap="large")
    roc, recall = results.curves["roc"], results.curves["precision_recall"]
    with left:
        st.markdown("**ROC curve**, all encounters")
        points = {title: (roc[name]["false_positive_rate"], roc[name]["true_positive_rate"]) for name, title in MODELS.items()}
        st.altair_chart(charts.curves_chart(points, x_title="1 - specificity", y_title="sensitivity", styles=STYLES, diagonal=True),
                        alt="ROC curves")
    with right:
        st.markdown("**Precision-recall curve**, all encounters")
        points = {title: _from_first_flag(recall[name]) for name, title in MODELS.items()}
        limit = min(1.0, 1.2 * max(max(precision) for _, precision in points.values()))
        st.altair_chart(charts.curves_chart(points, x_title="recall (sensitivity)", y_title="precision", styles=STYLES, y_limit=limit),
                        alt="Precision-recall curves")
    show_published(results.references)


def _from_first_flag(points: Mapping[str, list[float]]) -> tuple[list[float], list[float]]:
    kept = [(recall, precision) for recall, precision in zip(points["recall"], points["precision"], strict=True) if recall >= 0.01]
    return [recall for recall, _ in kept], [precision for _, precision in kept]


def _lead(results: Results, cohort: str) -> None:
    leads = {title: results.metric(f"{cohort}.test.lightgbm_minus_{name}.roc_auc") for name, title in MODELS.items() if name != "lightgbm"}
    words = [f"{with_interval(lead)} over the {title}" for title, lead in leads.items()]
    st.markdown(f"Lead of LightGBM in AUROC, on the same patients: {' and '.join(words)}. An interval that holds 0 shows no difference.")


def _bounds(metric: Any) -> dict[str, Any]:
    return {"value": metric.value, "low": metric.low, "high": metric.high}


def show_published(references: Mapping[str, Mapping[str, Any]]) -> None:
    """Show published figures with their sources.

    Parameters
    ----------
    references : mapping
        What ``references.toml`` holds.
    """
    rows = published_rows(references)
    if rows:
        st.markdown("**Published AUROCs**, for comparison. Cohort, split and data differ; set each beside the cohort it names.")
        st.table(rows, border="horizontal", hide_index=True)


def published_rows(references: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """List the published figures that are a share or an AUROC, as counts compare with nothing here.

    Parameters
    ----------
    references : mapping
        What ``references.toml`` holds.

    Returns
    -------
    list of dict
        ``AUROC``, ``Model``, ``Cohort and split``, ``Source``; a cohort given as "As <key>" is written out.
    """
    rows = []
    for key, entry in references.items():
        if not entry["value"].startswith("0."):
            continue
        alike = entry["cohort"].removeprefix("As ")
        cohort = references[alike]["cohort"] if alike in references else entry["cohort"]
        rows.append({"AUROC": entry["value"], "Model": _spelt(key), "Cohort and split": cohort, "Source": entry["source"]})
    return rows


def _spelt(key: str) -> str:
    return " ".join(SPELLINGS.get(word, word) for word in key.split("_"))


def show_calibration(results: Results) -> None:
    """Show whether the stated risks are the observed ones.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Do the risks mean what they say?")
    cards = [("Calibration slope", "calibration_slope", "1 is right; below 1 the risks are spread too far."),
             ("Calibration intercept", "calibration_intercept", "0 is right; above 0 the risks are too low on average, in log-odds."),
             ("Brier score", "brier_score", "Mean squared error of the risk."),
             ("Expected calibration error", "expected_calibration_error", "Mean distance to the line.")]
    for column, (label, name, explanation) in zip(st.columns(4), cards, strict=True):
        with column:
            metric_card(label, results.metric(f"{PRIMARY}.test.lightgbm.{name}"), explanation=explanation)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown("**Observed against predicted risk**")
        st.altair_chart(charts.calibration_chart({"LightGBM": results.curves["calibration"]}, y_title="observed share of returns",
                                                 count_title="discharges"), alt="Observed share of returns against predicted risk")
        st.caption("Ten groups of equal size by predicted risk; bars are 95 % intervals. Above the line, risks are stated too low.")
    with right:
        st.markdown("**Beside the other models**")
        measures = {label: name for label, name, _ in cards}
        st.table([{"Measure": label} | {title: with_interval(results.metric(f"{PRIMARY}.test.{key}.{name}")).replace(NBSP, " ")
                                        for key, title in MODELS.items()} for label, name in measures.items()],
                 border="horizontal", hide_index=True)
        st.markdown("A model can rank well and still state wrong risks. Slope and intercept say how far the stated risks would have to be "
                    "stretched and shifted. The resampling draws the expected calibration error upwards, so that its interval can lie "
                    "above the estimate.")


def show_subgroups(results: Results) -> None:
    """Show the metrics by race, sex and age, with the largest gaps and the groups that are too small.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("Is it as good for everybody?")
    for column, (group, title) in zip(st.columns(3), GROUPS.items(), strict=True):
        with column:
            metric_card(f"Largest AUROC gap, {title.lower()}", results.metric(f"{PRIMARY}.test.lightgbm.{group}_roc_auc_gap"),
                        explanation="Best minus worst group. Chance alone makes a gap, so the interval never reaches 0.")
    metric = st.selectbox("Metric", list(SUBGROUP_METRICS), format_func=SUBGROUP_METRICS.__getitem__, key="subgroup",
                          persist_state="session")
    members = sorted(results.curves["subgroups"], key=lambda m: (list(GROUPS).index(m["group"]), m["value"] != "under 50", m["value"]))
    shown = [member for member in members if member[metric] is not None]
    rows = [{"label": f"{group_value(member['value'])}\nn = {member['rows']:,}"} | member[metric] for member in shown]
    st.altair_chart(_subgroup_chart(rows, metric, results),
                    alt=f"{SUBGROUP_METRICS[metric]} by subgroup")
    st.caption("The dashed line is all patients together; for observed minus predicted it is 0, above it risks are stated too low.")
    st.table([_subgroup_row(member, metric) for member in shown], border="horizontal", hide_index=True)
    small = [f"{group_value(m['value'])} ({GROUPS[m['group']].lower()}: {m['rows']:,} discharges, {m['events']:,} returns)"
             for m in members if m["roc_auc"] is None]
    if small:
        st.info(f"Too small to judge, fewer than {results.evidence.config['evaluation']['minimum_positives']} returns or non-returns: "
                f"{'; '.join(small)}.")


def _subgroup_chart(rows: list[dict[str, Any]], metric: str, results: Results) -> Any:
    formats: dict[str, Any] = {} if metric == "roc_auc" else {"number_format": ".1%", "axis_format": ".0%"}
    return charts.interval_chart(rows, title=SUBGROUP_METRICS[metric], references=_reference(results, metric), **formats)


def _reference(results: Results, metric: str) -> dict[str, float]:
    names = {"roc_auc": "lightgbm.roc_auc", "sensitivity": "lightgbm.sensitivity_at_top_20_percent"}
    value = results.metric(f"{PRIMARY}.test.{names[metric]}").value if metric in names else 0.0
    return {"all patients": value}


def _subgroup_row(member: Mapping[str, Any], metric: str) -> dict[str, str]:
    found = member[metric]
    plain = f"{found['value']:.3f} ({found['low']:.3f}{NBSP}to{NBSP}{found['high']:.3f})"
    return {"Group": group_value(member["value"]), "Returns": f"{member['events']:,} of {member['rows']:,}",
            SUBGROUP_METRICS[metric]: plain if metric == "roc_auc" else percent_with_interval(**found)}


def show_leakage(results: Results) -> None:
    """Show what the same model would seem to reach with leaks.

    Parameters
    ----------
    results : Results
        The run.
    """
    st.subheader("What would leakage have shown?")
    st.markdown("The same model and features, scored the honest way and with three mistakes that are common in published work on this "
                "data, over several random splits each. Nothing about the model changes, only the test. A leak need not flatter: "
                "within one patient the labels contradict each other, so a split by row can also lower the score.")
    rows = [{"label": title, "value": results.metric(f"{PRIMARY}.leak.{name}.roc_auc").value, "warned": name != "honest"}
            for name, title in LEAK_TITLES.items()]
    st.altair_chart(charts.bars_chart(rows, title="AUROC that one would report", start=0.5, ticks=[0.5, 0.6, 0.7, 0.8, 0.9, 1.0]),
                    alt="AUROC with and without leakage")
    st.markdown("- **Split by row**: stays of one patient stand on both sides, so that the model may recognise patients.\n"
                "- **Later stays**: a feature counts stays that still lie in the future at discharge. It half answers the question.\n"
                "- **SMOTE before the split**: made-up returns, mixed from test rows, are first learnt from and then judged.\n\n"
                "`carefolio.splits` refuses the first and the last, and a test that rewrites later stays guards against the second; "
                "the code goes round them only for this page.")
    st.table([{"Test": title} | {label: f"{results.metric(f'{PRIMARY}.leak.{name}.{metric}').value:.3f}"
                                 for label, metric in (("AUROC", "roc_auc"), ("Average precision", "average_precision"))}
              for name, title in LEAK_TITLES.items()], border="horizontal", hide_index=True)
