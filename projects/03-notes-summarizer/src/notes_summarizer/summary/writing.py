"""A section or a note written from the statements of a conversation, without a language model: choose, shorten, put under headings."""

from __future__ import annotations

import re
from collections.abc import Sequence

from notes_summarizer.summary.selection import score
from notes_summarizer.summary.turns import Said, Told, tell

NOTE_HEADINGS = ("CHIEF COMPLAINT", "HISTORY OF PRESENT ILLNESS", "REVIEW OF SYSTEMS", "PHYSICAL EXAMINATION", "RESULTS", "ASSESSMENT "
    "AND PLAN")
_IN_SENTENCES = frozenset(["", "GENHX", "FAM/SOCHX", "EDCOURSE", "OTHER_HISTORY"])
_LEAST_OF_BEST = {"GENHX": 0.6, "FAM/SOCHX": 0.65, "EDCOURSE": 0.5, "ROS": 0.5, "EXAM": 0.5, "PLAN": 0.5, "ASSESSMENT": 0.5,
                  "PASTMEDICALHX": 0.65,
                  "PASTSURGICAL": 0.65, "OTHER_HISTORY": 0.65}
_LEAST_OF_SHORT = 0.75
"""Score below which a statement is left out, as a share of the best one's: low where the text is long, high where it is a few words."""
_LEAST_IN_NOTE = 0.62
_NOTHING = {"ALLERGY": "No known drug allergies.", "MEDICATIONS": "None.", "PASTSURGICAL": "None.", "PASTMEDICALHX": "None.",
            "PROCEDURES": "None.",
            "IMMUNIZATIONS": "None."}
_SUBJECT = re.compile(
    r"^(?:also,? )?(?:the patient|he|she) (?:(?:also|just|only|currently|usually) )?(?:has|had|takes|is taking|is on|is|was|did|"
    r"does)(?! not\b)(?: (?:been|had|have|having|taking)\b)?(?: (?:an?|the|some|their|his|her)\b)? ", re.IGNORECASE)
_REASON = re.compile(r"\byears?[ -]old\b|\bhistory (?:significant )?(?:for|of)\b|\bpresents?\b|\b(?:here|in|come|came) (?:today )?(?:for|"
                     r"with|because)\b", re.IGNORECASE)
_NEGATED = re.compile(r"\b(?:no|not|never|none|denies)\b", re.IGNORECASE)
_EXAM = re.compile(r"\b(?:on (?:your )?(?:physical )?exam|lungs?|heart|murmur|abdomen|tender\w*|swelling|edema|range of motion|palpation|"
                   r"breath sounds|vitals?|reflex\w*|strength|rate and rhythm|clear|rhonchi|wheez\w*|crackles|bruit\w*|"
                   r"erythema|lymph)\b", re.IGNORECASE)
_RESULT = re.compile(r"\b(?:x-? ?ray|mri|ct|ekg|ecg|echo\w*|ultrasound|labs?|results?|blood (?:work|test|count)|hemoglobin|a1c|creatinine|"
                     r"biopsy|test|panel|urinalysis|scan|mammogram|pathology)\b", re.IGNORECASE)
_PLAN = re.compile(r"\b(?:we will|should|recommend\w*|start|continue|prescribe|refer\w*|order|follow.?up|come back|schedule|increase|"
                   r"decrease|milligrams|mg|physical therapy|for (?:the|their|his|her) (?:first|second|third|next)?)\b", re.IGNORECASE)


def write_section(said: Sequence[Said], header: str) -> str:
    """Write a section.

    Parameters
    ----------
    said : sequence of Said
        The conversation.
    header : str
        One of ``carefolio.datasets.mts_dialog.SECTION_HEADERS``; any other is written in sentences.

    Returns
    -------
    str
        One paragraph; the patient's own words where nothing could be made of them.
    """
    told = tell(said)
    if not told:
        return " ".join(one.text for one in said if "?" not in one.text) or " ".join(one.text for one in said)
    if header in _NOTHING and _all_denied(told):
        return _NOTHING[header]
    least = _LEAST_OF_BEST.get(header, _LEAST_OF_SHORT if header not in _IN_SENTENCES else 0.6)
    chosen = [one.text for one in _best(told, score(told, task="section", header=header), least)]
    return " ".join(_unique(chosen if header in _IN_SENTENCES else [shorten(text) for text in chosen]))


def write_note(said: Sequence[Said]) -> str:
    """Write a note with headings.

    Parameters
    ----------
    said : sequence of Said
        The conversation of a visit.

    Returns
    -------
    str
        Headings in capitals on lines of their own, each with a paragraph; those without content are left out.
    """
    told = tell(said)
    if not told:
        return " ".join(one.text for one in said)
    sections: dict[str, list[str]] = {heading: [] for heading in NOTE_HEADINGS}
    chosen = _best(told, score(told, task="note"), _LEAST_IN_NOTE)
    for one in chosen:
        sections[_heading(one)].append(one.text)
    complaint = next((one for one in chosen if _REASON.search(one.text)), chosen[0])
    sections["CHIEF COMPLAINT"] = [shorten(complaint.text)]
    return "\n\n".join(f"{heading}\n{' '.join(_unique(texts))}" for heading, texts in sections.items() if texts)


def shorten(text: str) -> str:
    """Leave out the subject and plain verb of a statement, as short sections of notes do.

    Parameters
    ----------
    text : str
        ``"The patient has asthma."``

    Returns
    -------
    str
        ``"Asthma."``; ``"No fever."`` for ``"Denies fever."``
    """
    bare = re.sub(r"^Denies (?:having )?(?:any )?", "No ", _SUBJECT.sub("", text))
    return f"{bare[:1].upper()}{bare[1:]}" if re.search(r"\w", bare) else text


def _best(told: Sequence[Told], scores: Sequence[float], least: float) -> list[Told]:
    best = max(scores)
    return [one for one, value in zip(told, scores, strict=True) if value >= least * best or value == best]


def _all_denied(told: Sequence[Told]) -> bool:
    answers = [one for one in told if one.kind != "clinician"]
    return bool(answers) and answers[0].kind == "denied" and all(one.kind == "denied" or _NEGATED.search(one.text) for one in answers)


def _heading(one: Told) -> str:
    if one.kind == "denied":
        return "REVIEW OF SYSTEMS"
    if one.kind != "clinician" or _REASON.search(one.text):
        return "HISTORY OF PRESENT ILLNESS"
    if _PLAN.search(one.text):
        return "ASSESSMENT AND PLAN"
    if _RESULT.search(one.text):
        return "RESULTS"
    return "PHYSICAL EXAMINATION" if _EXAM.search(one.text) else "ASSESSMENT AND PLAN"


def _unique(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))
