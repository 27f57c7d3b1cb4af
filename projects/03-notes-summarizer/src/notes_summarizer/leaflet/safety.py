"""Questions that no leaflet may answer: an emergency, and what only a clinician who knows the person can say."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib.resources import files
from typing import Any, Literal

PACKAGE = "notes_summarizer.leaflet"
ADVICE = ("This leaflet is general information for research and education, not medical advice. Ask a doctor, nurse or pharmacist about "
          "your own case. In an emergency, call the emergency number.")
EMERGENCY = ("This may be an emergency. If it is happening now, call your emergency number at once (112, 911 or 999) and do not wait for "
             "a leaflet. If you think of harming yourself, call it too, or a crisis line (988 in the United States).")
PERSONAL = ("This asks about one person's medicine, dose, test result or diagnosis. A leaflet cannot answer it: ask the doctor or "
            "pharmacist who knows the case. In an emergency, call the emergency number.")
NOT_FOUND = ("The pages searched do not answer this question, so no leaflet was written. Ask a doctor, nurse or pharmacist, or ask about "
             "one health problem by its name. In an emergency, call the emergency number.")
NO_SENTENCES = ("A page about this was found, but it answers with a list of medical terms alone, so no leaflet was written. Ask a doctor "
                "or nurse to explain it. In an emergency, call the emergency number.")
TOO_HARD = ("Pages about this were found, but too little of them can be put in words that are easy to read, so no leaflet was written. Ask "
            "a doctor or nurse to explain it. In an emergency, call the emergency number.")


def triage(question: str) -> Literal["", "emergency", "personal"]:
    """Say whether a question must get a safety answer instead of a leaflet.

    Parameters
    ----------
    question : str
        In plain words, in English. The rules miss what is said in other words; they do not replace a person.

    Returns
    -------
    str
        ``"emergency"``, ``"personal"``, or empty.
    """
    rules = _rules()
    text = question.replace("’", "'")
    emergency = rules["always"].search(text) or (rules["signs"].search(text) and rules["who"].search(text) and rules["now"].search(text))
    if emergency:
        return "emergency"
    return "personal" if rules["personal"].search(text) else ""


@functools.cache
def _rules() -> dict[str, re.Pattern[str]]:
    table: dict[str, Any] = tomllib.loads(files(PACKAGE).joinpath("safety.toml").read_text(encoding="utf-8"))
    emergency = table["emergency"]
    expressions = {"who": [emergency["who"]], "now": [emergency["now"]], "signs": emergency["signs"], "always": emergency["always"],
                   "personal": table["personal"]["patterns"]}
    return {name: re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE) for name, patterns in expressions.items()}
