"""The catalogue of services, and the discovery document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinical_workflow.cds import discharge, notes, orders, screening
from clinical_workflow.cds.answer import Service
from clinical_workflow.cds.schemas import Card

SERVICES: dict[str, Service] = {one.id: one for one in (screening.SERVICE, notes.SERVICE, discharge.SERVICE, orders.SERVICE)}


def discovery() -> dict[str, Any]:
    """Describe the services, as CDS Hooks 2.0 has it.

    Returns
    -------
    dict
        ``{"services": [...]}``.
    """
    usage = "Shadow mode at first: an empty list of cards may mean that cards are not shown yet."
    return {"services": [{"id": one.id, "hook": one.hook, "title": one.title, "description": one.description, "prefetch": one.prefetch,
                          "usageRequirements": usage} for one in SERVICES.values()]}


def one_interruption(cards: Sequence[Card]) -> list[Card]:
    """Let one card at most interrupt.

    Parameters
    ----------
    cards : sequence of Card
        In the order of the service.

    Returns
    -------
    list of Card
        The most urgent first; of several critical ones all but the first are warnings.
    """
    order = ("critical", "warning", "info")
    ranked = sorted(cards, key=lambda card: order.index(card.indicator))
    return [card.model_copy(update={"indicator": "warning"}) if card.indicator == "critical" and position else card
            for position, card in enumerate(ranked)]
