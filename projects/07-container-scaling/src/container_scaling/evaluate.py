"""Load the service in every way that matters and hold the results against what the queueing model said beforehand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from carefolio.artefacts import read_json, write_json
from carefolio.config import project_home
from carefolio.evidence import Metric, metric
from container_scaling import peer, soak
from container_scaling.calibrate import Calibration
from container_scaling.calibrate import load as load_calibration
from container_scaling.costs import demand_curve, size_for
from container_scaling.data import REQUESTS_FILE, write_batches
from container_scaling.load import LoadResult, drive
from container_scaling.model import shared_capacity
from container_scaling.recorded import ask
from container_scaling.rising import load_curve, load_plan, with_seconds
from container_scaling.servers import MODEL_FOLDER, serve_replicas, share_cores
from container_scaling.summaries import latency_ms, throughput, throughput_ratio

if TYPE_CHECKING:
    from container_scaling.config import ScalingSettings

Step = Callable[[str], AbstractContextManager[Any]]
Found = tuple[dict[str, Metric], dict[str, Any]]


def evaluate(settings: ScalingSettings, out: Path, *, step: Step) -> None:
    """Run every load test and write metrics and curves.

    Parameters
    ----------
    settings : ScalingSettings
        How long and how hard.
    out : Path
        Folder of the run, with recorded requests and a calibration.
    step : callable
        Context that says what is being done.
    """
    requests, calibration = out / "data" / REQUESTS_FILE, load_calibration(out)
    parts: dict[str, Callable[[], Found]] = {
        "load curve": lambda: load_curve(requests, calibration, settings),
        "saturation": lambda: saturation(requests, calibration, settings),
        "batches": lambda: batches(requests, settings, out),
        "overload": lambda: overload(requests, settings, read_json(out / "evaluate" / "curves.json")["saturation"]),
    }
    if settings.load.peer_rounds:
        parts["mlflow"] = lambda: compare(requests, settings, out)
    metrics, curves = plan_metrics(calibration, settings)
    for title, measure in parts.items():
        with step(title):
            found, drawn = measure()
        metrics |= found
        curves |= drawn
        write_json(out / "evaluate" / "curves.json", curves)
    write_json(out / "evaluate" / "metrics.json", {name: one.model_dump(mode="json") for name, one in metrics.items()})


def saturation(requests: Path, calibration: Calibration, settings: ScalingSettings) -> Found:
    """Send the next request as soon as one is answered, to more and more replicas and workers, and compare with the model.

    Parameters
    ----------
    requests : Path
        Recorded bodies.
    calibration : Calibration
        What the model was fitted to.
    settings : ScalingSettings
        Numbers of replicas and workers.

    Returns
    -------
    metrics : dict of str to Metric
        Throughput measured and predicted, and how far apart they are.
    curves : dict
        ``saturation``: the same as a list.
    """
    metrics: dict[str, Metric] = {}
    points: list[dict[str, Any]] = []
    for kind, count in [*(("replicas", n) for n in settings.load.replicas), *(("workers", n) for n in settings.load.workers)]:
        cores = share_cores(count)
        replicas, workers = (count, 1) if kind == "replicas" else (1, count)
        with serve_replicas(replicas, workers=workers, queue_limit=settings.load.queue_limit, cores=cores.serving) as running:
            result = drive(load_plan(running, requests, settings, seed=settings.seed + count), cores=cores.driving)
            memory = running.memory_mb()
        found = throughput([result], replicates=settings.replicates, seed=settings.seed)
        apart = len(cores.serving) == count and cores.serving != cores.driving
        predicted = shared_capacity(calibration.service, count, cores=count if apart else len(cores.serving) or count,
                                    beside_s=0.0 if apart else calibration.client_s)
        name = f"readmission.{kind}_{count}"
        metrics |= {f"{name}.measured.throughput": found, f"{name}.measured.memory_mb": metric(memory, n=1, higher_is_better=False),
                    f"{name}.measured.latency_p95_ms": latency_ms(result, 0.95, replicates=settings.replicates, seed=settings.seed),
                    f"{name}.model.throughput": metric(predicted, n=calibration.requests, higher_is_better=True),
                    f"{name}.model_error.throughput": metric(predicted / found.value - 1, n=result.requests, higher_is_better=None)}
        points.append({"kind": kind, "count": count, "measured": found.value, "low": found.low, "high": found.high, "model": predicted,
                       "p95_ms": result.quantile_ms(0.95), "memory_mb": memory, "own_cores": apart, "failed": result.failed})
    return metrics, {"saturation": points}


def batches(requests: Path, settings: ScalingSettings, out: Path) -> Found:
    """Send patients in batches to one replica.

    Parameters
    ----------
    requests : Path
        Recorded bodies.
    settings : ScalingSettings
        Sizes of batches.
    out : Path
        Folder of the run.

    Returns
    -------
    metrics : dict of str to Metric
        Patients a second, and the time of a batch.
    curves : dict
        ``batches``: the same as a list.
    """
    cores = share_cores(1)
    metrics: dict[str, Metric] = {}
    points: list[dict[str, Any]] = []
    with serve_replicas(1, queue_limit=settings.load.queue_limit, cores=cores.serving) as running:
        for size in settings.load.batch_sizes:
            file = write_batches(requests, size, out / "data")
            plan = replace(load_plan(running, file, settings, seed=settings.seed), path="/predict/batch", users=4)
            result = drive(plan, cores=cores.driving)
            found = throughput([result], replicates=settings.replicates, seed=settings.seed)
            rows = Metric(value=found.value * size, low=(found.low or 0) * size, high=(found.high or 0) * size, level=found.level,
                          n=result.requests * size, higher_is_better=True)
            p95 = latency_ms(result, 0.95, replicates=settings.replicates, seed=settings.seed)
            metrics |= {f"readmission.batch_{size}.measured.rows_per_second": rows, f"readmission.batch_{size}.measured.latency_p95_ms":
            p95}
            points.append({"size": size, "rows_per_second": rows.value, "low": rows.low, "high": rows.high, "p95_ms": p95.value,
                           "failed": result.failed})
    return metrics, {"batches": points}


def overload(requests: Path, settings: ScalingSettings, saturated: list[dict[str, Any]]) -> Found:
    """Send a multiple of what one replica can answer, for a while.

    Parameters
    ----------
    requests : Path
        Recorded bodies.
    settings : ScalingSettings
        How much and how long.
    saturated : list of dict
        As `saturation` draws it: the measured capacity of one replica is what is multiplied.

    Returns
    -------
    metrics : dict of str to Metric
        What was accepted, refused and failed, how fast, and memory.
    curves : dict
        ``soak``: throughput, refusals and memory over time.
    """
    capacity = next(point["measured"] for point in saturated if point["kind"] == "replicas" and point["count"] == 1)
    found = soak.overload(requests, settings.soak.overload * capacity, settings.load, settings.soak, seed=settings.seed)
    result, name = found.result, "readmission.overload.measured"
    metrics = {f"{name}.latency_p95_ms": latency_ms(result, 0.95, replicates=settings.replicates, seed=settings.seed),
               f"{name}.latency_p99_ms": latency_ms(result, 0.99, replicates=settings.replicates, seed=settings.seed),
               f"{name}.throughput": throughput([result], replicates=settings.replicates, seed=settings.seed),
               f"{name}.offered_over_capacity": metric(result.offered / capacity, n=result.requests, higher_is_better=None),
               f"{name}.refused_share": metric(result.refused / result.requests, n=result.requests, higher_is_better=None),
               f"{name}.failed": metric(result.failed, n=result.requests, higher_is_better=False),
               f"{name}.seconds": metric(result.span_s, n=result.requests, higher_is_better=None),
               f"{name}.memory_mb": metric(float(np.max(found.memory_mb)), n=len(found.memory_mb), higher_is_better=False),
               f"{name}.memory_growth": metric(found.growth, n=len(found.memory_mb), higher_is_better=False)}
    return metrics, {"soak": over_time(result) | {"memory_s": found.when_s.round(1).tolist(), "memory_mb":
    found.memory_mb.round(1).tolist()}}


def over_time(result: LoadResult, *, points: int = 60) -> dict[str, list[float]]:
    """Give accepted and refused requests a second, and their 95 % time, in equal pieces of a load.

    Parameters
    ----------
    result : LoadResult
        A load.
    points : int, default 60
        Pieces at most.

    Returns
    -------
    dict of str to list of float
        ``second``, ``accepted``, ``refused`` and ``p95_ms``.
    """
    width = max(1.0, result.span_s / points)
    piece = (result.sent_s / width).astype(int)
    rows = [(number * width, result.status[piece == number], result.seconds[piece == number]) for number in range(int(result.sent_s[-1] /
    width))]
    return {"second": [start for start, _, _ in rows], "accepted": [float(np.sum(status == 200) / width) for _, status, _ in rows],
            "refused": [float(np.sum(status == 429) / width) for _, status, _ in rows],
            "p95_ms": [float(np.quantile(seconds[status == 200], 0.95) * 1000) if np.any(status == 200) else 0.0 for _, status, seconds in
            rows]}


def compare(requests: Path, settings: ScalingSettings, out: Path) -> Found:
    """Load this service and ``mlflow models serve`` with the same model, in turns, each on the same core.

    Parameters
    ----------
    requests : Path
        Recorded bodies.
    settings : ScalingSettings
        Rounds and times.
    out : Path
        Folder of the run.

    Returns
    -------
    metrics : dict of str to Metric
        Throughput of each, and ours over theirs.
    curves : dict
        ``peer``: the same as a list.
    """
    cores, artefacts = share_cores(1), project_home(MODEL_FOLDER) / "artefacts"
    manifest = read_json(artefacts / peer.MANIFEST_FILE)
    seconds = with_seconds(settings, settings.load.peer_seconds)
    results: dict[str, list[LoadResult]] = {name: [] for name in ("carefolio", *peer.FORMS)}
    with ExitStack() as stack:
        ours = stack.enter_context(serve_replicas(1, queue_limit=settings.load.queue_limit, cores=cores.serving))
        bodies = requests.read_text(encoding="utf-8").splitlines()[:100]
        explained = [ask(ours, "/explain", body) for body in bodies]
        rows = [peer.encode(one["reasons"], manifest) for one in explained]
        plans = {"carefolio": load_plan(ours, requests, seconds, seed=settings.seed)}
        for name, form in peer.FORMS.items():
            file = peer.write_rows(rows, manifest, form, out / "data")
            theirs = stack.enter_context(peer.serve_mlflow(artefacts, rows[0], form, cores=cores.serving))
            for body, one in list(zip(file.read_text(encoding="utf-8").splitlines(), explained, strict=True))[:5]:
                peer.check_same_model(ask(theirs, "/invocations", body), one["risk"], manifest)
            plans[name] = replace(load_plan(theirs, file, seconds, seed=settings.seed), path="/invocations", users=8)
        for _ in range(settings.load.peer_rounds):
            for name, plan in plans.items():
                results[name].append(drive(plan, cores=cores.driving))
    drawn = {"replicates": settings.replicates, "seed": settings.seed}
    metrics = {f"readmission.one_replica.{name}.throughput": throughput(found, **drawn) for name, found in results.items()}
    for name in peer.FORMS:
        metrics[f"readmission.one_replica.carefolio_over_{name}.throughput_ratio"] = throughput_ratio(results["carefolio"], results[name],
        **drawn)
    points = [{"name": name, "throughput": (one := metrics[f"readmission.one_replica.{name}.throughput"]).value, "low": one.low, "high":
    one.high,
               "failed": sum(result.failed for result in found)} for name, found in results.items()]
    return metrics, {"peer": points}


def plan_metrics(calibration: Calibration, settings: ScalingSettings) -> Found:
    """Say what the model says: what one replica can carry within the promise, and what hospitals need and pay.

    Parameters
    ----------
    calibration : Calibration
        Service times.
    settings : ScalingSettings
        Promise, demand, prices.

    Returns
    -------
    metrics : dict of str to Metric
        Service time, and for each number of hospitals replicas and cost.
    curves : dict
        ``plan`` and ``demand``.
    """
    service, n = calibration.service, calibration.requests
    sizes = [size_for(hospitals, service, settings.plan, settings.prices) for hospitals in settings.plan.hospitals]
    metrics = {"readmission.calibration.replica.service_time_ms": metric(1000 * service.mean_s, n=n, higher_is_better=False),
               "readmission.calibration.replica.squared_variation": metric(service.squared_variation, n=n, higher_is_better=None),
               "readmission.calibration.client.service_time_ms": metric(1000 * calibration.client_s, n=n, higher_is_better=None),
               "readmission.calibration.replica.latency_p50_ms": metric(calibration.alone_p50_ms, n=n, higher_is_better=False)}
    for size in sizes:
        name = f"readmission.hospitals_{size.hospitals}.model"
        metrics |= {f"{name}.replicas": metric(size.replicas, n=n, higher_is_better=None),
                    f"{name}.peak_rate": metric(size.peak_rate, n=n, higher_is_better=None),
                    f"{name}.month_cost": metric(size.month, n=n, higher_is_better=False)}
    curve = demand_curve(service, settings.plan, most=max(8, *(size.replicas for size in sizes)))
    return metrics, {"demand": [{"replicas": count, "rate": rate} for count, rate in curve],
                     "plan": [vars(size) for size in sizes], "service_ms": (np.array(service.seconds) * 1000).round(4).tolist(),
                     "client_ms": 1000 * calibration.client_s}
