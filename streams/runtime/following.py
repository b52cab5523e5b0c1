"""A table that every worker has whole: a compacted topic, read from its beginning and followed.

It has no part in any partition's state: what is folded sees it as it is at that moment, and waits
for it only once, when the worker starts.

Why not Faust's GlobalTable: it is a table whose changelog the assignor gives to every member as a
standby, restored and followed by Faust's recovery, a `wait_for` a record, through the conductor's
queues. That is the recovery which loses records when partitions change hands (mends 3, 4 and 12)
and which takes no part in this runtime. A consumer of its own outside the group has no partitions
that could change hands, so a rebalance neither stops it nor makes it read anything again.
"""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import ConsumerStoppedError

from streams.runtime.options import Followed
from streams.runtime.transport import record_of

_log: Final = logging.getLogger(__name__)
_PATIENCE_SECONDS: Final = 20.0
_POLL_MS: Final = 1000
_FETCH_RECORDS: Final = 1000


class Follower:
    """Reads one topic whole. `client` are aiokafka's connection arguments."""

    def __init__(self, client: Mapping[str, Any], followed: Followed) -> None:
        self.topic = followed.topic
        self._take = followed.take
        self._partitions = [TopicPartition(followed.topic, n) for n in range(followed.partitions)]
        self._consumer = AIOKafkaConsumer(
            **client, enable_auto_commit=False, auto_offset_reset="earliest"
        )

    async def start(self) -> None:
        """Read what is there by now; after some seconds the rest is left to `follow`."""
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await self._read_to_the_end()
        except TimeoutError:
            _log.warning("%s is not read to its end yet: going on without", self.topic)

    async def follow(self) -> None:
        """Take what comes, until the connection is closed."""
        with suppress(ConsumerStoppedError):
            while True:
                await self._read()

    async def stop(self) -> None:
        """Close the connection."""
        await self._consumer.stop()

    async def _read_to_the_end(self) -> None:
        ends = await self._consumer.end_offsets(self._partitions)
        await self._consumer.seek_to_beginning(*self._partitions)
        for partition, end in ends.items():
            while await self._consumer.position(partition) < end:
                await self._read()

    async def _read(self) -> None:
        fetched = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_FETCH_RECORDS)
        for records in fetched.values():
            for found in records:
                self._take(record_of(found))
