"""What CDS Hooks 2.0 sends and gets. Requests may hold more than is read, as the specification has it; cards may hold nothing else."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator
from pydantic.alias_generators import to_camel

LONGEST_SUMMARY = 140
MOST_FEEDBACK = 50
LONGEST_COMMENT = 2000


def _not_of_dots(value: str) -> str:
    if not value.rpartition("/")[2].strip("."):
        raise ValueError("an id that is not of dots alone")
    return value


FhirId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9\-.]{1,64}$"), AfterValidator(_not_of_dots)]
"""A logical id of FHIR R4: nothing that could climb out of a path."""
UserId = Annotated[str, StringConstraints(pattern=r"^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-.]{1,64}$"),
                   AfterValidator(_not_of_dots)]
Url = Annotated[str, StringConstraints(pattern=r"^https?://[^\s]{1,500}$")]
Indicator = Literal["info", "warning", "critical"]
Hook = Literal["patient-view", "encounter-discharge", "order-select"]


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, alias_generator=to_camel, populate_by_name=True)


class _Made(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)


class Authorization(_Sent):
    """How the service may read the chart: a bearer token for the FHIR server."""

    access_token: Annotated[str, StringConstraints(min_length=1, max_length=8192)] = Field(repr=False)
    token_type: Literal["Bearer"]
    expires_in: int = Field(ge=0)
    scope: str
    subject: str


class Context(_Sent):
    """Whom and what the hook is about."""

    user_id: UserId
    patient_id: FhirId
    encounter_id: FhirId | None = None
    selections: list[str] = Field([], max_length=200)
    draft_orders: dict[str, Any] | None = None


class HookRequest(_Sent):
    """A call of a service."""

    hook_instance: UUID
    hook: str
    context: Context
    fhir_server: Url | None = None
    fhir_authorization: Authorization | None = None
    prefetch: dict[str, Any] = {}

    @field_validator("prefetch", mode="before")
    @classmethod
    def _null_is_none(cls, value: Any) -> Any:
        return {} if value is None else value


class Coding(_Made):
    """A code with its system and words."""

    code: str
    system: str | None = None
    display: str | None = None


class Source(_Made):
    """Who says it."""

    label: str
    url: str | None = None
    topic: Coding | None = None


class Action(_Made):
    """Something that the client does with a resource when a suggestion is taken."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: dict[str, Any]


class Suggestion(_Made):
    """A set of actions that belong together."""

    label: str
    uuid: str = Field(default_factory=lambda: str(uuid4()))
    is_recommended: bool = False
    actions: list[Action]


class Link(_Made):
    """A page, or a SMART app that is launched with the patient in context."""

    label: str
    url: str
    type: Literal["absolute", "smart"]
    app_context: str | None = None


class Card(_Made):
    """What a clinician sees."""

    uuid: str = Field(default_factory=lambda: str(uuid4()))
    summary: str = Field(min_length=1, max_length=LONGEST_SUMMARY)
    detail: str | None = None
    indicator: Indicator
    source: Source
    suggestions: list[Suggestion] = []
    selection_behavior: Literal["at-most-one", "any"] | None = None
    override_reasons: list[Coding] = []
    links: list[Link] = []

    @model_validator(mode="after")
    def _suggestions_say_how(self) -> Card:
        if self.suggestions and self.selection_behavior is None:
            raise ValueError("a card with suggestions says how many may be taken")
        return self


class HookResponse(_Made):
    """What a service answers."""

    cards: list[Card]
    system_actions: list[Action] | None = None


class AcceptedSuggestion(_Sent):
    """A suggestion that was taken."""

    id: UUID


class OverrideReason(_Sent):
    """Why a card was not followed."""

    reason: Coding | None = None
    user_comment: Annotated[str, StringConstraints(max_length=LONGEST_COMMENT)] | None = Field(None, repr=False)

    @field_validator("reason", mode="before")
    @classmethod
    def _only_what_is_known(cls, value: Any) -> Any:
        return {name: value[name] for name in ("code", "system", "display") if name in value} if isinstance(value, dict) else value


class FeedbackItem(_Sent):
    """What became of one card."""

    card: UUID
    outcome: Literal["accepted", "overridden"]
    accepted_suggestions: list[AcceptedSuggestion] = Field([], max_length=20)
    override_reason: OverrideReason | None = None
    outcome_timestamp: datetime

    @model_validator(mode="after")
    def _accepted_names_what(self) -> FeedbackItem:
        if self.outcome == "accepted" and not self.accepted_suggestions:
            raise ValueError("an accepted card names the suggestions that were taken")
        return self


class Feedback(_Sent):
    """What became of cards."""

    feedback: list[FeedbackItem] = Field(min_length=1, max_length=MOST_FEEDBACK)
