"""The section with what was measured: systems side by side, faithfulness and its meter, time and cost, retrieval and leaflets."""

from pathlib import Path

import streamlit as st

from carefolio.shown_run import choose_view
from notes_summarizer.views import judged, retrieval, summaries
from notes_summarizer.views.results import read_results

VIEWS = {
    "Overlap": summaries.show_overlap, "Faithfulness": judged.show_faithfulness, "Sections": summaries.show_sections,
    "The meter": judged.show_meter, "Time and cost": summaries.show_costs, "Retrieval": retrieval.show_retrieval,
    "Refusals": retrieval.show_refusals, "Leaflets": retrieval.show_leaflets,
}


def show_results(folder: Path) -> None:
    """Show one view of what was measured.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("How good is it, on texts that nothing was tuned on?")
    choose_view(VIEWS, read_results(folder), key="results")
