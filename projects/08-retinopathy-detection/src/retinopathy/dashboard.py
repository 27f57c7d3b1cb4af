"""The chapter's dashboard: grade a photograph, and browse what a run has measured. The grader runs only while it is asked."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, show_live
from carefolio.views import late_section
from retinopathy.config import FOLDER, PROJECT
from retinopathy.views.results import read_results

HEAD = Head("Diabetic retinopathy", "👁️",
            "Who needs to see an eye doctor?")
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
    show_live(HEAD, SECTIONS, read_results, folder or project_home(FOLDER))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
