"""Prometheus text is read back to the numbers that were counted."""

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from carefolio.exceptions import ProviderError
from container_scaling.live import bucket_quantile, parse, read_text, together


def exposed() -> str:
    registry = CollectorRegistry()
    requests = Counter("carefolio_http_requests", "n", ["method", "route", "status"], registry=registry)
    seconds = Histogram("carefolio_http_request_duration_seconds", "s", ["method", "route"], buckets=(0.1, 0.2), registry=registry)
    Gauge("carefolio_waiting_requests", "w", registry=registry).set(4)
    Counter("carefolio_refused_requests", "r", registry=registry).inc(2)
    for route, status, times, took in (("/predict", "200", 3, 0.05), ("/explain", "422", 1, 0.15), ("/health/ready", "200", 50, 0.9)):
        requests.labels("POST", route, status).inc(times)
        for _ in range(times):
            seconds.labels("POST", route).observe(took)
    return generate_latest(registry).decode()


def test_a_replica_is_read_without_its_probes():
    snapshot = parse(exposed())
    assert snapshot.answered == {"200": 3.0, "422": 1.0}
    assert snapshot.requests == 4
    assert snapshot.buckets == {0.1: 3.0, 0.2: 4.0, float("inf"): 4.0}
    assert (snapshot.waiting, snapshot.refused) == (4.0, 2.0)


def test_replicas_add_up():
    both = together([parse(exposed()), parse(exposed())])
    assert both.answered == {"200": 6.0, "422": 2.0}
    assert both.buckets[0.2] == 8.0
    assert both.waiting == 8.0


@pytest.mark.parametrize(("buckets", "quantile", "found"), [
    ({0.1: 3.0, 0.2: 4.0, float("inf"): 4.0}, 0.5, 0.1 * 2 / 3),   # the second of three in the first bucket
    ({0.1: 3.0, 0.2: 4.0, float("inf"): 4.0}, 1.0, 0.2),
    ({0.1: 1.0, float("inf"): 4.0}, 0.95, 0.1),                    # beyond the last limit nothing is known
    ({}, 0.5, None), ({0.1: 0.0, float("inf"): 0.0}, 0.5, None),
])
def test_quantiles_of_buckets_by_hand(buckets, quantile, found):
    assert bucket_quantile(buckets, quantile) == (None if found is None else pytest.approx(found))


def test_what_gives_no_metrics_is_named(sleeper):
    for address, message in (("localhost:8000", "is no address"), ("http://127.0.0.1:9", "gives no metrics")):
        with pytest.raises(ProviderError, match=message):
            read_text(address)
    with pytest.raises(ProviderError, match="no Prometheus text"):
        parse("<html>")
