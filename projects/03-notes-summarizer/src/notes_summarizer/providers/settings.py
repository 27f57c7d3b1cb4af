"""Settings of the providers; addresses, keys and names of deployments come from the environment alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

from pydantic import Field

from carefolio.config import Settings
from carefolio.exceptions import ConfigError

ProviderName = Literal["openai", "azure-openai", "local", "extractive"]
NAMES: tuple[ProviderName, ...] = get_args(ProviderName)
REMOTE: tuple[ProviderName, ...] = ("openai", "azure-openai")
"""Providers that may be on another machine: text leaves only when somebody names one of them."""


class Price(Settings):
    """What a model costs."""

    input_usd_per_million: float = Field(ge=0)
    output_usd_per_million: float = Field(ge=0)


class ProviderSettings(Settings):
    """Whom to ask, in which order, for how long, and how often again."""

    order: tuple[ProviderName, ...] = Field(min_length=1)
    timeout_s: float = Field(gt=0)
    stall_s: float = Field(gt=0)
    max_retries: int = Field(ge=0, le=10)
    backoff_s: float = Field(ge=0)
    max_output_tokens: int = Field(ge=1)
    temperature: float = Field(ge=0, le=2)
    retry_temperature: float = Field(ge=0, le=2)
    openai_model: str = Field(min_length=1)
    local_context_tokens: int = Field(ge=256)
    local_threads: int = Field(ge=0)
    local_repeat_penalty: float = Field(ge=1, le=2)
    prices: dict[str, Price]


def choose_names(settings: ProviderSettings, names: Sequence[str] | None, environment: Mapping[str, str]) -> tuple[ProviderName, ...]:
    """Decide whom to ask, in which order.

    Parameters
    ----------
    settings : ProviderSettings
        Its ``order`` holds if nothing else is said.
    names : sequence of str or None
        Named by the caller; comes before all else.
    environment : mapping of str to str
        Its ``NOTES_PROVIDERS``, names with commas between them, replaces the order of the settings.

    Returns
    -------
    tuple of str
        Each name once.

    Raises
    ------
    ConfigError
        If a name is unknown, stands twice, or there is none.
    """
    said = environment.get("NOTES_PROVIDERS", "")
    wanted = list(names) if names is not None else [part.strip() for part in said.split(",")] if said.strip() else list(settings.order)
    chosen = tuple(name for name in NAMES if name in wanted)
    if not wanted or len(chosen) != len(wanted):
        raise ConfigError(f"providers must be some of {', '.join(NAMES)}, each once; got {', '.join(wanted)[:80] or 'none'}. "
                          "Change [providers] order, NOTES_PROVIDERS or the option.")
    return tuple(sorted(chosen, key=wanted.index))
