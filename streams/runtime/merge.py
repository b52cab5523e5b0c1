"""One order for the records of several topics: Kafka Streams' rule, kept apart from Kafka.

Live, records arrive in about the order they happened. During catch-up a whole day of orders can
arrive before the sign-ins of the same day, and a detector that compares the two would be wrong,
and wrong in another way each time. So of the topics of one partition number, the head with the
smallest time is always taken first; ties go by the order of the topics, and within a topic the
order is the log's, whatever the times say. A topic with nothing at hand holds the others back
until the broker has said that there is nothing left to fetch from it. What arrives late
nevertheless is taken when it comes.

Reference: KIP-353, "Improve Kafka Streams Timestamp Synchronization" (max.task.idle.ms).
"""

import heapq
import math
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

from streams.runtime.interfaces import Prepared, Record, record_bytes


class Taken(NamedTuple):
    """A merged run, and by topic the offset that comes after the last record taken from it."""

    records: list[Prepared]
    positions: dict[str, int]


class PartitionMerge:
    """The records of one partition number, waiting for their turn.

    `prepare` is called once a record, when it becomes its topic's head: what merely waits costs
    no more than its bytes. Not thread-safe; asks no clock.
    """

    def __init__(self, topics: Sequence[str], prepare: Callable[[Record], Prepared]) -> None:
        self.topics = tuple(topics)
        self._prepare = prepare
        self._rank = {topic: rank for rank, topic in enumerate(self.topics)}
        self._waiting: tuple[deque[Record], ...] = tuple(deque() for _ in self.topics)
        self._bytes = [0] * len(self.topics)
        # At most one entry a topic, so that time and rank alone decide.
        self._heads: list[tuple[float, int, int, Prepared]] = []

    def add(self, topic: str, records: Iterable[Record]) -> None:
        """Put records, in offset order, behind what waits of their topic."""
        rank = self._rank[topic]
        waiting = self._waiting[rank]
        has_head = bool(waiting) or any(head[1] == rank for head in self._heads)
        for record in records:
            waiting.append(record)
            self._bytes[rank] += record_bytes(record)
        if waiting and not has_head:
            heapq.heappush(self._heads, self._next_head(rank))

    def waiting(self, topic: str) -> tuple[int, int]:
        """Return how many records of a topic wait, and how many bytes they hold in all."""
        rank = self._rank[topic]
        return len(self._waiting[rank]), self._bytes[rank]

    def missing(self) -> frozenset[str]:
        """Return the topics with nothing at hand."""
        present = {head[1] for head in self._heads}
        return frozenset(t for rank, t in enumerate(self.topics) if rank not in present)

    def take(
        self, limit: int, exhausted: Collection[str], *, most_bytes: float = math.inf
    ) -> Taken:
        """Take at most `limit` records in order; fewer, or none, where a topic must be waited for.

        The record with which they come to `most_bytes` is the last.
        `exhausted` are the topics of which the broker says that nothing is left to fetch.
        """
        taken: list[Prepared] = []
        last: dict[int, int] = {}
        size, bounded = 0, most_bytes < math.inf
        heads = self._heads
        if all(topic in exhausted for topic in self.missing()):
            while heads and len(taken) < limit and size < most_bytes:
                _, rank, offset, prepared = heads[0]
                taken.append(prepared)
                if bounded:
                    size += record_bytes(prepared.record)
                last[rank] = offset
                if self._waiting[rank]:
                    heapq.heapreplace(heads, self._next_head(rank))
                else:
                    heapq.heappop(heads)
                    if self.topics[rank] not in exhausted:
                        break
        return Taken(taken, {self.topics[rank]: offset + 1 for rank, offset in last.items()})

    def _next_head(self, rank: int) -> tuple[float, int, int, Prepared]:
        record = self._waiting[rank].popleft()
        self._bytes[rank] -= record_bytes(record)
        prepared = self._prepare(record)
        return prepared.time, rank, record.offset, prepared
