"""What other people's producers do to a topic."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaProducer

from tests.integration.counting import Counting
from tests.integration.harness import Sent, Shop, oracle, send, worker

pytestmark = pytest.mark.kafka


@pytest.fixture
def shop(kafka: str, topic_prefix: str) -> Shop:
    """Topics of the test's own."""
    made = Shop(kafka, topic_prefix, partitions=1)
    made.create()
    return made


async def produce(shop: Shop, numbers: range, *, abort: bool = False, **options: Any) -> None:
    """Send numbered records to the first topic, in a transaction where `options` say so."""
    producer = AIOKafkaProducer(bootstrap_servers=shop.broker, **options)
    await producer.start()
    try:
        if "transactional_id" in options:
            await producer.begin_transaction()
        for number in numbers:
            await producer.send(shop.sources[0], b"%d" % number, key=b"account")
        if "transactional_id" in options:
            await (producer.abort_transaction() if abort else producer.commit_transaction())
    finally:
        await producer.stop()


def read_to_the_end(shop: Shop, tmp_path: Path) -> None:
    """Have a worker read all there is."""
    with worker(shop.options(tmp_path), tmp_path / "log") as running:
        running.wait_until_ready()
        started = time.monotonic()
        running.wait_until(lambda: shop.state().get(0), "have read something")
        shop.wait_until_read()
        # It knew where the topics end, and did not merely lose patience with them.
        assert time.monotonic() - started < 8
        assert running.stop() == 0


@pytest.mark.parametrize("compression", ["gzip", "snappy", "lz4", "zstd"])
def test_compressed_records_are_read(shop: Shop, tmp_path: Path, compression: str) -> None:
    """Whatever a pipeline compresses its records with."""
    asyncio.run(produce(shop, range(200), compression_type=compression, linger_ms=50))
    read_to_the_end(shop, tmp_path)
    assert shop.state()[0][b"account:account"].startswith(b"200:")


def test_what_a_producer_took_back_is_not_read(shop: Shop, tmp_path: Path) -> None:
    """Aborted records are left out, and the markers between offsets hold nothing up."""
    for first in range(0, 300, 100):
        numbers = range(first, first + 100)
        options = {"transactional_id": f"{shop.app_id}-{first}"}
        asyncio.run(produce(shop, numbers, abort=first == 100, **options))
    send(shop.broker, [Sent(shop.sources[1], b"account", b"last")])
    read_to_the_end(shop, tmp_path)
    quiet = oracle(
        shop.broker,
        shop.sources,
        lambda _, state: Counting(shop.alerts, state.get, across_topics=True),
    )
    assert shop.state() == quiet.state
    assert shop.state()[0][b"account:account"].startswith(b"201:")
