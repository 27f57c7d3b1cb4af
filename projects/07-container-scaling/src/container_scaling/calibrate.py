"""Measure what one replica needs for one request, at a load that makes no queue: what the queueing model is fitted to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import read_json, write_json
from container_scaling.load import LoadResult, Plan, drive
from container_scaling.model import ServiceTimes, fit_service_times
from container_scaling.servers import Cores, Running, serve_replicas, share_cores

if TYPE_CHECKING:
    from container_scaling.config import LoadSettings

FILE = "service.json"
LIGHT_LOAD = 0.4
"""Share of the capacity at which the processor seconds of a request are measured."""


@dataclass(frozen=True)
class Calibration:
    """Service times of one replica, and processor seconds that the client spends on a request."""

    service: ServiceTimes
    client_s: float
    alone_p50_ms: float
    requests: int


def calibrate(requests: Path, settings: LoadSettings, *, seed: int) -> Calibration:
    """Measure the service on cores of its own, first one request at a time, then at a light load.

    Parameters
    ----------
    requests : Path
        Recorded bodies, one a line.
    settings : LoadSettings
        How long.
    seed : int
        Of the order of requests.

    Returns
    -------
    Calibration
        What the model needs.
    """
    cores = share_cores(1)
    with serve_replicas(1, queue_limit=settings.queue_limit, cores=cores.serving) as running:
        plan = Plan(running.addresses, str(requests), settings.seconds, users=1, headers=running.headers, warm_up_s=settings.warm_up_s,
        seed=seed)
        drive(plan, cores=cores.driving)
        alone, first_s = measured(plan, running, cores)
        light = Plan(running.addresses, str(requests), settings.seconds, users=settings.users, headers=running.headers,
                     rate=LIGHT_LOAD / first_s, warm_up_s=0.0, seed=seed + 1)
        loaded, mean_s = measured(light, running, cores)
    return Calibration(fit_service_times(alone.accepted, mean_s=mean_s), loaded.client_s / loaded.requests, alone.quantile_ms(0.5),
                       loaded.requests)


def measured(plan: Plan, running: Running, cores: Cores) -> tuple[LoadResult, float]:
    """Drive a service and give the processor seconds that a request took.

    Parameters
    ----------
    plan : Plan
        What is sent.
    running : Running
        What answers.
    cores : Cores
        Who may use which.

    Returns
    -------
    result : LoadResult
        What came back.
    mean_s : float
        Processor seconds of the servers, over all requests sent, the warm-up included.
    """
    before = running.processor_s()
    result = drive(plan, cores=cores.driving)
    used = running.processor_s() - before
    return result, used / (result.requests / result.span_s * plan.seconds)


def save(calibration: Calibration, out: Path) -> None:
    """Write a calibration.

    Parameters
    ----------
    calibration : Calibration
        What was measured.
    out : Path
        Folder of the run.
    """
    write_json(out / "train" / FILE, {"service_s": list(calibration.service.seconds), "client_s": calibration.client_s,
                                      "alone_p50_ms": calibration.alone_p50_ms, "requests": calibration.requests})


def load(out: Path) -> Calibration:
    """Read a calibration.

    Parameters
    ----------
    out : Path
        Folder of the run.

    Returns
    -------
    Calibration
        As `save` wrote it.
    """
    found = read_json(out / "train" / FILE)
    return Calibration(ServiceTimes(tuple(found["service_s"])), found["client_s"], found["alone_p50_ms"], found["requests"])
