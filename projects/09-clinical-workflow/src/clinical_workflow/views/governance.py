"""Governance as it stands in the files: intended use, hazards, people, monitoring, roles."""

from pathlib import Path

import streamlit as st

from clinical_workflow.governance.reading import read_governance
from clinical_workflow.governance.rendering import sections


def show_governance(folder: Path) -> None:
    """Show the governance files.

    Parameters
    ----------
    folder : Path
        Of the run; not needed here.
    """
    st.subheader("Who answers for it, and what proves the controls?")
    for number, (title, text) in enumerate(sections(read_governance()).items()):
        with st.expander(title, expanded=number == 0):
            st.markdown(text)
    st.caption("The tests that a hazard names are run by `workflow governance --check` and in every test run.")
