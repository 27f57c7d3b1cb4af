"""The chapter's dashboard: what a run has measured, the live monitor of this machine's service, and as a SMART app one patient's alerts."""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from carefolio.config import project_home
from carefolio.dashboard import page, provenance_footer
from carefolio.shown_run import run_or_none
from carefolio.views import late_section, show_sections
from clinical_workflow.config import FOLDER, PROJECT
from clinical_workflow.views.results import read_results

TITLE = "AI inside the care workflow"
ICON = "🩺"
QUESTION = "How does a model reach the clinician at the right moment, and how is it stopped when it should be?"


_section = partial(late_section, PROJECT)
SECTIONS: dict[str, Callable[[Path], None]] = {
    "Overview": _section("results", "show_overview"), "Patient": _section("patient", "show_patient"),
    "Monitor": _section("live", "show_monitor"), "Mapping": _section("results", "show_mapping"),
    "Simulation": _section("results", "show_simulation"), "Governance": _section("governance", "show_governance"),
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default. Patient, monitor and governance need none.
    """
    home = folder or project_home(FOLDER)
    results = run_or_none(read_results, home)
    page(TITLE, ICON, QUESTION, evidence=results.evidence if results else None)
    import_module("clinical_workflow.views.patient").take_launch()
    show_sections(SECTIONS, home)
    if results:
        provenance_footer(results.evidence)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
