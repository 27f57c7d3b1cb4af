"""Time Uno's concordance against scikit-survival on the same rows; both must agree.

Run ``python shared/benchmarks/survival_speed.py``; ``--json`` keeps the ratio for the evidence.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

import numpy as np
from sksurv.metrics import concordance_index_ipcw
from sksurv.util import Surv

from carefolio.evidence import metric
from carefolio.measured import write_measured
from carefolio.metrics.survival import uno_c


def make_data(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole days until death or end of follow-up, about a third censored, and a score that says something of it."""
    generator = np.random.default_rng(seed)
    risk = generator.normal(size=n)
    death, end = generator.exponential(400 * np.exp(-risk)), generator.uniform(350, 2000, n)
    return death <= end, np.ceil(np.minimum(death, end)), risk + generator.normal(size=n)


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
    parser.add_argument("--rows", type=int, default=9105, help="patients (default as many as SUPPORT2 has)")
    parser.add_argument("--tau", type=float, default=1095.0, help="days up to which pairs count")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="where to write the ratio")
    options = parser.parse_args()
    event, days, score = make_data(options.rows, options.seed)
    value, seconds = timed(uno_c, event, days, score, tau=options.tau, runs=options.runs)
    outcome = Surv.from_arrays(event, days)
    expected, seconds_reference = timed(concordance_index_ipcw, outcome, outcome, score, tau=options.tau, runs=options.runs)
    np.testing.assert_allclose(value, expected[0], rtol=0, atol=1e-9)
    print(f"{options.rows:,} patients, {event.mean():.0%} died; Uno's C {value:.4f}, equal to 1e-9")
    print(f"carefolio {1e3 * seconds:.2f} ms, scikit-survival {1e3 * seconds_reference:.1f} ms: ratio {seconds_reference / seconds:.0f}")
    if options.json:
        ratio = metric(seconds_reference / seconds, n=options.rows, higher_is_better=True)
        write_measured(options.json, {"uno_c.local.carefolio_over_scikit_survival.speed_ratio": ratio},
                       command=" ".join(["survival_speed.py", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
