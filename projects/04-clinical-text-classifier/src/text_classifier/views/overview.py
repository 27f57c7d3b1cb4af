"""The first section: the question, three tasks with their headline numbers, and whether tuning beat the best baseline."""

from pathlib import Path

import streamlit as st

from carefolio.dashboard import metric_card
from carefolio.evidence import Metric
from carefolio.exceptions import ArtefactError
from carefolio.runs import read_packaged_toml
from carefolio.views import NBSP, ORIGINS, number_with_interval, show_table
from text_classifier.config import PARTS, PROJECT
from text_classifier.figures import PUBLISHED, TASKS
from text_classifier.views.results import SCORE_NAMES, SHORT, Results, capital, in_words, lead_of, read_results

ABOUT = {
    "mts_dialog": "MTS-Dialog: conversations of doctors and patients, written for the purpose, each with its section of a note",
    "pubmedqa": "PubMedQA: questions of published abstracts, answered yes, no or maybe by experts",
    "mtsamples": "MTSamples: transcribed sample reports, each filed under a specialty",
}
ASKED = {
    "headers": "To which section of the note does a conversation belong?",
    "decisions": "Does the abstract answer its question with yes, no or maybe?",
    "specialties": "Which specialty wrote the report?",
}
"""The tasks as questions."""


def show_overview(folder: Path) -> None:
    """Show the headline numbers and where they come from.

    Parameters
    ----------
    folder : Path
        Of the run.

    Raises
    ------
    ArtefactError
        If there is no run.
    """
    results = read_results(folder)
    st.markdown("Three tasks, each with baselines that tune nothing but a linear layer, and with small open models tuned on the same "
                "texts. Best baseline and best tuned model are chosen on validation texts and judged on test texts that chose nothing. "
                "**A tuned model counts only if the interval of its lead over the best baseline excludes 0.** Ask a model yourself under "
                "**Try a text**.")
    for task in TASKS:
        st.subheader(ASKED[task])
        try:
            _task(results, task)
        except ArtefactError as error:
            st.warning(str(error), icon=":material/visibility_off:")
    st.subheader("Where it comes from")
    show_table(_provenance(results), hide_header=True)


def _task(results: Results, task: str) -> None:
    curves, metrics = results.part(task), results.evidence.metrics
    best, baseline = curves["best"], curves["baseline"]
    score, _, key = PUBLISHED[task]
    name, number_format = SCORE_NAMES[score], ".1%" if score == "accuracy" else ".3f"
    lead = lead_of(results, task, best)
    st.markdown(_verdict(results, task, lead))
    left, middle, right = st.columns(3)
    with left:
        metric_card(f"{name}, best tuned: {in_words(best)}", metrics.get(f"{task}.test.{best}.{score}"), number_format,
                    explanation="Mean of the seeds, on the test part; chosen by accuracy on validation.")
    with middle:
        metric_card(f"{name}, best baseline: {in_words(baseline)}", metrics.get(f"{task}.test.{baseline}.{score}"), number_format,
                    explanation="On the same texts; chosen by accuracy on validation.")
    with right:
        metric_card(f"Lead in {name[:1].lower() + name[1:]}", lead, "+.3f", explanation="Best tuned minus best baseline, on the same "
                    "replicates of the bootstrap.")
    reference = read_packaged_toml(PROJECT, "references.toml")[key]
    st.caption(f"Published: {reference['value']} ({reference['cohort']}; {reference['source']}). Here: {len(curves['labels'])} labels, "
               f"{curves['counts']['test']:,} test texts.")


def _verdict(results: Results, task: str, lead: Metric | None) -> str:
    """Say in a sentence who leads, and whether it counts."""
    curves, score = results.part(task), SCORE_NAMES[PUBLISHED[task][0]]
    best, baseline = in_words(curves["best"]), in_words(curves["baseline"])
    if lead is None or lead.low is None or lead.high is None:
        return f"**{capital(best)}** was not compared with {baseline} in this run."
    size = f"difference in {score[:1].lower() + score[1:]} {number_with_interval(lead.value, lead.low, lead.high)}"
    if lead.low > 0:
        return f":material/check_circle: **{capital(best)} leads {baseline}**: {size}; the interval excludes{NBSP}0."
    if lead.high < 0:
        return f":material/cancel: **{capital(best)} is behind {baseline}**: {size}; the interval excludes{NBSP}0. Tuning did not pay here."
    return (f":material/help: **No difference is shown** between **{best}** and **{baseline}**: {size}; the interval includes{NBSP}0. "
            "Tuning does not count here.")


def _provenance(results: Results) -> list[dict[str, str]]:
    loaded = {data.name: data for data in results.evidence.data}
    rows = []
    for task, names in PARTS.items():
        for name in names:
            text = f"{ORIGINS[loaded[name].origin]}; {loaded[name].rows:,} rows" if name in loaded else "not in this run"
            rows.append({"what": f"{SHORT[task]}: {ABOUT[name]}", "value": text})
    evidence = results.evidence
    rows.append({"what": "Made by", "value": f"{evidence.command}, {evidence.created[:10]}, seed {evidence.seed}"})
    return [*rows, {"what": "Machine", "value": evidence.environment.machine}]
