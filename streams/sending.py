"""Events from files into the input topics, keyed by account, at a rate or as fast as it goes.

What is sent is the line as it stands in the file. Records carry the clock's time, not the
event's: Kafka deletes by it (see `streams.topics`).
"""

import time
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from detectors.events import AccountChange, Event, Feedback, Login
from streams.kafka_clients import BrokerTrouble, admin, producer
from streams.settings import Settings, SourceTopic
from streams.topics import SOURCE_TYPES, missing

# Compressed batches cost kafka-python far less: its checksum is computed in Python, by the byte.
_COMPRESSION: Final = "gzip"
_LINGER_MS: Final = 20
_SHORTEST_SLEEP: Final = 0.005


class Outgoing(NamedTuple):
    """A record to send."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: list[tuple[str, bytes | None]]


class Pace:
    """Keeps a rate of so many events a second; None is as fast as it goes."""

    def __init__(self, rate: float | None) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._next = time.monotonic()

    def wait(self) -> None:
        """Return when the next event is due."""
        self._next += self._interval
        ahead = self._next - time.monotonic()
        if ahead > _SHORTEST_SLEEP:
            time.sleep(ahead)


def source_of(event: Event) -> SourceTopic:
    """Return which of the contract's topics an event belongs on."""
    if isinstance(event, Login):
        return "logins"
    if isinstance(event, AccountChange):
        return "account_changes"
    return "feedback" if isinstance(event, Feedback) else "orders"


def send_events(
    settings: Settings, events: Iterable[tuple[Event, bytes]], *, rate: float | None = None
) -> Counter[str]:
    """Send events in their original bytes; return how many went to each topic.

    All are acknowledged when it returns; where reading `events` raises, what was sent before has
    ten more seconds. Raises BrokerTrouble where
    the brokers refuse a record, ConfigurationError where a topic is missing.
    """
    topics = {name: settings.topic(name) for name in SOURCE_TYPES}
    records = (
        Outgoing(topics[source_of(event)], event.account_id.encode(), line, [])
        for event, line in events
    )
    return send_records(settings, records, rate=rate)


def send_records(
    settings: Settings, records: Iterable[Outgoing], *, rate: float | None = None
) -> Counter[str]:
    """Send records to input topics as they are; otherwise as `send_events`."""
    return send_to(settings, [settings.topic(name) for name in SOURCE_TYPES], records, rate=rate)


def send_to(
    settings: Settings,
    topics: list[str],
    records: Iterable[Outgoing],
    *,
    rate: float | None = None,
) -> Counter[str]:
    """Send records to some of `topics` as they are; otherwise as `send_events`."""
    present = _present(settings, topics)
    sent: Counter[str] = Counter()
    failures: list[BaseException] = []
    pace = Pace(rate)
    with producer(settings, linger_ms=_LINGER_MS, compression_type=_COMPRESSION) as client:
        for topic, key, value, headers in records:
            if topic not in present:
                raise missing(settings, topic)
            pace.wait()
            future = client.send(topic, key=key, value=value, headers=headers)
            future.add_errback(failures.append)
            sent[topic] += 1
            if failures:
                break
    if failures:
        raise BrokerTrouble(f"a record was not taken: {failures[0]}")
    return sent


def _present(settings: Settings, names: list[str]) -> set[str]:
    with admin(settings) as client:
        described: list[dict[str, Any]] = client.describe_topics(names)
    return {topic["name"] for topic in described if topic["error_code"] == 0}
