"""The live monitor: what the ledger of this machine's decision support says, and what the gate says to it."""

from pathlib import Path

import streamlit as st

from carefolio.views import show_table
from clinical_workflow.api import read_settings, state_folder
from clinical_workflow.cds.ledger import FILE, Ledger
from clinical_workflow.cds.monitor import Monitored, gate, monitor
from clinical_workflow.cds.services import SERVICES
from clinical_workflow.cds.switch import mode_of, read_modes

WORDS = {"off": "off", "shadow": "shadow: logged, not shown", "show": "shown"}


def show_monitor(folder: Path) -> None:
    """Show every service: how it stands, calls, cards, and what became of them.

    Parameters
    ----------
    folder : Path
        Of the run; not needed here.
    """
    st.subheader("How does decision support do on this machine?")
    state = state_folder()
    if not (state / FILE).is_file():
        st.info("No service has run here yet: `workflow serve` and `workflow hospital`, or `workflow story --keep`.")
        return
    ledger, modes, settings = Ledger(state), read_modes(state), read_settings()
    found = [monitor(ledger, name) for name in SERVICES]
    against = {name: gate(ledger, name, settings.gate) for name in SERVICES}
    ledger.close()
    show_table([_row(one, WORDS[mode_of(one.service, modes)]) for one in found])
    for one in found:
        with st.expander(f"{SERVICES[one.service].title}: the gate is {'open' if not against[one.service] else 'shut'}"):
            for text in against[one.service] or ["Nothing speaks against showing its cards."]:
                st.markdown(f"- {text}")
            if one.reasons:
                st.markdown("Put aside because: " + ", ".join(f"{reason} ({count})" for reason, count in one.reasons.items()))
    st.caption("Times are of whole calls. The ledger holds no identifier of a patient. Load the page again for the present state.")


def _row(seen: Monitored, mode: str) -> dict[str, str]:
    answered = seen.accepted + seen.overridden
    return {"Service": SERVICES[seen.service].title, "State": mode, "Calls": str(seen.calls), "Failed": str(seen.failed),
            "p95": "" if seen.p95_ms is None else f"{seen.p95_ms:.0f} ms", "Alerts per 100": f"{seen.alerts_per_100:.1f}",
            "Shown": str(seen.shown), "Accepted": f"{seen.accepted} of {answered}" if answered else ""}
