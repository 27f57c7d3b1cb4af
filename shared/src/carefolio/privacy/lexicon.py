"""Given names, surnames and ordinary words, to tell a name from a word where nothing beside it does.

``words.txt.gz`` has five lists. The names are those of the 1990 census of the United States (all given names, the 40,000 most frequent
surnames; public domain, as the package ``names`` 0.3.0 ships them). The ordinary words are those of Webster's second edition (public
domain) that English subtitles use at least 200 times (``pyspellchecker`` 0.9.1, MIT), and those that MedQuAD's answers have in lower
case. A name that such answers also have in lower case counts as an ordinary word. No name comes from a data set that the firewall is
measured on. ``docs/make_word_lists.py`` builds the file.
"""

import functools
import gzip
import re
from importlib.resources import files

_ENDINGS = re.compile(r"(?:\w{3,}(?:[^e]sson|[dgklnst]sen|[aeiouy]nen|ovi(?:ch|c)|evi(?:ch|c)|ov|ova|[^p]ev|eva|evna|ovna|sk[iy]|ska|wicz|"
                      r"czyk|enko|escu|eanu|"
                      r"oglu|opoulos|akis|idis|ashvili|d[oó]ttir|gaard|g[aå]rd|quist|strand|mann|stein|inho|ueira|eira|[ií]nez))")
"""Endings of surnames in other languages that no English word has."""
_NOT_LATIN = re.compile(r"[^\W\d_A-Za-zµα-ωΑ-Ω\u00c0-\u024f\u1e00-\u1eff]{2,}|[Α-Ωα-ωά-ώΆ-Ώ]{3,}")
_MARKED = re.compile(r"[\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff]")


@functools.cache
def words() -> dict[str, frozenset[str]]:
    """Read the lists once a process.

    Returns
    -------
    dict of str to frozenset of str
        ``given`` (names that are no words), ``given_or_word``, ``surname``, ``surname_or_word`` and ``word``, in lower case.
    """
    text = gzip.decompress(files("carefolio.privacy").joinpath("words.txt.gz").read_bytes()).decode("utf-8")
    sections = (section.split() for section in text.split("#") if section.strip())
    return {name: frozenset(rest) for name, *rest in sections}


def is_word(word: str) -> bool:
    """Say whether a word is an ordinary one.

    Parameters
    ----------
    word : str
        One word in any case; of a compound every part must be one.

    Returns
    -------
    bool
        True for ``"began"`` and ``"grace"``, False for ``"martha"``.
    """
    return all(len(part) < 3 or part in words()["word"] for part in re.split(r"['’-]", word.lower()))


def is_given(word: str, *, certain: bool = False) -> bool:
    """Say whether a word is a given name.

    Parameters
    ----------
    word : str
        One word in any case.
    certain : bool, default False
        Whether it must be nothing else: then ``"grace"`` and ``"mark"`` are not.

    Returns
    -------
    bool
        True for ``"Martha"``.
    """
    form = word.lower()
    return form in words()["given"] or (not certain and form in words()["given_or_word"])


def is_surname(word: str) -> bool:
    """Say whether a word is a frequent surname and no ordinary word.

    Parameters
    ----------
    word : str
        One word in any case.

    Returns
    -------
    bool
        True for ``"Hernandez"``, False for ``"Brown"``.
    """
    return any(part in words()["surname"] for part in word.lower().replace("’", "'").split("-") if len(part) > 2)


def is_foreign(word: str) -> bool:
    """Say whether a word has letters or an ending that names of other languages have and English words have not.

    Parameters
    ----------
    word : str
        One word.

    Returns
    -------
    bool
        True for ``"Müller"`` and ``"Petrenko"``.
    """
    if _NOT_LATIN.search(word):
        return True
    return word[:1].isupper() and (bool(_MARKED.search(word)) or bool(_ENDINGS.fullmatch(word.lower())))


def is_only_word(word: str) -> bool:
    """Say whether a word is an ordinary one and no name.

    Parameters
    ----------
    word : str
        One word in any case.

    Returns
    -------
    bool
        True for ``"varicose"``, False for ``"Brown"`` and ``"Grace"``.
    """
    return is_word(word) and not is_given(word) and word.lower() not in words()["surname_or_word"]
