"""From a note to a checked summary: identifiers out, sentences numbered, a model asked, every statement traced to its sources."""

from __future__ import annotations

import contextvars
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from carefolio.datasets.mts_dialog import SECTION_HEADERS
from carefolio.exceptions import ProviderError
from carefolio.privacy.firewall import Entity, firewall
from carefolio.privacy.logs import protected
from carefolio.privacy.policy import PrivacyPolicy
from carefolio.privacy.surrogates import Mapping, StreamReidentifier
from notes_summarizer.prompting import Prompt, PromptFile, load_prompt
from notes_summarizer.providers.answer import Answer
from notes_summarizer.summary.check_text import check_text
from notes_summarizer.summary.draft import merge_drafts, parse_draft
from notes_summarizer.summary.injection import find_orders
from notes_summarizer.summary.marks import mark, reidentify_marked
from notes_summarizer.summary.parts import bounds, choose_tag, number_lines, part_characters, split_parts, turn_lines
from notes_summarizer.summary.schema import LISTS, Draft, Flag, Summary, draft_schema
from notes_summarizer.summary.sentences import Sentence, split_sentences
from notes_summarizer.summary.settings import SummarySettings
from notes_summarizer.summary.statements import build_summary
from notes_summarizer.summary.written import merge_written, read_written

if TYPE_CHECKING:
    from notes_summarizer.providers.open import Providers


@dataclass(frozen=True)
class SummaryResult:
    """A summary and how it came about.

    Attributes
    ----------
    summary : Summary
        With originals put back.
    answer : list of Answer
        One a part of the note, still with surrogates.
    entities : tuple of Entity
        Identifiers that were taken out, with places in the original note.
    prompt : str
        Name of the prompt file.
    prompt_sha256 : str
        Its hash.
    seconds : float
        Wall time of all.
    """

    summary: Summary
    answer: list[Answer]
    entities: tuple[Entity, ...]
    prompt: str
    prompt_sha256: str
    seconds: float


@dataclass(frozen=True)
class Event:
    """One event of a summary in the making, with originals put back.

    Attributes
    ----------
    kind : {"status", "delta", "restart", "summary"}
        What happened: a step begins, the model wrote a piece, another provider begins anew, the summary is there.
    text : str
        Words for a status or restart, the piece for a delta, empty for the summary.
    result : SummaryResult or None
        The summary.
    """

    kind: Literal["status", "delta", "restart", "summary"]
    text: str
    result: SummaryResult | None = None


@dataclass(frozen=True)
class Written:
    """A section or note that a provider wrote from a conversation.

    Attributes
    ----------
    text : str
        With originals put back.
    answers : list of Answer
        One a part of the conversation, still with surrogates.
    findings : list of Flag
        What the conversation does not support.
    """

    text: str
    answers: list[Answer]
    findings: list[Flag]


@dataclass(frozen=True)
class _Read:
    """A text behind the firewall."""

    sentences: list[Sentence]
    orders: frozenset[int]
    entities: tuple[Entity, ...]


def summarize(note: str | bytes, providers: Providers, settings: SummarySettings, *, policy: PrivacyPolicy | None = None) -> SummaryResult:
    """Summarise a note.

    Parameters
    ----------
    note : str or bytes
        A note or conversation in English, or its UTF-8 bytes.
    providers : Providers
        Whom to ask, in order.
    settings : SummarySettings
        Limits and thresholds.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Returns
    -------
    SummaryResult
        Every statement with its sources and marks.

    Raises
    ------
    UnsuitableTextError
        If the note is empty, too long, not text or not English.
    PrivacyError
        If a prompt would hold an identifier; nothing was sent.
    ProviderError
        If no provider gave a usable answer.
    """
    *_, last = _events(note, providers, settings, policy, streaming=False)
    if last.result is None:
        raise ProviderError("a summary must end with its result; got none. Ask again.")
    return last.result


def stream_summary(note: str | bytes, providers: Providers, settings: SummarySettings, *,
                   policy: PrivacyPolicy | None = None) -> Iterator[Event]:
    """Summarise a note and tell how it goes on.

    Parameters
    ----------
    note : str or bytes
        A note or conversation in English, or its UTF-8 bytes.
    providers : Providers
        Whom to ask, in order.
    settings : SummarySettings
        Limits and thresholds.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Yields
    ------
    Event
        Steps, pieces of the model's answer, restarts, last the summary. It may be read from any thread.

    Raises
    ------
    UnsuitableTextError
        If the note is empty, too long, not text or not English.
    PrivacyError
        If a prompt would hold an identifier; nothing was sent.
    ProviderError
        If no provider gave a usable answer.
    """
    context, events = contextvars.copy_context(), _events(note, providers, settings, policy, streaming=True)
    try:
        while (event := context.run(next, events, None)) is not None:
            yield event
    finally:
        context.run(events.close)


def write_section(dialogue: str, header: str, providers: Providers, settings: SummarySettings, *,
                  policy: PrivacyPolicy | None = None) -> Written:
    """Write one section of a note from a conversation.

    Parameters
    ----------
    dialogue : str
        Turns that begin with their speaker.
    header : str
        One of ``carefolio.datasets.mts_dialog.SECTION_HEADERS``, or words of its own.
    providers : Providers
        Whom to ask, in order.
    settings : SummarySettings
        Limits.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Returns
    -------
    Written
        The section.

    Raises
    ------
    UnsuitableTextError
        If the conversation is empty, too long, not text or not English.
    PrivacyError
        If a prompt would hold an identifier; nothing was sent.
    ProviderError
        If no provider gave a usable answer.
    """
    name = f"{header} ({SECTION_HEADERS[header]})" if header in SECTION_HEADERS else header
    return _write(dialogue, settings.section_prompt, providers, settings, policy, header=name)


def write_note(dialogue: str, providers: Providers, settings: SummarySettings, *, policy: PrivacyPolicy | None = None) -> Written:
    """Write a note from the conversation of a visit.

    Parameters
    ----------
    dialogue : str
        Turns that begin with their speaker.
    providers : Providers
        Whom to ask, in order.
    settings : SummarySettings
        Limits.
    policy : PrivacyPolicy, optional
        Of the firewall.

    Returns
    -------
    Written
        The note, with headings.

    Raises
    ------
    UnsuitableTextError
        If the conversation is empty, too long, not text or not English.
    PrivacyError
        If a prompt would hold an identifier; nothing was sent.
    ProviderError
        If no provider gave a usable answer.
    """
    return _write(dialogue, settings.note_prompt, providers, settings, policy)


def _events(note: str | bytes, providers: Providers, settings: SummarySettings, policy: PrivacyPolicy | None, *,
            streaming: bool) -> Generator[Event]:
    began = time.perf_counter()
    text = check_text(note, settings)
    with protected(Mapping()) as mapping:
        yield Event("status", "Identifiers are taken out.")
        read = _read(text, policy, mapping)
        prompt = load_prompt(settings.summary_prompt)
        parts = split_parts(read.sentences, part_characters(providers.names, settings))
        drafts, answers, full = [], [], set()
        for place, part in enumerate(parts, start=1):
            yield Event("status", f"Part {place} of {len(parts)} is read.")
            draft, answer = yield from _ask(part, prompt, providers, settings, mapping, streaming=streaming)
            drafts.append(draft)
            answers.append(answer)
            full |= {name for name in LISTS if len(getattr(draft, name)) >= bounds(part, providers.names, settings)["maximum_items"]}
        yield Event("status", "Every statement is compared with the note.")
        merged = merge_drafts(drafts)
        summary = build_summary(merged, read.sentences, read.orders, mapping, settings, full=[name for name in LISTS if name in full])
        seconds = time.perf_counter() - began
        yield Event("summary", "", SummaryResult(summary, answers, read.entities, prompt.name, prompt.sha256, seconds))


def _read(text: str, policy: PrivacyPolicy | None, mapping: Mapping) -> _Read:
    entities = firewall(text, policy=policy, mapping=mapping).entities
    sentences = split_sentences(text, entities)
    return _Read(sentences, find_orders(sentences), entities)


def _ask(part: list[Sentence], prompt: PromptFile, providers: Providers, settings: SummarySettings, mapping: Mapping, *,
         streaming: bool) -> Generator[Event, None, tuple[Draft, Answer]]:
    limits, lines = bounds(part, providers.names, settings), number_lines(part)
    filled = prompt.fill(json_schema=draft_schema(**limits), tag=choose_tag(lines, mapping), note=lines, items=str(limits["maximum_items"]),
                         characters=str(limits["item_characters"]))
    numbers = [sentence.number for sentence in part]

    def accept(answer: str) -> Draft:
        return parse_draft(answer, numbers=numbers, **limits)

    if not streaming:
        return providers.ask(filled, mapping=mapping, accept=accept)
    return (yield from _stream(providers, filled, mapping, accept))


def _stream(providers: Providers, prompt: Prompt, mapping: Mapping,
            accept: Callable[[str], Draft]) -> Generator[Event, None, tuple[Draft, Answer]]:
    from notes_summarizer.providers.open import Restart

    pieces = StreamReidentifier(mapping)
    for item in providers.stream(prompt, mapping=mapping, accept=accept):
        if isinstance(item, Restart):
            pieces = StreamReidentifier(mapping)
            yield Event("restart", f"{item.provider} begins anew: {item.problem}")
        elif isinstance(item, str):
            if text := pieces.feed(item):
                yield Event("delta", text)
        else:
            if text := pieces.close():
                yield Event("delta", text)
            return item
    raise ProviderError("a stream must end with an answer; got none. Ask again, or choose another provider with NOTES_PROVIDERS.")


def _write(dialogue: str, prompt_name: str, providers: Providers, settings: SummarySettings, policy: PrivacyPolicy | None,
           header: str = "") -> Written:
    text = check_text(dialogue, settings, what="conversation")
    with protected(Mapping()) as mapping:
        read = _read(text, policy, mapping)
        texts, answers = [], []
        for part in split_parts(read.sentences, part_characters(providers.names, settings)):
            lines = turn_lines(part)
            prompt = load_prompt(prompt_name).fill(tag=choose_tag(lines, mapping), dialogue=lines, header=header)
            written, answer = providers.ask(prompt, mapping=mapping, accept=lambda got: read_written(got, settings.written_characters))
            texts.append(written)
            answers.append(answer)
        whole = merge_written(texts)
        source = "\n".join(sentence.safe for sentence in read.sentences if sentence.number not in read.orders)
        final, findings = reidentify_marked(whole, mark(whole, source), mapping)
        return Written(final, answers, findings)
