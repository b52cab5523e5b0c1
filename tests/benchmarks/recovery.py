"""How fast a lost store comes back: `python -m tests.benchmarks.recovery`.

Writes a changelog of many accounts, as large as a profile commonly is, restores it into an empty
store, and once more into the store that is then there, as after a restart. For comparison: Faust
0.15.3 restores about 6,500 records a second (a `wait_for` a record, tables/recovery.py:834), which
for a million accounts is two and a half minutes.
"""

import argparse
import asyncio
import logging
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiokafka import AIOKafkaProducer

from streams.local_kafka import LocalKafka
from streams.runtime.changelog import MAX_BATCH_BYTES, TOPIC_CONFIG, Changelog, Restoring, restore
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


def measure(
    what: str, opened: Callable[[], LocalStore], broker: str, topic: str, accounts: int
) -> None:
    """Open a store, bring it up to the end, and print how long that took."""
    wall, cpu, restoring = time.perf_counter(), time.process_time(), Restoring()
    store = opened()
    asyncio.run(restore({"bootstrap_servers": broker}, topic, {0: store}, restoring))
    seconds, cpu_seconds = time.perf_counter() - wall, time.process_time() - cpu
    if store.get(b"account-%09d" % (accounts - 1)) is None:
        raise SystemExit(f"{what}: the last account is missing")
    store.close()
    print(
        f"{what}: {restoring.records:,} records for {accounts:,} accounts in {seconds:.1f} s "
        f"({cpu_seconds:.1f} s of CPU)",
        flush=True,
    )


def main() -> None:
    """Fill, restore, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", help="host:port of a Kafka that is there; else one is started")
    parser.add_argument("--accounts", type=int, default=1_000_000)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("streams.runtime.changelog").setLevel("INFO")
    with tempfile.TemporaryDirectory(prefix="nightlatch-bench-") as name:
        folder = Path(name)
        local = LocalKafka(folder / "kafka", folder=REPOSITORY / ".nightlatch", heap="1g")
        try:
            broker = options.broker or local.start()
            topic = f"bench-{uuid.uuid4().hex[:6]}"
            create_topics(broker, {topic: 1}, dict(TOPIC_CONFIG))
            asyncio.run(fill(broker, topic, options.accounts))
            for what, opened in (
                ("into memory", MemoryStore),
                ("into RocksDB", lambda: RocksStore(folder / "store")),
                ("again, RocksDB being there", lambda: RocksStore(folder / "store")),
            ):
                measure(what, opened, broker, topic, options.accounts)
        finally:
            local.stop()


if __name__ == "__main__":
    main()
