"""Which providers the page can offer here, and what has to be said before one is used."""

import functools
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from carefolio.exceptions import ArtefactError
from notes_summarizer.providers.local import find_model
from notes_summarizer.providers.settings import REMOTE

TITLES = {"extractive": "Rules, no language model", "local": "Small model on this machine",
          "openai": "OpenAI-compatible service", "azure-openai": "Azure OpenAI"}
"""Names of the providers for people."""
AZURE = ("AZURE_OPENAI_ENDPOINT", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_DEPLOYMENT", "OPENAI_API_VERSION")


def offered(environment: Mapping[str, str]) -> dict[str, str]:
    """List what can be used here.

    Parameters
    ----------
    environment : mapping of str to str
        Where addresses and keys stand.

    Returns
    -------
    dict of str to str
        Names of providers, each with the title that the page gives it.
    """
    names = ["extractive"]
    if not local_problem(environment.get("NOTES_LOCAL_MODEL", "")):
        names.append("local")
    if environment.get("OPENAI_API_KEY") or environment.get("OPENAI_BASE_URL"):
        names.append("openai")
    if all(environment.get(variable) for variable in AZURE):
        names.append("azure-openai")
    return {name: TITLES[name] for name in names}


@functools.cache
def local_problem(own_model: str) -> str:
    """Say why the local model cannot be used.

    Parameters
    ----------
    own_model : str
        Value of ``NOTES_LOCAL_MODEL``.

    Returns
    -------
    str
        What is wrong and what to do; empty if nothing is. The file is looked at once.
    """
    try:
        find_model({"NOTES_LOCAL_MODEL": own_model})
    except ArtefactError as error:
        return str(error)
    return ""


def leaving_words(names: Sequence[str], environment: Mapping[str, str]) -> str:
    """Warn of the providers that text leaves this machine for.

    Parameters
    ----------
    names : sequence of str
        Chosen providers.
    environment : mapping of str to str
        Where their addresses stand.

    Returns
    -------
    str
        A warning that names the hosts; empty if all stays here.
    """
    from notes_summarizer.providers.chat import OPENAI_URL
    from notes_summarizer.providers.connection import is_loopback

    if not set(names) & set(REMOTE):
        return ""
    addresses = {"openai": environment.get("OPENAI_BASE_URL") or OPENAI_URL, "azure-openai": environment.get("AZURE_OPENAI_ENDPOINT", "")}
    hosts = [urlsplit(addresses[name]).hostname or "an unknown host" for name in names
             if name in addresses and not is_loopback(addresses[name])]
    if not hosts:
        return ""
    return (f"The text will leave this machine for {' and '.join(hosts)}, without the identifiers that the firewall finds. One that it "
            "misses goes with it.")
