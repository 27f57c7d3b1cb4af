"""Something followed while a server runs: taken over whole, kept where another cannot be taken over."""

import logging
import time

import pytest

from carefolio.exceptions import ArtefactError
from carefolio.serving.following import Follower


def follow(offers):
    """Follow a list: each look takes the first offer; an error is raised, None is nothing new."""
    def _look(present):
        offer = offers.pop(0) if offers else None
        if isinstance(offer, Exception):
            raise offer
        return offer
    return Follower(_look, missing=lambda: ArtefactError("nothing yet"))


def test_before_the_first_version_a_request_is_an_error():
    with pytest.raises(ArtefactError, match="nothing yet"):
        follow([]).current()


def test_another_version_is_taken_over_and_counted():
    follower = follow(["one", None, "two"])
    assert [follower.refresh(), follower.current()] == [True, "one"]
    assert [follower.refresh(), follower.current()] == [False, "one"]
    assert [follower.refresh(), follower.current(), follower.taken_over] == [True, "two", 2]


def test_what_cannot_be_taken_over_changes_nothing():
    follower = follow(["one", ArtefactError("broken"), "two"])
    follower.refresh()
    with pytest.raises(ArtefactError, match="broken"):
        follower.refresh()
    assert (follower.current(), follower.taken_over) == ("one", 1)


def test_the_thread_goes_on_after_a_failure_says_it_once_and_ends_with_the_block(caplog):
    follower = follow(["one", *(ArtefactError("broken") for _ in range(3)), "two"])
    with caplog.at_level(logging.WARNING, logger="carefolio.serving"), follower.following(0.01):
        deadline = time.monotonic() + 20
        while follower.taken_over < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert follower.current() == "two"
    assert [record.message for record in caplog.records if "broken" in record.message] == [caplog.records[0].message]


def test_failures_in_a_row_are_counted_until_another_version_is_taken_over():
    offers = ["one", *(ArtefactError("broken") for _ in range(10_000))]
    follower, deadline = follow(offers), time.monotonic() + 20
    with follower.following(0.001):
        while follower.failures < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert follower.failures >= 2
        offers[:] = ["two"]
        while follower.failures and time.monotonic() < deadline:
            time.sleep(0.001)
    assert (follower.current(), follower.failures) == ("two", 0)


def test_a_version_at_hand_is_taken_over_without_a_look():
    follower = follow([])
    follower.take_over("kept")
    assert (follower.current(), follower.taken_over) == ("kept", 1)
