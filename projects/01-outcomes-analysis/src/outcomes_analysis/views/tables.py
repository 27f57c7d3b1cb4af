"""Where the large tables of a run lie, which are not committed; nothing is ever downloaded."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl
import streamlit as st

from carefolio.config import project_home
from carefolio.datasets.catalog import find_dataset
from carefolio.datasets.resolve import local_copy
from carefolio.evidence import is_synthetic, read_evidence
from carefolio.exceptions import ArtefactError, CarefolioError
from carefolio.runs import run_folder
from outcomes_analysis.config import FOLDER, PARTS, PROJECT
from outcomes_analysis.views.results import Results

BUILT = ("covid19_weekly", "covid19_waves")
"""Tables that can be made while the page is open, in a few seconds, where the data is on this machine."""


def find_table(results: Results, part: str, name: str, columns: Sequence[str]) -> pl.DataFrame | None:
    """Find a table of the run that is shown, or of the full run on this machine if it read the same data.

    Parameters
    ----------
    results : Results
        The run.
    part : str
        The part that the table belongs to.
    name : str
        Name without its ending.
    columns : sequence of str
        What it must hold.

    Returns
    -------
    polars.DataFrame or None
        None where there is no such table.

    Raises
    ------
    ArtefactError
        If the file cannot be read or lacks a column.
    """
    for folder in _folders(results, part):
        path = folder / "tables" / f"{name}.parquet"
        if path.is_file():
            return _read(path, tuple(columns), path.stat().st_mtime_ns)
    return None


def _folders(results: Results, part: str) -> list[Path]:
    try:
        home = project_home(FOLDER)
    except CarefolioError:
        return [results.folder]
    other = run_folder(FOLDER, PROJECT, None, quick=False)
    same = results.folder.resolve() == home.resolve() and _same_data(results, other / "reports" / "evidence.json", part)
    return [results.folder, other] if same else [results.folder]


def _same_data(results: Results, path: Path, part: str) -> bool:
    if not path.is_file():
        return False
    other = read_evidence(path)
    wanted, found = ({data.name: data.sha256 for data in evidence.data if data.name in PARTS[part]}
                     for evidence in (results.evidence, other))
    return not is_synthetic(other) and bool(wanted) and wanted == found


@st.cache_resource(show_spinner=False, max_entries=12)
def _read(path: Path, columns: tuple[str, ...], changed: int) -> pl.DataFrame:
    try:
        table = pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ArtefactError(f"{path} cannot be read ({str(error).splitlines()[0]}); delete it and write it again with `outcomes "
                            f"run`.") from error
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise ArtefactError(f"{path} has no column {missing[0]!r}; another version wrote it. Write it again with `outcomes run`.")
    return table


def build_covid_tables(results: Results) -> dict[str, pl.DataFrame] | None:
    """Make the weekly tables of all countries from data on this machine, with the settings of the run.

    Parameters
    ----------
    results : Results
        The run; a run on synthetic data builds nothing from real data.

    Returns
    -------
    dict of str to polars.DataFrame, or None
        `BUILT`; None where the data is not on this machine.
    """
    entries = [find_dataset(name) for name in PARTS["waves"]]
    here = all(local_copy(entry, file) is not None for entry in entries for file in entry.files)
    if not here or is_synthetic(results.evidence) or "waves" not in results.evidence.config:
        return None
    return _build(results.evidence.config["waves"], results.evidence.seed)


@st.cache_resource(show_spinner="Counting the weeks of every country, a few seconds", max_entries=2)
def _build(settings: dict[str, Any], seed: int) -> dict[str, pl.DataFrame]:
    from carefolio.datasets.covid19_jhu import load_covid19_jhu
    from carefolio.datasets.world_population import load_world_population
    from outcomes_analysis.waves.analysis import analyse, make_tables
    from outcomes_analysis.waves.settings import WavesSettings

    chosen = WavesSettings(**settings)
    tables = make_tables(analyse(load_covid19_jhu().frame, load_world_population().frame, chosen, seed=seed))
    return {name: tables[name] for name in BUILT}
