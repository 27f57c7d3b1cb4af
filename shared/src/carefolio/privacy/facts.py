"""What is never an identifier, whatever it looks like: eponyms, drugs, tests, bodies that write guidelines, states and countries."""

import functools
import re
import tomllib
from importlib.resources import files

_POSSESSIVE = ("'s", "’s", "s'", "s’", "'", "’")

_LEVEL = re.compile(r"[ctls]\d{1,2}(?:-?[ctls]?\d{1,2})?")
SPECIALTY_ENDINGS = ("ology", "ologist", "iatrics", "iatry", "iatric", "therapy", "ectomy", "ostomy", "oscopy", "opathy", "itis", "emia",
                     "uria", "algia", "osis", "plasty", "graphy", "ation", "itian")
"""Endings of specialties, operations, tests and diseases."""


@functools.cache
def facts() -> dict[str, frozenset[str]]:
    """Read the lists in ``facts.toml`` and ``products.toml`` once a process.

    Returns
    -------
    dict of str to frozenset of str
        Words in lower case by list.
    """
    texts = (files("carefolio.privacy").joinpath(name).read_text(encoding="utf-8") for name in ("facts.toml", "products.toml"))
    return {name: frozenset(words.split()) for text in texts for name, words in tomllib.loads(text).items()}


def plain_form(word: str) -> str:
    """Give a word as the lists hold it.

    Parameters
    ----------
    word : str
        One word of a text.

    Returns
    -------
    str
        In lower case, without a possessive and without marks at its ends.
    """
    word = word.strip(".,;:!?()[]\"“”*").lower()
    ending = next((ending for ending in _POSSESSIVE if word.endswith(ending)), "")
    return word.removesuffix(ending)


def is_common(word: str) -> bool:
    """Say whether a word is an ordinary one of sentences and headings.

    Parameters
    ----------
    word : str
        One word.

    Returns
    -------
    bool
        True for ``"What"`` and ``"Plan"``.
    """
    return plain_form(word) in facts()["plain"]


def is_drug(word: str) -> bool:
    """Say whether a word ends like an international non-proprietary name.

    Parameters
    ----------
    word : str
        One word.

    Returns
    -------
    bool
        True for ``"Lisinopril"``; a word of fewer than seven letters never is one.
    """
    form = plain_form(word)
    return len(form) >= 7 and form.endswith(tuple(facts()["drug_stems"]))


def is_term(word: str, *, regions: bool = True) -> bool:
    """Say whether a word stands for a thing in medicine, an ordinary word or a region, and not for a place or person.

    Parameters
    ----------
    word : str
        One word.
    regions : bool, default True
        Whether states and countries count; some, such as Virginia, are given names too.

    Returns
    -------
    bool
        True for ``"NYHA"``, ``"Tylenol"``, ``"Cardiology"``, ``"Texas"``; False for an eponym, which may be a person's name as well.
    """
    form = plain_form(word)
    if (len(form) > 7 and form.endswith(SPECIALTY_ENDINGS)) or _LEVEL.fullmatch(form):
        return True
    lists = ("terms", "plain", "drugs", "regions") if regions else ("terms", "plain", "drugs")
    return not form or not any(map(str.isalpha, form)) or any(form in facts()[name] for name in lists) or is_drug(word)


def is_fact(phrase: str, following: str = "") -> bool:
    """Say whether a phrase that looks like a name is a fact of medicine or geography.

    Parameters
    ----------
    phrase : str
        What was taken for a person or place.
    following : str, default ""
        The text after it; a noun such as "disease" or "score" makes an eponym of any name.

    Returns
    -------
    bool
        True if each of its words is a fact, or such a noun follows or ends it.
    """
    words = [part for word in phrase.replace("/", " ").split() for part in ([word] if _known(word) else word.split("-")) if part]
    following = following.split("\n")[0]
    after = following.split(maxsplit=2)[:2]
    attached = following[:1].isspace() or phrase.endswith(_POSSESSIVE[:2]) or following[:2] in _POSSESSIVE or following[:1] == "-"
    if attached and any(plain_form(word) in facts()["heads"] for word in after if "," not in after[0] or word is after[0]):
        return True
    if len(words) > 1 and plain_form(words[-1]) in facts()["heads"]:
        return True
    return all(_known(word) for word in words)


def _known(word: str) -> bool:
    return is_term(word) or any(plain_form(word) in facts()[name] for name in ("eponyms", "devices", "anatomy", "heads"))
