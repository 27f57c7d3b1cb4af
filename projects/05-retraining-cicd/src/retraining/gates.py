"""The gates: challenger against champion on the same judging patients of the newest batch whose outcomes are known.

One rule for all. The worse end of the interval of the difference must keep the margin: no worse than that, as far as these patients can
tell. And the challenger itself must keep the limit. A gate that fails says so in words and numbers.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from carefolio.boosted import BoostedModel
from carefolio.uncertainty import Interval, bootstrap_values
from retraining.config import RetrainingSettings
from retraining.data import PATIENT
from retraining.drift import mean_stability
from retraining.features import check_apart
from retraining.performance import HIGHER_IS_BETTER, compare, judging
from retraining.protocol import GateRule, Verification

TITLES = {
    "roc_auc": "AUROC", "calibration_intercept": "Calibration intercept, distance from 0", "calibration_slope":
    "Calibration slope, distance from 1", "worst_subgroup_roc_auc": "AUROC of the worst-served subgroup", "net_benefit": "Net benefit",
    "drift": "Mean PSI between teaching rows and newest batch", "latency_p95_ms": "Latency of one prediction, 95th percentile, ms",
    "size_mb": "Size of the files, MB",
}
REPEATS = 3
Floats = NDArray[np.float64]
Trio = Mapping[str, Interval]


@dataclass(frozen=True)
class Contest:
    """Two models, what taught each, the rows that judge them, and the batch that the winner would serve."""

    challenger: BoostedModel
    champion: BoostedModel
    challenger_rows: pl.DataFrame
    champion_rows: pl.DataFrame
    judging_rows: pl.DataFrame
    newest: pl.DataFrame
    sizes_mb: tuple[float, float]


def judge(contest: Contest, rules: Verification, settings: RetrainingSettings) -> list[dict[str, Any]]:
    """Put a challenger through all gates.

    Parameters
    ----------
    contest : Contest
        Who against whom, on what.
    rules : Verification
        Margins, limits, subgroups and threshold.
    settings : RetrainingSettings
        Replicates, level and seed.

    Returns
    -------
    list of dict
        One a gate, in the protocol's order: ``gate``, ``challenger``, ``champion``, ``difference`` (intervals), ``margin``, ``limit``,
        ``passed`` and ``words``.

    Raises
    ------
    LeakageError
        If a patient who judges has taught one of the models.
    """
    check_apart(contest.challenger_rows, contest.judging_rows)
    check_apart(contest.champion_rows, contest.judging_rows)
    options = settings.evaluation
    rows = judging(contest.judging_rows, rules.subgroups, risk_threshold=rules.risk_threshold, replicates=options.replicates,
                   level=options.level, seed=settings.seed)
    found: dict[str, Trio] = dict(compare(rows, contest.challenger.predict(contest.judging_rows),
                                          contest.champion.predict(contest.judging_rows)))
    found["drift"] = mean_stability(contest.challenger_rows, contest.champion_rows, contest.newest, contest.challenger.features,
                                    replicates=options.drift_replicates, level=options.level, seed=settings.seed)
    found["latency_p95_ms"] = compare_latency(contest, settings)
    found["size_mb"] = _exact(contest.sizes_mb, n=contest.judging_rows.height, level=options.level)
    return [decide(name, found[name], rule) for name, rule in rules.gates.items()]


def decide(name: str, found: Trio, rule: GateRule) -> dict[str, Any]:
    """Hold one gate's rule against what was measured.

    Parameters
    ----------
    name : str
        The gate.
    found : mapping
        ``challenger``, ``champion`` and ``difference``.
    rule : GateRule
        Margin and limit.

    Returns
    -------
    dict
        As in `judge`.
    """
    higher, difference, own = HIGHER_IS_BETTER[name], found["difference"], found["challenger"].value
    worse_end = difference.low if higher else -difference.high
    kept_margin, kept_limit = worse_end >= -rule.margin, own >= rule.limit if higher else own <= rule.limit
    reasons = []
    if not kept_margin:
        reasons.append(f"may be worse by {-worse_end:.4f} (difference {difference.value:+.4f}, {difference.level:.0%} interval "
                       f"{difference.low:+.4f} to {difference.high:+.4f}), margin {rule.margin:g}")
    if not kept_limit:
        reasons.append(f"is {own:.4f}, limit {'at least' if higher else 'at most'} {rule.limit:g}")
    return {"gate": name, **{who: asdict(interval) for who, interval in found.items()}, "margin": rule.margin, "limit": rule.limit,
            "passed": not reasons, "words": f"{TITLES[name]}: {'; '.join(reasons) if reasons else 'holds'}"}


def compare_latency(contest: Contest, settings: RetrainingSettings) -> dict[str, Interval]:
    """Time single predictions of both models, in turn on the same encounters.

    Parameters
    ----------
    contest : Contest
        Models and rows.
    settings : RetrainingSettings
        Number of encounters, replicates and level.

    Returns
    -------
    dict of str to Interval
        95th percentile in milliseconds; draws of patients, the same for both.
    """
    rows = contest.judging_rows.head(settings.evaluation.latency_rows)
    times = np.array([[_milliseconds(model, rows[place:place + 1]) for model in (contest.challenger, contest.champion)]
                      for place in range(rows.height)])
    if contest.challenger is contest.champion:
        times[:, 1] = times[:, 0]
    order = np.argsort(times, axis=0)

    def _both(weights: Floats) -> list[float]:
        values = [_percentile(times[order[:, side], side], weights[order[:, side]], 0.95) for side in (0, 1)]
        return [*values, values[0] - values[1]]

    found = bootstrap_values(_both, groups=rows[PATIENT].to_numpy(), n_replicates=settings.evaluation.replicates,
                             level=settings.evaluation.level, random_state=settings.seed)
    return dict(zip(("challenger", "champion", "difference"), found, strict=True))


def reclassified(contest: Contest, risk_threshold: float) -> float:
    """Measure for how many judging encounters the two models stand on different sides of the threshold.

    Parameters
    ----------
    contest : Contest
        Models and rows.
    risk_threshold : float
        The threshold.

    Returns
    -------
    float
        A share.
    """
    first, second = (model.predict(contest.judging_rows) >= risk_threshold for model in (contest.challenger, contest.champion))
    return float((first != second).mean())


def _milliseconds(model: BoostedModel, row: pl.DataFrame) -> float:
    """Give the quickest of a few: what else the machine does at that moment is not the model's."""
    times = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        model.predict(row)
        times.append(time.perf_counter() - begun)
    return min(times) * 1e3


def _percentile(values: Floats, weights: Floats, level: float) -> float:
    reached = np.cumsum(weights) >= level * weights.sum()
    return float(values[int(np.argmax(reached))])


def _exact(pair: tuple[float, float], *, n: int, level: float) -> dict[str, Interval]:
    """Counted, not estimated: an interval of no width."""
    values = {"challenger": pair[0], "champion": pair[1], "difference": pair[0] - pair[1]}
    return {name: Interval(value, value, value, level, n, n) for name, value in values.items()}
