"""The chapter's dashboard: leaderboard, importance, versions, lineage and checks of what a run has recorded; it never trains."""

import sys
from collections.abc import Callable
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, read_shown_run, show_run
from model_registry.names import COMMAND, FOLDER, PROJECT
from model_registry.views import checks, pages
from model_registry.views.results import Results

HEAD = Head("Models and where they come from", "🗂️",
            "Can any past run be made again, to the digit?")
SECTIONS: dict[str, Callable[[Results], None]] = {
    "Overview": pages.show_overview, "Leaderboard": pages.show_leaderboard, "Parameters": pages.show_importance,
    "Versions": pages.show_versions, "Lineage": pages.show_lineage, "Checks": checks.show_checks,
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default.
    """
    show_run(HEAD, SECTIONS, lambda: Results(read_shown_run(folder or project_home(FOLDER), command=COMMAND, package=PROJECT)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
