"""The home page of the repository: every chapter with its question, its headline result and the data behind it."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import streamlit as st

from carefolio.chapters import Chapter, data_origins, headline, read_chapters, repository_root
from carefolio.command import DISCLAIMER


def chapter_rows(chapters: list[Chapter]) -> list[dict[str, Any]]:
    """Put the chapters in the form of a table.

    Parameters
    ----------
    chapters : list of Chapter
        As `carefolio.chapters.read_chapters` gives them.

    Returns
    -------
    list of dict
        One row a chapter: its folder, question, headline with interval, data with origin, and command.
    """
    return [{"chapter": chapter.folder, "question": chapter.question, "headline": headline(chapter), "data": data_origins(chapter),
             "command": commands(chapter)[-1] if chapter.home else "planned"} for chapter in chapters]


def commands(chapter: Chapter) -> list[str]:
    """List what can be tried of a chapter: its quick run, its API and its dashboard, where it has them.

    Parameters
    ----------
    chapter : Chapter
        An existing chapter.

    Returns
    -------
    list of str
        The dashboard last; the quick run alone where the chapter is not installed.
    """
    verbs = import_module(f"{chapter.package}.cli").main.commands if find_spec(chapter.package) else {}
    return [f"{chapter.command} run --quick", *(f"{chapter.command} {verb}" for verb in ("serve", "dashboard") if verb in verbs)]


def show_chapter(chapter: Chapter) -> None:
    """Show one chapter: question, headline, commands, and the model card for download.

    Parameters
    ----------
    chapter : Chapter
        An existing chapter.
    """
    st.subheader(chapter.activity)
    st.write(chapter.question)
    st.markdown(f"**{headline(chapter)}**")
    st.code("\n".join(commands(chapter)), language="sh")
    for name in ("README.md", "article.md", "reports/model_card.md"):
        path = chapter.home / name if chapter.home else None
        if path is not None and path.is_file():
            st.download_button(name, path.read_bytes(), file_name=f"{chapter.package}-{path.name}", key=f"{chapter.folder}/{name}")


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="carefolio", layout="wide")
    st.title("carefolio")
    st.caption(DISCLAIMER)
    chapters = read_chapters(repository_root())
    st.dataframe(chapter_rows(chapters), hide_index=True, width="stretch")
    for chapter in chapters:
        if chapter.home:
            show_chapter(chapter)


if __name__ == "__main__":
    main()
