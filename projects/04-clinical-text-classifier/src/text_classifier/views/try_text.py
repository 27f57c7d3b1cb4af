"""The section to ask an exported model: probabilities, whether it would rather leave it to a person, and the words that matter."""

import os
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from carefolio import charts
from carefolio.config import project_home
from carefolio.exceptions import ArtefactError
from carefolio.views import NBSP, percent, show_table
from text_classifier.artefacts import RECORD_FILE, find_artefacts, task_folders
from text_classifier.config import FOLDER
from text_classifier.figures import TASKS
from text_classifier.predictor import Classified, Predictor, WordWeight
from text_classifier.schemas import LONGEST_TEXT, check_text
from text_classifier.views.examples import EXAMPLES
from text_classifier.views.results import SHORT, capital, in_words, label_in_words
from text_classifier.views.word_marks import SMALLEST, answer_html, legend_html, marked_html, signed

OWN = "My own text"
MOST_BARS, MOST_WORDS = 6, 12
ASKED = "tc-asked"
"""Where a session keeps the last answer; it ends with the browser's tab."""


@dataclass(frozen=True, repr=False)
class Asked:
    """A text as the page shows it, what the model made of it, and how many of its characters it read."""

    task: str
    text: str
    answer: Classified
    words: tuple[WordWeight, ...]
    read: int


def show_try(folder: Path) -> None:
    """Ask for a text and show what an exported model makes of it.

    Parameters
    ----------
    folder : Path
        Of the run; its own exported models are used where it has some, else those that are served.

    Raises
    ------
    ArtefactError
        If no model is exported, or one is damaged.
    """
    st.subheader("What does it make of a text, and why?")
    found = exported(folder)
    task = _choose_task(list(found))
    predictor = _open(found[task])
    st.caption("The examples are made up. Do not paste a real person's text. What is entered stays in the memory of this page until it is "
               "closed or cleared: it is not stored, not logged and not put in the address.")
    _choose_example(task)
    with st.form("tc-form", border=False):
        text = st.text_area("Text, in English", key="tc-text", height=200, persist_state="session")
        asked = st.form_submit_button("Classify", type="primary", icon=":material/label:")
    if asked:
        _ask(predictor, task, text or "")
    kept: Asked | None = st.session_state.get(ASKED)
    if kept is not None and kept.task == task:
        _show(predictor, kept)


def exported(folder: Path) -> dict[str, Path]:
    """Find the exported models.

    Parameters
    ----------
    folder : Path
        Of the run.

    Returns
    -------
    dict of str to Path
        Folder of each task that has one; at least one.

    Raises
    ------
    ArtefactError
        If there is none; the message says how to make one.
    """
    own = folder / "artefacts"
    of_a_run = folder != project_home(FOLDER) and "CAREFOLIO_ARTEFACTS" not in os.environ
    place = own if of_a_run and task_folders(own) else find_artefacts()
    found = task_folders(place)
    if not found:
        raise ArtefactError(f"No model is exported: {place} has no folder of a task with {RECORD_FILE}. Make one with `textclass run` (or "
                            "`textclass run --quick`, about a minute, on few texts), restore the committed artefacts, or point "
                            "CAREFOLIO_ARTEFACTS at a folder with one. The other sections work without it.")
    return found


def _choose_task(tasks: list[str]) -> str:
    chosen = st.pills("What is asked", tasks, default=tasks[0], required=True, format_func=SHORT.__getitem__, key="tc-task",
                      on_change=_forget, persist_state="session")
    return str(chosen or tasks[0])


def _open(folder: Path) -> Predictor:
    """Open a model once, and again only when it has changed."""
    with st.spinner("The model is opened."):
        return _opened(folder, (folder / RECORD_FILE).stat().st_mtime_ns)


@st.cache_resource(show_spinner=False, max_entries=3)
def _opened(folder: Path, changed: int) -> Predictor:
    return Predictor.open(folder)


def _choose_example(task: str) -> None:
    titles = [*EXAMPLES[task], OWN]
    if "tc-text" not in st.session_state:
        st.session_state["tc-text"] = EXAMPLES[task][titles[0]]
    st.pills("Start from", titles, default=titles[0], required=True, key=f"tc-example-{task}", on_change=_take_example, args=(task,))


def _take_example(task: str) -> None:
    st.session_state["tc-text"] = EXAMPLES[task].get(st.session_state[f"tc-example-{task}"], "")
    st.session_state.pop(ASKED, None)


def _forget() -> None:
    """Begin with an example of the task that was chosen."""
    for name in ("tc-text", ASKED):
        st.session_state.pop(name, None)


def _clear(task: str) -> None:
    st.session_state.pop(ASKED, None)
    st.session_state["tc-text"], st.session_state[f"tc-example-{task}"] = "", OWN


def _ask(predictor: Predictor, task: str, text: str) -> None:
    """Keep the answer to a text for this page, or say why the text cannot be read."""
    st.session_state.pop(ASKED, None)
    problem = problem_of(text)
    if problem:
        st.error(problem, icon=":material/error:")
        return
    with st.spinner("The model reads the text, and again without each word."):
        answer = predictor.classify([text])[0]
        words = predictor.words_that_matter(text, most=MOST_WORDS)
    st.session_state[ASKED] = Asked(task, text, answer, tuple(words), read_until(predictor, text))


def read_until(predictor: Predictor, text: str) -> int:
    """Count the characters that a model reads of a text.

    Parameters
    ----------
    predictor : Predictor
        Its tokenizer cuts long texts.
    text : str
        Any text.

    Returns
    -------
    int
        Where the last token that is read ends.
    """
    return max((end for _, end in predictor.tokenizer.encode(text).offsets), default=0)


def problem_of(text: str) -> str:
    """Say why a text cannot be classified.

    Parameters
    ----------
    text : str
        What was entered.

    Returns
    -------
    str
        Empty if it can. It quotes nothing of the text.
    """
    if len(text) > LONGEST_TEXT:
        return f"The text must have at most {LONGEST_TEXT:,} characters; got {len(text):,}. Paste the part that matters."
    try:
        check_text(text)
    except ValueError as error:
        return f"Expected {error}."
    return ""


def _show(predictor: Predictor, asked: Asked) -> None:
    if asked.answer.truncated:
        st.warning(f"The end of the text was not read: the model reads {predictor.record['max_tokens']} tokens, about as many pieces of "
                   "words. It is struck out below. Paste the part that matters.", icon=":material/content_cut:")
    left, right = st.columns([2, 3], gap="large")
    with left:
        _show_answer(predictor, asked)
    with right:
        _show_words(asked)
    st.button("Clear text and answer", on_click=_clear, args=(asked.task,), icon=":material/delete:")
    _show_model(predictor, asked.task)


def _show_answer(predictor: Predictor, asked: Asked) -> None:
    abstains = predictor.abstains(asked.answer)
    reason = "This model answers nothing by itself" if predictor.threshold is None else "Too unsure to answer by itself"
    st.html(answer_html(asked.answer, label_in_words(asked.answer.label), abstains=abstains, reason=reason))
    st.caption(_threshold_words(predictor))
    ranked = sorted(asked.answer.probabilities.items(), key=lambda item: -item[1])
    rows = [{"label": label_in_words(label), "value": probability, "warned": False} for label, probability in ranked[:MOST_BARS]]
    st.altair_chart(charts.bars_chart(rows, title="probability", number_format=".1%", ticks=[0, 0.2, 0.4, 0.6, 0.8, 1]),
                    alt="Probability of the most probable labels")
    if len(ranked) > MOST_BARS:
        rest = sum(probability for _, probability in ranked[MOST_BARS:])
        with st.expander(f"The other {len(ranked) - MOST_BARS} labels, {percent(rest)} together"):
            show_table([{"Label": label_in_words(label), "Probability": percent(probability)} for label, probability in ranked[MOST_BARS:]])


def _threshold_words(predictor: Predictor) -> str:
    if predictor.threshold is None:
        return (f"No confidence kept 95{NBSP}% of the answers right on validation texts, so this model leaves every text to a person and "
                "gives only its best guess.")
    return (f"It answers by itself from a probability of {percent(predictor.threshold)}: there 95{NBSP}% of its answers were right on "
            "validation texts. Below that the text goes to a person.")


def _show_words(asked: Asked) -> None:
    st.markdown("**The words that matter**")
    st.html(legend_html())
    st.html(marked_html(asked.text, asked.words, read=asked.read if asked.answer.truncated else None))
    shown = [word for word in asked.words if abs(word.weight) >= SMALLEST]
    if not shown:
        st.caption(f"No single word changes the answer's probability by {SMALLEST} or more.")
        return
    with st.expander("The same words in a table, strongest first"):
        show_table([{"Word": word.word, "Weight": signed(word.weight), "It speaks": "for the answer" if word.weight > 0 else "against it"}
                    for word in shown])
    st.caption("A weight is the answer's probability with the word minus without it. It says what this model reacts to, not what is true "
               "of a patient, and words that repeat each other hide each other.")


def _show_model(predictor: Predictor, task: str) -> None:
    record = predictor.record
    base = record.get("base", {})
    said = [f"{capital(in_words(record.get('system', 'model')))}, seed {record.get('seed', 0)}", f"base {base.get('name', 'unknown')}",
            f"{len(predictor.labels)} labels", f"int8 network {predictor.sha256[:8]}"]
    st.caption(f"{capital(TASKS[task])}: {' · '.join(said)}.")
