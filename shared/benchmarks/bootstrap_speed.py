"""Time the patient-cluster bootstrap of AUROC and average precision against scikit-learn on resampled rows.

Run ``python shared/benchmarks/bootstrap_speed.py``; ``--full`` lets the reference run every replicate instead of scaling up a few.
Both sides use the same draws of groups, so their numbers must agree, not only their speed.
"""

import argparse
import os
import platform
import sys
import time
from pathlib import Path

import numba
import numpy as np
import sklearn
from sklearn.metrics import average_precision_score, roc_auc_score

from carefolio.evidence import metric
from carefolio.measured import write_measured
from carefolio.metrics.discrimination import average_precision, roc_auc
from carefolio.uncertainty import bootstrap_rank_metrics, draw_groups, rank_replicates


def make_data(n_rows: int, n_groups: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows in random order, 11 % events, scores rounded to 5 digits so that some tie."""
    generator = np.random.default_rng(seed)
    groups = generator.permutation(np.append(np.arange(n_groups), generator.integers(0, n_groups, n_rows - n_groups)))
    signal = generator.normal(size=n_rows)
    y = (generator.random(n_rows) < 1 / (1 + np.exp(2.3 - 0.6 * signal))).astype(int)
    return y, np.round(1 / (1 + np.exp(2.3 - 0.6 * signal - 0.3 * generator.normal(size=n_rows))), 5), groups


def reference(y: np.ndarray, score: np.ndarray, codes: np.ndarray, n_replicates: int, seed: int) -> np.ndarray:
    """scikit-learn's two metrics in a loop over resampled rows."""
    values = np.empty((n_replicates, 2))
    n_groups = int(codes.max()) + 1
    for replicate in range(n_replicates):
        counts = np.bincount(draw_groups(n_groups, replicate=replicate, random_state=seed), minlength=n_groups)
        rows = np.repeat(np.arange(y.size), counts[codes])
        values[replicate] = roc_auc_score(y[rows], score[rows]), average_precision_score(y[rows], score[rows])
    return values


def timed(function, *arguments, **options):
    """Run once and give the result with the seconds it took."""
    start = time.perf_counter()
    result = function(*arguments, **options)
    return result, time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--groups", type=int, default=70_000)
    parser.add_argument("--replicates", type=int, default=2000)
    parser.add_argument("--reference-replicates", type=int, default=40, help="replicates that the reference runs (default 40)")
    parser.add_argument("--full", action="store_true", help="the reference runs all replicates")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the ratio")
    options = parser.parse_args()
    y, score, groups = make_data(options.rows, options.groups, options.seed)
    codes = np.unique(groups, return_inverse=True)[1]
    n_reference = options.replicates if options.full else min(options.reference_replicates, options.replicates)

    _, first = timed(rank_replicates, y, {"model": score}, groups=groups, n_replicates=2)
    _, second = timed(rank_replicates, y, {"model": score}, groups=groups, n_replicates=2)
    _, fast = timed(bootstrap_rank_metrics, y, {"model": score}, groups=groups, n_replicates=options.replicates,
                    random_state=options.seed)
    slow_values, slow = timed(reference, y, score, codes, n_reference, options.seed)
    scaled = slow * options.replicates / n_reference
    fast_values = rank_replicates(y, {"model": score}, groups=groups, n_replicates=n_reference, random_state=options.seed)["model"]
    unit = max(abs(roc_auc(y, score) - roc_auc_score(y, score)), abs(average_precision(y, score) - average_precision_score(y, score)))

    print(f"machine       {platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}, NumPy {np.__version__}, "
          f"numba {numba.__version__}, scikit-learn {sklearn.__version__}")
    print(f"data          {options.rows} rows, {options.groups} groups, {np.unique(score).size} distinct scores, {y.mean():.1%} events")
    print(f"compile       {first - second:.2f} s before the first replicate (less when cached); not part of the times below")
    print(f"scikit-learn  {slow:.2f} s for {n_reference} replicates" +
          ("" if n_reference == options.replicates else f"; scaled to {options.replicates}: {scaled:.1f} s"))
    print(f"carefolio     {fast:.2f} s for {options.replicates} replicates on {os.cpu_count()} threads (scikit-learn runs on one)")
    print(f"ratio         {scaled / fast:.0f}")
    print(f"difference    {unit:.1e} on unit weights, {np.abs(slow_values - fast_values).max():.1e} on {n_reference} resamples (largest)")
    if options.json:
        ratio = metric(scaled / fast, n=options.rows, higher_is_better=True)
        command = " ".join(["bootstrap_speed.py", *sys.argv[1:]])
        write_measured(options.json, {"bootstrap.local.carefolio_over_scikit_learn.speed_ratio": ratio}, command=command)


if __name__ == "__main__":
    main()
