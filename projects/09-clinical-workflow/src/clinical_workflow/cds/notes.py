"""On patient-view: the last note in short, every line checked against the note by the notes chapter's rules; no language model is asked."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from clinical_workflow.cds.answer import Found, Question, Service, make_card
from clinical_workflow.fhir.elements import items, label, moment, table

PREFETCH = {"patient": "Patient/{{context.patientId}}", "documents": "DocumentReference?patient={{context.patientId}}&_count=50"}


async def answer(question: Question) -> Found:
    """Have the last note summarised.

    Parameters
    ----------
    question : Question
        The call.

    Returns
    -------
    Found
        An information card, or none where there is no note of plain text.
    """
    notes = [(at, text, one) for one in question.chart.of("DocumentReference")
             if one.get("status") == "current" and (at := moment(one.get("date"))) and (text := note_text(one))]
    if not notes:
        return Found(note="no note")
    at, text, document = max(notes, key=lambda found: found[0])
    if len(text) > question.settings.note_characters:
        return Found(note="note too long")
    summary = await question.models.summary(text)
    if not summary:
        return Found(note="nothing found in the note")
    kind = label(document.get("type")) or "Note"
    card = make_card(summary=f"{kind} of {at:%d %b %Y} in short",
                     detail=f"{summary}\n\nTaken from the note by rules; read the note before you act.",
                     indicator="info", label="Note summary", topic="note-summary")
    return Found((("note-summary", card),), "summarised", model="notes, extractive rules")


def note_text(document: dict[str, Any]) -> str | None:
    """Read a note that is kept in its document.

    Parameters
    ----------
    document : dict
        A DocumentReference.

    Returns
    -------
    str or None
        Its first attachment of plain text; None where there is none.
    """
    for content in items(document.get("content")):
        attachment = table(content.get("attachment"))
        data = attachment.get("data")
        if str(attachment.get("contentType", "")).partition(";")[0] == "text/plain" and isinstance(data, str):
            try:
                return base64.b64decode(data, validate=True).decode("utf-8").strip() or None
            except (binascii.Error, UnicodeDecodeError):
                return None
    return None


SERVICE = Service(id="note-summary", hook="patient-view", title="Last note in short", prefetch=PREFETCH, answer=answer,
                  description="Statements of the patient's last note by rules, with what is not found in it marked. Research and "
                              "education; not a medical device.")
