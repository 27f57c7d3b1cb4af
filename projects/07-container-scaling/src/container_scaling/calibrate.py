"""Measure what one replica needs for one request, below the load at which it saturates: what the queueing model is fitted to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from carefolio.artefacts import read_json, write_json
from container_scaling.load import LoadResult, Plan, drive, users_for
from container_scaling.model import ServiceTimes, fit_service_times
from container_scaling.servers import Cores, Running, serve_replicas, share_cores

if TYPE_CHECKING:
    from container_scaling.config import LoadSettings

FILE = "service.json"
STEADY_LOAD = 0.8
"""Share of the rate of one request at a time, at which processor seconds are measured. A replica that is nearly idle has to be woken for
every request, and then needs more of them for each; what is planned for is one that works."""


@dataclass(frozen=True)
class Calibration:
    """Service times of one replica, and processor seconds that the client spends on a request."""

    service: ServiceTimes
    client_s: float
    alone_p50_ms: float
    requests: int


def calibrate(requests: Path, settings: LoadSettings, *, seed: int) -> Calibration:
    """Measure the service on cores of its own, first one request at a time, then at a steady load.

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
        plan = Plan(running.addresses, str(requests), settings.seconds, users=1, headers=running.headers, warm_up_s=0.0, seed=seed)
        drive(plan, cores=cores.driving)  # to warm up
        alone, alone_s = measured(plan, running, cores)
        steady = replace(plan, users=users_for(rate := STEADY_LOAD / alone_s), rate=rate, seed=seed + 1)
        loaded, mean_s = measured(steady, running, cores)
    return Calibration(fit_service_times(alone.accepted, mean_s=mean_s), loaded.client_s / loaded.requests, alone.quantile_ms(0.5),
                       loaded.requests)


def measured(plan: Plan, running: Running, cores: Cores) -> tuple[LoadResult, float]:
    """Drive a service and give the processor seconds that a request took.

    Parameters
    ----------
    plan : Plan
        What is sent, without a warm-up: processor time cannot be told apart by request.
    running : Running
        What answers.
    cores : Cores
        Who may use which.

    Returns
    -------
    result : LoadResult
        What came back.
    mean_s : float
        Processor seconds of the servers.
    """
    before = running.processor_s()
    result = drive(plan, cores=cores.driving)
    used = running.processor_s() - before
    return result, used / result.requests


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
