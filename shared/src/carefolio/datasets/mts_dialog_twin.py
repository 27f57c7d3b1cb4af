"""A synthetic twin of MTS-Dialog, for machines that cannot get the real conversations.

Every conversation and section is put together from the sentences below, which were written for this purpose; nobody is meant, and no
text of the real data set is used. A section says what its conversation says, in the words of a note. Results on the twin show that code
runs. They say nothing about how well a note is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.datasets.mts_dialog import PARTS, SECTION_HEADERS

if TYPE_CHECKING:
    import polars as pl

SIZES = dict(zip(PARTS, (30, 20, 20, 20), strict=True))
"""Pairs in each part."""
DRUGS = (("lisinopril", 10, "high blood pressure"), ("metformin", 500, "diabetes"), ("atorvastatin", 40, "high cholesterol"),
         ("omeprazole", 20, "reflux"), ("sertraline", 50, "depression"), ("levothyroxine", 0.1, "a slow thyroid"))
SYMPTOMS = ("headache", "dizziness", "a dry cough", "pain in the knee", "a rash on the arm", "heartburn", "swelling of the ankles")
DENIED = ("fever", "chest pain", "nausea", "shortness of breath", "weight loss", "blurred vision")
ILLNESSES = ("asthma", "hypertension", "type 2 diabetes", "gout", "migraine", "hypothyroidism")
OPERATIONS = ("an appendectomy", "a cholecystectomy", "a cataract operation", "a tonsillectomy", "a hernia repair")
ALLERGENS = (("penicillin", "a rash"), ("sulfa", "swelling of the lips"), ("peanuts", "hives"))
JOBS = ("teacher", "carpenter", "bus driver", "accountant", "nurse")
NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

Draw = Callable[[tuple[Any, ...]], Any]
Pair = tuple[str, list[str], str]


def make_mts_dialog_twin(random_state: int) -> pl.DataFrame:
    """Generate conversations and sections with the schema of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        One row a conversation, as ``load_mts_dialog`` gives it; `SIZES` rows a part, the ids from 0 in each.
    """
    import polars as pl

    rng = np.random.default_rng(random_state)
    rows = []
    for part, size in SIZES.items():
        for place in range(size):
            header, lines, section = WRITERS[place % len(WRITERS)](rng)
            rows.append((part, place, header, section, "\n".join(lines)))
    return pl.DataFrame(rows, orient="row", schema={"part": pl.Enum(list(PARTS)), "id": pl.Int32,
                                                    "section_header": pl.Enum(list(SECTION_HEADERS)), "section_text": pl.String,
                                                    "dialogue": pl.String})


def _draw(rng: np.random.Generator, options: tuple[Any, ...]) -> Any:
    return options[int(rng.integers(len(options)))]


def _present_illness(rng: np.random.Generator) -> Pair:
    age, days, symptom = int(rng.integers(21, 90)), int(rng.integers(2, 11)), _draw(rng, SYMPTOMS)
    first, second = (DENIED[place] for place in rng.permutation(len(DENIED))[:2])
    lines = ["Doctor: What brings you in today?", f"Patient: I have had {symptom} for {NUMBERS[days]} days now.",
             "Doctor: How old are you?", f"Patient: I am {age}.", f"Doctor: Any {first}?", "Patient: No.",
             f"Doctor: And {second}?", "Patient: No, none."]
    return "GENHX", lines, (f"The patient is a {age}-year-old who comes in with {symptom} for {days} days. The patient denies {first} "
                            f"and {second}.")


def _medications(rng: np.random.Generator) -> Pair:
    drug, dose, reason = _draw(rng, DRUGS)
    often, times = _draw(rng, (("once", "once"), ("twice", "twice")))
    lines = ["Doctor: Are you taking any medicine?", f"Patient: Yes, {drug} for {reason}.", "Doctor: What is the dose?",
             f"Patient: {dose:g} milligrams, {often} a day."]
    return "MEDICATIONS", lines, f"{drug.capitalize()} {dose:g} mg {times} daily for {reason}."


def _allergies(rng: np.random.Generator) -> Pair:
    name, reaction = _draw(rng, ALLERGENS)
    if rng.random() < 0.4:
        age = int(rng.integers(21, 90))
        return "ALLERGY", ["Doctor: Any allergies?", f"Patient: No, none in all my {age} years."], "No known drug allergies."
    years = int(rng.integers(2, 11))
    lines = ["Doctor: Any allergies?", f"Patient: Yes, {name}.", "Doctor: What happens?",
             f"Patient: I get {reaction}, the last time {NUMBERS[years]} years ago."]
    return "ALLERGY", lines, f"{name.capitalize()}, which causes {reaction}, last {years} years ago."


def _past_history(rng: np.random.Generator) -> Pair:
    first, second = (ILLNESSES[place] for place in rng.permutation(len(ILLNESSES))[:2])
    years = int(rng.integers(2, 11))
    lines = ["Doctor: Any illnesses that I should know of?", f"Patient: I have had {first} for {NUMBERS[years]} years.",
             "Doctor: Anything else?", f"Patient: {second.capitalize()}, but it is well controlled."]
    return "PASTMEDICALHX", lines, f"{first.capitalize()} for {years} years and well controlled {second}."


def _surgery(rng: np.random.Generator) -> Pair:
    operation, year = _draw(rng, OPERATIONS), int(rng.integers(1995, 2021))
    lines = ["Doctor: Have you had any operations?", f"Patient: Yes, {operation} in {year}.", "Doctor: Any complications?", "Patient: No."]
    return "PASTSURGICAL", lines, f"{operation.partition(' ')[2].capitalize()} in {year} without complications."


def _social(rng: np.random.Generator) -> Pair:
    job, packs = _draw(rng, JOBS), int(rng.integers(0, 3))
    smokes = f"Yes, {NUMBERS[packs]} packs a day." if packs else "No, I never smoked."
    lines = ["Doctor: What do you do for a living?", f"Patient: I am a {job}.", "Doctor: Do you smoke?", f"Patient: {smokes}",
             "Doctor: Alcohol?", "Patient: No alcohol."]
    smoking = f"Smokes {packs} packs per day." if packs else "The patient has never smoked."
    return "FAM/SOCHX", lines, f"Works as a {job}. {smoking} No alcohol."


def _complaint(rng: np.random.Generator) -> Pair:
    symptom, days = _draw(rng, SYMPTOMS), int(rng.integers(2, 11))
    lines = ["Doctor: How can I help you?", f"Patient: It is {symptom} again, for {NUMBERS[days]} days now."]
    return "CC", lines, f"{symptom.removeprefix('a ').capitalize()} for {days} days."


def _systems(rng: np.random.Generator) -> Pair:
    denied = [DENIED[place] for place in rng.permutation(len(DENIED))[:3]]
    lines = [line for name in denied for line in (f"Doctor: Any {name}?", "Patient: No.")]
    return "ROS", lines, f"Negative for {denied[0]}, {denied[1]} and {denied[2]}."


def _examination(rng: np.random.Generator) -> Pair:
    top, bottom, side = int(rng.integers(105, 160)), int(rng.integers(60, 95)), _draw(rng, ("left", "right"))
    lines = [f"Doctor: Your blood pressure is {top} over {bottom}.", "Patient: Is that good?",
             f"Doctor: It is fine for today. There is some swelling of the {side} ankle.", "Patient: I see."]
    return "EXAM", lines, f"Blood pressure {top}/{bottom}. Swelling of the {side} ankle."


def _plan(rng: np.random.Generator) -> Pair:
    drug, dose, reason = _draw(rng, DRUGS)
    weeks = int(rng.integers(2, 9))
    lines = [f"Doctor: Let us start {drug}, {dose:g} milligrams a day, for {reason}.", "Patient: Okay.",
             f"Doctor: And come back in {NUMBERS[weeks]} weeks.", "Patient: I will."]
    return "PLAN", lines, f"Start {drug} {dose:g} mg daily for {reason}. Return in {weeks} weeks."


WRITERS = (_present_illness, _medications, _past_history, _social, _allergies, _surgery, _systems, _plan, _complaint, _examination)
"""One function a header, in turn."""
