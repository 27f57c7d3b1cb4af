"""What of a written note the conversation supports, and what of the conversation a written note leaves out, counted by rules.

Neither count is a clinician's. A sentence without a finding is not proven right, and a fact here is only what rules can see: a number
with its unit, or a term of a vocabulary of drugs and conditions.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

from carefolio.metrics.faithfulness import Finding, numbers_not_in, terms_not_in, unsupported
from carefolio.metrics.quantities import exact_numbers
from notes_summarizer.summary.sentences import split_sentences

KINDS = ("number", "term", "negation", "laterality")


@dataclass(frozen=True)
class Faithfulness:
    """Sentences of a note, and those with a finding.

    Attributes
    ----------
    sentences : int
        Sentences that have a word.
    flagged : int
        Those in which a finding begins.
    by_kind : dict of str to int
        Findings by kind, all of `KINDS`.
    """

    sentences: int
    flagged: int
    by_kind: dict[str, int]


@dataclass(frozen=True)
class Omission:
    """Facts that the reference and the conversation share, and those that the note leaves out.

    Attributes
    ----------
    facts : int
        Different numbers with units and terms of the vocabulary that stand in the reference and in the conversation.
    omitted : int
        Those that do not stand in the note.
    """

    facts: int
    omitted: int


def sentences(text: str) -> list[tuple[int, int]]:
    """Cut a text into sentences.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of (int, int)
        Start and end of each that has a letter or digit.
    """
    return [(sentence.start, sentence.end) for sentence in split_sentences(text) if any(map(str.isalnum, sentence.text))]


def faithfulness(source: str, candidate: str, *, terms: Collection[str]) -> Faithfulness:
    """Count the sentences of a note in which rules find something that its source does not support.

    Parameters
    ----------
    source : str
        The conversation.
    candidate : str
        The note.
    terms : collection of str
        Vocabulary of names that must not be invented.

    Returns
    -------
    Faithfulness
        Counts.
    """
    return count_findings(candidate, unsupported(source, candidate, terms=terms))


def count_findings(candidate: str, findings: Collection[Finding]) -> Faithfulness:
    """Count sentences and findings.

    Parameters
    ----------
    candidate : str
        The note.
    findings : collection of Finding
        What was found in it.

    Returns
    -------
    Faithfulness
        Counts.
    """
    spans = sentences(candidate)
    starts = [finding.start for finding in findings]
    flagged = sum(any(start <= place < end for place in starts) for start, end in spans)
    kinds = Counter(finding.kind for finding in findings)
    return Faithfulness(len(spans), flagged, {kind: kinds[kind] for kind in KINDS})  # type: ignore[index]


def omission(source: str, reference: str, candidate: str, *, terms: Collection[str]) -> Omission:
    """Count the facts of a reference that the source has and the note has not.

    Parameters
    ----------
    source : str
        The conversation.
    reference : str
        What a person wrote.
    candidate : str
        The note.
    terms : collection of str
        Vocabulary.

    Returns
    -------
    Omission
        Counts; a fact that the reference repeats counts once.
    """
    facts = _facts_of(reference, terms) - _facts_not_in(source, reference, terms)
    return Omission(len(facts), len(facts & _facts_not_in(candidate, reference, terms)))


def _facts_of(reference: str, terms: Collection[str]) -> set[str]:
    numbers = {f"{number.value} {number.unit}" for number in exact_numbers(reference) if number.unit}
    return numbers | {finding.text.casefold() for finding in terms_not_in("", reference, terms=terms)}


def _facts_not_in(text: str, reference: str, terms: Collection[str]) -> set[str]:
    names = {number.start: f"{number.value} {number.unit}" for number in exact_numbers(reference)}
    numbers = {names[finding.start] for finding in numbers_not_in(text, reference)}
    return numbers | {finding.text.casefold() for finding in terms_not_in(text, reference, terms=terms)}
