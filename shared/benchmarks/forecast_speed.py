"""Time the weighted interval score against scoringrules on the same forecasts; the target is a million quantile rows in a second.

Run ``python shared/benchmarks/forecast_speed.py``.
Both sides score the same arrays and must agree; ``--json`` keeps the numbers for the evidence.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
import scoringrules
from scipy.stats import norm

from carefolio.evidence import metric
from carefolio.measured import write_measured
from carefolio.metrics.forecast import wis_of_each, wis_parts

LEVELS = np.array([0.01, 0.025, *np.round(np.arange(0.05, 0.951, 0.05), 2), 0.975, 0.99])


def make_data(n_forecasts: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Normal forecasts of counts and their outcomes."""
    generator = np.random.default_rng(seed)
    centre, spread = generator.gamma(2, 100, n_forecasts), generator.gamma(2, 20, n_forecasts)
    return centre + 1.2 * spread * generator.normal(size=n_forecasts), centre[:, None] + spread[:, None] * norm.ppf(LEVELS)


def reference(y: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """scoringrules' compiled score; its plain numpy one gives other values for several forecasts at once."""
    k = LEVELS.size // 2
    return scoringrules.weighted_interval_score(y, quantiles[:, k], quantiles[:, :k], quantiles[:, :k:-1], 2 * LEVELS[:k], backend="numba")


def timed(function, *arguments, runs: int, **options):
    """Give the result and the median seconds of several runs, after one that is not counted."""
    result, seconds = function(*arguments, **options), []
    for _ in range(runs):
        start = time.perf_counter()
        function(*arguments, **options)
        seconds.append(time.perf_counter() - start)
    return result, statistics.median(seconds)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="quantile rows (default a million)")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write seconds and ratio")
    options = parser.parse_args()
    y, quantiles = make_data(-(-options.rows // LEVELS.size), options.seed)
    wis, seconds = timed(wis_of_each, y, quantiles, quantile_levels=LEVELS, runs=options.runs)
    _, seconds_parts = timed(wis_parts, y, quantiles, quantile_levels=LEVELS, runs=options.runs)
    print(f"{quantiles.size:,} quantile rows; WIS: {seconds:.3f} s, {quantiles.size / seconds:,.0f} rows/s; "
          f"with its three parts: {seconds_parts:.3f} s")
    expected, seconds_reference = timed(reference, y, quantiles, runs=options.runs)
    np.testing.assert_allclose(wis, expected, rtol=0, atol=1e-9)
    print(f"scoringrules, compiled and without checks: {seconds_reference:.3f} s, {quantiles.size / seconds_reference:,.0f} rows/s; "
          f"ratio of speeds {seconds_reference / seconds:.2f}; values agree to 1e-9")
    if options.json:
        found = {"wis.local.carefolio.million_rows_s": metric(1e6 * seconds / quantiles.size, n=quantiles.size, higher_is_better=False),
                 "wis.local.carefolio_over_scoringrules.speed_ratio": metric(seconds_reference / seconds, n=quantiles.size,
                                                                             higher_is_better=True)}
        write_measured(options.json, found, command=" ".join(["forecast_speed.py", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
