"""MTSamples: sample reports of many medical specialties, one row a distinct text.

The site files a report under several specialties, so a text comes in several rows that differ in their label. `distinct_texts` keeps
one row a text and decides the label by one rule, before any split: the rarest of the text's specialties, which is the most specific one.
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.content import check_content
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve, setting_aside
from carefolio.datasets.schema import apply_types, check_once, read_csv_as_text, validate
from carefolio.exceptions import DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "mtsamples"
FILE = "mtsamples_from_rda.csv.gz"
SPECIALTIES = (
    "Allergy / Immunology", "Autopsy", "Bariatrics", "Cardiovascular / Pulmonary", "Chiropractic", "Consult - History and Phy.",
    "Cosmetic / Plastic Surgery", "Dentistry", "Dermatology", "Diets and Nutritions", "Discharge Summary", "ENT - Otolaryngology",
    "Emergency Room Reports", "Endocrinology", "Gastroenterology", "General Medicine", "Hematology - Oncology",
    "Hospice - Palliative Care", "IME-QME-Work Comp etc.", "Lab Medicine - Pathology", "Letters", "Nephrology", "Neurology", "Neurosurgery",
    "Obstetrics / Gynecology", "Office Notes", "Ophthalmology", "Orthopedic", "Pain Management", "Pediatrics - Neonatal",
    "Physical Medicine - Rehab", "Podiatry", "Psychiatry / Psychology", "Radiology", "Rheumatology", "SOAP / Chart / Progress Notes",
    "Sleep Medicine", "Speech - Language", "Surgery", "Urology",
)
"""The 40 specialties, sorted; some are kinds of documents (`Letters`, `Discharge Summary`)."""
SAME_START = 200
"""Characters that two texts share at their start if they are near-duplicates."""

_NUMBER = re.compile(r"\s*-\s*\d+$")


def column_types() -> dict[str, Any]:
    """Give the polars type of each column of the publisher's table.

    Returns
    -------
    dict of str to polars data type
        ``note_id`` (a whole number, from 1), ``medical_specialty``, and texts.
    """
    import polars as pl

    texts = dict.fromkeys(("sample_name", "transcription", "keywords"), pl.String())
    return {"note_id": pl.Int32(), "description": pl.String(), "medical_specialty": pl.Enum(SPECIALTIES), **texts}


@functools.cache
def texts_schema() -> Any:
    """Build the pandera schema of the loaded table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, labels, ranges, and texts that are not blank.
    """
    import pandera.polars as pa
    import polars as pl

    text = pa.Check.str_matches(r"\S", error="a text that is not blank")
    return pa.DataFrameSchema({
        "note_id": pa.Column(pl.Int32(), checks=[pa.Check.ge(0, error="note_id >= 0")], unique=True),
        "text": pa.Column(pl.String(), checks=[text], unique=True), "specialty": pa.Column(pl.Enum(SPECIALTIES)),
        "specialties": pa.Column(pl.List(pl.String())), "sample_name": pa.Column(pl.String(), checks=[text]),
        "description": pa.Column(pl.String(), nullable=True), "keywords": pa.Column(pl.String(), nullable=True),
        "group": pa.Column(pl.Int32(), checks=[pa.Check.ge(0, error="group >= 0")])}, name=NAME)


def validate_mtsamples(frame: pl.DataFrame) -> pl.DataFrame:
    """Check the table: types, labels, texts, one row a text, and each label the one that the rule gives.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_mtsamples`` gives it, all rows.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    validate(frame, texts_schema(), dataset=NAME)
    expected = most_specific(frame["specialties"].to_list())
    bad = [row for row, (got, wanted) in enumerate(zip(frame["specialty"], expected, strict=True)) if got != wanted]
    if bad:
        raise SchemaError(f"{NAME}: column 'specialty' must hold the rarest of the row's specialties; {len(bad)} value(s) do not, first "
                          f"{frame['specialty'][bad[0]]!r} at row {bad[0]}, expected {expected[bad[0]]!r}. Use distinct_texts on all rows.")
    return frame


def load_mtsamples(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the distinct texts, or the synthetic twin where the caller allows it and no source has the real file.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row a text, as `distinct_texts` gives it.

    Raises
    ------
    DataUnavailableError
        If no source has the file and the twin is not allowed.
    DataIntegrityError
        If the file is not the one that the catalogue names, or says something else.
    SchemaError
        If the table is not of the expected form.
    """
    try:
        file, entry = resolve(NAME, FILE), find_dataset(NAME)
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    with setting_aside([file]):
        notes = read_mtsamples(file.path)
        check_content(notes, entry.file(FILE).content_sha256, path=file.path, holds="notes")
        frame = validate_mtsamples(distinct_texts(notes))
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, entry.licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.mtsamples_twin import make_mtsamples_twin
    from carefolio.datasets.twin import announce_twin

    frame = validate_mtsamples(make_mtsamples_twin(random_state))
    flat = frame.with_columns(frame["specialties"].list.join("; "))  # a list has no CSV form to be hashed
    return LoadedData(frame, announce_twin(flat, name=NAME, rows="reports", reason=reason).provenance)


def read_mtsamples(path: Path) -> pl.DataFrame:
    """Read and check the notes as published, a row for each specialty of a text; the file's hash may be any.

    Parameters
    ----------
    path : Path
        The publisher's R data file, or a CSV file of the same table, packed or not; told apart by the first bytes.

    Returns
    -------
    polars.DataFrame
        The columns of `column_types`; an empty text is null.

    Raises
    ------
    DataIntegrityError
        If an R data file cannot be read.
    SchemaError
        If the table is not of the form.
    """
    import polars as pl

    from carefolio.datasets.r_data import BZIP2, read_data_frame

    with path.open("rb") as stream:
        packed_by_r = stream.read(len(BZIP2)) == BZIP2
    table = pl.DataFrame(read_data_frame(path, NAME)) if packed_by_r else read_csv_as_text(path, dataset=NAME)
    notes = apply_types(table, column_types(), dataset=NAME).with_columns(pl.col(pl.String).replace("", None))
    for name in ("note_id", "medical_specialty", "sample_name"):
        if notes[name].null_count():
            row = int(notes[name].is_null().arg_true()[0])
            raise SchemaError(f"{NAME}: column {name!r} must not be missing; {notes[name].null_count()} value(s) are, first at row {row}. "
                              "Fetch the file again.")
    check_once(notes, ["note_id"], dataset=NAME)
    return notes


def distinct_texts(notes: pl.DataFrame) -> pl.DataFrame:
    """Keep one row a text, with all its specialties, the label by the rule, and its group.

    Two texts are the same if they differ in white space only; notes without a text are left out. The label is `most_specific`. A group
    joins texts that share the stem of a name (`name_stem`) or their first `SAME_START` characters, directly or through others; case and
    white space do not count. Split by group, never by row.

    Parameters
    ----------
    notes : polars.DataFrame
        As `read_mtsamples` gives it.

    Returns
    -------
    polars.DataFrame
        ``note_id`` of the text's first note, ``text`` as published there, ``specialty`` (the label), ``specialties`` (all of them,
        sorted), ``sample_name``, ``description`` and ``keywords`` (the first that is given; null where none is) and ``group`` (from
        0), in the order of the notes. ``keywords`` mostly begin with a specialty: never a feature.
    """
    import polars as pl

    plain = pl.col("transcription").str.replace_all(r"\s+", " ").str.strip_chars()
    first = [pl.col(name).drop_nulls().first() for name in ("sample_name", "description", "keywords")]
    texts = notes.with_columns(plain.alias("plain")).filter(pl.col("plain") != "").group_by("plain", maintain_order=True).agg(
        pl.col("note_id", "transcription").first(), pl.col("medical_specialty").cast(pl.String).unique().sort().alias("specialties"),
        pl.col("sample_name").alias("names"), *first)
    keys = [{("name", name_stem(name)) for name in names} | {("start", plain.lower()[:SAME_START])}
            for plain, names in texts.select("plain", "names").iter_rows()]
    label = pl.Series("specialty", most_specific(texts["specialties"].to_list()), dtype=pl.Enum(SPECIALTIES))
    return texts.with_columns(label, pl.Series("group", join_by_keys(keys), dtype=pl.Int32)).select(
        "note_id", pl.col("transcription").alias("text"), "specialty", "specialties", "sample_name", "description", "keywords", "group")


def most_specific(specialties: Sequence[Sequence[str]]) -> list[str]:
    """Choose the rarest specialty of each text, by the number of texts that it stands at; of equally rare ones the first by name.

    Parameters
    ----------
    specialties : sequence of sequence of str
        The specialties of each distinct text, at least one.

    Returns
    -------
    list of str
        One a text.
    """
    counts = Counter(name for names in specialties for name in set(names))
    return [min(names, key=lambda name: (counts[name], name)) for names in specialties]


def name_stem(name: str) -> str:
    """Take the number off a sample's name: ``"Vasectomy - 2"`` becomes ``"vasectomy"``.

    Parameters
    ----------
    name : str
        As published.

    Returns
    -------
    str
        In lower case, without a number that follows a hyphen at the end.
    """
    return _NUMBER.sub("", " ".join(name.lower().split()))


def join_by_keys(keys: Sequence[Iterable[Hashable]]) -> list[int]:
    """Number the groups of rows that share a key, directly or through other rows (connected components).

    Parameters
    ----------
    keys : sequence of iterable
        Keys of each row, at least one.

    Returns
    -------
    list of int
        Group of each row, from 0 in the order of their first rows.
    """
    import numpy as np
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes: dict[Hashable, int] = {}
    edges = np.array([(row, len(keys) + nodes.setdefault(key, len(nodes))) for row, own in enumerate(keys) for key in own]).reshape(-1, 2)
    size = len(keys) + len(nodes)
    _, components = connected_components(coo_array((np.ones(len(edges)), (edges[:, 0], edges[:, 1])), shape=(size, size)), directed=False)
    numbers: dict[int, int] = {}
    return [numbers.setdefault(int(component), len(numbers)) for component in components[: len(keys)]]
