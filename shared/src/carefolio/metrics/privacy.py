"""How well identifiers were taken out of texts: recall and precision by identifier, over-redaction by text.

The unit of recall is an identifier as the data set labels it, that of precision a redacted span, that of over-redaction a text without
identifiers. Resample whole texts for intervals: the identifiers of one text are found or missed together.
"""

import re
from collections.abc import Collection, Sequence

import numpy as np
import numpy.typing as npt

from carefolio.metrics._validation import as_outcome, as_weight

Bounds = tuple[int, int]
TITLES = frozenset({"dr", "doctor", "mr", "mrs", "ms", "miss", "prof", "professor", "nurse"})
FIELD_LABELS = frozenset({"id", "mrn", "no", "number", "patient", "site", "zip", "code"})
CONNECTIVES = frozenset({"in", "of", "at", "and", "the", "on"})
IGNORED_WORDS = TITLES | FIELD_LABELS | CONNECTIVES
"""Words inside a labelled identifier that identify nobody and may stay: "Dr." before a name, "Site ID:" before a number."""
_WORD = re.compile(r"[^\W_]+")


def covered_identifiers(
    text: str, identifiers: Sequence[Bounds], redacted: Sequence[Bounds], *, whole: bool = True,
    ignored_words: Collection[str] = IGNORED_WORDS,
) -> npt.NDArray[np.bool_]:
    """Say of each identifier whether it was taken out.

    Parameters
    ----------
    text : str
        The original text.
    identifiers : sequence of (int, int), length n
        Start and end of each labelled identifier.
    redacted : sequence of (int, int)
        Start and end of each redacted span.
    whole : bool, default True
        Whether every letter and digit must be redacted; otherwise one is enough.
    ignored_words : collection of str
        Words in lower case that may stay, unless the identifier has no other.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where it was taken out.

    Raises
    ------
    ValueError
        If a span does not lie in the text.
    """
    hidden = _mask(text, redacted, "redacted")
    _mask(text, identifiers, "identifiers")
    covered = []
    for start, end in identifiers:
        words = list(_WORD.finditer(text, start, end))
        naming = [match for match in words if match.group().lower() not in ignored_words] or words
        shown = [hidden[match.start():match.end()] for match in naming]
        covered.append(all(part.all() for part in shown) if whole else any(part.any() for part in shown))
    return np.array(covered, dtype=bool)


def justified_redactions(identifiers: Sequence[Bounds], redacted: Sequence[Bounds]) -> npt.NDArray[np.bool_]:
    """Say of each redacted span whether it meets a labelled identifier.

    Parameters
    ----------
    identifiers : sequence of (int, int)
        Start and end of each labelled identifier.
    redacted : sequence of (int, int), length n
        Start and end of each redacted span.

    Returns
    -------
    ndarray of bool, shape (n,)
        True where they have a character in common.
    """
    flags = [any(start < other_end and other_start < end for other_start, other_end in identifiers) for start, end in redacted]
    return np.array(flags, dtype=bool)


def phi_recall(covered: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Share of identifiers that were taken out; higher is better.

    Parameters
    ----------
    covered : array-like of bool, shape (n,)
        As from `covered_identifiers`, of all texts together.
    sample_weight : array-like, shape (n,), optional
        Non-negative weights.

    Returns
    -------
    float
        From 0 to 1; one less this is the share that leaks.

    Raises
    ------
    ValueError
        If an array is malformed or empty.
    """
    return _share(covered, sample_weight)


def phi_precision(justified: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Share of redacted spans that meet an identifier; higher is better.

    Parameters
    ----------
    justified : array-like of bool, shape (n,)
        As from `justified_redactions`, of all texts together.
    sample_weight : array-like, shape (n,), optional
        Non-negative weights.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If an array is malformed or empty.
    """
    return _share(justified, sample_weight)


def over_redaction(redactions: npt.ArrayLike, *, sample_weight: npt.ArrayLike | None = None) -> float:
    """Share of texts without identifiers in which anything at all was redacted; lower is better.

    This is one less the specificity by text, as the authors of ASQ-PHI report it for their hard negatives.

    Parameters
    ----------
    redactions : array-like of int, shape (n,)
        Number of redacted spans in each text that holds no identifier.
    sample_weight : array-like, shape (n,), optional
        Non-negative weights.

    Returns
    -------
    float
        From 0 to 1.

    Raises
    ------
    ValueError
        If an array is malformed or empty.

    References
    ----------
    Weatherhead J, Golovko G, McCaffrey P. ASQ-PHI. Data in Brief 2026;65:112586.
    """
    return _share(np.asarray(redactions) > 0, sample_weight)


def _share(flags: npt.ArrayLike, sample_weight: npt.ArrayLike | None) -> float:
    values = as_outcome(flags)
    return float(np.average(values, weights=as_weight(sample_weight, values.size)))


def _mask(text: str, spans: Sequence[Bounds], name: str) -> npt.NDArray[np.bool_]:
    mask = np.zeros(len(text), dtype=bool)
    for start, end in spans:
        if not 0 <= start < end <= len(text):
            raise ValueError(f"{name} must hold spans inside the text of {len(text)} characters; got ({start}, {end}). Pass (start, end).")
        mask[start:end] = True
    return mask
