"""The chapter's dashboard: grade a photograph, and browse what a run has measured. The grader runs only while it is asked."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from carefolio.config import project_home
from carefolio.dashboard import page, provenance_footer
from carefolio.shown_run import run_or_none
from carefolio.views import late_section, show_sections
from retinopathy.config import FOLDER, PROJECT
from retinopathy.views.results import read_results

TITLE = "Diabetic retinopathy"
ICON = "👁️"
QUESTION = "Who needs to see an eye doctor?"


_section = partial(late_section, PROJECT)
SECTIONS: dict[str, Callable[[Path], None]] = {
    "Overview": _section("results", "show_overview"), "Grade a photograph": _section("grade", "show_one"),
    "Threshold": _section("results", "show_threshold"), "Many photographs": _section("grade", "show_many"),
    "Failures": _section("results", "show_failures"),
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default. A photograph can be graded without any.
    """
    home = folder or project_home(FOLDER)
    results = run_or_none(read_results, home)
    page(TITLE, ICON, QUESTION, evidence=results.evidence if results else None)
    show_sections(SECTIONS, home)
    if results:
        provenance_footer(results.evidence)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
