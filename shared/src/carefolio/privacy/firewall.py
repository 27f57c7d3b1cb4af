"""The firewall: identifiers out of a text before it leaves the process, and a guard that lets nothing through."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from carefolio.exceptions import PrivacyError
from carefolio.privacy.policy import PrivacyPolicy
from carefolio.privacy.surrogates import Mapping

if TYPE_CHECKING:
    from carefolio.privacy.spans import Span


@dataclass(frozen=True)
class Entity:
    """One identifier that was taken out; the identifier itself is not part of it.

    Attributes
    ----------
    identifier_type : str
        A label such as ``"PERSON"``; `policy.SAFE_HARBOR` lists them.
    start, end : int
        Characters of the original text.
    surrogate : str
        What stands in its place.
    score : float
        Trust in it, from 0 to 1.
    """

    identifier_type: str
    start: int
    end: int
    surrogate: str
    score: float


@dataclass(frozen=True)
class Deidentified:
    """A text without the identifiers that were found.

    Attributes
    ----------
    text : str
        The text with surrogates.
    entities : tuple of Entity
        What was taken out, in the order of the text.
    mapping : Mapping
        The way back; it stays in memory and is not shown when this is printed.
    """

    text: str
    entities: tuple[Entity, ...]
    mapping: Mapping = field(repr=False, compare=False)


def firewall(text: str, *, policy: PrivacyPolicy | None = None, mapping: Mapping | None = None) -> Deidentified:
    """Take the identifiers out of a text.

    Parameters
    ----------
    text : str
        A note, a dialogue or a question, in English.
    policy : PrivacyPolicy, optional
        Default is `PrivacyPolicy()`.
    mapping : Mapping, optional
        That of an earlier text about the same patient, which is then continued, so that a name has the same surrogate in both.

    Returns
    -------
    Deidentified
        The text with surrogates, what was taken out, and the mapping.

    Raises
    ------
    PrivacyError
        If the text is too long.
    ArtefactError
        If the language model is not installed, or is not the one expected.
    """
    from carefolio.privacy.spans import find_spans

    settings = policy or PrivacyPolicy()
    if len(text) > settings.maximum_characters:
        raise PrivacyError(f"the text must have at most {settings.maximum_characters} characters; got {len(text)}. Split it, or raise "
                           "PrivacyPolicy.maximum_characters.")
    known = Mapping() if mapping is None else mapping
    known.reserve(text)
    entities, pieces, position = [], [], 0
    for span in _repeat(text, find_spans(text, settings), known):
        surrogate = known.surrogate_for(text[span.start:span.end], span.identifier_type)
        entities.append(Entity(span.identifier_type, span.start, span.end, surrogate, span.score))
        pieces += [text[position:span.start], surrogate]
        position = span.end
    return Deidentified("".join(pieces) + text[position:], tuple(entities), known)


def _repeat(text: str, spans: list[Span], mapping: Mapping) -> list[Span]:
    """Add what was found once and stands elsewhere too: a surname alone, a number without its cue, a name of an earlier text."""
    from carefolio.privacy.spans import Span, join

    before: list[Span] = []
    while spans != before:
        before = spans
        for span in spans:
            mapping.surrogate_for(text[span.start:span.end], span.identifier_type)
        again = [Span(start, end, surrogate.strip("[]").rpartition("_")[0], 0.5) for start, end, surrogate in mapping.find(text)]
        spans = join([*spans, *again])
    return spans


def guard(prompt: str, mapping: Mapping) -> str:
    """Let a prompt pass only if it holds none of the identifiers that were taken out.

    It knows what `firewall` found and nothing else: text that comes from elsewhere has to go through `firewall` with the same mapping.

    Parameters
    ----------
    prompt : str
        What is about to leave the process.
    mapping : Mapping
        Of the texts that the prompt was made from.

    Returns
    -------
    str
        The prompt, unchanged.

    Raises
    ------
    PrivacyError
        If it holds an identifier; the message names the surrogate and the place, never the identifier.
    """
    found = mapping.find(prompt)
    if found:
        start, _, surrogate = found[0]
        raise PrivacyError(f"the prompt must hold no identifier; got {len(found)}, first {surrogate} at character {start}. Nothing was "
                           "sent: pass the whole prompt through firewall() with the same mapping.")
    return prompt
