"""Does retraining help at all? Policies on the same judging patients, by batch and together; what gates and faults came to."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from carefolio.artefacts import read_json
from carefolio.evidence import Metric, metric
from carefolio.metrics.calibration import calibration_intercept, calibration_slope
from carefolio.metrics.decision_curve import net_benefit
from carefolio.metrics.discrimination import roc_auc
from carefolio.uncertainty import bootstrap_values
from retraining.config import RetrainingSettings
from retraining.data import PATIENT
from retraining.features import TARGET
from retraining.journal import read_journal
from retraining.names import FAULT_TITLES, OUTCOMES
from retraining.performance import HIGHER_IS_BETTER
from retraining.policies import POLICIES
from retraining.protocol import Verification
from retraining.replay import replay_store
from retraining.state import State, fold
from retraining.store import Store

MEASURES = ("roc_auc", "calibration_intercept", "calibration_slope", "net_benefit")
BETTER = {"roc_auc": True, "calibration_intercept": None, "calibration_slope": None, "net_benefit": True}
TOGETHER = "later_batches"
Floats = NDArray[np.float64]


def policies(predictions: pl.DataFrame, counts: Mapping[str, Any], settings: RetrainingSettings,
             rules: Verification) -> dict[str, Metric]:
    """Measure every policy in every later batch, and in all of them together, beside never retraining.

    Parameters
    ----------
    predictions : polars.DataFrame
        From `retraining.policies.read_predictions`.
    counts : mapping
        How often each policy taught a model and put one in place.
    settings : RetrainingSettings
        Replicates, level and seed.
    rules : Verification
        Threshold of the net benefit.

    Returns
    -------
    dict of str to Metric
        By evidence id.
    """
    found: dict[str, Metric] = {}
    for (batch,), rows in predictions.group_by("batch", maintain_order=True):
        found |= measure(rows, f"batch_{batch:02d}.judged", settings, rules.risk_threshold)
    found |= measure(predictions, f"{TOGETHER}.judged", settings, rules.risk_threshold)
    for name in POLICIES:
        for count in ("taught", "put_in_place"):
            found[f"{TOGETHER}.judged.{name}.models_{count}"] = metric(counts[count][name], n=len(counts["batches"]), higher_is_better=None)
    return found


def measure(rows: pl.DataFrame, prefix: str, settings: RetrainingSettings, risk_threshold: float) -> dict[str, Metric]:
    """Measure the policies on rows, all from the same draws of patients.

    Parameters
    ----------
    rows : polars.DataFrame
        Outcome, patient, and a column of risks for each policy.
    prefix : str
        Of the ids.
    settings : RetrainingSettings
        Replicates, level and seed.
    risk_threshold : float
        Of the net benefit.

    Returns
    -------
    dict of str to Metric
        Each policy, its difference from ``never``, and the share of returns.
    """
    y, risks = rows[TARGET].to_numpy(), [rows[name].to_numpy() for name in POLICIES]

    def _all(weights: Floats) -> Floats:
        own = np.array([_measures(y, risk, weights, risk_threshold) for risk in risks])
        return np.concatenate([own.ravel(), (own[1:] - own[0]).ravel(), [np.average(y, weights=weights)]])

    names = [*POLICIES, *(f"{name}_minus_{POLICIES[0]}" for name in POLICIES[1:])]
    keys = [(f"{prefix}.{name}.{measured}", BETTER[measured]) for name in names for measured in MEASURES]
    keys.append((f"{prefix}.outcome.prevalence", None))
    with threadpool_limits(1, user_api="blas"):  # as in `retraining.performance`
        found = bootstrap_values(_all, groups=rows[PATIENT].to_numpy(), n_replicates=settings.evaluation.replicates,
                                 level=settings.evaluation.level, random_state=settings.seed)
    return {key: metric(interval, higher_is_better=better) for (key, better), interval in zip(keys, found, strict=True)}


def _measures(y: NDArray[Any], risk: Floats, weights: Floats, risk_threshold: float) -> list[float]:
    return [roc_auc(y, risk, sample_weight=weights), calibration_intercept(y, risk, sample_weight=weights),
            calibration_slope(y, risk, sample_weight=weights), net_benefit(y, risk, risk_threshold=risk_threshold, sample_weight=weights)]


def cycles(out: Path, settings: RetrainingSettings) -> dict[str, Metric]:
    """Take what the replay and the planted faults came to from their journals.

    Parameters
    ----------
    out : Path
        Folder of the run.
    settings : RetrainingSettings
        Number of batches.

    Returns
    -------
    dict of str to Metric
        By evidence id.
    """
    state = fold(read_journal(replay_store(out).journal))
    later = [cycle for cycle in state.closed if cycle["batch"] > settings.data.first_batches]
    found = {f"cycles.replay.protocol.{outcome}": metric(sum(cycle["outcome"] == outcome for cycle in later), n=len(later),
                                                         higher_is_better=None) for outcome in OUTCOMES}
    for cycle in state.closed:
        found |= of_cycle(cycle["steps"], f"batch_{cycle['batch']:02d}")
    for fault in FAULT_TITLES:
        found |= of_fault(out, fault)
    return found | first_model(state)


def first_model(state: State) -> dict[str, Metric]:
    """Say what the first model and the last were taught on.

    Parameters
    ----------
    state : State
        After the replay.

    Returns
    -------
    dict of str to Metric
        Rows that taught, and judging encounters in all.
    """
    taught = [cycle["steps"]["teach"] for cycle in state.closed if "deploy" in cycle["steps"]]
    return {f"cycles.taught.{name}.rows": metric(one["rows"], n=one["rows"], higher_is_better=None)
            for name, one in (("first_model", taught[0]), ("last_model", taught[-1]))}


def of_cycle(steps: Mapping[str, Any], prefix: str) -> dict[str, Metric]:
    """Take the numbers of one cycle from its steps.

    Parameters
    ----------
    steps : mapping
        By name.
    prefix : str
        First part of the ids.

    Returns
    -------
    dict of str to Metric
        Drift, performance of the champion, differences at the gates, the watch, and the smoke test, as far as there were any.
    """
    found = {}
    if "drift" in steps:
        size = steps["drift"]["two_sample"]["n"]
        found[f"{prefix}.drift.prediction.stability_index"] = metric(steps["drift"]["prediction"], n=size, higher_is_better=False)
        found[f"{prefix}.drift.two_sample.roc_auc"] = _metric(steps["drift"]["two_sample"], False)
    for gate in steps.get("gate", {}).get("gates", []):
        better = HIGHER_IS_BETTER[gate["gate"]]
        found[f"{prefix}.gates.challenger_minus_champion.{gate['gate']}"] = _metric(gate["difference"], better)
        found[f"{prefix}.gates.challenger.{gate['gate']}"] = _metric(gate["challenger"], better)
    if "gate" in steps:
        found[f"{prefix}.gates.challenger.reclassified"] = metric(steps["gate"]["reclassified"], n=steps["gate"]["encounters"],
                                                                  higher_is_better=None)
    if "watch" in steps:
        found[f"{prefix}.watch.new_minus_old.roc_auc"] = _metric(steps["watch"]["roc_auc"], True)
        found[f"{prefix}.watch.new_minus_old.calibration_intercept"] = _metric(steps["watch"]["calibration_intercept"], False)
    if "latency_p95_ms" in steps.get("smoke", {}):
        smoke = steps["smoke"]
        found[f"{prefix}.smoke.service.latency_p95_ms"] = metric(smoke["latency_p95_ms"], n=smoke["requests"], higher_is_better=False)
    return found


def of_fault(out: Path, fault: str) -> dict[str, Metric]:
    """Take the numbers of a planted fault from its journal.

    Parameters
    ----------
    out : Path
        Folder of the run.
    fault : str
        Name of the fault.

    Returns
    -------
    dict of str to Metric
        The largest jump of a measured column in a faulty batch; differences at the gates; what the watch saw.
    """
    store = Store(out / "faults" / fault)
    if not (store.folder / "planted.json").is_file():
        return {}
    batch = int(read_json(store.folder / "planted.json")["batch"])
    state, prefix = fold(read_journal(store.journal)), f"planted_{fault}"
    found: dict[str, Metric] = {}
    for cycle in state.closed:
        if cycle["batch"] == batch:
            jumps, rows = cycle["steps"]["validate"]["jumps"], sum(cycle["steps"]["receive"]["rows"].values())
            found |= {f"{prefix}.jump.{name}.stability_index": metric(value, n=rows, higher_is_better=False)
                      for name, value in jumps.items()}
        if cycle["batch"] >= batch:
            own = of_cycle(cycle["steps"], prefix)
            found |= {key: value for key, value in own.items() if ".gates." in key or ".watch." in key}
    return found


def _metric(interval: Mapping[str, Any], better: bool | None) -> Metric:
    bounds = {name: interval[name] for name in ("value", "low", "high", "level")}
    return Metric(**bounds, n=interval["n"], higher_is_better=better)
