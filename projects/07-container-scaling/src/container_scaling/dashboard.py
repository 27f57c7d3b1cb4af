"""The chapter's dashboard: scaling curves of a run, a running stack, and the calculator; it measures nothing itself."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, show_live
from carefolio.views import late_section
from container_scaling.config import FOLDER, PROJECT
from container_scaling.views.results import read_results

HEAD = Head("Replicas, load and cost", "📦",
            "How many replicas does a hospital need, and what happens when there are too few?")
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
    show_live(HEAD, SECTIONS, read_results, folder or project_home(FOLDER))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
