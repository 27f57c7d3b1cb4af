"""The chapter's dashboard: what a run has measured, the live monitor of this machine's service, and as a SMART app one patient's alerts."""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, show_live
from carefolio.views import late_section
from clinical_workflow.config import FOLDER, PROJECT
from clinical_workflow.views.results import read_results

HEAD = Head("AI inside the care workflow", "🩺",
            "How does a model reach the clinician at the right moment, and how is it stopped when it should be?")
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
    show_live(HEAD, SECTIONS, read_results, folder or project_home(FOLDER),
              prepare=lambda: import_module("clinical_workflow.views.patient").take_launch())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
