"""The chapter's dashboard: batches, drift, decisions and gates, planted faults, and whether it was worth it; it never trains."""

import sys
from collections.abc import Callable
from pathlib import Path

from carefolio.config import project_home
from carefolio.dashboard import page, provenance_footer
from carefolio.exceptions import CarefolioError
from carefolio.shown_run import ShownRun, read_shown_run
from carefolio.views import show_problem, show_sections
from retraining.names import COMMAND, FOLDER, PROJECT
from retraining.views import gains, pages

TITLE = "Retraining by protocol"
ICON = "♻️"
QUESTION = "When may a new model replace the old one?"
SECTIONS: dict[str, Callable[[ShownRun], None]] = {
    "Timeline": pages.show_timeline, "Drift": pages.show_drift, "Decisions": pages.show_decision, "Planted faults": pages.show_faults,
    "Does it help?": gains.show_gains, "Protocol": gains.show_protocol,
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
    show_sections(SECTIONS, run)
    provenance_footer(run.evidence)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
