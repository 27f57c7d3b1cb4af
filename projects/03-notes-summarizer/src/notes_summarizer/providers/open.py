"""Open the providers that are wanted, and ask them one after the other until one answers."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Self, TypeVar, cast

from langchain_core.language_models import BaseChatModel

from carefolio.exceptions import ConfigError, ProviderError
from carefolio.privacy.surrogates import Mapping as Surrogates
from notes_summarizer.prompting import Prompt
from notes_summarizer.providers.answer import Answer, Attempt
from notes_summarizer.providers.attempt import Reply, attempt
from notes_summarizer.providers.chat import call_options, open_chat
from notes_summarizer.providers.cost import cost_usd
from notes_summarizer.providers.guarded import GuardedChat
from notes_summarizer.providers.patience import Patience
from notes_summarizer.providers.problem import Problem
from notes_summarizer.providers.settings import ProviderSettings, choose_names

T = TypeVar("T")


@dataclass(frozen=True)
class Restart:
    """The pieces so far are void: another try begins.

    Attributes
    ----------
    provider : str
        Who begins.
    problem : str
        Why the try before failed, without identifiers.
    """

    provider: str
    problem: str


class Providers:
    """The providers that are open, in the order in which they are asked.

    Parameters
    ----------
    chats : mapping of str to BaseChatModel
        By name, in order.
    settings : ProviderSettings
        Bounds, repetitions and prices.
    """

    def __init__(self, chats: Mapping[str, BaseChatModel], settings: ProviderSettings) -> None:
        self._chats = dict(chats)
        self._settings = settings

    @property
    def names(self) -> tuple[str, ...]:
        """Give the names.

        Returns
        -------
        tuple of str
            In the order in which they are asked.
        """
        return tuple(self._chats)

    def only(self, name: str) -> Self:
        """Give one provider alone.

        Parameters
        ----------
        name : str
            One of `names`.

        Returns
        -------
        Providers
            Open as long as these are.

        Raises
        ------
        ConfigError
            If the provider is not open.
        """
        return type(self)({name: self._open(name)}, self._settings)

    def _open(self, name: str) -> BaseChatModel:
        if name not in self._chats:
            raise ConfigError(f"provider {name!r} is not open; open are {', '.join(self.names)}. Name it in open_providers().")
        return self._chats[name]

    def chat(self, name: str, *, mapping: Surrogates | None = None) -> BaseChatModel:
        """Give one provider as a LangChain chat model behind the guard.

        Parameters
        ----------
        name : str
            One of `names`.
        mapping : Mapping, optional
            Identifiers that must not go out; without it the text must never have held any.

        Returns
        -------
        BaseChatModel
            Without fallback; what LangChain traces of a call is up to the caller.

        Raises
        ------
        ConfigError
            If the provider is not open.
        """
        return GuardedChat(inner=self._open(name), mapping=Surrogates() if mapping is None else mapping, cache=False)

    def ask(self, prompt: Prompt, *, mapping: Surrogates, accept: Callable[[str], T]) -> tuple[T, Answer]:
        """Ask until an answer can be used.

        Parameters
        ----------
        prompt : Prompt
            What to ask.
        mapping : Mapping
            Identifiers that were taken out of it; none may go out.
        accept : callable
            Makes something of the text, or raises ValueError if it is of no use.

        Returns
        -------
        tuple of (object, Answer)
            What ``accept`` made, and where it came from.

        Raises
        ------
        PrivacyError
            If the prompt holds an identifier; nothing was sent.
        ProviderError
            If no provider gave an answer that can be used; the message names each try.
        """
        *_, last = self._run(prompt, mapping, accept, streaming=False)
        return cast("tuple[T, Answer]", last)

    def stream(self, prompt: Prompt, *, mapping: Surrogates, accept: Callable[[str], T]) -> Iterator[str | Restart | tuple[T, Answer]]:
        """Ask, and give the answer in pieces.

        Parameters
        ----------
        prompt : Prompt
            What to ask.
        mapping : Mapping
            Identifiers that were taken out of it; none may go out.
        accept : callable
            Makes something of the whole text, or raises ValueError if it is of no use.

        Yields
        ------
        str, Restart or tuple of (object, Answer)
            Pieces, still with surrogates; a restart where the pieces so far are void; last what ``ask`` would return.

        Raises
        ------
        PrivacyError
            If the prompt holds an identifier; nothing was sent.
        ProviderError
            If no provider gave an answer that can be used; the message names each try.
        """
        yield from self._run(prompt, mapping, accept, streaming=True)

    def _run(self, prompt: Prompt, mapping: Surrogates, accept: Callable[[str], T], *,
             streaming: bool) -> Generator[str | Restart | tuple[T, Answer]]:
        """Go through the providers and their tries until one succeeds."""
        failed: list[Attempt] = []
        shown = False
        for name in self.names:
            patience, again = Patience(name, self._settings), False
            wait_s: float | None = 0.0
            while wait_s is not None:
                time.sleep(wait_s)
                if shown:
                    yield Restart(name, failed[-1].problem)
                began, shown = time.monotonic(), False
                for item in self._try(name, prompt, mapping, accept, streaming=streaming, again=again):
                    if isinstance(item, Reply):
                        yield item.value, self._answer(name, prompt, item, time.monotonic() - began, failed)
                        return
                    if isinstance(item, Problem):
                        failed.append(Attempt(name, item.words, time.monotonic() - began))
                        again, wait_s = item.unusable, patience.wait_s(item)
                    else:
                        shown = True
                        yield item
        raise ProviderError(_summary(failed))

    def _try(self, name: str, prompt: Prompt, mapping: Surrogates, accept: Callable[[str], T], *, streaming: bool,
             again: bool) -> Iterator[str | Reply[T] | Problem]:
        options = call_options(name, prompt, self._settings, streaming=streaming, again=again)
        return attempt(self._chats[name], prompt, mapping=mapping, accept=accept, options=options, streaming=streaming)

    def _answer(self, name: str, prompt: Prompt, reply: Reply[T], seconds: float, failed: list[Attempt]) -> Answer:
        asked = str(getattr(self._chats[name], "model_name", None) or name)
        model = reply.model or asked
        cost = cost_usd(name, (model, asked), reply.input_tokens, reply.output_tokens, self._settings.prices)
        return Answer(text=reply.text, provider=name, model=model, prompt=prompt.name, input_tokens=reply.input_tokens,
                      output_tokens=reply.output_tokens, cost_usd=cost, seconds=seconds, attempts=tuple(failed), cut=reply.cut)


@contextmanager
def open_providers(settings: ProviderSettings, *, names: Sequence[str] | None = None,
                   environment: Mapping[str, str] | None = None) -> Iterator[Providers]:
    """Open the providers that are wanted; a local server runs as long as the block.

    Parameters
    ----------
    settings : ProviderSettings
        Order, bounds and prices.
    names : sequence of str, optional
        Whom to ask, in order; replaces ``NOTES_PROVIDERS`` and the order of the settings.
    environment : mapping of str to str, optional
        Where addresses and keys stand; default is that of the process.

    Yields
    ------
    Providers
        Ready to be asked, also from several threads.

    Raises
    ------
    ConfigError
        If a name is unknown, or the environment lacks what a provider needs.
    ArtefactError
        If the local model is wanted and missing.
    """
    variables = os.environ if environment is None else environment
    with ExitStack() as stack:
        yield Providers({name: stack.enter_context(open_chat(name, settings, variables))
                         for name in choose_names(settings, names, variables)}, settings)


def _summary(failed: list[Attempt]) -> str:
    tries = "; ".join(f"{one.provider}: {one.problem} ({one.seconds:.1f} s)" for one in failed)
    return (f"no provider gave an answer that can be used; tried {tries}. Check addresses and keys, raise [providers] timeout_s, or add "
            "another provider to NOTES_PROVIDERS: extractive needs neither key nor model.")
