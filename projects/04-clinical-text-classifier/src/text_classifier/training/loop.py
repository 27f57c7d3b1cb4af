"""One training: AdamW with warm-up, gradient accumulation, early stopping on validation, and a checkpoint after each epoch.

Reference: Loshchilov I, Hutter F. Decoupled weight decay regularization. ICLR 2019.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.checkpoints import State, load_best, load_state, save_state
from carefolio.compute import Compute, choose_compute
from text_classifier.config import DECIDING, SystemSettings, TrainingSettings
from text_classifier.model import Opened, count_parameters
from text_classifier.training.batches import padded, tokenize, training_order

Advance = Callable[[int, int], None]
EVALUATION_BATCH = 32


@dataclass(frozen=True)
class Examples:
    """Texts with labels.

    Attributes
    ----------
    texts : sequence of str
        What is read.
    labels : sequence of int
        Place of each label among the model's outputs.
    """

    texts: Sequence[str]
    labels: Sequence[int]


@dataclass(frozen=True)
class _Run:
    """What one training holds on to."""

    opened: Opened
    compute: Compute
    optimizer: Any
    settings: TrainingSettings
    system: SystemSettings
    seed: int
    tokens: list[list[int]]
    labels: Sequence[int]
    valid_tokens: list[list[int]]
    valid_labels: Sequence[int]


def fit(opened: Opened, train: Examples, valid: Examples, settings: TrainingSettings, system: SystemSettings, folder: Path, *, seed: int,
        max_tokens: int, advance: Advance) -> dict[str, Any]:
    """Train a model; one that was stopped goes on after its last whole epoch.

    Parameters
    ----------
    opened : Opened
        The model; it ends with the weights of its best epoch.
    train, valid : Examples
        What it learns from, and what decides when it stops.
    settings : TrainingSettings
        Decay, patience, numbers.
    system : SystemSettings
        Rate, epochs, batches.
    folder : Path
        Of the checkpoints.
    seed : int
        Of order and dropout.
    max_tokens : int
        Longer texts lose their end.
    advance : callable
        Told how many texts are done, and of how many.

    Returns
    -------
    dict
        What is known of the training: parameters, epochs, seconds, tokens, device and numbers.

    Raises
    ------
    ArtefactError
        If a checkpoint does not fit, or there is no space left for one.
    """
    run = _start(opened, train, valid, settings, system, seed=seed, max_tokens=max_tokens)
    folder.mkdir(parents=True, exist_ok=True)
    state = load_state(folder, _fingerprint(run, train, max_tokens), opened.model, run.optimizer)
    while state.epoch < system.epochs and state.epoch - state.best_epoch < settings.patience:
        _epoch(run, state, advance)
        save_state(folder, state, opened.model, run.optimizer)
    load_best(folder, opened.model)
    every, trained = count_parameters(opened.model)
    return {"parameters": every, "trained_parameters": trained, "epochs": state.history, "best_epoch": state.best_epoch,
            "seconds": state.seconds, "cpu_seconds": state.cpu_seconds, "tokens": state.tokens, "samples": state.samples,
            "device": run.compute.device, "precision": run.compute.precision, "max_tokens": max_tokens}


def predict(opened: Opened, texts: Sequence[str], *, max_tokens: int, compute: Compute | None = None) -> npt.NDArray[np.float64]:
    """Give the logits of texts.

    Parameters
    ----------
    opened : Opened
        The model.
    texts : sequence of str, length n
        Any texts.
    max_tokens : int
        Longer texts lose their end.
    compute : Compute, optional
        Device and numbers; default float32 where the model is.

    Returns
    -------
    ndarray of float64, shape (n, n_labels)
        Logits.
    """
    return _logits(opened, tokenize(texts, opened.tokenizer, max_tokens=max_tokens), compute or Compute("cpu", "float32"))


def _start(opened: Opened, train: Examples, valid: Examples, settings: TrainingSettings, system: SystemSettings, *, seed: int,
           max_tokens: int) -> _Run:
    import torch

    if settings.threads:
        torch.set_num_threads(settings.threads)
    compute = choose_compute(settings.precision)
    opened.model.to(compute.device)
    weights = [parameter for parameter in opened.model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=system.learning_rate, weight_decay=settings.weight_decay, fused=True)
    tokens = [tokenize(part.texts, opened.tokenizer, max_tokens=max_tokens) for part in (train, valid)]
    return _Run(opened, compute, optimizer, settings, system, seed, tokens[0], train.labels, tokens[1], valid.labels)


def _set_rate(run: _Run, step: int) -> None:
    """Set the learning rate of a step: up in a straight line while warming, then down to 0."""
    total = run.system.epochs * math.ceil(math.ceil(len(run.tokens) / run.system.batch) / run.system.accumulation)
    warm = max(1, round(run.settings.warmup_share * total))
    for group in run.optimizer.param_groups:
        group["lr"] = run.system.learning_rate * min((step + 1) / warm, max(0.0, (total - step) / max(1, total - warm)))


def _epoch(run: _Run, state: State, advance: Advance) -> None:
    """Train for one epoch, judge it on validation, and write both down."""
    import torch

    began, cpu = time.perf_counter(), time.process_time()
    torch.manual_seed(1000 * run.seed + state.epoch)
    loss = _train_epoch(run, state, advance)
    valid = judge(_logits(run.opened, run.valid_tokens, run.compute), run.valid_labels)
    state.epoch += 1
    if state.best_loss is None or valid["valid_loss"] < state.best_loss:
        state.best_epoch, state.best_loss = state.epoch, valid["valid_loss"]
    state.samples += len(run.tokens)
    state.tokens += sum(map(len, run.tokens))
    seconds = time.perf_counter() - began
    state.seconds += seconds
    state.cpu_seconds += time.process_time() - cpu
    state.history.append({"epoch": state.epoch, "train_loss": loss, "seconds": seconds} | valid)


def _train_epoch(run: _Run, state: State, advance: Advance) -> float:
    import torch

    model, total, done = run.opened.model, 0.0, 0
    model.train()
    batches = training_order([len(ids) for ids in run.tokens], run.system.batch, seed=run.seed, epoch=state.epoch)
    size = run.system.accumulation
    groups = [batches[start:start + size] for start in range(0, len(batches), size)]
    for place, group in enumerate(groups):
        _set_rate(run, state.epoch * len(groups) + place)
        texts = sum(map(len, group))
        for batch in padded(run.tokens, group, pad=run.opened.tokenizer.pad_token_id, device=run.compute.device):
            truth = torch.tensor([run.labels[row] for row in batch.rows], device=run.compute.device)
            with run.compute.autocast():
                logits = model(**batch.inputs).logits
            loss = torch.nn.functional.cross_entropy(logits.float(), truth, reduction="sum", label_smoothing=run.settings.label_smoothing)
            torch.autograd.backward(loss / texts)
            total += float(loss.detach())
            done += len(batch.rows)
            advance(state.epoch * len(run.tokens) + done, run.system.epochs * len(run.tokens))
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        run.optimizer.step()
        run.optimizer.zero_grad()
    return total / len(run.tokens)


def _logits(opened: Opened, tokens: list[list[int]], compute: Compute) -> npt.NDArray[np.float64]:
    import torch

    opened.model.eval()
    order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
    batches = [order[start:start + EVALUATION_BATCH] for start in range(0, len(order), EVALUATION_BATCH)]
    found = np.zeros((len(tokens), len(opened.labels)))
    with torch.inference_mode(), compute.autocast():
        for batch in padded(tokens, batches, pad=opened.tokenizer.pad_token_id, device=compute.device):
            found[batch.rows] = opened.model(**batch.inputs).logits.float().cpu().numpy()
    return found


def judge(logits: npt.NDArray[np.float64], labels: Sequence[int]) -> dict[str, float]:
    """Judge logits on validation.

    Parameters
    ----------
    logits : ndarray, shape (n, k)
        Of the texts.
    labels : sequence of int, length n
        The right ones.

    Returns
    -------
    dict of str to float
        ``valid_loss`` and ``valid_accuracy``.
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return {"valid_loss": float(-log_probabilities[np.arange(len(labels)), list(labels)].mean()),
            "valid_accuracy": float((logits.argmax(axis=1) == np.asarray(labels)).mean())}


def _fingerprint(run: _Run, train: Examples, max_tokens: int) -> str:
    """Hash all that decides how a training goes."""
    said = {"base": [run.opened.base.name, run.opened.base.revision], "labels": list(run.opened.labels), "seed": run.seed,
            "system": run.system.model_dump(mode="json", exclude={"seeds", "max_train_rows"}), "max_tokens": max_tokens,
            "training": run.settings.model_dump(mode="json", include=set(DECIDING)),
            "texts": hashlib.sha256("\x1e".join(train.texts).encode()).hexdigest(), "answers": list(map(int, train.labels)),
            "compute": [run.compute.device, run.compute.precision], "trained": count_parameters(run.opened.model)[1]}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
