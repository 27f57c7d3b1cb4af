"""See every photograph once, choose the heads out of fold, fit them on all of train, and predict what trained nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import read_json, write_json
from carefolio.parts import read_record, read_table, write_table
from carefolio.pictures import Pixels
from carefolio.progress import progress_bar
from retinopathy.config import RetinopathySettings
from retinopathy.features import HELD_OUT, TRAIN, choose_photographs, extract, limited, read_features, squares, write_features
from retinopathy.heads import N_GRADES, Heads, ask_heads, fit_heads, out_of_fold, step_loss

if TYPE_CHECKING:
    import polars as pl

    from retinopathy.model import Eye

Step = Callable[[str], AbstractContextManager[Any]]
SEEDS = (0, 1, 2)
"""Of the three trainings on the benchmark."""


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
    from carefolio.compute import choose_compute
    from retinopathy.model import open_eye

    eye = open_eye(settings.features.stages, device=choose_compute("float32").device)
    for part in read_record(out)["parts"]:
        with step(f"see {part}"):
            (see_photographs if part == "idrid" else see_benchmark)(settings, out, eye)
        with step(f"train {part}"):
            (train_grader if part == "idrid" else train_benchmark)(settings, out)


def see_photographs(settings: RetinopathySettings, out: Path, eye: Eye) -> None:
    """Prepare the photographs, altered ones too, and keep what the network sees in them.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    eye : Eye
        The network.
    """
    table = choose_photographs(read_table(out, "idrid"), settings.split, seed=settings.seed)
    write_table(out / "features" / "photographs.parquet", table.drop("image"))
    seen = _see(_views_of(table, settings), table.height, eye, settings, title="photographs")
    write_features(out / "features" / "idrid.npz", seen=seen)


def _views_of(table: pl.DataFrame, settings: RetinopathySettings) -> Iterator[list[Pixels]]:
    for row, content in zip(table["row"], table["image"], strict=True):
        yield squares(content, settings.preparation, views=settings.features.views, seed=(settings.seed, row))


def see_benchmark(settings: RetinopathySettings, out: Path, eye: Eye) -> None:
    """Enlarge the pictures of 28 pixels, turn them over, and keep what the network sees in them.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    eye : Eye
        The network.
    """
    table = limited(read_table(out, "retinamnist"), settings.split.max_rows, seed=settings.seed)
    write_table(out / "features" / "pictures.parquet", table.drop("image"))
    side = settings.preparation.small_side
    seen = _see(map(partial(enlarged, side=side), table["image"]), table.height, eye, settings, title="pictures of 28 pixels")
    write_features(out / "features" / "retinamnist.npz", seen=seen)


def enlarged(image: bytes, *, side: int) -> list[Pixels]:
    """Enlarge a picture of the benchmark, and turn it over in three ways.

    Parameters
    ----------
    image : bytes
        Its 28 x 28 x 3 numbers.
    side : int
        Pixels of a side.

    Returns
    -------
    list of ndarray of uint8, each of shape (side, side, 3)
        Four.
    """
    from PIL import Image

    from carefolio.datasets.retinamnist import SIDE

    small = Image.fromarray(np.frombuffer(image, dtype=np.uint8).reshape(SIDE, SIDE, 3))
    large = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    return [np.ascontiguousarray(one) for one in (large, large[:, ::-1], large[::-1], large[::-1, ::-1])]


def _see(pictures: Iterator[list[Pixels]], rows: int, eye: Eye, settings: RetinopathySettings, *, title: str) -> npt.NDArray[np.float32]:
    with progress_bar(title) as advance:
        return extract(pictures, eye.look, rows=rows, batch=settings.features.batch, advance=advance)


def train_grader(settings: RetinopathySettings, out: Path) -> None:
    """Choose the strength out of fold, fit the heads, and keep heads and probabilities.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with its features.
    """
    import polars as pl

    table = pl.read_parquet(out / "features" / "photographs.parquet")
    seen = read_features(out / "features" / "idrid.npz")["seen"]
    grades, risks = (table[name].to_numpy().astype(np.int64) for name in ("dr_grade", "dme_risk"))
    learns = table["fold"].to_numpy() != HELD_OUT
    folds = table["fold"].to_numpy().astype(np.int64)[learns]
    tried = {strength: out_of_fold(seen[learns], grades[learns], risks[learns], folds, strength=strength)
             for strength in settings.heads.strengths}
    losses = {strength: step_loss(found, grades[learns], risks[learns]) for strength, found in tried.items()}
    strength = min(losses, key=lambda one: losses[one])
    heads = fit_heads(seen[learns], grades[learns], risks[learns], strength=strength)
    steps = ask_heads(heads, seen[:, 0])
    steps[learns] = tried[strength]
    write_features(out / "train" / "idrid.npz", steps=steps)
    write_features(out / "train" / "heads.npz", mean=heads.mean, scale=heads.scale, weight=heads.weight, bias=heads.bias)
    write_json(out / "train" / "idrid.json", {"strength": strength, "losses": {str(key): value for key, value in losses.items()}})


def read_heads(out: Path) -> Heads:
    """Read the heads of a run.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Heads
        As they were fitted.
    """
    return Heads(**read_features(out / "train" / "heads.npz"))


def train_benchmark(settings: RetinopathySettings, out: Path) -> None:
    """Fit a linear layer three times, each on its own draw of half of the views, with the strength of the lowest loss on validation.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with its features.
    """
    import polars as pl

    table = pl.read_parquet(out / "features" / "pictures.parquet")
    seen, grades = read_features(out / "features" / "retinamnist.npz")["seen"], table["dr_grade"].to_numpy().astype(np.int64)
    parts = table["part"].cast(pl.String).to_numpy()
    found, chosen = zip(*(_fit_benchmark(seen, grades, parts, settings, seed=seed) for seed in SEEDS), strict=True)
    write_features(out / "train" / "retinamnist.npz", probabilities=np.stack(found))
    write_json(out / "train" / "retinamnist.json", {"strengths": list(chosen)})


def _fit_benchmark(seen: npt.NDArray[Any], grades: npt.NDArray[np.int64], parts: npt.NDArray[Any], settings: RetinopathySettings, *,
                   seed: int) -> tuple[npt.NDArray[np.float64], float]:
    """Give the probabilities of validation and test, mean of the views, and the strength."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    from carefolio.metrics.classification import multiclass_log_loss

    seen, train = seen.astype(np.float64), parts == TRAIN
    chosen = np.random.default_rng(seed).permuted(np.tile(np.arange(seen.shape[1]), (int(train.sum()), 1)), axis=1)[:, :2]
    rows = np.take_along_axis(seen[train], chosen[..., None], axis=1).reshape(-1, seen.shape[2])
    scaler = StandardScaler().fit(rows)
    asked = [scaler.transform(seen[~train, view]) for view in range(seen.shape[1])]
    valid = parts[~train] == "valid"
    tried: list[tuple[float, float, npt.NDArray[np.float64]]] = []
    for strength in settings.heads.strengths:
        model = LogisticRegression(C=strength, max_iter=500).fit(scaler.transform(rows), np.repeat(grades[train], 2))
        found = np.zeros((len(valid), N_GRADES))
        found[:, model.classes_] = np.mean([model.predict_proba(one) for one in asked], axis=0)
        tried.append((multiclass_log_loss(grades[~train][valid], found[valid], labels=range(N_GRADES)), strength, found))
    _, strength, found = min(tried, key=lambda one: one[0])
    return found, strength


def read_strength(out: Path) -> float:
    """Read the strength that was chosen out of fold.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    float
        Inverse regularisation.
    """
    return float(read_json(out / "train" / "idrid.json")["strength"])
