"""One partition number while this worker owns it: its processor, and what is not yet durable.

Nothing in here waits. That is what keeps it right: at any moment when somebody else may run, the
processor's state, the position and the list of messages under way belong to the same record.
"""

import logging
import math
from asyncio import Future
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from streams.runtime.changelog import VOID_KEYS_KEY
from streams.runtime.interfaces import Prepared, Record, Send, record_bytes
from streams.runtime.lanes import Place
from streams.runtime.numbering import Sender, numbered, sender_of
from streams.runtime.options import RuntimeOptions, StatefulFlow
from streams.runtime.outbox import OUTBOX_KEY, decode_outbox, encode_outbox
from streams.runtime.position import POSITION_KEY, Position, encode_position
from streams.runtime.rekeying import original, topics_by_target
from streams.runtime.store import LocalStore

STEP_BYTES: Final = 4 << 20
"""What a step is meant to be at most: a quarter of what it may be (`changelog.MAX_BATCH_BYTES`)."""


_GROWN: Final = 4
"""How many times a flow's `run_bytes` a run may come to where its steps are seen to stay small."""
_FAR_BEHIND: Final = 1_000_000
"""More messages or records than any step has."""
_log: Final = logging.getLogger(__name__)


class Step(NamedTuple):
    """From one durable moment to the next: what must arrive, what is written, what is sent then."""

    arrivals: tuple[Future[Any], ...]
    changes: Mapping[bytes, bytes | None]
    position: Position
    outbox: tuple[Send, ...]


class Folded(NamedTuple):
    """What a run asks for at once: messages that need no state, and a step for urgent ones.

    `repeated` is how many of its records had been folded before.
    """

    independent: list[Send]
    urgent: bool
    repeated: int = 0


class Partition:
    """Folds runs and takes snapshots of what they changed.

    `position` is the last durable one, `next_offset` the changelog's end. `rewrite` are keys whose
    stored values must be written to the changelog again. `undelivered` are the messages of the
    last durable step: whether they left is not known, so they must be sent again. `run_bytes` is
    what the next run should come to at most: a step of it has to fit one batch.
    """

    def __init__(
        self,
        flow: StatefulFlow,
        number: int,
        *,
        options: RuntimeOptions,
        store: LocalStore,
        position: Position,
        next_offset: int,
        rewrite: frozenset[bytes],
    ) -> None:
        self.flow = flow
        self.number = number
        self.place = Place(flow.name, number)
        self._store = store
        self._lineage = position.lineage
        self._next_offset = next_offset
        self._next = dict(position.next)
        self._origins = {topic: dict(nexts) for topic, nexts in position.origins.items()}
        self._rewrite = {key: store.get(key) for key in rewrite}
        self.unsaved_records = len(rewrite)
        self._rekeyed = topics_by_target(options.rekeyings)
        self._originals = frozenset(self._rekeyed.values())
        self._numbered = options.numbered
        self._sent = position.sent
        self._arrivals: list[Future[Any]] = []
        self._outbox: list[Send] = []
        self._outbox_bytes = 0
        self._read_bytes = 0
        self._state_bytes = 0.0
        self.run_bytes = flow.reading.run_bytes
        stored = store.get(OUTBOX_KEY)
        self.undelivered: tuple[Send, ...] = () if stored is None else decode_outbox(stored)
        self._outbox_is_stored = stored is not None
        # Handed over by the processor, not in the store yet.
        self._under_way: Mapping[bytes, bytes | None] = {}
        self._processor = flow.factory(number, self.read)

    @property
    def next(self) -> Mapping[str, int]:
        """By topic the offset of the first record not yet folded."""
        return self._next

    def read(self, key: bytes) -> bytes | None:
        """Return what the processor last handed over under a key."""
        if key in self._under_way:
            return self._under_way[key]
        return self._store.get(key)

    def prepare(self, record: Record) -> Prepared:
        """Decode a record; a re-keyed one under the coordinates it had in its own topic."""
        topic = self._rekeyed.get(record.topic)
        return self._processor.prepare(record if topic is None else original(record, topic))

    def fold(self, records: Sequence[Prepared], next_: Mapping[str, int]) -> Folded:
        """Fold a run that ends before `next_`; return what cannot wait for the next step."""
        all_records = len(records)
        if self._originals or self.flow.numbered:
            records = [prepared for prepared in records if self._is_new(prepared.record)]
        folded = Folded([], urgent=False, repeated=all_records - len(records))
        for send in self._processor.fold(records):
            if send.independent:
                folded.independent.append(send)
            else:
                self._outbox.append(self._numbered_if_for_a_flow(send))
                self._outbox_bytes += len(send.value or b"")
                folded = folded if not send.urgent else folded._replace(urgent=True)
        self._next.update(next_)
        self.unsaved_records += len(records) or 1
        if self.flow.reading.run_bytes < math.inf:
            self._read_bytes += sum(record_bytes(prepared.record) for prepared in records)
        return folded

    def room(self, most_records: int) -> int:
        """Return how many more records may be folded into this step, none where it is full.

        A step must fit one batch. What is to be sent is known to the byte; what state a record
        changes is taken to be what it was in the last step; where records differ too much for
        that, the step is full with `run_bytes`.
        """
        if self._read_bytes >= self.run_bytes:
            return 0
        left = STEP_BYTES - self._outbox_bytes - self.unsaved_records * self._state_bytes
        each = self._state_bytes + self._outbox_bytes / max(1, self.unsaved_records)
        by_bytes = int(left / each) if each else most_records
        return min(most_records - self.unsaved_records, by_bytes)

    def note_arrival(self, arrival: Future[Any]) -> None:
        """Remember messages of the last run that must arrive before its state is written."""
        self._arrivals.append(arrival)

    def step(self) -> Step | None:
        """Take what is not durable yet, or messages that have left; None where there is nothing.

        Until `settle` is called with it, no other step may be taken.
        """
        if not self.unsaved_records and not self._outbox_is_stored:
            return None
        self._outbox += map(self._numbered_if_for_a_flow, self._processor.summaries())
        changes = self._rewrite | self._processor.changes() | self._outbox_change()
        step = Step(tuple(self._arrivals), changes, self._position(), tuple(self._outbox))
        self._note_size(changes)
        self._arrivals = []
        self._outbox = []
        self._outbox_bytes = 0
        self._read_bytes = 0
        self._rewrite = {}
        self._under_way = changes
        self.unsaved_records = 0
        return step

    def _note_size(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Expect of the next step what this one came to, by record or by what was read."""
        written = sum(len(key) + len(value or b"") for key, value in changes.items())
        state = written - self._outbox_bytes
        self._state_bytes = state / max(1, self.unsaved_records)
        least = self.flow.reading.run_bytes
        if self._read_bytes >= least / 2:
            # What fewer bytes changed may have been the lightest or the heaviest of the state.
            fits = STEP_BYTES / 2 * self._read_bytes / max(1, state)
            self.run_bytes = min(max(least, fits), _GROWN * least)

    def settle(self, step: Step, next_offset: int) -> None:
        """Take a step that is durable in the changelog into the local store."""
        # The first step has written again what void ones had touched.
        mark = {POSITION_KEY: encode_position(step.position), VOID_KEYS_KEY: None}
        self._store.write({**mark, **step.changes}, next_offset)
        self._under_way = {}
        self._next_offset = next_offset

    def _outbox_change(self) -> dict[bytes, bytes | None]:
        """What becomes of the stored outbox: by the time of a step, that of the last has left."""
        was_stored, self._outbox_is_stored = self._outbox_is_stored, bool(self._outbox)
        if self._outbox:
            return {OUTBOX_KEY: encode_outbox(self._outbox)}
        return {OUTBOX_KEY: None} if was_stored else {}

    def _position(self) -> Position:
        return Position(
            lineage=self._lineage,
            at=self._next_offset,
            next=dict(self._next),
            origins={topic: dict(nexts) for topic, nexts in self._origins.items()},
            sent=self._sent,
        )

    def _numbered_if_for_a_flow(self, send: Send) -> Send:
        if send.topic not in self._numbered:
            return send
        sender = Sender(self.flow.name, self.number, self._sent)
        self._sent += 1
        return numbered(send, sender)

    def _is_new(self, record: Record) -> bool:
        """Whether a record is folded for the first time: its origin may repeat, never reorder."""
        if record.topic in self._originals:
            origin, partition, number = record.topic, record.partition, record.offset
        elif record.topic in self.flow.numbered and (sender := sender_of(record)) is not None:
            # No topic's name has such a character in it.
            origin, partition, number = f"{record.topic}<{sender.flow}", *sender[1:]
        else:
            return True
        nexts = self._origins.setdefault(origin, {})
        behind = nexts.get(partition, 0) - number
        if behind > 0:
            if behind > _FAR_BEHIND:
                _log.warning(
                    "%s:%s: left out what says that it is number %s of %s, %s behind the latest: "
                    "no crash repeats so much",
                    record.topic, record.partition, number, origin, behind,
                )  # fmt: skip
            return False
        nexts[partition] = number + 1
        return True
