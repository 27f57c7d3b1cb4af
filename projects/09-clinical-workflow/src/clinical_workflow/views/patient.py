"""The dashboard as a SMART app: a launch from the hospital's chart, and what decision support has written for this patient."""

import json
from pathlib import Path
from typing import Any

import streamlit as st

from carefolio.exceptions import CarefolioError
from carefolio.views import percent, show_problem, show_table
from clinical_workflow.api import read_settings
from clinical_workflow.fhir.chart import contained_resources
from clinical_workflow.fhir.elements import items, when
from clinical_workflow.hospital.views import name_of
from clinical_workflow.smart.app_launch import PendingLaunch, SmartContext, begin_launch, finish_launch, read_fhir

CONTEXT = "smart_context"
MOST_PENDING = 200


@st.cache_resource(show_spinner=False)
def _pending() -> dict[str, PendingLaunch]:
    """Launches that wait for their code: the browser comes back as a new session, so they are kept with the process."""
    return {}


def take_launch() -> None:
    """Take up a launch, or the code that comes back from one, from the address of the page."""
    asked = st.query_params
    try:
        if "iss" in asked and "launch" in asked:
            _begin(asked["iss"], asked["launch"])
        elif "code" in asked and "state" in asked:
            pending = _pending().pop(asked["state"], None)
            code = asked["code"]
            st.query_params.clear()
            if pending is None:
                st.warning("This launch is not known here; open the app from the chart again.")
            else:
                st.session_state[CONTEXT] = finish_launch(pending, code)
        elif "error" in asked:
            st.query_params.clear()
            st.warning("The hospital refused the launch; open the app from the chart again.")
    except CarefolioError as error:
        show_problem(error)


def _begin(issuer: str, launch: str) -> None:
    """Send the browser to the hospital's authorization server."""
    settings = read_settings()
    allowed = {server.rstrip("/") for client in settings.cds.clients for server in client.fhir_servers}
    st.query_params.clear()
    address, state, pending = begin_launch(issuer, launch, redirect_uri=settings.hospital.app_url, allowed=allowed)
    kept = _pending()
    kept[state] = pending
    while len(kept) > MOST_PENDING:
        kept.pop(next(iter(kept)))
    quoted = json.dumps(address).replace("<", "\\u003c")  # so that no part of the address can end the script
    st.html(f"<script>window.location.replace({quoted})</script>", unsafe_allow_javascript=True)
    st.link_button("Go on to the hospital", address)
    st.stop()


def show_patient(folder: Path) -> None:
    """Show what decision support has written for the patient whose chart was open.

    Parameters
    ----------
    folder : Path
        Of the run; not needed here.
    """
    st.subheader("What has decision support written for this patient?")
    context: SmartContext | None = st.session_state.get(CONTEXT)
    if context is None:
        st.info("Open this page from a chart: `workflow hospital`, then “Workflow dashboard” in a patient's chart. It gets a token for "
                "that patient alone, by SMART on FHIR.")
        return
    person = read_fhir(context, f"Patient/{context.patient}")
    st.markdown(f"**{name_of(person)}**, {person.get('gender', 'unknown')}, born {person.get('birthDate', 'unknown')}")
    risks = contained_resources(read_fhir(context, f"RiskAssessment?patient={context.patient}"))
    tasks = contained_resources(read_fhir(context, f"Task?patient={context.patient}"))
    _show_risks(risks)
    if tasks:
        st.markdown("**Tasks**")
        show_table([{"Task": str(one.get("description", "")), "State": str(one.get("status", ""))} for one in tasks])
    st.caption(f"Read with the scopes {context.scope}.")


def _show_risks(risks: list[dict[str, Any]]) -> None:
    if not risks:
        st.info("No risk has been written into this chart. That does not mean that there is none.")
        return
    st.markdown("**Readmission within 30 days**")
    show_table([{"When": f"{at:%d %b %Y %H:%M}" if (at := when(one)) else "", "State": str(one.get("status", "")),
                 "Risk": percent(items(one.get("prediction"))[0].get("probabilityDecimal", 0.0)),
                 "What raises it": str(items(one.get("prediction"))[0].get("rationale", ""))} for one in risks])
