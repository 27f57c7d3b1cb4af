"""One try with one provider: nothing traced, nothing cached, and every failure turned into words of our own."""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langsmith import tracing_context

from carefolio.privacy.firewall import guard
from carefolio.privacy.logs import protected
from carefolio.privacy.surrogates import Mapping
from notes_summarizer.prompting import Prompt
from notes_summarizer.providers.problem import Problem, describe, describe_refusal, failures

T = TypeVar("T")


@dataclass(frozen=True)
class Reply(Generic[T]):
    """An answer that can be used.

    Attributes
    ----------
    value : object
        What was made of the text.
    text : str
        As it came.
    model : str
        As the provider calls it; empty if it did not say.
    input_tokens, output_tokens : int or None
        As the provider counted them.
    cut : bool
        Whether it stopped at the most tokens.
    """

    value: T
    text: str
    model: str
    input_tokens: int | None
    output_tokens: int | None
    cut: bool


def attempt(chat: BaseChatModel, prompt: Prompt, *, mapping: Mapping, accept: Callable[[str], T], options: dict[str, Any],
            streaming: bool) -> Generator[str | Reply[T] | Problem]:
    """Ask once.

    Parameters
    ----------
    chat : BaseChatModel
        The provider.
    prompt : Prompt
        What to ask.
    mapping : Mapping
        Identifiers that must not go out, nor show in logs and errors.
    accept : callable
        Makes something of the text, or raises ValueError.
    options : dict
        Keywords of the call.
    streaming : bool
        Whether to give pieces as they come.

    Yields
    ------
    str, Reply or Problem
        Pieces, if streaming; last a reply or why there is none.

    Raises
    ------
    PrivacyError
        If the prompt holds an identifier; nothing was sent.
    """
    context = contextvars.Context()
    messages = _send(chat, prompt, mapping, options, streaming)
    whole: AIMessage | None = None
    try:
        while (message := context.run(_next, messages, mapping)) is not None:
            if isinstance(message, Problem):
                yield message
                return
            whole = message if whole is None else cast("AIMessage", whole + message)
            if streaming and message.text:
                yield str(message.text)
    finally:
        context.run(messages.close)
    yield context.run(_judge, whole, mapping, accept)


def _send(chat: BaseChatModel, prompt: Prompt, mapping: Mapping, options: dict[str, Any], streaming: bool) -> Generator[AIMessage]:
    """Send a prompt: the only place where this package does."""
    messages: list[BaseMessage] = [SystemMessage(prompt.system), HumanMessage(prompt.user)]
    guard(prompt.variable, mapping)
    if streaming:
        yield from chat.stream(messages, **options)
    else:
        yield chat.invoke(messages, **options)


def _next(messages: Iterator[AIMessage], mapping: Mapping) -> AIMessage | Problem | None:
    """Take the next message in a context of its own: the caller's tracers and callbacks are not in it."""
    with tracing_context(enabled=False), protected(mapping):
        try:
            return next(messages, None)
        except failures() as error:
            return describe(error)


def _judge(message: AIMessage | None, mapping: Mapping, accept: Callable[[str], T]) -> Reply[T] | Problem:
    """Look at a whole answer: one without an end or without text is none."""
    text = "" if message is None else str(message.text)
    facts = {} if message is None else message.response_metadata
    end = facts.get("finish_reason")
    if facts.get("model_provider") == "openai" and not end:
        return Problem("the answer broke off before its end", passing=True)
    if end == "content_filter":
        return Problem("the provider's content filter stopped the answer")
    if message is None or not text.strip():
        return Problem("the answer is empty", unusable=True)
    with protected(mapping):
        try:
            value = accept(text)
        except ValueError as error:
            return describe_refusal(error, mapping)
    usage = message.usage_metadata
    return Reply(value, text, str(facts.get("model_name") or ""), usage["input_tokens"] if usage else None,
                 usage["output_tokens"] if usage else None, end == "length")
