"""From text columns to a typed, checked table; each failure becomes one line that names column, count, first value and row.

Rows are counted from 0, as polars counts them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.exceptions import SchemaError

if TYPE_CHECKING:
    import polars as pl


def check_columns(columns: list[str], expected: list[str], *, dataset: str) -> None:
    """Refuse a table that lacks a column or has one that nobody knows.

    Parameters
    ----------
    columns : list of str
        Names found.
    expected : list of str
        Names that must be there, in any order.
    dataset : str
        Named in the error.

    Raises
    ------
    SchemaError
        If the two differ.
    """
    missing = [name for name in expected if name not in columns]
    unknown = [name for name in columns if name not in expected]
    if missing:
        raise SchemaError(f"{dataset}: {len(missing)} of {len(expected)} columns are missing, first {missing[0]!r}; "
                          f"found {len(columns)} columns. Use the publisher's file with its header line.")
    if unknown:
        raise SchemaError(f"{dataset}: unknown column {unknown[0]!r} ({len(unknown)} in all); drop it or use the publisher's file.")


def apply_types(frame: pl.DataFrame, types: Mapping[str, Any], *, dataset: str) -> pl.DataFrame:
    """Cast text columns; a value that does not fit its type is an error, not a missing value.

    Parameters
    ----------
    frame : polars.DataFrame
        Columns of text, days in the form 2023-10-14; nulls stay null.
    types : mapping of str to polars data type
        The type of every column.
    dataset : str
        Named in the error.

    Returns
    -------
    polars.DataFrame
        The columns of ``types`` in that order.

    Raises
    ------
    SchemaError
        If a column is missing or unknown, or a value does not fit.
    """
    import polars as pl

    check_columns(frame.columns, list(types), dataset=dataset)
    typed = frame.select(pl.col(name).str.to_date("%Y-%m-%d", strict=False) if dtype == pl.Date else
                         pl.col(name).cast(dtype, strict=False) for name, dtype in types.items())
    lost = [name for name in types if typed[name].null_count() != frame[name].null_count()]
    if lost:
        raise _misfit(frame[lost[0]], typed[lost[0]], types[lost[0]], dataset)
    return typed


def _misfit(text: pl.Series, typed: pl.Series, dtype: Any, dataset: str) -> SchemaError:
    bad = (typed.is_null() & text.is_not_null()).arg_true()
    row = int(bad[0])
    return SchemaError(f"{dataset}: column {text.name!r} holds {len(bad)} value(s) that are not {_describe(dtype)}; "
                       f"first {text[row]!r} at row {row}. Correct the file or fetch it again.")


def _describe(dtype: Any) -> str:
    import polars as pl

    if isinstance(dtype, pl.Enum):
        labels = dtype.categories.to_list()
        return f"one of {', '.join(labels[:6])}{' …' if len(labels) > 6 else ''}"
    if dtype.is_integer():
        return "whole numbers"
    return "numbers" if dtype.is_numeric() else "days in the form 2023-10-14" if dtype == pl.Date else str(dtype)


def validate(frame: pl.DataFrame, schema: Any, *, dataset: str) -> pl.DataFrame:
    """Check a typed table against a pandera schema.

    Parameters
    ----------
    frame : polars.DataFrame
        The table.
    schema : pandera.polars.DataFrameSchema
        Types, ranges, labels, nulls and uniqueness.
    dataset : str
        Named in the error.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        At the first column that fails.
    """
    from pandera.errors import SchemaError as PanderaError

    check_columns(frame.columns, list(schema.columns), dataset=dataset)
    try:
        schema.validate(frame)
    except PanderaError as error:
        raise _translate(error, frame, dataset) from None
    return frame


def check_once(frame: pl.DataFrame, keys: Sequence[str], *, dataset: str) -> None:
    """Check that a table has one row a key.

    Parameters
    ----------
    frame : polars.DataFrame
        The table.
    keys : sequence of str
        Columns that name a row together.
    dataset : str
        Named in the error.

    Raises
    ------
    SchemaError
        Naming the count and the first row that repeats another.
    """
    import polars as pl

    key = pl.struct(keys)
    again = frame.select((key.is_duplicated() & ~key.is_first_distinct()).arg_true()).to_series()
    if len(again):
        row = int(again[0])
        raise SchemaError(f"{dataset}: {', '.join(keys)} must name one row; {len(again)} row(s) repeat another, first "
                          f"{', '.join(str(frame[name][row]) for name in keys)} at row {row}. Remove the repeated rows.")


def read_csv_as_text(path: Path, *, dataset: str, null_values: Sequence[str] = ()) -> pl.DataFrame:
    """Read a CSV file with every column as text.

    Parameters
    ----------
    path : Path
        The file.
    dataset : str
        Named in the error.
    null_values : sequence of str, optional
        What stands for a missing value.

    Returns
    -------
    polars.DataFrame
        Columns of text; `apply_types` gives them types.

    Raises
    ------
    SchemaError
        If the file is not a table.
    """
    import polars as pl

    try:
        return pl.read_csv(path, infer_schema=False, null_values=list(null_values))
    except (pl.exceptions.ComputeError, pl.exceptions.NoDataError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"{dataset}: {path} is not a table ({reason}); delete it and fetch it again.") from None


def _translate(error: Any, frame: pl.DataFrame, dataset: str) -> SchemaError:
    name, reason = error.schema.name, error.reason_code.name
    where = f"{dataset}: column {name!r}"
    if reason == "WRONG_DATATYPE":
        return SchemaError(f"{where} has type {frame[name].dtype}, expected {error.schema.dtype}; read the file with the loader.")
    if reason == "SERIES_CONTAINS_DUPLICATES":
        bad = (frame[name].is_duplicated() & ~frame[name].is_first_distinct()).arg_true()
        return SchemaError(f"{where} must be unique; {len(bad)} value(s) stand twice, first {frame[name][int(bad[0])]!r} again "
                           f"at row {bad[0]}. Remove the repeated rows.")
    if reason == "SERIES_CONTAINS_NULLS":
        bad = (frame[name].is_null() | (frame[name].is_nan() if frame[name].dtype.is_float() else False)).arg_true()
        return SchemaError(f"{where} must not be missing; {len(bad)} value(s) are, first at row {bad[0]}. "
                           "The line may be cut short: fetch the file again.")
    bad = (~error.check_output.to_series()).arg_true()
    return SchemaError(f"{where} must satisfy {error.check.error or error.check.name}; {len(bad)} value(s) do not, "
                       f"first {frame[name][int(bad[0])]!r} at row {bad[0]}. Correct or remove these rows.")
