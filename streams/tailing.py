"""Reads a topic from the outside: from its beginning, its end or a moment on, in no group."""

import time
from collections.abc import Iterator
from typing import Any

from kafka import TopicPartition

from detectors.errors import ConfigurationError
from streams.kafka_clients import consumer
from streams.runtime.interfaces import Record
from streams.settings import Settings

_POLL_MS = 200


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
    so many seconds; otherwise never. Raises ConfigurationError where there is no such topic.
    """
    with consumer(settings) as client:
        partitions = [TopicPartition(topic, p) for p in client.partitions_for_topic(topic) or ()]
        if not partitions:
            raise ConfigurationError(
                f"topic {topic} is missing: `nightlatch topics create` makes it"
            )
        client.assign(partitions)
        ends = client.end_offsets(partitions)
        _seek(client, partitions, ends, from_beginning=from_beginning, since=since)
        last = time.monotonic()
        while not (to_end and all(client.position(p) >= ends[p] for p in partitions)):
            batch = client.poll(timeout_ms=_POLL_MS)
            for record in _in_order(batch):
                if not to_end or record.offset < ends[TopicPartition(topic, record.partition)]:
                    yield record
            if batch:
                last = time.monotonic()
            elif patience is not None and time.monotonic() - last >= patience:
                return


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
