"""From a record's append to its alert's append, at a steady rate, by the broker's own clock.

The worker is the command, as an operator runs it. Half of the traffic teaches it; then the rest
is sent at the rate, and both ends are read back: sources and, here, `alerts` carry the time at
which the broker appended them. An alert's revision is timed from the latest of the events that it
stands on for the first time. One that stands on no new event (a campaign's) is not timed, nor one
that a notice from the other flows gave rise to: a first victim's event was let pass, and came to
be alerted when the attack it was part of was known, which is no delay of the worker's. Sender,
broker and worker share the machine.
"""

import math
import os
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.error import URLError

import msgspec
import numpy as np
import orjson
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from detectors.heat import Reassessment, decode_notice
from streams.codec import decode
from streams.configuration import load
from streams.sending import source_of
from streams.settings import Settings
from streams.topic_administration import create
from streams.topics import SOURCE_TYPES, flows, own_topics
from tests.benchmarks.traffic import REPOSITORY, Traffic, environment

_PARTITIONS: Final = 4
_PATIENCE: Final = 120.0
_TICK_SECONDS: Final = 0.005
_BUDGET: Final = "0.02"
"""Of account-days that may alert: seven times the default, so that one in a hundred can be told."""


class Delays(msgspec.Struct, kw_only=True):
    """Milliseconds from append to append, over `alerts` revisions, at `rate` events a second."""

    load: float
    rate: float
    sent: int
    alerts: int
    p50: float
    p99: float
    most: float
    behind_seconds: float
    ready_seconds: float
    warm_seconds: float


class Outgoing(NamedTuple):
    """A record to send."""

    topic: str
    key: bytes
    value: bytes
    event_id: str


def delays(
    broker: str,
    folder: Path,
    traffic: Traffic,
    *,
    rate: float,
    load: float,
    seconds: float,
    path: Path | None,
) -> Delays:
    """Measure at `rate`, which is `load` of what is sustainable; `path` is a compiled wheel's."""
    name = f"delay-{uuid.uuid4().hex[:6]}-"
    own = {"broker": broker, "topic_prefix": name, "app_id": f"{name}app"}
    own |= {"partitions": str(_PARTITIONS), "lookups": str(traffic.lookups)}
    own["detection_alert_budget"] = _BUDGET
    own |= {"data_dir": str(folder / name), "web_port": str(_free_port())}
    settings = _settings(own)
    create(settings)
    _keep_append_time(broker, settings.topic("alerts"))
    records = _outgoing(traffic, settings)
    lessons = list(islice(records, traffic.events // 2))
    paced = list(islice(records, int(rate * seconds)))
    with _worker(own, path) as ready_seconds:
        _send(broker, lessons, rate=None)
        _wait_until_read(broker, settings)
        began = time.monotonic()
        _send(broker, paced, rate=rate)
        sending = time.monotonic() - began
        _wait_until_read(broker, settings)
        behind = time.monotonic() - began - sending
    with _worker(own, path) as warm_seconds:
        pass
    took = _took(broker, settings, {record.event_id for record in paced})
    return Delays(
        load=load,
        rate=round(len(paced) / sending, 1),
        sent=len(paced),
        alerts=len(took),
        p50=round(float(np.percentile(took, 50)), 1),
        p99=round(float(np.percentile(took, 99)), 1),
        most=round(max(took), 1),
        behind_seconds=round(behind, 2),
        ready_seconds=round(ready_seconds, 2),
        warm_seconds=round(warm_seconds, 2),
    )


def _settings(own: dict[str, str]) -> Settings:
    return load(overrides=own).settings


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def _keep_append_time(broker: str, topic: str) -> None:
    entry = ConfigEntry(
        "message.timestamp.type", "LogAppendTime", incremental_operation=AlterConfigOpType.SET
    )
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": broker})
    for done in admin.incremental_alter_configs([resource]).values():
        done.result(_PATIENCE)


def _outgoing(traffic: Traffic, settings: Settings) -> Iterator[Outgoing]:
    lines = traffic.file.read_bytes().splitlines()
    events = [decode(line, type_=None, timestamp=None, fallback_id="none") for line in lines]
    # The file may be in no order of time; a live shop's is.
    for at in sorted(range(len(events)), key=lambda at: events[at].occurred_at):
        event = events[at]
        topic = settings.topic(source_of(event))
        yield Outgoing(topic, event.account_id.encode(), lines[at], event.event_id)


@contextmanager
def _worker(own: dict[str, str], path: Path | None) -> Iterator[float]:
    """Run a worker; yield the seconds it took to be ready."""
    paths = [str(path)] if path is not None else []
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
        while not _answers(f"http://127.0.0.1:{own['web_port']}/health/ready"):
            if process.poll() is not None or time.monotonic() - began > _PATIENCE:
                raise RuntimeError(f"the worker is not ready; its exit code is {process.poll()}")
            time.sleep(0.02)
        yield time.monotonic() - began
    finally:
        process.terminate()
        process.wait(_PATIENCE)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1):  # noqa: S310 - a page of our own worker
            return True
    except (URLError, OSError):
        return False


def _send(broker: str, records: list[Outgoing], *, rate: float | None) -> None:
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


def _wait_until_read(broker: str, settings: Settings) -> None:
    """Return once the group has committed all that the flows read, also from one another.

    Right behind the events, what accounts have in common is still being counted, and the worker
    is no more at rest than before.
    """
    consumer = Consumer({"bootstrap.servers": broker, "group.id": settings.app_id})
    partitions = [
        TopicPartition(topic, number)
        for flow in flows(settings).values()
        for topic in flow.read
        for number in range(flow.partitions)
    ]
    until = time.monotonic() + _PATIENCE
    try:
        while any(_behind(consumer, tp) for tp in consumer.committed(partitions)):
            if time.monotonic() > until:
                raise RuntimeError("the worker has not read everything")
            time.sleep(0.05)
    finally:
        consumer.close()


def _behind(consumer: Consumer, committed: TopicPartition) -> bool:
    end: int = consumer.get_watermark_offsets(committed)[1]
    return int(committed.offset) < end and end > 0


def _took(broker: str, settings: Settings, paced: set[str]) -> list[float]:
    """Return the milliseconds of every revision that one of the paced events gave rise to."""
    appended: dict[str, int] = {}
    for name in SOURCE_TYPES:
        for value, at in _read(broker, settings.topic(name), settings.partitions):
            event_id = value["event_id"]
            if event_id in paced:
                appended.setdefault(event_id, at)
    noticed = _noticed(broker, settings)
    took, known = [], set[str]()
    for alert, at in _read(broker, settings.topic("alerts"), settings.partitions):
        new = [event_id for event_id in alert["event_ids"] if event_id not in known]
        known.update(new)
        # An event that is told of again after its alert is out is another matter.
        told = noticed.get(new[-1], math.inf) if new else math.inf
        if new and new[-1] in appended and at < told:
            took.append(float(at - appended[new[-1]]))
    return took


def _noticed(broker: str, settings: Settings) -> dict[str, int]:
    """Return by event when the others told of it that an attack had entered through it."""
    noticed: dict[str, int] = {}
    topic = own_topics(settings).reassessments
    for value, at in _read_bytes(broker, topic, settings.partitions):
        notice = decode_notice(value)
        if isinstance(notice, Reassessment):
            noticed.setdefault(notice.entry.event_id, at)
    return noticed


def _read(broker: str, topic: str, partitions: int) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield a topic's values with their times, partition by partition."""
    for value, at in _read_bytes(broker, topic, partitions):
        yield orjson.loads(value), at


def _read_bytes(broker: str, topic: str, partitions: int) -> Iterator[tuple[bytes, int]]:
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
