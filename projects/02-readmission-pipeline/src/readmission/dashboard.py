"""The chapter's dashboard: it shows what a run has written and asks its model about one made-up patient; it never trains."""

import sys
from collections.abc import Callable
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, show_run
from readmission.config import FOLDER
from readmission.views import decisions, downloads, pages
from readmission.views.results import Results, read_results

HEAD = Head("30-day readmission with diabetes", "🏥",
            "Which patients with diabetes will be back in hospital within 30 days of going home?")


def _what_if(results: Results) -> None:
    from readmission.views.what_if import show_what_if  # brings LightGBM, which no other section needs

    show_what_if(results)


SECTIONS: dict[str, Callable[[Results], None]] = {
    "Overview": pages.show_overview, "Performance": pages.show_performance, "Calibration": pages.show_calibration,
    "Decisions": decisions.show_decisions, "Subgroups": pages.show_subgroups, "What-if": _what_if,
    "Leakage": pages.show_leakage, "Downloads": downloads.show_downloads,
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` and ``artefacts`` of a run; the project's committed ones by default.
    """
    show_run(HEAD, SECTIONS, lambda: read_results(folder or project_home(FOLDER)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
