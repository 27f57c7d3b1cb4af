"""Cut the answers of MedQuAD into passages of whole sentences, without what its pages repeat around them.

The question itself is not in a passage: a question that is looked up must not find its own words. The title is that of the page
(what it is about) and the kind of question, as a reader of the page sees it.
"""

from __future__ import annotations

import functools
import re
import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import TYPE_CHECKING

from carefolio.exceptions import SchemaError

if TYPE_CHECKING:
    import polars as pl

PACKAGE = "notes_summarizer.leaflet"
COLUMNS = ("answer", "document", "title", "text", "url", "source", "focus", "question_type")
PHENOTYPES = "Signs and how many people have them:"
"""Introduction of a table of the Human Phenotype Ontology: terms for specialists, found by a search but shown in no leaflet."""
MOST_ITEM_WORDS = 25
"""A list with a longer item is cut into sentences of its own."""

_END = re.compile(r"(?<=[.!?])[\"”’')\]]*\s+(?=[\"“‘'(\[]?[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:[A-Z]|Dr|Drs|Mr|Mrs|Ms|St|vs|e\.g|i\.e|etc|approx|No|Fig|U\.S|Dept|spp|ca|cf)\.|\b[A-Z]\.[A-Z]\.)"
                           r"[\"”’')\]]*$")
_ITEM = re.compile(r"(?:^|\s{2,}|(?<=:)\s)-\s+")
_GAP = re.compile(r"\s{3,}")
_HEADING = re.compile(r"^(What|How|Who|Is|Are|Can|Could|Do|Does|Which|Where|When|Why|Will|Should)\b[^.!?]*\?")
_PHENOTYPES = re.compile(r"^.*Signs and Symptoms Approximate number of patients \(when available\)\s*", re.DOTALL)
_PHENOTYPE = re.compile(r"(?<=%)\s+(?=[A-Z])|\s+-\s+(?=[A-Z])")


def cut_passages(answers: pl.DataFrame, *, words: int) -> pl.DataFrame:
    """Cut every answer into passages.

    Parameters
    ----------
    answers : polars.DataFrame
        As ``carefolio.datasets.medquad.load_medquad`` gives it.
    words : int
        Words a passage should have; it ends with the first sentence that goes past them, or before one that goes past 1.2 times as many.

    Returns
    -------
    polars.DataFrame
        One row a passage: ``answer`` (row of ``answers``), ``document``, ``title``, ``text`` (one sentence or list a line, the items of
        a list behind ``- ``), ``url``, ``source``, ``focus``, ``question_type``. An answer that is only links has none.

    Raises
    ------
    SchemaError
        If nothing is left.
    """
    import polars as pl

    rows = []
    for number, row in enumerate(answers.iter_rows(named=True)):
        focus = row["focus"] or row["document"].rpartition("/")[2].removesuffix(".xml")
        title = f"{focus}: {row['question_type']}"
        rows += [(number, row["document"], title, text, row["url"] or "", row["source"], focus, row["question_type"])
                 for text in group(sentences(row["answer"]), words=words)]
    if not rows:
        raise SchemaError("medquad: no answer holds a sentence; expected prose in the column `answer`. Fetch the archive again.")
    return pl.DataFrame(rows, schema=dict.fromkeys(COLUMNS, pl.String()) | {"answer": pl.Int64()}, orient="row")


def group(units: list[str], *, words: int) -> list[str]:
    """Put sentences together until a passage has enough words.

    Parameters
    ----------
    units : list of str
        Sentences and lists in order.
    words : int
        Words a passage should have.

    Returns
    -------
    list of str
        Passages, one sentence or list a line.
    """
    passages: list[str] = []
    held: list[str] = []
    count = 0
    for unit in units:
        size = len(unit.split())
        if held and (count >= words or count + size > 1.2 * words):
            passages.append("\n".join(held))
            held, count = [], 0
        held.append(unit)
        count += size
    return passages + ["\n".join(held)] * bool(held)


def sentences(answer: str) -> list[str]:
    """Cut an answer into sentences and lists, headings and boilerplate left out, none twice.

    Parameters
    ----------
    answer : str
        Text as MedQuAD has it: paragraphs by line break, items of a list behind two blanks and a dash.

    Returns
    -------
    list of str
        Sentences; a list is one entry, its introduction and then its items behind ``\\n- ``.
    """
    found: dict[str, None] = {}
    for block in _blocks(answer):
        for unit in block:
            found.setdefault(unit)
    return list(found)


def _blocks(answer: str) -> Iterator[list[str]]:
    phenotypes = "Signs and Symptoms Approximate number of patients" in answer
    if phenotypes:
        table = _PHENOTYPES.sub("", answer).partition("The Human Phenotype Ontology")[0]
        yield _list(PHENOTYPES, [item.strip() for item in _PHENOTYPE.split(table) if item.strip()])
        answer = _PHENOTYPES.sub("", answer).partition("The Human Phenotype Ontology")[2]
    lines = [line.strip() for line in answer.splitlines() if line.strip()]
    after_key_points = False
    for place, line in enumerate(lines):
        if after_key_points and line.startswith("- "):
            continue
        after_key_points = line.rstrip(":") in ("Key Points", "Key Point")
        last = place + 1 == len(lines) or not lines[place + 1].startswith("- ")
        yield _units(line, opens_list=not last)


def _units(line: str, *, opens_list: bool) -> list[str]:
    """Cut one line: prose, then perhaps a list."""
    line = _HEADING.sub("", line).strip()
    prose, *items = _ITEM.split(line) if line else [""]
    last, *after = _GAP.split(items.pop().strip()) if items else ("",)
    items += [last] * bool(last)
    parts = [part for piece in _GAP.split(prose) for part in split_sentences(piece)]
    intro = parts.pop() if items and parts and not parts[-1].endswith(".") else ""
    kept = [part for part in parts if _is_sentence(part) or (opens_list and part.endswith(":"))]
    rest = [part for piece in after for part in split_sentences(piece) if _is_sentence(part)]
    return [*filter(_is_wanted, kept), *_list(intro, [" ".join(item.split()) for item in items]), *filter(_is_wanted, rest)]


def _list(intro: str, items: list[str]) -> list[str]:
    """Keep a short list as one unit, and cut one with long items into their sentences."""
    items = [item for item in items if item and _is_wanted(item)]
    if not items or (intro and not _is_wanted(intro)):
        return []
    if all(len(item.split()) <= MOST_ITEM_WORDS for item in items):
        size = 12
        head = (intro.rstrip(" :") + ":") if intro else ""
        chunks = [items[start:start + size] for start in range(0, len(items), size)]
        if head:
            return [head + "".join(f"\n- {item}" for item in chunk) for chunk in chunks]
    return [part for item in items for part in split_sentences(item) if _is_sentence(part) and _is_wanted(part)]


def split_sentences(text: str) -> list[str]:
    """Cut prose into sentences.

    Parameters
    ----------
    text : str
        One paragraph.

    Returns
    -------
    list of str
        Sentences; a stop behind an initial or a common abbreviation does not end one.
    """
    pieces = _END.split(" ".join(text.split()))
    found: list[str] = []
    for piece in pieces:
        if found and _ABBREVIATION.search(found[-1]):
            found[-1] = f"{found[-1]} {piece}"
        elif piece:
            found.append(piece)
    return found


def _is_sentence(text: str) -> bool:
    """Tell a sentence from a heading."""
    return text.rstrip("\"”’')]").endswith((".", "!")) and len(text.split()) > 2


def _is_wanted(text: str) -> bool:
    return not _boilerplate().search(text) and not text.endswith("?")


@functools.cache
def _boilerplate() -> re.Pattern[str]:
    patterns = tomllib.loads(files(PACKAGE).joinpath("boilerplate.toml").read_text(encoding="utf-8"))["patterns"]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)
