"""A draft to a summary: every item gets its sources, its marks and the originals of its surrogates; nothing is left out silently."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import partial

from carefolio.privacy.surrogates import Mapping
from notes_summarizer.summary.conflicts import find_conflicts, source_of
from notes_summarizer.summary.marks import mark, mark_medication, reidentify_marked
from notes_summarizer.summary.schema import LISTS, Draft, DraftItem, DraftMedication, Medication, Statement, Summary
from notes_summarizer.summary.sentences import Sentence
from notes_summarizer.summary.settings import SummarySettings
from notes_summarizer.summary.support import SupportIndex


def build_summary(draft: Draft, sentences: Sequence[Sentence], orders: Collection[int], mapping: Mapping,
                  settings: SummarySettings, *, full: Collection[str] = ()) -> Summary:
    """Check a draft against the note that it was made from.

    Parameters
    ----------
    draft : Draft
        With surrogates.
    sentences : sequence of Sentence
        All of the note.
    orders : collection of int
        Numbers of sentences that give orders to a language model; they support nothing.
    mapping : Mapping
        What the surrogates stand for.
    settings : SummarySettings
        Threshold and neighbours.
    full : collection of str
        Lists that had no room for more; the reader is told.

    Returns
    -------
    Summary
        With the originals put back.
    """
    index = SupportIndex(sentences, excluded=orders, neighbours=settings.neighbours)
    check = partial(_check, index=index, sentences=sentences, mapping=mapping, settings=settings)
    lists = {name: [check(item) for item in getattr(draft, name)] for name in LISTS if name != "medications"}
    medications = [_medication(item, check(item), mapping) for item in draft.medications]
    statements = [*medications, *(statement for items in lists.values() for statement in items)]
    return Summary(**lists, medications=medications, conflicts=find_conflicts(sentences, excluded=orders),
                   warnings=_warnings(statements, orders, full))


def _check(item: DraftItem, *, index: SupportIndex, sentences: Sequence[Sentence], mapping: Mapping,
           settings: SummarySettings) -> Statement:
    support = index.support(item.text, item.sources, threshold=settings.support_threshold)
    flags = mark(item.text, index.context(support.nearest))
    if isinstance(item, DraftMedication):
        given = mark_medication(item.text, item.name, item.dose, [sentences[number - 1].safe for number in support.sources])
        flags = sorted({*flags, *given}, key=lambda flag: (flag.start, flag.end, flag.kind))
    text, flags = reidentify_marked(item.text, flags, mapping)
    return Statement(text=text, sources=[source_of(sentences[number - 1]) for number in support.sources], supported=bool(support.sources),
                     findings=flags)


def _medication(item: DraftMedication, statement: Statement, mapping: Mapping) -> Medication:
    return Medication(text=statement.text, sources=statement.sources, supported=statement.supported, findings=statement.findings,
                      name=mapping.reidentify(item.name), dose=mapping.reidentify(item.dose))


def _warnings(statements: Sequence[Statement], orders: Collection[int], full: Collection[str]) -> list[str]:
    warnings = []
    if orders:
        numbers = ", ".join(map(str, sorted(orders)[:10]))
        warnings.append(f"{len(orders)} sentence(s) of the note seem to give orders to a language model (number {numbers}); they count "
                        f"as no "
                        "source. Read them in the note.")
    unsupported = sum(not statement.supported for statement in statements)
    if unsupported:
        warnings.append(f"{unsupported} of {len(statements)} statements are not supported by the note; they are marked.")
    flagged = sum(statement.supported and bool(statement.findings) for statement in statements)
    if flagged:
        warnings.append(f"{flagged} of {len(statements)} statements hold something that their sources do not; it is marked.")
    if full:
        warnings.append(f"The list(s) {', '.join(full)} had no room for more; the note may hold more than is shown.")
    if not statements:
        warnings.append("Nothing was found for the summary. Read the note itself.")
    return warnings
