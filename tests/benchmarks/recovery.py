"""How fast a lost store comes back: `python -m tests.benchmarks.recovery`.

Writes a changelog of many accounts, as large as a profile commonly is, and restores it into an
empty store. For comparison: Faust 0.15.3 restores about 6,500 records a second (a `wait_for` a
record, tables/recovery.py:834), which for a million accounts is two and a half minutes.
"""

import argparse
import asyncio
import random
import tempfile
import time
import uuid
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from streams.local_kafka import LocalKafka
from streams.runtime.changelog import MAX_BATCH_BYTES, TOPIC_CONFIG, Changelog, restore
from streams.runtime.outbox import producer_options
from streams.runtime.position import Position
from streams.runtime.store import LocalStore, MemoryStore, RocksStore
from tests.integration.harness import create_topics

REPOSITORY: Final = Path(__file__).parent.parent.parent
PROFILE_BYTES: Final = 520
STEP_KEYS: Final = 3000


async def fill(broker: str, topic: str, accounts: int) -> None:
    """Write a profile for each account to partition 0, in steps."""
    chance = random.Random(1)
    profiles = [chance.randbytes(PROFILE_BYTES) for _ in range(100)]
    options = producer_options({"bootstrap_servers": broker}, batch_bytes=MAX_BATCH_BYTES)
    producer = AIOKafkaProducer(**options)
    await producer.start()
    try:
        changelog, end = Changelog(producer, topic), 0
        for first in range(0, accounts, STEP_KEYS):
            numbers = range(first, min(first + STEP_KEYS, accounts))
            position = Position(lineage="x", at=end, next={})
            changes = {b"account-%09d" % n: profiles[n % 100] for n in numbers}
            end = await changelog.append(0, position, dict(changes))
    finally:
        await producer.stop()


def main() -> None:
    """Fill, restore, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", help="host:port of a Kafka that is there; else one is started")
    parser.add_argument("--accounts", type=int, default=300_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="nightlatch-bench-") as name:
        folder = Path(name)
        local = LocalKafka(folder / "kafka", folder=REPOSITORY / ".nightlatch", heap="1g")
        try:
            broker = options.broker or local.start()
            topic = f"bench-{uuid.uuid4().hex[:6]}"
            create_topics(broker, {topic: 1}, dict(TOPIC_CONFIG))
            asyncio.run(fill(broker, topic, options.accounts))
            stores: dict[str, LocalStore] = {
                "memory": MemoryStore(),
                "rocksdb": RocksStore(folder / "store"),
            }
            for kind, store in stores.items():
                started = time.perf_counter()
                asyncio.run(restore({"bootstrap_servers": broker}, topic, {0: store}))
                seconds = time.perf_counter() - started
                rate = options.accounts / seconds
                print(f"{kind}: {options.accounts:,} accounts in {seconds:.1f} s, {rate:,.0f}/s")
                store.close()
        finally:
            local.stop()


if __name__ == "__main__":
    main()
