"""Sends a story's events, and reads what the worker made of them."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import orjson
from kafka import TopicPartition
from kafka.errors import RetriableError

from detectors.assessments import Alert
from detectors.simulation import SimulatedEvent
from streams.codec import decode_alert
from streams.demonstration.installation import Installation
from streams.sending import Outgoing, send_records
from streams.settings import Settings
from streams.tailing import ANSWER_MS, Overdue, reached
from streams.topics import SOURCE_TYPES

_POLL_MS: Final = 100
_LOOK_EVERY: Final = 0.4
_TOPIC_OF: Final = {kind: topic for topic, kind in SOURCE_TYPES.items()}


class Progress(NamedTuple):
    """How far a part of the story is: events sent, and events that the worker is through with."""

    sent: int
    done: int
    total: int


OnAlert = Callable[[Alert, float | None], None]
OnProgress = Callable[[Progress], None]


class Player:
    """Plays parts of a story, one after the other, into an installation.

    `check` is called twice a second or more: it may raise to end the play.
    """

    def __init__(
        self, installation: Installation, clients: "Clients", check: Callable[[], None]
    ) -> None:
        self._installation = installation
        self._clients = clients
        self._check = check
        self._sent_at: dict[str, float] = {}
        self._sent = 0
        self._stop = threading.Event()

    def play(
        self,
        events: Sequence[SimulatedEvent],
        *,
        seconds: float,
        on_alert: OnAlert,
        on_progress: OnProgress,
    ) -> None:
        """Send events over so many seconds (0: as fast as it goes) and wait for the worker.

        Returns when the worker is through with the last of them and every alert they led to has
        been given to `on_alert`, with its latency. Raises WorkerEnded and BrokerTrouble.
        """
        records = self._records(self._paced(events, seconds))
        before, done, self._sent = self._clients.folded(), 0, 0
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send_records, self._installation.settings, records)
            try:
                while not sending.done() or done < self._sent:
                    done = self._clients.folded() - before
                    self._read_alerts(_LOOK_EVERY, on_alert)
                    on_progress(Progress(self._sent, done, len(events)))
                    self._installation.check()
                    self._check()
                sending.result()
            finally:
                self._stop.set()
        self._stop.clear()
        # Alerts are acknowledged before the events they are about count as done.
        self._clients.alerts_to_end(lambda alert: on_alert(alert, self._latency(alert)))

    def _read_alerts(self, seconds: float, on_alert: OnAlert) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for alert in self._clients.alerts():
                on_alert(alert, self._latency(alert))

    def _latency(self, alert: Alert) -> float | None:
        sent = [self._sent_at[e] for e in alert.event_ids if e in self._sent_at]
        return time.monotonic() - max(sent) if sent else None

    def _paced(self, events: Sequence[SimulatedEvent], seconds: float) -> Iterator[SimulatedEvent]:
        """Yield events at the pace of their own times, made to fit."""
        first, last = events[0].time, events[-1].time
        scale = seconds / (last - first) if last > first else 0.0
        began = time.monotonic()
        for event in events:
            wait = began + (event.time - first) * scale - time.monotonic()
            if self._stop.wait(wait) if wait > 0 else self._stop.is_set():
                return
            yield event

    def _records(self, events: Iterable[SimulatedEvent]) -> Iterator[Outgoing]:
        settings = self._installation.settings
        topics = {kind: settings.topic(topic) for kind, topic in _TOPIC_OF.items()}
        for simulated in events:
            event = simulated.event
            self._sent_at[event["event_id"]] = time.monotonic()
            self._sent += 1
            key = event["account_id"].encode()
            yield Outgoing(topics[event["type"]], key, orjson.dumps(event), [])


class Clients:
    """The outside's two views of a worker: how far its group is, and its alerts."""

    def __init__(self, settings: Settings, administration: Any, reader: Any) -> None:
        self._group = settings.app_id
        self._folded = 0
        self._administration, self._reader = administration, reader
        topic = settings.topic("alerts")
        self._alerts = [TopicPartition(topic, n) for n in reader.partitions_for_topic(topic)]
        reader.assign(self._alerts)
        reader.seek_to_beginning(*self._alerts)

    def folded(self) -> int:
        """Events that the worker is through with: all that it has committed."""
        try:
            offsets = self._administration.list_group_offsets(self._group)[self._group]
        except RetriableError:
            return self._folded  # a broker makes room for its first group
        self._folded = sum(max(0, committed.offset) for committed in offsets.values())
        return self._folded

    def alerts(self) -> Iterator[Alert]:
        """Alerts that came since the last call, or come within a tenth of a second."""
        for records in self._reader.poll(timeout_ms=_POLL_MS).values():
            for record in records:
                yield decode_alert(record.value)

    def alerts_to_end(self, give: Callable[[Alert], None]) -> None:
        """Give every alert that is on the topic by now and was not given yet.

        Raises BrokerTrouble where they stop coming.
        """
        ends = self._reader.end_offsets(self._alerts, timeout_ms=ANSWER_MS)
        overdue = Overdue(self._alerts[0].topic)
        while not reached(self._reader, ends):
            for alert in self.alerts():
                give(alert)
                overdue.came()
            overdue.check()
