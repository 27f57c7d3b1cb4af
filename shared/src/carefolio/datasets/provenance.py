"""Where a file or a table came from: the part of a data set that goes into the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import polars as pl

Origin = Literal["publisher", "mirror", "cache", "package", "synthetic", "file"]
"""``file`` is a path that the caller named and whose SHA-256 the catalogue does not know."""


@dataclass(frozen=True)
class ResolvedFile:
    """A data file on this machine whose bytes are those that the catalogue promises.

    Attributes
    ----------
    path : Path
        The file.
    origin : {"publisher", "mirror", "cache", "package", "file"}
        Where it was found; ``"publisher"`` if it was downloaded just now.
    sha256 : str
        Its SHA-256, lower-case hexadecimal.
    """

    path: Path
    origin: Origin
    sha256: str


@dataclass(frozen=True)
class Provenance:
    """What the evidence says about a table.

    Attributes
    ----------
    name : str
        The data set's name in the catalogue.
    origin : {"publisher", "mirror", "cache", "package", "synthetic", "file"}
        Where the rows came from.
    sha256 : str
        SHA-256 of the file, or of the table's CSV form where it is synthetic.
    rows : int
        Number of rows.
    licence : str
        Licence of the rows.
    """

    name: str
    origin: Origin
    sha256: str
    rows: int
    licence: str


@dataclass(frozen=True)
class LoadedData:
    """A checked table and where it came from.

    Attributes
    ----------
    frame : polars.DataFrame
        The table.
    provenance : Provenance
        Name, origin, hash, rows and licence.
    """

    frame: pl.DataFrame
    provenance: Provenance
