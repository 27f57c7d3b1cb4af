"""The chapter's dashboard: scaling curves of a run, a running stack, and the calculator; it measures nothing itself."""

import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path

from carefolio.config import project_home
from carefolio.dashboard import page, provenance_footer
from carefolio.exceptions import CarefolioError
from carefolio.shown_run import ShownRun
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
    import_module("pandas")  # a click during the first run starts a second thread; altair in it must not find pandas half-imported
    home = folder or project_home(FOLDER)
    results = _results(home)
    page(TITLE, ICON, QUESTION, evidence=results.evidence if results else None)
    show_sections(SECTIONS, home)
    if results:
        provenance_footer(results.evidence)


def _results(home: Path) -> ShownRun | None:
    """Read the run, if there is one that can be read; a section that needs it says what is wrong with it."""
    try:
        return read_results(home)
    except CarefolioError:
        return None


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
