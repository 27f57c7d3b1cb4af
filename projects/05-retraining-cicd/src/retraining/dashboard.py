"""The chapter's dashboard: batches, drift, decisions and gates, planted faults, and whether it was worth it; it never trains."""

import sys
from collections.abc import Callable
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, ShownRun, read_shown_run, show_run
from retraining.names import COMMAND, FOLDER, PROJECT
from retraining.views import gains, pages

HEAD = Head("Retraining by protocol", "♻️",
            "When may a new model replace the old one?")
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
    show_run(HEAD, SECTIONS, lambda: read_shown_run(folder or project_home(FOLDER), command=COMMAND, package=PROJECT))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
