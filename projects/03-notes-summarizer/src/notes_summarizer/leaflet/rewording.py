"""Let a language model reword sentences, and take only the wordings that their passages support."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carefolio.privacy.firewall import firewall
from notes_summarizer.leaflet.sentences import Candidate, grade_of, reworded
from notes_summarizer.leaflet.simplify import checked, plain_words
from notes_summarizer.prompting import load_prompt
from notes_summarizer.summary.vocabulary import vocabulary

if TYPE_CHECKING:
    from carefolio.privacy.policy import PrivacyPolicy
    from notes_summarizer.providers.answer import Answer
    from notes_summarizer.providers.open import Providers

PROMPT = "leaflet_v1"
LONGEST = 2.0
"""A wording may have this many times the characters of its sentence."""

_LINE = re.compile(r"^\s*(?:[-*]\s*)?(?P<text>.*\w.*?)\s*\[(?P<number>\d{1,3})\]\.?\s*$")


def reword(items: Sequence[Candidate], passages: dict[int, str], providers: Providers, *,
           policy: PrivacyPolicy | None = None) -> tuple[list[Candidate], tuple[Answer, ...]]:
    """Ask for easier wordings of all sentences at once.

    Parameters
    ----------
    items : sequence of Candidate
        As the rules left them.
    passages : dict of int to str
        Text of each passage.
    providers : Providers
        Who is asked.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Returns
    -------
    items : list of Candidate
        With the model's wording where it passed the check and is easier, else as they were.
    answers : tuple of Answer
        What was answered.

    Raises
    ------
    ProviderError
        If no provider answered.
    """
    lines = "\n".join(f"{number}. {' '.join(item.text.split())}" for number, item in enumerate(items, start=1))
    cleaned = firewall(lines, policy=policy)
    tag = "text-" + hashlib.sha256(cleaned.text.encode()).hexdigest()[:12]
    prompt = load_prompt(PROMPT).fill(tag=tag, sentences=cleaned.text)
    wordings, answer = providers.ask(prompt, mapping=cleaned.mapping, accept=read_lines)
    taken = [_take(item, cleaned.mapping.reidentify(wordings.get(number, "")), passages[item.passage], answer.provider)
             for number, item in enumerate(items, start=1)]
    return taken, (answer,)


def read_lines(answer: str) -> dict[int, str]:
    """Read the lines of an answer.

    Parameters
    ----------
    answer : str
        One line a sentence, its number in square brackets at the end; other lines are left out.

    Returns
    -------
    dict of int to str
        First wording of each number.

    Raises
    ------
    ValueError
        If there is no such line.
    """
    found: dict[int, str] = {}
    for line in answer.splitlines():
        match = _LINE.match(line)
        if match:
            found.setdefault(int(match.group("number")), match.group("text"))
    if not found:
        raise ValueError("the answer must have lines that end with a number such as [1]; got none.")
    return found


def _take(item: Candidate, wording: str, passage: str, provider: str) -> Candidate:
    if not wording or wording == item.text or "\n- " in item.text or len(wording) > LONGEST * len(item.original):
        return item
    result = checked(item.original, wording, passage=f"{passage}\n{plain_words(passage)}", terms=vocabulary().terms)
    if result.findings:
        return reworded(item, item.text, item.reworded_by, result.findings)
    easier = reworded(item, wording, provider)
    return easier if grade_of([easier]) < grade_of([item]) else item
