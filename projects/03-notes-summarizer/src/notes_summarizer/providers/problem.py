"""What went wrong with a provider, in words of our own: an exception's text may quote the request or the answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx2
from langchain_core.exceptions import ContextOverflowError
from pydantic import ValidationError

from carefolio.privacy.surrogates import Mapping as Surrogates
from notes_summarizer.providers.connection import AnswerTooLongError

if TYPE_CHECKING:
    import openai

_AGAIN = (408, 409, 429)
_HINTS = {
    400: "it does not accept the request",
    401: "it does not accept the key",
    403: "the key may not use this model",
    404: "it does not know the model or the path",
    429: "too many requests, or no budget left",
}
_TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")
_LONGEST = 200


@dataclass(frozen=True)
class Problem:
    """Why a try failed.

    Attributes
    ----------
    words : str
        In words, without text of the prompt or the answer.
    passing : bool
        Whether the same may well succeed a little later.
    unusable : bool
        Whether there was an answer, of no use.
    wait_s : float or None
        How long the server asks to wait.
    """

    words: str
    passing: bool = False
    unusable: bool = False
    wait_s: float | None = None


def failures() -> tuple[type[Exception], ...]:
    """List what the client libraries raise for a server that fails or does not speak the protocol.

    Returns
    -------
    tuple of type
        For ``except``, which asks for it only when something was raised: importing openai's client takes a second.
    """
    import openai

    return (openai.OpenAIError, httpx2.HTTPError, httpx2.StreamError, OSError, ValueError, TypeError, LookupError, AttributeError,
            AssertionError, RuntimeError)


def describe(error: BaseException) -> Problem:
    """Say what an exception of a client library means.

    Parameters
    ----------
    error : BaseException
        One of `failures`; its own text is not used.

    Returns
    -------
    Problem
        In words.
    """
    import openai

    chain = _chain(error)
    if any(isinstance(one, AnswerTooLongError) for one in chain):
        return Problem("the answer is far longer than the most tokens that were asked for")
    if any(isinstance(one, openai.LengthFinishReasonError) for one in chain):
        return Problem("the answer was cut off at the most tokens", unusable=True)
    if any(isinstance(one, openai.ContentFilterFinishReasonError) for one in chain):
        return Problem("the provider's content filter stopped the answer")
    if isinstance(error, ContextOverflowError):
        return Problem("the prompt is longer than the model's context window")
    if isinstance(error, openai.APIStatusError):
        return _describe_status(error)
    if isinstance(error, openai.APITimeoutError | httpx2.TimeoutException):
        return Problem("no whole answer in time", passing=True)
    if isinstance(error, httpx2.ConnectError) or any(isinstance(one, httpx2.ConnectError) for one in chain):
        return Problem("no connection", passing=True)
    if isinstance(error, openai.APIConnectionError | httpx2.TransportError | OSError):
        return Problem("the connection broke off", passing=True)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIResponseValidationError):
        return Problem("the server reported an error in the middle of its answer")
    return Problem(f"it gave no answer that can be read ({type(error).__name__})")


def describe_refusal(error: ValueError, mapping: Surrogates) -> Problem:
    """Say why an answer cannot be used.

    Parameters
    ----------
    error : ValueError
        Of the function that looked at it.
    mapping : Mapping
        Identifiers that must not show.

    Returns
    -------
    Problem
        Of a validation or of JSON the kind of error and no content; of other errors the start of their message.
    """
    if isinstance(error, ValidationError):
        kinds = sorted({one["type"] for one in error.errors(include_url=False, include_context=False, include_input=False)})
        words = f"it does not follow the schema ({', '.join(kinds)})"
    elif isinstance(error, json.JSONDecodeError):
        words = f"it is not JSON (character {error.pos})"
    else:
        words = mapping.scrub(str(error))[:_LONGEST]
    return Problem(f"the answer cannot be used: {words}", unusable=True)


def _describe_status(error: openai.APIStatusError) -> Problem:
    body = error.body if isinstance(error.body, Mapping) else {}
    if {body.get("code"), body.get("type")} & set(_TOO_LONG):
        return Problem("the prompt is longer than the model's context window")
    status = error.status_code
    hint = f", {_HINTS[status]}" if status in _HINTS else ", a redirect, which is not followed" if 300 <= status < 400 else ""
    passing = status in _AGAIN or status >= 500
    return Problem(f"HTTP {status}{hint}", passing=passing, wait_s=_retry_after(error.response) if passing else None)


def _retry_after(response: httpx2.Response) -> float | None:
    """Read the header in either of its forms: seconds or a date."""
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and one not in chain:
            chain.append(one)
            waiting += [one.__cause__, one.__context__]
    return chain
