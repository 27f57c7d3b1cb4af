"""A question to a leaflet: passages of one topic, easy sentences, each with its citation; or a refusal that says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from carefolio.exceptions import UnsuitableTextError
from carefolio.privacy.surrogates import SURROGATE
from notes_summarizer.leaflet import safety
from notes_summarizer.leaflet.index import Hit, LeafletIndex, Passage
from notes_summarizer.leaflet.relevance import relevance
from notes_summarizer.leaflet.sentences import (
    SECTION_OF,
    Candidate,
    Section,
    candidates,
    easy_enough,
    grade_of,
    in_order,
    reworded,
)
from notes_summarizer.leaflet.settings import LeafletSettings, WritingSettings
from notes_summarizer.leaflet.simplify import simplify
from notes_summarizer.providers.answer import Answer

if TYPE_CHECKING:
    from carefolio.privacy.policy import PrivacyPolicy
    from notes_summarizer.providers.open import Providers

Refusal = Literal["", "emergency", "personal", "not found", "no sentences", "too hard"]
ALSO = ("information", "symptoms", "treatment", "considerations", "outlook")
"""Kinds of answers about the same topic that a leaflet draws on beside the one asked for."""
OF_CONDITIONS = ("symptoms", "causes", "genetic changes", "inheritance", "outlook")
"""Kinds of answers that only a condition has, not a test or a treatment."""
DEPTH = 10
"""Passages found that a leaflet may be written from."""


@dataclass(frozen=True)
class CitedPassage:
    """A passage that a leaflet cites.

    Attributes
    ----------
    number : int
        As in ``[1]``.
    title, url, source, text : str
        What it is and where it stands.
    """

    number: int
    title: str
    url: str
    source: str
    text: str


@dataclass(frozen=True)
class LeafletSentence:
    """One sentence of a leaflet, or one list.

    Attributes
    ----------
    section : str
        Heading that it stands under.
    text : str
        The sentence; the items of a list stand behind ``\\n- ``.
    citations : tuple of int
        Numbers of the passages that it rests on.
    original : str
        The sentence of the passage that it was made from.
    reworded_by : str
        ``""`` (as it stands), ``"rules"``, or the provider that reworded it.
    findings : tuple of str
        Kinds of what a check found in another wording, which was then not taken.
    """

    section: Section
    text: str
    citations: tuple[int, ...]
    original: str
    reworded_by: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Leaflet:
    """A leaflet, or a refusal.

    Attributes
    ----------
    title : str
        What it is about; empty in a refusal.
    sentences : tuple of LeafletSentence
        In order; those of one section stand together.
    passages : tuple of CitedPassage
        What the sentences cite.
    reading_grade : float or None
        Flesch-Kincaid grade of the sentences, without title and headings; None in a refusal.
    source_grade : float or None
        Grade of all sentences that were to choose from, as they stand in the passages; None where nothing was found.
    refused : bool
        Whether there is no leaflet.
    kind : str
        Why it was refused, in one word or two; empty if it was not.
    reason : str
        Why, and what to do instead; empty if it was not refused.
    advice : str
        What every leaflet ends with.
    answers : tuple of Answer
        What a provider wrote, with cost and time.
    """

    title: str
    sentences: tuple[LeafletSentence, ...]
    passages: tuple[CitedPassage, ...]
    reading_grade: float | None
    source_grade: float | None
    refused: bool
    kind: Refusal
    reason: str
    advice: str = safety.ADVICE
    answers: tuple[Answer, ...] = ()


def write_leaflet(question: str, index: LeafletIndex, settings: LeafletSettings, *, providers: Providers | None = None,
                  policy: PrivacyPolicy | None = None) -> Leaflet:
    """Write a leaflet that answers a question, or refuse with a reason.

    The question is only used to search on this machine, and without the identifiers in it; no part of it is sent anywhere or graded.

    Parameters
    ----------
    question : str
        In plain English.
    index : LeafletIndex
        Where to search.
    settings : LeafletSettings
        The threshold of ``search``, and ``writing``.
    providers : Providers, optional
        Language models that may reword the sentences; what the passages do not support is not taken.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Returns
    -------
    Leaflet
        A leaflet, or a refusal.

    Raises
    ------
    UnsuitableTextError
        If the question is empty, too long, not text, not English, or gives orders to a language model.
    ProviderError
        If providers were given and none answered.
    """
    check_question(question, settings.writing)
    kind = safety.triage(question)
    if kind:
        return refuse(kind)
    asked = without_identifiers(question, index, policy=policy)
    ranked = index.rank([asked], k=DEPTH)[0]["hybrid"]
    if relevance(index, asked, ranked) < settings.search.least_relevance:
        return refuse("not found")
    return from_hits(index.hits(ranked), index, settings.writing, providers=providers, policy=policy)


def without_identifiers(question: str, index: LeafletIndex, *, policy: PrivacyPolicy | None = None) -> str:
    """Take the identifiers out of a question, and leave nothing in their place.

    Parameters
    ----------
    question : str
        What was asked.
    index : LeafletIndex
        The names of its topics that stand in the question in full are no identifiers, whatever they look like.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Returns
    -------
    str
        What is left to search with.
    """
    from carefolio.privacy.firewall import firewall
    from carefolio.privacy.policy import PrivacyPolicy

    known = policy or PrivacyPolicy()
    cleaned = firewall(question, policy=known.model_copy(update={"keep": (*known.keep, *index.names_in(question))}))
    return " ".join(SURROGATE.sub(" ", cleaned.text).split())


def check_question(question: str, settings: WritingSettings) -> None:
    """Refuse a text that is no question about health.

    Parameters
    ----------
    question : str
        What was asked.
    settings : WritingSettings
        Limits.

    Raises
    ------
    UnsuitableTextError
        If it is empty, too long, not text, not English, or gives orders to a language model.
    """
    from notes_summarizer.summary.check_text import check_text
    from notes_summarizer.summary.injection import is_order

    size = len(question.encode("utf-8", "surrogatepass"))
    if size > settings.maximum_bytes:
        raise UnsuitableTextError(f"the question must have at most {settings.maximum_bytes:,} bytes; got {size:,}. Ask one thing "
                                  "at a time.")
    check_text(question, settings, what="question")
    if is_order(question):
        raise UnsuitableTextError("the question must ask about a health problem; it gives orders to a language model. Ask in plain words, "
                                  "for example: What are the signs of asthma?")


def from_hits(hits: Sequence[Hit], index: LeafletIndex, settings: WritingSettings, *, providers: Providers | None = None,
              policy: PrivacyPolicy | None = None) -> Leaflet:
    """Write a leaflet from passages that were found.

    Parameters
    ----------
    hits : sequence of Hit
        Best first, at least one; only those about the topic of the first are used.
    index : LeafletIndex
        Where more about that topic is looked up.
    settings : WritingSettings
        Lengths and the grade.
    providers : Providers, optional
        Language models that may reword the sentences.
    policy : PrivacyPolicy, optional
        Of the firewall that the sentences go through before they are sent.

    Returns
    -------
    Leaflet
        A leaflet that answers the kind of question that was asked, or a refusal because the pages have only a table of terms there or
        are too hard.
    """
    first = hits[0].passage
    passages = of_one_topic(hits, index, most=settings.passages)
    asked = SECTION_OF.get(first.question_type, "What it is")
    found = [item for passage in passages
             for item in candidates(passage.number, passage.text, passage.question_type, unwanted=_gives_orders)]
    chosen = in_order(found, most=settings.maximum_sentences * 2, asked=asked, section_most=settings.section_sentences * 2)
    answering = {passage.number for passage in passages if passage.question_type == first.question_type}
    if not any(item.passage in answering for item in chosen):
        return refuse("no sentences")
    source_grade = grade_of(chosen, original=True)
    texts = {passage.number: passage.text for passage in passages}
    titled = first.focus if any(index.about(first.focus, kind) for kind in OF_CONDITIONS) else ""
    easier = [_by_rules(item, texts[item.passage], first.focus, titled) for item in chosen]
    easier, answers = _by_providers(easier, texts, providers, policy)
    kept = easy_enough(easier, maximum_grade=settings.maximum_grade)
    kept = easy_enough(in_order(kept, most=settings.maximum_sentences, asked=asked, section_most=settings.section_sentences),
                       maximum_grade=settings.maximum_grade)
    if len(kept) < settings.minimum_sentences or not any(item.passage in answering for item in kept):
        return replace(refuse("too hard"), source_grade=source_grade, answers=answers)
    return _finish(first.focus, kept, passages, source_grade, answers)


def of_one_topic(hits: Sequence[Hit], index: LeafletIndex, *, most: int) -> list[Passage]:
    """Take the passages about the topic of the best one, and the first of each other kind about it.

    Parameters
    ----------
    hits : sequence of Hit
        Best first.
    index : LeafletIndex
        Where the others are looked up.
    most : int
        Passages to take from the hits.

    Returns
    -------
    list of Passage
        None twice.
    """
    first = hits[0].passage
    taken = {hit.passage.number: hit.passage for hit in hits if hit.passage.focus.casefold() == first.focus.casefold()
             and hit.passage.question_type == first.question_type}
    taken = dict(list(taken.items())[:most])
    for kind in ALSO:
        others = index.about(first.focus, kind)
        taken |= {number: index.passage(number) for number in others[:2] if number not in taken}
    return list(taken.values())


def refuse(kind: Refusal) -> Leaflet:
    """Say why there is no leaflet, and what to do.

    Parameters
    ----------
    kind : str
        ``"emergency"``, ``"personal"``, ``"not found"``, ``"no sentences"`` or ``"too hard"``.

    Returns
    -------
    Leaflet
        Without sentences.
    """
    reasons = {"emergency": safety.EMERGENCY, "personal": safety.PERSONAL, "not found": safety.NOT_FOUND,
               "no sentences": safety.NO_SENTENCES, "too hard": safety.TOO_HARD}
    return Leaflet("", (), (), None, None, True, kind, reasons[kind])


def _gives_orders(sentence: str) -> bool:
    from notes_summarizer.summary.injection import is_order

    return is_order(sentence)


def _by_rules(item: Candidate, passage: str, focus: str, titled: str) -> Candidate:
    from notes_summarizer.summary.vocabulary import vocabulary

    result = simplify(item.original, passage=passage, terms=vocabulary().terms, names=(focus,), titled=titled)
    return reworded(item, result.text, "rules" if result.changed else "", result.findings)


def _by_providers(items: list[Candidate], passages: dict[int, str], providers: Providers | None,
                  policy: PrivacyPolicy | None) -> tuple[list[Candidate], tuple[Answer, ...]]:
    if providers is None or set(providers.names) <= {"extractive"}:
        return items, ()
    from notes_summarizer.leaflet.rewording import reword

    return reword(items, passages, providers, policy=policy)


def _finish(title: str, kept: Sequence[Candidate], passages: Sequence[Passage], source_grade: float,
            answers: tuple[Answer, ...]) -> Leaflet:
    cited = list(dict.fromkeys(item.passage for item in kept))
    numbers = {row: number for number, row in enumerate(cited, start=1)}
    by_row = {passage.number: passage for passage in passages}
    shown = tuple(CitedPassage(numbers[row], by_row[row].title, by_row[row].url, by_row[row].source, by_row[row].text) for row in cited)
    lines = tuple(LeafletSentence(item.section, item.text, (numbers[item.passage],), item.original, item.reworded_by, item.findings)
                  for item in kept)
    return Leaflet(title, lines, shown, grade_of(kept), source_grade, refused=False, kind="", reason="", answers=answers)
