"""A synthetic twin of MedQuAD, for machines that cannot get the real questions and answers.

The conditions are made up, and so is all that is said about them: fifteen names that no book holds, four questions about each, and
answers from templates in plain words. It has the columns, the kinds of questions and some of the clutter of the real table: headings,
lists, a block of key points, a page without a focus. Results on the twin show that code runs. Nothing in it is advice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import polars as pl

CONDITIONS = ("Amber wrist", "Birch drift", "Cobalt cough", "Dune foot", "Ember rash", "Fallow sleep", "Garnet eye", "Harbor chill",
              "Iris tremble", "Juniper gut", "Kelp tongue", "Linden ache", "Marl skin", "Nettle ear", "Opal knee")
"""Made-up conditions; none of them exists."""
PARTS = ("wrist", "hand", "chest", "foot", "arm", "neck", "eye", "belly", "leg", "gut", "tongue", "back", "skin", "ear", "knee")
SIGNS = ("itching", "redness", "a dull ache", "swelling", "dry skin", "a warm feeling", "poor sleep", "weak grip", "stiffness",
         "a ringing sound", "watery eyes", "a light cough", "feeling tired", "cold fingers", "a loss of taste")
CAUSES = ("too little rest", "cold and wet weather", "a germ that lives in pond water", "tight shoes", "dust from old paper",
          "a gap in the diet", "long hours at a desk", "a change in one gene")
REMEDIES = ("rest for 3 days", "a warm bath twice a day", "a soft bandage", "short walks", "a bland diet for 2 weeks",
            "cream on the sore place", "gentle stretching", "more water with meals")
QUESTIONS = {"information": "What is (are) {name} ?", "symptoms": "What are the symptoms of {name} ?",
             "causes": "What causes {name} ?", "treatment": "What are the treatments for {name} ?"}
"""Kinds of questions, worded as MedQuAD words them."""


def make_medquad_twin(random_state: int) -> pl.DataFrame:
    """Write questions and answers with the columns of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        Four rows a condition, sorted by document as the loader sorts; ``focus`` is null on one page.
    """
    import polars as pl

    from carefolio.datasets.medquad import COLUMNS

    rng = np.random.default_rng(random_state)
    rows = []
    for number, (name, part) in enumerate(zip(CONDITIONS, PARTS, strict=True), start=1):
        document, identifier = f"0_Synthetic/{number:07d}.xml", f"{number:07d}"
        focus = None if number == len(CONDITIONS) else name
        for place, (kind, answer) in enumerate(_answers(name, part, rng).items(), start=1):
            rows.append((document, "Synthetic", f"https://example.org/synthetic/{identifier}", focus, f"{identifier}-{place}", kind,
                         QUESTIONS[kind].format(name=name), answer))
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()), orient="row")


def _answers(name: str, part: str, rng: np.random.Generator) -> dict[str, str]:
    """Write the four answers about one condition."""
    signs, causes, remedies = (list(rng.choice(words, size, replace=False)) for words, size in ((SIGNS, 4), (CAUSES, 2), (REMEDIES, 3)))
    share, days, age = int(rng.integers(2, 30)), int(rng.integers(4, 20)), int(rng.integers(20, 60))
    clinic = f"Call your doctor if the pain in the {part} does not go away in {days} days."
    return {
        "information": f"{name} is a made-up problem of the {part}. It is not a real illness. About {share} in 1,000 people in this story "
                       f"have it. Most of them are over {age} years old. It lasts about {days} days. It does not spread from one person "
                       f"to the next.\n\nOverview\n\nThis page was written by a program. {name} can come back, but it is not dangerous.",
        "symptoms": f"Key Points\n    - {name} has a few signs.\n\n\n    {name} has a few signs.\n    Signs of {name} include       "
                    f"- {signs[0]}    - {signs[1]}    - {signs[2]}       Some people have {signs[3]} too. The signs begin in the {part}. "
                    f"They are mild at first. They do not come with a fever. {clinic}",
        "causes": f"What causes {name}? {name} comes from {causes[0]} or from {causes[1]}. It is not caused by food. People who work with "
                  f"their {part} a lot get it more often. It may run in families. No test can show who will get it.",
        "treatment": f"{name} goes away without medicine in most people. Doctors advise {remedies[0]}. It also helps to try {remedies[1]} "
                     f"or {remedies[2]}. Do not rub the {part}. About {100 - share} of 100 people feel well after {days} days. {clinic}",
    }
