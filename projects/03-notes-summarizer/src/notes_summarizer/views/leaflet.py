"""The section for a patient's question: a leaflet in plain words with its sources, or a refusal that says why."""

import os
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import streamlit as st

from carefolio.config import load_config
from carefolio.exceptions import ArtefactError, CarefolioError
from carefolio.views import show_problem
from notes_summarizer.config import PROJECT, NotesSettings
from notes_summarizer.leaflet.index import LeafletIndex
from notes_summarizer.leaflet.write import Leaflet, write_leaflet
from notes_summarizer.train import open_index
from notes_summarizer.views.choices import leaving_words, offered
from notes_summarizer.views.leaflet_html import leaflet_html, passages_html, refusal_html

LIKED = ("What are the symptoms of high blood pressure?", "What is asthma?", "Who is at risk for glaucoma?", "What causes gout?")
"""Suggested where they can be answered."""
TO_REFUSE = "Should I double my dose of metformin?"
MOST_TRIED = 24
"""Topics that are tried for a suggestion."""
WRITTEN = "leaflet-written"
"""Where a session keeps the last leaflet; it ends with the browser's tab."""
RULES = "rules"


def show_leaflet(folder: Path) -> None:
    """Ask for a question and show the leaflet.

    Parameters
    ----------
    folder : Path
        Of the run; its index is searched, or that of the last run if it has none.

    Raises
    ------
    ArtefactError
        If there is no index.
    """
    st.subheader("What would a patient like to know?")
    st.caption("Written from pages of the US National Institutes of Health (MedQuAD): general information, some of it years old, and no "
               "advice about a person. The question never leaves this machine; it is not stored, not logged and not put in the address.")
    settings = load_config(NotesSettings, PROJECT)
    index, questions = open_desk(folder)
    asked = _choose_question(questions)
    writer = _choose_writer()
    with st.form("leaflet-form", border=False):
        question = st.text_input("Question, in English", key="question", persist_state="session", placeholder="What is asthma?")
        asked = st.form_submit_button("Write a leaflet", type="primary", icon=":material/menu_book:") or asked
    if asked:
        st.session_state.pop(WRITTEN, None)
        try:
            st.session_state[WRITTEN] = _write(question or "", index, settings, writer)
        except CarefolioError as error:
            show_problem(error)
    if WRITTEN in st.session_state:
        _show(st.session_state[WRITTEN])


@st.cache_resource(show_spinner="The passages are opened. The first time this takes a moment.", max_entries=1)
def open_desk(folder: Path) -> tuple[LeafletIndex, list[str]]:
    """Open the passages, once, and find questions to suggest.

    Parameters
    ----------
    folder : Path
        Of the run.

    Returns
    -------
    index : LeafletIndex
        Of the run, else of the last full run, else of the last quick one.
    questions : list of str
        Two that it answers, and one that is refused.

    Raises
    ------
    ArtefactError
        If there is none.
    """
    index = open_index(folder) or open_index()
    if index is None:
        raise ArtefactError("There is no index of passages yet, so no leaflet can be written. Make a small one with `notes run --quick` "
                            "(about a minute) or the whole one with `notes run`, then load this page again.")
    return index, suggest(index, load_config(NotesSettings, PROJECT))


def suggest(index: LeafletIndex, settings: NotesSettings) -> list[str]:
    """Find questions to suggest: two that a leaflet is written for, and one that is refused.

    Parameters
    ----------
    index : LeafletIndex
        Where to search.
    settings : NotesSettings
        Its leaflets.

    Returns
    -------
    list of str
        At most three.
    """
    topics = dict.fromkeys(index.passages.filter(question_type="information")["focus"].to_list())
    asked = [*LIKED, *(f"What is {topic}?" for topic in list(topics)[:MOST_TRIED])]
    answered = (question for question in asked if not write_leaflet(question, index, settings.leaflet).refused)
    return [*islice(answered, 2), TO_REFUSE]


def _choose_question(questions: Sequence[str]) -> bool:
    """Give whether a suggestion was clicked; it then stands in the form."""
    st.markdown("Try one of these, or ask your own:")
    with st.container(horizontal=True):
        clicked = [st.button(question, key=f"suggestion-{place}", on_click=_take, args=(question,))
                   for place, question in enumerate(questions)]
    return any(clicked)


def _take(question: str) -> None:
    st.session_state["question"] = question


def _choose_writer() -> str:
    titles = {RULES: "Rules, no language model"} | {name: title for name, title in offered(os.environ).items() if name != "extractive"}
    if len(titles) == 1:
        return RULES
    writer = str(st.selectbox("Who puts it in plain words", list(titles), format_func=titles.__getitem__, key="writer",
                              persist_state="session", help="A language model may reword sentences of the pages; what they do not support "
                                                            "is not taken. It is not given the question."))
    if warning := leaving_words([writer], os.environ):
        st.warning(warning, icon=":material/outgoing_mail:")
    return writer


def _write(question: str, index: LeafletIndex, settings: NotesSettings, writer: str) -> Leaflet:
    from notes_summarizer.providers.open import open_providers  # brings LangChain, which rules do not need

    with st.spinner("The pages are searched."):
        if writer == RULES:
            return write_leaflet(question, index, settings.leaflet)
        with open_providers(settings.providers, names=[writer]) as providers:
            return write_leaflet(question, index, settings.leaflet, providers=providers)


def _show(leaflet: Leaflet) -> None:
    if leaflet.refused:
        st.html(refusal_html(leaflet))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(leaflet_html(leaflet))
        st.caption("Point at a sentence, or tap it, to see the words it was made from; a number leads to the page.")
    with right:
        _grades(leaflet)
        st.markdown("**Sources**")
        st.html(passages_html(leaflet))


def _grades(leaflet: Leaflet) -> None:
    before, after = st.columns(2)
    explanation = "Flesch-Kincaid grade: years of school in the United States."
    with before:
        st.metric("Reading grade of the pages", "–" if leaflet.source_grade is None else f"{leaflet.source_grade:.1f}", border=True,
                  help=explanation)
    with after:
        st.metric("Reading grade of the leaflet", "–" if leaflet.reading_grade is None else f"{leaflet.reading_grade:.1f}", border=True,
                  help=explanation)
    reworded = sum(bool(sentence.reworded_by) for sentence in leaflet.sentences)
    st.caption(f"{reworded} of {len(leaflet.sentences)} sentences were put in plainer words; the others stand as on the page. Hard "
               "sentences were left out.")
