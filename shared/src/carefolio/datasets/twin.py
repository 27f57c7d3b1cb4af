"""What all synthetic twins share: one line that says so, and a provenance that nobody can take for real data."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from carefolio.datasets.provenance import LoadedData, Provenance

if TYPE_CHECKING:
    import polars as pl

SYNTHETIC = "SYNTHETIC DATA"
"""How the line begins that says so."""
LICENCE = "none needed; generated, no patient's data"


def say_synthetic(count: int, *, name: str, rows: str, reason: str) -> None:
    """Say on standard error that something generated stands in for real data.

    Parameters
    ----------
    count : int
        How many were generated.
    name : str
        Name of the data set that they stand in for.
    rows : str
        What they are, in the plural, for example ``"encounters"``.
    reason : str
        Why the real data is not there.
    """
    import click

    click.echo(f"{SYNTHETIC}: {count} generated {rows} stand in for {name}; no result from them is evidence. Why: {reason}", err=True)


def announce_twin(frame: pl.DataFrame, *, name: str, rows: str, reason: str) -> LoadedData:
    """Say on standard error that a generated table stands in for a real one, and give it with its provenance.

    Parameters
    ----------
    frame : polars.DataFrame
        The generated table, checked.
    name : str
        Name of the data set that it stands in for.
    rows : str
        What a row is, in the plural, for example ``"encounters"``.
    reason : str
        Why the real data is not there.

    Returns
    -------
    LoadedData
        The table; origin ``"synthetic"``, the hash that of the table's CSV form.
    """
    import polars.selectors as cs

    say_synthetic(frame.height, name=name, rows=rows, reason=reason)
    sha256 = hashlib.sha256(frame.with_columns(cs.binary().bin.encode("hex")).write_csv().encode()).hexdigest()
    return LoadedData(frame, Provenance(name, "synthetic", sha256, frame.height, LICENCE))
