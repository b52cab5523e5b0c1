"""What is read together, and the runs that come of it."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final, NamedTuple

from streams.runtime.interfaces import Prepared, Record
from streams.runtime.merge import PartitionMerge, Taken

_BUFFER_BYTES: Final = 4 << 20
# Longest that a topic which should have more holds its partition number back. Reached only where
# a broker has gone and the partitions of one topic are without a leader.
_PATIENCE_SECONDS: Final = 10.0


class Flow(NamedTuple):
    """Topics that are read together, partition number by partition number, in merged runs.

    They all have as many partitions. `name` is persisted, and no other flow's. `run_bytes` is
    what a run comes to at most, but for its last record, and a step twice, until steps are seen to
    be so small that more fits: for a flow of which one record may be worth one event or hundreds.
    """

    name: str
    topics: tuple[str, ...]
    chunk_records: int
    run_bytes: float = math.inf


class Place(NamedTuple):
    """One partition number of the flow of a name."""

    flow: str
    number: int


def numbers_by_flow(places: Iterable[Place]) -> dict[str, list[int]]:
    """Return partition numbers by flow, in order."""
    by_flow: dict[str, list[int]] = {}
    for flow, number in sorted(places):
        by_flow.setdefault(flow, []).append(number)
    return by_flow


class Run(NamedTuple):
    """What an agent gets: consecutive records of one partition number.

    `positions` are by topic the offsets that follow. `lane` is where it came from.
    """

    lane: "Lane"
    records: list[Prepared]
    positions: Mapping[str, int]

    @property
    def partition(self) -> int:
        """The partition number of every record."""
        return self.lane.number


class Lane:
    """One partition number of a flow, from one rebalance to the next."""

    def __init__(self, flow: Flow, number: int, prepare: Callable[[Record], Prepared]) -> None:
        self.flow = flow
        self.number = number
        self.place = Place(flow.name, number)
        self.merge = PartitionMerge(flow.topics, prepare)
        self.exhausted: Mapping[str, int] = {}
        self.out = False  # a run is with the agent
        self.waiting_since: float | None = None
        # Of a run; fewer where records change much state, which must fit one step.
        self.most_records = flow.chunk_records
        self.most_bytes = flow.run_bytes

    @property
    def caught_up(self) -> bool:
        """Whether nothing is at hand, and nothing left to fetch that the broker has told of.

        Then `exhausted` says by topic where it ends, markers of transactions included.
        """
        topics = self.flow.topics
        return len(self.merge.missing()) == len(topics) and len(self.exhausted) == len(topics)

    @property
    def behind(self) -> bool:
        """Whether a run's worth of records waits behind the one that is out: a backlog is read."""
        waiting = sum(self.merge.waiting(topic)[0] for topic in self.flow.topics)
        return waiting >= self.flow.chunk_records

    def has_room(self, topic: str) -> bool:
        """Whether more of a topic should be fetched."""
        records, size = self.merge.waiting(topic)
        return records < 2 * self.flow.chunk_records and size < _BUFFER_BYTES

    def next_run(self, now: float) -> Run | None:
        """Form the next run, where there is one and none is out."""
        if self.out:
            return None
        taken = self._take(self.exhausted)
        if not taken.records and self._patience_ended(now):
            taken = self._take(self.flow.topics)
        if not taken.records:
            return None
        self.waiting_since = None
        self.out = True
        return Run(self, taken.records, taken.positions)

    def _take(self, exhausted: Collection[str]) -> Taken:
        return self.merge.take(self.most_records, exhausted, most_bytes=self.most_bytes)

    def _patience_ended(self, now: float) -> bool:
        if len(self.merge.missing()) == len(self.flow.topics):
            self.waiting_since = None
            return False
        if self.waiting_since is None:
            self.waiting_since = now
        return now - self.waiting_since > _PATIENCE_SECONDS
