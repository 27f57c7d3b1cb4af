"""Score a large resampled input with both engines and compare rows a second, peak memory and the scores themselves.

Run ``python projects/02-readmission-pipeline/benchmarks/score_scale.py``; ``--rows 1000000`` for less, ``--json PATH`` to keep
the result. A tenth of the rows is scored as well, in parts of the same size, to show whether memory grows with the input.
Every measurement runs in a fresh process; its time includes imports, the checks of the input and the start of the cluster.
"""

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

import polars as pl

from carefolio.config import load_config, project_home
from carefolio.datasets.diabetes130 import load_diabetes130
from carefolio.evidence import Metric, environment, metric
from carefolio.measured import write_measured
from readmission.config import FOLDER, ReadmissionSettings
from readmission.engines import ENGINES
from readmission.resample import write_resampled
from readmission.score import ScoreSummary, score_folder

BYTES_A_ROW = 150
"""Room on the disk for input and both scores, generously."""
PACKAGES = ["distributed", "lightgbm", "polars"]


def make_input(folder: Path, rows: int, partitions: int, seed: int) -> int:
    """Write the resampled input; give its rows."""
    loaded = load_diabetes130(allow_synthetic=True, random_state=seed)
    print(f"source      {loaded.frame.height:,} encounters ({loaded.provenance.origin})")
    start = time.perf_counter()
    written = write_resampled(loaded.frame, folder, rows=rows, partitions=partitions, seed=seed)
    print(f"input       {written:,} encounters in {partitions} parts, made in {time.perf_counter() - start:.1f} s")
    return written


def link_first_parts(source: Path, folder: Path, count: int) -> Path:
    """Give a folder with the first parts alone."""
    folder.mkdir()
    for part in sorted(source.iterdir())[:count]:
        (folder / part.name).symlink_to(part)
    return folder


def measured(source: Path, destination: Path, artefacts: Path, engine: str) -> ScoreSummary:
    """Score in a fresh process, so that no measurement sees the memory of the one before."""
    start = time.perf_counter()
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        done = pool.submit(score_folder, source, destination, artefacts=artefacts, engine=engine).result()
    seconds = time.perf_counter() - start
    print(f"{engine:<11} {done.rows:>12,} rows {seconds:8.1f} s {done.rows / seconds:>10,.0f} rows/s {done.peak_memory_mb:>8,.0f} MB peak")
    return ScoreSummary(**asdict(done) | {"seconds": seconds})


def largest_difference(one: Path, other: Path) -> float:
    """Compare two folders of scores part by part; rows stand in the same order."""
    largest = 0.0
    for path in sorted(one.glob("*.parquet")):
        a, b = pl.read_parquet(path), pl.read_parquet(other / path.name)
        if not a["encounter_id"].equals(b["encounter_id"]):
            raise ValueError(f"{path.name} holds other encounters in {one} and {other}.")
        largest = max(largest, float((a["risk"] - b["risk"]).abs().max()))
    return largest


def to_metrics(engine: str, whole: ScoreSummary, tenth: ScoreSummary) -> dict[str, Metric]:
    """Give one engine's measurements under their evidence ids."""
    name = f"bulk_scoring.{engine}.lightgbm"
    return {f"{name}.rows": metric(whole.rows, n=whole.rows, higher_is_better=None),
            f"{name}.seconds": metric(whole.seconds, n=whole.rows, higher_is_better=False),
            f"{name}.rows_per_second": metric(whole.rows / whole.seconds, n=whole.rows, higher_is_better=True),
            f"{name}.peak_memory_mb": metric(whole.peak_memory_mb, n=whole.rows, higher_is_better=False),
            f"{name}.peak_memory_mb_at_a_tenth": metric(tenth.peak_memory_mb, n=tenth.rows, higher_is_better=False)}


def compare(folder: Path, rows: int, partitions: int, artefacts: Path, seed: int) -> dict[str, Metric]:
    """Make the input, run both engines on a tenth and on the whole, and compare."""
    written = make_input(folder / "whole", rows, partitions, seed)
    link_first_parts(folder / "whole", folder / "tenth", max(1, partitions // 10))
    metrics = {}
    for engine in ENGINES:
        tenth = measured(folder / "tenth", folder / f"tenth-{engine}", artefacts, engine)
        whole = measured(folder / "whole", folder / f"whole-{engine}", artefacts, engine)
        metrics |= to_metrics(engine, whole, tenth)
    difference = largest_difference(folder / "whole-local", folder / "whole-dask")
    print(f"difference  {difference:.1e} between the engines' scores (largest)")
    return metrics | {"bulk_scoring.local_against_dask.lightgbm.largest_difference": metric(difference, n=written, higher_is_better=False)}


def main() -> None:
    """Measure, print and keep."""
    settings = load_config(ReadmissionSettings, "readmission")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=settings.score.rows)
    parser.add_argument("--partitions", type=int, help="default: parts of the size that the configuration gives")
    parser.add_argument("--artefacts", type=Path, help="default: the committed model")
    parser.add_argument("--seed", type=int, default=settings.seed)
    parser.add_argument("--json", type=Path, help="where to write the metrics")
    options = parser.parse_args()
    part_rows = settings.score.rows // settings.score.partitions
    partitions = options.partitions or max(1, options.rows // part_rows)
    machine = environment(PACKAGES)
    print(f"machine     {machine.machine}, Python {machine.python}, " + ", ".join(f"{k} {v}" for k, v in machine.packages.items()))
    with tempfile.TemporaryDirectory(prefix="score-scale-") as name:
        free, needed = shutil.disk_usage(name).free, options.rows * BYTES_A_ROW
        if free < needed:
            parser.error(f"{options.rows:,} rows need {needed / 1e9:.1f} GB in {tempfile.gettempdir()}, {free / 1e9:.1f} GB are free; "
                         "set TMPDIR to a larger disk or pass fewer --rows")
        metrics = compare(Path(name), options.rows, partitions, options.artefacts or project_home(FOLDER) / "artefacts", options.seed)
    if options.json:
        print(f"written     {write_measured(options.json, metrics, command=' '.join(['score_scale.py', *sys.argv[1:]]))}")


if __name__ == "__main__":
    main()
