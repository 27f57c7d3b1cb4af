"""Small changes to a note that a person wrote: errors that a meter should see, and rewordings that it should pass over.

A change alters one sentence, at a place drawn at random among those where it can be made; a note without such a place gives None. What
is drawn depends on nothing but the generator, so the same seed plants the same errors.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from carefolio.metrics.quantities import exact_numbers
from notes_summarizer.evaluation.facts import sentences

Change = Callable[["Material", np.random.Generator], "Planted | None"]
UNITS = {"mg": "mcg", "mcg": "mg", "ml": "mg", "g": "mg", "lb": "kg", "pounds": "kilograms", "days": "weeks", "day": "week",
         "weeks": "months", "week": "month", "months": "years", "month": "year", "years": "months", "hours": "days", "units": "mg"}
SIDES = {"left": "right", "right": "left", "bilateral": "left", "bilaterally": "on the left"}
NEGATED = (("denies", r"\b(?:reports|endorses|complains of|admits to|notes)\b"), ("negative", r"\bpositive\b"),
           (r"\1 not", r"\b(is|was|are|were|has been|does|did|will|should)\b(?! not\b)"), ("has no", r"\bhas\b(?! (?:no|not|been|had)\b)"))
AFFIRMED = (("reports", r"\b(?:denies|denied)\b"), ("with", r"\bwithout\b"), ("positive", r"\bnegative\b"),
            (r"\1", r"\b(is|was|are|were|has|have|had|does|did)(?: not|n't)\b"), ("some", r"\bno\b(?! (?:longer|one)\b)"))
SPELT = {"mg": "milligrams", "mcg": "micrograms", "ml": "milliliters", "kg": "kilograms", "lb": "pounds", "lbs": "pounds",
         "cm": "centimeters", "%": " percent", "hrs": "hours", "wks": "weeks", "yrs": "years", "years": "yrs", "hours": "hrs",
         "pounds": "lbs"}
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
          "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_TEMPLATES = ("Started on {}.", "Currently takes {}.", "History of {} use.")


@dataclass(frozen=True)
class Material:
    """A note and the words that may be put into it.

    Attributes
    ----------
    text : str
        The note.
    drugs : mapping of str to str
        Names of drugs, brands included, and the generic name of each; all in lower case.
    """

    text: str
    drugs: Mapping[str, str]


@dataclass(frozen=True)
class Planted:
    """A changed note.

    Attributes
    ----------
    text : str
        The note with the change.
    start, end : int
        Where the changed sentence stands in it; the whole note for a change of order.
    """

    text: str
    start: int
    end: int


def _change_number(material: Material, generator: np.random.Generator) -> Planted | None:
    """Change a number written in digits to one that the note does not hold."""
    text = material.text
    numbers = [number for number in exact_numbers(text) if not number.is_word and re.match(r"\d+(?:\.\d+)?(?![\d,])", number.text)]
    known = {part for number in exact_numbers(text) for part in number.value.split("/")}
    if not numbers:
        return None
    chosen = numbers[generator.integers(len(numbers))]
    digits = re.match(r"\d+(?:\.\d+)?", chosen.text)
    value = float(digits.group()) if digits else 0.0
    others = [f"{other:g}" for other in (value * 10, value * 2, value + 3, value + 7, value * 5 + 1)]
    new = next((other for other in others if other not in known and "e" not in other), None)
    return None if new is None or digits is None else _replaced(text, chosen.start, chosen.start + digits.end(), new)


def _change_unit(material: Material, generator: np.random.Generator) -> Planted | None:
    """Give a number another unit."""
    return _substitute(material.text, _after_number(UNITS), lambda match: _other_unit(match, UNITS), generator)


def _swap_drug(material: Material, generator: np.random.Generator) -> Planted | None:
    """Replace a drug by another one that the note does not name."""
    others = _absent(material)
    new = others[generator.integers(len(others))]
    return _substitute(material.text, _any_of(material.drugs), lambda match: _cased(new, match.group()), generator)


def _add_drug(material: Material, generator: np.random.Generator) -> Planted | None:
    """Add a sentence with a drug that the note does not name."""
    others = _absent(material)
    added = _TEMPLATES[generator.integers(len(_TEMPLATES))].format(others[generator.integers(len(others))])
    places = [end for _, end in sentences(material.text)] or [len(material.text)]
    place = places[generator.integers(len(places))]
    return Planted(f"{material.text[:place]} {added}{material.text[place:]}", place + 1, place + 1 + len(added))


def _add_negation(material: Material, generator: np.random.Generator) -> Planted | None:
    """Deny what a sentence states."""
    found = [(start, end) for start, end in sentences(material.text) if not re.search(
        r"\b(?:no|not|none|denies|denied|without|negative|never|nor)\b|n't\b", material.text[start:end], re.IGNORECASE)]
    return _reword(material.text, found, NEGATED, generator, otherwise="No ")


def _remove_negation(material: Material, generator: np.random.Generator) -> Planted | None:
    """State what a sentence denies."""
    return _reword(material.text, sentences(material.text), AFFIRMED, generator, otherwise=None)


def _swap_side(material: Material, generator: np.random.Generator) -> Planted | None:
    """Name the other side of the body."""
    return _substitute(material.text, _any_of(SIDES), lambda match: _cased(SIDES[match.group().lower()], match.group()), generator)


def _spell_unit(material: Material, generator: np.random.Generator) -> Planted | None:
    """Write a unit in another way; harmless."""
    return _substitute(material.text, _after_number(SPELT), lambda match: _other_unit(match, SPELT), generator)


def _spell_number(material: Material, generator: np.random.Generator) -> Planted | None:
    """Write a whole number below a hundred in words; harmless."""
    return _substitute(material.text, r"(?<![\d./,-])\b[1-9]\d?(?=[ -][a-z])", lambda match: _in_words(int(match.group())), generator)


def _reorder(material: Material, generator: np.random.Generator) -> Planted | None:
    """Put the sentences into another order; harmless."""
    pieces = [material.text[start:end].strip() for start, end in sentences(material.text)]
    if len(pieces) < 2:
        return None
    order = generator.permutation(len(pieces))
    order = order[::-1] if (order == np.arange(len(pieces))).all() else order
    text = "\n".join(pieces[place] for place in order)
    return Planted(text, 0, len(text))


def _rename_drug(material: Material, generator: np.random.Generator) -> Planted | None:
    """Write the generic name of a brand, or a brand of a generic name; harmless."""
    names = {generic: name for name, generic in material.drugs.items() if name != generic}
    names |= {name: generic for name, generic in material.drugs.items() if name != generic}
    return _substitute(material.text, _any_of(names), lambda match: _cased(names[match.group().lower()], match.group()), generator)


ERRORS: dict[str, Change] = {
    "number": _change_number, "unit": _change_unit, "drug_swapped": _swap_drug, "drug_added": _add_drug, "negation_added": _add_negation,
    "negation_removed": _remove_negation, "side": _swap_side,
}
"""Changes that a meter should see."""
HARMLESS: dict[str, Change] = {
    "unit_spelling": _spell_unit, "number_in_words": _spell_number, "order": _reorder, "brand_or_generic": _rename_drug,
}
"""Changes that a meter should pass over."""


def _absent(material: Material) -> list[str]:
    """Give the generic names of the drugs that a note names under no name."""
    named = {material.drugs[match.group().lower()] for match in re.finditer(_any_of(material.drugs), material.text, re.IGNORECASE)}
    return sorted(set(material.drugs.values()) - named)


def _any_of(names: Collection[str]) -> str:
    return rf"(?<![\w-])(?:{'|'.join(re.escape(name) for name in sorted(names, key=len, reverse=True))})(?!\w)"


def _after_number(units: Collection[str]) -> str:
    return rf"(?<=\d)[ -]?(?:{'|'.join(re.escape(unit) for unit in sorted(units, key=len, reverse=True))})(?!\w)"


def _other_unit(match: re.Match[str], units: Mapping[str, str]) -> str:
    unit = match.group().lstrip(" -")
    return match.group()[:-len(unit)] + units[unit.lower()]


def _substitute(text: str, pattern: str, change: Callable[[re.Match[str]], str], generator: np.random.Generator) -> Planted | None:
    matches = list(re.finditer(pattern, text, re.IGNORECASE))
    if not matches:
        return None
    match = matches[generator.integers(len(matches))]
    return _replaced(text, match.start(), match.end(), change(match))


def _reword(text: str, spans: list[tuple[int, int]], rules: Sequence[tuple[str, str]], generator: np.random.Generator, *,
            otherwise: str | None) -> Planted | None:
    """Apply the first rule that fits one of the sentences; ``otherwise`` is put before a sentence that none fits."""
    options = [option for start, end in spans for option in _rewordings(text, start, end, rules, otherwise)]
    return options[generator.integers(len(options))] if options else None


def _rewordings(text: str, start: int, end: int, rules: Sequence[tuple[str, str]], otherwise: str | None) -> Iterator[Planted]:
    for new, pattern in rules:
        match = re.compile(pattern, re.IGNORECASE).search(text, start, end)
        if match:
            yield _replaced(text, match.start(), match.end(), _cased(match.expand(new), match.group()))
            return
    first = re.compile(r"[A-Za-z]").search(text, start, end)
    if otherwise is not None and first:
        yield _replaced(text, first.start(), first.start() + 1, otherwise + first.group().lower())


def _replaced(text: str, start: int, end: int, new: str) -> Planted:
    changed = text[:start] + new + text[end:]
    inside = next(((low, high) for low, high in sentences(changed) if low <= start < high), (start, start + len(new)))
    return Planted(changed, *inside)


def _cased(new: str, old: str) -> str:
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _in_words(value: int) -> str:
    if value < len(_SMALL):
        return _SMALL[value]
    tens, ones = divmod(value, 10)
    return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")
