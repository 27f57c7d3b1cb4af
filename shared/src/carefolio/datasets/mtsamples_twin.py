"""A synthetic twin of MTSamples, for machines that cannot get the real reports.

Every report is put together from the words below, which were written for this purpose; nobody is meant, and no text of the real data set
is used. As there, a report stands under a clinical specialty and under a general heading, and its name carries a number. Results on the
twin show that code runs. They say nothing about how well reports can be told apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from carefolio.datasets.mtsamples import column_types, distinct_texts

if TYPE_CHECKING:
    import polars as pl

TOPICS = {
    "Orthopedic": ("bones and joints", ("knee", "shoulder", "hip", "wrist", "ankle"), ("grinds when bent", "swells after stairs"),
                   ("a brace", "a splint", "a plaster cast")),
    "Urology": ("kidneys and bladder", ("bladder", "kidney", "prostate", "ureter", "urethra"), ("burns at night", "aches before voiding"),
                ("a catheter", "a urine culture", "a voiding diary")),
    "Neurology": ("nerves and brain", ("forehead", "left temple", "face", "right hand", "eyelid"), ("tingles", "twitches in the evening"),
                  ("a nerve test", "a scan of the brain", "a tremor chart")),
    "Dermatology": ("skin", ("scalp", "elbow fold", "cheek", "heel", "eyebrow"), ("itches and flakes", "shows a red patch"),
                    ("a mild ointment", "a patch test", "a skin scraping")),
    "Ophthalmology": ("eyes", ("left eye", "right eye", "lower lid", "cornea", "retina"), ("blurs in bright light", "waters in wind"),
                      ("eye drops", "new lenses", "a pressure reading of the eye")),
    "Gastroenterology": ("stomach and bowel", ("stomach", "bowel", "gullet", "liver", "colon"), ("cramps after meals", "burns when lying"),
                         ("an antacid", "a breath test", "more fiber")),
}
"""By specialty: what the clinic is for, places, complaints, plans."""
HEADINGS = ("Surgery", "Consult - History and Phy.")
"""General headings; a report also stands under one of them, except one in five."""
TEXTS_OF_A_NAME = 2
NAMES_OF_A_SPECIALTY = 10
JOBS = ("baker", "gardener", "clerk", "pilot", "singer", "welder", "farmer", "tailor")


def make_mtsamples_twin(random_state: int) -> pl.DataFrame:
    """Generate reports with the schema of the real table.

    Parameters
    ----------
    random_state : int
        Seed; the same seed gives the same table.

    Returns
    -------
    polars.DataFrame
        120 rows, 20 a specialty in `TOPICS`, in 60 groups of two, as ``load_mtsamples`` gives it.
    """
    import polars as pl

    rng = np.random.default_rng(random_state)
    rows: list[tuple[int, str, str, str, str, str | None]] = []
    reports = 0
    for place in range(NAMES_OF_A_SPECIALTY):
        for specialty in TOPICS:
            for copy in range(1, TEXTS_OF_A_NAME + 1):
                reports += 1
                name, about, text = _write(rng, specialty, place, reports)
                headings = [specialty] if reports % 5 == 0 else [HEADINGS[int(rng.integers(2))], specialty]
                for heading in headings:
                    keywords = f"{heading.lower()}, {about.lower()}" if reports % 4 else None
                    rows.append((len(rows) + 1, about, heading, f"{name} - {copy}", text, keywords))
    return distinct_texts(pl.DataFrame(rows, orient="row", schema=column_types()))


def _write(rng: np.random.Generator, specialty: str, place: int, number: int) -> tuple[str, str, str]:
    """Write a report's name, its description and its text."""
    clinic, sites, complaints, plans = TOPICS[specialty]
    site, complaint = sites[place % len(sites)], complaints[place // len(sites)]
    plan, other = (plans[index] for index in rng.permutation(len(plans))[:2])
    age, days, weeks, job = int(rng.integers(21, 90)), int(rng.integers(2, 30)), int(rng.integers(2, 9)), JOBS[int(rng.integers(len(JOBS)))]
    about = f"Made-up visit {number} for a {site} that {complaint}."
    look, pulse = ("calm", "sore")[int(rng.integers(2))], int(rng.integers(58, 96))
    text = (f"MADE-UP REPORT {number}:, Clinic for {clinic}., REASON:, The {site} of this {age}-year-old {job} {complaint}., STORY:, It "
            f"began {days} days ago without a fall and is worse on workdays. Rest helps a little. There is no fever., FINDINGS:, The "
            f"{site} looks {look} and the rest is as it should be. Pulse {pulse}., PLAN:, We start with {plan} and add {other} if the "
            f"{site} still {complaint}. Return in {weeks} weeks.")
    return f"Made-up {site.title()} Visit, {complaint}", about, text
