"""What a service gets and what it gives: the question, what was found, and a card's common parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from carefolio.command import DISCLAIMER
from clinical_workflow.cds.schemas import LONGEST_SUMMARY, Action, Card, Coding, Hook, HookRequest, Indicator, Link, Source, Suggestion
from clinical_workflow.config import CdsSettings
from clinical_workflow.fhir.chart import Chart
from clinical_workflow.fhir.written import SYSTEM
from clinical_workflow.models.apis import Models

REASONS = {"already-arranged": "It is arranged already", "declined": "The patient declines",
           "not-relevant": "Not relevant for this patient",
           "disagree": "I judge it otherwise", "no-capacity": "There is no capacity for it"}
"""Why a card may be overridden: code to words."""


@dataclass(frozen=True)
class Question:
    """A call with its chart, and what it may be answered with."""

    request: HookRequest
    chart: Chart
    models: Models
    settings: CdsSettings
    now: datetime


@dataclass(frozen=True)
class Found:
    """What a service says: cards, each with its topic in one word, and what the ledger keeps of how they came about."""

    cards: tuple[tuple[str, Card], ...] = ()
    note: str = ""
    risk: float | None = None
    assumed: int | None = None
    model: str | None = None


@dataclass(frozen=True)
class Service:
    """One service of the catalogue."""

    id: str
    hook: Hook
    title: str
    description: str
    prefetch: dict[str, str] = field(repr=False)
    answer: Callable[[Question], Awaitable[Found]] = field(repr=False)


def make_card(*, summary: str, detail: str, indicator: Indicator, label: str, topic: str, suggestion: tuple[str,
                                                                                                            list[Action]] | None = None,
              links: list[Link] | None = None) -> Card:
    """Make a card.

    Parameters
    ----------
    summary : str
        One line; it is cut at 140 characters.
    detail : str
        Markdown; the disclaimer is added.
    indicator : {"info", "warning", "critical"}
        How urgent.
    label : str
        Who says it.
    topic : str
        Code of what it is about.
    suggestion : tuple of (str, list of Action), optional
        What is proposed: its label and actions.
    links : list of Link, optional
        Where to read more.

    Returns
    -------
    Card
        With reasons for an override.
    """
    made = [Suggestion(label=suggestion[0], is_recommended=True, actions=suggestion[1])] if suggestion else []
    short = summary if len(summary) <= LONGEST_SUMMARY else summary[:LONGEST_SUMMARY - 1].rstrip() + "…"
    reasons = [Coding(code=code, system=f"{SYSTEM}/override-reason", display=words) for code, words in REASONS.items()]
    return Card(summary=short, detail=f"{detail}\n\n*{DISCLAIMER}*", indicator=indicator, override_reasons=reasons, links=links or [],
                source=Source(label=label, topic=Coding(code=topic, system=f"{SYSTEM}/card-topic")),
                suggestions=made, selection_behavior="at-most-one" if made else None)


def create(description: str, resource: dict[str, Any]) -> Action:
    """Propose a resource.

    Parameters
    ----------
    description : str
        What it is, in words.
    resource : dict
        The resource.

    Returns
    -------
    Action
        Of type ``create``.
    """
    return Action(type="create", description=description, resource=resource)
