"""Sentence embeddings by all-MiniLM-L6-v2 from a package on this machine; nothing is looked up on a network.

Mean of the last layer's vectors over the tokens of a text, scaled to length 1, so that a product of two vectors is their cosine.
Reference: Reimers N, Gurevych I. Sentence-BERT. EMNLP 2019.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.packaged_models import MINILM, Precision, quiet_transformers

DIMENSIONS = 384
Vectors = npt.NDArray[np.float32]


class SentenceEncoder:
    """The model, loaded once a process and precision.

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
        done = 0
        for rows in batches_of_like_length([len(ids) for ids in tokens], self._batch_tokens):
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


def batches_of_like_length(lengths: Sequence[int], batch_tokens: int) -> list[list[int]]:
    """Cut rows, shortest first, into batches that stay below so many tokens with their padding.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each row.
    batch_tokens : int
        Most tokens of a batch, padding included; a longer row has a batch of its own.

    Returns
    -------
    list of list of int
        Rows of each batch.
    """
    batches: list[list[int]] = [[]]
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if batches[-1] and lengths[row] * (len(batches[-1]) + 1) > batch_tokens:
            batches.append([])
        batches[-1].append(row)
    return batches


@functools.cache
def _load(precision: Precision) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    folder = MINILM.find()
    with quiet_transformers():
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True, dtype=torch.float32).eval()
    if precision == "bfloat16":
        model = model.to(torch.bfloat16)
    return tokenizer, model
