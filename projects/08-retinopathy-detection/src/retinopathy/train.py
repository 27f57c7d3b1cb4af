"""Choose the heads out of fold, tune the network from them fold by fold and on all of train, and predict what trained nothing.

Each fold's grader is asked about the photographs that it has not seen. On those answers it is chosen whether tuning pays, and where the
thresholds and sets lie; the grader that is kept has then been trained in the same way on all of train.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import atomic_path, write_json
from carefolio.compute import choose_compute
from carefolio.parts import read_record
from carefolio.progress import progress_bar
from retinopathy.benchmark import train_benchmark
from retinopathy.choosing import FROZEN, TUNED, Answers, keep_one, read_wanted
from retinopathy.config import RetinopathySettings
from retinopathy.features import HELD_OUT, write_features
from retinopathy.heads import Grades, Heads, answer_all, fit_heads
from retinopathy.model import Grader, open_eye
from retinopathy.seeing import PHOTOGRAPHS, read_seen, see_benchmark, see_photographs
from retinopathy.sizes import train_sizes
from retinopathy.tuning import Beginnings, ask_tuned, tune

Step = Callable[[str], AbstractContextManager[Any]]
FINAL = "final"
"""Name of the grader that is trained on all of train."""


def train_parts(settings: RetinopathySettings, out: Path, *, step: Step) -> None:
    """Train what a run has data for.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with its data.
    step : callable
        Gives a context manager for a titled step.
    """
    eye = open_eye(settings.features.stages, device=choose_compute("float32").device)
    for part in read_record(out)["parts"]:
        with step(f"see {part}"):
            (see_photographs if part == PHOTOGRAPHS else see_benchmark)(settings, out, eye)
        with step(f"train {part}"):
            (train_grader if part == PHOTOGRAPHS else train_benchmark)(settings, out)
        if part == PHOTOGRAPHS:
            with step("make smaller"):
                train_sizes(settings, out, eye)


def train_grader(settings: RetinopathySettings, out: Path) -> None:
    """Choose the strength of the heads, tune a grader for each fold and one on all, and keep it only if it loses less out of fold.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with what was seen.
    """
    grades, risks, folds = read_wanted(out)
    pooled, beginnings = read_seen(out, PHOTOGRAPHS)
    learns = np.flatnonzero(folds != HELD_OUT)
    frozen, losses = answer_all(pooled, grades, risks, folds, strengths=settings.heads.strengths)
    strength = min(losses, key=lambda one: losses[one])
    answers = {FROZEN: frozen, TUNED: np.zeros_like(frozen)}
    for fold in range(settings.split.folds):
        here = np.flatnonzero(folds == fold)
        grader = _tune(f"fold-{fold}", np.setdiff1d(learns, here), pooled, beginnings, grades, risks, strength, settings, out)
        answers[TUNED][here] = ask_tuned(grader, beginnings, here)
    graders = {FROZEN: _fit(pooled[learns], grades[learns], risks[learns], strength, settings),
               TUNED: _tune(FINAL, learns, pooled, beginnings, grades, risks, strength, settings, out)}
    held_out, views = np.flatnonzero(folds == HELD_OUT), pooled.shape[1]
    answers[TUNED][held_out] = ask_tuned(graders[TUNED], beginnings, held_out)
    kept = keep_one({name: Answers(grades[learns], risks[learns], steps[learns]) for name, steps in answers.items()})
    altered = np.stack([ask_tuned(graders[kept], beginnings, held_out, view=view) for view in range(1, views)], axis=1)
    write_features(out / "train" / "idrid.npz", **answers, grader=answers[kept], altered=altered)
    write_json(out / "train" / "idrid.json", {"strength": strength, "losses": {str(one): losses[one] for one in losses}, "kept": kept})
    _write_weights(graders[kept], out / "train" / "grader.safetensors")


def _fit(pooled: npt.NDArray[np.float32], grades: Grades, risks: Grades, strength: float, settings: RetinopathySettings) -> Grader:
    grader = Grader(open_eye(settings.features.stages), fit_heads(pooled, grades, risks, strength=strength))
    return grader.to(choose_compute("float32").device).eval().requires_grad_(requires_grad=False)


def _tune(name: str, rows: npt.NDArray[np.int64], pooled: npt.NDArray[np.float32], beginnings: Beginnings, grades: Grades, risks: Grades,
          strength: float, settings: RetinopathySettings, out: Path) -> Grader:
    grader = _fit(pooled[rows], grades[rows], risks[rows], strength, settings)
    with progress_bar(f"tune {name}, epochs") as advance:
        tune(grader, beginnings, grades, risks, rows, settings.tuning, out / "train" / name, seed=settings.seed, advance=advance)
    return grader


def _write_weights(grader: Grader, path: Path) -> None:
    from safetensors.torch import save_file

    with atomic_path(path) as temporary:
        save_file({name: value.contiguous().cpu() for name, value in grader.state_dict().items()}, temporary)


def read_grader(settings: RetinopathySettings, out: Path) -> Grader:
    """Read the grader of a run.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, trained.

    Returns
    -------
    Grader
        On the processor, ready to be asked.
    """
    from safetensors.torch import load_file

    kept = load_file(out / "train" / "grader.safetensors")
    width, steps = kept["mean"].shape[0], kept["heads.bias"].shape[0]
    blank = Heads(np.zeros(width), np.ones(width), np.zeros((width, steps)), np.zeros(steps))
    grader = Grader(open_eye(settings.features.stages), blank)
    grader.load_state_dict(kept)
    return grader.eval().requires_grad_(requires_grad=False)
