"""RetinaMNIST: 1,600 photographs of the retina at 28 x 28 pixels, graded 0 to 4; a benchmark, never a clinical claim."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve
from carefolio.datasets.schema import validate
from carefolio.exceptions import DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "retinamnist"
FILE = "retinamnist.npz"
PARTS = {"train": "train", "valid": "val", "test": "test"}
"""The official parts, and what the file calls them."""
SIDE = 28
"""Pixels of a side."""


@functools.cache
def pictures_schema() -> Any:
    """Build the pandera schema of the loaded table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, parts and grades.
    """
    import pandera.polars as pa
    import polars as pl

    return pa.DataFrameSchema({
        "part": pa.Column(pl.Enum(list(PARTS))),
        "dr_grade": pa.Column(pl.Int8(), checks=[pa.Check.in_range(0, 4, error="0 to 4")]), "image": pa.Column(pl.Binary())}, name=NAME)


def validate_retinamnist(frame: pl.DataFrame) -> pl.DataFrame:
    """Check the table: types, parts, grades, and pictures of the right size.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_retinamnist`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    import polars as pl

    validate(frame, pictures_schema(), dataset=NAME)
    wrong = frame.select((pl.col("image").bin.size() != SIDE * SIDE * 3).arg_true()).to_series()
    if len(wrong):
        raise SchemaError(f"{NAME}: column 'image' must hold {SIDE} x {SIDE} x 3 bytes; {len(wrong)} row(s) do not, first row {wrong[0]}.")
    return frame


def read_retinamnist(path: Path) -> pl.DataFrame:
    """Read and check the publisher's file; its hash may be any.

    Parameters
    ----------
    path : Path
        NumPy archive with ``<part>_images`` and ``<part>_labels``.

    Returns
    -------
    polars.DataFrame
        As ``load_retinamnist`` gives it.

    Raises
    ------
    SchemaError
        If an array is missing or of another form.
    """
    import numpy as np
    import polars as pl

    tables = []
    with np.load(path, allow_pickle=False) as archive:
        for part, stored in PARTS.items():
            missing = [name for name in (f"{stored}_images", f"{stored}_labels") if name not in archive]
            if missing:
                raise SchemaError(f"{NAME}: {path} has no array {missing[0]}; it has {', '.join(archive.files)}. Fetch it again.")
            pixels, grades = archive[f"{stored}_images"], archive[f"{stored}_labels"]
            if pixels.shape[1:] != (SIDE, SIDE, 3) or pixels.dtype != np.uint8 or grades.shape != (len(pixels), 1):
                raise SchemaError(f"{NAME}: {path}: {stored}_images must be bytes of shape (n, {SIDE}, {SIDE}, 3) with labels (n, 1); got "
                                  f"{pixels.dtype} {pixels.shape} and {grades.shape}. Fetch the 28-pixel file.")
            tables.append(pl.DataFrame({"part": [part] * len(pixels), "dr_grade": grades[:, 0].astype(np.int8),
                                        "image": [one.tobytes() for one in pixels]}, schema_overrides={"part": pl.Enum(list(PARTS))}))
    return validate_retinamnist(pl.concat(tables))


def load_retinamnist(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the three official parts, or a synthetic twin where the caller allows it and no source has the real file.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row a picture: ``part`` (``train``, ``valid`` or ``test``), ``dr_grade`` (0 to 4) and ``image``, the 28 x 28 x 3 bytes of its
        pixels, row by row.

    Raises
    ------
    DataUnavailableError
        If no source has the file and the twin is not allowed.
    DataIntegrityError
        If the file is not the one that the catalogue names.
    SchemaError
        If the file is not of the expected form.
    """
    try:
        file = resolve(NAME, FILE)
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    frame = read_retinamnist(file.path)
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, find_dataset(NAME).licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.fundus_twin import make_retinamnist_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(validate_retinamnist(make_retinamnist_twin(random_state)), name=NAME, rows="pictures", reason=reason)
