"""Build the firewall's word lists, ``shared/src/carefolio/privacy/words.txt.gz``, from three packages and MedQuAD's answers.

Run, in an environment of its own and with MedQuAD in ``CAREFOLIO_DATA_DIR``::

    pip install -e "shared[text]" names==0.3.0 english-words==2.0.2 pyspellchecker==0.9.1
    python docs/make_word_lists.py

The sources and their licences stand in ``carefolio.privacy.lexicon``. The same sources give the same bytes.
"""

import gzip
import importlib.resources
import json
import re
from collections import Counter
from pathlib import Path

import click

from carefolio.datasets.medquad import load_medquad

FEWEST_USES = 200
"""Times that subtitles must use a word."""
SURNAMES, SURNAMES_AS_WORDS = 40_000, 350
"""Most frequent surnames that are kept, and those among them that are kept although they are words."""
COMMON_GIVEN, NAME, SURNAME = 0.1, 0.01, 0.003
"""Percent of the people of the census who bear a name: for certain a given name, a given name, a surname."""
_ALSO_WORDS = (
    "mark will grace rose joy dawn june april may august jack bill frank gene guy hope faith ray dean grant miles chase lane dale drew sue "
    "rob pat jean rich art penny ruby amber ginger angel carol victor hazel holly robin hunter parker mason carter piper reed porter "
    "forrest heath glen sherry brandy sage jasmine clay cliff cole curt josh chuck earl duke buddy basil bee sandy lance ward wade bud "
    "rusty tony don summer autumn iris ivy pearl opal violet olive daisy lily heather dolly dick john randy rod rocky skip sky star king "
    "prince major norm mel barb cherry candy crystal charity christian trinity destiny faye")
GIVEN_THAT_ARE_WORDS = frozenset(_ALSO_WORDS.split())
_ENDINGS = (("s", ""), ("es", ""), ("ies", "y"), ("ed", ""), ("ed", "e"), ("ing", ""), ("ing", "e"), ("ly", ""), ("er", ""), ("er", "e"),
            ("est", ""), ("ers", ""), ("ier", "y"), ("iest", "y"), ("ily", "y"), ("ness", ""))


def read_names() -> tuple[dict[str, float], dict[str, float]]:
    """Read given names and surnames of the census with the percentage of people who bear them."""
    folder = importlib.resources.files("names")
    given: dict[str, float] = {}
    for part in ("male", "female"):
        for name, percent in _rows(folder.joinpath(f"dist.{part}.first").read_text()):
            given[name] = max(given.get(name, 0), percent)
    return given, dict(_rows(folder.joinpath("dist.all.last").read_text()))


def _rows(text: str) -> list[tuple[str, float]]:
    return [(fields[0].lower(), float(fields[1])) for fields in map(str.split, text.splitlines()) if fields]


def read_english() -> dict[str, int]:
    """Read the words of the dictionary, inflected ones included, with their uses in subtitles."""
    from english_words import get_english_words_set

    dictionary = {word for word in get_english_words_set(["web2"]) if word[:1].islower() and word.isalpha()}
    uses = json.loads(gzip.decompress(importlib.resources.files("spellchecker").joinpath("resources/en.json.gz").read_bytes()))
    return {word: count for word, count in uses.items()
            if word.isalpha() and word.isascii() and len(word) > 2 and _stems(word) & dictionary}


def _stems(word: str) -> set[str]:
    stems = {word} | {word[:-len(ending)] + other for ending, other in _ENDINGS if word.endswith(ending) and len(word) - len(ending) >= 2}
    for ending in ("ed", "ing", "er", "est"):
        stem = word[:-len(ending)]
        if word.endswith(ending) and len(stem) > 3 and stem[-1] == stem[-2]:
            stems.add(stem[:-1])
    return stems


def count_in_answers() -> tuple[Counter[str], Counter[str]]:
    """Count the words inside MedQuAD's sentences, in lower case and with a capital."""
    lower, capital = Counter[str](), Counter[str]()
    for text in load_medquad().frame["answer"].to_list():
        for word in re.findall(r"(?<=[a-z,] )([A-Za-z]{2,})\b", text or ""):
            (lower if word.islower() else capital)[word.lower()] += 1
    return lower, capital


def build() -> dict[str, set[str]]:
    """Sort every word into the lists."""
    given, surnames = read_names()
    english = read_english()
    lower, capital = count_in_answers()

    def _is_name(word: str) -> bool:
        return given.get(word, 0) >= NAME or surnames.get(word, 0) >= SURNAME

    words = {word for word, count in english.items()
             if count >= FEWEST_USES and not (_is_name(word) and lower[word] <= max(1, capital[word]))}
    words |= {word for word, count in lower.items() if count >= 2 and count > capital[word] and len(word) > 2}
    names = {word for word in given if len(word) > 2}
    certain = {word for word in names if word not in words and (word not in english or given[word] >= COMMON_GIVEN)
               and word not in GIVEN_THAT_ARE_WORDS and lower[word] <= 1}
    frequent = sorted((word for word in surnames if len(word) > 2), key=lambda word: -surnames[word])
    return {"given": certain, "given_or_word": names - certain, "surname": set(frequent[:SURNAMES]) - words - names,
            "surname_or_word": set([word for word in frequent if word in words][:SURNAMES_AS_WORDS]) - names, "word": words}


@click.command()
@click.option("--check", is_flag=True, help="Compare with the file that is there, and write nothing.")
@click.option("--to", "target", type=click.Path(dir_okay=False, path_type=Path), show_default=True,
              default=Path("shared/src/carefolio/privacy/words.txt.gz"), help="File of the lists.")
def main(check: bool, target: Path) -> None:
    """Build the firewall's word lists, or compare them with the file that is there."""
    lists = build()
    text = "# ".join(["", *(f"{name}\n{' '.join(sorted(words))}\n" for name, words in lists.items())])
    click.echo({name: len(words) for name, words in lists.items()})
    if check:
        same = gzip.decompress(target.read_bytes()).decode() == text
        raise SystemExit(0 if same else f"{target} differs from what these sources give; run without --check and look at the change.")
    target.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
