"""Which photographs count, in which fold, and what the network sees in each: pooled maps of its middle stages.

Photographs that stand twice are taken out of train where they also stand in the test, and both where their grades contradict each other.
IDRiD names no patients; neighbouring files resemble each other in colour and grade, so that folds are made of blocks of files.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from carefolio.artefacts import atomic_path, read_json, write_json
from carefolio.pictures import Pixels, read_picture
from carefolio.splits import check_no_duplicate_rows_across_parts
from retinopathy.alteration import alter, alter_field, draw_alteration, turn_over
from retinopathy.config import PreparationSettings, SplitSettings
from retinopathy.preparation import Field, NoFieldError, cut_out, even_light, find_field, whole_picture

if TYPE_CHECKING:
    import polars as pl

TRAIN, VALID, TEST = "train", "valid", "test"
HELD_OUT = -1
"""Fold of what trains nothing."""
Item = TypeVar("Item")
Made = TypeVar("Made")


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


def squares(photograph: tuple[bytes, Sequence[int]], settings: PreparationSettings, *, views: int = 1) -> list[Pixels]:
    """Prepare a photograph as it is, and as other cameras would have taken it.

    Parameters
    ----------
    photograph : tuple of (bytes, sequence of int)
        The file, and the seed of its alterations.
    settings : PreparationSettings
        Size and strength.
    views : int, default 1
        How many; the first is the photograph as it is.

    Returns
    -------
    list of ndarray of uint8, each of shape (side, side, 3)
        One a view; a photograph without a field is taken as a whole.
    """
    content, seed = photograph
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


def ahead(make: Callable[[Item], Made], items: Iterable[Item], *, workers: int | None = None) -> Iterator[Made]:
    """Make things in processes of their own, in order, a few ahead of where they are used.

    Parameters
    ----------
    make : callable
        What is done to an item; a function of a module, or a `functools.partial` of one, so that it can be sent.
    items : iterable
        Of any length; no more than twice the workers are taken ahead.
    workers : int, optional
        Processes; one a core by default. With one core all is made here.

    Yields
    ------
    object
        What was made of each item.
    """
    workers = workers or os.cpu_count() or 1
    if workers == 1:
        yield from map(make, items)
        return
    waiting: deque[Future[Made]] = deque()
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_end_with_parent) as pool:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) >= 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, even if it was killed; else it would wait for work for ever."""
    def wait() -> None:
        parent = parent_process()
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=wait, daemon=True).start()


def extract(pictures: Iterable[Sequence[Pixels]], look: Callable[[Sequence[Pixels]], tuple[npt.NDArray[Any], ...]], *, rows: int,
            batch: int, advance: Callable[[int, int], None]) -> tuple[npt.NDArray[Any], ...]:
    """Let the network look at every view of every photograph.

    Parameters
    ----------
    pictures : iterable of sequence of ndarray
        The views of each photograph, as many of each.
    look : callable
        Gives arrays whose first axis goes over squares.
    rows : int
        Number of photographs.
    batch : int
        Squares that are looked at together.
    advance : callable
        Told how many photographs are done, and of how many.

    Returns
    -------
    tuple of ndarray, each of shape (rows, views, ...)
        In the order of the photographs.
    """
    found: list[npt.NDArray[Any]] = []
    waiting: list[Pixels] = []
    views = placed = 0
    for done, own in enumerate(pictures, start=1):
        views = len(own)
        waiting += own
        while len(waiting) >= batch or (done == rows and waiting):
            some, waiting = waiting[:batch], waiting[batch:]
            arrays = look(some)
            found = found or [np.empty((rows * views, *one.shape[1:]), one.dtype) for one in arrays]
            for place, one in zip(found, arrays, strict=True):
                place[placed:placed + len(some)] = one
            placed += len(some)
        advance(done, rows)
    return tuple(one.reshape(rows, views, *one.shape[1:]) for one in found)


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


def done_before(path: Path, told: Mapping[str, Any]) -> bool:
    """Say whether work was done before with the same settings, so that a run that was stopped need not do it again.

    Parameters
    ----------
    path : Path
        As `note_done` wrote it.
    told : mapping
        All that the work depends on, for JSON.

    Returns
    -------
    bool
        False if there is no note, or one of other settings.
    """
    return path.is_file() and read_json(path) == json.loads(json.dumps(dict(told)))


def note_done(path: Path, told: Mapping[str, Any]) -> None:
    """Note that work is done; to be called when all of it is written.

    Parameters
    ----------
    path : Path
        File to write.
    told : mapping
        All that the work depends on, for JSON.
    """
    write_json(path, dict(told))
