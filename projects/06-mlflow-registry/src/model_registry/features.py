"""The train part of an experiment, encoded once for all trials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from carefolio.encoding import fit_categories, to_matrix
from model_registry.data import PATIENT, Table

Matrix = NDArray[np.float32]
Fold = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Prepared:
    """Train rows as arrays, their outcomes by column, what encodes them, and the folds by patient."""

    X: Matrix
    outcomes: Mapping[str, NDArray[Any]]
    folds: tuple[Fold, ...]
    features: tuple[str, ...]
    categories: dict[str, list[str]]


def prepare(table: Table, outcomes: Sequence[str], *, folds: int, seed: int) -> Prepared:
    """Encode the train part once for all trials.

    Parameters
    ----------
    table : Table
        An experiment's rows.
    outcomes : sequence of str
        Columns of the outcome; every fold gets a like share of the first.
    folds : int
        How many; all rows of a patient stand in one.
    seed : int
        Seed of the folds.

    Returns
    -------
    Prepared
        Arrays and folds.
    """
    from sklearn.model_selection import StratifiedGroupKFold

    rows = table.part("train")
    categories = fit_categories(rows, table.features)
    X = to_matrix(rows, table.features, categories)
    splitter = StratifiedGroupKFold(n_splits=folds, shuffle=True, random_state=seed)
    return Prepared(X, {name: rows[name].to_numpy() for name in outcomes},
                    tuple(splitter.split(X, rows[outcomes[0]].to_numpy(), rows[PATIENT].to_numpy())), table.features, categories)
