"""The queue that everything stands on, against closed forms, and the clock of people with office hours."""

from math import factorial

import numpy as np
import pytest

from clinical_workflow.simulation.hours import MINUTES, OPENING, to_calendar, to_working
from clinical_workflow.simulation.station import serve

BUSINESS_DAY = 420.0


def erlang_c(servers: int, load: float) -> float:
    """Probability of waiting in M/M/c with an offered load in erlang."""
    last = load**servers / factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(("servers", "use"), [(1, 0.5), (1, 0.8), (3, 0.7), (5, 0.9)])
def test_the_mean_wait_is_that_of_m_m_c(servers, use):
    generator, n = np.random.default_rng(servers), 60_000
    arrivals = np.cumsum(generator.exponential(1 / (servers * use), n))
    wait = serve(arrivals, generator.exponential(1.0, n), servers=servers, until=np.inf) - arrivals
    expected = erlang_c(servers, servers * use) / (servers - servers * use)
    blocks = wait[10_000:].reshape(50, -1).mean(axis=1)
    error = blocks.std(ddof=1) / np.sqrt(len(blocks))
    assert abs(blocks.mean() - expected) < 4 * error + 1e-12
    assert error < 0.2 * expected, "a test that cannot fail is none"


def test_the_share_that_waits_is_erlangs_c():
    generator, n = np.random.default_rng(7), 60_000
    arrivals = np.cumsum(generator.exponential(1 / 1.4, n))
    wait = serve(arrivals, generator.exponential(1.0, n), servers=2, until=np.inf) - arrivals
    assert np.mean(wait[5000:] > 1e-9) == pytest.approx(erlang_c(2, 1.4), abs=0.02)


def test_priorities_wait_as_cobham_says():
    generator, n, rate = np.random.default_rng(3), 60_000, 0.8
    arrivals, urgent = np.cumsum(generator.exponential(1 / rate, n)), generator.random(n) < 0.3
    wait = serve(arrivals, generator.exponential(1.0, n), servers=1, until=np.inf, priority=~urgent) - arrivals
    first = rate * 0.3
    assert wait[urgent].mean() == pytest.approx(rate / (1 - first), rel=0.08)
    assert wait[~urgent].mean() == pytest.approx(rate / ((1 - first) * (1 - rate)), rel=0.12)


def test_a_small_case_by_hand():
    begun = serve([0, 1, 2, 3], [4, 1, 1, 1], servers=1, until=100, priority=[0, 3, 1, 2])
    assert begun.tolist() == [0, 6, 4, 5]
    begun = serve([0, 1, 2], [4, 4, 4], servers=2, until=100)
    assert begun.tolist() == [0, 1, 4]


def test_what_waits_past_its_deadline_is_dropped_without_taking_time():
    begun = serve([0, 0, 0], [5, 5, 5], servers=1, until=100, deadlines=[0, 4, 5])
    assert begun[[0, 2]].tolist() == [0, 5]
    assert np.isnan(begun[1])


def test_what_still_waits_at_the_end_is_not_served():
    begun = serve([0, 1, 2], [10, 10, 10], servers=1, until=15)
    assert begun[:2].tolist() == [0, 10]
    assert np.isnan(begun[2])
    assert serve([], [], servers=1, until=1).shape == (0,)


def test_no_server_works_on_two_things_at_once():
    generator = np.random.default_rng(1)
    arrivals, minutes = np.sort(generator.uniform(0, 100, 400)), generator.exponential(1.0, 400)
    begun = serve(arrivals, minutes, servers=3, until=np.inf)
    assert np.all(begun >= arrivals)
    busy = [np.sum((begun <= time) & (time < begun + minutes)) for time in begun]
    assert max(busy) == 3


@pytest.mark.parametrize(("arrivals", "servers"), [([1, 0], 1), ([0, 1], 0)])
def test_arrivals_that_go_back_in_time_and_no_server_are_refused(arrivals, servers):
    with pytest.raises(ValueError, match="back in time"):
        serve(arrivals, [1, 1], servers=servers, until=10)


@pytest.mark.parametrize(("days", "minutes"), [
    (0, 0), (OPENING, 0), (OPENING + 60 / MINUTES, 60), (0.99, BUSINESS_DAY), (1.2, BUSINESS_DAY), (5.5, 5 * BUSINESS_DAY),
    (6.9, 5 * BUSINESS_DAY), (7 + OPENING + 30 / MINUTES, 5 * BUSINESS_DAY + 30),
])
def test_working_minutes_stand_still_at_night_and_at_weekends(days, minutes):
    assert to_working(days, BUSINESS_DAY) == pytest.approx(minutes)


def test_the_two_clocks_agree():
    days = np.random.default_rng(0).uniform(0, 70, 2000)
    minutes = to_working(np.sort(days), BUSINESS_DAY)
    assert np.all(np.diff(minutes) >= 0)
    again = to_calendar(minutes, BUSINESS_DAY)
    assert np.allclose(to_working(again, BUSINESS_DAY), minutes)
    assert np.all(again >= np.sort(days) - 1e-9 - (1 - BUSINESS_DAY / MINUTES)), "never earlier than the same evening"
    assert np.all(np.floor(again) % 7 < 5)
    assert np.isnan(to_calendar(np.nan, BUSINESS_DAY))


def test_friday_evening_goes_on_monday_morning():
    friday_evening = to_working(4.9, BUSINESS_DAY)
    assert to_calendar(friday_evening, BUSINESS_DAY) == pytest.approx(7 + OPENING)
