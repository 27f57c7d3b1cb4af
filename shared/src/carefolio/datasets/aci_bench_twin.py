"""A synthetic twin of ACI-Bench, for machines that cannot get the real visits.

Every conversation and note is put together from the sentences below, which were written for this purpose; patients and doctors are made
up, and no text of the real data set is used. As there, the conversation is a transcript in lower case with a speaker before each line,
and the note has headings. Results on the twin show that code runs. They say nothing about how well a note is written.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.datasets.aci_bench import METADATA_COLUMNS, PARTS, TEXT_COLUMNS, visit_frame

if TYPE_CHECKING:
    import polars as pl

SIZES = dict(zip(PARTS, (8, 4, 6), strict=True))
"""Visits in each part."""
SUBSETS = ("aci", "virtassist", "virtscribe")
FIRST_NAMES = {"female": ("Orla", "Tamsin", "Beatrix", "Ingrid"), "male": ("Casper", "Leopold", "Fergus", "Anselm")}
FAMILY_NAMES = ("Quillfeather", "Marrowby", "Tansley", "Oakhollow", "Brambleton", "Winterbourne")
DOCTORS = ("Thistlewood", "Larkspur", "Penhallow")
COMPLAINTS = (("back pain", "lower back", "ibuprofen", 400, "physical therapy"), ("knee pain", "left knee", "naproxen", 250, "an x-ray"),
              ("shoulder pain", "right shoulder", "acetaminophen", 500, "an ultrasound"))
"""Complaint, place, drug, milligrams and what is ordered."""
CHRONIC = (("hypertension", "lisinopril", 10), ("type 2 diabetes", "metformin", 500), ("depression", "sertraline", 50),
           ("hypothyroidism", "levothyroxine", 0.1))
DENIED = ("fever", "numbness", "weakness", "chest pain", "shortness of breath")


@dataclass(frozen=True)
class _Visit:
    first: str
    family: str
    doctor: str
    gender: str
    age: int
    complaint: tuple[str, str, str, int, str]
    chronic: tuple[str, str, float]
    days: int
    denied: tuple[str, str]
    pressure: tuple[int, int]


def make_aci_bench_twin(random_state: int) -> pl.DataFrame:
    """Generate visits with the schema of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        One row a visit, as ``load_aci_bench`` gives it; `SIZES` rows a part.
    """
    import polars as pl

    rng = np.random.default_rng(random_state)
    tables, number = [], itertools.count(1)
    for part, size in SIZES.items():
        rows = [_rows(_visit(rng), f"T{next(number):03d}", SUBSETS[place % len(SUBSETS)]) for place in range(size)]
        texts, metadata = (pl.DataFrame([row[table] for row in rows], schema=dict.fromkeys(columns, pl.String), orient="row")
                           for table, columns in enumerate((TEXT_COLUMNS, METADATA_COLUMNS)))
        tables.append(visit_frame(texts, metadata, part=part))
    return pl.concat(tables)


def _visit(rng: np.random.Generator) -> _Visit:
    gender = ("female", "male")[int(rng.integers(2))]
    first, second = (DENIED[place] for place in rng.permutation(len(DENIED))[:2])
    return _Visit(_draw(rng, FIRST_NAMES[gender]), _draw(rng, FAMILY_NAMES), _draw(rng, DOCTORS), gender, int(rng.integers(25, 86)),
                  _draw(rng, COMPLAINTS), _draw(rng, CHRONIC), int(rng.integers(3, 15)), (first, second),
                  (int(rng.integers(110, 155)), int(rng.integers(65, 95))))


def _draw(rng: np.random.Generator, options: tuple[Any, ...]) -> Any:
    return options[int(rng.integers(len(options)))]


def _rows(visit: _Visit, encounter: str, subset: str) -> tuple[list[str | None], list[str | None]]:
    """Give a visit's row of the texts and of the metadata, as published."""
    metadata = [subset, encounter, encounter.lower(), f"Dr. {visit.doctor}", visit.gender, str(visit.age), visit.first, visit.family,
                visit.complaint[0], visit.chronic[0]]
    return [subset, encounter, _dialogue(visit), _note(visit)], list(metadata)


def _dialogue(visit: _Visit) -> str:
    pain, place, drug, dose, order = visit.complaint
    illness, chronic_drug, chronic_dose = visit.chronic
    lines = [
        ("doctor", f"hi {visit.first.lower()} , i'm doctor {visit.doctor.lower()} . how are you ?"), ("patient", "hi , i'm okay ."),
        ("doctor", f"{visit.first.lower()} is a {visit.age} year old {visit.gender} with a history of {illness} who is here for {pain} . "
                   "when did it start ?"),
        ("patient", f"about {visit.days} days ago . it hurts in the {place} ."), ("doctor", "did you fall ?"),
        ("patient", "no , i was carrying boxes ."), ("doctor", f"any {visit.denied[0]} ?"), ("patient", "no ."),
        ("doctor", f"and any {visit.denied[1]} ?"), ("patient", "no , nothing like that ."),
        ("doctor", f"are you still taking {chronic_drug} {chronic_dose:g} milligrams a day for your {illness} ?"),
        ("patient", "yes , every day ."),
        ("doctor", f"okay . your blood pressure today is {visit.pressure[0]} over {visit.pressure[1]} . does it hurt here ?"),
        ("patient", "yes , that hurts ."),
        ("doctor", f"so there is tenderness of the {place} . i think this is a strain . i want you to take {drug} {dose} "
                   f"milligrams twice a day , and i will order {order} ."),
        ("patient", "okay , thank you ."), ("doctor", "come back in 2 weeks if it is not better . bye ."), ("patient", "bye ."),
    ]
    return "\n".join(f"[{speaker}] {text}" for speaker, text in lines)


def _note(visit: _Visit) -> str:
    pain, place, drug, dose, order = visit.complaint
    illness, chronic_drug, chronic_dose = visit.chronic
    title = "Ms." if visit.gender == "female" else "Mr."
    return "\n\n".join([
        "CHIEF COMPLAINT", f"{pain.capitalize()}.", "HISTORY OF PRESENT ILLNESS",
        f"{title} {visit.family} is a {visit.age}-year-old {visit.gender} with a history of {illness} who presents with {pain} for "
        f"{visit.days} days. It started when carrying boxes. Denies {visit.denied[0]} and {visit.denied[1]}.",
        "MEDICATIONS", f"{chronic_drug.capitalize()} {chronic_dose:g} mg daily.", "PHYSICAL EXAMINATION",
        f"Blood pressure {visit.pressure[0]}/{visit.pressure[1]}. Tenderness of the {place}.", "ASSESSMENT AND PLAN",
        f"Strain of the {place}. Start {drug} {dose} mg twice daily. We will order {order}. Return in 2 weeks if not better.",
        f"{illness.capitalize()}. Continue {chronic_drug} {chronic_dose:g} mg daily."])
