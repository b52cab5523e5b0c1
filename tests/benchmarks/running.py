"""Workers run as an operator runs them, what is sent to them, and what they have written."""

import os
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.error import URLError

import orjson
from confluent_kafka import Consumer, Producer, TopicPartition

from detectors.events import Event
from streams.codec import decode
from streams.configuration import load
from streams.sending import source_of
from streams.settings import Settings
from streams.topics import flows
from tests.benchmarks.traffic import REPOSITORY, Traffic, environment

PATIENCE: Final = 120.0
Line = tuple[Event, bytes]
"""An event, and the line of a file that it was read from."""
_TICK_SECONDS: Final = 0.005


class Outgoing(NamedTuple):
    """A record to send."""

    topic: str
    key: bytes
    value: bytes
    event_id: str


def settings_of(own: dict[str, str]) -> Settings:
    """Return a worker's settings, as its environment has them."""
    return load(overrides=own).settings


def in_order(traffic: Traffic) -> list[Line]:
    """Return traffic's events with their lines by their own time, as a live shop has them."""
    lines = traffic.file.read_bytes().splitlines()
    events = (decode(line, type_=None, timestamp=None, fallback_id="none") for line in lines)
    return sorted(zip(events, lines, strict=True), key=lambda pair: pair[0].occurred_at)


def outgoing(events: Iterable[Line], settings: Settings) -> Iterator[Outgoing]:
    """Yield events' records for the topics of an installation."""
    for event, line in events:
        topic = settings.topic(source_of(event))
        yield Outgoing(topic, event.account_id.encode(), line, event.event_id)


class Running(NamedTuple):
    """A worker that is ready, the page it answers on, and the seconds it took."""

    process: subprocess.Popen[bytes]
    page: str
    seconds: float

    def figures(self) -> dict[str, float]:
        """Return what it says of itself (docs/health.md), as `name{label=value}`."""
        with urllib.request.urlopen(f"{self.page}/metrics", timeout=5) as answer:  # noqa: S310 - our own worker's
            lines = answer.read().decode().splitlines()
        pairs = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
        return {name: float(value) for name, value in pairs}


@contextmanager
def worker(own: dict[str, str], path: Path | None) -> Iterator[Running]:
    """Run a worker while the context lasts; `path` is a compiled wheel's."""
    paths = [str(path)] if path is not None else []
    page = f"http://127.0.0.1:{own['web_port']}"
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "streams", "worker"],
        cwd=REPOSITORY,
        env={
            **os.environ,
            **environment(own),
            "PYTHONPATH": os.pathsep.join([*paths, str(REPOSITORY)]),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"{page}/health/ready"):
            if process.poll() is not None or time.monotonic() - began > PATIENCE:
                raise RuntimeError(f"the worker is not ready; its exit code is {process.poll()}")
            time.sleep(0.02)
        yield Running(process, page, time.monotonic() - began)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - a page of our own worker
            return True
    except (URLError, OSError):
        return False


def send(broker: str, records: list[Outgoing], *, rate: float | None) -> None:
    """Send records, so many a second; None: as fast as they go. Return once all have arrived."""
    producer = Producer(
        {
            "bootstrap.servers": broker,
            "partitioner": "murmur2_random",
            "linger.ms": 2,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    began, sent = time.monotonic(), 0
    while sent < len(records):
        due = len(records) if rate is None else int((time.monotonic() - began) * rate)
        for record in records[sent:due]:
            producer.produce(record.topic, record.value, record.key)
        sent = min(max(due, sent), len(records))
        producer.poll(0)
        time.sleep(_TICK_SECONDS)
    producer.flush()


def wait_until_read(broker: str, settings: Settings, *, every: float = 0.05) -> None:
    """Return once the group has committed all that the flows read, also from one another.

    Right behind the events, what accounts have in common is still being counted, and the worker
    is no more at rest than before. Asked `every` so many seconds.
    """
    consumer = Consumer({"bootstrap.servers": broker, "group.id": settings.app_id})
    partitions = [
        TopicPartition(topic, number)
        for flow in flows(settings).values()
        for topic in flow.read
        for number in range(flow.partitions)
    ]
    until = time.monotonic() + PATIENCE
    try:
        while any(_behind(consumer, tp) for tp in consumer.committed(partitions)):
            if time.monotonic() > until:
                raise RuntimeError("the worker has not read everything")
            time.sleep(every)
    finally:
        consumer.close()


def _behind(consumer: Consumer, committed: TopicPartition) -> bool:
    end: int = consumer.get_watermark_offsets(committed)[1]
    return int(committed.offset) < end and end > 0


def read_json(broker: str, topic: str, partitions: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield a topic's values with their times, partition by partition."""
    for value, at in read_bytes(broker, topic, partitions):
        yield orjson.loads(value), at


def read_bytes(broker: str, topic: str, partitions: int) -> Iterator[tuple[bytes, int]]:
    """Yield a topic's values with their times (milliseconds), partition by partition."""
    group = f"reader-{uuid.uuid4().hex[:6]}"
    consumer = Consumer({"bootstrap.servers": broker, "group.id": group})
    try:
        for number in range(partitions):
            tp = TopicPartition(topic, number, 0)
            end = consumer.get_watermark_offsets(tp)[1]
            consumer.assign([tp])
            offset = 0
            while offset < end:
                # Asked for more than there is, it would wait for it.
                for message in consumer.consume(min(end - offset, 5000), timeout=5.0):
                    offset = message.offset() + 1
                    yield message.value(), message.timestamp()[1]
    finally:
        consumer.close()
