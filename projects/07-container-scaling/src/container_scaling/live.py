"""Read the Prometheus text of running services and turn it into a few numbers for a page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from carefolio.exceptions import ProviderError
from carefolio.local_server import ask_server

REQUESTS = "carefolio_http_requests"
SECONDS = "carefolio_http_request_duration_seconds"
PROBES = ("/health/live", "/health/ready", "/metrics")


@dataclass(frozen=True)
class Snapshot:
    """What one replica has counted up to a moment."""

    answered: dict[str, float]
    buckets: dict[float, float]
    seconds: float
    waiting: float
    refused: float
    memory_mb: float
    processor_s: float

    @property
    def requests(self) -> float:
        """Add up the requests of all statuses.

        Returns
        -------
        float
            Without probes.
        """
        return sum(self.answered.values())


def read_text(address: str, *, timeout_s: float = 3.0) -> str:
    """Fetch the metrics of a service.

    Parameters
    ----------
    address : str
        Of the service, such as ``http://127.0.0.1:8000``.
    timeout_s : float, default 3
        Seconds.

    Returns
    -------
    str
        Prometheus text.

    Raises
    ------
    ProviderError
        If it does not answer.
    """
    if not address.startswith(("http://", "https://")):
        raise ProviderError(f"{address!r} is no address; expected one such as http://127.0.0.1:8000.")
    try:
        return ask_server(f"{address.rstrip('/')}/metrics", timeout_s=timeout_s).decode()
    except (OSError, UnicodeDecodeError) as error:
        raise ProviderError(f"{address} gives no metrics: {error} Is the stack running? `scaling stack status` says.") from None


def read_samples(address: str) -> list[tuple[str, float]]:
    """Read every sample of a service.

    Parameters
    ----------
    address : str
        Of the service.

    Returns
    -------
    list of (str, float)
        Names and values; labels are left out.
    """
    return [(sample.name, sample.value) for family in text_string_to_metric_families(read_text(address)) for sample in family.samples]


def parse(text: str) -> Snapshot:
    """Read what one replica has counted.

    Parameters
    ----------
    text : str
        Prometheus text of a service built with `carefolio.serving`.

    Returns
    -------
    Snapshot
        Probes are left out.

    Raises
    ------
    ProviderError
        If it is not such text.
    """
    answered: dict[str, float] = {}
    buckets: dict[float, float] = {}
    single: dict[str, float] = {}
    try:
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except ValueError as error:
        raise ProviderError(f"this is no Prometheus text: {error}") from None
    for sample in samples:
        if sample.labels.get("route") in PROBES:
            continue
        if sample.name == f"{REQUESTS}_total":
            answered[sample.labels["status"]] = answered.get(sample.labels["status"], 0.0) + sample.value
        elif sample.name == f"{SECONDS}_bucket":
            limit = float(sample.labels["le"])
            buckets[limit] = buckets.get(limit, 0.0) + sample.value
        else:
            single[sample.name] = single.get(sample.name, 0.0) + sample.value
    return Snapshot(answered, dict(sorted(buckets.items())), single.get(f"{SECONDS}_sum", 0.0), single.get("carefolio_waiting_requests",
    0.0),
                    single.get("carefolio_refused_requests_total", 0.0), single.get("process_resident_memory_bytes", 0.0) / 1e6,
                    single.get("process_cpu_seconds_total", 0.0))


def bucket_quantile(buckets: dict[float, float], quantile: float) -> float | None:
    """Estimate a quantile from cumulative counts, as Prometheus' ``histogram_quantile`` does.

    Parameters
    ----------
    buckets : dict of float to float
        Upper limit to the number of values up to it; the last limit is infinite.
    quantile : float
        From 0 to 1.

    Returns
    -------
    float or None
        Interpolated within the bucket; the last finite limit where it falls beyond; None without values.
    """
    if not buckets or not (total := max(buckets.values())):
        return None
    wanted, lower, before = quantile * total, 0.0, 0.0
    for limit, count in sorted(buckets.items()):
        if count >= wanted:
            return lower if limit == float("inf") else lower + (limit - lower) * (wanted - before) / (count - before)
        lower, before = limit, count
    return lower


def together(snapshots: Iterable[Snapshot]) -> Snapshot:
    """Add up replicas.

    Parameters
    ----------
    snapshots : iterable of Snapshot
        One a replica.

    Returns
    -------
    Snapshot
        Their sums.
    """
    found = list(snapshots)
    return Snapshot({status: sum(one.answered.get(status, 0.0) for one in found) for status in sorted({key for one in found for key in
    one.answered})},
                    {limit: sum(one.buckets.get(limit, 0.0) for one in found) for limit in sorted({key for one in found for key in
                    one.buckets})},
                    *(sum(getattr(one, name) for one in found) for name in ("seconds", "waiting", "refused", "memory_mb", "processor_s")))
