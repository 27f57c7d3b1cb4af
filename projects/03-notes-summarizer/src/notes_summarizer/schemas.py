"""What the API takes and gives."""

from pydantic import BaseModel, ConfigDict, Field

from carefolio.command import DISCLAIMER
from carefolio.privacy.firewall import Entity
from notes_summarizer.leaflet.write import Leaflet
from notes_summarizer.providers.answer import Answer
from notes_summarizer.providers.settings import ProviderName
from notes_summarizer.summary.schema import Summary
from notes_summarizer.summary.summarize import SummaryResult

NOTE = """CHIEF COMPLAINT: Chest tightness.
Mr. Alan Whitcombe (MRN 00-48213), 67 years old, has had chest tightness for 2 days. He denies fever.
Past history: hypertension, type 2 diabetes. Allergic to penicillin.
Medications: metformin 500 mg twice daily, lisinopril 10 mg daily.
Troponin 0.02 ng/mL. ECG without ST changes.
PLAN: Start aspirin 81 mg daily. Stress test this week. Follow up with Dr. Ines Falkner in 2 weeks."""
"""A made-up note, for examples."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NoteRequest(_Strict):
    """A note to be summarised."""

    note: str = Field(description="The note, in English, at most 200 kB in UTF-8")
    provider: ProviderName | None = Field(default=None, description="One of those that the server has opened; default all, in order")


class QuestionRequest(_Strict):
    """A question for a leaflet."""

    question: str = Field(description="For example: What are the symptoms of high blood pressure?")
    provider: ProviderName | None = Field(default=None, description="Who may reword the passages; default none, rules make them plainer")


class TextRequest(_Strict):
    """A text to be de-identified."""

    text: str = Field(description="A note, a dialogue or a question, in English, at most 200 kB in UTF-8")


class Identifier(BaseModel):
    """An identifier that was taken out; the identifier itself is not repeated."""

    identifier_type: str = Field(description="A label such as PERSON")
    start: int = Field(description="First character in the text that was sent")
    end: int = Field(description="Character behind the last")
    surrogate: str = Field(description="What stands in its place")
    score: float = Field(description="Trust in it, from 0 to 1")


class Work(BaseModel):
    """Who wrote a text, and what it took."""

    provider: str
    model: str
    prompt: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None = Field(description="By the configured price; null if none is configured")
    seconds: float
    failed_attempts: list[str] = Field(description="Tries before, with the reason of each")


class SummaryResponse(BaseModel):
    """A checked summary."""

    summary: Summary
    identifiers: list[Identifier]
    work: list[Work]
    prompt_sha256: str
    seconds: float
    disclaimer: str = DISCLAIMER


class LeafletResponse(BaseModel):
    """A leaflet or a refusal, with what it cites."""

    leaflet: Leaflet
    disclaimer: str = DISCLAIMER


class DeidentifiedText(BaseModel):
    """A text without the identifiers that were found."""

    text: str
    identifiers: list[Identifier]


EXAMPLES = {
    "/summarize": {"note": {"note": NOTE}},
    "/leaflet": {"question": {"question": "What are the symptoms of high blood pressure?"}},
    "/deidentify": {"note": {"text": NOTE}},
}


def describe_entities(entities: tuple[Entity, ...]) -> list[Identifier]:
    """Say what was taken out.

    Parameters
    ----------
    entities : tuple of Entity
        As the firewall gives them.

    Returns
    -------
    list of Identifier
        In the order of the text.
    """
    return [Identifier(**vars(entity)) for entity in entities]


def describe_work(answer: Answer) -> Work:
    """Say who wrote a text and what it took.

    Parameters
    ----------
    answer : Answer
        As a provider gave it.

    Returns
    -------
    Work
        Without the text.
    """
    return Work(provider=answer.provider, model=answer.model, prompt=answer.prompt, input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens, cost_usd=answer.cost_usd, seconds=answer.seconds,
                failed_attempts=[f"{attempt.provider}: {attempt.problem}" for attempt in answer.attempts])


def describe_summary(result: SummaryResult) -> SummaryResponse:
    """Put a summary in the form of the API.

    Parameters
    ----------
    result : SummaryResult
        A summary and how it came about.

    Returns
    -------
    SummaryResponse
        With originals put back.
    """
    return SummaryResponse(summary=result.summary, identifiers=describe_entities(result.entities),
                           work=[describe_work(answer) for answer in result.answer], prompt_sha256=result.prompt_sha256,
                           seconds=result.seconds)
