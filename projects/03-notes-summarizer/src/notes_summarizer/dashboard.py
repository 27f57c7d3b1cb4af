"""The chapter's dashboard: try a note or a question, and browse what a run has measured. A local model runs only while it is used."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from carefolio.config import project_home
from carefolio.shown_run import Head, show_live
from carefolio.views import late_section
from notes_summarizer.config import FOLDER, PROJECT
from notes_summarizer.views.results import read_results
from notes_summarizer.views.style import STYLE

HEAD = Head("Notes to summaries and leaflets", "📝",
            "Can a summary of a clinical note be trusted to add nothing, to lose nothing and to leak nobody?")
_section = partial(late_section, PROJECT)
SECTIONS: dict[str, Callable[[Path], None]] = {
    "Overview": _section("overview", "show_overview"), "Summarise": _section("summarise", "show_summarise"),
    "Leaflet": _section("leaflet", "show_leaflet"), "Results": _section("measured", "show_results"),
    "Privacy": _section("privacy", "show_privacy"), "Downloads": _section("downloads", "show_downloads"),
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default. Notes and questions can be tried without any.
    """
    show_live(HEAD, SECTIONS, read_results, folder or project_home(FOLDER),
              prepare=lambda: st.html(STYLE))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
