"""Population by country and region, United Nations World Population Prospects 2024, every fifth year from 1950 to 2100."""

from __future__ import annotations

from typing import TYPE_CHECKING

from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.provenance import LoadedData, Provenance
from carefolio.datasets.resolve import resolve
from carefolio.datasets.schema import check_columns
from carefolio.exceptions import ConfigError, SchemaError

if TYPE_CHECKING:
    import polars as pl

NAME = "world_population"
FILE = "population.csv.gz"
COLUMNS = ["LocID", "Location", "Year", "Sex", "AgeGrp", "AgeGrpStart", "Value"]


def load_world_population(year: int = 2020) -> LoadedData:
    """Load the population of a year from the installed package, or from a mirror or cache that holds the same file.

    Parameters
    ----------
    year : int, default 2020
        One of 1950, 1955, ..., 2100; from 2025 on the medium projection.

    Returns
    -------
    LoadedData
        One row a place, sorted by code: ``location`` (the name that the United Nations use), ``m49`` (their code: the
        M49 code of a country; 900 and above are the world and its regions) and ``population``, the sum over both sexes and all ages.

    Raises
    ------
    ConfigError
        If the file does not hold the year.
    DataUnavailableError
        If the package bokeh_sampledata is not installed and no other place has the file.
    DataIntegrityError
        If the file is not the one that the catalogue names.
    SchemaError
        If the table is not of the expected form.
    """
    file = resolve(NAME, FILE)
    frame = _population(file.path.read_bytes(), year)
    return LoadedData(frame, Provenance(NAME, file.origin, file.sha256, frame.height, find_dataset(NAME).licence))


def _population(content: bytes, year: int) -> pl.DataFrame:
    import polars as pl

    table = pl.read_csv(content)
    check_columns(table.columns, COLUMNS, dataset=NAME)
    years = table["Year"].unique().sort().to_list()
    if year not in years:
        raise ConfigError(f"{NAME}: year must be one of {years[0]}, {years[1]}, ..., {years[-1]}; got {year}.")
    places = table.filter(pl.col("Year") == year).group_by(pl.col("LocID").alias("m49"), pl.col("Location").alias("location"))
    frame = places.agg(pl.col("Value").sum().cast(pl.Int64).alias("population")).sort("m49").select("location", "m49", "population")
    if frame["m49"].is_duplicated().any() or frame["population"].min() == 0:
        raise SchemaError(f"{NAME}: a place stands twice or has no people in {year}; install the release of its package "
                          "that carefolio pins.")
    return frame
