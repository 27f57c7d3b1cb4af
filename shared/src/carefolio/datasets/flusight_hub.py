"""The forecasts of one FluSight model as one table, made of the weekly files that the hub publishes.

A weekly file has one line a target, horizon, place and quantile. Kept are the quantiles of weekly hospital admissions.
"""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.artefacts import atomic_path
from carefolio.datasets.catalog import FileEntry
from carefolio.datasets.download import download
from carefolio.datasets.schema import apply_types
from carefolio.exceptions import DataIntegrityError, DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

TARGET, OUTPUT_TYPE = "wk inc flu hosp", "quantile"
ORDER = ["reference_date", "horizon", "location", "quantile"]


def assemble(file: FileEntry, url: str, path: Path, *, weeks: Path) -> Path:
    """Download the weekly files, put them together, and check the content.

    Parameters
    ----------
    file : FileEntry
        What the table must be: ``parts``, ``rows`` and ``content_sha256``.
    url : str
        Address of a weekly file with ``{part}`` in the place of the week.
    path : Path
        Destination, Parquet; it appears only when the content is right.
    weeks : Path
        Folder for the weekly files. It is kept if a download fails, so that the next call goes on from there.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    DataUnavailableError
        If a week cannot be had.
    DataIntegrityError
        If the table is not the one that the catalogue describes.
    SchemaError
        If a weekly file is not of the hub's form.
    """
    import polars as pl

    fetched = _download_weeks(file, url, weeks)
    try:
        table = pl.concat([read_week(week) for week in fetched]).sort(ORDER)
        _check_content(table, file)
    except (DataIntegrityError, SchemaError):
        shutil.rmtree(weeks)
        raise
    with atomic_path(path) as temporary:
        table.write_parquet(temporary, compression="zstd")
    shutil.rmtree(weeks)
    return path


def read_week(path: Path) -> pl.DataFrame:
    """Read the quantiles of weekly admissions out of a weekly file.

    Parameters
    ----------
    path : Path
        CSV in the form of the hub, columns in any order.

    Returns
    -------
    polars.DataFrame
        ``reference_date``, ``horizon`` (weeks), ``target_end_date``, ``location``, ``quantile``, ``value`` (admissions).

    Raises
    ------
    SchemaError
        If the file is not of the form, or a value does not fit its column.
    """
    import polars as pl

    needed = ["target", "output_type", "reference_date", "horizon", "target_end_date", "location", "output_type_id", "value"]
    try:
        rows = pl.read_csv(path, infer_schema=False).select(needed)
    except (pl.exceptions.ComputeError, pl.exceptions.NoDataError, pl.exceptions.ColumnNotFoundError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"{path.name} is not a weekly forecast file of the hub ({reason}); run again to fetch it anew.") from None
    kept = rows.filter(pl.col("target") == TARGET, pl.col("output_type") == OUTPUT_TYPE).drop("target", "output_type")
    types: dict[str, Any] = {"reference_date": pl.String(), "horizon": pl.Int64(), "target_end_date": pl.String(),
                             "location": pl.String(), "quantile": pl.Float64(), "value": pl.Float64()}
    return apply_types(kept.rename({"output_type_id": "quantile"}), types, dataset=path.name)


def content_sha256(table: pl.DataFrame) -> str:
    """Hash what a table says, whatever file it stands in.

    Parameters
    ----------
    table : polars.DataFrame
        Columns as ``read_week`` gives them.

    Returns
    -------
    str
        SHA-256 of the CSV form with a header line: rows sorted by date, horizon, place and quantile, horizons as whole numbers, other
        numbers with six decimals.
    """
    import polars as pl

    columns = ["reference_date", "horizon", "target_end_date", "location", "quantile", "value"]
    text = table.select(columns).with_columns(pl.col("horizon").cast(pl.Int64)).sort(ORDER).write_csv(float_precision=6)
    return hashlib.sha256(text.encode()).hexdigest()


def _download_weeks(file: FileEntry, url: str, weeks: Path) -> list[Path]:
    weeks.mkdir(parents=True, exist_ok=True)
    paths = [weeks / f"{part}.csv" for part in file.parts]
    for count, (part, path) in enumerate(zip(file.parts, paths, strict=True), start=1):
        if path.is_file():
            continue
        try:
            download(url.replace("{part}", part), path, title=f"{file.name}, week {count} of {len(paths)}")
        except DataUnavailableError as error:
            raise DataUnavailableError(f"{error}; {sum(path.is_file() for path in paths)} of {len(paths)} weeks are here, "
                                       "the next run goes on from there") from None
    return paths


def _check_content(table: pl.DataFrame, file: FileEntry) -> None:
    if table.height != file.rows:
        raise DataIntegrityError(f"{file.name}: the {len(file.parts)} weekly files hold {table.height} rows, expected {file.rows}; nothing "
                                 "was kept. Try again later; if it stays so the publisher has changed the files.")
    got = content_sha256(table)
    if got != file.content_sha256:
        raise DataIntegrityError(f"{file.name}: the content of the {len(file.parts)} weekly files has SHA-256 {got}, expected "
                                 f"{file.content_sha256}; nothing was kept. The publisher has revised a week.")
