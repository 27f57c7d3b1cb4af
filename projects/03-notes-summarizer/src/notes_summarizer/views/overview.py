"""The first section: the three promises with their numbers, how it works, what the data is and what is missing."""

from pathlib import Path

import streamlit as st

from carefolio.exceptions import ArtefactError
from carefolio.views import ORIGINS, show_table
from notes_summarizer.config import PARTS
from notes_summarizer.views.privacy import MEASURE_IT
from notes_summarizer.views.results import TITLES, Results, read_results, show_cards

ABOUT = {
    "mts_dialog": "MTS-Dialog: conversations of doctors and patients, written for the purpose, with a section of a note each",
    "aci_bench": "ACI-Bench: visits that were acted, with the whole note",
    "medquad": "MedQuAD: questions and answers from pages of the US National Institutes of Health",
}
MTS, ACI, FIREWALL = "mts_dialog.test", "aci_bench.test1", "asq_phi.report.firewall"
SUMMARIES = [
    ("ROUGE-1, rules", f"{MTS}.extractive.rouge1", ".3f",
     "Overlap with the section that a person wrote, so a good one in other words scores low; MTS-Dialog, both tests."),
    ("ROUGE-1, small model", f"{MTS}.local.rouge1", ".3f", "SmolLM2-135M on this machine, the same conversations."),
    ("ROUGE-1, transcript itself", f"{MTS}.raw_transcript.rouge1", ".3f", "The conversation unchanged: what one gets for doing nothing."),
]
FAITHFUL = [
    ("Sentences without a finding, rules", f"{ACI}.extractive.faithfulness", ".1%",
     "Share in which rules find no number, drug, negation or side that the conversation lacks; ACI-Bench test1."),
    ("The same, small model", f"{ACI}.local.faithfulness", ".1%", "SmolLM2-135M on this machine, the same visits."),
    ("Facts left out, rules", f"{ACI}.extractive.omission", ".1%", "Share of the facts that conversation and written note share."),
]
LEAFLETS = [
    ("Right passage in the first five", "medquad.test.hybrid.recall_at_5", ".3f", "Share of the right passages; MedQuAD's own questions."),
    ("Refused where no page answers", "medquad.test.refusal.recall_left_out", ".1%",
     "Questions about topics that were taken out of the index."),
    ("Refused by mistake", "medquad.test.refusal.false_refusals", ".1%", "Questions that a page does answer."),
]
PRIVACY = [
    ("Identifiers taken out", f"{FIREWALL}.phi_recall", ".1%",
     "All letters and digits of it are gone; the half of ASQ-PHI kept for reporting."),
    ("Texts without any that lost something", f"{FIREWALL}.over_redaction", ".1%",
     "Queries without identifiers in which something was taken."),
    ("Milliseconds a text, 95th percentile", f"{FIREWALL}.latency_p95_ms", ".0f", "Time to take identifiers out of one query."),
]


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
    st.markdown("A note goes in; its identifiers are replaced before a language model sees it, and put back after. Every statement of the "
                "summary shows the sentences it rests on, and what they do not hold is marked. Try it under **Summarise** and **Leaflet**.")
    _part(results, "summaries", "Does it say what the note says?", [SUMMARIES, FAITHFUL])
    _part(results, "leaflets", "Does it find the right page, and refuse when there is none?", [LEAFLETS])
    st.subheader("Does it leak nobody?")
    if f"{FIREWALL}.phi_recall" in results.evidence.metrics:
        show_cards(results, PRIVACY)
    else:
        st.warning(f"The firewall was not measured for this run. {MEASURE_IT}", icon=":material/visibility_off:")
    st.subheader("Where it comes from")
    show_table(_provenance(results), hide_header=True)


def _part(results: Results, part: str, title: str, rows: list[list[tuple[str, str, str, str]]]) -> None:
    st.subheader(title)
    try:
        results.part(part)
    except ArtefactError as error:
        st.warning(str(error), icon=":material/visibility_off:")
        return
    for cards in rows:
        show_cards(results, cards)


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
