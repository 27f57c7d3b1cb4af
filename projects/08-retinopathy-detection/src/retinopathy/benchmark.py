"""The benchmark of 28 pixels: the same network and heads on RetinaMNIST, frozen and tuned three times. An anchor, no clinical claim."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import write_json
from carefolio.compute import choose_compute
from carefolio.evidence import Metric, metric
from carefolio.metrics.discrimination import roc_auc
from carefolio.progress import progress_bar
from carefolio.uncertainty import bootstrap_values
from retinopathy.config import RetinopathySettings
from retinopathy.features import TEST, TRAIN, VALID, read_features, write_features
from retinopathy.heads import DR, N_GRADES, Grades, Heads, ask_heads, fit_heads, grade_probabilities, step_loss
from retinopathy.model import Grader, open_eye
from retinopathy.seeing import PICTURES, TURNS, read_seen
from retinopathy.tuning import Beginnings, ask_tuned, tune

Floats = npt.NDArray[np.float64]
SEEDS = (0, 1, 2)
"""Of the trainings."""
NAMES = ("accuracy", "roc_auc")


def train_benchmark(settings: RetinopathySettings, out: Path) -> None:
    """Choose the strength of the heads on validation, tune three times, and keep all answers.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with what was seen.
    """
    grades, parts = read_pictures(out)
    risks, train, valid = np.zeros_like(grades), np.flatnonzero(parts == TRAIN), np.flatnonzero(parts == VALID)
    pooled, beginnings = read_seen(out, PICTURES)
    fitted = {strength: fit_heads(pooled[train], grades[train], risks[train], strength=strength) for strength in settings.heads.strengths}
    answers = {strength: _ask_turns(pooled, heads) for strength, heads in fitted.items()}
    losses = {strength: step_loss(found[valid], grades[valid], risks[valid]) for strength, found in answers.items()}
    strength = min(losses, key=lambda one: losses[one])
    tuned = [_tune(fitted[strength], beginnings, grades, train, settings, out, seed=settings.seed + seed) for seed in SEEDS]
    write_features(out / "train" / f"{PICTURES}.npz", frozen=answers[strength][None], tuned=np.stack(tuned))
    write_json(out / "train" / f"{PICTURES}.json", {"strength": strength, "losses": {str(key): value for key, value in losses.items()}})


def read_pictures(out: Path) -> tuple[Grades, npt.NDArray[Any]]:
    """Read the grades of the pictures, and the official parts.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    grades : ndarray of int, shape (n,)
        0 to 4.
    parts : ndarray of str, shape (n,)
        ``train``, ``valid`` or ``test``.
    """
    import polars as pl

    table = pl.read_parquet(out / "features" / "pictures.parquet")
    return table["dr_grade"].to_numpy().astype(np.int64), table["part"].cast(pl.String).to_numpy()


def _ask_turns(pooled: npt.NDArray[np.float32], heads: Heads) -> Floats:
    return np.asarray(np.mean([ask_heads(heads, pooled[:, turn]) for turn in range(TURNS)], axis=0))


def _tune(heads: Heads, beginnings: Beginnings, grades: Grades, train: npt.NDArray[np.int64], settings: RetinopathySettings, out: Path, *,
          seed: int) -> Floats:
    """Give the answers to all pictures, mean of their turns."""
    grader = Grader(open_eye(settings.features.stages), heads).to(choose_compute("float32").device)
    with progress_bar(f"tune on 28 pixels, seed {seed}, epochs") as advance:
        tune(grader, beginnings, grades, np.zeros_like(grades), train, settings.benchmark, out / "train" / f"pictures-{seed}", seed=seed,
             advance=advance)
    everyone = np.arange(len(grades))
    return np.asarray(np.mean([ask_tuned(grader, beginnings, everyone, view=turn) for turn in range(TURNS)], axis=0))


def evaluate_benchmark(settings: RetinopathySettings, out: Path) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Judge frozen and tuned networks: the mean of three trainings, and the worst and the best.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.

    Returns
    -------
    metrics : dict of str to Metric
        ``retinamnist.<part>.<system>.accuracy`` and ``roc_auc`` (mean of the grades, each against the others).
    curves : dict
        Nothing that is drawn.
    """
    grades, parts = read_pictures(out)
    metrics: dict[str, Metric] = {}
    for system, steps in read_features(out / "train" / f"{PICTURES}.npz").items():
        for part in (VALID, TEST):
            here = parts == part
            probabilities = np.stack([grade_probabilities(one[here][:, DR]) for one in steps])
            metrics |= judge(f"retinamnist.{part}.{system}", probabilities, grades[here], settings)
    return metrics, {}


def judge(name: str, probabilities: Floats, truth: Grades, settings: RetinopathySettings) -> dict[str, Metric]:
    """Score several trainings of a system on the same pictures.

    Parameters
    ----------
    name : str
        Beginning of the ids.
    probabilities : ndarray, shape (trainings, n, 5)
        Of the grades.
    truth : ndarray of int, shape (n,)
        Right grades.
    settings : RetinopathySettings
        Replicates, level and seed.

    Returns
    -------
    dict of str to Metric
        Mean of the trainings with an interval by drawing pictures; the lowest and the highest where there are several.
    """
    limits = settings.evaluation

    def _means(weights: Floats) -> list[float]:
        return [float(value) for value in np.mean([scores(one, truth, weights) for one in probabilities], axis=0)]

    intervals = bootstrap_values(_means, groups=np.arange(len(truth)), n_replicates=limits.replicates, level=limits.level,
                                 random_state=settings.seed)
    found = {f"{name}.{score}": metric(interval, higher_is_better=True) for score, interval in zip(NAMES, intervals, strict=True)}
    if len(probabilities) == 1:
        return found
    own = np.array([scores(one, truth, np.ones(len(truth))) for one in probabilities])
    as_metric = partial(metric, n=len(truth), higher_is_better=True)
    return found | {f"{name}.{which}_seed_{score}": as_metric(float(values[place])) for which, values in
                    (("lowest", own.min(axis=0)), ("highest", own.max(axis=0))) for place, score in enumerate(NAMES)}


def scores(probabilities: Floats, truth: Grades, weights: Floats) -> tuple[float, float]:
    """Compute accuracy, and the mean area under the curve of each grade against the others.

    Parameters
    ----------
    probabilities : ndarray, shape (n, 5)
        Of the grades.
    truth : ndarray of int, shape (n,)
        Right grades.
    weights : ndarray, shape (n,)
        Of the pictures.

    Returns
    -------
    accuracy, area : float
        Higher is better; a grade that no picture has is left out of the area.
    """
    areas = [roc_auc(np.asarray(truth == grade, dtype=np.int64), probabilities[:, grade], sample_weight=weights)
             for grade in range(N_GRADES) if weights[truth == grade].sum() > 0]
    return float(weights @ (probabilities.argmax(axis=1) == truth) / weights.sum()), float(np.mean(areas))
