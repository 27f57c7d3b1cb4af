"""The first section: the three questions with their answers, what the data is, and what is missing."""

import streamlit as st

from carefolio.dashboard import metric_card
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError
from carefolio.views import ORIGINS, show_table, with_interval
from outcomes_analysis.config import PARTS
from outcomes_analysis.views.results import TITLES, Results

ABOUT = {
    "support2": "SUPPORT2: seriously ill adults in five hospitals, 1989 to 1994",
    "covid19_jhu": "COVID-19 counts by day and place, Johns Hopkins University",
    "world_population": "World Population Prospects 2024, United Nations",
    "flusight": "Weekly influenza admissions by state, CDC",
    "flusight_baseline": "Official FluSight-baseline forecasts",
    "flusight_ensemble": "Official FluSight-ensemble forecasts",
}
Card = tuple[str, str, str, str]


def show_overview(results: Results) -> None:
    """Show the three questions, the headline numbers and where they come from.

    Parameters
    ----------
    results : Results
        The run.
    """
    for part, show in {"survival": _survival, "waves": _waves, "forecast": _forecast}.items():
        try:
            results.part(part)
        except ArtefactError as error:
            st.subheader(TITLES[part])
            st.warning(str(error), icon=":material/visibility_off:")
            continue
        show(results)
    st.subheader("Where it comes from")
    show_table(_provenance(results), hide_header=True)
    if results.evidence.split:
        parts = ", ".join(f"{n:,} in {part.replace('_', ' ')}" for part, n in sorted(results.evidence.split.parts.items()))
        st.caption(f"Survival models are judged out of fold, cut by {results.evidence.split.unit}: {parts}.")


def _cards(results: Results, cards: list[Card]) -> None:
    for column, (label, identifier, number_format, explanation) in zip(st.columns(len(cards)), cards, strict=True):
        with column:
            metric_card(label, results.evidence.metrics.get(identifier), number_format, explanation=explanation)


def _survival(results: Results) -> None:
    st.subheader("Who dies, and when?")
    primary = results.part("survival")["search"]["primary"]
    name = "support2.out_of_fold"
    _cards(results, [
        ("AUROC, death within 180 days", f"{name}.{primary}.roc_auc", ".3f",
         "Chance that one who dies gets a higher risk than one who lives."),
        ("Lead over the SUPPORT model", f"{name}.{primary}_minus_support_model.roc_auc", "+.3f",
         "Difference in AUROC on the same patients."),
        ("Dead within 180 days", f"{name}.outcome.prevalence", ".1%", "Share of the patients."),
    ])
    lead = results.metric(f"{name}.{primary}_minus_support_model.roc_auc")
    st.markdown(f"Beside the estimate that the study's own model made for the same patients, the AUROC of the new one differs by "
                f"{with_interval(lead)}. {lead_in_words(lead)}")


def lead_in_words(lead: Metric) -> str:
    """Say what a difference shows.

    Parameters
    ----------
    lead : Metric
        New minus old, higher is better.

    Returns
    -------
    str
        A sentence.
    """
    if lead.low is None or lead.high is None:
        return "It has no interval, so it shows nothing."
    if lead.low > 0:
        return "The interval excludes 0: the new model ranks these patients better."
    if lead.high < 0:
        return "The interval excludes 0: the new model ranks these patients worse."
    return "The interval holds 0: no difference is shown."


def _waves(results: Results) -> None:
    st.subheader("What did the waves look like?")
    metrics, entry = results.evidence.metrics, results.part("waves")["countries"].get("US")
    _cards(results, [
        ("Countries", "covid19.world.data.countries", ",.0f", "Entries that are no country, such as ships, are left out and listed."),
        ("Waves a country, median", "covid19.world.waves_chosen_prominence.median", ".0f",
         "Of cases; it depends on what counts as a wave."),
        ("Lagged case fatality, US", "covid19.us.lagged.case_fatality", ".2%", "Deaths over the cases reported some weeks before."),
        ("Reproduction number, US", "covid19.us.steepest_rise.reproduction_number", ".2f", "In the week of the surest rise."),
    ])
    words = [(metrics[f"covid19.world.{name}"].value, text) for name, text in (
        ("data.negative_corrections", "{:,.0f} times a cumulative count fell, and was repaired."),
        ("reporting.single_day_dumps", "{:,.0f} single days hold more than half of what four weeks should."),
        ("reporting.weekly_only_share", "{:.0%} of the countries ended by reporting once a week.")) if f"covid19.world.{name}" in metrics]
    st.markdown(f"What was reported is not what happened. {' '.join(text.format(value) for value, text in words)}")
    if entry:
        st.caption(f"Lag of deaths behind cases in the United States: {entry['fatality']['lag_weeks']} weeks. Lagged fatality is a ratio "
                   f"of reports, not the risk of an infection.")


def _forecast(results: Results) -> None:
    st.subheader("What comes next?")
    name = "flusight.all_seasons.carefolio"
    _cards(results, [
        ("WIS relative to the baseline", f"{name}.relative_wis_to_baseline", ".3f",
         "Below 1 is better than FluSight-baseline on the same targets."),
        ("WIS relative to the ensemble", f"{name}.relative_wis_to_ensemble", ".3f",
         "Below 1 is better than FluSight-ensemble on the same targets."),
        ("50 % intervals hold", f"{name}.coverage_50", ".1%", "Share of targets inside the 50 % interval; 50 % is right."),
        ("95 % intervals hold", f"{name}.coverage_95", ".1%", "Share of targets inside the 95 % interval; 95 % is right."),
    ])
    st.markdown("Forecasts of weekly admissions in each state, up to three weeks ahead, made week by week with nothing known later. **They "
                "are scored, and were learnt, on today's revised counts; the official forecasts had to work with first reports.** That "
                "flatters the new model.")


def _provenance(results: Results) -> list[dict[str, str]]:
    loaded = {data.name: data for data in results.evidence.data}
    rows = []
    for part, names in PARTS.items():
        for name in names:
            text = f"{ORIGINS[loaded[name].origin]}; {loaded[name].rows:,} rows" if name in loaded else "not in this run"
            rows.append({"what": f"{TITLES[part]}: {ABOUT[name]}", "value": text})
    evidence = results.evidence
    rows.append({"what": "Made by", "value": f"{evidence.command}, {evidence.created[:10]}, seed {evidence.seed}"})
    return [*rows, {"what": "Machine", "value": evidence.environment.machine}]
