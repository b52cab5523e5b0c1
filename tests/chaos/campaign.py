"""One run: traffic, a fault, and what is left compared event by event with an undisturbed fold."""

import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import orjson

from streams.app import create_app
from streams.configuration import load
from streams.kafka_clients import producer
from streams.local_kafka import LocalKafka, Quorum
from streams.local_kafka.broker import free_port, new_cluster_id
from streams.runtime.outbox import OUTBOX_KEY
from streams.settings import Settings
from streams.topic_administration import create
from tests.chaos import traffic
from tests.chaos.faults import FAULTS, MODULE, Stage
from tests.chaos.supervision import Supervised, supervised
from tests.integration.harness import (
    PATIENCE,
    State,
    committed_everything,
    fold_all,
    last_values,
    read_all,
    wait_for,
)
from tests.integration.product_worker import Options

REPOSITORY: Final = Path(__file__).parents[2]
PARTITIONS: Final = 4
# What a worker may end with: well, what it says of itself, killed, terminated before it listened.
_EXPECTED_EXITS: Final = frozenset({0, 1, -9, -15})


class Report(NamedTuple):
    """What a run amounted to. `differences` are none where the promise was kept."""

    fault: str
    seed: int
    strikes: int
    events: int
    alerts: int
    repeated: int
    letters: int
    exits: int
    seconds: float
    differences: Sequence[str]


def run(fault: str, seed: int, folder: Path, *, seconds: float = 20.0, rate: int = 300) -> Report:
    """Run one campaign with its brokers, workers and files under `folder`.

    `seconds` is about how long the fault goes on, `rate` the events a second meanwhile.
    """
    began = time.monotonic()
    kind = FAULTS[fault]
    with ExitStack() as stack:
        brokers = stack.enter_context(running_brokers(folder, kind.brokers))
        settings = _settings(brokers, folder, seed)
        create(settings)
        options = _options_of(settings, folder)
        workers = stack.enter_context(supervised(MODULE, options, folder, kind.workers))
        with producer(settings) as client:
            for source, key, value in traffic.past():
                client.send(settings.topic(source), key=key, value=value)
        _wait_until_read(settings)
        stage = Stage(random.Random(seed), workers, brokers, options, folder, seconds, [rate], [])
        with _sign_ins(settings, seed, stage.rate):
            strikes = kind.strike(stage)
        _wait_until_read(settings)
        exits, complaints = end_all(workers)
        report = _report(settings, exits, (fault, seed, strikes, time.monotonic() - began))
        return report._replace(differences=[*stage.complaints, *complaints, *report.differences])


def end_all(workers: list[Supervised]) -> tuple[int, list[str]]:
    """End workers in good order; return how often one had ended, and what none should end with."""
    exits = [code for each in workers for code in each.exits]
    for each in workers:
        each.end(cleanly=True)
    return len(exits), [f"exit code {code}" for code in exits if code not in _EXPECTED_EXITS]


def _report(settings: Settings, exits: int, run_: tuple[str, int, int, float]) -> Report:
    fault, seed, strikes, seconds = run_
    broker = settings.broker[0]
    flow = create_app(settings).runtime.options.flows[0]
    expected = fold_all(
        broker, flow.reading.topics, lambda number, state: flow.factory(number, state.get)
    )
    found = {
        name: [r.value or b"" for r in read_all(broker, settings.topic(name))]
        for name in ("alerts", "dead_letters")
    }
    differences: list[str] = []
    for name, values in found.items():
        wanted = set(expected.sent.get(settings.topic(name), ()))
        differences += [f"{name} missing: {v[:200]!r}" for v in wanted - set(values)]
        differences += [f"{name} beyond: {v[:200]!r}" for v in set(values) - wanted]
    told = {(a["alert_id"], a["revision"]) for a in map(orjson.loads, found["alerts"])}
    if len(told) != len(set(found["alerts"])):
        differences.append("two alerts of one id and revision")
    differences += state_differences(broker, flow.changelog, expected.state)
    if not committed_everything(broker, settings.app_id, flow.reading.topics):
        differences.append("a lag is left")
    return Report(
        fault=fault,
        seed=seed,
        strikes=strikes,
        events=expected.records,
        alerts=len(told),
        repeated=len(found["alerts"]) - len(told),
        letters=len(set(found["dead_letters"])),
        exits=exits,
        seconds=seconds,
        differences=differences,
    )


def state_differences(broker: str, changelog: str, expected: State) -> list[str]:
    """Return which keys of a flow's state are not, to the byte, what is expected."""
    state = last_values(broker, changelog)
    differences: list[str] = []
    for number, keys in expected.items():
        stored = {k: v for k, v in state.get(number, {}).items() if k != OUTBOX_KEY}
        differences += [
            f"state of {key!r} in partition {number} is {stored.get(key)!r:.80}, "
            f"not {keys.get(key)!r:.80}"
            for key in keys | stored
            if keys.get(key) != stored.get(key)
        ]
    return differences


def _settings(brokers: list[LocalKafka], folder: Path, seed: int) -> Settings:
    chosen: dict[str, Any] = {
        "broker": ",".join(str(broker.status().bootstrap) for broker in brokers),
        "app_id": f"chaos-{seed}-{uuid.uuid4().hex[:6]}",
        "partitions": str(PARTITIONS),
        "replication_factor": str(len(brokers)),
        "data_dir": str(folder / "data"),
        "chunk_records": "50",
        "flush_seconds": "0.05",
        "dead_letter_limit": "1",
        "give_up_seconds": "20",
        # What accounts tell of one another depends on timing (see `gangs`).
        "heat": "false",
    }
    return load(environ={}, overrides=chosen).settings


def _options_of(settings: Settings, folder: Path) -> Any:
    names = (
        "app_id",
        "partitions",
        "chunk_records",
        "flush_seconds",
        "dead_letter_limit",
        "give_up_seconds",
        "heat",
    )
    shared = {name: str(getattr(settings, name)) for name in names}
    shared["broker"] = ",".join(settings.broker)

    def options(number: int) -> Options:
        own = {"data_dir": str(folder / f"data-{number}")}
        return Options(settings={**shared, **own}, clock=str(folder / "clock"))

    return options


def _wait_until_read(settings: Settings) -> None:
    topics = [settings.topic(n) for n in ("logins", "orders", "account_changes", "feedback")]
    wait_for(
        lambda: committed_everything(settings.broker[0], settings.app_id, topics),
        "everything to be read",
        seconds=3 * PATIENCE,
    )


@contextmanager
def _sign_ins(settings: Settings, seed: int, rate: list[int]) -> Iterator[None]:
    """Send sign-ins for as long as the context lasts. Each is in the log once, in order.

    `rate` holds how many a second, and may be changed meanwhile.
    """
    ended = threading.Event()

    def send_on() -> None:
        records = traffic.sign_ins(seed)
        with producer(settings, request_timeout_ms=60_000, delivery_timeout_ms=120_000) as client:
            while not ended.wait(0.1):
                for key, value in islice(records, rate[0] // 10):
                    client.send(settings.topic("logins"), key=key, value=value)

    with on_a_thread(send_on, ended):
        yield


@contextmanager
def on_a_thread(send: Callable[[], None], ended: threading.Event) -> Iterator[None]:
    """Send on a thread of its own, which is told by `ended` when the context does; then wait."""
    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        try:
            yield
        finally:
            ended.set()
        sending.result()


@contextmanager
def running_brokers(folder: Path, count: int) -> Iterator[list[LocalKafka]]:
    """Run a broker, or a cluster of several."""
    quorum = None
    if count > 1:
        ports: set[int] = set()
        while len(ports) < count:
            ports.add(free_port())
        quorum = Quorum(new_cluster_id(), dict(enumerate(sorted(ports), start=1)))
    brokers = [
        LocalKafka(
            folder / f"kafka-{number}",
            folder=REPOSITORY / ".nightlatch",
            node_id=number,
            heap="512m" if count == 1 else "320m",
            quorum=quorum,
        )
        for number in range(1, count + 1)
    ]
    try:
        with ThreadPoolExecutor(count) as pool:
            list(pool.map(LocalKafka.start, brokers))
        yield brokers
    finally:
        for broker in brokers:
            broker.kill()


def as_json(report: Report) -> bytes:
    """Return a report as one line."""
    return msgspec.json.encode(report._asdict())
