"""A text with the words that mattered: a tint by weight, a line of its own kind by direction, and the weight in figures."""

from collections.abc import Sequence
from html import escape

from text_classifier.predictor import Classified, WordWeight

FOR, AGAINST = "0, 114, 178", "213, 94, 0"
FAINTEST, STRONGEST = 0.08, 0.42
"""Opacity of a tint under dark ink."""
SMALLEST = 0.005
"""A weight that is written as 0.00 is not marked."""


def marked_html(text: str, words: Sequence[WordWeight], *, read: int | None = None) -> str:
    """Mark words in a text.

    Parameters
    ----------
    text : str
        The text that was classified.
    words : sequence of WordWeight
        Places in it, in any order.
    read : int, optional
        Number of characters that the model has read; the rest is struck out. Default all.

    Returns
    -------
    str
        HTML in which nothing of the text is markup.
    """
    kept = sorted((word for word in words if abs(word.weight) >= SMALLEST), key=lambda word: word.start)
    most = max((abs(word.weight) for word in kept), default=1.0)
    pieces, end = [], 0
    for word in kept:
        if word.start < end:
            continue
        pieces += [_plain(text[end:word.start]), _mark(text[word.start:word.end], word.weight, most)]
        end = word.end
    stop = len(text) if read is None else max(read, end)
    pieces += [_plain(text[end:stop]), f'<span class="tc-unread" title="not read">{_plain(text[stop:])}</span>' if text[stop:] else ""]
    return f'<div class="tc-text" tabindex="0" aria-label="Text with the words that mattered">{"".join(pieces)}</div>'


def legend_html() -> str:
    """Explain the marks.

    Returns
    -------
    str
        HTML.
    """
    rows = (("tc-for", FOR, "+0.20", "speaks for the answer (solid line)"),
            ("tc-against", AGAINST, "−0.20", "speaks against it (dashed line)"))
    marks = [f'<span><mark class="{name}" style="background: rgba({colour}, 0.25)">word</mark><sup>{weight}</sup> {said}</span>'
             for name, colour, weight, said in rows]
    return f'<div class="tc-legend">{"".join(marks)}</div>'


def answer_html(answer: Classified, label: str, *, abstains: bool, reason: str = "Too unsure to answer by itself") -> str:
    """Write the answer on top.

    Parameters
    ----------
    answer : Classified
        Label and probability.
    label : str
        The label in words.
    abstains : bool
        Whether the answer must not stand alone.
    reason : str, default "Too unsure to answer by itself"
        Why it must not.

    Returns
    -------
    str
        HTML.
    """
    head = f"{reason}; its best guess is" if abstains else "Answer"
    return (f'<div class="tc-answer{" tc-unsure" if abstains else ""}"><small>{escape(head)}</small><b>{escape(label)}</b>'
            f"<small>probability {100 * answer.probability:.1f}\u00a0%</small></div>")


def signed(weight: float) -> str:
    """Write a weight with its sign.

    Parameters
    ----------
    weight : float
        A difference of probabilities.

    Returns
    -------
    str
        For example ``"+0.12"``; a minus sign, not a hyphen.
    """
    return f"{weight:+.2f}".replace("-", "−")


def _mark(word: str, weight: float, most: float) -> str:
    towards = weight > 0
    opacity = FAINTEST + (STRONGEST - FAINTEST) * abs(weight) / most
    said = f"speaks {'for' if towards else 'against'} the answer: {signed(weight)} of its probability"
    return (f'<mark class="{"tc-for" if towards else "tc-against"}" style="background: rgba({FOR if towards else AGAINST}, {opacity:.2f})" '
            f'title="{escape(said)}">{_plain(word)}</mark><sup>{signed(weight)}</sup>')


def _plain(text: str) -> str:
    return escape(text).replace("\r", "").replace("\n", "&#10;")
