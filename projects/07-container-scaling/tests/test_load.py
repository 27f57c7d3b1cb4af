"""Locust is driven as planned, and what it noted is read as it was."""

import json
import threading
import time

import numpy as np
import pytest

from carefolio.exceptions import ProviderError
from container_scaling.load import Plan, drive, pinned, summarise
from container_scaling.rising import breaking_rate
from container_scaling.summaries import latency_ms, per_second, throughput, throughput_ratio


def records(*rows: tuple[float, float, int, int]) -> np.ndarray:
    return np.array([(*row, 0) for row in rows], dtype=float)


def test_records_by_hand():
    rows = [(0.0, 0.5, 200, 1), (1.0, 0.1, 200, 1), (1.5, 0.1, 429, 1), (2.0, 0.2, 200, 3), (2.9, 0.1, 0, 2)]
    result = summarise(records(*rows[::-1]), 0.25, Plan(("http://x",), "", 3, warm_up_s=1.0))
    assert result.requests == 4, "the first came in the warm-up"
    assert (len(result.accepted), result.refused, result.failed, result.retried) == (2, 1, 1, 3)
    assert result.span_s == pytest.approx(2.0), "from the first sent to the last answered"
    assert result.throughput == pytest.approx(1.0)
    assert result.offered == pytest.approx(2.0)
    assert result.quantile_ms(0.5) == pytest.approx(150.0)


def test_nothing_answered_is_an_error():
    with pytest.raises(ProviderError, match="only 0 requests came back"):
        summarise(np.empty((0, 5)), 0.0, Plan(("http://x",), "", 1))


def test_seconds_are_counted_and_drawn():
    result = summarise(records(*((0.1 * i, 0.01, 200, 1) for i in range(51))), 0.0, Plan(("http://x",), "", 5, warm_up_s=0.0))
    assert per_second(result).tolist() == [10.0] * 5
    found = throughput([result], replicates=100, seed=0)
    assert (found.value, found.low, found.high) == (10.0, 10.0, 10.0)
    assert throughput_ratio([result], [result], replicates=100, seed=0).value == 1.0
    assert latency_ms(result, 0.95, replicates=100, seed=0).value == pytest.approx(10.0)


@pytest.mark.slow
def test_one_at_a_time_is_as_fast_as_the_service(sleeper, orders):
    result = drive(Plan((sleeper,), str(orders), 3, users=1, warm_up_s=0.5))
    assert 50 < result.throughput < 201, "5 ms each, one after another"
    assert result.failed == result.refused == result.retried == 0
    assert 5 <= result.quantile_ms(0.5) < 15


@pytest.mark.slow
def test_a_rate_is_kept_whatever_the_answers(sleeper, orders):
    result = drive(Plan((sleeper,), str(orders), 4, users=16, rate=80.0, warm_up_s=0.5))
    assert result.offered == pytest.approx(80.0, rel=0.25)
    gaps = np.diff(result.sent_s)
    assert 0.6 < gaps.std() / gaps.mean() < 1.6, "times of sending are random, as those of a Poisson stream"


@pytest.mark.slow
def test_failures_are_tried_again_and_counted(sleeper, tmp_path):
    path = tmp_path / "orders.jsonl"
    path.write_text(f"{json.dumps({'seconds': 0.001, 'status': 503})}\n", encoding="utf-8")
    result = drive(Plan((sleeper,), str(path), 2, users=1, warm_up_s=0.0, retries=2, retry_pause_s=0.01))
    assert result.failed == result.requests
    assert result.retried == 2 * result.requests
    nobody = drive(Plan(("http://127.0.0.1:9",), str(path), 2, users=1, warm_up_s=0.0))
    assert set(nobody.status.tolist()) == {0}


@pytest.mark.slow
def test_a_load_can_be_ended_early(sleeper, orders):
    ended, start = threading.Event(), time.monotonic()
    timer = threading.Timer(4.0, ended.set)
    timer.start()
    result = drive(Plan((sleeper,), str(orders), 600, users=2, warm_up_s=0.0), until=ended)
    assert time.monotonic() - start < 60
    assert result.requests > 10


def test_a_load_that_cannot_start_says_why(tmp_path):
    with pytest.raises(ProviderError, match="locust ended with status"):
        drive(Plan(("http://127.0.0.1:9",), str(tmp_path / "missing.jsonl"), 2))


def test_cores_are_named_only_where_that_is_possible():
    assert pinned(()) == []
    assert pinned((0, 1))[1:] in ([], ["--cpu-list", "0,1"])


def test_the_rate_that_breaks_a_promise_lies_between_two_loads():
    rates, times = [100.0, 200.0, 300.0], [1.0, 10.0, 1000.0]
    assert breaking_rate(rates, times, 100.0) == pytest.approx(250.0), "half way in the logarithm"
    assert breaking_rate(rates, times, 10.0) == pytest.approx(200.0)
    assert breaking_rate(rates, times, 2000.0) is None, "nothing broke it"
    assert breaking_rate(rates, times, 0.5) is None, "even the lightest load did"
