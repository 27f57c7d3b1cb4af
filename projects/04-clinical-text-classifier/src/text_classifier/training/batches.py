"""Texts to padded batches of tokens, those of like length together, in an order that depends on the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SORTED_BATCHES = 16
"""Batches that are filled from texts sorted by length, so that little is padding and order stays random."""


@dataclass(frozen=True)
class Batch:
    """A padded batch.

    Attributes
    ----------
    rows : list of int
        Places of its texts.
    inputs : dict of str to torch.Tensor
        ``input_ids`` and ``attention_mask``, shape (n_rows, longest).
    """

    rows: list[int]
    inputs: dict[str, Any]


def tokenize(texts: Sequence[str], tokenizer: Any, *, max_tokens: int) -> list[list[int]]:
    """Cut texts into tokens.

    Parameters
    ----------
    texts : sequence of str
        Any texts.
    tokenizer : transformers.PreTrainedTokenizerBase
        The model's.
    max_tokens : int
        Longer texts lose their end.

    Returns
    -------
    list of list of int
        Token ids; never empty.
    """
    found: list[list[int]] = tokenizer(list(texts), truncation=True, max_length=max_tokens)["input_ids"]
    return [ids or [tokenizer.pad_token_id] for ids in found]


def training_order(lengths: Sequence[int], size: int, *, seed: int, epoch: int) -> list[list[int]]:
    """Draw the batches of an epoch.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each text.
    size : int
        Texts of a batch.
    seed, epoch : int
        The same two give the same batches.

    Returns
    -------
    list of list of int
        Places of the texts of each batch; each text once.
    """
    chance = np.random.default_rng([seed, epoch])
    order, window = chance.permutation(len(lengths)), size * SORTED_BATCHES
    chunks = [sorted(order[start:start + window].tolist(), key=lambda row: lengths[row]) for start in range(0, len(order), window)]
    batches = [chunk[start:start + size] for chunk in chunks for start in range(0, len(chunk), size)]
    return [batches[place] for place in chance.permutation(len(batches))]


def padded(tokens: Sequence[list[int]], batches: Sequence[list[int]], *, pad: int, device: str) -> Iterator[Batch]:
    """Pad batches to their longest text.

    Parameters
    ----------
    tokens : sequence of list of int
        Of all texts.
    batches : sequence of list of int
        Places of the texts of each batch.
    pad : int
        Token to pad with, at the end.
    device : str
        Where the tensors go.

    Yields
    ------
    Batch
        In the order given.
    """
    import torch

    for rows in batches:
        longest = max(len(tokens[row]) for row in rows)
        ids = torch.full((len(rows), longest), pad, dtype=torch.long)
        mask = torch.zeros((len(rows), longest), dtype=torch.long)
        for place, row in enumerate(rows):
            ids[place, :len(tokens[row])] = torch.tensor(tokens[row])
            mask[place, :len(tokens[row])] = 1
        yield Batch(rows, {"input_ids": ids.to(device), "attention_mask": mask.to(device)})
