"""MTS-Dialog: 1,701 short conversations between doctor and patient, each with the section of a note that was written from it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import combine, resolve
from carefolio.datasets.schema import apply_types, check_once, read_csv_as_text, validate
from carefolio.exceptions import DataUnavailableError

if TYPE_CHECKING:
    import polars as pl

NAME = "mts_dialog"
PARTS = {
    "train": "Main-Dataset/MTS-Dialog-TrainingSet.csv",
    "validation": "Main-Dataset/MTS-Dialog-ValidationSet.csv",
    "test1": "Main-Dataset/MTS-Dialog-TestSet-1-MEDIQA-Chat-2023.csv",
    "test2": "Main-Dataset/MTS-Dialog-TestSet-2-MEDIQA-Sum-2023.csv",
}
"""The official parts and their files."""
SECTION_HEADERS = {
    "FAM/SOCHX": "family and social history", "GENHX": "history of present illness", "PASTMEDICALHX": "past medical history",
    "CC": "chief complaint", "PASTSURGICAL": "past surgical history", "ALLERGY": "allergies", "ROS": "review of systems",
    "MEDICATIONS": "medications", "ASSESSMENT": "assessment", "EXAM": "examination", "DIAGNOSIS": "diagnosis", "DISPOSITION": "disposition",
    "PLAN": "plan", "EDCOURSE": "emergency department course", "IMMUNIZATIONS": "immunizations", "IMAGING": "imaging",
    "GYNHX": "gynecologic history", "PROCEDURES": "procedures", "OTHER_HISTORY": "other history", "LABS": "laboratory results",
}
"""The 20 section headers and what they stand for."""


def column_types() -> dict[str, Any]:
    """Give the polars type of each column of the publisher's files.

    Returns
    -------
    dict of str to polars data type
        ``ID`` (a whole number, from 0 in each part), ``section_header``, ``section_text`` and ``dialogue``.
    """
    import polars as pl

    return {"ID": pl.Int32(), "section_header": pl.Enum(list(SECTION_HEADERS)), "section_text": pl.String(), "dialogue": pl.String()}


@functools.cache
def pairs_schema() -> Any:
    """Build the pandera schema of the loaded table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, labels, ranges, and texts that are not blank.
    """
    import pandera.polars as pa
    import polars as pl

    types = column_types()
    text = pa.Check.str_matches(r"\S", error="a text that is not blank")
    return pa.DataFrameSchema({
        "part": pa.Column(pl.Enum(list(PARTS))), "id": pa.Column(types["ID"], checks=[pa.Check.in_range(0, 10**6, error="id >= 0")]),
        "section_header": pa.Column(types["section_header"]), "section_text": pa.Column(pl.String(), checks=[text]),
        "dialogue": pa.Column(pl.String(), checks=[text])}, name=NAME)


def validate_mts_dialog(frame: pl.DataFrame) -> pl.DataFrame:
    """Check the table: types, labels, texts, and one row a part and id.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_mts_dialog`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    validate(frame, pairs_schema(), dataset=NAME)
    check_once(frame, ["part", "id"], dataset=NAME)
    return frame


def read_mts_dialog(paths: Mapping[str, Path]) -> pl.DataFrame:
    """Read and check the publisher's files; their hashes may be any.

    Parameters
    ----------
    paths : mapping of str to Path
        CSV by part: ``train``, ``validation``, ``test1``, ``test2``, or some of them.

    Returns
    -------
    polars.DataFrame
        ``part``, ``id``, ``section_header``, ``section_text`` and ``dialogue``, in the order of the mapping and of the files.

    Raises
    ------
    SchemaError
        If a file is not of the form.
    """
    import polars as pl

    tables = []
    for part, path in paths.items():
        typed = apply_types(read_csv_as_text(path, dataset=NAME), column_types(), dataset=f"{NAME}/{path.name}").rename({"ID": "id"})
        tables.append(typed.select(pl.lit(part).cast(pl.Enum(list(PARTS))).alias("part"), pl.all()))
    return validate_mts_dialog(pl.concat(tables))


def load_mts_dialog(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the four official parts, or the synthetic twin where the caller allows it and no source has the real files.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row a conversation: ``part`` (``train``, ``validation``, ``test1`` or ``test2``), ``id`` (unique within the part),
        ``section_header`` (a key of ``SECTION_HEADERS``), ``section_text`` (the note's section) and ``dialogue``. The hash of the
        provenance combines those of the four files (``carefolio.datasets.resolve.combine``).

    Raises
    ------
    DataUnavailableError
        If no source has a file and the twin is not allowed.
    DataIntegrityError
        If a file is not the one that the catalogue names.
    SchemaError
        If a table is not of the expected form.
    """
    try:
        files = {part: resolve(NAME, name) for part, name in PARTS.items()}
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    frame = read_mts_dialog({part: file.path for part, file in files.items()})
    origin, sha256 = combine(list(files.values()))
    return LoadedData(frame, Provenance(NAME, origin, sha256, frame.height, find_dataset(NAME).licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.mts_dialog_twin import make_mts_dialog_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(validate_mts_dialog(make_mts_dialog_twin(random_state)), name=NAME, rows="conversations", reason=reason)
