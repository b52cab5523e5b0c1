"""Reads a topic from the outside: from its beginning, its end or a moment on, in no group."""

import time
from collections.abc import Iterator
from typing import Any, Final

from kafka import TopicPartition

from detectors.errors import ConfigurationError
from streams.kafka_clients import BrokerTrouble, consumer
from streams.runtime.interfaces import Record
from streams.settings import Settings

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
        partitions = [TopicPartition(topic, p) for p in client.partitions_for_topic(topic) or ()]
        if not partitions:
            raise ConfigurationError(
                f"topic {topic} is missing: `nightlatch topics create` makes it"
            )
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
