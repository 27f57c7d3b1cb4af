"""Tune the later stages of the network together with the heads, from heads that were fitted on the frozen network.

Starting from fitted heads keeps what the network has learnt from a million pictures better than starting from heads drawn by chance, which
counts for photographs of other cameras. The first stages stay as they are, so that what they see is computed once.

Reference: Kumar A, Raghunathan A, Jones R, Ma T, Liang P. Fine-tuning can distort pretrained features and underperform out-of-distribution.
ICLR 2022.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from carefolio.checkpoints import load_state, save_state
from retinopathy.config import TuningSettings
from retinopathy.heads import Grades, steps_of
from retinopathy.model import Grader, never_rising

Half = npt.NDArray[np.float16]
Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Beginnings:
    """What the first stages see, which does not change.

    Attributes
    ----------
    maps : ndarray of float16, shape (n, views, channels, height, width)
        Of the first stage that is pooled.
    lit : ndarray of float16, shape (n, views, 1, height, width)
        Share of each place that shows something.
    """

    maps: Half
    lit: Half

    def take(self, rows: npt.NDArray[np.int64], views: npt.NDArray[np.int64], device: torch.device) -> tuple[Tensor, Tensor]:
        """Bring some to where the network is.

        Parameters
        ----------
        rows, views : ndarray of int, shape (k,)
            Which photographs, and which view of each.
        device : torch.device
            Where to.

        Returns
        -------
        maps, lit : torch.Tensor of float32
            Of k photographs.
        """
        maps, lit = (torch.from_numpy(one[rows, views]).to(device).float() for one in (self.maps, self.lit))
        return maps.contiguous(memory_format=torch.channels_last), lit


def logits_of(grader: Grader, maps: Tensor, lit: Tensor, *, dropout: float = 0.0) -> Tensor:
    """Ask the later stages and the heads.

    Parameters
    ----------
    grader : Grader
        Being tuned, or tuned.
    maps, lit : torch.Tensor
        As `Beginnings.take` gives them.
    dropout : float, default 0
        Share of the pooled numbers that the heads do not see.

    Returns
    -------
    torch.Tensor of float32, shape (k, 6)
        Of the steps.
    """
    standard = grader.standard(grader.eye.pooled(maps, lit))
    found: Tensor = grader.heads(nn.functional.dropout(standard, dropout, training=dropout > 0))
    return found


def tune(grader: Grader, seen: Beginnings, grades: Grades, risks: Grades, rows: npt.NDArray[np.int64], settings: TuningSettings,
         folder: Path, *, seed: int, advance: Advance) -> None:
    """Tune a grader, or go on with a tuning that was stopped.

    Parameters
    ----------
    grader : Grader
        With fitted heads; it is changed.
    seen : Beginnings
        Of all photographs.
    grades, risks : ndarray of int, shape (n,)
        Right ones.
    rows : ndarray of int
        The photographs that teach.
    settings : TuningSettings
        Epochs, rates, dropout.
    folder : Path
        Of the state after each epoch.
    seed : int
        Of order, views and dropout.
    advance : callable
        Told how many epochs are done, and of how many.
    """
    tuned = [weight for part in _tuned_parts(grader) for weight in part.requires_grad_(requires_grad=True).parameters()]
    heads = list(grader.heads.parameters())
    optimizer = torch.optim.AdamW([{"params": tuned[:-len(heads)], "peak": settings.rate}, {"params": heads, "peak": settings.head_rate}],
                                  weight_decay=settings.decay)
    averaged = Averaged(grader)
    answers = torch.from_numpy(steps_of(grades, risks)).float()
    state = load_state(folder, _fingerprint(settings, rows, answers, seed), averaged, optimizer)
    while state.epoch < settings.epochs:
        advance(state.epoch, settings.epochs)
        started = time.perf_counter()
        loss = _epoch(averaged, seen, answers, rows, settings, optimizer, epoch=state.epoch, seed=seed)
        state.epoch += 1
        state.seconds += time.perf_counter() - started
        state.samples += len(rows)
        state.history.append({"epoch": state.epoch, "loss": loss})
        folder.mkdir(parents=True, exist_ok=True)
        save_state(folder, state, averaged, optimizer)
    advance(settings.epochs, settings.epochs)
    averaged.settle()
    grader.eval().requires_grad_(requires_grad=False)


def _tuned_parts(grader: Grader) -> list[nn.Module]:
    network, first, last = grader.eye.network, grader.eye.stages[0], max(grader.eye.stages)
    return [*network.blocks[network.ends[first] + 1:network.ends[last] + 1], grader.heads]


def _fingerprint(settings: TuningSettings, rows: npt.NDArray[np.int64], answers: Tensor, seed: int) -> str:
    told = json.dumps([settings.model_dump(mode="json"), seed, torch.__version__])
    return hashlib.sha256(told.encode() + rows.tobytes() + answers.numpy().tobytes()).hexdigest()


class Averaged(nn.Module):
    """A grader in tuning, with the running average of its weights, which wanders less than they do.

    Parameters
    ----------
    grader : Grader
        Its trained weights are averaged.

    Notes
    -----
    Polyak BT, Juditsky AB. Acceleration of stochastic approximation by averaging. SIAM J Control Optim 1992;30:838-855.
    """

    steps: Tensor

    def __init__(self, grader: Grader) -> None:
        super().__init__()
        self.grader = grader
        self.trained = [one for one in grader.parameters() if one.requires_grad]
        self.register_buffer("steps", torch.zeros(()))
        for number, one in enumerate(self.trained):
            self.register_buffer(f"average_{number}", one.detach().clone())

    def _averages(self) -> list[Tensor]:
        return [self.get_buffer(f"average_{number}") for number in range(len(self.trained))]

    def take_in(self, averaging: float) -> None:
        """Take the weights after a step into the average; the first steps count more, so that the start is soon forgotten.

        Parameters
        ----------
        averaging : float
            Share of the old average that stays.
        """
        self.steps += 1
        stays = min(averaging, float(self.steps / (9 + self.steps)))
        with torch.no_grad():
            for average, weight in zip(self._averages(), self.trained, strict=True):
                average.lerp_(weight, 1 - stays)

    def settle(self) -> None:
        """Give the grader its average weights."""
        with torch.no_grad():
            for average, weight in zip(self._averages(), self.trained, strict=True):
                weight.copy_(average)


def _epoch(averaged: Averaged, seen: Beginnings, answers: Tensor, rows: npt.NDArray[np.int64], settings: TuningSettings,
           optimizer: torch.optim.Optimizer, *, epoch: int, seed: int) -> float:
    """Show every photograph once, in an order and with views that depend on the seed and the epoch alone; give the mean loss."""
    rng, device = np.random.default_rng([seed, epoch]), averaged.trained[0].device
    torch.manual_seed(int(rng.integers(2**31)))
    order, batches, total = rng.permutation(rows), -(-len(rows) // settings.batch), 0.0
    for number, some in enumerate(np.array_split(order, batches)):
        done = (epoch + number / batches) / settings.epochs
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * share_of_rate(done, settings.warm_up)
        maps, lit = seen.take(some, rng.integers(0, seen.maps.shape[1], len(some)), device)
        (maps, lit), wanted = mix((maps, lit), answers[some].to(device), settings.mixing, rng)
        found = logits_of(averaged.grader, maps, lit, dropout=settings.dropout)
        loss = nn.functional.binary_cross_entropy_with_logits(found, wanted)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(averaged.trained, 1.0)
        optimizer.step()
        averaged.take_in(settings.averaging)
        total += loss.item() * len(some)
    return total / len(rows)


def mix(shown: tuple[Tensor, Tensor], answers: Tensor, mixing: float, rng: np.random.Generator) -> tuple[tuple[Tensor, Tensor], Tensor]:
    """Lay each photograph of a batch over another, and its answers over those of the other.

    Parameters
    ----------
    shown : tuple of torch.Tensor
        Maps and lit places, first axis over photographs.
    answers : torch.Tensor, shape (k, 6)
        Right ones.
    mixing : float
        Both parameters of the beta distribution that the share is drawn from; 0 leaves all as it is.
    rng : numpy.random.Generator
        Source of chance.

    Returns
    -------
    shown : tuple of torch.Tensor
        Mixed.
    answers : torch.Tensor
        Mixed by the same share.

    Notes
    -----
    Zhang H, Cisse M, Dauphin YN, Lopez-Paz D. mixup: beyond empirical risk minimization. ICLR 2018.
    """
    if mixing == 0:
        return shown, answers
    share, others = float(rng.beta(mixing, mixing)), torch.from_numpy(rng.permutation(len(answers))).to(answers.device)
    maps, lit, mixed = (share * one + (1 - share) * one[others] for one in (*shown, answers))
    return (maps, lit), mixed


def share_of_rate(done: float, warm_up: float) -> float:
    """Give the learning rate as a share of its peak: it rises evenly, then falls as a cosine.

    Parameters
    ----------
    done : float
        Share of the training that is done, 0 to 1.
    warm_up : float
        Share of the training in which it rises.

    Returns
    -------
    float
        0 to 1.
    """
    if done < warm_up:
        return (done + 0.1 * warm_up) / (1.1 * warm_up)
    return float(0.5 * (1 + np.cos(np.pi * (done - warm_up) / (1 - warm_up))))


def ask_tuned(grader: Grader, seen: Beginnings, rows: npt.NDArray[np.int64], *, view: int = 0, batch: int = 16) -> npt.NDArray[np.float64]:
    """Ask a grader about photographs whose beginnings are at hand.

    Parameters
    ----------
    grader : Grader
        Tuned.
    seen : Beginnings
        Of all photographs.
    rows : ndarray of int, shape (k,)
        Which ones.
    view : int, default 0
        Which view; the first is the photograph as it is.
    batch : int, default 16
        Asked at once.

    Returns
    -------
    ndarray of float64, shape (k, 6)
        Probabilities of the steps, never rising.
    """
    device, found = next(grader.parameters()).device, []
    with torch.inference_mode():
        for start in range(0, len(rows), batch):
            some = rows[start:start + batch]
            maps, lit = seen.take(some, np.full(len(some), view), device)
            found.append(never_rising(torch.sigmoid(logits_of(grader, maps, lit))).cpu().numpy())
    return np.concatenate(found).astype(np.float64)
