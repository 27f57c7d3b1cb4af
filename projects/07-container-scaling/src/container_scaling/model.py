"""The queueing model: how long requests wait when replicas are few, and how many replicas a demand needs.

Requests come at random times (a Poisson stream of rate ``lambda``) to ``c`` servers that take any of them. The offered load is
``a = lambda E[S]`` in Erlang, the utilisation ``rho = a / c``. Erlang's C formula gives the probability of waiting for exponential service
times (M/M/c); Allen and Cunneen's approximation scales the mean wait by ``(1 + cs2) / 2`` for any other (M/G/c), where ``cs2`` is the
squared coefficient of variation of the service times. It is exact for one server (Pollaczek and Khinchine).

Sources: L. Kleinrock, Queueing Systems I (1975), chapter 3; A. O. Allen, Probability, Statistics and Queueing Theory (1990), section 5.2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from carefolio.exceptions import ConfigError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

MOST_REPLICAS = 100_000
STEPS = 60
"""Halvings of a search; twice what a double can tell apart."""


@dataclass(frozen=True)
class ServiceTimes:
    """What is known of one replica: service times in seconds, as measured at a load that makes no queue."""

    seconds: tuple[float, ...]

    @property
    def mean_s(self) -> float:
        """Give the mean.

        Returns
        -------
        float
            Seconds.
        """
        return float(np.mean(self.seconds))

    @property
    def squared_variation(self) -> float:
        """Give variance over squared mean.

        Returns
        -------
        float
            0 if every request takes the same time, 1 for an exponential distribution.
        """
        return float(np.var(self.seconds) / self.mean_s ** 2)

    @property
    def capacity(self) -> float:
        """Give what one replica can answer at most.

        Returns
        -------
        float
            Requests a second.
        """
        return 1 / self.mean_s


def fit_service_times(durations_s: ArrayLike, *, mean_s: float) -> ServiceTimes:
    """Give measured durations the mean that the processor's own accounting shows.

    How long a request takes on a wall clock holds the network and the client; how much they vary is what is taken from it. The level
    comes from processor seconds a request, which is what limits a replica.

    Parameters
    ----------
    durations_s : array-like, shape (n,)
        Durations in seconds, at a load that makes no queue.
    mean_s : float
        Processor seconds a request.

    Returns
    -------
    ServiceTimes
        At most 1,000 of their quantiles, with that mean.

    Raises
    ------
    ConfigError
        If there are fewer than two durations, or one is not positive.
    """
    durations = np.asarray(durations_s, dtype=float)
    if durations.size < 2 or not np.all(np.isfinite(durations)) or durations.min() <= 0 or mean_s <= 0:
        raise ConfigError(f"service times must be at least two positive numbers with a positive mean; got {durations.size} durations and "
                          f"mean {mean_s}. Measure the service again.")
    kept = np.quantile(durations, (np.arange(min(1000, durations.size)) + 0.5) / min(1000, durations.size))
    return ServiceTimes(tuple((kept * (mean_s / kept.mean())).tolist()))


def erlang_c(servers: int, offered: float) -> float:
    """Give the probability that a request has to wait, in M/M/c.

    Parameters
    ----------
    servers : int
        At least 1.
    offered : float
        Offered load in Erlang: arrivals a second times seconds of service.

    Returns
    -------
    float
        From 0 to 1; 1 where the load is the capacity or more.

    Notes
    -----
    By the recursion of Erlang's B formula, ``B(0) = 1``, ``B(k) = a B(k-1) / (k + a B(k-1))``, which overflows nowhere.
    """
    if offered >= servers:
        return 1.0
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked / (1 - offered / servers * (1 - blocked))


def mean_wait_s(rate: float, service: ServiceTimes, servers: int) -> float:
    """Give the mean wait before service, in M/G/c by Allen and Cunneen.

    Parameters
    ----------
    rate : float
        Arrivals a second.
    service : ServiceTimes
        Of one server.
    servers : int
        At least 1.

    Returns
    -------
    float
        Seconds; infinite where the load is the capacity or more.
    """
    offered = rate * service.mean_s
    if offered >= servers:
        return math.inf
    exponential = erlang_c(servers, offered) * service.mean_s / (servers - offered)
    return exponential * (1 + service.squared_variation) / 2


def share_answered(seconds: float, rate: float, service: ServiceTimes, servers: int) -> float:
    """Give the share of requests that are answered within a time.

    Parameters
    ----------
    seconds : float
        Time from arrival to answer.
    rate : float
        Arrivals a second.
    service : ServiceTimes
        Of one server.
    servers : int
        At least 1.

    Returns
    -------
    float
        From 0 to 1.

    Notes
    -----
    The wait is taken to be zero with probability ``1 - C`` and else exponential with the mean that Allen and Cunneen's gives, exact for
    M/M/c; the service time is drawn from those measured and added.
    """
    waited = mean_wait_s(rate, service, servers)
    if math.isinf(waited):
        return 0.0
    left = seconds - np.asarray(service.seconds)
    chance = erlang_c(servers, rate * service.mean_s)
    late = chance * np.exp(-np.clip(left, 0, None) * chance / waited) if waited > 0 else np.zeros_like(left)
    return float(np.mean(np.where(left >= 0, 1 - late, 0.0)))


def response_quantile_s(rate: float, service: ServiceTimes, servers: int, *, quantile: float = 0.95) -> float:
    """Give the time within which a share of requests is answered.

    Parameters
    ----------
    rate : float
        Arrivals a second.
    service : ServiceTimes
        Of one server.
    servers : int
        At least 1.
    quantile : float, default 0.95
        The share.

    Returns
    -------
    float
        Seconds; infinite where the load is the capacity or more.
    """
    if rate * service.mean_s >= servers:
        return math.inf
    low, high = 0.0, service.mean_s
    while share_answered(high, rate, service, servers) < quantile:
        high *= 2
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if share_answered(middle, rate, service, servers) < quantile else (low, middle)
    return high


def replicas_needed(rate: float, service: ServiceTimes, *, target_s: float, quantile: float = 0.95, most: int = MOST_REPLICAS) -> int:
    """Give the smallest number of replicas with which a share of requests is answered within the target.

    Parameters
    ----------
    rate : float
        Arrivals a second.
    service : ServiceTimes
        Of one replica.
    target_s : float
        Seconds.
    quantile : float, default 0.95
        The share.
    most : int, default 100000
        Where the search ends.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ConfigError
        If the service alone takes longer than the target, or more than ``most`` replicas are needed.
    """
    alone = float(np.quantile(service.seconds, quantile))
    if target_s < alone:
        raise ConfigError(f"a target of {target_s * 1000:.3g} ms cannot be met: for {quantile:.0%} of requests the service alone "
                          f"takes {alone * 1000:.3g} ms. Raise the target or make the service faster.")
    low, high = 0, max(1, math.floor(rate * service.mean_s))
    while share_answered(target_s, rate, service, high) < quantile:
        low, high = high, high * 2
        if high > 2 * most:
            raise ConfigError(f"{rate:,.0f} requests a second need more than {most:,} replicas; that is another design.")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if share_answered(target_s, rate, service, middle) < quantile else (low, middle)
    return high


def greatest_rate(service: ServiceTimes, servers: int, *, target_s: float, quantile: float = 0.95) -> float:
    """Give the demand that so many replicas can carry within the target.

    Parameters
    ----------
    service : ServiceTimes
        Of one replica.
    servers : int
        At least 1.
    target_s : float
        Seconds.
    quantile : float, default 0.95
        Share of requests that must be answered in time.

    Returns
    -------
    float
        Requests a second; 0 where even an idle replica is too slow.
    """
    low, high = 0.0, servers * service.capacity
    if share_answered(target_s, 0.0, service, servers) < quantile:
        return 0.0
    for _ in range(STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if share_answered(target_s, middle, service, servers) >= quantile else (low, middle)
    return low


def shared_capacity(service: ServiceTimes, servers: int, *, cores: float, beside_s: float) -> float:
    """Give the throughput of replicas that share the cores of one machine with what drives or fronts them.

    Parameters
    ----------
    service : ServiceTimes
        Of one replica, in processor seconds.
    servers : int
        Replicas; each uses one core at most.
    cores : float
        Of the machine.
    beside_s : float
        Processor seconds that client and proxy spend on one request on the same machine.

    Returns
    -------
    float
        Requests a second: the least of what the replicas can do and what the cores allow (the bottleneck law of operational analysis,
        Denning and Buzen 1978).
    """
    return min(servers * service.capacity, cores / (service.mean_s + beside_s))
