"""What the API takes and gives. Nothing of a text is repeated in an error."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from carefolio.command import DISCLAIMER
from text_classifier.predictor import Classified, Predictor, WordWeight

MOST_TEXTS = 64
LONGEST_TEXT = 20_000
MOST_WORDS = 50
DIALOGUE = ("Doctor: Are you allergic to any medicines? Patient: Yes, penicillin gives me a rash. Doctor: Anything else? "
            "Patient: Latex, I think.")
"""A made-up conversation, for examples."""
MEDICINES = "Doctor: What do you take at home? Patient: Metformin twice a day and lisinopril in the morning."
"""Another."""

_CONTROL = r"\x00-\x08\x0b\x0c\x0e-\x1f\x7f"
_CONTROL_CHARACTER = re.compile(f"[{_CONTROL}]")
_LETTER = re.compile("[A-Za-z]")
TEXT_PATTERN = f"^[^{_CONTROL}]*[A-Za-z][^{_CONTROL}]*$"
TaskName = Literal["headers", "decisions", "specialties"]
"""As in `text_classifier.config.PARTS`."""


def check_text(text: str) -> str:
    """Refuse what is not a text to read.

    Parameters
    ----------
    text : str
        What was sent.

    Returns
    -------
    str
        The same text.

    Raises
    ------
    ValueError
        If it holds no letter or a control character; the message quotes nothing of it.
    """
    control = _CONTROL_CHARACTER.search(text)
    if control:
        raise ValueError(f"plain text; there is the control character {ord(control.group()):#04x} at character {control.start()}, as in a "
                         "binary file")
    if not _LETTER.search(text):
        raise ValueError("a text with at least one letter; paste the text itself")
    return text


Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, strict=True, json_schema_extra={"pattern": TEXT_PATTERN}),
                 AfterValidator(check_text)]


def _one_of_two(schema: dict[str, Any]) -> None:
    """Say in the OpenAPI document what `ClassifyRequest.check_together` checks."""
    for name in ("text", "texts"):
        schema["properties"][name].pop("default", None)
    schema["oneOf"] = [{"required": ["text"], "not": {"required": ["texts"]}},
                       {"required": ["texts"], "not": {"required": ["text"]}, "properties": {"explain": {"const": False}}}]


class ClassifyRequest(BaseModel):
    """One text, or several."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_one_of_two)

    text: Text = Field(default="", description=f"A text in English, at most {LONGEST_TEXT:,} characters")
    texts: list[Text] = Field(default=[], min_length=1, max_length=MOST_TEXTS, description=f"Up to {MOST_TEXTS} texts, in place of `text`")
    task: TaskName | None = Field(default=None, description="One of those that GET /tasks lists; default the first of them")
    explain: bool = Field(default=False, strict=True, description="Also give the words that matter; for one `text` only")

    @model_validator(mode="after")
    def check_together(self) -> Self:
        """Check what only makes sense together.

        Returns
        -------
        ClassifyRequest
            The same request.

        Raises
        ------
        ValueError
            If there is not exactly one of text and texts, or an explanation of several is wanted.
        """
        given = self.model_fields_set & {"text", "texts"}
        if len(given) != 1:
            raise ValueError(f"an object with `text` or `texts`, one of them; got {'both' if given else 'neither'}")
        if self.explain and "texts" in given:
            raise ValueError("an object with `text` where `explain` is true; ask for the words of one text at a time")
        return self

    def all_texts(self) -> list[str]:
        """Give the texts, one or several.

        Returns
        -------
        list of str
            In the order of the request.
        """
        return self.texts if "texts" in self.model_fields_set else [self.text]


class Word(BaseModel):
    """What one word does to the label."""

    word: str
    start: int = Field(description="First character in the text that was sent")
    end: int = Field(description="Character behind the last")
    weight: float = Field(description="Probability of the label with the word minus without it; negative speaks against the label")


class Answer(BaseModel):
    """The label of one text."""

    label: str
    probability: float = Field(ge=0, le=1, description="Of the label")
    probabilities: dict[str, float] = Field(description="Of every label; they sum to 1")
    truncated: bool = Field(description="The end of the text was not read: it has more tokens than the model takes")
    abstained: bool = Field(description="Too uncertain to be used without a person: the probability is below the model's `threshold`")
    words: list[Word] | None = Field(default=None, description=f"Up to {MOST_WORDS} words, strongest first, where `explain` was true")


class ServedModel(BaseModel):
    """Which model answers for a task."""

    task: TaskName
    system: str | None = Field(description="How it was trained")
    base: str | None = Field(description="What it was tuned from")
    version: str = Field(description="Version of the software")
    sha256: str = Field(description="SHA-256 of the network")
    labels: list[str]
    max_tokens: int = Field(description="Tokens of a text that are read")
    threshold: float | None = Field(description="Probability from which 95 % of the answers were right on the validation part; null if "
                                                "there is none, then all answers abstain")


class ClassifyResponse(BaseModel):
    """Labels, in the order of the texts."""

    answers: list[Answer]
    model: ServedModel
    disclaimer: str = DISCLAIMER


class TasksResponse(BaseModel):
    """What can be asked."""

    tasks: list[ServedModel] = Field(description="The first is the default")
    disclaimer: str = DISCLAIMER


EXAMPLES: dict[str, dict[str, Any]] = {"/classify": {
    "one text and its words": {"text": DIALOGUE, "explain": True},
    "two texts": {"texts": [DIALOGUE, MEDICINES]},
}}


def describe_answer(answer: Classified, predictor: Predictor, words: list[WordWeight] | None = None) -> Answer:
    """Put an answer in the form of the API.

    Parameters
    ----------
    answer : Classified
        As the predictor gives it.
    predictor : Predictor
        It knows from which probability an answer counts.
    words : list of WordWeight, optional
        The words that matter.

    Returns
    -------
    Answer
        With nothing of the text but those words.
    """
    return Answer(label=answer.label, probability=answer.probability, probabilities=answer.probabilities, truncated=answer.truncated,
                  abstained=predictor.abstains(answer), words=None if words is None else [Word(**vars(word)) for word in words])


def describe_model(predictor: Predictor, *, version: str) -> ServedModel:
    """Say which model answers.

    Parameters
    ----------
    predictor : Predictor
        An opened model.
    version : str
        Version of the software.

    Returns
    -------
    ServedModel
        From its record.
    """
    record = predictor.record
    base = record.get("base")
    return ServedModel(task=record["task"], system=record.get("system"), base=base.get("name") if isinstance(base, dict) else base,
                       version=version, sha256=predictor.sha256, labels=list(predictor.labels), max_tokens=record["max_tokens"],
                       threshold=predictor.threshold)
