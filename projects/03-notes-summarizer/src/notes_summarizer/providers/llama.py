"""The process that serves a GGUF file by llama.cpp on the loopback address: ``python -m notes_summarizer.providers.llama``.

It ends with the process that started it, writes no prompt to its output, keeps none of one request for the next, and asks for the key
that it is given by an environment variable.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from carefolio.exceptions import ConfigError
from notes_summarizer.providers.connection import is_loopback
from notes_summarizer.providers.local import KEY_VARIABLE

if TYPE_CHECKING:
    import xllamacpp

ERRORS_ONLY = 1
"""llama.cpp's verbosity; higher ones tell of requests."""


def parameters(model: str, *, port: int, context_tokens: int, threads: int, key: str) -> xllamacpp.CommonParams:
    """Set llama.cpp up.

    Parameters
    ----------
    model : str
        Path of a GGUF file.
    port : int
        Port on the loopback address.
    context_tokens : int
        Most tokens of prompt and answer together.
    threads : int
        Threads that compute.
    key : str
        Key that a request has to carry.

    Returns
    -------
    xllamacpp.CommonParams
        One request at a time; a prompt that is too long is refused, never cut.
    """
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path, params.model_alias = model, {Path(model).stem}
    params.hostnames, params.port, params.api_keys = ["127.0.0.1"], port, [key]
    params.n_ctx, params.n_parallel, params.ctx_shift = context_tokens, 1, False
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.cpuparams.poll = params.cpuparams_batch.poll = 0
    params.n_gpu_layers = 0
    params.cache_prompt, params.cache_ram_mib = False, 0
    params.ui = params.endpoint_slots = params.endpoint_props = params.endpoint_metrics = False
    params.cors_origins = ""
    params.verbosity, params.offline = ERRORS_ONLY, True
    return params


def main() -> None:
    """Serve until the process that started this one has ended."""
    parent = os.getppid()
    parser = argparse.ArgumentParser(prog="python -m notes_summarizer.providers.llama")
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--context", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    options = parser.parse_args()
    key = os.environ.pop(KEY_VARIABLE, "")
    if not key:
        raise ConfigError(f"the local server needs a key in {KEY_VARIABLE}; it is not set. Start it through local_server().")
    import xllamacpp

    params = parameters(options.model, port=options.port, context_tokens=options.context, threads=options.threads, key=key)
    server = xllamacpp.Server(params)
    if not is_loopback(server.listening_address) or urlsplit(server.listening_address).port != options.port:
        sys.exit(f"the local server must listen on 127.0.0.1:{options.port}; got {server.listening_address}")
    while os.getppid() == parent:
        time.sleep(0.5)


if __name__ == "__main__":
    main()
