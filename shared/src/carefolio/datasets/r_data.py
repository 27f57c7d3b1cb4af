"""A data frame out of one of R's data files (``.rda``), without R.

Only numbers and strings are read, in the binary form that `R Internals
<https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats>`_ describes. Functions, environments and anything
else that could do something are refused, and the size is bounded.
"""

from __future__ import annotations

import bz2
import io
import struct
from pathlib import Path
from typing import Any, BinaryIO

from carefolio.exceptions import DataIntegrityError

BZIP2 = b"BZh"
HEADER = b"RDX2\nX\n"
MAX_BYTES = 128 * 2**20
"""Most that a file may unpack to."""

_SYMBOL, _PAIRLIST, _STRING, _LOGICAL, _INTEGER, _REAL, _STRINGS, _LIST, _NULL, _REFERENCE = 1, 2, 9, 10, 13, 14, 16, 19, 254, 255
_HAS_ATTRIBUTES, _HAS_TAG, _LATIN1 = 0x200, 0x400, 0x4000
_MISSING = -(2**31)
_FORMATS = {_LOGICAL: "i", _INTEGER: "i", _REAL: "d"}


def read_data_frame(path: Path, name: str) -> dict[str, list[Any]]:
    """Read a data frame of numbers and strings.

    Parameters
    ----------
    path : Path
        File as R's ``save(..., compress = "bzip2")`` writes it, version 2 of the format.
    name : str
        The data frame's name in R.

    Returns
    -------
    dict of str to list
        Values by column; a missing number or string is None.

    Raises
    ------
    DataIntegrityError
        If the file is cut short, too large, not of the form, or has no such data frame.
    """
    stream = io.BytesIO(_unpack(path))
    try:
        if stream.read(len(HEADER)) != HEADER:
            raise ValueError(f"it does not begin with {HEADER!r}")
        stream.seek(3 * 4, io.SEEK_CUR)
        objects = dict(_read_pairs(stream, []))
    except (ValueError, IndexError, RecursionError, TypeError, struct.error) as error:
        raise DataIntegrityError(f"{path} is not an R data file of numbers and strings ({error}); delete it and fetch it again.") from None
    frame = objects.get(name)
    if not isinstance(frame, dict) or not _is_table(list(frame.values())):
        raise DataIntegrityError(f"{path} has no data frame {name!r} with columns of one length; it holds "
                                 f"{', '.join(map(repr, objects)) or 'nothing'}. Delete it and fetch it again.")
    return frame


def _is_table(columns: list[Any]) -> bool:
    return all(isinstance(values, list) for values in columns) and len({len(values) for values in columns}) == 1


def _unpack(path: Path) -> bytes:
    unpacker = bz2.BZ2Decompressor()
    try:
        content = unpacker.decompress(path.read_bytes(), MAX_BYTES + 1)
    except OSError as error:
        raise DataIntegrityError(f"{path} is not packed with bzip2 ({error}); delete it and fetch it again.") from None
    if len(content) > MAX_BYTES:
        raise DataIntegrityError(f"{path} unpacks to more than {MAX_BYTES} bytes; delete it and fetch it again.")
    if not unpacker.eof:
        raise DataIntegrityError(f"{path} is cut short; delete it and fetch it again.")
    return content


def _read_pairs(stream: BinaryIO, symbols: list[str]) -> list[tuple[str, Any]]:
    """Read names with values up to the end of their list."""
    pairs = []
    while (flags := _read_integer(stream)) & 0xFF == _PAIRLIST:
        if flags & _HAS_ATTRIBUTES or not flags & _HAS_TAG:
            raise ValueError("a list of pairs without names")
        name = _read_item(stream, symbols)
        pairs.append((name, _read_item(stream, symbols)))
    if flags & 0xFF != _NULL:
        raise ValueError(f"an item of type {flags & 0xFF} where a list of pairs should end")
    return pairs


def _read_item(stream: BinaryIO, symbols: list[str]) -> Any:
    flags = _read_integer(stream)
    kind = flags & 0xFF
    if kind == _NULL:
        return None
    if kind == _REFERENCE:
        return symbols[(flags >> 8) - 1]
    if kind == _SYMBOL:
        symbols.append(_read_item(stream, symbols))
        return symbols[-1]
    if kind == _STRING:
        return _read_string(stream, "latin-1" if flags & _LATIN1 else "utf-8")
    values = _read_values(stream, kind, symbols)
    attributes = dict(_read_pairs(stream, symbols)) if flags & _HAS_ATTRIBUTES else {}
    if "levels" in attributes:
        raise ValueError("a factor; only numbers and strings are read")
    return dict(zip(attributes["names"], values, strict=True)) if kind == _LIST and "names" in attributes else values


def _read_values(stream: BinaryIO, kind: int, symbols: list[str]) -> list[Any]:
    if kind not in (_STRINGS, _LIST, *_FORMATS):
        raise ValueError(f"an item of type {kind}")
    length = _read_integer(stream)
    if kind in _FORMATS:
        form = f">{length}{_FORMATS[kind]}"
        numbers = struct.unpack(form, stream.read(struct.calcsize(form)))
        return [None if number == _MISSING else number for number in numbers] if kind != _REAL else list(numbers)
    return [_read_item(stream, symbols) for _ in range(length)]


def _read_string(stream: BinaryIO, encoding: str) -> str | None:
    length = _read_integer(stream)
    if length == -1:
        return None
    content = stream.read(length)
    if len(content) != length:
        raise ValueError("a string that is cut short")
    return content.decode(encoding)


def _read_integer(stream: BinaryIO) -> int:
    number: int = struct.unpack(">i", stream.read(4))[0]
    return number
