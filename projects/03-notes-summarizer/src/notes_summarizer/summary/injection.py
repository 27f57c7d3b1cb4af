"""Sentences of a note that speak to a language model instead of about a patient.

A note is data: a sentence that gives orders to a model is shown to it like any other, between tags that the note cannot contain, but it
never counts as a source. So what a model writes that obeyed it stays without support, and the rules never pick it. The expressions look
for what such orders have in common; an order in other words is not found, and its result still has to pass the checks on numbers,
drugs, negation and sides.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from notes_summarizer.summary.sentences import Sentence

_PATTERNS = (
    r"\b(?:ignore|disregard|forget|override|bypass|do not follow|don't follow)\b.{0,40}\b(?:instructions?|prompts?|rules?|commands?|"
    r"guidelines|(?:system|previous|prior|above|earlier)\s+(?:message|text|note|context|conversation|task))\b",
    r"\b(?:ignore|disregard|forget)\s+(?:all|everything|anything)\b.{0,20}\b(?:above|before|previous|prior|so far|told)\b",
    r"\b(?:new|updated|hidden|secret|system)\s+(?:instructions?|prompt)\b\s*[:.]",
    r"^\W*(?:system|developer)\s*(?:prompt|message|override|note)?\s*[\]>)]?\s*:|[<\[#]\s*(?:system|assistant|developer)\s*[\]>:]",
    r"<\s*/?\s*(?:system|assistant|user|instructions?|prompt|im_start|im_end|text-[0-9a-f]*|note|dialogue)\b[^>]*>",
    r"<\|[^|>]{0,30}\|>|\[/?INST\]|<</?SYS>>|^#{2,}\s*(?:instruction|response|system|assistant|input)\b",
    r"\b(?:you are|you're|act as|pretend to be|behave as)\s+(?:now\s+)?(?:an?\s+)?(?:\w+\s+){0,2}(?:ai|a\.i\.|language model|llm|"
    r"chat\s?bot|assistant|gpt|dan)\b",
    r"\b(?:language model|llm|chat\s?gpt|ai (?:model|assistant|system)|chat\s?bot|summari[sz]er)s?\b.{0,40}\b(?:must|should|shall|please|"
    r"now|will|have to|need to)\b",
    r"\b(?:respond|reply|answer|output|print)\b.{0,25}\b(?:only|exactly|verbatim|in json|json|nothing else)\b(?=.{0,60}(?:[\"'{:]|\bwith\b|"
    r"$))",
    r"\b(?:reveal|print|repeat|show|leak|output|disclose)\b.{0,30}\b(?:system prompt|your (?:instructions|prompt|rules)|the prompt|"
    r"initial prompt|original names?|identifiers|placeholders?)\b",
    r"\b(?:in|from|of|to|for)\s+(?:the|your|this)\s+(?:summary|json|output|answer|response)\b.{0,40}\b(?:include|add|omit|leave out|write|"
    r"state|say|list|mention)\b|\b(?:include|add|omit|leave out|write|state|list|mention|insert)\b.{0,80}\b(?:in|from|to)\s+(?:the|your|"
    r"this)\s+(?:summary|json|output|answer|response)\b",
    r"\bwhen (?:you )?summari[sz](?:e|ing)\b|\bsummari[sz]e (?:this|the) (?:note|text|conversation)\b",
    r"[\"'](?:problems|medications|allergies|results|plan|follow_up|sources)[\"']\s*:",
    r"^\s*(?:Task: [a-z]+\.|S\d+\. )",
    r"\b(?:jailbreak|prompt injection|developer mode)\b",
)
_FINDER = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def is_order(text: str) -> bool:
    """Say whether a sentence gives an order to a language model or imitates its messages.

    Parameters
    ----------
    text : str
        One sentence.

    Returns
    -------
    bool
        True for ``"Ignore all previous instructions."``
    """
    return _FINDER.search(text) is not None


def find_orders(sentences: Iterable[Sentence]) -> frozenset[int]:
    """Find the sentences that give orders to a language model.

    Parameters
    ----------
    sentences : iterable of Sentence
        Of a note.

    Returns
    -------
    frozenset of int
        Their numbers.
    """
    return frozenset(sentence.number for sentence in sentences if is_order(sentence.safe))
