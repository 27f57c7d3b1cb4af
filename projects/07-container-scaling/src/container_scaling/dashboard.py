"""The chapter's dashboard: scaling curves of a run, a running stack, and the calculator; it measures nothing itself."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from carefolio.config import project_home
from carefolio.dashboard import page, provenance_footer
from carefolio.shown_run import run_or_none
from carefolio.views import late_section, show_sections
from container_scaling.config import FOLDER, PROJECT
from container_scaling.views.results import read_results

TITLE = "Replicas, load and cost"
ICON = "📦"
QUESTION = "How many replicas does a hospital need, and what happens when there are too few?"

_section = partial(late_section, PROJECT)
SECTIONS: dict[str, Callable[[Path], None]] = {
    "Overview": _section("results", "show_overview"), "Load": _section("results", "show_load"),
    "Overload": _section("results", "show_overload"), "Calculator": _section("calculator", "show_calculator"),
    "Live": _section("running", "show_live"),
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default.
    """
    home = folder or project_home(FOLDER)
    results = run_or_none(read_results, home)
    page(TITLE, ICON, QUESTION, evidence=results.evidence if results else None)
    show_sections(SECTIONS, home)
    if results:
        provenance_footer(results.evidence)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
