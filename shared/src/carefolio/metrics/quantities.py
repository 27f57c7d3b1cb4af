"""Numbers in a text in one form, so that two texts can be compared: ``5mg``, ``5 mg`` and ``five milligrams`` are the same.

English, by rules. Read are digits with thousands' commas and decimals, number words to the millions (``seventy-six``, spoken ``one
forty``), fractions, ratios (``120/80``, ``one twenty over eighty``, ``7 out of 10``), ranges (both ends take the unit) and dates
(``3/4/2024`` is March 4, a year of two digits up to 40 is in the 2000s). Not read: ordinals, digits within a name (``B12``, ``COVID-19``,
``q6h``), decimal commas, clock times as such, and signs.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

_SMALL = {word: value for value, word in enumerate([
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen", "fourteen",
    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
])}
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_TENS |= {f"{word[:-1]}ies": value for word, value in _TENS.items()}
_TIMES = {"once": 1, "twice": 2, "thrice": 3}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
_WORD = "|".join([*_SMALL, *_TENS, *_SCALES, r"(?:once|twice|thrice)(?=\s+(?:an?|per|each|every|in|daily|weekly|monthly)\b)", "half"])
_MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11, "dec": 12}
_MONTH = (r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
          r"|nov(?:ember)?|dec(?:ember)?)")
_ATOM = re.compile(
    rf"""(?P<iso>\b\d{{4}}-\d{{1,2}}-\d{{1,2}}\b)
    | (?P<numeric>\b\d{{1,2}}(?P<mark>[/-])\d{{1,2}}(?P=mark)(?:\d{{4}}|\d{{2}})\b)
    | (?P<named>\b{_MONTH}\b\.?\s+(?:\d{{4}}\b|\d{{1,2}}(?:st|nd|rd|th)?\b(?:,?\s+\d{{4}}\b)?)
        | \b\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?{_MONTH}\b(?:,?\s+\d{{4}}\b)?)
    | (?P<digits>(?:(?<![^\W_])(?<![^\W\d_]-)|(?<=\bx))(?:(?:\d{{1,3}}(?:,\d{{3}})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?!\d|(?:st|nd|rd|th)\b))
    | (?P<vulgar>[¼½¾⅓⅔⅛])
    | (?P<words>\b(?:{_WORD})\b(?:(?:[ \t\n\u00a0-]+|\s+and\s+(?:a\s+)?|\s+point\s+)(?:{_WORD})\b){{0,12}})""", re.IGNORECASE | re.VERBOSE)
_UNITS = {
    "mcg": r"mcgs?|[uµμ]g|micrograms?", "mg": r"mgs?|milligrams?", "g": r"g|gms?|grams?", "kg": r"kgs?|kilos?|kilograms?",
    "lb": r"lbs?|pounds?", "oz": r"oz|ounces?", "ml": r"mls?|ccs?|millilit(?:er|re)s?", "dl": r"dl|decilit(?:er|re)s?",
    "l": r"l|lit(?:er|re)s?", "mmol": r"mmols?|millimoles?", "meq": r"meqs?|milliequivalents?", "unit": r"units?|i\.?u\.?|u",
    "mmhg": r"mm\s?hg|millimet(?:er|re)s?\s+of\s+mercury", "mm": r"mm|millimet(?:er|re)s?", "cm": r"cms?|centimet(?:er|re)s?",
    "inch": r"inch(?:es)?", "foot": r"ft|foot|feet", "bpm": r"bpm|beats\s+per\s+minute", "percent": r"%|percent|per\s+cent",
    "degree": r"°\s?[cf]?|degrees?(?:\s+(?:celsius|fahrenheit))?|(?-i:[FC])", "second": r"secs?|seconds?", "minute": r"mins?|minutes?",
    "hour": r"h|hrs?|hours?", "day": r"d|days?", "week": r"wks?|weeks?", "month": r"mos?|months?", "year": r"y\.?/?o\.?|yrs?|years?",
    "tablet": r"tabs?|tablets?|pills?", "capsule": r"caps?|capsules?", "puff": r"puffs?", "drop": r"drops?|gtts?", "dose": r"doses?",
    "patch": r"patch(?:es)?", "pack": r"packs?", "time": r"times?|x(?!\s*\d)",
}
_ONE_UNIT = "|".join(f"(?:{pattern})" for pattern in _UNITS.values())
_UNIT = re.compile(rf"[\s-]{{0,3}}(?P<top>{_ONE_UNIT})(?![^\W_])(?:\s?(?:/|\bper\b)\s?(?P<bottom>{_ONE_UNIT})(?![^\W_]))?", re.IGNORECASE)
_NAMED_UNITS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _UNITS.items()}
_SCALED = {"mcg": ("mg", Decimal("0.001")), "g": ("mg", Decimal(1000)), "l": ("ml", Decimal(1000))}
_RATIO = re.compile(r"\s?/\s?|\s+(?:over|out\s+of)\s+", re.IGNORECASE)
_RANGE = re.compile(r"\s?[-‐‑‒–—]\s?|\s+(?:to|through|or)\s+", re.IGNORECASE)
_HALF_OF = re.compile(r"\s+(?:of\s+)?an?(?=\s)", re.IGNORECASE)
_LAST_YEAR_OF_2000S = 40
_MAX_DIGITS = 25
_AFTER_ITEM, _BEFORE_ITEM = re.compile(r"[.)]\s+(?=[^\W\d_])"), re.compile(r"(?:^|\n|[.;:]\s)[ \t]*$")
_COUNTED = frozenset(["pack", "time", "tablet", "capsule", "dose", "puff", "drop"])


@dataclass(frozen=True)
class Quantity:
    """A number, ratio or date in a text.

    Attributes
    ----------
    start, end : int
        Where it stands, its unit included.
    text : str
        What stands there.
    value : str
        Plain decimal (``"0.5"``), ratio (``"120/80"``) or date (``"2024-03-04"``, ``"2024-03"``, ``"--03-04"``).
    unit : str
        Empty, ``"date"``, ``"ratio"``, or a unit in one spelling (``"mg"``, ``"mg/dl"``, ``"year"``); micrograms and grams are
        turned into ``"mg"``, litres into ``"ml"``.
    is_word : bool
        Whether it is written in words.
    """

    start: int
    end: int
    text: str
    value: str
    unit: str
    is_word: bool


def exact_numbers(text: str) -> list[Quantity]:
    """Find the numbers, ratios and dates of a text.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of Quantity
        In the order of the text. Numbers that only count a list's items are left out.
    """
    found: list[Quantity] = []
    for match in _ATOM.finditer(text):
        for atom in _read_atom(match):
            if not _is_list_item(text, atom):
                _join(found, atom if atom.unit else _with_unit(text, atom), text)
    return found


def _is_list_item(text: str, atom: Quantity) -> bool:
    is_count = atom.text.isdigit() and len(atom.text) < 3 and _AFTER_ITEM.match(text, atom.end) is not None
    return is_count and _BEFORE_ITEM.search(text[max(atom.start - 4, 0):atom.start]) is not None


def _read_atom(match: re.Match[str]) -> list[Quantity]:
    start, end, text = match.start(), match.end(), match.group()
    if match["words"]:
        return _read_words(match)
    if match["digits"]:
        return [Quantity(start, end, text, _plain_digits(text), "", False)]
    if match["vulgar"]:
        return [Quantity(start, end, text, _plain(Decimal(str(round(unicodedata.numeric(text), 6)))), "", False)]
    return [Quantity(start, end, text, _read_date(text), "date", False)]


def _read_date(text: str) -> str:
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    name = re.search(r"[a-z]{3}", re.sub(r"\d+(?:st|nd|rd|th)|\bof\b", "", text.casefold()))
    if name:
        month, year = _MONTHS[name.group()], next((number for number in numbers if number > 31), None)
        day = next((number for number in numbers if number <= 31), None)
        return f"{year or '-'}-{month:02}" + (f"-{day:02}" if day else "")
    if numbers[0] > 31:
        year, month, day = numbers
    else:
        month, day, year = numbers if numbers[0] <= 12 else (numbers[1], numbers[0], numbers[2])
        year += 0 if year > 99 else 2000 if year <= _LAST_YEAR_OF_2000S else 1900
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return text


def _read_words(match: re.Match[str]) -> list[Quantity]:
    """Read a run of number words, which may hold several numbers."""
    tokens = [(word.group().casefold(), match.start() + word.start(), match.start() + word.end())
              for word in re.finditer(r"[^\W\d_]+", match.group())]
    found: list[Quantity] = []
    while tokens:
        value, used = _read_number([word for word, _, _ in tokens])
        unit = "time" if tokens[0][0] in _TIMES else ""
        start, end = tokens[0][1], tokens[used - 1][2]
        found.append(Quantity(start, end, match.string[start:end], _plain(value), unit, True))
        tokens = tokens[used:]
        while tokens and tokens[0][0] in ("and", "a", "point"):
            tokens = tokens[1:]
    return found


def _read_number(words: list[str]) -> tuple[Decimal, int]:
    """Read the number that the words begin with; give it and how many words it took."""
    if words[0] in _TIMES or words[0] == "half":
        return Decimal(str(_TIMES.get(words[0], 0.5))), 1
    total, current, last, place = Decimal(0), Decimal(0), "", 0
    while place < len(words):
        word = words[place]
        joined = word == "and" and last in _SCALES and words[place + 1] in _SMALL | _TENS
        if word in _SCALES:
            current = (current or Decimal(1)) * _SCALES[word]
            total, current = (total + current, Decimal(0)) if word != "hundred" else (total, current)
        elif not joined and not _continues(word, last, current):
            break
        elif not joined:
            value = (_SMALL | _TENS)[word]
            spoken = last != "" and last not in _SCALES and value >= 10
            current = current * 100 + value if spoken else current + value
        last, place = last if joined else word, place + 1
    if words[place:place + 1] == ["point"] and words[place + 1] in _SMALL:
        return total + current + Decimal(_SMALL[words[place + 1]]) / 10, place + 2
    if words[place:place + 3] == ["and", "a", "half"]:
        return total + current + Decimal("0.5"), place + 3
    return total + current, place


def _continues(word: str, last: str, current: Decimal) -> bool:
    if word not in _SMALL and word not in _TENS:
        return False
    if last == "" or last in _SCALES:
        return True
    if last in _TENS and 0 < _SMALL.get(word, 0) < 10:
        return True
    return 1 <= current <= 20 and (word in _TENS or _SMALL[word] >= 10)


def _with_unit(text: str, atom: Quantity) -> Quantity:
    gap = _HALF_OF.match(text, atom.end) if atom.text.casefold() == "half" else None
    match = _UNIT.match(text, gap.end() if gap else atom.end)
    if match is None or len(atom.value) > _MAX_DIGITS:
        return atom
    top, bottom = _canonical(match["top"]), _canonical(match["bottom"])
    bottom = "" if top in _COUNTED else bottom
    value = Decimal(atom.value)
    if not bottom and top in _SCALED:
        top, factor = _SCALED[top]
        value *= factor
    return replace(atom, end=match.end(), text=text[atom.start:match.end()], value=_plain(value), unit=f"{top}/{bottom}" if bottom else top)


def _canonical(unit: str | None) -> str:
    return next((name for name, pattern in _NAMED_UNITS.items() if pattern.fullmatch(unit)), "") if unit else ""


def _join(found: list[Quantity], atom: Quantity, text: str) -> None:
    """Add a number; make a ratio of it and the one before, or give that one its unit, where what stands between says so."""
    before = found[-1] if found else None
    if before is not None and before.unit == "" and atom.unit not in ("date", "ratio"):
        between = text[before.end:atom.start]
        if _RATIO.fullmatch(between):
            found[-1] = _ratio(before, atom, text)
            return
        if atom.unit and _RANGE.fullmatch(between):
            shared = f"{before.text} {text[_number_end(text, atom):atom.end]}"
            with_unit = _with_unit(shared, replace(before, start=0, end=len(before.text)))
            found[-1] = replace(with_unit, start=before.start, end=before.end, text=before.text)
    found.append(atom)


def _number_end(text: str, atom: Quantity) -> int:
    match = _ATOM.match(text, atom.start)
    return match.end() if match else atom.end


def _ratio(first: Quantity, second: Quantity, text: str) -> Quantity:
    whole = replace(first, end=second.end, text=text[first.start:second.end], value=f"{first.value}/{second.value}", unit="ratio")
    numerator, denominator = Decimal(first.value), Decimal(second.value)
    if denominator in (2, 3, 4, 8) and numerator < denominator:
        return replace(whole, value=_plain(round(numerator / denominator, 6)), unit=second.unit)
    return whole


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _plain_digits(text: str) -> str:
    """Leave what is too long to be an amount, such as an account number, as it is."""
    digits = text.replace(",", "")
    return digits if len(digits) > _MAX_DIGITS else _plain(Decimal(digits))
