"""What the export costs in accuracy and gives in speed: torch and int8 on the same texts, in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from text_classifier.export import torch_probabilities
from text_classifier.predictor import Predictor

BATCH = 32
LEVEL = 0.95
REPLICATES = 2000
Numbers = dict[str, Any]


def measure_export(torch_model: Any, tokenizer: Any, predictor: Predictor, texts: Sequence[str], labels: Sequence[str], *, repeats: int,
                   threads: int, timed_texts: int = 64, seed: int = 0) -> dict[str, Numbers]:
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
    dict of str to dict
        By name of a metric, such as ``accuracy`` (of int8), ``torch_accuracy``, ``accuracy_change``, ``same_label``, ``latency_p50_ms``,
        ``torch_latency_p50_ms``, ``speed_up``, ``batch32_text_ms``, ``torch_batch32_text_ms`` and ``batch32_speed_up``: ``value``, ``n``,
        ``higher_is_better`` and, where there is an interval, ``low``, ``high`` and ``level``, as `carefolio.evidence.Metric` takes them.

    Raises
    ------
    ValueError
        If there are no texts, a label misses, or the predictor has other threads.
    """
    _check(predictor, texts, labels, repeats, threads)
    record = predictor.record
    rng = np.random.default_rng(seed)
    timed = [texts[i] for i in rng.permutation(len(texts))[:timed_texts]]
    with _torch_threads(threads):
        found = _accuracies(torch_probabilities(torch_model, tokenizer, texts, record), predictor, texts, labels, rng)

        def ask(some: list[str]) -> None:
            torch_probabilities(torch_model, tokenizer, some, record, batch=BATCH)

        def ask_one_by_one(some: list[str]) -> None:
            torch_probabilities(torch_model, tokenizer, some, record, batch=1)

        singles = _take_turns([ask, predictor.classify], [[text] for text in timed], repeats)
        batches = _take_turns([ask, ask_one_by_one, predictor.classify], _batches(timed), repeats)
    found |= _latencies(singles, rng, names=("latency_p50_ms", "speed_up"))
    padded, alone = np.median(batches[0]), np.median(batches[1])
    faster = batches[0] if padded <= alone else batches[1]
    return found | _latencies(np.array([faster, batches[2]]), rng, names=("batch32_text_ms", "batch32_speed_up"))


def _check(predictor: Predictor, texts: Sequence[str], labels: Sequence[str], repeats: int, threads: int) -> None:
    if not texts or len(texts) != len(labels):
        raise ValueError(f"texts and labels must have the same length, at least 1; got {len(texts)} and {len(labels)}. Give the test part.")
    if repeats < 1:
        raise ValueError(f"repeats must be at least 1; got {repeats}.")
    if predictor.threads != threads:
        raise ValueError(f"the predictor runs on {predictor.threads} threads, expected {threads}; open it with threads={threads}.")


def _accuracies(torch_rows: NDArray[np.float64], predictor: Predictor, texts: Sequence[str], labels: Sequence[str],
                rng: np.random.Generator) -> dict[str, Numbers]:
    theirs = np.array(predictor.labels)[torch_rows.argmax(axis=1)]
    ours = np.array([answer.label for answer in predictor.classify(texts)])
    right, torch_right, true = ours == np.array(labels), theirs == np.array(labels), len(texts)
    drawn = rng.integers(0, true, size=(REPLICATES, true))

    def share(values: NDArray[Any], *, better: bool | None = True) -> Numbers:
        return _interval(float(values.mean()), values[drawn].mean(axis=1), true, better)

    return {"accuracy": share(right), "torch_accuracy": share(torch_right), "same_label": share(ours == theirs),
            "accuracy_change": share(right.astype(float) - torch_right)}


def _take_turns(systems: Sequence[Callable[[list[str]], Any]], requests: Sequence[list[str]], repeats: int) -> NDArray[np.float64]:
    """Time every system on every request; the order turns with each round. Gives milliseconds a text, (systems, requests, repeats)."""
    for system in systems:
        system(requests[0])
    times = np.empty((len(systems), len(requests), repeats))
    for repeat in range(repeats):
        for number, request in enumerate(requests):
            for i in np.roll(np.arange(len(systems)), repeat).tolist():
                start = time.perf_counter()
                systems[i](request)
                times[i, number, repeat] = (time.perf_counter() - start) * 1000 / len(request)
    return times


def _latencies(times: NDArray[np.float64], rng: np.random.Generator, *, names: tuple[str, str]) -> dict[str, Numbers]:
    """Give the medians of two systems, and the median ratio with an interval by drawing requests, and then rounds of each."""
    latency, ratio = names
    ratios = times[0] / times[1]
    requests, repeats = ratios.shape
    rows = rng.integers(0, requests, size=(REPLICATES, requests, 1))
    columns = rng.integers(0, repeats, size=(REPLICATES, requests, repeats))
    replicates = np.median(ratios[rows, columns].reshape(REPLICATES, -1), axis=1)
    plain = {f"torch_{latency}": times[0], latency: times[1]}
    found: dict[str, Numbers] = {name: {"value": round(float(np.median(values)), 3), "n": values.size, "higher_is_better": False}
                                 for name, values in plain.items()}
    return found | {ratio: _interval(float(np.median(ratios)), replicates, ratios.size, True)}


def _interval(value: float, replicates: NDArray[Any], n: int, better: bool | None) -> Numbers:
    low, high = np.quantile(replicates, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return {"value": value, "low": float(low), "high": float(high), "level": LEVEL, "n": n, "higher_is_better": better}


def _batches(texts: list[str]) -> list[list[str]]:
    whole = [texts[i:i + BATCH] for i in range(0, len(texts) - BATCH + 1, BATCH)]
    return whole or [texts]


@contextmanager
def _torch_threads(threads: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(before)
