"""The home page of the repository: every chapter with its question, result, data and tests; its dashboard and API start from here."""

import re
from pathlib import Path

import streamlit as st

from carefolio.chapters import Chapter, data_origins, headline, read_chapters, repository_root, select
from carefolio.command import DISCLAIMER
from carefolio.dashboard import style
from carefolio.evidence import read_evidence
from carefolio.exceptions import CarefolioError
from carefolio.freshness import freshness
from carefolio.junit import FILE, HOUSE, TestRun, read_test_run
from carefolio.markdown import without_comments
from carefolio.services import Services, verbs_of
from carefolio.views import inline_image, show_problem

DOCUMENTS = {"README": "README.md", "Article": "article.md", "Model card": "reports/model_card.md"}
# Verb -> what its button says before and after. (A string below it would be drawn: Streamlit shows bare expressions.)
NAMES = {"dashboard": ("Start dashboard", "Open dashboard"), "serve": ("Start API", "Open API docs")}
COLUMNS = 2
STYLE = "<style>h3 { font-size: 1.2rem !important; padding-top: 0 !important; }</style>"
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)\s]+\.png)\)")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:)[^)]*\)")


@st.cache_resource
def services() -> Services:
    """Keep what was started here for all readers of the page; it ends with the page's own process.

    Returns
    -------
    Services
        One for the process.
    """
    return Services()


@st.cache_data(ttl=60, show_spinner=False)
def age(folder: str) -> str:
    """Say how old the evidence of a chapter is.

    Parameters
    ----------
    folder : str
        Of an existing chapter.

    Returns
    -------
    str
        As `carefolio.freshness.freshness`; empty without evidence.
    """
    (chapter,) = select(read_chapters(repository_root()), [folder])
    path = chapter.home / "reports" / "evidence.json" if chapter.home else None
    return freshness(chapter, read_evidence(path)) if path is not None and path.is_file() else ""


def readable(text: str, folder: Path) -> str:
    """Make a page of the repository fit to be read here: pictures inside, links between files as plain words.

    Parameters
    ----------
    text : str
        Markdown.
    folder : Path
        Where it stands; a picture outside of it stays a name.

    Returns
    -------
    str
        Markdown without comments.
    """
    def _picture(match: re.Match[str]) -> str:
        path = (folder / match[2]).resolve()
        inside = path.is_relative_to(folder.resolve()) and path.is_file()
        return f"![{match[1]}]({inline_image(path.read_bytes())})" if inside else f"*{match[1]}*"

    return _LINK.sub(r"\1", _PICTURE.sub(_picture, without_comments(text)))


def last_tests() -> tuple[TestRun | None, str]:
    """Read the last run of the tests in this checkout.

    Returns
    -------
    run : TestRun or None
        None where there is none that can be read.
    said : str
        The run in a line, or why there is none.
    """
    path = repository_root() / FILE
    if not path.is_file():
        return None, f"No tests were run in this checkout yet; `make test` writes {FILE.as_posix()}."
    try:
        run = read_test_run(path)
    except CarefolioError as error:
        return None, str(error)
    return run, f"Last tests: {run.total}, {run.when}{f' at {run.commit}' if run.commit else ''}."


def show_chapter(chapter: Chapter, tests: TestRun | None) -> None:
    """Show one chapter: question, result, where it comes from, what can be started and what can be read.

    Parameters
    ----------
    chapter : Chapter
        Any chapter.
    tests : TestRun or None
        The last run of the tests.
    """
    with st.container(border=True, key=f"chapter-{chapter.folder}", height="stretch"):
        st.subheader(f"{chapter.folder[:2]} · {chapter.activity}", anchor=chapter.folder)
        st.write(chapter.question)
        result = headline(chapter)
        st.markdown(f"**{result[:1].upper()}{result[1:]}**")
        if chapter.home is None:
            return
        tally = tests.tallies.get(chapter.folder) if tests else None
        facts = {"Data": data_origins(chapter), "Evidence": age(chapter.folder), "Tests": str(tally) if tally else ""}
        st.caption("  \n".join(f"{name}: {fact}" for name, fact in facts.items() if fact))
        with st.container(horizontal=True):
            for verb in verbs_of(chapter):
                show_service(chapter, verb)
        with st.container(horizontal=True):
            for name, file in DOCUMENTS.items():
                if (chapter.home / file).is_file() and st.button(name, key=f"{chapter.folder}/{file}", type="tertiary"):
                    st.query_params["read"] = f"{chapter.folder}/{file}"
                    st.rerun()


def show_service(chapter: Chapter, verb: str) -> None:
    """Show how to start a dashboard or an API; where it runs, how to open and stop it.

    Parameters
    ----------
    chapter : Chapter
        An installed chapter.
    verb : str
        ``"dashboard"`` or ``"serve"``.
    """
    start, opened = NAMES[verb]
    key = f"{chapter.folder}-{verb}"
    address = services().address(chapter, verb)
    if address:
        st.link_button(opened, address, type="primary")
        if st.button("Stop", key=f"stop-{key}", help=f"`{chapter.command} {verb}` runs at {address}"):
            services().stop(chapter, verb)
            st.rerun()
    elif st.button(start, key=f"start-{key}", help=f"`{chapter.command} {verb}`, on this machine only"):
        try:
            with st.spinner(f"Starting `{chapter.command} {verb}` …"):
                services().start(chapter, verb)
        except CarefolioError as error:
            show_problem(error)
            return
        st.rerun()


def show_document(chapters: list[Chapter], wanted: str) -> None:
    """Show a page of a chapter.

    Parameters
    ----------
    chapters : list of Chapter
        All of them.
    wanted : str
        Its folder and one of `DOCUMENTS`; anything else is refused.
    """
    if st.button("Back to all chapters"):
        st.query_params.clear()
        st.rerun()
    known = {f"{chapter.folder}/{file}": chapter.home / file for chapter in chapters if chapter.home for file in DOCUMENTS.values()}
    path = known.get(wanted)
    if path is None or not path.is_file():
        st.error("There is no such page; go back and choose one.")
        return
    st.markdown(readable(path.read_text(encoding="utf-8"), path.parent))


def main() -> None:
    """Draw the page."""
    st.set_page_config(page_title="carefolio", page_icon="🏥", layout="wide")
    st.html(style())
    st.html(STYLE)
    chapters = read_chapters(repository_root())
    if wanted := st.query_params.get("read"):
        show_document(chapters, wanted)
        return
    st.title("carefolio")
    st.markdown("Healthcare machine-learning projects that run at once, with every number bound to the run that made it.")
    st.caption(DISCLAIMER)
    tests, said = last_tests()
    house = tests.tallies.get(HOUSE) if tests else None
    st.markdown(said + (f" Across chapters: {house}." if house else ""))
    for start in range(0, len(chapters), COLUMNS):
        for column, chapter in zip(st.columns(COLUMNS), chapters[start:start + COLUMNS], strict=False):
            with column:
                try:
                    show_chapter(chapter, tests)
                except CarefolioError as error:
                    show_problem(error)


if __name__ == "__main__":
    main()
