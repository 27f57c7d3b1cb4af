"""What a table says, whatever file it came in: a hash of its values, and the check against the catalogue."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.exceptions import DataIntegrityError

if TYPE_CHECKING:
    import polars as pl


def content_sha256(table: pl.DataFrame) -> str:
    """Hash the values of a table.

    Parameters
    ----------
    table : polars.DataFrame
        Rows and columns in the order that matters.

    Returns
    -------
    str
        SHA-256 of the values in UTF-8, a unit separator after each and a record separator after each row; a missing value is empty.
    """
    digest = hashlib.sha256()
    for row in table.iter_rows():
        digest.update(("".join(f"{'' if value is None else value}\x1f" for value in row) + "\x1e").encode())
    return digest.hexdigest()


def check_content(table: pl.DataFrame, expected: str | None, *, path: Path, holds: str) -> None:
    """Refuse a file whose values are not those that the catalogue names.

    Parameters
    ----------
    table : polars.DataFrame
        What was read.
    expected : str or None
        Hash of the catalogue; None where it names none.
    path : Path
        The file.
    holds : str
        What it holds, for the error.

    Raises
    ------
    DataIntegrityError
        If the hashes differ.
    """
    got = content_sha256(table)
    if expected is not None and got != expected:
        raise DataIntegrityError(f"{path} holds other {holds} than the catalogue names: content hash {got}, expected {expected}. Delete it "
                                 "and fetch it again.")
