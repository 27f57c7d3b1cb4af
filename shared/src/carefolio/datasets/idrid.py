"""IDRiD: 516 colour photographs of the retina, each graded for diabetic retinopathy and for the risk of macular oedema."""

from __future__ import annotations

import csv
import functools
import io
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import read_catalog
from carefolio.datasets.provenance import LoadedData, Provenance, ResolvedFile
from carefolio.datasets.resolve import combine, resolve
from carefolio.datasets.schema import check_once, validate
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "idrid"
PARTS = ("train", "test")
"""The official parts."""
LONGEST_SIDE = 1024
"""Larger photographs are reduced to this many pixels."""
GRADES = ("no retinopathy", "mild", "moderate", "severe", "proliferative")
"""What grades 0 to 4 stand for (international clinical scale, Wilkinson et al. 2003)."""
DME_RISKS = ("no apparent hard exudate", "exudate beyond one disc diameter of the macula's centre",
             "exudate within one disc diameter of the macula's centre")
"""What risks 0 to 2 of macular oedema stand for (Decenciere et al. 2014)."""
_COLUMNS = ("Image name", "Retinopathy grade", "Risk of macular edema")


@functools.cache
def photographs_schema() -> Any:
    """Build the pandera schema of the loaded table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, parts, grades and pictures that are not empty.
    """
    import pandera.polars as pa
    import polars as pl

    return pa.DataFrameSchema({
        "part": pa.Column(pl.Enum(list(PARTS))), "name": pa.Column(pl.String(), checks=[pa.Check.str_matches(r"\S", error="a name")]),
        "dr_grade": pa.Column(pl.Int8(), checks=[pa.Check.in_range(0, len(GRADES) - 1, error="0 to 4")]),
        "dme_risk": pa.Column(pl.Int8(), checks=[pa.Check.in_range(0, len(DME_RISKS) - 1, error="0 to 2")]),
        "image": pa.Column(pl.Binary())}, name=NAME)


def validate_idrid(frame: pl.DataFrame) -> pl.DataFrame:
    """Check the table: types, grades, risks, and one row a part and name.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_idrid`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    validate(frame, photographs_schema(), dataset=NAME)
    check_once(frame, ["part", "name"], dataset=NAME)
    return frame


def read_labels(path: Path) -> list[tuple[str, int, int]]:
    """Read one of the publisher's tables of labels.

    Parameters
    ----------
    path : Path
        CSV with a name, a grade and a risk in each row; columns without a name are left out.

    Returns
    -------
    list of (str, int, int)
        Name of the photograph, grade 0 to 4, and risk 0 to 2, in the order of the file.

    Raises
    ------
    SchemaError
        If the columns are others, or a value is not a whole number.
    """
    with path.open(encoding="utf-8-sig", newline="") as lines:
        header, *rows = list(csv.reader(lines)) or [[]]
    if tuple(name.strip() for name in header[:3]) != _COLUMNS:
        raise SchemaError(f"{NAME}: {path} must begin with {', '.join(_COLUMNS)}; got {', '.join(header[:3])!r}. Fetch it anew.")
    found = []
    for number, row in enumerate(rows, start=2):
        if not any(row):
            continue
        if len(row) < 3 or not all(value.strip().isdecimal() for value in row[1:3]):
            raise SchemaError(f"{NAME}: {path}, line {number}: a name and two whole numbers expected; got {row[:3]}. Fetch it again.")
        found.append((row[0].strip(), int(row[1]), int(row[2])))
    return found


def read_idrid(labels: Mapping[str, Path], images: Mapping[tuple[str, str], Path]) -> pl.DataFrame:
    """Read and check the publisher's files; their hashes may be any.

    Parameters
    ----------
    labels : mapping of str to Path
        CSV by part.
    images : mapping of (str, str) to Path
        Photograph by part and name.

    Returns
    -------
    polars.DataFrame
        As ``load_idrid`` gives it.

    Raises
    ------
    SchemaError
        If a file is not of the form, or a photograph is missing.
    """
    import polars as pl

    rows = []
    for part, path in labels.items():
        for name, grade, risk in read_labels(path):
            if (part, name) not in images:
                raise SchemaError(f"{NAME}: {path} names {name}, and there is no photograph of it among the {len(images)} of {part}. Fetch "
                                  "all files again.")
            rows.append((part, name, grade, risk, reduce_photograph(images[part, name])))
    types = {"part": pl.Enum(list(PARTS)), "name": pl.String(), "dr_grade": pl.Int8(), "dme_risk": pl.Int8(), "image": pl.Binary()}
    return validate_idrid(pl.DataFrame(rows, schema=types, orient="row"))


def reduce_photograph(path: Path) -> bytes:
    """Read a photograph, reduced to `LONGEST_SIDE` where it is larger.

    Parameters
    ----------
    path : Path
        A JPEG.

    Returns
    -------
    bytes
        The file itself where it is small enough, else a JPEG of quality 92.

    Raises
    ------
    DataIntegrityError
        If it is no picture.
    """
    from PIL import Image, UnidentifiedImageError

    content = path.read_bytes()
    try:
        with Image.open(io.BytesIO(content)) as image:
            if max(image.size) <= LONGEST_SIDE:
                return content
            image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
            reduced = io.BytesIO()
            image.convert("RGB").save(reduced, "JPEG", quality=92)
            return reduced.getvalue()
    except (UnidentifiedImageError, OSError) as error:
        raise DataIntegrityError(f"{path} is not a whole JPEG ({error}). Delete it and fetch it again.") from None


def load_idrid(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the photographs, or a synthetic twin where the caller allows it and no source has the real files.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row a photograph: ``part`` (``train`` or ``test``), ``name`` (unique within the part), ``dr_grade`` (0 to 4), ``dme_risk``
        (0 to 2) and ``image`` (the bytes of a JPEG of 1024 px at most). The hash of the provenance combines those of all files.

    Raises
    ------
    DataUnavailableError
        If no source has a file and the twin is not allowed.
    DataIntegrityError
        If a file is not the one that the catalogue names.
    SchemaError
        If a table is not of the expected form.
    """
    known = read_catalog()
    try:
        files = {entry.name: resolve(NAME, entry.name, entries=known) for entry in known[NAME].files}
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    frame = read_idrid({part: files[f"labels/{part}.csv"].path for part in PARTS}, _photographs(files))
    origin, sha256 = combine(list(files.values()))
    return LoadedData(frame, Provenance(NAME, origin, sha256, frame.height, known[NAME].licence))


def _photographs(files: Mapping[str, ResolvedFile]) -> dict[tuple[str, str], Path]:
    found = {}
    for name, file in files.items():
        folder, _, rest = name.partition("/")
        if folder == "images":
            part, _, photograph = rest.partition("/")
            found[part, Path(photograph).stem] = file.path
    return found


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.fundus_twin import make_idrid_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(validate_idrid(make_idrid_twin(random_state)), name=NAME, rows="photographs", reason=reason)
