"""What came back from a provider, what it cost, and what was tried before."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Attempt:
    """One try that failed.

    Attributes
    ----------
    provider : str
        Who was asked.
    problem : str
        Why it failed, in words, without identifiers.
    seconds : float
        How long it took.
    """

    provider: str
    problem: str
    seconds: float


@dataclass(frozen=True)
class Answer:
    """A text that a provider wrote, still with surrogates.

    Attributes
    ----------
    text : str
        The answer.
    provider, model : str
        Who wrote it.
    prompt : str
        Name of the prompt with its version.
    input_tokens, output_tokens : int or None
        As the provider counted them; None if it did not say.
    cost_usd : float or None
        From the configured price; 0 on this machine, None if no price is configured.
    seconds : float
        Time of the try that succeeded.
    attempts : tuple of Attempt
        Tries that failed before.
    cut : bool
        Whether the provider stopped at the most tokens that it may write.
    """

    text: str
    provider: str
    model: str
    prompt: str
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    seconds: float
    attempts: tuple[Attempt, ...] = ()
    cut: bool = False
