"""Diabetes 130-US hospitals, 1999-2008: 101,766 encounters of 71,518 patients, one row an encounter.

Columns keep the publisher's names. Columns with a closed set of labels are ``polars.Enum``, ordered where the labels have an
order; codes, diagnoses, payer and specialty are text or integers. ``?`` becomes null. In ``A1Cresult`` and ``max_glu_serum``
the publisher's ``None`` becomes ``not_measured``: the test was not done, which is itself information.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.artefacts import sha256_file
from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance, ResolvedFile
from carefolio.datasets.resolve import resolve
from carefolio.datasets.schema import apply_types, validate
from carefolio.exceptions import DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "diabetes130"
FILE = "diabetic_data.csv"

DRUGS = (
    "metformin", "repaglinide", "nateglinide", "chlorpropamide", "glimepiride", "acetohexamide", "glipizide", "glyburide",
    "tolbutamide", "pioglitazone", "rosiglitazone", "acarbose", "miglitol", "troglitazone", "tolazamide", "examide", "citoglipton",
    "insulin", "glyburide-metformin", "glipizide-metformin", "glimepiride-pioglitazone", "metformin-rosiglitazone",
    "metformin-pioglitazone",
)
LABELS: dict[str, tuple[str, ...]] = {
    "race": ("AfricanAmerican", "Asian", "Caucasian", "Hispanic", "Other"),
    "gender": ("Female", "Male", "Unknown/Invalid"),
    "age": tuple(f"[{low}-{low + 10})" for low in range(0, 100, 10)),
    "weight": (*(f"[{low}-{low + 25})" for low in range(0, 200, 25)), ">200"),
    "max_glu_serum": ("not_measured", "Norm", ">200", ">300"),
    "A1Cresult": ("not_measured", "Norm", ">7", ">8"),
    **dict.fromkeys(DRUGS, ("No", "Down", "Steady", "Up")),
    "change": ("No", "Ch"),
    "diabetesMed": ("No", "Yes"),
    "readmitted": ("NO", ">30", "<30"),
}
RANGES: dict[str, tuple[int, int]] = {
    "encounter_id": (1, 2**62), "patient_nbr": (1, 2**62),
    "admission_type_id": (1, 8), "discharge_disposition_id": (1, 30), "admission_source_id": (1, 26),
    "time_in_hospital": (1, 14), "num_lab_procedures": (0, 200), "num_procedures": (0, 50), "num_medications": (0, 150),
    "number_outpatient": (0, 366), "number_emergency": (0, 366), "number_inpatient": (0, 366), "number_diagnoses": (0, 50),
}
"""Smallest and largest accepted value: codes as published, counts generous enough for any plausible year of care."""
NULLABLE = ("race", "weight", "payer_code", "medical_specialty", "diag_1", "diag_2", "diag_3")
COLUMNS = (
    "encounter_id", "patient_nbr", "race", "gender", "age", "weight", "admission_type_id", "discharge_disposition_id",
    "admission_source_id", "time_in_hospital", "payer_code", "medical_specialty", "num_lab_procedures", "num_procedures",
    "num_medications", "number_outpatient", "number_emergency", "number_inpatient", "diag_1", "diag_2", "diag_3",
    "number_diagnoses", "max_glu_serum", "A1Cresult", *DRUGS, "change", "diabetesMed", "readmitted",
)
ICD9_PATTERN = r"^[EV]?[0-9]{1,3}(\.[0-9]{1,2})?$"


def column_types() -> dict[str, Any]:
    """Give the polars type of every column, in the publisher's order.

    Returns
    -------
    dict of str to polars data type
        ``Int64`` for the two ids, ``Int32`` for counts and codes, ``Enum`` for closed label sets, ``String`` for the rest.
    """
    import polars as pl

    types: dict[str, Any] = {}
    for name in COLUMNS:
        if name in LABELS:
            types[name] = pl.Enum(LABELS[name])
        elif name in RANGES:
            types[name] = pl.Int64() if name in ("encounter_id", "patient_nbr") else pl.Int32()
        else:
            types[name] = pl.String()
    return types


@functools.cache
def raw_schema() -> Any:
    """Build the pandera schema of the table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, ranges, label sets, nulls, ICD-9 form, and unique ``encounter_id``.
    """
    import pandera.polars as pa

    def _column(name: str, dtype: Any) -> Any:
        checks = []
        if name in RANGES:
            low, high = RANGES[name]
            checks.append(pa.Check.in_range(low, high, error=f"{low} <= {name} <= {high}"))
        if name.startswith("diag_"):
            checks.append(pa.Check.str_matches(ICD9_PATTERN, error="the form of an ICD-9 code"))
        return pa.Column(dtype, checks=checks, nullable=name in NULLABLE, unique=name == "encounter_id")

    return pa.DataFrameSchema({name: _column(name, dtype) for name, dtype in column_types().items()}, name=NAME)


def validate_diabetes130(frame: pl.DataFrame) -> pl.DataFrame:
    """Check a table against the schema.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed as ``read_diabetes130`` types it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    return validate(frame, raw_schema(), dataset=NAME)


def read_diabetes130(path: Path) -> pl.DataFrame:
    """Read and check a file in the publisher's form; its hash may be any.

    Parameters
    ----------
    path : Path
        CSV with the publisher's header.

    Returns
    -------
    polars.DataFrame
        One row an encounter, 50 typed columns.

    Raises
    ------
    SchemaError
        If a column is missing, a value does not fit its column, or a line is cut short or too long.
    """
    import polars as pl

    try:
        text = pl.read_csv(path, infer_schema=False, null_values=["?"])
    except (pl.exceptions.ComputeError, pl.exceptions.NoDataError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"{NAME}: {path} is not a table with one encounter a line ({reason}); fetch the file again.") from None
    tests = [name for name in ("A1Cresult", "max_glu_serum") if name in text.columns]
    text = text.with_columns(pl.col(tests).replace("None", "not_measured"))
    return validate_diabetes130(apply_types(text, column_types(), dataset=NAME))


def fetch_diabetes130() -> ResolvedFile:
    """Find the file on this machine or download it.

    Returns
    -------
    ResolvedFile
        Path, origin and SHA-256.

    Raises
    ------
    DataUnavailableError
        If no source has it.
    DataIntegrityError
        If a source has other bytes.
    """
    return resolve(NAME, FILE)


def load_diabetes130(path: Path | None = None, *, allow_synthetic: bool = False, n_synthetic_patients: int = 20_000,
                     random_state: int = 0) -> LoadedData:
    """Load the encounters, or the synthetic twin where the caller allows it and no source has the real file.

    Parameters
    ----------
    path : Path, optional
        A file in the publisher's form; default is what ``fetch_diabetes130`` finds.
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    n_synthetic_patients : int, default 20000
        Patients in the twin, about 1.4 encounters each.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        Table and provenance. A ``path`` whose hash the catalogue does not know has the origin ``"file"``.

    Raises
    ------
    DataUnavailableError
        If no source has the file and the twin is not allowed.
    DataIntegrityError
        If a source has other bytes.
    SchemaError
        If the table is not of the expected form.
    """
    if path is not None:
        return _load(_named_file(path))
    try:
        found = fetch_diabetes130()
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(n_synthetic_patients, random_state, str(error))
    return _load(found)


def _named_file(path: Path) -> ResolvedFile:
    if not path.is_file():
        raise DataUnavailableError(f"{path} is not a file; name a CSV in the publisher's form or leave the path out.")
    sha256 = sha256_file(path)
    known = sha256 == find_dataset(NAME).file(FILE).sha256
    return ResolvedFile(path, "mirror" if known else "file", sha256)


def _load(file: ResolvedFile) -> LoadedData:
    frame = read_diabetes130(file.path)
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, find_dataset(NAME).licence))


def _load_twin(n_patients: int, random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.diabetes130_twin import make_diabetes130_twin
    from carefolio.datasets.twin import announce_twin

    frame = validate_diabetes130(make_diabetes130_twin(n_patients, random_state))
    return announce_twin(frame, name=NAME, rows="encounters", reason=reason)
