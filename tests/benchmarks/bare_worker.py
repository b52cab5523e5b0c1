"""A bare aiokafka loop, the client's limit: `python -m tests.benchmarks.bare_worker JSON`.

Reads the topics in one group, parses, folds the small profile in a dictionary, writes every profile
that changed to the changelog in batches, awaits them, and commits. No order across topics, no
store on disk, nothing that survives a crash half way: what any worker in Python costs at least.
"""

import asyncio
import os
import sys
from typing import Any, Final

import msgspec
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from streams.runtime.outbox import producer_options
from tests.benchmarks.measuring import Stopwatch, Task
from tests.benchmarks.small_profile import learnt

_FETCH_RECORDS: Final = 5000
_BATCH_BYTES: Final = 900_000


async def work(task: Task) -> None:
    """Fold everything, then report."""
    client = {"bootstrap_servers": task.broker}
    producer = AIOKafkaProducer(**producer_options(client, batch_bytes=_BATCH_BYTES))
    consumer = AIOKafkaConsumer(
        *task.topics,
        **client,
        group_id=task.app_id,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await producer.start()
    await consumer.start()
    profiles: dict[bytes, dict[str, Any]] = {}
    left, watch = task.events, Stopwatch()
    while left > 0:
        fetched = await consumer.getmany(timeout_ms=250, max_records=_FETCH_RECORDS)
        if fetched:
            watch.start()
        for tp, records in fetched.items():
            changed: dict[bytes, None] = {}
            for record in records:
                profiles[record.key] = learnt(
                    orjson.loads(record.value), profiles.get(record.key, {})
                )
                changed[record.key] = None
            left -= len(records)
            values = {key: orjson.dumps(profiles[key]) for key in changed}
            await _write(producer, task.changelog, tp.partition, values)
        await consumer.commit()
    watch.report(task.events)
    os._exit(0)


async def _write(
    producer: AIOKafkaProducer, topic: str, partition: int, values: dict[bytes, bytes]
) -> None:
    sent = []
    batch = producer.create_batch()
    for key, value in values.items():
        if batch.append(timestamp=None, key=key, value=value) is None:
            sent.append(await producer.send_batch(batch, topic, partition=partition))
            batch = producer.create_batch()
            batch.append(timestamp=None, key=key, value=value)
    sent.append(await producer.send_batch(batch, topic, partition=partition))
    await asyncio.gather(*sent)


if __name__ == "__main__":
    asyncio.run(work(msgspec.json.decode(sys.argv[1], type=Task)))
