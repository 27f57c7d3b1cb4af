"""ACI-Bench: 127 doctor-patient conversations, the notes written from them, and metadata with the patients' fictional names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import combine, resolve
from carefolio.datasets.schema import check_columns
from carefolio.exceptions import DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "aci_bench"
PARTS = {"train": "train", "valid": "valid", "test1": "clinicalnlp_taskB_test1"}
TEXT_COLUMNS = ["dataset", "encounter_id", "dialogue", "note"]
METADATA_COLUMNS = ["dataset", "encounter_id", "id", "doctor_name", "patient_gender", "patient_age", "patient_firstname",
                    "patient_familyname", "cc", "2nd_complaints"]


def load_aci_bench(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load conversations, notes and metadata of the parts train, valid and test1, or the synthetic twin where that is allowed.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, where no source has the real files, instead of failing.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        One row a visit: ``part``, ``encounter_id``, ``subset`` (how it was recorded), ``dialogue``, ``note``, ``doctor_name``,
        ``patient_gender``, ``patient_age`` (years), ``patient_firstname``, ``patient_familyname``, ``chief_complaint``; null where the
        metadata is silent.

    Raises
    ------
    DataUnavailableError
        If no source has a file and the twin is not allowed.
    DataIntegrityError
        If a file is not the one that the catalogue names.
    SchemaError
        If a table is not of the expected form, or the metadata is of other visits.
    """
    import polars as pl

    entry = find_dataset(NAME)
    try:
        files = {file.name: resolve(NAME, file.name) for file in entry.files}
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    tables = []
    for part, stem in PARTS.items():
        texts, metadata = (pl.read_csv(files[f"{stem}{end}"].path, infer_schema=False) for end in (".csv", "_metadata.csv"))
        tables.append(visit_frame(texts, metadata, part=part))
    frame = pl.concat(tables)
    origin, sha256 = combine(list(files.values()))
    return LoadedData(frame, Provenance(NAME, origin, sha256, frame.height, entry.licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.aci_bench_twin import make_aci_bench_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(make_aci_bench_twin(random_state), name=NAME, rows="visits", reason=reason)


def visit_frame(texts: pl.DataFrame, metadata: pl.DataFrame, *, part: str) -> pl.DataFrame:
    """Join the two tables of a part.

    Parameters
    ----------
    texts : polars.DataFrame
        Columns of text as published: data set, encounter, dialogue, note.
    metadata : polars.DataFrame
        Columns of text as published, one row a visit.
    part : str
        Name of the part.

    Returns
    -------
    polars.DataFrame
        As `load_aci_bench` gives it.

    Raises
    ------
    SchemaError
        If a column is missing or unknown, or the visits of the two are not the same.
    """
    import polars as pl

    check_columns(texts.columns, TEXT_COLUMNS, dataset=NAME)
    check_columns(metadata.columns, METADATA_COLUMNS, dataset=NAME)
    if sorted(texts["encounter_id"]) != sorted(metadata["encounter_id"]) or texts["encounter_id"].is_duplicated().any():
        raise SchemaError(f"{NAME}: the texts and the metadata of part {part!r} must be of the same visits, each once; got "
                          f"{texts.height} and {metadata.height}. Fetch both files again.")
    joined = texts.join(metadata.drop("dataset"), on="encounter_id", how="left", maintain_order="left")
    named = ("doctor_name", "patient_gender", "patient_age", "patient_firstname", "patient_familyname")
    stripped = joined.with_columns(pl.col(name).str.strip_chars().replace("", None) for name in named)
    return stripped.with_columns(pl.col("patient_age").cast(pl.Int64, strict=False)).select(
        pl.lit(part).alias("part"), "encounter_id", pl.col("dataset").alias("subset"), "dialogue", "note", *named,
        pl.col("cc").alias("chief_complaint"))


def name_spans(text: str, *, first: str | None, family: str | None, doctor: str | None) -> list[tuple[str, int, int]]:
    """Find where a text says the names of its metadata.

    A first name counts wherever it stands as a word. A family name that may be an ordinary word ("young", "price") counts with a
    capital, behind the first name, or behind a title; the doctor's name behind a title or with a capital.

    Parameters
    ----------
    text : str
        A conversation or note.
    first, family, doctor : str or None
        Names as the metadata gives them; None finds nothing.

    Returns
    -------
    list of (str, int, int)
        ``"PATIENT"`` or ``"DOCTOR"``, start and end, sorted, none within another.
    """
    import regex

    doctor = re.sub(r"^dr\.?\s", "", doctor, flags=re.IGNORECASE) if doctor else None
    wanted = []
    if first:
        full = rf"{re.escape(first)}\s{re.escape(family)}|" if family else ""
        wanted.append(("PATIENT", rf"(?i:\b(?:{full}{re.escape(first)})\b)"))
    for kind, name, titles in (("PATIENT", family, "mr|mrs|ms|miss"), ("DOCTOR", doctor, "dr|doctor")):
        if name:
            wanted.append((kind, rf"\b{re.escape(name.title())}\b|(?<=\b(?i:{titles})[ .])(?:[ .]{{0,2}})(?i:{re.escape(name)})\b"))
    found = {(kind, match.end() - len(match.group().lstrip(" .")), match.end()) for kind, expression in wanted
             for match in regex.finditer(expression, text)}
    widest = [span for span in found if not any(other != span and other[1] <= span[1] and span[2] <= other[2] for other in found)]
    return sorted(widest, key=lambda span: span[1])
