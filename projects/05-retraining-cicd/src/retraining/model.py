"""The champion and its challengers: recalibrated gradient-boosted trees on chapter 02's features; how one is taught and kept."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from carefolio.boosted import BoostedModel, BoostedSettings, fit_boosted, load_boosted
from carefolio.exceptions import ArtefactError
from retraining.config import ModelSettings
from retraining.data import PATIENT
from retraining.features import TARGET, feature_names, read_labelled, teaching_rows
from retraining.store import Store

LEARNER = ("learning_rate", "num_leaves", "min_child_samples", "feature_fraction", "bagging_fraction", "lambda_l2", "cat_smooth")


def boosted_settings(settings: ModelSettings, *, seed: int) -> BoostedSettings:
    """Turn the chapter's settings into those of the learner.

    Parameters
    ----------
    settings : ModelSettings
        From the configuration.
    seed : int
        Seed.

    Returns
    -------
    BoostedSettings
        For `carefolio.boosted`.
    """
    return BoostedSettings({name: getattr(settings, name) for name in LEARNER}, settings.folds, settings.max_rounds,
                           settings.early_stopping_rounds, settings.threads, seed)


def teach(rows: pl.DataFrame, settings: ModelSettings, *, seed: int, batches: Sequence[int]) -> BoostedModel:
    """Teach a model.

    Parameters
    ----------
    rows : polars.DataFrame
        Labelled rows of patients who teach.
    settings : ModelSettings
        The learner's settings.
    seed : int
        Seed.
    batches : sequence of int
        Where the rows come from; stands in the model's manifest.

    Returns
    -------
    BoostedModel
        Trees and recalibration.
    """
    training = {"batches": list(batches), "rows": rows.height, "returns": int(rows[TARGET].sum()), "seed": seed}
    return fit_boosted(rows, rows[TARGET].to_numpy(), rows[PATIENT].to_numpy(), features=feature_names(rows),
                       settings=boosted_settings(settings, seed=seed), training=training)


def teach_on_batches(store: Store, batches: Sequence[int], settings: ModelSettings, *, now: int, seed: int) -> BoostedModel:
    """Teach a model on the teaching patients of batches.

    Parameters
    ----------
    store : Store
        Folder of the run.
    batches : sequence of int
        Their outcomes must be known.
    settings : ModelSettings
        The learner's settings.
    now : int
        The newest batch that has arrived.
    seed : int
        Seed.

    Returns
    -------
    BoostedModel
        Trees and recalibration.
    """
    return teach(teaching_rows(read_labelled(store, batches, now=now)), settings, seed=seed, batches=batches)


def keep(store: Store, model: BoostedModel) -> str:
    """Keep a model under the hash of its manifest; one that is kept already stays as it is.

    Parameters
    ----------
    store : Store
        Folder of the run.
    model : BoostedModel
        The model.

    Returns
    -------
    str
        SHA-256 of its manifest.
    """
    sha256 = model.save(store.folder / "models" / ".new")
    place = store.model(sha256)
    if not (place / "model.json").is_file():
        (store.folder / "models" / ".new").rename(place)
    return sha256


def load(store: Store, sha256: str) -> BoostedModel:
    """Read a kept model.

    Parameters
    ----------
    store : Store
        Folder of the run.
    sha256 : str
        Of its manifest.

    Returns
    -------
    BoostedModel
        Ready to predict.

    Raises
    ------
    ArtefactError
        If it is missing, altered or cut short.
    """
    if not store.model(sha256).is_dir():
        raise ArtefactError(f"model {sha256[:16]} is not in {store.folder / 'models'}; restore the folder, or replay the run.")
    return load_boosted(store.model(sha256), sha256=sha256)


def size_mb(store: Store, sha256: str) -> float:
    """Measure the files of a model.

    Parameters
    ----------
    store : Store
        Folder of the run.
    sha256 : str
        Of its manifest.

    Returns
    -------
    float
        Millions of bytes.
    """
    return sum(path.stat().st_size for path in store.model(sha256).iterdir()) / 1e6


def describe(model: BoostedModel) -> dict[str, Any]:
    """Say what the journal keeps of a model.

    Parameters
    ----------
    model : BoostedModel
        The model.

    Returns
    -------
    dict
        Batches, rows and returns that taught it, and its rounds.
    """
    return {name: model.training[name] for name in ("batches", "rows", "returns", "rounds")}
