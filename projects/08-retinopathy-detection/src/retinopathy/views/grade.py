"""The sections that grade photographs: one with its overlay, or many as a table."""

import os
from pathlib import Path

import numpy as np
import streamlit as st

from carefolio.config import project_home
from carefolio.datasets.fundus_twin import draw_fundus, encode_jpeg
from carefolio.datasets.idrid import GRADES
from carefolio.exceptions import UnsuitablePictureError
from carefolio.views import offer, percent, show_problem, show_table, to_csv
from retinopathy.artefacts import find_grader
from retinopathy.config import FOLDER
from retinopathy.console import in_words
from retinopathy.overlay import overlay
from retinopathy.predictor import RECORD_FILE, Graded, RetinaPredictor

KINDS = ["jpg", "jpeg", "png", "tif", "tiff", "dcm"]
PRIVACY = "Do not load a real person's photograph. What is loaded stays in the memory of this page until it is closed: it is not stored."
DRAWN_SIDE = 512


def grader_of(folder: Path) -> RetinaPredictor:
    """Open the grader of a run, once, and again only when it has changed.

    Parameters
    ----------
    folder : Path
        Of the run; for the committed reports, the grader that is served.

    Returns
    -------
    RetinaPredictor
        Ready to be asked.

    Raises
    ------
    ArtefactError
        If there is none.
    """
    own = folder != project_home(FOLDER) and "CAREFOLIO_ARTEFACTS" not in os.environ
    found = find_grader(folder if own else None)
    return _opened(found, (found / RECORD_FILE).stat().st_mtime_ns)


@st.cache_resource(show_spinner=False, max_entries=2)
def _opened(folder: Path, changed: int) -> RetinaPredictor:
    return RetinaPredictor.open(folder)


@st.cache_data(show_spinner=False, max_entries=5)
def drawn_retina(grade: int) -> bytes:
    """Draw a retina to try the page with.

    Parameters
    ----------
    grade : int
        0 to 4.

    Returns
    -------
    bytes
        A JPEG; made up.
    """
    return encode_jpeg(draw_fundus(np.random.default_rng(40 + grade), grade=grade, side=DRAWN_SIDE))


def show_one(folder: Path) -> None:
    """Grade one photograph and show what speaks for a referral.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("What does it make of a photograph, and why?")
    predictor = grader_of(folder)
    if predictor.record.get("data", {}).get("origin") == "synthetic":
        st.warning("This grader has seen drawn retinas only: it grades nothing real.")
    st.caption(PRIVACY)
    sent = st.file_uploader("Photograph of the retina", type=KINDS, key="photo")
    drawn = st.pills("Or a drawn one of grade", [str(grade) for grade in range(len(GRADES))], key="drawn")
    content = sent.getvalue() if sent is not None else None if drawn is None else drawn_retina(int(drawn))
    if content is None:
        return
    try:
        graded = predictor.grade(content)
    except UnsuitablePictureError as error:
        show_problem(error)
        return
    show_graded(graded)


def show_graded(graded: Graded) -> None:
    """Show an answer with its pictures.

    Parameters
    ----------
    graded : Graded
        As the predictor gives it.
    """
    (st.warning if graded.reasons else st.success)(in_words(graded).capitalize())
    for note in graded.notes:
        st.caption(f"Read with a change: {note}.")
    if graded.square is None:
        return
    shown = st.columns(2)
    shown[0].image(graded.square, caption="The field, as it was found", width="stretch")
    if graded.relevance is not None:
        strongest = shown[1].slider("Strength of the colour", 0.0, 1.0, 0.75, 0.05, key="strength", persist_state="session")
        shown[1].image(overlay(graded.square, graded.relevance, strongest=strongest), width="stretch",
                       caption="Red adds to a referral, blue speaks against it; the sum over all places is the grader's own")
    if graded.probabilities:
        show_table([{"Grade": f"{grade} {name}", "Probability": percent(graded.probabilities[grade]),
                     "In the set": "yes" if grade in graded.grades else ""} for grade, name in enumerate(GRADES)])
    show_table([{"Measure": name, "Value": f"{value:.3g}"} for name, value in graded.quality.items()])


def show_many(folder: Path) -> None:
    """Grade many photographs and offer the table.

    Parameters
    ----------
    folder : Path
        Of the run.
    """
    st.subheader("A folder of photographs")
    predictor = grader_of(folder)
    st.caption(PRIVACY)
    sent = st.file_uploader("Photographs", type=KINDS, accept_multiple_files=True, key="photos")
    if not sent:
        return
    rows, bar = [], st.progress(0.0)
    for place, file in enumerate(sent, start=1):
        rows.append({"file": file.name} | _row(predictor, file.getvalue()))
        bar.progress(place / len(sent), text=f"{place} of {len(sent)}")
    bar.empty()
    show_table([{name: str(value) for name, value in row.items()} for row in rows])
    offer("Table as CSV", to_csv(rows), "retinopathy-grades.csv", "text/csv")


def _row(predictor: RetinaPredictor, content: bytes) -> dict[str, object]:
    try:
        graded = predictor.grade(content)
    except UnsuitablePictureError as error:
        return {"grade": "", "referable": "", "referred": "", "a person should look": str(error)}
    if graded.referable is None:
        return {"grade": "", "referable": "", "referred": "", "a person should look": "; ".join(graded.reasons)}
    return {"grade": graded.grade, "referable": round(graded.referable, 3), "referred": graded.referred,
            "a person should look": "; ".join(graded.reasons)}
