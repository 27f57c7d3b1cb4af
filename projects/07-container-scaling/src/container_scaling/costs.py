"""From a demand to replicas and money: the arithmetic behind the calculator, on the command line, in the API and on the page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from container_scaling.model import ServiceTimes, greatest_rate, replicas_needed, response_quantile_s

if TYPE_CHECKING:
    from container_scaling.config import PlanSettings, PriceSettings

HOURS_A_MONTH = 730.0
DAY_S = 86_400.0
HOUR_S = 3_600.0


@dataclass(frozen=True)
class Sizing:
    """What some hospitals need: demand, replicas and the money they cost.

    Attributes
    ----------
    hospitals : int
        How many.
    mean_rate, peak_rate : float
        Requests a second, over the day and in the busiest minute.
    replicas : int
        At least the configured minimum.
    utilisation : float
        Share of the replicas' time that the busiest minute takes.
    p_ms : float
        Time within which the configured share of requests is answered then, in milliseconds.
    month : float
        Cost of a month, in the configured currency.
    thousand_predictions : float
        Cost of a thousand predictions.
    """

    hospitals: int
    mean_rate: float
    peak_rate: float
    replicas: int
    utilisation: float
    p_ms: float
    month: float
    thousand_predictions: float


def demand(hospitals: int, plan: PlanSettings) -> tuple[float, float]:
    """Give the demand of some hospitals.

    Parameters
    ----------
    hospitals : int
        How many.
    plan : PlanSettings
        Discharges, calls and how they are spread over a day.

    Returns
    -------
    mean_rate, peak_rate : float
        Requests a second, over the day and in the busiest minute.
    """
    calls_a_day = hospitals * plan.discharges_per_hospital_day * plan.calls_per_discharge
    return calls_a_day / DAY_S, calls_a_day * plan.peak_hour_share / HOUR_S * plan.burst


def month_cost(replicas: int, prices: PriceSettings) -> float:
    """Give what replicas cost in a month.

    Parameters
    ----------
    replicas : int
        That run all the time.
    prices : PriceSettings
        Of processors and memory, and what is added for everything around them.

    Returns
    -------
    float
        In the configured currency.
    """
    hourly = prices.replica_processors * prices.processor_per_hour + prices.replica_memory_gb * prices.memory_gb_per_hour
    return replicas * hourly * HOURS_A_MONTH * prices.overhead


def size_for(hospitals: int, service: ServiceTimes, plan: PlanSettings, prices: PriceSettings) -> Sizing:
    """Say what some hospitals need.

    Parameters
    ----------
    hospitals : int
        How many.
    service : ServiceTimes
        Measured, of one replica on one processor.
    plan : PlanSettings
        Demand and promise.
    prices : PriceSettings
        Prices, and how much of a processor a replica reserves.

    Returns
    -------
    Sizing
        Replicas by the queueing model, never fewer than the configured minimum.

    Raises
    ------
    ConfigError
        If no number of replicas keeps the promise.
    """
    slower = ServiceTimes(tuple(second / min(1.0, prices.replica_processors) for second in service.seconds))
    mean_rate, peak_rate = demand(hospitals, plan)
    needed = replicas_needed(peak_rate, slower, target_s=plan.target_ms / 1000, quantile=plan.quantile)
    replicas = max(plan.least_replicas, needed)
    month = month_cost(replicas, prices)
    calls = mean_rate * HOURS_A_MONTH * HOUR_S
    return Sizing(hospitals, mean_rate, peak_rate, replicas, peak_rate * slower.mean_s / replicas,
                  1000 * response_quantile_s(peak_rate, slower, replicas, quantile=plan.quantile), month, 1000 * month / calls)


def demand_curve(service: ServiceTimes, plan: PlanSettings, *, most: int) -> list[tuple[int, float]]:
    """Give the demand that each number of replicas can carry within the promise.

    Parameters
    ----------
    service : ServiceTimes
        Of one replica.
    plan : PlanSettings
        The promise.
    most : int
        Greatest number of replicas.

    Returns
    -------
    list of (int, float)
        Replicas and requests a second.
    """
    return [(count, greatest_rate(service, count, target_s=plan.target_ms / 1000, quantile=plan.quantile)) for count in range(1, most + 1)]
