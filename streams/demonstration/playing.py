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
from detectors.campaigns import Campaign
from detectors.heat import Attack
from detectors.simulation import SimulatedEvent
from streams.codec import decode_alert, decode_published
from streams.demonstration.installation import Installation
from streams.sending import Outgoing, send_records
from streams.settings import Settings
from streams.tailing import ANSWER_MS, Overdue, reached
from streams.topics import SOURCE_TYPES, flows

_POLL_MS: Final = 100
_LOOK_EVERY: Final = 0.4
_TOPIC_OF: Final = {kind: topic for topic, kind in SOURCE_TYPES.items()}


class Progress(NamedTuple):
    """How far a part of the story is: events sent, and events that the worker is through with."""

    sent: int
    done: int
    total: int


Told = Alert | Campaign | Attack
OnTold = Callable[[Told, float | None], None]
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
        self._sent_at: dict[str, tuple[float, float]] = {}
        self._sent = 0
        self._stop = threading.Event()

    def play(
        self,
        events: Sequence[SimulatedEvent],
        *,
        seconds: float,
        on_told: OnTold,
        on_progress: OnProgress,
    ) -> None:
        """Send events over so many seconds (0: as fast as it goes) and wait for the worker.

        Returns when the worker is through with the last of them and all that came of them has been
        given to `on_told`, alerts with their latency. Raises WorkerEnded and BrokerTrouble.
        """
        records = self._records(self._paced(events, seconds))
        before, done, self._sent = self._clients.folded(), 0, 0
        with ThreadPoolExecutor(1) as pool:
            sending = pool.submit(send_records, self._installation.settings, records)
            try:
                while not sending.done() or done < self._sent or not self._clients.settled():
                    done = self._clients.folded() - before
                    self._read(_LOOK_EVERY, on_told)
                    on_progress(Progress(self._sent, done, len(events)))
                    self._installation.check()
                    self._check()
                sending.result()
            finally:
                self._stop.set()
        self._stop.clear()
        # Alerts are acknowledged before the events they are about count as done.
        self._clients.read_to_end(lambda told: on_told(told, self._latency(told)))

    def _read(self, seconds: float, on_told: OnTold) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for told in self._clients.told():
                on_told(told, self._latency(told))

    def _latency(self, told: Told) -> float | None:
        if not isinstance(told, Alert):
            return None
        sent = [self._sent_at[e] for e in told.event_ids if e in self._sent_at]
        if not sent:
            return None
        at, occurred = max(sent)
        # What is told only for what came later, on other accounts, answers no event of its own.
        return time.monotonic() - at if told.updated_at < occurred + 1 else None

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
            self._sent_at[event["event_id"]] = time.monotonic(), simulated.time
            self._sent += 1
            key = event["account_id"].encode()
            yield Outgoing(topics[event["type"]], key, orjson.dumps(event), [])


class Clients:
    """The outside's two views of a worker: how far its group is, and what it has told."""

    def __init__(self, settings: Settings, administration: Any, reader: Any) -> None:
        self._group = settings.app_id
        self._committed: dict[TopicPartition, int] = {}
        self._administration, self._reader = administration, reader
        self._sources = {settings.topic(name) for name in SOURCE_TYPES}
        between = (flow.told for flow in flows(settings).values())
        self._between = [tp for topic in between for tp in self._partitions(topic)]
        alerts, campaigns = settings.topic("alerts"), settings.topic("campaigns")
        self._decode = {alerts: decode_alert, campaigns: decode_published}
        self._read = [*self._partitions(alerts), *self._partitions(campaigns)]
        reader.assign(self._read)
        reader.seek_to_beginning(*self._read)

    def folded(self) -> int:
        """Events that the worker is through with: all that it has committed."""
        self._look()
        return sum(at for tp, at in self._committed.items() if tp.topic in self._sources)

    def settled(self) -> bool:
        """Whether nothing is left that the worker's flows have told one another."""
        ends = self._reader.end_offsets(self._between, timeout_ms=ANSWER_MS)
        self._look()
        return all(self._committed.get(tp, 0) >= end for tp, end in ends.items())

    def told(self) -> Iterator[Told]:
        """Alerts, campaigns and attacks that came since, or come within a tenth of a second."""
        for tp, records in self._reader.poll(timeout_ms=_POLL_MS).items():
            for record in records:
                yield self._decode[tp.topic](record.value)

    def read_to_end(self, give: Callable[[Told], None]) -> None:
        """Give everything that is there by now and was not given yet.

        Raises BrokerTrouble where it stops coming.
        """
        ends = self._reader.end_offsets(self._read, timeout_ms=ANSWER_MS)
        overdue = Overdue(self._read[0].topic)
        while not reached(self._reader, ends):
            for told in self.told():
                give(told)
                overdue.came()
            overdue.check()

    def _partitions(self, topic: str) -> list[TopicPartition]:
        return [TopicPartition(topic, n) for n in self._reader.partitions_for_topic(topic)]

    def _look(self) -> None:
        try:
            offsets = self._administration.list_group_offsets(self._group)[self._group]
        except RetriableError:
            return  # a broker makes room for its first group
        self._committed = {tp: max(0, committed.offset) for tp, committed in offsets.items()}
