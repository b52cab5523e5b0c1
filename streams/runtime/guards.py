"""What tells a worker that it is not, or may no longer be, what it thinks it is."""

import time
from collections.abc import Iterable, Mapping
from typing import Any, Final

from faust.types import TP

from detectors.errors import ConfigurationError, NightlatchError

# Linux counts a suspended machine's time in this clock only.
_CLOCK: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_REJOINS: Final = 5


class Stalled(NightlatchError):
    """This worker has stood still so long that others may have taken its partitions over."""


class OwnershipLost(NightlatchError):
    """This worker's partitions may be somebody else's by now."""


class Unowned(NightlatchError):
    """Partitions that nobody reads, in a group that thinks all is well."""


class StallGuard:
    """Knows when the event loop last ran.

    A process that was stopped, swapped out or suspended cannot know what has happened meanwhile.
    After half a session without a sign of life it must not write: it stops instead. Where this
    comes too late, `changelog` makes such a write void, and what is not durable is not sent.
    """

    def __init__(self, session_seconds: float) -> None:
        self.limit = session_seconds / 2
        self._last = _now()

    def tick(self) -> None:
        """Say that the event loop runs. Raises Stalled where it has not for too long."""
        self.check()
        self._last = _now()

    def check(self) -> None:
        """Raise Stalled where the event loop has not run for too long."""
        stood = _now() - self._last
        if stood > self.limit:
            raise Stalled(
                f"this worker stood still for {stood:.1f} s, more than half of a group session: "
                "it stops, to be started again"
            )


class OwnershipWatch:
    """Finds partitions without an owner.

    A worker that joins while the broker has only just come back can be handed an assignment that
    was made without knowing all topics: partitions then belong to nobody, the group is stable, and
    nothing ever moves again. `look` is called now and then with what the last assignment gave to
    whom; where it left something out, and that is no rebalance in progress, the group must assign
    anew.
    """

    def __init__(self, partitions: Mapping[str, int], carried: Iterable[str] = ()) -> None:
        self._partitions = partitions
        self._carried = tuple(carried)
        self._expected = _all_of(partitions)
        self._suspected: tuple[int, frozenset[TP]] | None = None
        self._rejoins = 0

    def check_counts(self, counts: Mapping[str, int]) -> None:
        """Raise ConfigurationError where a topic has another number of partitions by now.

        Topics that are only carried may have any, and grow: all that they have must be somebody's.
        """
        for topic, partitions in sorted(self._partitions.items()):
            found = counts.get(topic, 0)
            if found not in (0, partitions):
                raise ConfigurationError(
                    f"topic {topic} has {found} partitions by now, and this group's state has "
                    f"{partitions}: keys have moved, so begin anew under another app_id"
                )
        known = {topic: counts[topic] for topic in self._carried if topic in counts}
        self._expected = _all_of({**self._partitions, **known})

    def look(self, generation: int, owned: Iterable[TP]) -> frozenset[TP]:
        """Return the partitions for whose sake the group must assign anew; mostly none.

        Raises Unowned where it has done so again and again to no avail.
        """
        unowned = frozenset(self._expected.difference(owned))
        if not unowned:
            self._suspected, self._rejoins = None, 0
            return unowned
        if self._suspected != (generation, unowned):
            # Seen for the first time: the owner may be known a moment later.
            self._suspected = generation, unowned
            return frozenset()
        self._suspected = None
        self._rejoins += 1
        if self._rejoins > _REJOINS:
            raise Unowned(
                f"{len(unowned)} partitions, such as {'-'.join(map(str, min(unowned)))}, have no "
                "owner in the group however often it assigns: is a topic missing?"
            )
        return unowned


def _all_of(partitions: Mapping[str, int]) -> set[TP]:
    return {TP(topic, number) for topic, count in partitions.items() for number in range(count)}


def assigned_to_anybody(assignor: Any) -> set[TP]:
    """Return what the last assignment that Faust's assignor heard of gave to any member."""
    return {
        TP(topic, partition)
        for given in (assignor.external_topic_distribution, assignor.changelog_distribution)
        for topics in given.values()
        for topic, partitions in topics.items()
        for partition in partitions
    }


def _now() -> float:
    return time.clock_gettime(_CLOCK)
