"""CDC FluSight: weekly hospital admissions with influenza by state, and the hub's own quantile forecasts of them.

Weeks end on Saturday. A place is a state's two-digit FIPS code, ``72`` Puerto Rico, ``11`` the District of Columbia, or ``US``.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import combine, resolve, setting_aside
from carefolio.datasets.schema import apply_types, check_once, read_csv_as_text, validate
from carefolio.exceptions import ConfigError, DataUnavailableError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "flusight"
TARGET_FILE, LOCATIONS_FILE = "target-hospital-admissions.csv", "locations.csv"
Model = Literal["FluSight-baseline", "FluSight-ensemble"]
MODELS: dict[str, str] = {"FluSight-baseline": "flusight_baseline", "FluSight-ensemble": "flusight_ensemble"}
"""Name in the hub, and name in the provenance."""
QUANTILE_LEVELS = (0.01, 0.025, *(level / 100 for level in range(5, 100, 5)), 0.975, 0.99)
"""The 23 levels of every forecast."""
HORIZONS = (-1, 0, 1, 2, 3)
"""Weeks from the reference date to the end of the week that is forecast."""


@functools.cache
def admissions_schema() -> Any:
    """Build the pandera schema of the admissions, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, ranges and nulls.
    """
    import pandera.polars as pa
    import polars as pl

    saturday = pa.Check(lambda data: data.lazyframe.select(pl.col(data.key).dt.weekday() == 6), error="a Saturday")
    place = pa.Check.str_matches(r"^(US|[0-9]{2})$", error="a FIPS code or US")
    return pa.DataFrameSchema({
        "week_ending": pa.Column(pl.Date(), checks=[saturday]), "location": pa.Column(pl.String(), checks=[place]),
        "location_name": pa.Column(pl.String()), "abbreviation": pa.Column(pl.String()),
        "population": pa.Column(pl.Int64(), checks=[pa.Check.in_range(1, 10**10, error="population >= 1")]),
        "admissions": pa.Column(pl.Float64(), checks=[pa.Check.in_range(0, 10**7, error="admissions >= 0")], nullable=True)}, name=NAME)


@functools.cache
def forecasts_schema() -> Any:
    """Build the pandera schema of the forecasts, once a process.

    Returns
    -------
    pandera.polars.DataFrameSchema
        Types, ranges, horizons and quantile levels.
    """
    import pandera.polars as pa
    import polars as pl

    levels = pa.Check.isin(list(QUANTILE_LEVELS), error="one of the 23 quantile levels")
    return pa.DataFrameSchema({
        "reference_date": pa.Column(pl.Date()),
        "horizon": pa.Column(pl.Int32(), checks=[pa.Check.isin(list(HORIZONS), error="a horizon of -1, 0, 1, 2 or 3 weeks")]),
        "target_end_date": pa.Column(pl.Date()), "location": pa.Column(pl.String()),
        "quantile_level": pa.Column(pl.Float64(), checks=[levels]),
        "value": pa.Column(pl.Float64(), checks=[pa.Check.in_range(0, 10**7, error="value >= 0")])}, name=NAME)


def validate_flusight_admissions(frame: pl.DataFrame) -> pl.DataFrame:
    """Check the admissions: types, ranges, Saturdays, and one row a place and week.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_flusight_admissions`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row.
    """
    validate(frame, admissions_schema(), dataset=NAME)
    check_once(frame, ["location", "week_ending"], dataset=NAME)
    return frame


def validate_flusight_forecasts(frame: pl.DataFrame) -> pl.DataFrame:
    """Check forecasts: types, ranges, dates that agree with the horizon, and all 23 levels of each forecast once.

    Parameters
    ----------
    frame : polars.DataFrame
        As ``load_flusight_forecasts`` gives it.

    Returns
    -------
    polars.DataFrame
        The same table.

    Raises
    ------
    SchemaError
        Naming column, count, first bad value and row, or the forecast that is not whole.
    """
    import polars as pl

    validate(frame, forecasts_schema(), dataset=NAME)
    apart = (pl.col("target_end_date") - pl.col("reference_date")).dt.total_days() != 7 * pl.col("horizon")
    wrong = frame.select(apart.arg_true()).to_series()
    if len(wrong):
        raise SchemaError(f"{NAME}: column 'target_end_date' must lie `horizon` weeks after 'reference_date'; {len(wrong)} row(s) do "
                          f"not, first {frame['target_end_date'][int(wrong[0])]} at row {wrong[0]}. Correct or remove these rows.")
    keys = ["reference_date", "horizon", "location"]
    check_once(frame, [*keys, "quantile_level"], dataset=NAME)
    partial = frame.group_by(keys, maintain_order=True).len().filter(pl.col("len") != len(QUANTILE_LEVELS))
    if partial.height:
        day, horizon, location, count = partial.row(0)
        raise SchemaError(f"{NAME}: {partial.height} forecast(s) lack quantile levels, first that of {day} for horizon {horizon} and "
                          f"{location!r} with {count} of {len(QUANTILE_LEVELS)}. Fetch the file again.")
    return frame


def read_flusight_admissions(target: Path, locations: Path) -> pl.DataFrame:
    """Read and check the publisher's two files; their hashes may be any.

    Parameters
    ----------
    target : Path
        CSV with ``date``, ``location`` and ``value``; ``NA`` is missing. Other columns are left out.
    locations : Path
        CSV with ``location``, ``location_name``, ``abbreviation`` and ``population``.

    Returns
    -------
    polars.DataFrame
        One row a place and week between the first and the last week of the file, also where the file has none.

    Raises
    ------
    SchemaError
        If a file is not of the form, or a place is not among the locations.
    """
    import polars as pl

    counts = _read_csv(target, {"date": pl.Date(), "location": pl.String(), "value": pl.Float64()})
    places = _read_csv(locations, {"location": pl.String(), "location_name": pl.String(), "abbreviation": pl.String(),
                                   "population": pl.Int64()})
    counts = counts.rename({"date": "week_ending", "value": "admissions"})
    check_once(counts, ["location", "week_ending"], dataset=NAME)
    check_once(places, ["location"], dataset=NAME)
    unknown = counts.join(places, on="location", how="anti")["location"]
    if len(unknown):
        raise SchemaError(f"{NAME}/{target.name}: column 'location' holds {unknown.n_unique()} place(s) that {locations.name} does not "
                          f"know, first {unknown[0]!r}. Fetch both files again.")
    first, last = counts["week_ending"].min(), counts["week_ending"].max()
    weeks = pl.select(pl.date_range(pl.lit(first), pl.lit(last), "1w").alias("week_ending")).vstack(counts.select("week_ending")).unique()
    seen = places.join(counts.select("location").unique(), on="location", how="semi")
    grid = weeks.join(seen, how="cross").join(counts, on=["location", "week_ending"], how="left")
    return validate_flusight_admissions(grid.sort("location", "week_ending").select(list(admissions_schema().columns)))


def read_flusight_forecasts(path: Path) -> pl.DataFrame:
    """Read and check a table of quantile forecasts; its hash may be any.

    Parameters
    ----------
    path : Path
        Parquet with ``reference_date``, ``horizon``, ``target_end_date``, ``location``, ``quantile`` and ``value``.

    Returns
    -------
    polars.DataFrame
        Sorted by reference date, horizon, location and quantile level; levels are rounded to three decimals so that joins are exact.

    Raises
    ------
    SchemaError
        If the file is not of the form.
    """
    import polars as pl

    try:
        table = pl.read_parquet(path)
    except (pl.exceptions.ComputeError, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise SchemaError(f"{NAME}: {path} is not a Parquet file ({reason}); fetch the file again.") from None
    types = {"reference_date": pl.Date(), "horizon": pl.Float64(), "target_end_date": pl.Date(), "location": pl.String(),
             "quantile": pl.Float64(), "value": pl.Float64()}
    table = apply_types(table, types, dataset=f"{NAME}/{path.name}")
    fraction = table.select((pl.col("horizon") % 1 != 0).arg_true()).to_series()
    if len(fraction):
        raise SchemaError(f"{NAME}/{path.name}: column 'horizon' must be a whole number of weeks; got "
                          f"{table['horizon'][int(fraction[0])]} at row {fraction[0]}. Fetch the file again.")
    table = table.rename({"quantile": "quantile_level"}).with_columns(pl.col("horizon").cast(pl.Int32), pl.col("quantile_level").round(3))
    return validate_flusight_forecasts(table.sort("reference_date", "horizon", "location", "quantile_level"))


def load_flusight_admissions(*, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the weekly admissions, or the synthetic twin where the caller allows it and no source has the real files.

    Parameters
    ----------
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin.

    Returns
    -------
    LoadedData
        ``week_ending`` (Saturday), ``location``, ``location_name``, ``abbreviation``, ``population`` and ``admissions`` (null where
        not reported), one row a place and week, sorted by place and week. The hash of the provenance combines those of the two
        files (``carefolio.datasets.resolve.combine``); the publisher revises them, so it depends on the day of the download.

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
        files = [resolve(NAME, name) for name in (TARGET_FILE, LOCATIONS_FILE)]
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_admissions_twin(random_state, str(error))
    with setting_aside(files):
        frame = read_flusight_admissions(files[0].path, files[1].path)
    origin, sha256 = combine(files)
    return LoadedData(frame, Provenance(NAME, origin, sha256, frame.height, find_dataset(NAME).licence))


def load_flusight_forecasts(model: Model, *, allow_synthetic: bool = False, random_state: int = 0) -> LoadedData:
    """Load the forecasts of one of the hub's models, or synthetic ones where the caller allows it and no source has the real file.

    Parameters
    ----------
    model : {"FluSight-baseline", "FluSight-ensemble"}
        Name in the hub.
    allow_synthetic : bool, default False
        Take the twin, with a line on standard error, instead of failing with ``DataUnavailableError``.
    random_state : int, default 0
        Seed of the twin; with the seed of ``load_flusight_admissions`` the forecasts are of the same twin's admissions.

    Returns
    -------
    LoadedData
        ``reference_date``, ``horizon`` (weeks), ``target_end_date``, ``location``, ``quantile_level`` and ``value`` (admissions); 23
        levels a forecast, sorted by these columns in the order date, horizon, place, level. In the real files no quantiles cross:
        0 of 22,525 forecasts of the baseline and 0 of 19,769 of the ensemble.

    Raises
    ------
    ConfigError
        If the model is another.
    DataUnavailableError
        If no source has the file and the twin is not allowed.
    DataIntegrityError
        If a source has other bytes.
    SchemaError
        If the table is not of the expected form.
    """
    if model not in MODELS:
        raise ConfigError(f"model must be one of {', '.join(MODELS)}; got {model!r}.")
    try:
        file = resolve(NAME, f"{model}_wk_inc_flu_hosp_quantiles.parquet")
    except DataUnavailableError as error:
        if not allow_synthetic:
            raise
        return _load_forecasts_twin(model, random_state, str(error))
    with setting_aside([file]):
        frame = read_flusight_forecasts(file.path)
    return LoadedData(frame, Provenance(MODELS[model], file.origin, file.sha256, frame.height, find_dataset(NAME).licence))


def _load_admissions_twin(random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.flusight_twin import make_flusight_admissions_twin
    from carefolio.datasets.twin import announce_twin

    frame = validate_flusight_admissions(make_flusight_admissions_twin(random_state))
    return announce_twin(frame, name=NAME, rows="state-weeks", reason=reason)


def _load_forecasts_twin(model: Model, random_state: int, reason: str) -> LoadedData:
    from carefolio.datasets.flusight_twin import make_flusight_forecasts_twin
    from carefolio.datasets.twin import announce_twin

    frame = validate_flusight_forecasts(make_flusight_forecasts_twin(model, random_state))
    return announce_twin(frame, name=MODELS[model], rows="quantiles", reason=reason)


def _read_csv(path: Path, types: dict[str, Any]) -> pl.DataFrame:
    """Read the named columns; each value must fit its type, ``NA`` is missing."""
    text = read_csv_as_text(path, dataset=NAME, null_values=["NA"])
    return apply_types(text.select(name for name in types if name in text.columns), types, dataset=f"{NAME}/{path.name}")
