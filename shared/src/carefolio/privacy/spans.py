"""From what the rules found to spans that do not overlap: ends trimmed, facts dropped, overlaps joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carefolio.privacy.codes import MEASURE_AFTER, PUBLIC_CODE, PUBLIC_FORM
from carefolio.privacy.facts import is_common, is_fact, is_term, plain_form
from carefolio.privacy.lexicon import is_given, is_only_word, is_word

if TYPE_CHECKING:
    from carefolio.privacy.policy import PrivacyPolicy

NAMES = ("PERSON", "CLINICIAN")
PLACES = ("HOSPITAL", "LOCATION")
CUED = 0.85
"""From this score on a cue vouches for a single word that could be an eponym as well."""
TITLED = 0.95
"""From this score on a title vouches for an ordinary word; "Patient:" may stand before a name or before what a patient says."""
UNSURE = 0.45
"""The score of a word that is left of a phrase whose other words are medical."""
ORDER = ("BIOMETRIC", "SSN", "MRN", "HEALTH_PLAN", "VEHICLE", "FAX", "EMAIL", "URL", "AGE_OVER_89", "ADDRESS", "LICENCE", "DEVICE",
         "ACCOUNT",
         "DATE", "IP", "PHONE", "ZIP", "CLINICIAN", "HOSPITAL", "PERSON", "LOCATION", "ID")
"""Which type a joined span takes where the scores are equal."""
_FACILITY = re.compile(r"\b(?:General|Memorial|Community|County|State|City|University|Regional|District|Veterans|Children['’]s|"
                       r"Women['’]s|Health|Medical|"
                       r"(?:North|South|East|West)\w*)\s(?:\w+\s)?(?:Hosp(?:ital)?|Clinic|Infirmary|Medical Cent(?:er|re))\b")
_ROOMS = ("unit", "suite", "room", "department", "floor", "service", "seminar")
"""What is a part of any hospital."""
_LEAD = re.compile(r"(?:(?:[Tt]he|[Oo]ur|[Ii]n|[Aa]t|[Ff]rom|[Tt]o|[A-Z][a-z]+\s(?:at|in|from|to|the))\s)+(?=\w)")
"""Words before a place that the rule took along: "Seen at"."""


@dataclass(frozen=True)
class Span:
    """A stretch of a text that is an identifier.

    Attributes
    ----------
    start, end : int
        Characters from ``start`` up to but not including ``end``.
    identifier_type : str
        A label such as ``"PERSON"``.
    score : float
        Trust in it, from 0 to 1.
    """

    start: int
    end: int
    identifier_type: str
    score: float


def find_spans(text: str, policy: PrivacyPolicy) -> list[Span]:
    """Find the identifiers of a text.

    Parameters
    ----------
    text : str
        Any text.
    policy : PrivacyPolicy
        Language model, thresholds and words to keep.

    Returns
    -------
    list of Span
        Sorted, none overlapping another.
    """
    from carefolio.privacy.detect import build_analyzer, run_analyzer

    analyzer = build_analyzer(policy.language_model, policy.language_model_sha256)
    results = run_analyzer(analyzer, text)
    found = [Span(result.start, result.end, result.entity_type, result.score) for result in results]
    kept = [span for raw in found for span in [_trim(text, raw)] if span.score >= policy.threshold_of(span.identifier_type)
            and span.end > span.start and not _is_harmless(text, span, policy.keep)]
    return join(kept)


def join(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap; the joined span covers all of them, so nothing that was found shows.

    Parameters
    ----------
    spans : iterable of Span
        In any order.

    Returns
    -------
    list of Span
        Sorted; a joined span has the type of the highest score, then of the place in `ORDER`.
    """
    joined: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if joined and span.start < joined[-1].end:
            last = joined[-1]
            best = min((last, span), key=lambda one: (-one.score, ORDER.index(one.identifier_type), -(one.end - one.start)))
            joined[-1] = Span(last.start, max(last.end, span.end), best.identifier_type, best.score)
        else:
            joined.append(span)
    return joined


def _trim(text: str, span: Span) -> Span:
    """Cut marks and, from names and places, common words off the ends of a span."""
    start, end = span.start, span.end
    while start < end and text[start] in " \t\n\r,;:.)[]\"'“”*_-" + ("" if ")" in text[start:end] else "("):
        start += 1
    while start < end and text[end - 1] in " \t\n\r,;:([\"'“”*_-" + (")" if "(" not in text[start:end] else ""):
        end -= 1
    if span.identifier_type == "ADDRESS" and text[start:end].endswith(".") and text[end - 2].isdigit():
        end -= 1
    if span.identifier_type in (*NAMES, *PLACES) and text[start:end].endswith(".") and not _is_initial(text[start:end].split()[-1]):
        end -= 1
    score = span.score
    if span.identifier_type in NAMES:
        before = text[start:end]
        start, end = _trim_words(text, start, end, titled=score >= 0.9)
        if score < CUED and " " in before and " " not in text[start:end]:
            score = min(score, UNSURE)
    if span.identifier_type in PLACES and (lead := _LEAD.match(text, start, end)):
        start = lead.end()
    if span.identifier_type in NAMES and text[max(start, end - 2):end] in ("'s", "’s"):
        end -= 2
    return Span(start, end, span.identifier_type, score)


def _trim_words(text: str, start: int, end: int, *, titled: bool) -> tuple[int, int]:
    words = list(re.finditer(r"\S+", text[start:end].split("\n")[0]))
    while words and _is_lead(words[0].group()) and not (titled and len(words) == 1 and not is_common(words[0].group())):
        words.pop(0)
    capital = any(word.group()[:1].isupper() for word in words)
    while len(words) > titled and (_ends_after(words[-1].group(), capital=capital) or _begins_sentence(words)):
        words.pop()
    return (start + words[0].start(), start + words[-1].end()) if words else (start, start)


def _ends_after(word: str, *, capital: bool) -> bool:
    """Say whether a name has ended before this word; "Young" and "Ward" may end one."""
    if _is_initial(word):
        return False
    if (capital and word[:1].islower()) or word.endswith("/") or not any(map(str.isalpha, word)):
        return True
    return is_term(word, regions=False) and not is_common(word) and not _is_name(word)


def _is_lead(word: str) -> bool:
    return is_term(word, regions=False) and not _is_initial(word) and not _is_name(word)


def _begins_sentence(words: Sequence[re.Match[str]]) -> bool:
    return len(words) > 1 and words[-2].group().endswith(".") and is_word(plain_form(words[-1].group()))


def _is_name(word: str) -> bool:
    """Say whether a word in the case of a name is a given name and no ordinary word; "Adam" is one, "ADAM" and "Grace period" are not."""
    form = plain_form(word)
    return not word.isupper() and is_given(form) and not is_word(form)


def _is_initial(word: str) -> bool:
    return len(word.strip(".,'’")) == 1 and word[:1].isupper()


def _is_harmless(text: str, span: Span, keep: Sequence[str]) -> bool:
    """Say whether a span is a fact, a public code or a measure rather than an identifier."""
    value, before, after = text[span.start:span.end], text[max(0, span.start - 24):span.start], text[span.end:span.end + 40]
    if value.lower() in {word.lower() for word in keep}:
        return True
    if span.identifier_type in (*NAMES, *PLACES):
        return _is_fact_here(value, before, after, span)
    if span.identifier_type in ("ID", "PHONE", "ACCOUNT", "SSN", "ZIP", "LICENCE", "DEVICE", "MRN", "HEALTH_PLAN"):
        if re.search(PUBLIC_CODE, before) or re.fullmatch(PUBLIC_FORM, value):
            return True
        return span.score < CUED and re.match(MEASURE_AFTER, after) is not None
    return False


def _is_fact_here(value: str, before: str, after: str, span: Span) -> bool:
    from carefolio.privacy.facts import facts

    words = value.split()
    if plain_form(words[0]) in facts()["letter_heads"] and len(words) == 2 and _is_initial(words[1]):
        return True
    vouched = span.identifier_type in NAMES and span.score >= 0.7
    if span.identifier_type == "HOSPITAL" and _FACILITY.search(value):
        return False
    if _is_ordinary(words, span):
        return True
    if not any(map(str.isalpha, value)) or all(is_term(word, regions=not vouched) and not (vouched and _is_name(word)) for word in words):
        return span.score < (0.9 if span.identifier_type in NAMES else 0.95) or all(is_common(word) for word in words)
    if span.score >= CUED and span.identifier_type != "LOCATION":
        return all(is_common(word) for word in words)
    return is_fact(value, after) or (span.identifier_type in NAMES and plain_form(words[0]) in facts()["letter_heads"])


def _is_ordinary(words: Sequence[str], span: Span) -> bool:
    """Say whether a phrase is of ordinary words only; many a place and hospital is called by such words, so those need more."""
    plain = [plain_form(word) for word in words]
    ordinary = all(is_only_word(word) for word in plain)
    if span.identifier_type in PLACES:
        capitals = len(words) == 1 and words[0].isupper() and (ordinary or len(plain[0]) < 5) and span.identifier_type == "LOCATION"
        uncertain = len(words) == 1 and span.identifier_type == "LOCATION" and span.score < 0.65
        return (capitals and span.score < 0.7) or (ordinary and (uncertain or plain[-1] in _ROOMS))
    return ordinary and span.score < TITLED
