"""What the export costs in accuracy and gives in speed: torch and int8 on the same texts, in turns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.evidence import Metric
from carefolio.timing import LEVEL, REPLICATES, median_time, speed_up, take_turns, torch_threads
from text_classifier.export import torch_probabilities
from text_classifier.predictor import Predictor

BATCH = 32


def measure_export(torch_model: Any, tokenizer: Any, predictor: Predictor, texts: Sequence[str], labels: Sequence[str], *, repeats: int,
                   threads: int, timed_texts: int = 64, seed: int = 0) -> dict[str, Metric]:
    """Compare a tuned model with its export.

    A time is that of the whole way from text to probabilities, words into tokens included. Both are asked in turns, text by text, so
    that a disturbance meets both. With a batch, torch pads 32 texts to the longest one, as is usual, or is asked one by one if that is
    faster: the shorter of both times counts as torch's, so the ratio is the smaller of two.

    Parameters
    ----------
    torch_model : transformers.PreTrainedModel or peft.PeftModel
        On the processor, in float32, in evaluation mode.
    tokenizer : transformers.PreTrainedTokenizerBase
        Its tokenizer.
    predictor : Predictor
        The export, opened with ``threads``.
    texts : sequence of str
        Test texts.
    labels : sequence of str
        Their labels.
    repeats : int
        Timed rounds.
    threads : int
        Threads of either network.
    timed_texts : int, default 64
        Texts that are timed, drawn from all.
    seed : int, default 0
        Of the draw and of the bootstrap.

    Returns
    -------
    dict of str to Metric
        ``accuracy`` (of int8), ``torch_accuracy``, ``accuracy_change``, ``same_label``, ``latency_p50_ms``, ``torch_latency_p50_ms``,
        ``speed_up``, ``batch32_text_ms``, ``torch_batch32_text_ms`` and ``batch32_speed_up``.

    Raises
    ------
    ValueError
        If there are no texts, a label misses, or the predictor has other threads.
    """
    _check(predictor, texts, labels, repeats, threads)
    record = predictor.record
    rng = np.random.default_rng(seed)
    timed = [texts[i] for i in rng.permutation(len(texts))[:timed_texts]]
    with torch_threads(threads):
        found = _accuracies(torch_probabilities(torch_model, tokenizer, texts, record), predictor, texts, labels, rng)

        def ask(some: list[str]) -> None:
            torch_probabilities(torch_model, tokenizer, some, record, batch=BATCH)

        def ask_one_by_one(some: list[str]) -> None:
            torch_probabilities(torch_model, tokenizer, some, record, batch=1)

        singles = take_turns([ask, predictor.classify], [[text] for text in timed], repeats)
        batches = take_turns([ask, ask_one_by_one, predictor.classify], _batches(timed), repeats)
    padded, alone = np.median(batches[0]), np.median(batches[1])
    faster = batches[0] if padded <= alone else batches[1]
    return found | {
        "torch_latency_p50_ms": median_time(singles[0]), "latency_p50_ms": median_time(singles[1]),
        "speed_up": speed_up(singles[0], singles[1], seed=seed), "torch_batch32_text_ms": median_time(faster),
        "batch32_text_ms": median_time(batches[2]), "batch32_speed_up": speed_up(faster, batches[2], seed=seed)}


def _check(predictor: Predictor, texts: Sequence[str], labels: Sequence[str], repeats: int, threads: int) -> None:
    if not texts or len(texts) != len(labels):
        raise ValueError(f"texts and labels must have the same length, at least 1; got {len(texts)} and {len(labels)}. Give the test part.")
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1; got {repeats}.")
    if predictor.threads != threads:
        raise ValueError(f"the predictor runs on {predictor.threads} threads, expected {threads}; open it with threads={threads}.")


def _accuracies(torch_rows: NDArray[np.float64], predictor: Predictor, texts: Sequence[str], labels: Sequence[str],
                rng: np.random.Generator) -> dict[str, Metric]:
    theirs = np.array(predictor.labels)[torch_rows.argmax(axis=1)]
    ours = np.array([answer.label for answer in predictor.classify(texts)])
    right, torch_right, true = ours == np.array(labels), theirs == np.array(labels), len(texts)
    drawn = rng.integers(0, true, size=(REPLICATES, true))

    def share(values: NDArray[Any], *, better: bool | None = True) -> Metric:
        return _interval(float(values.mean()), values[drawn].mean(axis=1), true, better)

    return {"accuracy": share(right), "torch_accuracy": share(torch_right), "same_label": share(ours == theirs),
            "accuracy_change": share(right.astype(float) - torch_right)}


def _interval(value: float, replicates: NDArray[Any], n: int, better: bool | None) -> Metric:
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Metric(value=value, low=float(low), high=float(high), level=LEVEL, n=n, higher_is_better=better)


def _batches(texts: list[str]) -> list[list[str]]:
    whole = [texts[i:i + BATCH] for i in range(0, len(texts) - BATCH + 1, BATCH)]
    return whole or [texts]

