"""The chapter's dashboard: leaderboard, importance, versions, lineage and checks of what a run has recorded; it never trains."""

import sys
from collections.abc import Callable
from pathlib import Path

from carefolio.config import project_home
from carefolio.dashboard import page, provenance_footer
from carefolio.exceptions import CarefolioError
from carefolio.shown_run import read_shown_run
from carefolio.views import show_problem, show_sections
from model_registry.names import COMMAND, FOLDER, PROJECT
from model_registry.views import checks, pages
from model_registry.views.results import Results

TITLE = "Models and where they come from"
ICON = "🗂️"
QUESTION = "Can any past run be made again, to the digit?"
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
    home = folder or project_home(FOLDER)
    try:
        run = read_shown_run(home, command=COMMAND, package=PROJECT)
    except CarefolioError as error:
        page(TITLE, ICON, QUESTION)
        show_problem(error)
        return
    page(TITLE, ICON, QUESTION, evidence=run.evidence)
    show_sections(SECTIONS, Results(run))
    provenance_footer(run.evidence)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
