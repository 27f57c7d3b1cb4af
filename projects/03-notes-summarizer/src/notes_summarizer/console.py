"""Summaries and leaflets as plain text for a terminal."""

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from carefolio.command import DISCLAIMER
from notes_summarizer.summary.schema import LISTS, Source, Statement
from notes_summarizer.summary.summarize import SummaryResult

if TYPE_CHECKING:
    from notes_summarizer.leaflet.write import Leaflet

WIDTH = 100
TITLES = {"problems": "Problems", "medications": "Medications", "allergies": "Allergies", "results": "Results", "plan": "Plan",
          "follow_up": "Follow-up"}


def write_summary(result: SummaryResult) -> str:
    """Write a summary with its marks and the numbers of the sentences that it rests on.

    Parameters
    ----------
    result : SummaryResult
        A summary and how it came about.

    Returns
    -------
    str
        Lines of at most 100 characters; what the note does not support begins with ``!``.
    """
    summary = result.summary
    lines = [_wrap(f"! {warning}") for warning in summary.warnings]
    for name in LISTS:
        statements: Sequence[Statement] = getattr(summary, name)
        lines += ["", TITLES[name].upper(), *(_wrap(_statement(statement)) for statement in statements)]
        lines += [] if statements else ["  (none found)"]
    if summary.conflicts:
        lines += ["", "CONTRADICTORY ORDERS", *(_wrap(f"! {conflict.text} {_numbers(conflict.sources)}") for conflict in summary.conflicts)]
    writers = ", ".join(sorted({f"{answer.provider} ({answer.model})" for answer in result.answer}))
    lines += ["", _wrap(f"Written by {writers} in {result.seconds:.1f} s; {len(result.entities)} identifiers were kept from it. "
                        "Numbers in brackets are sentences of the note; ! needs a look."), DISCLAIMER]
    return "\n".join(lines).strip()


def _statement(statement: Statement) -> str:
    marks = sorted({flag.kind for flag in statement.findings} | (set() if statement.supported else {"not supported"}))
    return f"{'!' if marks else '-'} {statement.text} {_numbers(statement.sources)}" + (f" <{', '.join(marks)}>" if marks else "")


def _numbers(sources: Sequence[Source]) -> str:
    return f"[{', '.join(str(source.number) for source in sources)}]"


def write_leaflet(leaflet: "Leaflet") -> str:
    """Write a leaflet with its sources, or the reason why there is none.

    Parameters
    ----------
    leaflet : Leaflet
        A leaflet or a refusal.

    Returns
    -------
    str
        Lines of at most 100 characters.
    """
    if leaflet.refused:
        return "\n".join([_wrap(f"No leaflet: {leaflet.reason}"), "", DISCLAIMER])
    lines, section = [leaflet.title.upper()], ""
    for sentence in leaflet.sentences:
        if sentence.section != section:
            section = sentence.section
            lines += ["", section]
        lines.append(_wrap(f"- {sentence.text} {''.join(f'[{number}]' for number in sentence.citations)}"))
    lines += ["", "Sources", *(_wrap(f"[{passage.number}] {passage.title} ({passage.source}): {passage.url}")
                               for passage in leaflet.passages)]
    lines += ["", f"Reading grade {leaflet.reading_grade:.1f}.", DISCLAIMER]
    return "\n".join(lines)


def _wrap(text: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
