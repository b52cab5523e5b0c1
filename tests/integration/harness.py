"""What integration tests need around a worker: topics, records, processes, and an oracle."""

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

from streams.runtime.changelog import TOPIC_CONFIG
from streams.runtime.interfaces import Processor, Record
from streams.runtime.merge import PartitionMerge
from streams.runtime.numbering import sender_of
from streams.runtime.position import POSITION_KEY, decode_position
from tests.integration.counting_worker import Options

REPOSITORY = Path(__file__).parent.parent.parent
PATIENCE = 60.0
TOLD_PARTITIONS = 2

State = dict[int, dict[bytes, bytes]]


class Sent(NamedTuple):
    """A record to send, at a time of its own (UTC epoch seconds)."""

    topic: str
    key: bytes | None
    value: bytes | None
    time: float | None = None


class Shop:
    """A test's own topics on a broker."""

    def __init__(self, broker: str, prefix: str, *, partitions: int = 3) -> None:
        self.broker = broker
        self.partitions = partitions
        self.app_id = f"{prefix}app"
        self.sources = [f"{prefix}logins", f"{prefix}orders"]
        self.alerts = f"{prefix}alerts"
        self.changelog = f"{self.app_id}-state-changelog"
        self.told = f"{self.app_id}-told"
        self.told_changelog = f"{self.app_id}-told-changelog"

    def create(self) -> None:
        """Make the topics; the sources keep the time that a record is sent with."""
        create_topics(self.broker, dict.fromkeys([*self.sources, self.alerts], self.partitions), {})
        create_topics(self.broker, {self.told: TOLD_PARTITIONS}, {})
        changelogs = {self.changelog: self.partitions, self.told_changelog: TOLD_PARTITIONS}
        create_topics(self.broker, changelogs, dict(TOPIC_CONFIG))

    def options(self, data_dir: Path, **options: Any) -> Options:
        """Return a worker's options."""
        return Options(
            broker=self.broker,
            app_id=self.app_id,
            topics=self.sources,
            alerts=self.alerts,
            partitions=self.partitions,
            told_partitions=TOLD_PARTITIONS,
            data_dir=str(data_dir),
            **options,
        )

    def wait_until_read(self, *topics: str, seconds: float = PATIENCE) -> None:
        """Return once the group has committed everything that is in topics, else the sources."""
        wait_for(
            lambda: committed_everything(self.broker, self.app_id, topics or self.sources),
            "the group to read everything",
            seconds=seconds,
        )

    def state(self) -> State:
        """Return the changelog's last values, by partition, without the positions."""
        return last_values(self.broker, self.changelog)

    def alerted(self) -> list[bytes]:
        """Return the values of all alerts, repeats included."""
        return [record.value or b"" for record in read_all(self.broker, self.alerts)]


class Expected(NamedTuple):
    """What an undisturbed run would leave behind."""

    state: State
    alerts: set[bytes]


class Folded(NamedTuple):
    """What folding some topics gives: state by partition, messages by topic, records in all."""

    state: State
    sent: dict[str, list[bytes]]
    records: int


def oracle(
    broker: str, topics: Sequence[str], factory: Callable[[int, dict[bytes, bytes]], Processor]
) -> Expected:
    """Fold the source topics offline; all that is sent counts as an alert."""
    folded = fold_all(broker, topics, factory)
    return Expected(folded.state, {value for values in folded.sent.values() for value in values})


def fold_all(
    broker: str, topics: Sequence[str], factory: Callable[[int, dict[bytes, bytes]], Processor]
) -> Folded:
    """Fold topics offline, each partition in one run, as they stand."""
    records: dict[int, dict[str, list[Record]]] = {}
    for topic in topics:
        for record in read_all(broker, topic):
            by_topic = records.setdefault(record.partition, {t: [] for t in topics})
            by_topic[topic].append(record)
    state: State = {}
    sent: dict[str, list[bytes]] = {}
    for partition, by_topic in records.items():
        processor = factory(partition, {})
        merge = PartitionMerge(topics, processor.prepare)
        for topic, found in by_topic.items():
            merge.add(topic, told_once(found))
        for message in processor.fold(merge.take(10**9, topics).records):
            sent.setdefault(message.topic, []).append(message.value or b"")
        changes = processor.changes()
        state[partition] = {key: value for key, value in changes.items() if value is not None}
    count = sum(len(found) for by_topic in records.values() for found in by_topic.values())
    return Folded(state, sent, count)


def told_once(records: Iterable[Record]) -> Iterator[Record]:
    """Leave out what a crash had one flow tell another again (`streams.runtime.numbering`)."""
    heard: dict[tuple[str, int], int] = {}
    for record in records:
        sender = sender_of(record)
        if sender is not None:
            at = sender.flow, sender.partition
            if sender.number < heard.get(at, 0):
                continue
            heard[at] = sender.number + 1
        yield record


class Worker:
    """A worker in a process of its own. Its log goes to `log`."""

    def __init__(self, module: str, options: msgspec.Struct, log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", module, msgspec.json.encode(options).decode()],
                cwd=REPOSITORY,
                stdout=output,
                stderr=output,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )

    def kill(self) -> None:
        """End the process as a loss of power would."""
        self.process.kill()
        self.process.wait(10)

    def freeze(self) -> None:
        """Stop the process where it stands, as a suspended machine would."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self.process.send_signal(signal.SIGCONT)

    def stop(self) -> int:
        """End the process as an operator would; return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def wait(self, seconds: float = PATIENCE) -> int:
        """Return the exit code of a process that ends by itself."""
        return self.process.wait(seconds)

    def wait_until_ready(self, times: int = 1) -> None:
        """Return once the worker has said so many times that it is ready to read."""
        self.wait_until(
            lambda: self.output().count("Ready: partitions") >= times, f"be ready {times} times"
        )

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Return once a condition holds; fail as soon as the process has ended."""

        def holds() -> object:
            assert self.process.poll() is None, self.output()
            return condition()

        wait_for(holds, f"{self.log.name} to {what}")

    def output(self) -> str:
        """Return what the process has written so far."""
        return self.log.read_text()


@contextmanager
def worker(
    options: msgspec.Struct, log: Path, *, module: str = "tests.integration.counting_worker"
) -> Iterator[Worker]:
    """Run a worker for as long as the context lasts; nothing is left of it afterwards."""
    running = Worker(module, options, log)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            running.kill()


def wait_for(
    condition: Callable[[], object], what: str, *, seconds: float = PATIENCE, step: float = 0.05
) -> None:
    """Return once a condition holds; fail, saying what was waited for, after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(step)


def create_topics(broker: str, partitions: dict[str, int], config: dict[str, str]) -> None:
    """Make topics and wait until they can be used."""
    admin = KafkaAdminClient(bootstrap_servers=broker)
    try:
        admin.create_topics(
            {
                name: {"num_partitions": count, "replication_factor": 1, "configs": config}
                for name, count in partitions.items()
            }
        )
        admin.wait_for_topics(list(partitions), timeout_ms=30_000)
    finally:
        admin.close()


def send(broker: str, records: Iterable[Sent]) -> None:
    """Send records, and return once the broker has them."""
    producer = KafkaProducer(bootstrap_servers=broker, acks="all", linger_ms=20)
    try:
        for record in records:
            timestamp = None if record.time is None else int(record.time * 1000)
            producer.send(record.topic, key=record.key, value=record.value, timestamp_ms=timestamp)
    finally:
        producer.flush()
        producer.close()


@contextmanager
def sending(broker: str, records: Iterator[Sent], *, rate: float) -> Iterator[None]:
    """Send records, so many a second, for as long as the context lasts."""
    ended = threading.Event()

    def work() -> None:
        while not ended.wait(0.1):
            send(broker, itertools.islice(records, int(rate / 10)))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@contextmanager
def consumer(broker: str, **options: Any) -> Iterator[Any]:
    """Give a consumer that commits nothing."""
    client = KafkaConsumer(bootstrap_servers=broker, enable_auto_commit=False, **options)
    try:
        yield client
    finally:
        client.close()


def committed_everything(broker: str, group: str, topics: Sequence[str]) -> bool:
    """Whether a group has committed the ends of topics."""
    with consumer(broker, group_id=group) as client:
        tps = [TopicPartition(t, p) for t in topics for p in client.partitions_for_topic(t)]
        ends = client.end_offsets(tps)
        return all(ends[tp] == (client.committed(tp) or 0) for tp in tps)


def last_values(broker: str, topic: str) -> State:
    """Return a changelog's last values, by partition, without the positions.

    A void step counts for nothing, as for any reader: an owner who had been replaced wrote it. It
    may well be the last, where nothing has happened since that its keys would be put right with.
    """
    latest: State = {}
    void: dict[int, bool] = {}
    for record in read_all(broker, topic):
        if record.key == POSITION_KEY:
            void[record.partition] = decode_position(record.value).at != record.offset
        elif void[record.partition]:
            continue
        elif record.value is None:
            latest.setdefault(record.partition, {}).pop(record.key or b"", None)
        else:
            latest.setdefault(record.partition, {})[record.key or b""] = record.value
    return latest


def read_all(broker: str, topic: str) -> list[Record]:
    """Return everything that is in a topic, each partition in its order."""
    found: list[Record] = []
    with consumer(broker, fetch_max_wait_ms=50, isolation_level="read_committed") as client:
        tps = [TopicPartition(topic, p) for p in client.partitions_for_topic(topic)]
        client.assign(tps)
        ends = client.end_offsets(tps)
        client.seek_to_beginning(*tps)
        while any(client.position(tp) < ends[tp] for tp in tps):
            for tp, records in client.poll(timeout_ms=200).items():
                found += [
                    Record(
                        topic,
                        tp.partition,
                        r.offset,
                        r.timestamp / 1000,
                        r.key,
                        r.value,
                        tuple(r.headers),
                    )
                    for r in records
                ]
    return found
