"""COVID-19 counts of Johns Hopkins University: 289 series of 1,143 days, 2020-01-22 to 2023-03-09, one row a series and day.

A series is a country or one of its provinces. Counts are cumulative as published, corrections included: they fall in places.
"""

from __future__ import annotations

import functools
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import combine, fetch
from carefolio.datasets.schema import apply_types, validate
from carefolio.exceptions import DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "covid19_jhu"
KEYS = {"Province/State": "province", "Country/Region": "country", "Lat": "latitude", "Long": "longitude"}
"""The publisher's names of the columns that stand before the days, and ours."""


@functools.cache
def raw_schema() -> Any:
    """Build the pandera schema of the long table, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, ranges and nulls.
    """
    import pandera.polars as pa
    import polars as pl

    def _column(dtype: Any, low: float | None = None, high: float = 2**62, *, nullable: bool = False) -> Any:
        checks = [] if low is None else [pa.Check.in_range(low, high, error=f"{low} <= value <= {high}")]
        return pa.Column(dtype, checks=checks, nullable=nullable)

    return pa.DataFrameSchema({
        "province": _column(pl.String(), nullable=True), "country": _column(pl.String()),
        "latitude": _column(pl.Float64(), -90, 90, nullable=True), "longitude": _column(pl.Float64(), -180, 180, nullable=True),
        "date": _column(pl.Date()), "confirmed": _column(pl.Int64(), 0), "deaths": _column(pl.Int64(), 0)}, name=NAME)


def validate_covid19_jhu(frame: pl.DataFrame) -> pl.DataFrame:
    """Check a long table: types, ranges, and that every series has every day once.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_covid19_jhu`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row, or the series with other days.
    """
    import polars as pl

    validate(frame, raw_schema(), dataset=NAME)
    if frame.is_empty():
        raise SchemaError(f"{NAME}: the table has no rows; fetch the files again.")
    days: list[date] = frame["date"].unique().sort().to_list()
    first, last = days[0], days[-1]
    span = (last - first).days + 1
    series = frame.group_by("country", "province", maintain_order=True).agg(pl.len(), pl.col("date").n_unique().alias("days"))
    uneven = series.filter((pl.col("days") != span) | (pl.col("len") != span))
    if uneven.height:
        row = uneven.row(0, named=True)
        raise SchemaError(f"{NAME}: {uneven.height} series do not have every day from {first} to {last} once; first "
                          f"{_series_name(row)} with {row['len']} rows on {row['days']} of {span} days. Fetch the files again.")
    return frame


def read_covid19_jhu(confirmed: Path, deaths: Path) -> pl.DataFrame:
    """Read and check the two files in the publisher's form; their hashes may be any.

    Parameters
    ----------
    confirmed, deaths : Path
        CSV files with one line a series and one column a day.

    Returns
    -------
    polars.DataFrame
        One row a series and day, sorted by country, province (a missing one first) and date; columns ``province``, ``country``,
        ``latitude``, ``longitude``, ``date``, ``confirmed``, ``deaths``.

    Raises
    ------
    SchemaError
        If a file is not of the form, or the two differ in their series or days.
    """
    import numpy as np
    import polars as pl

    cases, died = _read_wide(confirmed), _read_wide(deaths)
    _check_same(cases, died, deaths.name)
    days = _days(cases.columns)
    series, day = np.divmod(np.arange(cases.height * len(days)), len(days))
    frame = cases.select(KEYS.values())[series].with_columns(
        pl.Series("date", days, dtype=pl.Date).gather(day),
        pl.Series("confirmed", cases.select(pl.exclude(*KEYS.values())).to_numpy().ravel()),
        pl.Series("deaths", died.select(pl.exclude(*KEYS.values())).to_numpy().ravel()))
    return validate_covid19_jhu(frame)


def load_covid19_jhu(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the daily series, or the synthetic twin where the caller allows it and no source has the real files.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        ``province`` (null where the series is a whole country), ``country``, ``latitude`` and ``longitude`` in degrees (null for
        two series without a place), ``date``, and the cumulative counts ``confirmed`` and ``deaths``; sorted by country, province
        and date. The hash of the provenance combines those of the two files (``carefolio.datasets.resolve.combine``).

    Raises
    ------
    DataUnavailableError
        If no source has the files and the twin is not allowed.
    DataIntegrityError
        If a source has other bytes.
    SchemaError
        If the tables are not of the expected form.
    """
    try:
        files = fetch(NAME)
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_twin(random_state, str(error))
    frame = read_covid19_jhu(files[0].path, files[1].path)
    origin, sha256 = combine(files)
    return LoadedData(frame, Provenance(NAME, origin, sha256, frame.height, find_dataset(NAME).licence))


def _load_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.covid19_jhu_twin import make_covid19_jhu_twin
    from carefolio.datasets.twin import announce_twin

    return announce_twin(validate_covid19_jhu(make_covid19_jhu_twin(random_state)), name=NAME, rows="series-days", reason=reason)


def _read_wide(path: Path) -> pl.DataFrame:
    """Read one file, sorted by country and province, days as whole numbers."""
    import polars as pl

    try:
        text = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.ComputeError, pl.exceptions.NoDataError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"{NAME}: {path} is not a table with one series a line ({reason}); fetch the file again.") from None
    place = {"Province/State": pl.String(), "Country/Region": pl.String(), "Lat": pl.Float64(), "Long": pl.Float64()}
    days = [name for name in text.columns if name not in KEYS]
    _days(days)
    wide = apply_types(text, place | dict.fromkeys(days, pl.Int64()), dataset=f"{NAME}/{path.name}").rename(KEYS)
    _check_counts(wide, path.name)
    return wide.sort("country", "province", nulls_last=False)


def _days(columns: list[str]) -> list[date]:
    """Turn headers such as ``3/9/23`` into days that follow one another."""
    days: list[date] = []
    for name in columns:
        if name in KEYS.values():
            continue
        try:
            day = datetime.strptime(name, "%m/%d/%y").date()
        except ValueError:
            raise SchemaError(f"{NAME}: column {name!r} is not a day in the form month/day/year; use the publisher's file.") from None
        if days and day != days[-1] + timedelta(days=1):
            raise SchemaError(f"{NAME}: column {name!r} follows {days[-1]}, expected {days[-1] + timedelta(days=1)}; a day is missing "
                              "or out of order. Fetch the file again.")
        days.append(day)
    if not days:
        raise SchemaError(f"{NAME}: no column is a day; use the publisher's file with its header line.")
    return days


def _check_counts(wide: pl.DataFrame, file: str) -> None:
    import polars as pl

    long = wide.with_row_index("row").unpivot(index=["row", "country", "province"], on=wide.columns[len(KEYS):], variable_name="day")
    bad = long.filter(pl.col("country").is_null() | pl.col("value").is_null() | (pl.col("value") < 0))
    if bad.height:
        row = bad.row(0, named=True)
        raise SchemaError(f"{NAME}/{file}: column {row['day']!r} must hold a country's count of 0 or more; {bad.height} value(s) are "
                          f"not, first {row['value']!r} for {_series_name(row)} at row {row['row']}. The line may be cut short: "
                          "fetch the file again.")
    twice = wide.filter(wide.select("country", "province").is_duplicated())
    if twice.height:
        raise SchemaError(f"{NAME}/{file}: {_series_name(twice.row(0, named=True))} stands on several lines; remove the repeated ones.")


def _check_same(cases: pl.DataFrame, died: pl.DataFrame, file: str) -> None:
    other = [name for name in {**dict.fromkeys(cases.columns), **dict.fromkeys(died.columns)}
             if name not in cases.columns or name not in died.columns]
    if other:
        raise SchemaError(f"{NAME}/{file}: {len(other)} day(s) stand in only one of the two files, first {other[0]!r}; "
                          "fetch both files again.")
    keys = [set(frame.select("country", "province").iter_rows()) for frame in (cases, died)]
    apart = sorted(keys[0] ^ keys[1], key=str)
    if apart:
        raise SchemaError(f"{NAME}/{file}: {len(apart)} series stand in only one of the two files, first "
                          f"{_series_name(dict(zip(('country', 'province'), apart[0], strict=True)))}; fetch both files again.")


def _series_name(row: dict[str, Any]) -> str:
    return f"{row['country']!r}" + (f", {row['province']!r}" if row["province"] else "")
