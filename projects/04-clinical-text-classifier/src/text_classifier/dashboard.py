"""The chapter's dashboard: try a text, and browse what a run has measured. An exported model runs only while it is asked."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import streamlit as st

from carefolio.config import project_home
from carefolio.shown_run import Head, show_live
from carefolio.views import late_section
from text_classifier.config import FOLDER, PROJECT
from text_classifier.views.results import read_results
from text_classifier.views.style import STYLE

HEAD = Head("Fine-tuning on clinical text", "🏷️",
            "Does fine-tuning a language model on clinical text beat a word count that costs nothing?")
_section = partial(late_section, PROJECT)
SECTIONS: dict[str, Callable[[Path], None]] = {
    "Overview": _section("overview", "show_overview"), "Try a text": _section("try_text", "show_try"),
    "Compare": _section("compare", "show_compare"), "Errors": _section("mistakes", "show_errors"),
    "Training": _section("training", "show_training"), "Downloads": _section("downloads", "show_downloads"),
}


def main(folder: Path | None = None) -> None:
    """Draw the page.

    Parameters
    ----------
    folder : Path, optional
        Holds ``reports`` of a run; the project's committed ones by default. A text can be tried without any.
    """
    show_live(HEAD, SECTIONS, read_results, folder or project_home(FOLDER),
              prepare=lambda: st.html(STYLE))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
