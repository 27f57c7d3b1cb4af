"""Which photographs count, in which fold, and what the network sees in each: pooled maps of its middle stages.

Photographs that stand twice are taken out of train where they also stand in the test, and both where their grades contradict each other.
IDRiD names no patients; neighbouring files resemble each other in colour and grade, so that folds are made of blocks of files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import atomic_path
from carefolio.pictures import Pixels, read_picture
from carefolio.splits import check_no_duplicate_rows_across_parts
from retinopathy.alteration import alter, alter_field, draw_alteration, turn_over
from retinopathy.config import PreparationSettings, SplitSettings
from retinopathy.preparation import Field, NoFieldError, cut_out, even_light, find_field, whole_picture

if TYPE_CHECKING:
    import polars as pl

    from retinopathy.model import Seen

Features = npt.NDArray[np.float32]
TRAIN, VALID, TEST = "train", "valid", "test"
HELD_OUT = -1
"""Fold of what trains nothing."""


def choose_photographs(frame: pl.DataFrame, settings: SplitSettings, *, seed: int) -> pl.DataFrame:
    """Drop what stands twice, and give each train photograph a fold.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``carefolio.datasets.idrid.load_idrid`` gives it.
    settings : SplitSettings
        Size of blocks, number of folds, most rows of a part.
    seed : int
        Of the folds.

    Returns
    -------
    polars.DataFrame
        With ``content`` (hash of the picture), ``fold`` (`HELD_OUT` outside of train) and ``row``.
    """
    import polars as pl

    table = frame.with_columns(content=pl.Series([hashlib.sha256(one).hexdigest() for one in frame["image"]]))
    in_test = table.filter(part=TEST)["content"].to_list()
    contradicted = (table.filter(part=TRAIN).group_by("content").agg(pl.struct("dr_grade", "dme_risk").n_unique().alias("labels"))
                    .filter(pl.col("labels") > 1)["content"].to_list())
    table = table.filter((pl.col("part") != TRAIN) | ~pl.col("content").is_in(in_test + contradicted))
    table = table.unique(["part", "content"], keep="first", maintain_order=True)
    table = limited(table, settings.max_rows, seed=seed)
    check_no_duplicate_rows_across_parts(table.select("content"), table["part"].to_numpy())
    train = (table["part"] == TRAIN).to_numpy()
    folds = np.full(table.height, HELD_OUT)
    folds[train] = block_folds(int(train.sum()), settings, seed=seed)
    return table.with_columns(fold=pl.Series(folds, dtype=pl.Int8)).with_row_index("row")


def limited(table: pl.DataFrame, rows: int, *, seed: int) -> pl.DataFrame:
    """Draw so many rows of each part.

    Parameters
    ----------
    table : polars.DataFrame
        With ``part``.
    rows : int
        Of each part, at most; 0 = all.
    seed : int
        Of the draw.

    Returns
    -------
    polars.DataFrame
        In the same order.
    """
    import polars as pl

    if not rows:
        return table
    rng = np.random.default_rng(seed)
    return pl.concat([own[sorted(rng.permutation(own.height)[:rows].tolist())] for own in table.partition_by("part", maintain_order=True)])


def block_folds(rows: int, settings: SplitSettings, *, seed: int) -> npt.NDArray[np.int64]:
    """Give the folds of rows that stand in the order of their files.

    Parameters
    ----------
    rows : int
        Number of rows.
    settings : SplitSettings
        Size of blocks and number of folds.
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of int, shape (rows,)
        0 to ``folds - 1``; a block lies in one fold, and folds are of like size.
    """
    block = min(settings.block, max(1, rows // settings.folds))
    blocks = -(-rows // block)
    of_block = np.random.default_rng(seed).permutation(np.arange(blocks) % settings.folds)
    return np.repeat(of_block, block)[:rows]


def squares(content: bytes, settings: PreparationSettings, *, views: int, seed: Sequence[int]) -> list[Pixels]:
    """Prepare a photograph as it is, and as other cameras would have taken it.

    Parameters
    ----------
    content : bytes
        The file.
    settings : PreparationSettings
        Size and strength.
    views : int
        How many; the first is the photograph as it is.
    seed : sequence of int
        Of the alterations.

    Returns
    -------
    list of ndarray of uint8, each of shape (side, side, 3)
        One a view; a photograph without a field is taken as a whole.
    """
    pixels, rng = read_picture(content).pixels, np.random.default_rng(list(seed))
    field = field_or_whole(pixels)
    found = [even_light(cut_out(pixels, field, side=settings.side), strength=settings.strength)]
    for _ in range(views - 1):
        one = draw_alteration(rng)
        square = cut_out(alter(pixels, one), alter_field(field, one), side=settings.side)
        found.append(turn_over(even_light(square, strength=settings.strength), one))
    return found


def field_or_whole(pixels: Pixels) -> Field:
    """Find the field, or take the circle around the whole picture where there is none: no photograph of a data set is lost.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 3)
        Red, green, blue.

    Returns
    -------
    Field
        Of the photograph.
    """
    try:
        return find_field(pixels)
    except NoFieldError:
        return whole_picture(pixels)


def extract(pictures: Iterator[list[Pixels]], look: Callable[[Sequence[Pixels]], Seen], *, rows: int, batch: int,
            advance: Callable[[int, int], None]) -> Features:
    """Let the network look at every view of every photograph.

    Parameters
    ----------
    pictures : iterator of list of ndarray
        The views of each photograph, as many of each.
    look : callable
        Gives the features of squares, shape (n, n_features).
    rows : int
        Number of photographs.
    batch : int
        Squares that are looked at together.
    advance : callable
        Told how many photographs are done, and of how many.

    Returns
    -------
    ndarray of float32, shape (rows, views, n_features)
        In the order of the photographs.
    """
    found: list[Features] = []
    waiting: list[Pixels] = []
    views = 0
    for done, own in enumerate(pictures, start=1):
        views = len(own)
        waiting += own
        if len(waiting) >= batch or done == rows:
            found += [look(waiting[start:start + batch]) for start in range(0, len(waiting), batch)]
            waiting = []
            advance(done, rows)
    return np.concatenate(found).reshape(rows, views, -1)


def write_features(path: Path, **arrays: npt.NDArray[Any]) -> None:
    """Keep arrays whole or not at all.

    Parameters
    ----------
    path : Path
        File to write, ``.npz``.
    **arrays : ndarray
        By name; plain numbers and text only.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]


def read_features(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Read what `write_features` wrote.

    Parameters
    ----------
    path : Path
        File to read.

    Returns
    -------
    dict of str to ndarray
        By name.
    """
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
