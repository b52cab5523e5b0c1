"""A partition's state, durable: one record batch for every step from one moment to the next.

**All or nothing.** A step is one Kafka record batch: first the position (`position.py`), then
every key that changed. The broker appends a batch whole or not at all, so whoever reads the
changelog to its end has the state of exactly one moment, with the offsets it stands for. This is
the whole of the exactly-once trick; there are no transactions.

**One writer.** A worker that was frozen and comes back does not know that another has taken its
partition over, and Kafka would accept its writes. So every batch names the offset that its writer
expects it to get, which is one past the last thing that writer knows of. A new owner's first batch
(the claim) moves the end, and from then on whatever the old one appends lies at another offset
than it names: it is void for every reader, and the old owner learns so from its acknowledgement.
It is compare-and-append, with the log itself as the judge.

Compaction may tear a void batch apart before anybody has read it as void. `TOPIC_CONFIG` gives
ten minutes, in which the owner has long stumbled over the foreign batch, restarted, and written
the true values of its keys again (`Restored.void_keys`).
"""

import secrets
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from detectors.errors import IncompatibleState, NightlatchError
from streams.runtime.position import POSITION_KEY, Position, decode_position, encode_position
from streams.runtime.store import TOMBSTONE_SECONDS, LocalStore

_TOPIC_BATCH_BYTES: Final = 16 << 20
MAX_BATCH_BYTES: Final = _TOPIC_BATCH_BYTES - (64 << 10)
"""Of a step, before what Kafka adds to it. Steps are meant to be a quarter of it (`partition`)."""

TOPIC_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "compact",
    "max.message.bytes": str(_TOPIC_BATCH_BYTES),
    "delete.retention.ms": str(int(TOMBSTONE_SECONDS * 1000)),
    "min.compaction.lag.ms": "600000",
    # Small segments are compacted sooner, and recovery reads what is not compacted.
    "segment.bytes": str(128 << 20),
}
_FETCH_RECORDS: Final = 10_000
_PENDING_KEYS: Final = 50_000


VOID_KEYS_KEY: Final = b"\x00void"
"""Where a local store, not the changelog, keeps the keys that must be written again."""


class BatchTooLarge(NightlatchError):
    """A step of a partition's state does not fit one record batch."""


class ForeignWriter(NightlatchError):
    """Somebody else has written to the changelog of a partition that is ours."""


class Restored(NamedTuple):
    """What restoring a partition found.

    `next_offset` is the changelog's end, `position` None for a changelog without a valid batch.
    `void_keys` are keys that void batches wrote to: their true values must be written again.
    """

    next_offset: int
    position: Position | None
    void_keys: frozenset[bytes]


class Changelog:
    """Appends steps. `producer` is idempotent, awaits all in-sync replicas, and nobody else's."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self.topic = topic
        self._producer = producer

    async def append(
        self, partition: int, position: Position, changes: Mapping[bytes, bytes | None]
    ) -> int:
        """Append one step and return the offset that follows it, once all replicas have it.

        Raises ForeignWriter where it did not get the offset it names, BatchTooLarge, and whatever
        the producer raises: in every case what is durable is for the next owner to find out.
        """
        batch = self._producer.create_batch()
        batch.append(timestamp=None, key=POSITION_KEY, value=encode_position(position))
        for key, value in changes.items():
            if batch.append(timestamp=None, key=key, value=value) is None:
                raise BatchTooLarge(
                    f"{len(changes)} changed keys of partition {partition} do not fit one batch of "
                    f"{MAX_BATCH_BYTES} bytes: lower chunk_records or flush_seconds"
                )
        batch.close()
        sent = await self._producer.send_batch(batch, self.topic, partition=partition)
        metadata = await sent
        if metadata.offset != position.at:
            raise ForeignWriter(
                f"partition {partition} of {self.topic} has another writer: a step meant for "
                f"offset {position.at} was put at {metadata.offset}"
            )
        return position.at + 1 + len(changes)


def new_lineage() -> str:
    """Return a name for a changelog's life that no other has."""
    return secrets.token_hex(8)


class Restoring:
    """How far restoring is: `records` read since the process started, and `left` to be read now.

    `total` is how many there were to be read when what is read now was begun.
    """

    def __init__(self) -> None:
        self.records = 0
        self.left = 0
        self.total = 0

    def begin(self, total: int) -> None:
        """Note how much there is to read."""
        self.total = self.left = total

    def note(self, records: int, left: int) -> None:
        """Note what has been read."""
        self.records += records
        self.left = left


async def restore(
    client: Mapping[str, Any],
    topic: str,
    stores: Mapping[int, LocalStore],
    restoring: Restoring | None = None,
) -> dict[int, Restored]:
    """Bring local stores up to the end of their changelog partitions, in bulk.

    `client` are aiokafka's connection arguments. A store that is ahead of its changelog, or comes
    from an earlier life of it, is emptied and filled anew. `restoring` is told how far it is.
    """
    consumer = AIOKafkaConsumer(
        **client,
        enable_auto_commit=False,
        auto_offset_reset="none",
        max_partition_fetch_bytes=_TOPIC_BATCH_BYTES,
    )
    try:
        await consumer.start()
        return await _restore(consumer, topic, stores, restoring or Restoring())
    finally:
        await consumer.stop()


async def _restore(
    consumer: AIOKafkaConsumer,
    topic: str,
    stores: Mapping[int, LocalStore],
    restoring: Restoring,
) -> dict[int, Restored]:
    partitions = {TopicPartition(topic, number): number for number in stores}
    starts = await consumer.beginning_offsets(list(partitions))
    ends = await consumer.end_offsets(list(partitions))
    readers = {
        tp: _Reader(stores[number], starts[tp], ends[tp]) for tp, number in partitions.items()
    }
    consumer.assign(list(partitions))
    for tp, reader in readers.items():
        consumer.seek(tp, reader.seek)
    behind = {tp for tp, reader in readers.items() if reader.seek < reader.end}
    consumer.pause(*(set(partitions) - behind))
    restoring.begin(sum(reader.end - reader.seek for reader in readers.values()))
    while behind:
        fetched = await consumer.getmany(timeout_ms=1000, max_records=_FETCH_RECORDS)
        for tp, records in fetched.items():
            reader = readers[tp]
            if not reader.read(records):
                reader.begin_anew()
                consumer.seek(tp, reader.seek)
        for tp in list(behind):
            if await consumer.position(tp) >= readers[tp].end:
                consumer.pause(tp)
                behind.discard(tp)
        left = sum([readers[tp].end - await consumer.position(tp) for tp in behind])
        restoring.note(sum(map(len, fetched.values())), left)
    return {number: readers[tp].finish() for tp, number in partitions.items()}


def decode_void_keys(value: bytes | None) -> set[bytes]:
    """Read what a local store keeps under `VOID_KEYS_KEY`."""
    return set() if value is None else msgspec.msgpack.decode(value, type=set[bytes])


class _Reader:
    """Reads one changelog partition into one store, batch by batch, leaving void ones out."""

    def __init__(self, store: LocalStore, start: int, end: int) -> None:
        self.end = end
        self._start = start
        self._store = store
        self._void_keys = decode_void_keys(store.get(VOID_KEYS_KEY))
        self._pending: dict[bytes, bytes | None] = {}
        self._void = False
        self._anew = False
        if not start <= store.next_offset <= end:
            store.clear()
            self._void_keys = set()
        self.seek = max(store.next_offset, start)
        known = store.get(POSITION_KEY)
        self._position = None if known is None else decode_position(known)

    def begin_anew(self) -> None:
        """Empty the store: it is a copy of something else, which can be true but once."""
        if self._anew:
            raise IncompatibleState("the changelog holds the state of two lives: delete the topic")
        self._anew = True
        self._store.clear()
        self._pending.clear()
        self._void_keys.clear()
        self._position = None
        self._void = False
        self.seek = self._start

    def read(self, records: list[Any]) -> bool:
        """Take records in; False where they show that the store is a copy of something else."""
        for record in records:
            if record.key == POSITION_KEY:
                position = decode_position(record.value)
                self._void = position.at != record.offset
                if self._void:
                    continue
                if self._position is not None and self._position.lineage != position.lineage:
                    return False
                self._position = position
            if self._void:
                self._void_keys.add(record.key)
                continue
            self._void_keys.discard(record.key)
            self._pending[record.key] = record.value
            # Not within a void batch: a restart begins in the belief that what follows is valid.
            if len(self._pending) >= _PENDING_KEYS:
                self._write(record.offset + 1)
        return True

    def finish(self) -> Restored:
        """Make the store whole and say what was found."""
        if self._pending or self._store.next_offset != self.end:
            self._write(self.end)
        return Restored(self.end, self._position, frozenset(self._void_keys))

    def _write(self, next_offset: int) -> None:
        # Whoever goes on from here no longer sees the void steps that were read.
        void_keys = msgspec.msgpack.encode(sorted(self._void_keys)) if self._void_keys else None
        self._store.write({**self._pending, VOID_KEYS_KEY: void_keys}, next_offset)
        self._pending.clear()
