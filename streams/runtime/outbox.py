"""Sends messages in order, tells when they have arrived, and keeps them while they might not."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from detectors.errors import UNREADABLE, IncompatibleState
from streams.runtime.interfaces import Send

OUTBOX_KEY: Final = b"\x00outbox"
"""Where a step of state keeps the messages that leave once it is durable."""

# Below the broker's default for a batch (max.message.bytes, 1 MiB), its framing included.
BATCH_BYTES: Final = 900_000


class Outbox:
    """Sends messages in batches, which is what makes a message an event affordable.

    The producer of `Changelog` is another one: an alert must not wait for a large step of state
    that is on its way to the same broker.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, sends: Iterable[Send], *, keyless: int) -> None:
        """Send messages and return when all in-sync replicas have every one of them.

        Those of one topic and partition arrive in the order given. `keyless` decides where the
        ones without a key go. Raises what the producer raises; then none, some or all are sent.
        """
        by_partition: dict[tuple[str, int], list[Send]] = {}
        known: dict[str, list[int]] = {}
        for message in sends:
            partitions = known.get(message.topic)
            if partitions is None:
                of_topic = await self._producer.partitions_for(message.topic)
                partitions = known[message.topic] = sorted(of_topic)
            partition = _partition(message, partitions, keyless)
            by_partition.setdefault((message.topic, partition), []).append(message)
        await asyncio.gather(
            *(
                self._send_in_order(topic, partition, messages)
                for (topic, partition), messages in by_partition.items()
            )
        )

    async def _send_in_order(self, topic: str, partition: int, messages: list[Send]) -> None:
        arrivals = []
        batch = self._producer.create_batch()
        for message in messages:
            if not _append(batch, message):
                arrivals.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                _append(batch, message)
        arrivals.append(await self._producer.send_batch(batch, topic, partition=partition))
        for arrival in arrivals:
            await arrival


def _partition(message: Send, partitions: Sequence[int], keyless: int) -> int:
    if message.partition is not None:
        return message.partition
    if len(partitions) == 1:
        return partitions[0]
    if message.key is None:
        return partitions[keyless % len(partitions)]
    return partitions[partition_of(message.key, len(partitions))]


def _append(batch: Any, message: Send) -> bool:
    timestamp = None if message.timestamp is None else round(message.timestamp * 1000)
    appended = batch.append(
        timestamp=timestamp, key=message.key, value=message.value, headers=list(message.headers)
    )
    return appended is not None


def encode_outbox(sends: Sequence[Send]) -> bytes:
    """Return the value stored under `OUTBOX_KEY`."""
    return msgspec.msgpack.encode(sends)


def decode_outbox(value: bytes) -> tuple[Send, ...]:
    """Read what `encode_outbox` wrote; raises IncompatibleState for anything else."""
    try:
        return msgspec.msgpack.decode(value, type=tuple[Send, ...])
    except UNREADABLE as error:
        raise IncompatibleState(f"the changelog holds no outbox we can read: {error}") from None


def partition_of(key: bytes, partitions: int) -> int:
    """Return the partition that every producer's default puts a key into: one account, one place.

    murmur2 over the key, as Kafka's own clients have it.
    """
    return int((murmur2(key) & 0x7FFFFFFF) % partitions)


def producer_options(client: Mapping[str, Any], *, batch_bytes: int) -> dict[str, Any]:
    """Return an aiokafka producer's arguments: nothing lost, nothing twice, nothing reordered."""
    return {
        **client,
        "acks": "all",
        "enable_idempotence": True,
        "max_batch_size": batch_bytes,
        "max_request_size": batch_bytes,
    }
