"""The section for a note: identifiers in colour, and a summary of which every statement shows its sources, by one provider or several."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from carefolio.config import load_config
from carefolio.exceptions import CarefolioError
from carefolio.privacy.firewall import Entity, firewall
from carefolio.privacy.logs import protected
from carefolio.privacy.surrogates import Mapping
from carefolio.views import show_problem, show_table
from notes_summarizer.config import PROJECT, NotesSettings
from notes_summarizer.providers.answer import Answer
from notes_summarizer.summary.check_text import check_text
from notes_summarizer.summary.injection import find_orders
from notes_summarizer.summary.sentences import Sentence, split_sentences
from notes_summarizer.summary.summarize import SummaryResult, stream_summary
from notes_summarizer.views.choices import TITLES, leaving_words, local_problem, offered
from notes_summarizer.views.examples import read_examples
from notes_summarizer.views.marked_note import IN_WORDS, legend_html, note_html
from notes_summarizer.views.statements import cited_numbers, conflicts_html, link_style, summary_html, warnings_html

OWN = "own"
MOST_PROVIDERS = 3
READ = "notes-read"
"""Where a session keeps what was read last; it ends with the browser's tab."""


@dataclass(frozen=True, repr=False)
class ReadNote:
    """A note as the page shows it, and what each provider made of it: a summary, or the error."""

    text: str
    entities: tuple[Entity, ...]
    sentences: tuple[Sentence, ...]
    orders: frozenset[int]
    outcomes: dict[str, SummaryResult | CarefolioError]


def show_summarise(folder: Path) -> None:
    """Ask for a note and providers, and show what they make of it.

    Parameters
    ----------
    folder : Path
        Of the run; this section reads nothing of it.
    """
    st.subheader("What does the note say, and where does it say it?")
    st.caption("The examples are made up. Do not paste a real person's note. What is entered stays in the memory of this page until it is "
               "closed or cleared: it is not stored, not logged and not put in the address.")
    settings = load_config(NotesSettings, PROJECT)
    _choose_example()
    names = _choose_providers()
    with st.form("note-form", border=False):
        text = st.text_area("Note or conversation, in English", key="note", height=260, persist_state="session")
        asked = st.form_submit_button("Summarise", type="primary", icon=":material/clinical_notes:", disabled=not names)
    if asked:
        st.session_state.pop(READ, None)
        try:
            st.session_state[READ] = read_note(text or "", names, settings)
        except CarefolioError as error:
            show_problem(error)
    if READ in st.session_state:
        _show(st.session_state[READ])


def _choose_example() -> None:
    examples = read_examples()
    titles = {key: example.title for key, example in examples.items()} | {OWN: "My own text"}
    first = next(iter(examples))
    if "note" not in st.session_state:
        st.session_state["note"] = examples[first].text
    st.pills("Start from", list(titles), default=first, required=True, format_func=titles.__getitem__, key="example",
             on_change=_take_example, persist_state="session")


def _take_example() -> None:
    example = read_examples().get(st.session_state["example"])
    st.session_state["note"] = example.text if example else ""
    st.session_state.pop(READ, None)


def _choose_providers() -> list[str]:
    titles = offered(os.environ)
    names = st.multiselect("Who writes the summary", list(titles), ["extractive"], format_func=titles.__getitem__, key="providers",
                           max_selections=MOST_PROVIDERS, placeholder="Choose at least one", persist_state="session",
                           help="Each is asked alone. Two or three stand side by side. The small model takes half a minute or more.")
    warning = leaving_words(names, os.environ)
    if warning:
        st.warning(warning, icon=":material/outgoing_mail:")
    if "local" not in titles:
        st.caption(f"The small model cannot be chosen: {local_problem(os.environ.get('NOTES_LOCAL_MODEL', ''))}")
    if not names:
        st.info("No provider is chosen. Choose at least one above.")
    return names


def read_note(text: str, names: Sequence[str], settings: NotesSettings) -> ReadNote:
    """Take identifiers out of a note, and let each provider summarise it alone.

    Parameters
    ----------
    text : str
        The note.
    names : sequence of str
        Providers; one after the other is opened and closed again.
    settings : NotesSettings
        Settings.

    Returns
    -------
    ReadNote
        What the page shows.

    Raises
    ------
    UnsuitableTextError
        If the note is empty, too long, not text or not English.
    """
    note = check_text(text, settings.summary)
    with st.spinner("Identifiers are taken out."), protected(Mapping()) as mapping:
        entities = firewall(note, mapping=mapping).entities
        sentences = tuple(split_sentences(note, entities))
    outcomes = {name: _ask(note, name, settings) for name in names}
    return ReadNote(note, entities, sentences, find_orders(sentences), outcomes)


def _ask(note: str, name: str, settings: NotesSettings) -> SummaryResult | CarefolioError:
    """Give what one provider made of a note, or its error, so that the others can be read beside it."""
    from notes_summarizer.providers.open import open_providers  # brings LangChain, which the page does not need until somebody asks

    result: SummaryResult | None = None
    title, place = TITLES.get(name, name), st.empty()
    with place, st.status(f"{title}: getting ready.") as status:
        try:
            with open_providers(settings.providers, names=[name]) as providers:
                for event in stream_summary(note, providers, settings.summary):
                    result = event.result or result
                    if event.kind in ("status", "restart"):
                        status.update(label=f"{title}: {event.text}")
        except CarefolioError as error:
            place.empty()
            return error
    place.empty()
    assert result is not None, "a summary ends with its result"
    return result


def _show(read: ReadNote) -> None:
    done = [outcome.summary for outcome in read.outcomes.values() if isinstance(outcome, SummaryResult)]
    if style := link_style(cited_numbers(done)):
        st.html(style)
    if len(read.outcomes) == 1:
        left, right = st.columns(2, gap="large")
        with left:
            _show_note(read)
        with right:
            _show_outcome(*next(iter(read.outcomes.items())))
    else:
        _show_note(read)
        for column, (name, outcome) in zip(st.columns(len(read.outcomes), gap="medium"), read.outcomes.items(), strict=True):
            with column:
                _show_outcome(name, outcome)
    st.button("Clear note and summary", on_click=_clear, icon=":material/delete:")


def _clear() -> None:
    st.session_state.pop(READ, None)
    st.session_state["note"], st.session_state["example"] = "", OWN


def _show_note(read: ReadNote) -> None:
    st.markdown("#### The note")
    surrogates = st.toggle("Show what a model sees", key="surrogates", persist_state="session",
                           help="A model is given the text with these words in place of the identifiers, which are put back into its "
                                "answer.")
    st.html(legend_html(read.entities, orders=bool(read.orders)))
    st.html(note_html(read.text, read.sentences, read.entities, surrogates=surrogates, orders=read.orders))
    if read.entities:
        with st.expander(f"{len(read.entities)} identifiers taken out"):
            show_table([{"In the note": read.text[entity.start:entity.end], "Kind": IN_WORDS.get(entity.identifier_type, "number or code"),
                         "A model sees": entity.surrogate} for entity in read.entities])


def _show_outcome(name: str, outcome: SummaryResult | CarefolioError) -> None:
    st.markdown(f"#### {TITLES.get(name, name)}")
    if isinstance(outcome, CarefolioError):
        show_problem(outcome)
        return
    st.caption(work_in_words(outcome))
    for block in (conflicts_html(outcome.summary.conflicts), warnings_html(outcome.summary.warnings), summary_html(outcome.summary)):
        if block:
            st.html(block)
    st.caption("Point at a statement, or tap it, to see its source; a number leads to the sentence in the note.")


def work_in_words(result: SummaryResult) -> str:
    """Say who wrote a summary, by which prompt, and what it took.

    Parameters
    ----------
    result : SummaryResult
        A summary and how it came about.

    Returns
    -------
    str
        One line.
    """
    writers = ", ".join(sorted({answer.model for answer in result.answer}))
    parts = [f"{writers}", f"prompt {result.prompt} ({result.prompt_sha256[:8]})", f"{result.seconds:.1f} s", _tokens(result.answer),
             _cost(result.answer)]
    failed = [attempt.problem for answer in result.answer for attempt in answer.attempts]
    return " · ".join(parts + ([f"{len(failed)} tries before failed: {'; '.join(failed)}"] if failed else []))


def _tokens(answers: Sequence[Answer]) -> str:
    read, written = ([getattr(answer, f"{kind}_tokens") for answer in answers] for kind in ("input", "output"))
    if None in read or None in written:
        return "no tokens"
    return f"{sum(read):,} tokens read, {sum(written):,} written"


def _cost(answers: Sequence[Answer]) -> str:
    costs = [answer.cost_usd for answer in answers]
    if None in costs:
        return "cost unknown: no price is configured"
    total = sum(cost for cost in costs if cost)
    return f"{total:.4f} US dollars" if total else "no cost"
