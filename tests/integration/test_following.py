"""What every worker reads whole: all of it before anything else, and whatever comes."""

import asyncio

import pytest

from streams.runtime.following import Follower
from streams.runtime.interfaces import Record
from streams.runtime.options import Followed
from tests.integration.harness import Sent, create_topics, send, wait_for

pytestmark = pytest.mark.kafka


def test_a_followed_topic_is_read_whole_and_on(kafka: str, topic_prefix: str) -> None:
    """All partitions from their beginning when it starts, then what is written, until it ends."""
    topic = f"{topic_prefix}table"
    create_topics(kafka, {topic: 3}, {"cleanup.policy": "compact"})
    keys = [b"key-%d" % number for number in range(2500)]
    send(kafka, [Sent(topic, key, b"first") for key in keys])
    table: dict[bytes | None, bytes | None] = {}

    def take(record: Record) -> None:
        table[record.key] = record.value

    async def scenario() -> None:
        follower = Follower({"bootstrap_servers": kafka}, Followed(topic, 3, take))
        await follower.start()
        assert table == dict.fromkeys(keys, b"first")
        following = asyncio.ensure_future(follower.follow())
        news = [Sent(topic, key, b"second") for key in keys[:100]]
        await asyncio.to_thread(send, kafka, [*news, Sent(topic, keys[0], None)])
        await asyncio.to_thread(
            wait_for,
            lambda: table[keys[99]] == b"second" and table[keys[0]] is None,
            "the news to be taken",
        )
        await follower.stop()
        await following

    asyncio.run(scenario())
