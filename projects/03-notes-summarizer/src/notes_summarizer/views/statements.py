"""A summary as HTML: every statement with its sources at hand, what its sources do not hold marked in colour and in words."""

from collections.abc import Collection, Iterable, Sequence

from notes_summarizer.summary.schema import LISTS, Conflict, Flag, FlagKind, Source, Statement, Summary
from notes_summarizer.views.marked_note import escape

TITLES = {"problems": "Problems", "medications": "Medications", "allergies": "Allergies", "results": "Results", "plan": "Plan",
          "follow_up": "Follow-up"}
FLAGS: dict[FlagKind, str] = {
    "number": "number that its sources do not hold", "term": "drug or condition that its sources do not hold",
    "negation": "its sources say the opposite, or do not say no", "laterality": "side that its sources do not give",
    "dose": "dose that its sources do not give for this drug", "placeholder": "identifier that its sources do not hold",
}
"""Kinds of marks, in words."""
CONFLICTS = {"start_stop": "Started and stopped", "two_doses": "Two doses", "allergy": "Ordered in spite of an allergy"}
UNSUPPORTED = "No sentence of the note supports this."
MOST_RULES = 400
"""Sentences that light up in the note at most; more would slow the page down."""


def summary_html(summary: Summary) -> str:
    """Write the six lists.

    Parameters
    ----------
    summary : Summary
        Checked.

    Returns
    -------
    str
        One element.
    """
    return f'<div class="notes-summary">{"".join(_list_html(name, getattr(summary, name)) for name in LISTS)}</div>'


def _list_html(name: str, statements: Sequence[Statement]) -> str:
    items = "".join(statement_html(statement) for statement in statements)
    body = f"<ul>{items}</ul>" if items else '<p class="notes-none">none found in the note</p>'
    return f"<section><h4>{TITLES[name]}</h4>{body}</section>"


def statement_html(statement: Statement) -> str:
    """Write one statement.

    Parameters
    ----------
    statement : Statement
        With sources and marks.

    Returns
    -------
    str
        A list item; pointing at it, or moving the focus to it, shows its sources.
    """
    kind = "notes-unsupported" if not statement.supported else "notes-flagged" if statement.findings else "notes-clean"
    text = f'<span class="notes-text" tabindex="0">{_marked(statement.text, statement.findings)}</span>'
    return (f'<li class="notes-statement {kind} {_cites(statement.sources)}">{text}{_badges(statement.sources)}{_words(statement)}'
            f"{_card(statement.sources)}</li>")


def _cites(sources: Iterable[Source]) -> str:
    """Name the sentences as classes, for `link_style`."""
    return " ".join(f"cites-{source.number}" for source in sources)


def _marked(text: str, findings: Iterable[Flag]) -> str:
    pieces, place = [], 0
    for flag in sorted(findings, key=lambda flag: (flag.start, flag.end)):
        if flag.start < place or flag.end <= flag.start:
            continue  # it lies in one that is marked already; the words below name both
        pieces += [escape(text[place:flag.start]), f'<mark class="notes-flag">{escape(text[flag.start:flag.end])}</mark>']
        place = flag.end
    return "".join(pieces) + escape(text[place:])


def _badges(sources: Iterable[Source]) -> str:
    return "".join(f' <a class="notes-badge" href="#note-s{source.number}" title="Sentence {source.number} of the note" '
                   f'aria-label="Go to sentence {source.number} of the note">{source.number}</a>' for source in sources)


def _words(statement: Statement) -> str:
    said = [] if statement.supported else [f"✕ {UNSUPPORTED}"]
    said += [f"⚠ {escape(flag.text) + ': ' if flag.text.strip() else ''}{FLAGS[flag.kind]}" for flag in statement.findings]
    return "".join(f'<span class="notes-words">{line}</span>' for line in said)


def _card(sources: Iterable[Source]) -> str:
    lines = [f"<b>Sentence {source.number}</b> {escape(source.text)}" for source in sources] or [UNSUPPORTED]
    return f'<span class="notes-card" role="note">{"".join(f"<span>{line}</span>" for line in lines)}</span>'


def conflicts_html(conflicts: Sequence[Conflict]) -> str:
    """Write the orders of a note that contradict each other.

    Parameters
    ----------
    conflicts : sequence of Conflict
        Of a summary.

    Returns
    -------
    str
        One element, empty if there are none.
    """
    items = "".join(f'<li class="notes-statement {_cites(conflict.sources)}"><span class="notes-text" tabindex="0">'
                    f"<b>{CONFLICTS[conflict.kind]}:</b> {escape(conflict.text)}</span>{_badges(conflict.sources)}"
                    f"{_card(conflict.sources)}</li>" for conflict in conflicts)
    return f'<div class="notes-alert"><h4>⚠ The note contradicts itself</h4><ul>{items}</ul></div>' if items else ""


def warnings_html(warnings: Sequence[str]) -> str:
    """Write what the reader has to know first.

    Parameters
    ----------
    warnings : sequence of str
        Of a summary.

    Returns
    -------
    str
        One element, empty if there are none.
    """
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f'<div class="notes-warning"><ul>{items}</ul></div>' if items else ""


def cited_numbers(summaries: Iterable[Summary]) -> list[int]:
    """List the sentences that some statement or contradiction cites.

    Parameters
    ----------
    summaries : iterable of Summary
        Of one note.

    Returns
    -------
    list of int
        Ascending.
    """
    found = [item for summary in summaries for items in (*(getattr(summary, name) for name in LISTS), summary.conflicts) for item in items]
    return sorted({source.number for item in found for source in item.sources})


def link_style(numbers: Collection[int]) -> str:
    """Write the rules by which a statement lights up its sentences in the note.

    Parameters
    ----------
    numbers : collection of int
        Sentences that are cited.

    Returns
    -------
    str
        A style element.
    """
    rules = [f"body:has(.cites-{number}:hover) #note-s{number}, body:has(.cites-{number}:focus-within) #note-s{number}"
             for number in sorted(numbers)[:MOST_RULES]]
    look = "{ background: #FFE9A8; box-shadow: 0 0 0 0.15rem #FFE9A8; }"
    return f"<style>{', '.join(rules)} {look}</style>" if rules else ""
