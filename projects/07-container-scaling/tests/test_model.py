"""The queueing model against cases worked by hand, published tables and a simulation."""

import heapq
import math

import numpy as np
import pytest

from carefolio.exceptions import ConfigError
from container_scaling.model import (
    ServiceTimes,
    erlang_c,
    fit_service_times,
    greatest_rate,
    mean_wait_s,
    replicas_needed,
    response_quantile_s,
    share_answered,
    shared_capacity,
)

EXPONENTIAL = ServiceTimes(tuple(-np.log1p(-(np.arange(4000) + 0.5) / 4000)))
"""Quantiles of an exponential distribution with mean 1 s, nearly."""
CONSTANT = ServiceTimes((0.01,) * 5)


def simulate(rate: float, draw, servers: int, *, requests: int, seed: int = 0) -> np.ndarray:
    """Times from arrival to answer of requests that any of the servers takes, in order of arrival."""
    rng = np.random.default_rng(seed)
    free, times, now = [0.0] * servers, np.empty(requests), 0.0
    for i in range(requests):
        now += rng.exponential(1 / rate)
        begin = max(now, heapq.heappop(free))
        end = begin + draw(rng)
        heapq.heappush(free, end)
        times[i] = end - now
    return times[requests // 10:]


@pytest.mark.parametrize(("servers", "offered", "chance"), [
    (1, 0.5, 0.5),                # one server: the utilisation
    (2, 1.0, 1 / 3),              # a^2/2 / (1 - a/2) over 1 + a + that = (1/2 * 2) / (1 + 1 + 1)
    (3, 2.0, 4 / 9),              # (8/6 * 3) / (1 + 2 + 2 + 4) = 4 / 9
    (10, 8.0, 0.409180), (2, 2.0, 1.0), (5, 9.0, 1.0),
])
def test_erlang_c_by_hand_and_by_table(servers, offered, chance):
    assert erlang_c(servers, offered) == pytest.approx(chance, abs=5e-7)


def test_one_server_is_pollaczek_and_khinchine():
    rate, service = 60.0, ServiceTimes((0.005, 0.015))
    second_moment = (0.005**2 + 0.015**2) / 2
    assert mean_wait_s(rate, service, 1) == pytest.approx(rate * second_moment / (2 * (1 - rate * 0.01)))
    assert mean_wait_s(50.0, CONSTANT, 1) == pytest.approx(50 * 0.01**2 / (2 * 0.5)), "half of what exponential times would give"
    assert mean_wait_s(100.0, CONSTANT, 1) == math.inf


def test_exponential_service_has_the_known_quantile():
    # M/M/1: the time to answer is exponential with rate mu - lambda.
    assert response_quantile_s(0.5, EXPONENTIAL, 1) == pytest.approx(-math.log(0.05) / 0.5, rel=0.03)
    assert response_quantile_s(0.0, EXPONENTIAL, 1) == pytest.approx(-math.log(0.05), rel=0.01), "without load, the service alone"
    assert response_quantile_s(1.01, EXPONENTIAL, 1) == math.inf


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (2, 0.8), (4, 0.85)])
def test_a_simulation_agrees(servers, load):
    rng = np.random.default_rng(1)
    sample = rng.gamma(2.0, 0.005, size=2000)
    service = fit_service_times(sample, mean_s=float(sample.mean()))
    rate = load * servers / service.mean_s
    times = simulate(rate, lambda chance: chance.choice(sample), servers, requests=60_000)
    assert response_quantile_s(rate, service, servers) == pytest.approx(np.quantile(times, 0.95), rel=0.10)
    assert mean_wait_s(rate, service, servers) + service.mean_s == pytest.approx(times.mean(), rel=0.10)


def test_replicas_are_the_fewest_that_keep_the_promise():
    for rate in (1.0, 80.0, 150.0, 950.0, 20_000.0):
        needed = replicas_needed(rate, CONSTANT, target_s=0.03)
        assert share_answered(0.03, rate, CONSTANT, needed) >= 0.95
        assert needed == 1 or share_answered(0.03, rate, CONSTANT, needed - 1) < 0.95
        assert needed >= rate * 0.01


def test_a_promise_that_no_number_keeps_is_refused():
    with pytest.raises(ConfigError, match="the service alone takes 10 ms"):
        replicas_needed(1.0, CONSTANT, target_s=0.009)
    with pytest.raises(ConfigError, match="more than 10 replicas"):
        replicas_needed(5000.0, CONSTANT, target_s=0.03, most=10)
    assert greatest_rate(CONSTANT, 3, target_s=0.009) == 0.0


def test_the_greatest_rate_and_the_replicas_are_each_others_inverse():
    for servers in (1, 2, 7):
        rate = greatest_rate(CONSTANT, servers, target_s=0.03)
        assert replicas_needed(rate * 0.999, CONSTANT, target_s=0.03) == servers
        assert replicas_needed(rate * 1.001, CONSTANT, target_s=0.03) == servers + 1
        assert rate < servers * CONSTANT.capacity


def test_service_times_take_their_level_from_the_processor():
    fitted = fit_service_times([0.002, 0.004, 0.006], mean_s=0.001)
    assert fitted.mean_s == pytest.approx(0.001)
    assert fitted.squared_variation == pytest.approx(np.var([2, 4, 6]) / 16, rel=0.6), "the shape stays, nearly"
    for bad in ([0.001], [0.001, -1.0], [0.001, math.nan]):
        with pytest.raises(ConfigError, match="at least two positive numbers"):
            fit_service_times(bad, mean_s=0.001)


def test_shared_cores_bound_the_throughput():
    assert shared_capacity(CONSTANT, 2, cores=8, beside_s=0.0) == pytest.approx(200.0), "the replicas are the bound"
    assert shared_capacity(CONSTANT, 3, cores=2, beside_s=0.01) == pytest.approx(100.0), "2 cores over 20 ms a request"
