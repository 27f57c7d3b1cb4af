"""Splits by patient, by time and by site, and checks that refuse leakage.

A split function gives one label a row. Rows labelled ``"dropped"`` belong to no part. ``Split`` holds the row ids of each part;
its hash goes into the evidence.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from carefolio.artefacts import read_json, write_text
from carefolio.exceptions import ArtefactError, LeakageError
from carefolio.metrics.discrimination import roc_auc

if TYPE_CHECKING:
    import polars as pl

DROPPED = "dropped"
PERFECT_AUROC = 0.999
ROWS_PER_LEVEL = 5  # with fewer rows a distinct value, a feature is taken as a number or free text, not as categories


@dataclass(frozen=True)
class Split:
    """Which rows belong to which part.

    Attributes
    ----------
    unit : str
        What is never divided between parts, for example ``"patient"``.
    parts : mapping of str to array, shape (n_part_rows,)
        Sorted row ids of each part, whole numbers or text.
    """

    unit: str
    parts: Mapping[str, NDArray[Any]]

    def sha256(self) -> str:
        """Hash the content; the order of parts and rows, and the file's form, do not matter.

        Returns
        -------
        str
            Lower-case hexadecimal SHA-256.
        """
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def save(self, path: Path) -> Path:
        """Write the split and its hash as JSON.

        Parameters
        ----------
        path : Path
            Destination.

        Returns
        -------
        Path
            The destination.
        """
        return write_text(path, json.dumps({**self._content(), "sha256": self.sha256()}, separators=(",", ":")) + "\n")

    def _content(self) -> dict[str, Any]:
        return {"unit": self.unit, "parts": {name: np.sort(ids).tolist() for name, ids in self.parts.items()}}


def load_split(path: Path) -> Split:
    """Read a split that ``Split.save`` wrote.

    Parameters
    ----------
    path : Path
        The JSON file.

    Returns
    -------
    Split
        The split.

    Raises
    ------
    ArtefactError
        If the file is missing, of another form, or its rows do not match its hash.
    """
    content = read_json(path)
    try:
        split = Split(content["unit"], {name: np.asarray(ids) for name, ids in content["parts"].items()})
        expected = content["sha256"]
    except (KeyError, TypeError, AttributeError):
        raise ArtefactError(f"{path} is not a split: expected `unit`, `parts` and `sha256`; make the split again.") from None
    if split.sha256() != expected:
        raise ArtefactError(f"{path} holds rows with SHA-256 {split.sha256()}, expected {expected}; it was changed. Make the split again.")
    return split


def make_split(row_ids: ArrayLike, labels: ArrayLike, *, unit: str) -> Split:
    """Collect the row ids of each part.

    Parameters
    ----------
    row_ids : array-like, shape (n_rows,)
        Unique ids of the rows, for example ``encounter_id``.
    labels : array-like of str, shape (n_rows,)
        Part of each row; rows labelled ``"dropped"`` are left out.
    unit : str
        What is never divided between parts, for example ``"patient"``.

    Returns
    -------
    Split
        Parts with sorted ids.

    Raises
    ------
    ValueError
        If the lengths differ or an id stands twice.
    """
    ids, names = _same_length(row_ids=row_ids, labels=labels)
    if len(np.unique(ids)) != len(ids):
        raise ValueError(f"row_ids must be unique; {len(ids) - len(np.unique(ids))} of {len(ids)} stand twice. Pass one id a row.")
    return Split(unit, {str(name): np.sort(ids[names == name]) for name in np.unique(names) if name != DROPPED})


def patient_split(groups: ArrayLike, *, fractions: Mapping[str, float], random_state: int) -> NDArray[np.str_]:
    """Divide patients at random, each with all of their rows in one part.

    Parameters
    ----------
    groups : array-like, shape (n_rows,)
        Patient of each row.
    fractions : mapping of str to float
        Share of the patients in each part; the shares add up to 1.
    random_state : int
        Seed. The result depends on the set of patients and the seed, not on the order of rows.

    Returns
    -------
    ndarray of str, shape (n_rows,)
        Part of each row.

    Raises
    ------
    ValueError
        If the shares are not positive or do not add up to 1, or there are fewer patients than parts.
    """
    if any(share <= 0 for share in fractions.values()) or abs(sum(fractions.values()) - 1) > 1e-9:
        raise ValueError(f"fractions must be positive and add up to 1; got {dict(fractions)}.")
    (patients_of_rows,) = _same_length(groups=groups)
    patients, position = np.unique(patients_of_rows, return_inverse=True)
    sizes = np.diff(np.round(np.cumsum(list(fractions.values())) * len(patients)).astype(int), prepend=0)
    if (sizes < 1).any():
        raise ValueError(f"{len(patients)} patients are too few for parts {dict(fractions)}; each part needs at least one.")
    labels = np.repeat(np.asarray(list(fractions), dtype=np.str_), sizes)
    shuffled = np.empty_like(labels)
    shuffled[np.random.default_rng(random_state).permutation(len(patients))] = labels
    return shuffled[position]


def temporal_split(order: ArrayLike, groups: ArrayLike, *, test_fraction: float) -> tuple[NDArray[np.str_], int]:
    """Test on the latest rows, and train on the earlier rows of patients who are not in the test part.

    The earlier rows of a test patient are dropped rather than the later ones, so that the test part stays what a model would
    meet: everyone who comes after the cut. Training thereby loses patients who come often; report how many rows were dropped.

    Parameters
    ----------
    order : array-like, shape (n_rows,)
        Time or a proxy for it, larger is later. Rows that tie at the cut all go to the test part.
    groups : array-like, shape (n_rows,)
        Patient of each row.
    test_fraction : float
        Share of the rows after the cut, between 0 and 1.

    Returns
    -------
    labels : ndarray of str, shape (n_rows,)
        ``"train"``, ``"test"`` or ``"dropped"``.
    n_dropped : int
        Number of dropped rows.

    Raises
    ------
    ValueError
        If the share is not between 0 and 1, or no training rows would be left.
    """
    if not 0 < test_fraction < 1:
        raise ValueError(f"test_fraction must lie between 0 and 1; got {test_fraction}.")
    times, patients = _same_length(order=order, groups=groups)
    n_test = max(1, round(test_fraction * len(times)))
    late = times >= np.sort(times)[len(times) - n_test]
    dropped = ~late & np.isin(patients, patients[late])
    if (late | dropped).all():
        raise ValueError(f"no training rows are left: {late.sum()} rows are after the cut, {dropped.sum()} belong to patients seen there. "
                         "Lower test_fraction.")
    return np.where(late, "test", np.where(dropped, DROPPED, "train")), int(dropped.sum())


def site_split(sites: ArrayLike, *, test_sites: Sequence[Any]) -> NDArray[np.str_]:
    """Test on sites that training never sees.

    Parameters
    ----------
    sites : array-like, shape (n_rows,)
        Hospital, region or other site of each row.
    test_sites : sequence
        Sites held out.

    Returns
    -------
    ndarray of str, shape (n_rows,)
        ``"train"`` or ``"test"``. Check patients who were at several sites with ``check_no_group_overlap``.

    Raises
    ------
    ValueError
        If a test site has no rows or no site is left for training.
    """
    (places,) = _same_length(sites=sites)
    unknown = [site for site in test_sites if not (places == site).any()]
    held_out = np.isin(places, np.asarray(list(test_sites)))
    if unknown or not held_out.any():
        raise ValueError(f"test_sites must name sites in the data; got {list(test_sites)}, without rows: {unknown or 'all'}.")
    if held_out.all():
        raise ValueError("test_sites must leave at least one site for training; got all of them.")
    return np.where(held_out, "test", "train")


def check_no_group_overlap(groups: ArrayLike, parts: ArrayLike) -> None:
    """Refuse a patient with rows in two parts.

    Parameters
    ----------
    groups : array-like, shape (n_rows,)
        Patient of each row.
    parts : array-like of str, shape (n_rows,)
        Part of each row; ``"dropped"`` counts as none.

    Raises
    ------
    LeakageError
        Naming how many patients, the first of them and its parts.
    """
    _check_one_part_each(groups, parts, what="patient", next_step="Split by patient with patient_split.")


def check_no_duplicate_rows_across_parts(rows: ArrayLike | pl.DataFrame, parts: ArrayLike) -> None:
    """Refuse the same text, image or table row in two parts.

    Parameters
    ----------
    rows : array-like, shape (n_rows,), or polars.DataFrame
        Hash or content of each row, or a table whose whole rows are compared; leave ids out of it.
    parts : array-like of str, shape (n_rows,)
        Part of each row; ``"dropped"`` counts as none.

    Raises
    ------
    LeakageError
        Naming how many distinct rows are shared, the first of them and its parts.
    """
    content = rows.hash_rows().to_numpy() if hasattr(rows, "hash_rows") else rows
    _check_one_part_each(content, parts, what="row content", next_step="Remove duplicates, or keep them together, before the split.")


def check_no_target_in_features(X: Mapping[str, ArrayLike] | pl.DataFrame, y: ArrayLike) -> None:
    """Refuse a feature that gives the target away on its own.

    That is a feature whose every value goes with one target value only (a copy, a relabelling, a finer version of it, or a
    value that is missing for one outcome only), and a number that ranks the target almost perfectly: AUROC above 0.999, or for a
    target with more than two values a rank correlation above 0.999, in either direction.

    Parameters
    ----------
    X : mapping of str to array-like, shape (n_rows,), or polars.DataFrame
        Features by name.
    y : array-like, shape (n_rows,)
        Target, at least two different values.

    Raises
    ------
    LeakageError
        Naming the first such feature.
    ValueError
        If the target is constant or the lengths differ.
    """
    codes = _codes(target := np.asarray(y))
    if codes.max(initial=0) < 1:
        raise ValueError("y must have at least two different values; got one. Check the cohort.")
    for name in X.columns if hasattr(X, "columns") else X:
        values = np.asarray(X[name])
        if values.shape != target.shape:
            raise ValueError(f"feature {name!r} must have one value a row; got shape {values.shape} for y of shape {target.shape}.")
        if reason := _gives_away(values, target, codes):
            raise LeakageError(f"feature {name!r} holds the target: {reason}. Leave it out, or take its value at prediction time.")


def check_resampling_after_split(train_ids: ArrayLike, original_ids: ArrayLike) -> None:
    """Refuse a part that was drawn from resampled data.

    Oversampling before the split puts copies of a row, or points made from it, on both sides. So the rows of a part, as the
    split gave them, must be rows of the original table, each once. Resample the training part afterwards.

    Parameters
    ----------
    train_ids : array-like, shape (n_part_rows,)
        Row ids of the training part, or any other part, before any resampling of that part.
    original_ids : array-like, shape (n_rows,)
        Row ids of the original table.

    Raises
    ------
    LeakageError
        If a row is not in the original table (made up) or stands more than once (copied).
    """
    (part,), (original,) = _same_length(train_ids=train_ids), _same_length(original_ids=original_ids)
    ids, counts = np.unique(part, return_counts=True)
    cause = "the data was resampled before the split. Split first, then resample the training part only."
    if len(made_up := ids[~np.isin(ids, original)]):
        raise LeakageError(f"{len(made_up)} of {len(ids)} rows are not in the original table, first id {made_up[0]}: {cause}")
    if len(copied := ids[counts > 1]):
        raise LeakageError(f"{len(copied)} of {len(ids)} rows stand more than once, first id {copied[0]}: {cause}")


def _check_one_part_each(groups: ArrayLike, parts: ArrayLike, *, what: str, next_step: str) -> None:
    values, labels = _same_length(groups=groups, parts=parts)
    values, labels = values[labels != DROPPED], labels[labels != DROPPED]
    ids, group = np.unique(values, return_inverse=True)
    names, part = np.unique(labels, return_inverse=True)
    seen = np.zeros((len(ids), len(names)), dtype=bool)
    seen[group, part] = True
    if len(shared := np.flatnonzero(seen.sum(axis=1) > 1)):
        where = " and ".join(names[seen[shared[0]]])
        raise LeakageError(f"{len(shared)} of {len(ids)} {what}s stand in more than one part, first {str(ids[shared[0]])[:60]!r} "
                           f"in {where}; expected none. {next_step}")


def _gives_away(values: NDArray[Any], target: NDArray[Any], codes: NDArray[np.int64]) -> str:
    levels, missing, n_classes = _codes(values), _missing(values), int(codes.max()) + 1
    n_levels = int(levels.max()) + 1
    comparable = n_levels <= max(len(values) / ROWS_PER_LEVEL, n_classes) and n_classes <= len(values) / 2
    if comparable and _count_pairs(levels, codes) == n_levels:
        return "each of its values goes with one target value only"
    if missing.any() and not missing.all() and n_classes == 2 and _count_pairs(missing, codes) == 2:
        return "it is missing for one target value, and only there"
    if values.dtype.kind not in "biuf" or missing.all():
        return ""
    return _ranks_target(values[~missing].astype(float), target[~missing], codes[~missing])


def _count_pairs(levels: NDArray[Any], codes: NDArray[np.int64]) -> int:
    return len(np.unique(levels * (codes.max() + 1) + codes))


def _ranks_target(values: NDArray[np.float64], target: NDArray[Any], codes: NDArray[np.int64]) -> str:
    n_classes = len(np.unique(codes))
    if n_classes < 2 or len(np.unique(values)) < 2:
        return ""
    if n_classes == 2:
        auroc = 0.5 + abs(roc_auc(codes == codes.max(), values) - 0.5)
        return f"alone it reaches an AUROC of {auroc:.4f}" if auroc > PERFECT_AUROC else ""
    from scipy.stats import spearmanr  # a slow import, needed only here

    correlation = abs(float(spearmanr(values, target).statistic)) if target.dtype.kind in "biuf" else 0.0
    return f"its rank correlation with the target is {correlation:.4f}" if correlation > PERFECT_AUROC else ""


def _missing(values: NDArray[Any]) -> NDArray[np.bool_]:
    if values.dtype.kind == "f":
        return np.isnan(values)
    return np.asarray([value is None for value in values]) if values.dtype.kind == "O" else np.zeros(len(values), dtype=bool)


def _codes(values: NDArray[Any]) -> NDArray[np.int64]:
    """Number the distinct values; missing ones are a value of their own."""
    if values.dtype.kind in "biuf":
        return np.unique(values, return_inverse=True)[1].astype(np.int64)
    numbers: defaultdict[Any, int] = defaultdict(itertools.count().__next__)
    return np.asarray([numbers[value] for value in values.tolist()], dtype=np.int64)


def _same_length(**arrays: ArrayLike) -> list[NDArray[Any]]:
    found = [np.asarray(array) for array in arrays.values()]
    sizes = {name: array.shape for name, array in zip(arrays, found, strict=True)}
    if any(len(shape) != 1 for shape in sizes.values()) or len({shape[0] for shape in sizes.values()}) != 1 or not found[0].size:
        raise ValueError(f"{' and '.join(arrays)} must have one value a row and the same length, not empty; got shapes {sizes}.")
    for name, array in zip(arrays, found, strict=True):
        if _missing(array).any():
            raise ValueError(f"{name} must not have missing values; first at row {np.flatnonzero(_missing(array))[0]}. Drop or name them.")
    return found
