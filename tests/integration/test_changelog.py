"""Steps on a real broker: whole or not at all, and of one owner."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer

from streams.runtime.changelog import (
    MAX_BATCH_BYTES,
    TOPIC_CONFIG,
    VOID_KEYS_KEY,
    BatchTooLarge,
    Changelog,
    ForeignWriter,
    restore,
)
from streams.runtime.outbox import producer_options
from streams.runtime.position import POSITION_KEY, Position
from streams.runtime.store import LocalStore, MemoryStore, RocksStore, StoreInUse
from tests.integration.harness import create_topics, read_all

pytestmark = pytest.mark.kafka


@pytest.fixture
def topic(kafka: str, topic_prefix: str) -> str:
    """A changelog of the test's own, of two partitions."""
    name = f"{topic_prefix}changelog"
    create_topics(kafka, {name: 2}, dict(TOPIC_CONFIG))
    return name


@asynccontextmanager
async def owner(kafka: str, topic: str) -> AsyncIterator[Changelog]:
    """A worker's way to the changelog."""
    client = {"bootstrap_servers": kafka}
    producer = AIOKafkaProducer(**producer_options(client, batch_bytes=MAX_BATCH_BYTES))
    await producer.start()
    try:
        yield Changelog(producer, topic)
    finally:
        await producer.stop()


def at(offset: int) -> Position:
    """The position of a step that is meant for an offset."""
    return Position(lineage="life", at=offset, next={"logins": offset})


def contents(store: LocalStore) -> Mapping[bytes, bytes]:
    """What a store holds beside the position."""
    return {key: value for key, value in store.items() if key not in (POSITION_KEY, VOID_KEYS_KEY)}


def test_a_replaced_owner_is_shut_out(kafka: str, topic: str, tmp_path: Path) -> None:
    """What it still writes is void for all readers, it learns so, and the keys are put right."""

    async def scenario() -> None:
        client = {"bootstrap_servers": kafka}
        async with owner(kafka, topic) as old, owner(kafka, topic) as new:
            end = await old.append(0, at(0), {b"a": b"old", b"b": b"old"})
            store = RocksStore(tmp_path / "new")
            restored = (await restore(client, topic, {0: store}))[0]
            assert (restored.next_offset, restored.void_keys) == (end, frozenset())
            claimed = await new.append(0, at(end), {})
            with pytest.raises(ForeignWriter):
                await old.append(0, at(end), {b"a": b"void", b"c": b"void"})
            # So does the new owner, at its next step: somebody has been writing.
            with pytest.raises(ForeignWriter):
                await new.append(0, at(claimed), {b"b": b"lost with the worker"})

            restored = (await restore(client, topic, {0: store}))[0]
            assert restored.position == at(end)
            assert restored.void_keys == {b"a", b"b", b"c"}
            assert contents(store) == {b"a": b"old", b"b": b"old"}
            fresh = MemoryStore()
            assert (await restore(client, topic, {0: fresh}))[0] == restored
            assert contents(fresh) == contents(store)
            store.close()

    asyncio.run(scenario())


def test_a_step_too_large_is_refused_whole(kafka: str, topic: str) -> None:
    """Eight megabytes go in one batch; more is an error that says what to do, and is not sent."""
    value = bytes(2000)
    fits = MAX_BATCH_BYTES // 2100

    async def scenario() -> None:
        async with owner(kafka, topic) as only:
            end = await only.append(1, at(0), {b"key-%d" % n: value for n in range(fits)})
            assert end == fits + 1
            too_much = {b"key-%d" % n: value for n in range(fits + 500)}
            with pytest.raises(BatchTooLarge, match="lower chunk_records"):
                await only.append(1, at(end), too_much)
            assert await only.append(1, at(end), {b"last": b"step"}) == end + 2

    asyncio.run(scenario())
    assert len(read_all(kafka, topic)) == fits + 3


def test_only_the_tail_is_read_where_a_copy_is_kept(kafka: str, topic: str, tmp_path: Path) -> None:
    """A store that was closed goes on from its own offset; one that is ahead begins anew."""

    async def scenario() -> None:
        client = {"bootstrap_servers": kafka}
        async with owner(kafka, topic) as only:
            end = await only.append(0, at(0), {b"a": b"1", b"b": b"1"})
            store = RocksStore(tmp_path / "store")
            await restore(client, topic, {0: store, 1: MemoryStore()})
            with pytest.raises(StoreInUse, match="data_dir"):
                RocksStore(tmp_path / "store")
            # Not from the changelog, so only a store that is read on from keeps it.
            store.write({b"mine": b"1"}, store.next_offset)
            store.close()

            await only.append(0, at(end), {b"a": b"2"})
            store = RocksStore(tmp_path / "store")
            await restore(client, topic, {0: store})
            assert contents(store) == {b"a": b"2", b"b": b"1", b"mine": b"1"}

            store.write({}, 1000)
            await restore(client, topic, {0: store})
            assert contents(store) == {b"a": b"2", b"b": b"1"}
            store.close()

    asyncio.run(scenario())
