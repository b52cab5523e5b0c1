"""What makes a worker stop, or have the group assign anew."""

import time

import pytest
from faust.types import TP

from detectors.errors import ConfigurationError
from streams.runtime.guards import OwnershipWatch, Stalled, StallGuard, Unowned

EVERYTHING = {TP(topic, n) for topic in ("logins", "orders") for n in range(2)}


def test_a_loop_that_stood_still_is_noticed_even_when_it_ticks_first() -> None:
    """After a freeze the tick is what runs first, and must not hide how long it lasted."""
    guard = StallGuard(session_seconds=0.1)
    guard.tick()
    guard.check()
    time.sleep(0.08)
    with pytest.raises(Stalled, match=r"stood still for 0\.\d s"):
        guard.tick()
    with pytest.raises(Stalled):
        guard.check()


def test_partitions_that_stay_unowned_have_the_group_assign_anew() -> None:
    """Not at first sight, since assignments take a moment to be known; and not for ever."""
    watch = OwnershipWatch({"logins": 2, "orders": 2})
    assert not watch.look(1, EVERYTHING)
    missing = {TP("orders", 1)}
    assert not watch.look(2, EVERYTHING - missing)
    assert watch.look(2, EVERYTHING - missing) == missing
    # Assigned anew, and the same again: patience, then an error that names a partition.
    for generation in range(3, 7):
        assert not watch.look(generation, EVERYTHING - missing)
        assert watch.look(generation, EVERYTHING - missing) == missing
    assert not watch.look(7, EVERYTHING - missing)
    with pytest.raises(Unowned, match="orders-1"):
        watch.look(7, EVERYTHING - missing)


def test_a_group_that_mends_itself_is_left_alone() -> None:
    """A partition that was unowned for a moment is nobody's business."""
    watch = OwnershipWatch({"logins": 2, "orders": 2})
    assert not watch.look(1, set())
    assert not watch.look(2, set())
    assert not watch.look(3, EVERYTHING)
    assert not watch.look(3, set())


def test_topics_that_are_carried_are_watched_as_they_are() -> None:
    """How many partitions a topic has that is keyed otherwise is its own business, and may grow."""
    watch = OwnershipWatch({"logins": 2, "orders": 2}, carried=["by-session"])
    watch.check_counts({"logins": 2, "orders": 2, "by-session": 3})
    owned = EVERYTHING | {TP("by-session", 0), TP("by-session", 1)}
    assert not watch.look(1, owned)
    assert watch.look(1, owned) == {TP("by-session", 2)}
    assert not watch.look(2, owned | {TP("by-session", 2)})
    watch.check_counts({"by-session": 4})
    assert not watch.look(2, owned | {TP("by-session", 2)})
    assert watch.look(2, owned | {TP("by-session", 2)}) == {TP("by-session", 3)}


def test_topics_that_have_grown_are_refused() -> None:
    """With other partitions, accounts' keys lead elsewhere than to their state."""
    watch = OwnershipWatch({"logins": 2, "orders": 2})
    watch.check_counts({"logins": 2, "orders": 2, "other": 7})
    watch.check_counts({"logins": 2})  # not known at the moment
    with pytest.raises(ConfigurationError, match="orders has 3 partitions"):
        watch.check_counts({"logins": 2, "orders": 3})
