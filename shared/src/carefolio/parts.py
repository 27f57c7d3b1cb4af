"""A chapter of several parts: the data of each, kept in the folder of a run, and the results of each."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carefolio.artefacts import atomic_path, read_json, write_json
from carefolio.datasets.provenance import LoadedData
from carefolio.evidence import DataRecord, Metric
from carefolio.exceptions import CarefolioError, DataUnavailableError
from carefolio.runs import timed_step

if TYPE_CHECKING:
    import polars as pl


def prepare_parts(load_part: Callable[[str], Mapping[str, LoadedData]], parts: Sequence[str], out: Path) -> dict[str, str]:
    """Load parts and keep their tables and a record of them in the folder of the run; the record goes last.

    Parameters
    ----------
    load_part : callable
        Takes the name of a part and gives its data by data set.
    parts : sequence of str
        Names of parts.
    out : Path
        Folder of the run.

    Returns
    -------
    dict of str to str
        The parts whose data cannot be had, with the reason; they are left out, and the others go on.

    Raises
    ------
    DataUnavailableError
        If not one part could be loaded.
    """
    record: dict[str, Any] = {"parts": [], "provenance": {}, "problems": {}}
    (out / "data" / "data.json").unlink(missing_ok=True)
    for part in parts:
        try:
            loaded = load_part(part)
        except CarefolioError as error:
            record["problems"][part] = str(error)
            continue
        record["parts"].append(part)
        for name, data in loaded.items():
            record["provenance"][name] = asdict(data.provenance)
            write_table(out / "data" / f"{name}.parquet", data.frame)
    if not record["parts"]:
        raise DataUnavailableError(f"no part can be run: {'; '.join(f'{part}: {why}' for part, why in record['problems'].items())}")
    write_json(out / "data" / "data.json", record)
    return record["problems"]


def load_stage(load_part: Callable[[str], Mapping[str, LoadedData]], parts: Sequence[str], out: Path) -> None:
    """Load and check the data of parts as a step of a run; say which had to be left out.

    Parameters
    ----------
    load_part : callable
        Takes the name of a part and gives its data by data set.
    parts : sequence of str
        Names of parts.
    out : Path
        Folder of the run.
    """
    import click

    with timed_step("data", out):
        problems = prepare_parts(load_part, parts, out)
    for part, reason in problems.items():
        click.echo(f"{part} is left out: {reason}", err=True)


def read_record(out: Path) -> dict[str, Any]:
    """Read the record of the data of a run.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    dict
        ``parts``, ``provenance`` by data set, and ``problems`` by part.

    Raises
    ------
    ArtefactError
        If the data step has not been run.
    """
    return dict(read_json(out / "data" / "data.json"))


def data_records(out: Path) -> list[DataRecord]:
    """Give the data of a run as evidence states it.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    list of DataRecord
        One a data set.
    """
    return [DataRecord(**{name: provenance[name] for name in ("name", "origin", "sha256", "rows")})
            for provenance in read_record(out)["provenance"].values()]


def refuse_missing_parts(out: Path) -> None:
    """End a run with an error if a part had to be left out, so that nobody takes it for a whole one.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Raises
    ------
    DataUnavailableError
        Naming the parts and why.
    """
    problems = read_record(out)["problems"]
    if problems:
        raise DataUnavailableError("; ".join(f"{part} was left out: {reason}" for part, reason in problems.items()))


def read_table(out: Path, name: str) -> "pl.DataFrame":
    """Read the table of a data set.

    Parameters
    ----------
    out : Path
        Folder of the run.
    name : str
        Name of the data set.

    Returns
    -------
    polars.DataFrame
        As it was loaded.
    """
    import polars as pl

    return pl.read_parquet(out / "data" / f"{name}.parquet")


def write_table(path: Path, table: "pl.DataFrame") -> None:
    """Write a Parquet file whole or not at all.

    Parameters
    ----------
    path : Path
        File to write.
    table : polars.DataFrame
        What goes into it.
    """
    with atomic_path(path) as temporary:
        table.write_parquet(temporary)


def write_results(out: Path, part: str, metrics: Mapping[str, Metric], curves: Mapping[str, Any],
                  tables: "Mapping[str, pl.DataFrame]") -> None:
    """Keep what a part's evaluation found: ``evaluate/<part>.json``, and ``tables/*.parquet`` that stay out of the repository.

    Parameters
    ----------
    out : Path
        Folder of the run.
    part : str
        Name of the part.
    metrics : mapping of str to Metric
        By evidence id.
    curves : mapping
        What figures and dashboard draw.
    tables : mapping of str to polars.DataFrame
        By name.
    """
    for name, table in tables.items():
        write_table(out / "tables" / f"{name}.parquet", table)
    values = {name: value.model_dump(mode="json") for name, value in metrics.items()}
    write_json(out / "evaluate" / f"{part}.json", {"metrics": values, "curves": curves})


def read_results(out: Path, part: str) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Read what `write_results` wrote of a part.

    Parameters
    ----------
    out : Path
        Folder of the run.
    part : str
        Name of the part.

    Returns
    -------
    metrics : dict of str to Metric
        By evidence id.
    curves : dict
        What figures and dashboard draw.
    """
    results = read_json(out / "evaluate" / f"{part}.json")
    return {name: Metric(**value) for name, value in results["metrics"].items()}, results["curves"]
