"""Rising loads on one replica: how long answers take, and where the promise breaks, measured and as the model said."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.evidence import Metric, metric
from container_scaling.calibrate import Calibration
from container_scaling.load import LoadResult, Plan, drive, users_for
from container_scaling.model import greatest_rate, response_quantile_s
from container_scaling.servers import Running, serve_replicas, share_cores
from container_scaling.summaries import latency_ms

if TYPE_CHECKING:
    from container_scaling.config import ScalingSettings


def load_curve(requests: Path, calibration: Calibration, settings: ScalingSettings) -> tuple[dict[str, Metric], dict[str, Any]]:
    """Send at rates from light to more than full, to one replica, and compare the times with the model's.

    All rates are sent in rounds, and of each rate the round with the middle time counts: a neighbour on the host that takes the processor
    for a second is not the queue.

    Parameters
    ----------
    requests : Path
        Recorded bodies.
    calibration : Calibration
        What the model was fitted to.
    settings : ScalingSettings
        Rates and times.

    Returns
    -------
    metrics : dict of str to Metric
        Times at each rate, and the rate at which the promise breaks, measured and predicted.
    curves : dict
        ``load``: the same as lists, with the model's.
    """
    service, plan = calibration.service, settings.plan
    metrics: dict[str, Metric] = {}
    points: list[dict[str, Any]] = []
    for fraction, rounds in _drive_rounds(requests, service.capacity, settings).items():
        result = sorted(rounds, key=lambda one: one.quantile_ms(plan.quantile))[len(rounds) // 2]
        predicted = 1000 * response_quantile_s(result.offered, service, 1, quantile=plan.quantile)
        found = latency_ms(result, plan.quantile, replicates=settings.replicates, seed=settings.seed)
        name = f"readmission.load_{round(100 * fraction)}_percent"
        metrics |= {f"{name}.measured.latency_p95_ms": found,
                    f"{name}.measured.latency_p50_ms": latency_ms(result, 0.5, replicates=settings.replicates, seed=settings.seed)}
        if np.isfinite(predicted):
            metrics[f"{name}.model.latency_p95_ms"] = metric(predicted, n=result.requests, higher_is_better=False)
        points.append({"fraction": fraction, "rate": result.offered, "measured_ms": found.value, "low_ms": found.low,
                       "high_ms": found.high, "median_ms": result.quantile_ms(0.5),
                       "rounds_ms": [one.quantile_ms(plan.quantile) for one in rounds],
                       "model_ms": predicted if np.isfinite(predicted) else None, "refused": result.refused,
                       "failed": result.failed, "requests": result.requests})
    return metrics | promise_metrics(points, calibration, settings), {"load": points}


def _drive_rounds(requests: Path, capacity: float, settings: ScalingSettings) -> dict[float, list[LoadResult]]:
    """Send every rate once a round."""
    cores = share_cores(1)
    results: dict[float, list[LoadResult]] = {fraction: [] for fraction in settings.load.fractions}
    with serve_replicas(1, queue_limit=settings.load.queue_limit, cores=cores.serving) as running:
        for number in range(settings.load.rounds * len(results)):
            fraction = settings.load.fractions[number % len(results)]
            plan = load_plan(running, requests, settings, rate=fraction * capacity, seed=settings.seed + number)
            results[fraction].append(drive(plan, cores=cores.driving))
    return results


def promise_metrics(points: list[dict[str, Any]], calibration: Calibration, settings: ScalingSettings) -> dict[str, Metric]:
    """Compare the demand at which one replica breaks the promise with the one that the model said.

    Parameters
    ----------
    points : list of dict
        ``rate`` and ``measured_ms`` of each load.
    calibration : Calibration
        What the model was fitted to.
    settings : ScalingSettings
        The promise.

    Returns
    -------
    dict of str to Metric
        Only the predicted one where no load broke the promise.
    """
    target, n = settings.plan.target_ms, sum(point["requests"] for point in points)
    predicted = greatest_rate(calibration.service, 1, target_s=target / 1000, quantile=settings.plan.quantile)
    found = {"readmission.promise.model.greatest_rate": metric(predicted, n=calibration.requests, higher_is_better=True)}
    if (rate := breaking_rate([point["rate"] for point in points], [point["measured_ms"] for point in points], target)) is not None:
        found |= {"readmission.promise.measured.greatest_rate": metric(rate, n=n, higher_is_better=True),
                  "readmission.promise.model_error.greatest_rate": metric(predicted / rate - 1, n=n, higher_is_better=None)}
    return found


def breaking_rate(rates: list[float], times_ms: list[float], target_ms: float) -> float | None:
    """Find the rate at which a time first passes a target, between two measured loads.

    Parameters
    ----------
    rates, times_ms : list of float
        Of each load, rates rising.
    target_ms : float
        The target.

    Returns
    -------
    float or None
        Linear in the rate and the logarithm of the time; None if no load passes the target, or the first one does.
    """
    for i in range(1, len(rates)):
        if times_ms[i - 1] <= target_ms < times_ms[i]:
            share = np.log(target_ms / times_ms[i - 1]) / np.log(times_ms[i] / times_ms[i - 1])
            return float(rates[i - 1] + share * (rates[i] - rates[i - 1]))
    return None


def with_seconds(settings: ScalingSettings, seconds: int) -> ScalingSettings:
    """Give the settings with other seconds for each load.

    Parameters
    ----------
    settings : ScalingSettings
        Settings.
    seconds : int
        Of a load.

    Returns
    -------
    ScalingSettings
        A copy.
    """
    shorter = settings.load.model_copy(update={"seconds": seconds, "warm_up_s": min(settings.load.warm_up_s, seconds / 4)})
    return settings.model_copy(update={"load": shorter})


def load_plan(running: Running, requests: Path, settings: ScalingSettings, *, rate: float = 0.0, seed: int) -> Plan:
    """Plan a load of the configured length.

    Parameters
    ----------
    running : Running
        What is loaded.
    requests : Path
        Recorded bodies.
    settings : ScalingSettings
        Times, and connections where there is no rate.
    rate : float, default 0
        Requests a second; 0 sends the next as soon as the last is answered.
    seed : int
        Of the order of requests.

    Returns
    -------
    Plan
        Ready for `container_scaling.load.drive`.
    """
    load = settings.load
    return Plan(running.addresses, str(requests), load.seconds, users=users_for(rate) if rate else load.users, rate=rate,
                headers=running.headers, warm_up_s=load.warm_up_s, seed=seed)
