"""What `textclass classify` prints."""

import json
from typing import TYPE_CHECKING

from carefolio.exceptions import UnsuitableTextError

if TYPE_CHECKING:
    from text_classifier.predictor import Predictor

MOST_LABELS, MOST_WORDS, BAR = 5, 8, 30


def read_text(content: bytes) -> str:
    """Read what was given as a text, under the rules of the API.

    Parameters
    ----------
    content : bytes
        Of a file.

    Returns
    -------
    str
        The text.

    Raises
    ------
    UnsuitableTextError
        If it is empty, too long, not UTF-8, or holds no letter; nothing of it is quoted.
    """
    from text_classifier.schemas import LONGEST_TEXT, check_text

    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnsuitableTextError(f"the file must hold UTF-8 text; byte {error.start} is not. Save it as UTF-8.") from None
    if len(text) > LONGEST_TEXT:
        raise UnsuitableTextError(f"the text must have at most {LONGEST_TEXT:,} characters; got {len(text):,}. Give one "
                                  "conversation or note.")
    try:
        return check_text(text)
    except ValueError as error:
        raise UnsuitableTextError(f"the file must hold {error}.") from None


def write_answer(predictor: "Predictor", text: str, *, as_json: bool) -> str:
    """Write a label with its rivals and the words that mattered.

    Parameters
    ----------
    predictor : Predictor
        The exported model.
    text : str
        A text.
    as_json : bool
        Give JSON instead of a page.

    Returns
    -------
    str
        What to print.
    """
    answer = predictor.classify([text])[0]
    words = predictor.words_that_matter(text, most=MOST_WORDS)
    ranked = sorted(answer.probabilities.items(), key=lambda item: -item[1])
    if as_json:
        return json.dumps({"label": answer.label, "probability": answer.probability, "probabilities": dict(ranked),
                           "truncated": answer.truncated, "words": [{"word": one.word, "weight": one.weight} for one in words]}, indent=2)
    lines = [f"{label:<32} {probability:6.1%}  {'█' * round(BAR * probability)}" for label, probability in ranked[:MOST_LABELS]]
    if answer.truncated:
        lines.append("The text was longer than the model reads; its end was left out.")
    said = ", ".join(f"{one.word} ({one.weight:+.2f})" for one in words)
    return "\n".join([*lines, f"words that mattered: {said or 'none'}", "For research and education. Not a medical device."])
