"""Reads a topic from the outside: from its beginning, its end or a moment on, in no group."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from kafka import TopicPartition

from detectors.errors import ConfigurationError
from streams.kafka_clients import BrokerTrouble, consumer
from streams.runtime.interfaces import Record
from streams.settings import Settings
from streams.topics import missing

_POLL_MS: Final = 200
# Longer than a broker takes to restart, or a partition to get another leader.
OVERDUE_SECONDS: Final = 30.0
ANSWER_MS: Final = 20_000
_ASK_SECONDS: Final = 10.0
_POSITION_MS: Final = 1000


class Overdue:
    """Tells that nothing comes any more of what is known to be there: the clients wait for ever."""

    def __init__(self, topic: str) -> None:
        self._topic = topic
        self._last = time.monotonic()

    def came(self) -> None:
        """Note that something came."""
        self._last = time.monotonic()

    def check(self) -> None:
        """Raise BrokerTrouble where nothing has come for half a minute."""
        if time.monotonic() - self._last >= OVERDUE_SECONDS:
            raise BrokerTrouble(
                f"topic {self._topic}: nothing came for {OVERDUE_SECONDS:.0f} s, and its end is "
                "not reached: are its brokers there?"
            )


def tail(
    settings: Settings,
    topic: str,
    *,
    from_beginning: bool = False,
    since: float | None = None,
    to_end: bool = False,
    patience: float | None = None,
) -> Iterator[Record]:
    """Yield a topic's records, those of a batch in the order of their time.

    It begins at the end unless `from_beginning`, or `since` (UTC epoch seconds, record time). With
    `to_end` it ends where the topic ended at the call; with `patience` when nothing has come for
    so many seconds; otherwise never. Raises ConfigurationError where there is no such topic, and
    BrokerTrouble where the brokers have not answered for half a minute.
    """
    with consumer(settings) as client:
        partitions = _partitions(settings, client, topic)
        client.assign(partitions)
        ends = client.end_offsets(partitions, timeout_ms=ANSWER_MS)
        _seek(client, partitions, ends, from_beginning=from_beginning, since=since)
        last = asked = time.monotonic()
        overdue = Overdue(topic)
        while not (to_end and reached(client, ends)):
            batch = client.poll(timeout_ms=_POLL_MS)
            for record in _in_order(batch):
                if not to_end or record.offset < ends[TopicPartition(topic, record.partition)]:
                    yield record
            now = time.monotonic()
            if batch:
                last = asked = now
                overdue.came()
            elif patience is not None and now - last >= patience:
                return
            elif to_end:
                overdue.check()
            elif now - asked >= _ASK_SECONDS:
                # A quiet topic and a broker that is gone look the same until somebody asks.
                client.end_offsets(partitions, timeout_ms=ANSWER_MS)
                asked = time.monotonic()


class Kept(NamedTuple):
    """What a topic has of some time: offsets by partition, from the first to before the last.

    `missing_before` (UTC epoch seconds, record time) tells that what was written earlier is not
    kept any more, though it was asked for.
    """

    spans: Mapping[int, tuple[int, int]]
    missing_before: float | None


def kept(settings: Settings, topic: str, since: float = 0.0) -> Kept:
    """Return what there is of a topic, written since a moment (UTC epoch seconds, record time).

    Raises as `tail` does.
    """
    with consumer(settings) as client:
        partitions = _partitions(settings, client, topic)
        oldest = client.beginning_offsets(partitions, timeout_ms=ANSWER_MS)
        ends = client.end_offsets(partitions, timeout_ms=ANSWER_MS)
        first = client.offsets_for_times({p: int(since * 1000) for p in partitions})
    spans, missing = {}, []
    for partition in partitions:
        at = first.get(partition)
        begin = at.offset if at is not None else ends[partition]
        spans[partition.partition] = begin, ends[partition]
        # Where it is the oldest of all, there may have been more before it.
        if at is not None and 0 < oldest[partition] == begin:
            missing.append(at.timestamp / 1000)
    return Kept(spans, max(missing, default=None))


def between(
    settings: Settings, topic: str, spans: Mapping[int, tuple[int, int]]
) -> Iterator[Record]:
    """Yield the records of these offsets, each partition's in its order.

    Raises as `tail` does, and ConfigurationError where the first of them are not kept any more.
    """
    with consumer(settings) as client:
        known = {p.partition: p for p in _partitions(settings, client, topic)}
        wanted = {known[n]: span for n, span in spans.items() if n in known and span[0] < span[1]}
        oldest = client.beginning_offsets(list(wanted), timeout_ms=ANSWER_MS)
        for partition, (begin, _) in wanted.items():
            if oldest[partition] > begin:
                raise ConfigurationError(
                    f"topic {topic} has nothing before offset {oldest[partition]} of partition "
                    f"{partition.partition} any more, and {begin} is asked for"
                )
        client.assign(list(wanted))
        for partition, (begin, _) in wanted.items():
            client.seek(partition, begin)
        ends = {partition: end for partition, (_, end) in wanted.items()}
        overdue = Overdue(topic)
        while not reached(client, ends):
            batch = client.poll(timeout_ms=_POLL_MS)
            for record in _in_order(batch):
                if record.offset < ends[TopicPartition(topic, record.partition)]:
                    yield record
            if batch:
                overdue.came()
            else:
                overdue.check()


def _partitions(settings: Settings, client: Any, topic: str) -> list[TopicPartition]:
    partitions = [TopicPartition(topic, p) for p in client.partitions_for_topic(topic) or ()]
    if not partitions:
        raise missing(settings, topic)
    return partitions


def reached(client: Any, ends: dict[TopicPartition, int]) -> bool:
    """Whether a consumer has read up to these offsets; not where it doesn't know where it is."""
    positions = ((client.position(p, timeout_ms=_POSITION_MS), end) for p, end in ends.items())
    return all(position is not None and position >= end for position, end in positions)


def _seek(
    client: Any,
    partitions: list[TopicPartition],
    ends: dict[TopicPartition, int],
    *,
    from_beginning: bool,
    since: float | None,
) -> None:
    if since is not None:
        found = client.offsets_for_times({p: int(since * 1000) for p in partitions})
        for partition in partitions:
            # A partition without a record since then begins at its end.
            at = found.get(partition)
            client.seek(partition, at.offset if at is not None else ends[partition])
    elif from_beginning:
        client.seek_to_beginning(*partitions)
    else:
        for partition in partitions:
            client.seek(partition, ends[partition])


def _in_order(batch: dict[TopicPartition, list[Any]]) -> list[Record]:
    records = [
        Record(
            topic=r.topic,
            partition=r.partition,
            offset=r.offset,
            timestamp=r.timestamp / 1000,
            key=r.key,
            value=r.value,
            headers=tuple(r.headers or ()),
        )
        for records in batch.values()
        for r in records
    ]
    return sorted(records, key=lambda r: (r.timestamp, r.partition, r.offset))
