"""Build a LangChain chat model for each provider, and the options of a call.

OpenAI's client takes a second to import; who asks no such provider, as a fresh service does, goes without.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2
from langchain_core.language_models import BaseChatModel
from pydantic import SecretStr

from carefolio.exceptions import ConfigError
from notes_summarizer.prompting import Prompt
from notes_summarizer.providers.connection import open_client, request_timeout
from notes_summarizer.providers.local import LocalEndpoint, local_server
from notes_summarizer.providers.settings import ProviderName, ProviderSettings

OPENAI_URL = "https://api.openai.com/v1"


@contextmanager
def open_chat(name: ProviderName, settings: ProviderSettings, environment: Mapping[str, str]) -> Iterator[BaseChatModel]:
    """Open one provider as a LangChain chat model.

    Parameters
    ----------
    name : {"openai", "azure-openai", "local", "extractive"}
        Which.
    settings : ProviderSettings
        Model, times and bounds.
    environment : mapping of str to str
        Address, key and deployment.

    Yields
    ------
    BaseChatModel
        Without retries of its own, without a cache.

    Raises
    ------
    ConfigError
        If the environment lacks what the provider needs.
    ArtefactError
        If the local model is missing.
    """
    if name == "extractive":
        from notes_summarizer.summary.extractive import ExtractiveChat

        yield ExtractiveChat(cache=False)
    elif name == "local":
        with local_server(settings, environment) as endpoint, open_client(endpoint.base_url, settings) as client:
            yield local_chat(endpoint, settings, client)
    elif name == "azure-openai":
        with open_client(_need(environment, "AZURE_OPENAI_ENDPOINT", name), settings) as client:
            yield _azure_chat(settings, environment, client)
    else:
        with open_client(environment.get("OPENAI_BASE_URL") or OPENAI_URL, settings) as client:
            yield _openai_chat(settings, environment, client)


def call_options(name: str, prompt: Prompt, settings: ProviderSettings, *, streaming: bool, again: bool) -> dict[str, Any]:
    """Give the options of one call.

    Parameters
    ----------
    name : str
        Provider.
    prompt : Prompt
        Its schema, where it has one, binds the answer. The repeat penalty is for plain text alone: JSON repeats its keys, and a small
        model that may not repeat them breaks off words and numbers instead.
    settings : ProviderSettings
        Temperatures and times.
    streaming : bool
        Whether the answer comes in pieces.
    again : bool
        Whether an answer to the same prompt could not be used; the temperature is then another, or the answer would be the same.

    Returns
    -------
    dict
        Keywords of ``invoke`` and ``stream``; none for the provider without a model.
    """
    if name == "extractive":
        return {}
    options: dict[str, Any] = {"temperature": settings.retry_temperature if again else settings.temperature,
                               "timeout": request_timeout(settings, streaming=streaming)}
    if prompt.json_schema is not None:
        options["response_format"] = {"type": "json_schema", "json_schema": {"name": prompt.name, "schema": dict(prompt.json_schema)}}
    elif name == "local":
        options["extra_body"] = {"repeat_penalty": settings.local_repeat_penalty}
    return options


def local_chat(endpoint: LocalEndpoint, settings: ProviderSettings, client: httpx2.Client) -> BaseChatModel:
    """Give the chat model of a local server.

    Parameters
    ----------
    endpoint : LocalEndpoint
        Where it listens.
    settings : ProviderSettings
        Bounds.
    client : httpx2.Client
        Of `open_client`.

    Returns
    -------
    BaseChatModel
        With a fixed seed, so that a repeated run gives the same answers.
    """
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model=endpoint.model, base_url=endpoint.base_url, api_key=SecretStr(endpoint.api_key), seed=0,
                      **_common(settings, client))


def _openai_chat(settings: ProviderSettings, environment: Mapping[str, str], client: httpx2.Client) -> BaseChatModel:
    from langchain_openai import ChatOpenAI

    own_server = environment.get("OPENAI_BASE_URL")
    key = environment.get("OPENAI_API_KEY") or ("none" if own_server else _need(environment, "OPENAI_API_KEY", "openai"))
    return ChatOpenAI(model=environment.get("NOTES_OPENAI_MODEL") or settings.openai_model, base_url=own_server or OPENAI_URL,
                      api_key=SecretStr(key), **_common(settings, client))


def _azure_chat(settings: ProviderSettings, environment: Mapping[str, str], client: httpx2.Client) -> BaseChatModel:
    from langchain_openai import AzureChatOpenAI

    endpoint, key, deployment, version = (_need(environment, name, "azure-openai") for name in (
        "AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_DEPLOYMENT", "OPENAI_API_VERSION"))
    return AzureChatOpenAI(azure_endpoint=endpoint, api_key=SecretStr(key), azure_deployment=deployment, api_version=version,
                           model=deployment, azure_ad_token=None, base_url=None, **_common(settings, client))


def _common(settings: ProviderSettings, client: httpx2.Client) -> dict[str, Any]:
    """Give what all have in common: our own retries, our own client, no cache, and nothing taken from variables of the libraries."""
    return {"temperature": settings.temperature, "max_tokens": settings.max_output_tokens, "max_retries": 0, "http_client": client,
            "openai_proxy": None, "stream_usage": True, "use_responses_api": False, "output_version": "v0", "cache": False,
            "verbose": False}


def _need(environment: Mapping[str, str], variable: str, name: str) -> str:
    value = environment.get(variable, "").strip()
    if not value:
        raise ConfigError(f"provider {name} needs the environment variable {variable}; it is not set. Set it, or choose other providers "
                          "with NOTES_PROVIDERS.")
    return value
