"""See every photograph once: prepare it and its altered views, and keep what the network sees in them.

Kept are the pooled numbers, which the heads are fitted on, and what the first stages see, from which the later ones are tuned; never a
photograph.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch

from carefolio.artefacts import atomic_path
from carefolio.parts import read_record, read_table, write_table
from carefolio.pictures import Pixels
from carefolio.progress import progress_bar
from retinopathy.config import RetinopathySettings
from retinopathy.features import (
    ahead,
    choose_photographs,
    done_before,
    extract,
    limited,
    note_done,
    read_features,
    squares,
    write_features,
)
from retinopathy.model import Eye, Seen, to_tensor
from retinopathy.tuning import Beginnings

if TYPE_CHECKING:
    import polars as pl

PHOTOGRAPHS, PICTURES = "idrid", "retinamnist"
TURNS = 4
"""Ways in which a picture of the benchmark is turned over."""


def see_photographs(settings: RetinopathySettings, out: Path, eye: Eye) -> None:
    """Prepare the photographs, altered ones too, and keep what is seen in them.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    eye : Eye
        The network.
    """
    note, told = out / "features" / f"{PHOTOGRAPHS}.json", depends_on(settings, out, PHOTOGRAPHS)
    if done_before(note, told):
        return
    table = choose_photographs(read_table(out, PHOTOGRAPHS), settings.split, seed=settings.seed)
    write_table(out / "features" / "photographs.parquet", table.drop("image"))
    make = partial(squares, settings=settings.preparation, views=settings.features.views)
    files = zip(table["image"], [(settings.seed, row) for row in table["row"]], strict=True)
    _see(ahead(make, files), table.height, eye, settings, out, PHOTOGRAPHS)
    note_done(note, told)


def kept_photographs(out: Path) -> pl.DataFrame:
    """Read the photographs of a run that count, in the order of all answers.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    polars.DataFrame
        ``part``, ``name``, grades, ``fold`` and ``image``; both parts number their photographs from 1.
    """
    import polars as pl

    chosen = pl.read_parquet(out / "features" / "photographs.parquet")
    keys = ["part", "name"]
    return chosen.join(read_table(out, PHOTOGRAPHS).select(*keys, "image"), on=keys, how="left", maintain_order="left", validate="1:1")


def depends_on(settings: RetinopathySettings, out: Path, name: str) -> dict[str, Any]:
    """Gather what the features of a data set depend on.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run, with its data.
    name : {"idrid", "retinamnist"}
        Data set.

    Returns
    -------
    dict
        For `done_before`.
    """
    chosen = settings.model_dump(mode="json", include={"seed", "preparation", "split", "features"})
    return chosen | {"data": read_record(out)["provenance"][name]["sha256"]}


def see_benchmark(settings: RetinopathySettings, out: Path, eye: Eye) -> None:
    """Enlarge the pictures of 28 pixels, turn them over, and keep what is seen in them.

    Parameters
    ----------
    settings : RetinopathySettings
        Settings.
    out : Path
        Folder of the run.
    eye : Eye
        The network.
    """
    note, told = out / "features" / f"{PICTURES}.json", depends_on(settings, out, PICTURES)
    if done_before(note, told):
        return
    table = limited(read_table(out, PICTURES), settings.split.max_rows, seed=settings.seed)
    write_table(out / "features" / "pictures.parquet", table.drop("image"))
    _see(map(partial(enlarged, side=settings.preparation.small_side), table["image"]), table.height, eye, settings, out, PICTURES)
    note_done(note, told)


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
        `TURNS` of them.
    """
    from PIL import Image

    from carefolio.datasets.retinamnist import SIDE

    small = Image.fromarray(np.frombuffer(image, dtype=np.uint8).reshape(SIDE, SIDE, 3))
    large = np.asarray(small.resize((side, side), Image.Resampling.BICUBIC))
    return [np.ascontiguousarray(one) for one in (large, large[:, ::-1], large[::-1], large[::-1, ::-1])]


def look(eye: Eye, own: Sequence[Pixels]) -> tuple[Seen, npt.NDArray[np.float16], npt.NDArray[np.float16]]:
    """Look at squares without learning from them.

    Parameters
    ----------
    eye : Eye
        The network.
    own : sequence of ndarray of uint8, each of shape (side, side, 3)
        Prepared photographs.

    Returns
    -------
    pooled : ndarray of float32, shape (n, d)
        As `Eye.forward` gives them.
    maps, lit : ndarray of float16
        As `Eye.begin` gives them.
    """
    with torch.inference_mode():
        maps, lit = eye.begin(to_tensor(own, eye))
        return eye.pooled(maps, lit).cpu().numpy(), maps.half().cpu().numpy(), lit.half().cpu().numpy()


def _see(pictures: Iterable[list[Pixels]], rows: int, eye: Eye, settings: RetinopathySettings, out: Path, name: str) -> None:
    with progress_bar("photographs" if name == PHOTOGRAPHS else "pictures of 28 pixels") as advance:
        pooled, maps, lit = extract(pictures, partial(look, eye), rows=rows, batch=settings.features.batch, advance=advance)
    write_features(out / "features" / f"{name}.npz", seen=pooled)
    for what, array in (("maps", maps), ("lit", lit)):
        _write_array(out / "features" / f"{name}_{what}.npy", array)


def _write_array(path: Path, array: npt.NDArray[Any]) -> None:
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)


def read_seen(out: Path, name: str) -> tuple[Seen, Beginnings]:
    """Read what was seen.

    Parameters
    ----------
    out : Path
        Folder of the run.
    name : {"idrid", "retinamnist"}
        Data set.

    Returns
    -------
    pooled : ndarray of float32, shape (n, views, d)
        For the heads.
    beginnings : Beginnings
        For the later stages; it stays on the disk.
    """
    maps, lit = (np.load(out / "features" / f"{name}_{what}.npy", mmap_mode="r") for what in ("maps", "lit"))
    return read_features(out / "features" / f"{name}.npz")["seen"], Beginnings(maps, lit)
