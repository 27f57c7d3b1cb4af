"""Time the columnar features against the same features row by row, as they are usually written with pandas.

Run ``python projects/02-readmission-pipeline/benchmarks/features_speed.py``; ``--rows N`` for another size, ``--json PATH`` to
keep the result. The reference groups by patient, sorts the stays and calls a function a row with ``DataFrame.apply(axis=1)``.
A second one is a loop over dictionaries without pandas, the fastest that rows one by one can be. All three must agree in every
value before a ratio is printed. Reading the data is part of no time.
"""

import argparse
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
from polars.testing import assert_frame_equal

from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.evidence import environment, metric
from carefolio.measured import write_measured
from readmission.features import CATEGORICAL, ENCOUNTER, FEATURES, NUMERIC, PATIENT, build_features
from readmission.icd9 import category_lookup
from readmission.one_row import build_one

METRIC = "features.local.{}.speed_ratio"


def row_by_row(encounters: pd.DataFrame) -> pd.DataFrame:
    """Compute the features with pandas, a patient and a row at a time."""
    return pd.DataFrame([record for _, stays in encounters.groupby(PATIENT) for record in _one_patient(stays)])


def _one_patient(stays: pd.DataFrame) -> list[dict[str, Any]]:
    earlier: list[dict[str, Any]] = []

    def one_stay(row: pd.Series) -> dict[str, Any]:
        encounter = row.to_dict()
        features = with_ids(encounter, earlier)
        earlier.append(encounter)
        return features

    return stays.sort_values(ENCOUNTER).apply(one_stay, axis=1).tolist()


def loop_over_dictionaries(encounters: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Compute the features in plain Python; the stays come sorted by patient and encounter."""
    earlier: dict[int, list[dict[str, Any]]] = defaultdict(list)
    records = []
    for encounter in encounters:
        past = earlier[encounter[PATIENT]]
        records.append(with_ids(encounter, past))
        past.append(encounter)
    return records


def with_ids(encounter: dict[str, Any], earlier: list[dict[str, Any]]) -> dict[str, Any]:
    """Give a row's ids and features."""
    return {ENCOUNTER: encounter[ENCOUNTER], PATIENT: encounter[PATIENT]} | build_one(encounter, earlier)


def to_pandas(encounters: pl.DataFrame) -> pd.DataFrame:
    """Give the same rows as pandas holds them: numbers and text, None where nothing is known."""
    text = encounters.with_columns(pl.col(pl.Enum).cast(pl.String))
    return pd.DataFrame({name: pd.Series(text[name].to_list(), dtype=object if text[name].dtype == pl.String else None)
                         for name in text.columns})


def check_equal(columnar: pl.DataFrame, rowwise: pd.DataFrame) -> None:
    """Refuse a ratio of two things that are not the same."""
    columns = {name: rowwise[name].astype(object).where(rowwise[name].notna(), None).tolist() for name in (ENCOUNTER, PATIENT, *FEATURES)}
    types = {ENCOUNTER: pl.Int64, PATIENT: pl.Int64} | dict.fromkeys(NUMERIC, pl.Float32) | dict.fromkeys(CATEGORICAL, pl.String)
    assert_frame_equal(pl.DataFrame(columns, schema_overrides=types, strict=False).sort(PATIENT, ENCOUNTER), columnar)


def keep(path: Path, ratios: dict[str, float], rows: int) -> None:
    """Write the ratios under their evidence ids."""
    metrics = {METRIC.format(name): metric(ratio, n=rows, higher_is_better=True) for name, ratio in ratios.items()}
    print(f"written     {write_measured(path, metrics, command=' '.join(['features_speed.py', *sys.argv[1:]]))}")


def fastest(function: Callable[..., Any], argument: Any, repeats: int) -> tuple[Any, float]:
    """Give the result and the shortest of several times."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        result = function(argument)
        best = min(best, time.perf_counter() - start)
    return result, best


def main() -> None:
    """Measure, check and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the metric")
    options = parser.parse_args()
    loaded = load_diabetes130(allow_synthetic=True, n_synthetic_patients=max(1, options.rows), random_state=options.seed)
    encounters = loaded.frame.sort(PATIENT, ENCOUNTER).head(options.rows)
    table = to_pandas(encounters)
    category_lookup()
    columnar, fast = fastest(build_features, encounters, 5)
    rowwise, slow = fastest(row_by_row, table, 1)
    looped, middle = fastest(loop_over_dictionaries, encounters.to_dicts(), 3)
    check_equal(columnar, rowwise)
    check_equal(columnar, pd.DataFrame(looped))
    machine = environment(["pandas", "polars"])
    print(f"machine     {machine.machine}, Python {machine.python}, " + ", ".join(f"{k} {v}" for k, v in machine.packages.items()))
    print(f"data        {encounters.height:,} encounters ({loaded.provenance.origin}), {len(FEATURES)} features, all values equal")
    print(f"pandas      {slow:.2f} s, row by row")
    print(f"dictionary  {middle:.3f} s, row by row (shortest of 3)")
    print(f"columnar    {fast:.4f} s (shortest of 5)")
    print(f"ratio       {slow / fast:.0f} to pandas, {middle / fast:.0f} to dictionaries")
    if options.json:
        keep(options.json, {"columnar_over_rowwise": slow / fast, "columnar_over_dictionaries": middle / fast}, encounters.height)


if __name__ == "__main__":
    main()
