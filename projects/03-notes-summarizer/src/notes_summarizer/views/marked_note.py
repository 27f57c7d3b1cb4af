"""A note as HTML: identifiers in colour, sentences that can be pointed at. Nothing of the note is taken for markup."""

import html
from collections.abc import Collection, Iterable, Iterator, Sequence

from carefolio.privacy.firewall import Entity
from notes_summarizer.summary.sentences import Sentence

FAMILIES = {
    "people": ("Person", ("PERSON", "CLINICIAN")),
    "places": ("Place", ("HOSPITAL", "LOCATION", "ADDRESS", "ZIP")),
    "dates": ("Date or age over 89", ("DATE", "AGE_OVER_89")),
    "contact": ("Phone, mail, web", ("PHONE", "FAX", "EMAIL", "URL", "IP")),
    "numbers": ("Number or code", ("MRN", "SSN", "HEALTH_PLAN", "ACCOUNT", "LICENCE", "VEHICLE", "DEVICE", "BIOMETRIC", "ID")),
}
"""Kinds of identifiers that share a colour: name in the legend, and types."""
IN_WORDS = {"PERSON": "person", "CLINICIAN": "clinician", "HOSPITAL": "hospital or practice", "LOCATION": "place", "ADDRESS": "address",
            "ZIP": "ZIP code", "DATE": "date", "AGE_OVER_89": "age over 89", "PHONE": "telephone number", "FAX": "fax number",
            "EMAIL": "e-mail address", "URL": "web address", "IP": "IP address", "MRN": "medical record number",
            "SSN": "social security number", "HEALTH_PLAN": "health plan number", "ACCOUNT": "account number",
            "LICENCE": "licence number", "VEHICLE": "vehicle number", "DEVICE": "device number", "BIOMETRIC": "biometric record",
            "ID": "number or code"}
"""Types of identifiers, for people."""
ORDER_WORDS = "This sentence seems to give an order to a language model; it counts as no source."


def escape(text: str) -> str:
    """Write text so that a browser shows it as it is.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Without anything that is markup; line breaks as references, so that no step on the way alters them.
    """
    return html.escape(text, quote=True).replace("\r\n", "\n").replace("\n", "&#10;")


def family_of(identifier_type: str) -> str:
    """Give the family of a type, which decides its colour.

    Parameters
    ----------
    identifier_type : str
        A label such as ``"PERSON"``.

    Returns
    -------
    str
        A key of `FAMILIES`; ``"numbers"`` for a type that none holds.
    """
    return next((family for family, (_, types) in FAMILIES.items() if identifier_type in types), "numbers")


def note_html(note: str, sentences: Sequence[Sentence], entities: Sequence[Entity], *, surrogates: bool,
              orders: Collection[int] = ()) -> str:
    """Write a note with its identifiers in colour.

    Parameters
    ----------
    note : str
        The original.
    sentences : sequence of Sentence
        Of it; each gets the anchor ``note-s<number>``.
    entities : sequence of Entity
        What was taken out of it, in order.
    surrogates : bool
        Show what stands in place of the identifiers: the text that a model is given.
    orders : collection of int
        Numbers of sentences that give orders to a language model.

    Returns
    -------
    str
        One element.
    """
    pieces, place = [], 0
    for sentence in sentences:
        pieces.append(_stretch(note, place, sentence.start, entities, surrogates=surrogates))
        inside = _stretch(note, sentence.start, sentence.end, entities, surrogates=surrogates)
        order = f' notes-order" title="{ORDER_WORDS}' if sentence.number in orders else ""
        pieces.append(f'<span class="notes-sentence{order}" id="note-s{sentence.number}">{inside}</span>')
        place = sentence.end
    pieces.append(_stretch(note, place, len(note), entities, surrogates=surrogates))
    return f'<div class="notes-note" tabindex="0" role="region" aria-label="Note">{"".join(pieces)}</div>'


def _stretch(note: str, start: int, end: int, entities: Sequence[Entity], *, surrogates: bool) -> str:
    pieces, place = [], start
    for entity in _between(entities, start, end):
        first, last = max(entity.start, start), min(entity.end, end)
        words = IN_WORDS.get(entity.identifier_type, entity.identifier_type.lower())
        shown = entity.surrogate if surrogates else note[first:last]
        hint = f"{words}, replaced before a model sees it" if surrogates else f"{words}: a model sees {entity.surrogate}"
        pieces += [escape(note[place:first]), f'<mark class="notes-id notes-{family_of(entity.identifier_type)}" title="{escape(hint)}">'
                   f"{escape(shown)}</mark>"]
        place = last
    return "".join(pieces) + escape(note[place:end])


def _between(entities: Iterable[Entity], start: int, end: int) -> Iterator[Entity]:
    return (entity for entity in entities if entity.start < end and entity.end > start)


def legend_html(entities: Sequence[Entity], *, orders: bool = False) -> str:
    """Write which colour means what, with how many of each were found.

    Parameters
    ----------
    entities : sequence of Entity
        What was taken out.
    orders : bool, default False
        Explain the frame of a sentence that gives orders too.

    Returns
    -------
    str
        One element; it says so where nothing was found.
    """
    families = [family_of(entity.identifier_type) for entity in entities]
    items = [f'<span><mark class="notes-id notes-{family}">{title}</mark> {families.count(family)}</span>'
             for family, (title, _) in FAMILIES.items() if family in families]
    items += ['<span><span class="notes-order">Order to a model</span></span>'] if orders else []
    return f'<div class="notes-legend">{"".join(items) or "<span>No identifier was found.</span>"}</div>'
