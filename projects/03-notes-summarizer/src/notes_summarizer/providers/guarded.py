"""A chat model that looks at every text before it goes out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import ConfigDict, Field

from carefolio.exceptions import PrivacyError
from carefolio.privacy.firewall import guard
from carefolio.privacy.surrogates import Mapping


class GuardedChat(BaseChatModel):
    """One provider behind the guard, for use in LangChain.

    Attributes
    ----------
    inner : BaseChatModel
        The provider.
    mapping : Mapping
        Identifiers that must not go out.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    inner: BaseChatModel = Field(exclude=True, repr=False)
    mapping: Mapping = Field(exclude=True, repr=False)

    @property
    def _llm_type(self) -> str:
        return "guarded"

    def _generate(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None,
                  **kwargs: Any) -> ChatResult:
        guard_messages(messages, self.mapping)
        return self.inner._generate(messages, stop, run_manager, **kwargs)

    def _stream(self, messages: list[BaseMessage], stop: list[str] | None = None, run_manager: CallbackManagerForLLMRun | None = None,
                **kwargs: Any) -> Iterator[ChatGenerationChunk]:
        guard_messages(messages, self.mapping)
        yield from self.inner._stream(messages, stop, run_manager, **kwargs)


def guard_messages(messages: list[BaseMessage], mapping: Mapping) -> None:
    """Let messages pass only if they hold no identifier.

    Parameters
    ----------
    messages : list of BaseMessage
        What is about to go out.
    mapping : Mapping
        Identifiers that must not.

    Raises
    ------
    PrivacyError
        If one does, or if a message is something else than text.
    """
    if not all(isinstance(message.content, str) for message in messages):
        raise PrivacyError("a message must be text; got one with parts of other kinds, which the guard cannot read. Nothing was sent.")
    guard("\n\n".join(str(message.content) for message in messages), mapping)
