"""The chapter's dashboard: it shows what a run has written; it never trains, and it never uses the network."""

import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from carefolio.config import project_home
from carefolio.shown_run import Head, show_run
from outcomes_analysis.config import FOLDER
from outcomes_analysis.views.results import Results, read_results

HEAD = Head("Outcomes, waves and the weeks ahead", "📈",
            "Who dies and when, what did the waves of COVID-19 look like, and how many influenza admissions come next?")


def _section(module: str, function: str) -> Callable[[Results], None]:
    def _show(results: Results) -> None:
        getattr(import_module(f"outcomes_analysis.views.{module}"), function)(results)  # each brings its own libraries

    return _show


SECTIONS: dict[str, Callable[[Results], None]] = {
    "Overview": _section("overview", "show_overview"), "Survival": _section("survival", "show_survival"),
    "COVID-19": _section("covid", "show_covid"), "Influenza": _section("influenza", "show_influenza"),
    "Downloads": _section("downloads", "show_downloads"),
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default.
    """
    show_run(HEAD, SECTIONS, lambda: read_results(folder or project_home(FOLDER)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
