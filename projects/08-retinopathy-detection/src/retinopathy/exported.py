"""Hold the exported files against torch on the test part: whether they decide the same grades, and how much faster they are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from carefolio.evidence import Metric, metric
from carefolio.pictures import Pixels
from carefolio.timing import median_time, speed_up, take_turns, torch_threads
from retinopathy.config import RetinopathySettings
from retinopathy.features import TEST, ahead, squares
from retinopathy.heads import DR, decide_grade, tempered
from retinopathy.model import Grader
from retinopathy.predictor import MODEL_FILES, RetinaPredictor
from retinopathy.seeing import kept_photographs

Steps = npt.NDArray[np.float64]
TIMED, REPEATS = 8, 5
"""Photographs that the times are taken on, and how often."""


def compare_exports(grader: Grader, folder: Path, prepared: Sequence[Pixels], *, temperature: float,
                    seed: int) -> tuple[dict[str, Metric], dict[str, Steps]]:
    """Ask torch and the exported files about the test photographs, and time them in turns on one core.

    Parameters
    ----------
    grader : Grader
        As torch runs it.
    folder : Path
        Of the exported files.
    prepared : sequence of ndarray of uint8, each of shape (side, side, 3)
        Photographs of the test part.
    temperature : float
        As it was chosen out of fold.
    seed : int
        Of the interval.

    Returns
    -------
    metrics : dict of str to Metric
        ``idrid.test.<precision>`` with ``same_grades``, ``largest_difference``, ``milliseconds`` and ``speed_up`` over torch.
    steps : dict of str to ndarray, shape (n, 6)
        Probabilities by precision.
    """
    expected = np.concatenate([_ask_torch(grader, one[None]) for one in prepared])
    predictors = [RetinaPredictor.open(folder, precision=precision) for precision in MODEL_FILES]
    metrics, answers = dict[str, Metric](), dict[str, Steps]()
    for precision, predictor in zip(MODEL_FILES, predictors, strict=True):
        steps = np.concatenate([predictor.ask(one[None])[0] for one in prepared]).astype(np.float64)
        same = decide_grade(tempered(steps, temperature)[:, DR]) == decide_grade(tempered(expected, temperature)[:, DR])
        answers[precision] = steps
        metrics[f"idrid.test.{precision}.same_grades"] = metric(float(same.mean()), n=len(same), higher_is_better=True)
        metrics[f"idrid.test.{precision}.largest_difference"] = metric(float(np.abs(steps - expected).max()), n=len(same),
                                                                       higher_is_better=False)
    return metrics | _time(grader, predictors, prepared[:TIMED], seed=seed), answers


def _time(grader: Grader, predictors: list[RetinaPredictor], prepared: Sequence[Pixels], *, seed: int) -> dict[str, Metric]:
    systems: list[Callable[[Any], Any]] = [lambda own: _ask_torch(grader, np.stack(own)),
                                           *(lambda own, ask=predictor.ask: ask(np.stack(own)) for predictor in predictors)]
    with torch_threads(1):
        times = take_turns(systems, [[one] for one in prepared], REPEATS)
    found = {"idrid.test.torch.milliseconds": median_time(times[0])}
    for place, precision in enumerate(MODEL_FILES, start=1):
        found[f"idrid.test.{precision}.milliseconds"] = median_time(times[place])
        found[f"idrid.test.{precision}.speed_up"] = speed_up(times[0], times[place], seed=seed)
    return found


def _ask_torch(grader: Grader, one: Pixels) -> Steps:
    with torch.inference_mode():
        return np.asarray(grader(torch.from_numpy(one))[0].numpy(), dtype=np.float64)


def prepare_test(settings: RetinopathySettings, out: Path) -> list[Pixels]:
    """Prepare the photographs of the test part.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    list of ndarray of uint8, each of shape (side, side, 3)
        In the order of all answers.
    """
    files = [(content, (settings.seed,)) for content in kept_photographs(out).filter(part=TEST)["image"]]
    return [views[0] for views in ahead(partial(squares, settings=settings.preparation), files)]
