"""Read a pandas table out of a pickle without unpickling it.

A pickle may name any function to be called on loading. Here every name in it becomes an inert record of what was named and
what it would have been given: nothing is imported, nothing that the file names is called. The column buffers are then taken
out of the records. Only what pandas 2 writes for whole numbers, floats and categories is understood; anything else is an error.
"""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.exceptions import DataIntegrityError

if TYPE_CHECKING:
    import polars as pl

BUFFER_TYPES = {"i8": np.int64, "f8": np.float64, "i1": np.int8}


class _Record:
    """What the file named, the arguments it gave and the state it set; inert."""

    name = ""
    args: tuple[Any, ...] = ()
    state: Any = None

    def __new__(cls, *args: Any) -> _Record:
        record = super().__new__(cls)
        record.args = args
        return record

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _InertUnpickler(pickle.Unpickler):
    """Turns every name into a new ``_Record`` class, so that the file can call nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        return type("_Named", (_Record,), {"name": f"{module}.{name}"})


def read_pandas_pickle(path: Path) -> pl.DataFrame:
    """Read the columns of a pickled pandas table.

    Parameters
    ----------
    path : Path
        A pickle of one ``pandas.DataFrame``; check its hash before.

    Returns
    -------
    polars.DataFrame
        Whole numbers and floats as they are, NaN as null; categories as text.

    Raises
    ------
    DataIntegrityError
        If the file is not a pickle, or holds something other than such a table.
    """
    import polars as pl

    try:
        with path.open("rb") as file:
            table = _InertUnpickler(file).load()
        blocks, axes = table.state["_mgr"].args
        names = _array(axes[0])
        columns = {names[place]: values for block in blocks for place, values in _block_columns(block)}
    except (pickle.UnpicklingError, EOFError, AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataIntegrityError(f"{path} is not a pickled table of the known form ({type(error).__name__}: {error}); "
                                 "install the release of its package that carefolio pins.") from None
    return pl.DataFrame([pl.Series(name, columns[name], nan_to_null=True) for name in names])


def _block_columns(block: _Record) -> list[tuple[int, Any]]:
    """Give (column number, values) for each column of a block."""
    values, placement, _ = block.args
    places = range(*placement.args) if placement.name == "builtins.slice" else _array(placement)
    rows = [_category(values)] if values.name.endswith("NDArrayBacked") else _array(values)
    return list(zip(map(int, places), rows, strict=True))


def _category(record: _Record) -> list[Any]:
    dtype, codes, _ = record.state
    labels = [str(label) for label in _array(dtype.state["categories"])]
    return [labels[code] if code >= 0 else None for code in _array(codes).tolist()]


def _array(record: _Record) -> Any:
    """Read the buffer or the list of labels that stands behind a record of an array or an index."""
    if record.name.endswith("_new_Index"):
        return _array(record.args[1]["data"])
    if record.name.endswith("_frombuffer"):
        data, dtype, shape, order = record.args
        return np.frombuffer(data, dtype=BUFFER_TYPES[dtype.args[0]]).reshape(shape, order=order)
    if record.name.endswith("_reconstruct"):
        return record.state[-1]
    raise ValueError(f"unknown array {record.name}")
