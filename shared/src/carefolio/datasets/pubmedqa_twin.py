"""A synthetic twin of PubMedQA, for machines that cannot get the real questions.

The studies are made up: remedies and ailments that no book holds, groups and percentages drawn by chance. The percentages in a context
decide its question: far apart in the hoped direction is yes, alike is no, apart with few people is maybe. Results on the twin show
that code runs. They say nothing about medicine or about how well articles can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from carefolio.datasets.pubmedqa import DECISIONS, PARTS, column_types

if TYPE_CHECKING:
    import polars as pl

SIZES = dict(zip(DECISIONS, (50, 40, 30), strict=True))
"""Questions by decision, half of them in each part."""
REMEDIES = ("brindle tea", "the Oakmoor stretch", "lamp bathing", "corvane syrup", "slow whistling", "the Tarn bandage", "pebble walking",
            "saffer drops")
AILMENTS = ("amber wrist", "dune foot", "linden ache", "harbor chill", "kelp tongue", "juniper gut", "opal knee")
PEOPLE = ("bakers", "sailors", "choir singers", "night guards", "beekeepers", "typists")
_CONCLUSIONS = {
    "yes": "In this invented trial {remedy} clearly eased {ailment}.",
    "no": "In this invented trial {remedy} made no difference to {ailment}.",
    "maybe": "This invented trial of {remedy} was too small to tell whether {ailment} eases.",
}


def make_pubmedqa_twin(random_state: int) -> pl.DataFrame:
    """Generate questions with the schema of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        120 rows in shuffled order, as ``load_pubmedqa`` gives it; ids begin with zeros, as no PubMed id does.
    """
    import polars as pl

    rng = np.random.default_rng(random_state)
    kinds = [(decision, PARTS[place % 2]) for decision, size in SIZES.items() for place in range(size)]
    pairs = [(remedy, ailment, people) for remedy in REMEDIES for ailment in AILMENTS for people in PEOPLE]
    chosen = rng.permutation(len(pairs))[: len(kinds)]
    rows = []
    for number, place in enumerate(rng.permutation(len(kinds)), start=1):
        decision, part = kinds[place]
        question, context, answer = _write(rng, decision, *pairs[chosen[place]])
        year = None if number % 20 == 0 else int(rng.integers(1995, 2018))
        rows.append((part, f"{number:08d}", question, context, answer, decision, year))
    return pl.DataFrame(rows, schema=column_types(), orient="row")


def _write(rng: np.random.Generator, decision: str, remedy: str, ailment: str, people: str) -> tuple[str, str, str]:
    """Write a question, the context that decides it, and the conclusion."""
    size = int(rng.integers(6, 12)) if decision == "maybe" else int(rng.integers(150, 400))
    without = int(rng.integers(20, 35))
    gain = int(rng.integers(-2, 3)) if decision == "no" else int(rng.integers(25, 45))
    context = (f"Many {people} in this made-up report live with {ailment}. Whether {remedy} can ease it was not known.\n"
               f"By lot, {size} {people} took up {remedy} for {int(rng.integers(2, 9))} weeks and {size} did not.\n"
               f"Of those with {remedy}, {without + gain} percent felt better; of those without, {without} percent.")
    return f"Can {remedy} ease {ailment} in {people}?", context, _CONCLUSIONS[decision].format(remedy=remedy, ailment=ailment)
