"""Calibrated gradient-boosted trees on a table with categories: fitted by groups, kept as LightGBM's text and a JSON manifest, no pickle.

The manifest names the features, the categories, the recalibration and the SHA-256 of the trees, so that the hash of the manifest alone
names the whole model. LightGBM is imported where it is used; a chapter that fits such a model depends on it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from carefolio.artefacts import atomic_path, read_json, sha256_file, write_json
from carefolio.encoding import fit_categories, to_matrix
from carefolio.exceptions import ArtefactError

if TYPE_CHECKING:
    import lightgbm
    import polars as pl

TREES_FILE, MANIFEST_FILE = "trees.lgb.txt", "model.json"
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BoostedSettings:
    """How trees are grown.

    Attributes
    ----------
    parameters : mapping
        LightGBM's parameters beyond the deterministic ones that are always set.
    folds : int
        Folds of groups for the number of rounds and the recalibration.
    max_rounds, early_stopping_rounds : int
        Bound and patience of a fold.
    threads : int
        Threads of one fit; a result to the digit needs the same number.
    seed : int
        Seed of folds, bagging and feature sampling.
    """

    parameters: Mapping[str, Any]
    folds: int
    max_rounds: int
    early_stopping_rounds: int
    threads: int
    seed: int


@dataclass(frozen=True)
class BoostedModel:
    """Trees, logistic recalibration of their margin, and the encoding of their inputs."""

    booster: lightgbm.Booster
    intercept: float
    slope: float
    features: tuple[str, ...]
    categories: dict[str, list[str]]
    training: dict[str, Any]

    def margin(self, frame: pl.DataFrame) -> Floats:
        """Give the raw score of the trees.

        Parameters
        ----------
        frame : polars.DataFrame
            n rows with the model's features.

        Returns
        -------
        ndarray of shape (n,)
            Log-odds before recalibration.
        """
        matrix = to_matrix(frame, self.features, self.categories)
        return np.asarray(self.booster.predict(matrix, raw_score=True, num_threads=1), dtype=np.float64)

    def predict(self, frame: pl.DataFrame) -> Floats:
        """Predict probabilities.

        Parameters
        ----------
        frame : polars.DataFrame
            n rows with the model's features.

        Returns
        -------
        ndarray of shape (n,)
            Probabilities of 1.
        """
        return np.asarray(1.0 / (1.0 + np.exp(-(self.intercept + self.slope * self.margin(frame)))))

    def recalibrated(self, frame: pl.DataFrame, y: ArrayLike) -> BoostedModel:
        """Fit intercept and slope anew and leave the trees as they are.

        Parameters
        ----------
        frame : polars.DataFrame
            n rows that did not grow the trees.
        y : array-like, shape (n,)
            0 or 1, both present.

        Returns
        -------
        BoostedModel
            With the same trees.
        """
        intercept, slope = _fit_line(self.margin(frame), np.asarray(y))
        return replace(self, intercept=intercept, slope=slope)

    def save(self, folder: Path) -> str:
        """Write the trees, then the manifest that vouches for them.

        Parameters
        ----------
        folder : Path
            Destination.

        Returns
        -------
        str
            SHA-256 of the manifest, which names the whole model.
        """
        with atomic_path(folder / TREES_FILE) as path:
            path.write_text(self.booster.model_to_string(num_iteration=-1), encoding="utf-8")
        manifest = {"schema": 1, "trees_sha256": sha256_file(folder / TREES_FILE), "intercept": self.intercept, "slope": self.slope,
                    "features": list(self.features), "categories": self.categories, "training": self.training}
        return sha256_file(write_json(folder / MANIFEST_FILE, manifest))


def load_boosted(folder: Path, *, sha256: str) -> BoostedModel:
    """Read a model whose bytes are the expected ones; both files are checked before they are parsed.

    Parameters
    ----------
    folder : Path
        As `BoostedModel.save` left it.
    sha256 : str
        Of its manifest.

    Returns
    -------
    BoostedModel
        Ready to predict.

    Raises
    ------
    ArtefactError
        If a file is missing, altered or cut short.
    """
    import lightgbm as lgb

    _check_bytes(folder / MANIFEST_FILE, sha256)
    manifest = read_json(folder / MANIFEST_FILE)
    trees = _check_bytes(folder / TREES_FILE, manifest["trees_sha256"])
    return BoostedModel(lgb.Booster(model_str=trees.decode("utf-8")), manifest["intercept"], manifest["slope"],
                        tuple(manifest["features"]), manifest["categories"], manifest["training"])


def _check_bytes(path: Path, expected: str) -> bytes:
    content = path.read_bytes() if path.is_file() else None
    got = hashlib.sha256(content).hexdigest() if content is not None else "no file"
    if content is None or got != expected:
        raise ArtefactError(f"{path} must have SHA-256 {expected}; got {got}. Restore it, or train again.")
    return content


def group_folds(groups: ArrayLike, *, folds: int, seed: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Deal groups into folds at random; for many groups that is as even as stratifying them, and far quicker.

    Parameters
    ----------
    groups : array-like, shape (n,)
        Patient of each row.
    folds : int
        How many.
    seed : int
        Seed.

    Returns
    -------
    list of (train, valid)
        Positions of rows; all rows of a group stand on one side.
    """
    labels, codes = np.unique(np.asarray(groups), return_inverse=True)
    fold = (np.random.default_rng(seed).permutation(labels.size) % folds)[codes]
    return [(np.flatnonzero(fold != one), np.flatnonzero(fold == one)) for one in range(folds)]


def fit_boosted(frame: pl.DataFrame, y: ArrayLike, groups: ArrayLike, *, features: Sequence[str], settings: BoostedSettings,
                training: Mapping[str, Any]) -> BoostedModel:
    """Grow trees for the median of the folds' best rounds, and recalibrate on the margins of the rows left out.

    Parameters
    ----------
    frame : polars.DataFrame
        n training rows with the columns ``features``.
    y : array-like, shape (n,)
        0 or 1.
    groups : array-like, shape (n,)
        Patient of each row; all rows of one stand in one fold.
    features : sequence of str
        Columns that the model reads.
    settings : BoostedSettings
        How to grow them.
    training : mapping
        What the manifest says of the training rows; ready for JSON. ``rounds`` is added.

    Returns
    -------
    BoostedModel
        The fitted model.
    """
    import lightgbm as lgb

    target, categories = np.asarray(y), fit_categories(frame, features)
    X = to_matrix(frame, features, categories)
    fixed = {"objective": "binary", "metric": "auc", "verbose": -1, "num_threads": settings.threads, "deterministic": True,
             "force_row_wise": True, "bagging_freq": 1, "seed": settings.seed, "feature_pre_filter": False, **settings.parameters}

    def _dataset(rows: NDArray[Any]) -> lgb.Dataset:
        return lgb.Dataset(X[rows], target[rows], feature_name=list(features), categorical_feature=list(categories),
                           params={"feature_pre_filter": False, "verbose": -1})

    margin, rounds = np.zeros(target.size), []
    for train, valid in group_folds(groups, folds=settings.folds, seed=settings.seed):
        fitted = lgb.train(fixed, _dataset(train), num_boost_round=settings.max_rounds, valid_sets=[_dataset(valid)],
                           callbacks=[lgb.early_stopping(settings.early_stopping_rounds, verbose=False)])
        margin[valid] = fitted.predict(X[valid], raw_score=True)
        rounds.append(int(fitted.best_iteration))
    booster = lgb.train(fixed, _dataset(np.arange(target.size)), num_boost_round=int(np.median(rounds)))
    intercept, slope = _fit_line(margin, target)
    return BoostedModel(booster, intercept, slope, tuple(features), categories, {**training, "rounds": int(np.median(rounds))})


def _fit_line(margin: Floats, y: NDArray[Any]) -> tuple[float, float]:
    """Fit intercept and slope by maximum likelihood (Cox 1958; Platt 1999)."""
    from sklearn.linear_model import LogisticRegression

    line = LogisticRegression(C=np.inf, tol=1e-8).fit(margin.reshape(-1, 1), y)
    return float(line.intercept_[0]), float(line.coef_[0, 0])
