"""Times in turns: every way meets every request, the order turns, and the ratio is that of the same request."""

import numpy as np
import pytest

from carefolio.timing import median_time, speed_up, take_turns


def test_every_system_is_asked_each_request_in_each_round_and_the_order_turns():
    asked: list[tuple[str, str]] = []
    systems = [lambda request, name=name: asked.append((name, request[0])) for name in "ab"]
    times = take_turns(systems, [["x"], ["y"]], repeats=2)
    assert times.shape == (2, 2, 2)
    assert (times >= 0).all()
    warm, timed = asked[:2], asked[2:]
    assert warm == [("a", "x"), ("b", "x")]
    assert timed == [("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"), ("b", "x"), ("a", "x"), ("b", "y"), ("a", "y")]


def test_the_ratio_is_paired_by_request_and_its_interval_holds_it():
    fast = np.array([[1.0, 1.1], [10.0, 11.0], [3.0, 3.3]])
    found = speed_up(2.5 * fast, fast, seed=0)
    assert found.value == found.low == found.high == pytest.approx(2.5)
    noisy = speed_up(fast * [[2.0, 3.0], [2.5, 2.2], [1.5, 2.8]], fast, seed=0)
    assert noisy.low < noisy.value < noisy.high
    assert (noisy.n, noisy.higher_is_better) == (6, True)
    assert median_time(fast).value == 3.15
