"""The calculator's arithmetic, worked by hand."""

from itertools import pairwise

import pytest

from carefolio.config import load_config
from container_scaling.config import PROJECT, ScalingSettings
from container_scaling.costs import demand, demand_curve, month_cost, size_for
from container_scaling.model import ServiceTimes

SETTINGS = load_config(ScalingSettings, PROJECT)
PLAN = SETTINGS.plan.model_copy(update={"discharges_per_hospital_day": 60.0, "calls_per_discharge": 20.0, "peak_hour_share": 0.15, "burst":
3.0,
                                        "target_ms": 50.0, "least_replicas": 2})
PRICES = SETTINGS.prices.model_copy(update={"processor_per_hour": 0.04, "memory_gb_per_hour": 0.005, "replica_processors": 1.0,
                                            "replica_memory_gb": 0.5, "overhead": 1.3})
SERVICE = ServiceTimes((0.01,) * 4)


def test_demand_by_hand():
    mean, peak = demand(100, PLAN)
    assert mean == pytest.approx(100 * 60 * 20 / 86400)
    assert peak == pytest.approx(100 * 60 * 20 * 0.15 / 3600 * 3), "120,000 a day, 18,000 in an hour, 5 a second, 15 in its busiest minute"


def test_cost_by_hand():
    assert month_cost(2, PRICES) == pytest.approx(2 * (0.04 + 0.0025) * 730 * 1.3)


def test_a_small_demand_still_has_two_replicas():
    size = size_for(1, SERVICE, PLAN, PRICES)
    assert size.replicas == 2
    assert size.utilisation == pytest.approx(0.15 * 0.01 / 2)


def test_a_large_demand_grows_nearly_in_proportion():
    small, large = (size_for(count, SERVICE, PLAN, PRICES) for count in (2000, 20_000))
    assert 7 < large.replicas / small.replicas < 10, "large pools wait less"
    assert large.p_ms <= 50
    assert large.thousand_predictions == pytest.approx(1000 * large.month / (20_000 * 1200 * 730 / 24))


def test_half_a_processor_takes_twice_as_long():
    halved = size_for(5000, SERVICE, PLAN, PRICES.model_copy(update={"replica_processors": 0.5}))
    assert halved.replicas > 1.8 * size_for(5000, SERVICE, PLAN, PRICES).replicas


def test_the_curve_rises_by_more_than_one_replica_each():
    rates = [rate for _, rate in demand_curve(SERVICE, PLAN, most=5)]
    assert all(later - earlier > rates[0] for earlier, later in pairwise(rates)), "pooling helps"
